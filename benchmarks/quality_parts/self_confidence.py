"""SCAN's self-confidence from a bank: rollouts of the bare problem in place of further sampled solutions.

A run of the recipe `scan_base` samples 32 solutions of each problem and takes their share of right ones for the
self-confidence; a bank holds four of each, chosen where some are right and some are not. Its rollouts of the bare
problem are drawn in the same way, so as many of them say the same. Here they are paid for; there they are the
solutions that get labelled. Below the gate nothing more is asked: the problem would have been dropped.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

from steplabel.annotators.annotation import Annotation, AnnotationStatus
from steplabel.annotators.asking.prefix import ask_prefix
from steplabel.annotators.effects import Program
from steplabel.annotators.question_filter import LOW_CONFIDENCE, SCAN_GATE
from steplabel.annotators.steps.locating import ErrorSearch
from steplabel.annotators.tally import Tally
from steplabel.schemas import CheckedOutcome, Problem, Solution

SAMPLES: Final = 32
"""As the recipe `scan_base`; the paper draws 128."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WithSelfConfidence:
    """A search that first asks the bare problem how often it is solved, and gives up below the gate.

    Attributes:
        search: the search; its `k` and `sampling`.
        samples: rollouts of the bare problem.
        gate: least share of right ones; 0 searches always.
    """

    search: ErrorSearch
    samples: int = SAMPLES
    gate: float = SCAN_GATE.min_share

    @property
    def name(self) -> str:
        """The search's."""
        return self.search.name

    @property
    def version(self) -> str:
        """The search's."""
        return self.search.version

    def program(
        self, problem: Problem, solution: Solution, outcome: CheckedOutcome | None, *, seed: int
    ) -> Program[Annotation]:
        """Return a program that annotates one solution: see `Annotator.program`."""
        sampling = self.search.sampling
        root = yield from ask_prefix(
            problem, solution, 0, k=self.samples, chunk=self.samples, sampling=sampling, seed=seed
        )
        tally = Tally.of(root.outcomes)
        counted = tally.correct + tally.failed(silence_is_failure=True)
        if tally.correct < self.gate * counted:
            found = Annotation(status=AnnotationStatus.SKIPPED, detail=LOW_CONFIDENCE)
        else:
            found = yield from self.search.program(problem, solution, outcome, seed=seed)
        return replace(found, rollouts=(*root.rollouts, *found.rollouts), outcomes=(*root.outcomes, *found.outcomes))

    def most_samples(self, steps: int) -> int:
        """Those of the search and of the bare problem."""
        return self.samples + self.search.most_samples(steps)
