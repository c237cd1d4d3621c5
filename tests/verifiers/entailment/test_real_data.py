"""GSM8K's own solutions: whatever fails there is an error of the data, listed here after reading it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from steplabel.schemas import Problem, Step, Verdict, make_solution
from steplabel.verifiers.entailment import EntailmentVerifier

pytestmark = [pytest.mark.data, pytest.mark.slow]

DATA_ERRORS = {
    696: "79 - B - 26 = 8 turned into 52 = B + 8",
    752: "the area is 100, the solution says 80 = L * W, then 4 W^2 = 100",
    2287: "g + r + p = 315, then 6p + 30 = 312",
    3205: "10b = 180, then b = 180",
    3371: "P + 3 + P + 6 + P + 9 + P + 12 = 5P + 30: the first P is missing",
    5457: "14 - 2*k = 64, then 2*k = 64 + 14",
}


def test_no_false_alarm_on_reference_solutions(data_dir: Path) -> None:
    """Of 26,720 steps those that fail are errors of the data, and six hundred claims hold."""
    verifier = EntailmentVerifier()
    placed = []
    for row, line in enumerate((data_dir / "gsm8k" / "train.jsonl").read_text(encoding="utf-8").splitlines()):
        record = json.loads(line)
        problem = Problem(id=str(row), text=record["question"])
        steps = [step for step in record["answer"].split("\n####")[0].split("\n") if step.strip()]
        solution = make_solution(problem, tuple(Step(text=f"{step}\n") for step in steps))
        placed += [(row, claim) for claim in verifier.claims(problem, solution)]
    findings = verifier.verify_all([claim for _, claim in placed])
    failing = {row for (row, _), finding in zip(placed, findings, strict=True) if finding.verdict is Verdict.FAILS}
    assert failing <= DATA_ERRORS.keys()
    assert len(failing) >= 4
    assert sum(finding.verdict is Verdict.HOLDS for finding in findings) > 600
