"""Texts made to hang, crash or fool a parser, in the places where equations are read."""

from __future__ import annotations

import time

import pytest

from steplabel.schemas import Verdict
from steplabel.verifiers.arithmetic import read_equations
from steplabel.verifiers.arithmetic.judging import judge
from steplabel.verifiers.port import Finding

FALSE = {"left": "{} = 5", "right": "5 + 3 = {}", "operand": "2 + {} = 5"}
OTHER = {"twice": "{} = {}", "remark": "5 ({}) + 3 = 8", "name": "{} a = 5 + 3. {} a = 8"}
LIMIT_S = 5.0
"""Of CPU: far more than any takes, for a busy machine."""

REPEATED = [
    *[
        "(",
        ")",
        "[",
        "-",
        "+",
        "=",
        " = ",
        "5 = ",
        "1 1/2 ",
        "5/",
        "x ",
        "5 (",
        "2^",
        "%",
        "of ",
        "1,",
        "\n",
        "\n\t",
        "<<",
    ],
    *[
        "\\frac{",
        "\\frac{1}{",
        "a-",
        "a'",
        "**",
        "* ",
        "5 apples ",
        "5!",
        ". ",
        "80 000 ",
        "- ",
        "= =",
        "(1)",
        "~",
        "x = 5+3. ",
    ],
]


def findings(text: str) -> list[Finding]:
    started = time.process_time()
    found = [judge(equation, strict=True) for equation in read_equations(text)]
    assert time.process_time() - started < LIMIT_S
    return found


@pytest.mark.parametrize("wrap", FALSE.values(), ids=FALSE.keys())
def test_nothing_hostile_holds(hostile: str, wrap: str) -> None:
    """No hostile text crashes the reader, holds it, or is called equal to what it is not."""
    assert all(finding.verdict is not Verdict.HOLDS for finding in findings(wrap.format(hostile)))


@pytest.mark.parametrize("wrap", OTHER.values(), ids=OTHER.keys())
def test_survives(hostile: str, wrap: str) -> None:
    """Beside true equations, too, hostile texts are read in time, and every finding has its reason."""
    assert all(finding.reason for finding in findings(wrap.format(hostile, hostile)))


@pytest.mark.parametrize("part", REPEATED)
@pytest.mark.parametrize("tail", ["", "5 + 3 = 8", "= 5", "!"])
def test_repeats_take_linear_time(part: str, tail: str) -> None:
    """What is repeated up to the bound on a text's length is read within the limit."""
    text = part * (3_900 // len(part)) + tail
    assert all(finding.reason for finding in findings(text))


def test_nothing_runs() -> None:
    """Code in a text is words and brackets."""
    for text in ("__import__('os').system('true') = 0", "5 + 3 = exec('1')", "(lambda: 18)() = 18"):
        assert all(judge(e, strict=True).verdict is Verdict.UNKNOWN for e in read_equations(text))
