"""What the tests of answer checking share."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from hypothesis import settings

from steplabel.schemas import AnswerType, GoldAnswer
from steplabel.verifiers import AnswerChecker, CheckedAnswer, close_workers

# The machine is shared: how long one example takes says nothing. Hostile texts are timed by their own tests.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")

# 30 texts that hang, crash or fool one parser or another (measured on sympy, math-verify, z3, Fraction).
HOSTILE = {
    "parens": "(" * 5_000 + "5" + ")" * 5_000,
    "many parens": "(" * 200_000,
    "minuses": "-" * 20_000 + "5",
    "pluses": "1" + "+1" * 20_000,
    "sum short enough": "1" + "+1" * 900,
    "power": "10**10**10",
    "latex power": "10^{10^{10}}",
    "tower": "9^9^9^9",
    "tower spaced": "9 ^ 9 ^ 9",
    "big exponent": "7^{99999999}",
    "factorial": "100000000!",
    "double factorial": "(10^6)!",
    "scientific": "1e999999999",
    "negative scientific": "1e-999999999",
    "long digits": "9" * 100_000,
    "digits that fit": "9" * 1_990,
    "nested roots": r"\sqrt{" * 1_000 + "2" + "}" * 1_000,
    "nested fractions": r"\frac{1}{" * 500 + "2" + "}" * 500,
    "sum": r"\sum_{n=1}^{1000000000} n",
    "integral": r"\int_0^{1000} e^{e^{x}} \sin(x^9) dx",
    "binomial": r"\binom{1000000000}{500000000}",
    "expansion": "(a+b+c+d+e+f)^{60}",
    "commas": "1," * 5_000 + "1",
    "arabic digits": "\u0661\u0668",
    "mixed digits": "1\u0668",
    "right to left": "\u202e81",
    "zero width": "1\u200b8",
    "nul": "18\x00",
    "nul inside": "1\x00+17",
    "surrogate": "18\ud800",
    "code": "__import__('os').system('true')",
    "lambda": "(lambda: 18)()",
    "nan": "nan",
    "infinity": "inf",
    "open boxes": r"\boxed{" * 20_000 + "17",
    "markers": "Answer: " * 6_000,
    "colons": "A:\n" * 16_000,
    "blanks": "answer" + " " * 49_000 + "17",
    "letters": "17 " + "a" * 190 + "!",
    "dollars": "$" * 1_999,
    "double minus": "--18",
    "juxtaposed": "5 13",
}

Check = Callable[..., CheckedAnswer]


@pytest.fixture(params=HOSTILE.values(), ids=HOSTILE.keys())
def hostile(request: pytest.FixtureRequest) -> str:
    """One hostile text after another."""
    text: str = request.param
    return text


@pytest.fixture(scope="session")
def hostile_texts() -> dict[str, str]:
    """All of them by name."""
    return HOSTILE


@pytest.fixture(scope="session")
def check() -> Check:
    """Check a text against a gold answer by all layers: `check(gold, text, kind)`."""
    checker = AnswerChecker()

    def checked(gold: str, text: str, kind: AnswerType = AnswerType.NUMBER) -> CheckedAnswer:
        return checker.check(text, GoldAnswer(text=gold, type=kind))

    return checked


@pytest.fixture(scope="session", autouse=True)
def _no_orphans() -> Iterator[None]:
    """Workers that a test left running end with the session."""
    yield
    close_workers()
