"""Ask the prefixes of one solution by a plan: how many completions, in which portions, until when."""

from __future__ import annotations

from dataclasses import replace

from steplabel.annotators.asking.prefix import PrefixAnswer, ask, prefix_question
from steplabel.annotators.asking.rollout_plan import RolloutPlan
from steplabel.annotators.effects import Program, Sample
from steplabel.annotators.tally import Tally
from steplabel.schemas import Problem, Solution

UNKNOWN_K = "no completion of the bare problem was checked: k unknown"
"""Why nothing was asked of a problem whose difficulty could not be told."""


class PrefixAsker:
    """One solution's questions. `settle` first, then `ask`, as often and as much at once as one likes.

    Args:
        seed: the run's.
        silence_is_failure: whether completions without an answer count among a zero test's failures.

    Attributes:
        k: most completions for each prefix of this problem.
        pilot: the problem's own completions from which `k` follows; None where k does not go by difficulty.
    """

    def __init__(
        self, plan: RolloutPlan, problem: Problem, solution: Solution, *, seed: int, silence_is_failure: bool = True
    ) -> None:
        self.k = plan.k
        self.pilot: PrefixAnswer | None = None
        self._plan, self._problem, self._solution, self._seed = plan, problem, solution, seed
        self._silence_is_failure = silence_is_failure

    def settle(self) -> Program[bool]:
        """Find k. False if it cannot be known: then `pilot` says why, by its error or by what was not checked."""
        rule = self._plan.k_by_difficulty
        if rule is None:
            return True
        self.pilot = yield from ask(self._question(0), 0, k=rule.pilot, chunk=rule.pilot)
        if self.pilot.error is not None:
            return False
        k = rule.k(Tally.of(self.pilot.outcomes))
        self.k = k or 0
        return k is not None

    def ask(self, depth: int) -> Program[PrefixAnswer]:
        """Ask about the first `depth` steps. At the bare problem the pilot is a part of the answer."""
        if depth or self.pilot is None:
            return (yield from self._asked(self._question(depth), depth))
        pilot = self.pilot
        if self._plan.ends_early and self._says_enough(pilot):
            return pilot
        rest = yield from self._asked(replace(self._question(0), start=len(pilot.rollouts)), 0, self._failures(pilot))
        return replace(rest, rollouts=pilot.rollouts + rest.rollouts, outcomes=pilot.outcomes + rest.outcomes)

    def _question(self, depth: int) -> Sample:
        return prefix_question(self._problem, self._solution, depth, sampling=self._plan.sampling, seed=self._seed)

    def _asked(self, question: Sample, depth: int, failures: int = 0) -> Program[PrefixAnswer]:
        return ask(
            question,
            depth,
            k=self.k,
            chunk=self._plan.chunk_of(self.k),
            zero_test=self._plan.zero_test,
            silence_is_failure=self._silence_is_failure,
            failures=failures,
        )

    def _failures(self, pilot: PrefixAnswer) -> int:
        return Tally.of(pilot.outcomes).failed(silence_is_failure=self._silence_is_failure)

    def _says_enough(self, pilot: PrefixAnswer) -> bool:
        test = self._plan.zero_test
        enough = test is not None and self._failures(pilot) >= test.failures
        return enough or Tally.of(pilot.outcomes).correct > 0
