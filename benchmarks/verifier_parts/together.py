"""The verifiers of mathematics together, on ProcessBench: what at least one of them decides, and how often it errs.

Right steps are those before the marked first error. A false alarm is a right step that one of them fails. A first error
is found if its step fails. `recall_of_decided`: of the first errors whose step holds a claim that one of them decides,
as near as the data come to "errors of calculation", which nobody has marked. `precision`: of the solutions in which a
step fails, those whose first failing step is the marked one or stands behind it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from steplabel.schemas import Evidence, Verdict
from steplabel.schemas.layouts import processbench
from steplabel.transforms.io import read_rows
from steplabel.verifiers import Verifier, observe
from steplabel.verifiers.arithmetic.verifier import ArithmeticVerifier
from steplabel.verifiers.entailment.text_verifier import EntailmentVerifier
from steplabel.verifiers.latex.verifier import LatexVerifier

VERIFIERS: tuple[Verifier[Any], ...] = (ArithmeticVerifier(), LatexVerifier(), EntailmentVerifier())


@dataclass(slots=True, kw_only=True)
class Together:
    """Counts of steps; `wrong_flags` are false alarms as solution id and step."""

    right_steps: int = 0
    decided: int = 0
    false_alarms: int = 0
    first_errors: int = 0
    first_errors_decided: int = 0
    found: int = 0
    flagged: int = 0
    flagged_from_the_error_on: int = 0
    wrong_flags: list[tuple[str, int]] = field(default_factory=list)

    def shares(self) -> dict[str, float]:
        """What is wanted: of right steps the decided and the failing ones, recall, precision of "fails"."""
        return {
            "coverage": self.decided / self.right_steps,
            "false_alarm_share": self.false_alarms / self.right_steps,
            "recall": self.found / self.first_errors,
            "recall_of_decided": self.found / max(1, self.first_errors_decided),
            "precision": self.flagged_from_the_error_on / max(1, self.flagged),
        }


def together(path: Path, verifiers: Sequence[Verifier[Any]] = VERIFIERS) -> Together:
    """Judge every solution of a ProcessBench file."""
    total = Together()
    for row in read_rows(str(path)):
        assert row.data is not None
        gold = processbench.read_gold_steps(row.data, line=row.where)
        _count(total, processbench.evidence_of(gold), verifiers, gold.first_error)
    return total


def _count(total: Together, evidence: Evidence, verifiers: Sequence[Verifier[Any]], error: int) -> None:
    (solution,) = evidence.solutions
    said: dict[str, set[Verdict]] = {}
    for verifier in verifiers:
        for one in observe(verifier, evidence.problem, solution):
            said.setdefault(one.subject, set()).add(one.verdict)
    heard = [said.get(key, set()) for key in solution.node_keys]
    right = heard if error < 0 else heard[:error]
    total.right_steps += len(right)
    total.decided += sum(bool(step & {Verdict.HOLDS, Verdict.FAILS}) for step in right)
    for position, step in enumerate(right):
        if Verdict.FAILS in step:
            total.false_alarms += 1
            total.wrong_flags.append((evidence.problem.id, position))
    failing = [position for position, step in enumerate(heard) if Verdict.FAILS in step]
    if error >= 0:
        total.first_errors += 1
        total.first_errors_decided += bool(heard[error] & {Verdict.HOLDS, Verdict.FAILS})
        total.found += error in failing
    if failing:
        total.flagged += 1
        total.flagged_from_the_error_on += 0 <= error <= failing[0]
