"""Math-Shepherd: k completions from every step (Wang et al. 2023, arXiv:2312.08935, section 3.3).

Covered: the rollouts from which the paper's hard (any correct) and soft (c/k) estimates are derived, for
right and wrong solutions alike; with `ask_root` also those of the bare problem, which views of progress and
advantage compare the first step with (GenPRM, PAV). Not covered: the labels themselves, which a label policy
derives.

One deviation. The paper samples from the last step too. That prefix already holds the final answer, so its
estimate is the solution's own outcome: no rollouts are spent on it, and an observation of source `outcome` on
the last node says so. Where that outcome is unknown or was never checked, the last step stays unknown.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from steplabel.annotators.annotation import Annotation, AnnotationStatus
from steplabel.annotators.asking.asker import UNKNOWN_K, PrefixAsker
from steplabel.annotators.asking.prefix import PrefixAnswer, check_belong, labelable_depths
from steplabel.annotators.asking.rollout_plan import RolloutPlan
from steplabel.annotators.effects import Concurrently, Finished, Program
from steplabel.annotators.ending import ending
from steplabel.annotators.outcome_claim import outcome_observation
from steplabel.schemas import CheckedOutcome, Problem, Solution


@dataclass(frozen=True, slots=True, kw_only=True)
class MathShepherd(RolloutPlan):
    """Monte Carlo at every step the policy wrote, the last one excepted; all prefixes are asked at once.

    The paper has k=8 and asks for all of them. Early ends serve its hard labels alone.

    Attributes:
        ask_root: ask the bare problem too.
        (and those of `RolloutPlan`)
    """

    name: ClassVar[str] = "math_shepherd"
    version: ClassVar[str] = "2"

    ask_root: bool = False

    def program(
        self, problem: Problem, solution: Solution, outcome: CheckedOutcome | None, *, seed: int
    ) -> Program[Annotation]:
        """Return a program that annotates one solution: see `Annotator.program`."""
        check_belong(problem, solution, outcome)
        depths = labelable_depths(solution)
        if not depths:
            return Annotation(status=AnnotationStatus.SKIPPED, detail="no step of it is the policy's own")
        asker = PrefixAsker(self, problem, solution, seed=seed)
        settled = yield from asker.settle()
        answers = [] if asker.pilot is None else [asker.pilot]
        if settled:
            wanted = (0, *depths[:-1]) if self.ask_root else depths[:-1]
            asked: tuple[Finished[int, PrefixAnswer], ...] = yield Concurrently(
                programs=tuple(asker.ask(depth) for depth in wanted)
            )
            # What was asked of the bare problem holds its pilot.
            answers = ([] if self.ask_root else answers) + [branch.unwrap() for branch in asked]
        status, detail = ending([answer.error for answer in answers])
        if status is AnnotationStatus.COMPLETE and not settled:
            status, detail = AnnotationStatus.SKIPPED, UNKNOWN_K
        return Annotation(
            status=status,
            rollouts=tuple(rollout for answer in answers for rollout in answer.rollouts),
            outcomes=tuple(checked for answer in answers for checked in answer.outcomes),
            observations=(outcome_observation(solution.node_keys[depths[-1] - 1], outcome),),
            detail=detail,
        )

    def most_samples(self, steps: int) -> int:
        """k at every step but the last, and at the bare problem if it is asked; else the pilot there, if any."""
        at_root = self.k_by_difficulty.pilot if self.k_by_difficulty else 0
        return self.most_k * max(0, steps - 1) + (self.most_k if self.ask_root else at_root)
