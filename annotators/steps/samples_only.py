"""Ask nothing: label what the samples themselves say (TEMPO, GiGPO).

TEMPO (Tran et al. 2025, arXiv:2509.18314) estimates the value of a prefix by the outcomes of the sampled solutions that
share it, GiGPO (Feng et al. 2025, arXiv:2505.10978) that of a state by those that pass through it. Both are label
views over a problem's solutions; this is the annotator beside them, for recipes that buy no rollouts.

Covered: an observation of source `outcome` on the node that holds the final answer, as every annotator makes it. Not
covered: the estimates, which the views derive; they need several solutions a problem, and say nothing of a single one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from steplabel.annotators.annotation import Annotation, AnnotationStatus
from steplabel.annotators.asking.prefix import check_belong, labelable_depths
from steplabel.annotators.effects import Program
from steplabel.annotators.outcome_claim import outcome_observation
from steplabel.schemas import CheckedOutcome, Problem, Solution


@dataclass(frozen=True, slots=True, kw_only=True)
class SamplesOnly:
    """No question at all: every annotation is complete at once and costs nothing."""

    name: ClassVar[str] = "samples_only"
    version: ClassVar[str] = "1"

    def program(
        self,
        problem: Problem,
        solution: Solution,
        outcome: CheckedOutcome | None,
        *,
        seed: int,  # noqa: ARG002 - the port gives it; nothing is drawn
    ) -> Program[Annotation]:
        """Return a program that annotates one solution: see `Annotator.program`.

        Where no step is the policy's own, the observation is about the solution: there is no node that it answers on.
        """
        check_belong(problem, solution, outcome)
        yield from ()
        depths = labelable_depths(solution)
        subject = solution.node_keys[depths[-1] - 1] if depths else solution.id
        return Annotation(status=AnnotationStatus.COMPLETE, observations=(outcome_observation(subject, outcome),))

    def most_samples(self, steps: int) -> int:  # noqa: ARG002 - the port gives it
        """None."""
        return 0
