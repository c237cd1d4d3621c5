"""Math-Shepherd: k completions from every step (Wang et al. 2023, arXiv:2312.08935, section 3.3).

Covered: the rollouts from which the paper's hard (any correct) and soft (c/k) estimates are derived, for
right and wrong solutions alike. Not covered: the labels themselves, which a label policy derives.

One deviation. The paper samples from the last step too. That prefix already holds the final answer, so its
estimate is the solution's own outcome: no rollouts are spent on it, and an observation of source `outcome` on
the last node says so. Where that outcome is unknown or was never checked, the last step stays unknown.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from steplabel.annotators.annotation import Annotation, AnnotationStatus
from steplabel.annotators.asking import (
    PrefixAnswer,
    ask_prefix,
    check_belong,
    check_counts,
    labelable_depths,
)
from steplabel.annotators.effects import Concurrently, Finished, Program
from steplabel.annotators.outcome_claim import outcome_observation
from steplabel.schemas import BudgetExhausted, CheckedOutcome, Problem, SamplingParams, Solution


@dataclass(frozen=True, slots=True, kw_only=True)
class MathShepherd:
    """Monte Carlo at every step the policy wrote, the last one excepted; all prefixes are asked at once.

    Attributes:
        k: completions for each prefix. The paper has 8.
        sampling: None takes the solution's own parameters, or the defaults for imported solutions.
    """

    name: ClassVar[str] = "math_shepherd"
    version: ClassVar[str] = "1"

    k: int = 8
    sampling: SamplingParams | None = None

    def __post_init__(self) -> None:
        check_counts(k=self.k, chunk=self.k)

    def program(
        self, problem: Problem, solution: Solution, outcome: CheckedOutcome | None, *, seed: int
    ) -> Program[Annotation]:
        """Return a program that annotates one solution: see `Annotator.program`."""
        check_belong(problem, solution, outcome)
        depths = labelable_depths(solution)
        if not depths:
            return Annotation(status=AnnotationStatus.SKIPPED, detail="no step of it is the policy's own")
        asked: tuple[Finished[int, PrefixAnswer], ...] = yield Concurrently(
            programs=tuple(
                ask_prefix(problem, solution, depth, k=self.k, chunk=self.k, sampling=self.sampling, seed=seed)
                for depth in depths[:-1]
            )
        )
        answers = [branch.unwrap() for branch in asked]
        status, detail = _ending(answers)
        return Annotation(
            status=status,
            rollouts=tuple(rollout for answer in answers for rollout in answer.rollouts),
            outcomes=tuple(checked for answer in answers for checked in answer.outcomes),
            observations=(outcome_observation(solution.node_keys[depths[-1] - 1], outcome),),
            detail=detail,
        )

    def most_samples(self, steps: int) -> int:
        """k at every step but the last."""
        return self.k * max(0, steps - 1)


def _ending(answers: Sequence[PrefixAnswer]) -> tuple[AnnotationStatus, str]:
    errors = [answer.error for answer in answers if answer.error is not None]
    if not errors:
        return AnnotationStatus.COMPLETE, ""
    spent = next((error for error in errors if isinstance(error, BudgetExhausted)), None)
    status = AnnotationStatus.ENGINE_FAILED if spent is None else AnnotationStatus.STOPPED_BY_BUDGET
    return status, f"{len(errors)} of {len(answers)} prefixes got no answer: {spent or errors[0]}"
