"""Solutions of real models against the data set's word on their final answers: arithmetic, and agreement of results."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.verifier_parts.steps import fails, findings_of, is_decided
from steplabel.schemas import Evidence, Outcome
from steplabel.schemas.layouts.gsm8k_solutions import read_model_solutions
from steplabel.schemas.solution import Solution
from steplabel.verifiers.arithmetic import ArithmeticVerifier
from steplabel.verifiers.step_agreement import StepAgreement


@dataclass(frozen=True, slots=True, kw_only=True)
class Solutions:
    """ "Some step fails" against the data set's word on the final answer."""

    strict: bool
    solutions: int
    steps: int
    decided: float
    wrong: int
    flagged: int
    precision: float
    recall: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Bucket:
    """Solutions whose share of results that no other solution has lies in (low, high]."""

    low: float
    high: float
    solutions: int
    right: float


def model_solutions(data: Path, *, strict: bool) -> Solutions:
    """Whether some step fails, against whether the final answer is right."""
    verifier = ArithmeticVerifier(strict=strict)
    graded = [(solution, right) for evidence in example_solutions(data) for solution, right in _graded(evidence)]
    steps = decided = flagged = hits = 0
    for solution, right in graded:
        findings = [findings_of(verifier, step.text) for step in solution.steps]
        steps += len(findings)
        decided += sum(map(is_decided, findings))
        flags = any(map(fails, findings))
        flagged += flags
        hits += flags and not right
    wrong = sum(not right for _, right in graded)
    return Solutions(
        strict=strict,
        solutions=len(graded),
        steps=steps,
        decided=decided / steps,
        wrong=wrong,
        flagged=flagged,
        precision=hits / max(1, flagged),
        recall=hits / wrong,
    )


def example_solutions(data: Path) -> Iterator[Evidence]:
    """Four models' solutions of each problem, with the data set's word on them."""
    path = data / "gsm8k" / "example_model_solutions.first660.jsonl"
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines()):
        yield read_model_solutions(json.loads(line), line=f"{path.name}:{number}")


def _graded(evidence: Evidence) -> Iterator[tuple[Solution, bool]]:
    right = {outcome.subject: outcome.outcome is Outcome.CORRECT for outcome in evidence.outcomes}
    return ((solution, right[solution.id]) for solution in evidence.solutions)


def agreement_curve(data: Path, *, edges: Sequence[float] = (0.0, 0.25, 0.5, 0.75, 1.0)) -> tuple[Bucket, ...]:
    """How often a solution is right, by the share of its results that no other solution has."""
    shares: list[tuple[float, bool]] = []
    for evidence in example_solutions(data):
        said = {o.subject: o.score for o in StepAgreement().compare(evidence.problem, evidence.solutions)}
        for solution, right in _graded(evidence):
            share = said.get(solution.id)
            if share is not None:
                shares.append((share, right))
    lows = (-1.0, *edges[:-1])
    return tuple(_bucket(shares, low, high) for low, high in zip(lows, edges, strict=True))


def _bucket(shares: Sequence[tuple[float, bool]], low: float, high: float) -> Bucket:
    inside = [right for share, right in shares if low < share <= high]
    return Bucket(low=max(low, 0.0), high=high, solutions=len(inside), right=sum(inside) / max(1, len(inside)))
