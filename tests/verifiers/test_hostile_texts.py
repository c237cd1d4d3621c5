"""Texts made to hang, crash or fool a parser, at every place where text enters."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from steplabel.schemas import Verdict
from tests.verifiers.entry_points import ENTRY_POINTS, judged

MORE = {
    "deep json": "[" * 100_000,
    "chain of equals": "1 = " * 20_000 + "1",
    "equals": "=" * 30_000,
    "letters": "a" * 100_000,
    "many letters": " ".join("abcdefghijklmnopqrstuvwxyz" * 400),
    "backslashes": "\\" * 50_000,
    "dollars and digits": "$1" * 20_000,
    "fractions": r"$\frac{1}{2} = " + r"\frac{1}{2} + " * 3_000 + "1$",
    "powers of letters": "$" + "(x+y)^{60}" * 20 + " = 0$",
    "power of a sum, found by the fuzzer": "(+c+d+e+f)^{60}",
    "powers of sums": "$" + " = ".join(f"(a+b+c+d+{n})^{{60}}" for n in range(60)) + "$",
    "percents": "5% of " * 8_000 + "3 = 4",
    "quantifiers": "(x): " * 5_000 + "{A}x",
    "negations": "¬" * 20_000 + "{A}",
    "braces": "{" * 20_000,
    "facts": "".join(f"fact{i}: {{A}}\n" for i in range(20_000)),
    "clauses": "p cnf 99999999 99999999\n1 0\n",
    "import": "__import__('os').system('touch hacked') = 5",
    "smt": '(set-option :regular-output-channel "hacked") (assert true) = 5',
    "script": "${jndi:ldap://x} $(touch hacked) `touch hacked` = 1",
}


@pytest.mark.parametrize("name", ENTRY_POINTS)
def test_every_entry_point_survives(name: str, hostile: str) -> None:
    """Each hostile text: bounded work, no exception."""
    _survives(name, hostile)


@pytest.mark.parametrize("text", MORE.values(), ids=MORE)
@pytest.mark.parametrize("name", ENTRY_POINTS)
def test_every_entry_point_survives_more(name: str, text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Texts made for these parsers, some of which would leave a file if anything ran them."""
    monkeypatch.chdir(tmp_path)
    _survives(name, text)
    assert not list(tmp_path.iterdir())


def _survives(name: str, text: str) -> None:
    started = time.process_time()
    ENTRY_POINTS[name](text)
    assert time.process_time() - started < 5.0  # about .1 s on a quiet machine


NO_CLAIM = ("arabic digits", "mixed digits", "right to left", "zero width", "nul", "nan", "infinity", "code", "lambda")


@pytest.mark.parametrize("name", ["arithmetic", "latex_arithmetic", "z3_entailment"])
@pytest.mark.parametrize("text", NO_CLAIM)
def test_what_is_no_mathematics_is_not_judged(name: str, text: str, hostile_texts: dict[str, str]) -> None:
    """Nothing fails for what a text holds that nobody writes: unknown, or no claim at all."""
    said = judged(name)(f"{hostile_texts[text]} = 18")
    assert not [one for one in said if one.verdict is Verdict.FAILS and "= 18" in one.evidence]
