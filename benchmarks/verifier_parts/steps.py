"""Steps as the arithmetic verifier meets them one at a time: where they come from, and what it says of them.

Not covered: what earlier steps say. Each text is judged as a solution of one step, so counts do not depend on order.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from steplabel.schemas import Problem, Verdict
from steplabel.schemas.segmentation import spanned
from steplabel.schemas.solution import Solution, make_solution
from steplabel.verifiers.arithmetic import ArithmeticVerifier
from steplabel.verifiers.port import Finding

FALSE_ALARM: Final = "false alarm"
NOBODY: Final = Problem(id="p", text="-")
"""A problem that says nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Alarm:
    """A step that fails: where it is, what it says, and why, as far as people have read it."""

    row: int
    step: int
    cause: str
    equation: str
    evidence: str


def reference_steps(data: Path) -> Iterator[tuple[int, int, str]]:
    """Row, step and text of each worked line, without the line of the answer."""
    for row, line in enumerate((data / "gsm8k" / "train.jsonl").read_text(encoding="utf-8").splitlines()):
        for step, text in enumerate(json.loads(line)["answer"].split("\n")[:-1]):
            if text.strip():
                yield row, step, text


def findings_of(verifier: ArithmeticVerifier, text: str) -> list[tuple[str, Finding]]:
    """What the verifier says of a text, as a solution of one step."""
    claims = verifier.claims(NOBODY, solution_of(text)) if text.strip() else ()
    return [(claim.quote, verifier.verify(claim)) for claim in claims]


def solution_of(text: str) -> Solution:
    """A solution of one step."""
    return make_solution(NOBODY, spanned([text]))


def is_decided(findings: Sequence[tuple[str, Finding]]) -> bool:
    """Whether something holds or fails."""
    return any(finding.verdict is not Verdict.UNKNOWN for _, finding in findings)


def fails(findings: Sequence[tuple[str, Finding]]) -> bool:
    """Whether something fails."""
    return any(finding.verdict is Verdict.FAILS for _, finding in findings)


def alarm_of(row: int, step: int, findings: Sequence[tuple[str, Finding]], cause: str) -> Alarm | None:
    """The first finding that fails, None if none does."""
    for quote, finding in findings:
        if finding.verdict is Verdict.FAILS:
            return Alarm(row=row, step=step, cause=cause, equation=quote, evidence=finding.evidence)
    return None
