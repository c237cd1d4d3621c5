"""Coverage and false alarms on real solutions. `benchmarks/verifiers.py` lists what is counted here."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest

from steplabel.schemas import Verdict
from steplabel.verifiers.arithmetic import Equation, read_equations
from steplabel.verifiers.arithmetic.judging import judge

pytestmark = [pytest.mark.data, pytest.mark.slow]
Step = tuple[int, int, tuple[Equation, ...]]


@pytest.fixture(scope="module")
def references(data_dir: Path) -> list[Step]:
    """Row, step, and equations of GSM8K's worked solutions."""
    lines = (data_dir / "gsm8k" / "train.jsonl").read_text(encoding="utf-8").splitlines()
    return [
        (row, number, read_equations(text))
        for row, line in enumerate(lines)
        for number, text in enumerate(json.loads(line)["answer"].split("\n")[:-1])
        if text.strip()
    ]


@pytest.fixture(scope="module")
def errors(repository: Path) -> set[tuple[int, int]]:
    """Steps of the data set that are wrong, as read by hand."""
    table = repository / "benchmarks" / "verifier_parts" / "gsm8k_errors.json"
    return {(row, step) for row, step, _ in json.loads(table.read_text(encoding="utf-8"))}


def failing(references: list[Step], *, strict: bool) -> set[tuple[int, int]]:
    return {
        (row, step)
        for row, step, equations in references
        if any(judge(equation, strict=strict).verdict is Verdict.FAILS for equation in equations)
    }


def test_coverage(references: list[Step]) -> None:
    """At least 89 % of the steps hold an equation that is decided."""
    decided = sum(
        any(judge(equation, strict=False).verdict is not Verdict.UNKNOWN for equation in equations)
        for _, _, equations in references
    )
    assert len(references) == 26_720
    assert decided / len(references) >= 0.89


@pytest.mark.parametrize(("strict", "bound"), [(False, 0.0006), (True, 0.002)], ids=["lenient", "strict"])
def test_false_alarms(references: list[Step], errors: set[tuple[int, int]], strict: bool, bound: float) -> None:
    """Few right steps fail, and most of what is known to be wrong does."""
    found = failing(references, strict=strict)
    assert len(found - errors) / len(references) <= bound
    assert len(found & errors) >= 0.8 * len(errors)


def test_processbench_false_alarms(data_dir: Path) -> None:
    """At most one right step in 200 fails where people marked the first error; what fails is mostly at or after it."""
    rows = json.loads((data_dir / "processbench" / "gsm8k.json").read_text(encoding="utf-8"))
    right = wrong = alarms = 0
    for row in rows:
        for number, text in enumerate(row["steps"]):
            fails = any(judge(equation, strict=True).verdict is Verdict.FAILS for equation in read_equations(text))
            before = row["label"] < 0 or number < row["label"]
            right += before
            alarms += before and fails
            wrong += fails and not before
    assert alarms / right <= 0.005
    assert wrong >= 10 * max(1, alarms)


def test_changed_results_are_caught(references: list[Step]) -> None:
    """A result that is not near fails in at least nine steps of ten that held with the right one."""
    chance = random.Random(7)
    caught = read = 0
    for _, _, equations in chance.sample(references, 3_000):
        for equation in equations:
            if not equation.right.lone or judge(equation, strict=True).verdict is not Verdict.HOLDS:
                continue
            left, _, right = equation.quote.rpartition("=")
            digits = "".join(c for c in right if c.isdigit())
            if not digits or "%" in right or "." in right or len(right.split()) > 1:
                continue
            changed = read_equations(f"{left}= {int(digits) * 3 + 1}")
            read += 1
            caught += any(judge(other, strict=True).verdict is Verdict.FAILS for other in changed)
    assert read > 500
    assert caught / read >= 0.9
