"""A verifier that says what a step says, and rows for it."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

from steplabel.pipelines.verification.verifying import Verification, VerifyOptions, verify_file
from steplabel.schemas import Problem, Reason, Solution, Verdict
from steplabel.verifiers import Claim, Finding


@dataclass(frozen=True)
class Words:
    """A step fails that says so, holds if it says so, is unknown if it wonders; raises on `boom`."""

    name: ClassVar[str] = "words"
    version: str = "1"
    domains: frozenset[str] = frozenset()

    def claims(self, problem: Problem, solution: Solution) -> Iterator[Claim[str]]:
        for step, key in zip(solution.steps, solution.node_keys, strict=True):
            if step.text.strip() in ("holds", "fails", "wonders", "boom"):
                yield Claim(subject=key, body=step.text.strip())

    def verify(self, claim: Claim[str]) -> Finding:
        if claim.body == "boom":
            raise RuntimeError("boom")
        if claim.body == "wonders":
            return Finding(verdict=Verdict.UNKNOWN, reason=f"{Reason.TIMEOUT}: after 1 s")
        return Finding(verdict=Verdict(claim.body))


class Leaves(Words):
    """Ends the process by its first claim."""

    def claims(self, problem: Problem, solution: Solution) -> Iterator[Claim[str]]:
        sys.exit(0)


def marked(*steps: str, label: int, right: bool = False, **fields: Any) -> dict[str, Any]:
    """A ProcessBench row."""
    row = {"id": " ".join(steps), "generator": "m", "problem": "?", "steps": list(steps)}
    return {**row, "final_answer_correct": right, "label": label, **fields}


ROWS = (
    marked("holds", "fails", "fails", label=1),
    marked("fails", "holds", "fails", label=1),
    marked("holds", "says nothing", label=-1, right=True),
    marked("wonders", "fails", label=-1, right=True),
    marked("says nothing", "wonders", "holds", label=2),
)


def words(path: str, **options: Any) -> Verification:
    return verify_file(VerifyOptions(input=path, verifiers=(Words(),), **options))
