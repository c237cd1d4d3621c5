"""Search one solution for its first error, whichever way: what the searches share.

MC(prefix) is the share of completions that reach the right answer. The first error is the step that ends the first
prefix with MC = 0. Searches differ in which prefix they ask next.

What is taken, not asked:

    the bare problem    MC > 0: a question filter sees to that; `ask_root` asks
    the whole solution  MC = 0, since its answer is wrong
    a right answer      every step is clean, with no rollouts, and reported apart as `right_answer`: on
                        ProcessBench 4 to 52 % of such solutions hold a wrong step all the same

Not known is never wrong: completions that we failed to check do not count against a prefix, and where too few
remain the search stops and the location is unknown. Half of them are enough to choose where to ask next; the prefix
that is called the error must leave no doubt: a completion there that could not be checked may be right, labels then
say "unknown", and so does the search. It is complete all the same: asked again it would hear the same completions.
Only a question without an answer (a failed request, a spent budget) leaves a search open.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar

from steplabel.annotators.annotation import Annotation, AnnotationStatus
from steplabel.annotators.asking.asker import UNKNOWN_K, PrefixAsker
from steplabel.annotators.asking.prefix import PrefixAnswer, check_belong, labelable_depths
from steplabel.annotators.asking.rollout_plan import RolloutPlan
from steplabel.annotators.asking.zero_test import ZeroTest
from steplabel.annotators.effects import Program
from steplabel.annotators.ending import failure_reason, status_of
from steplabel.annotators.outcome_claim import UNCHECKED, outcome_observation
from steplabel.annotators.tally import Tally, is_silent
from steplabel.schemas import (
    CheckedOutcome,
    ConfigError,
    Observation,
    Outcome,
    Problem,
    Reason,
    Solution,
    Verdict,
)
from steplabel.schemas.codec import to_json


@dataclass(frozen=True, slots=True, kw_only=True)
class AskedPrefix:
    """One question of a search and how its completions ended."""

    depth: int
    correct: int
    wrong: int
    silent: int
    undecided: int

    @classmethod
    def of(cls, answer: PrefixAnswer) -> AskedPrefix:
        """Count an answer's outcomes."""
        tally = Tally.of(answer.outcomes)
        return cls(
            depth=answer.depth,
            correct=tally.correct,
            wrong=tally.wrong,
            silent=tally.silent,
            undecided=tally.undecided,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchTrace:
    """What a search did: the evidence of its observation, as JSON.

    Attributes:
        first_error: 0-based index of the located step; None if it was not located.
        reachable, unreachable: depths of the prefixes with MC > 0 and (as far as known) MC = 0 that the search had
            closed in on: the first error lies between them, even if it had to stop. None where nothing was known.
        asked: in the order of asking. Counts of a search that ends early over-state c/k.
        k: most completions of a prefix: that of the problem, where it goes by difficulty.
        zero_test: what "MC = 0" rests on, if failures alone could end the asking.
    """

    first_error: int | None
    reachable: int | None
    unreachable: int | None
    asked: tuple[AskedPrefix, ...]
    k: int
    stop_at_first_success: bool
    zero_test: ZeroTest | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorSearch(RolloutPlan, ABC):
    """A search for the first prefix from which no completion is right. Which prefix is next is the subclass's.

    Attributes:
        ask_root: ask the bare problem first, and search only if some completion is right.
        silence_is_failure: completions, and solutions, that were cut by length or gave no answer count as
            not right, as in the papers. Otherwise they are unknown: such a solution is skipped.
        min_decided: completions that must count for or against a prefix before the search goes on as if MC = 0. None
            takes half of k, rounded up. A zero test needs its own number of failures, or k if that is less, whatever
            stands here.
        (and those of `RolloutPlan`)

    Raises:
        ConfigError: as `RolloutPlan`, or a `min_decided` that is never reached.
    """

    name: ClassVar[str]
    version: ClassVar[str]

    ask_root: bool = False
    silence_is_failure: bool = True
    min_decided: int | None = None

    def __post_init__(self) -> None:
        RolloutPlan.__post_init__(self)  # super() does not find the class that slots=True makes anew
        if self.min_decided is not None and not 1 <= self.min_decided <= self.least_k:
            raise ConfigError(f"min_decided={self.min_decided} must lie between 1 and k={self.least_k}")
        if self.min_decided and self.zero_test and self.min_decided > self.zero_test.failures:
            enough = self.zero_test.failures
            raise ConfigError(f"min_decided={self.min_decided}: the zero test ends the asking after {enough} failures")

    def program(
        self, problem: Problem, solution: Solution, outcome: CheckedOutcome | None, *, seed: int
    ) -> Program[Annotation]:
        """Return a program that annotates one solution: see `Annotator.program`.

        The annotation carries one observation on the solution: source `outcome` where the answer is right;
        else the search's own name with a `SearchTrace`, verdict `fails` if an error was located, else
        `unknown` with the reason. A located solution's own reason is `length` or `no_answer` if it has none.
        """
        check_belong(problem, solution, outcome)
        if outcome is not None and outcome.outcome is Outcome.CORRECT:
            claim = outcome_observation(solution.id, outcome)
            return Annotation(status=AnnotationStatus.RIGHT_ANSWER, observations=(claim,))
        search = Search(self, problem, solution, seed)
        if not search.depths:
            return search.skipped(Reason.NO_STEPS, "no step of it is the policy's own")
        if not self._is_failure(outcome):
            reason = UNCHECKED if outcome is None else outcome.reason or Reason.UNDECIDED
            return search.skipped(reason, f"its answer is not known to be wrong: {reason}")
        return (yield from search.run(reason=outcome.reason if outcome and is_silent(outcome) else ""))

    def most_samples(self, steps: int) -> int:
        """k at each prefix that the search of so many steps can come to ask, and what the bare problem is asked."""
        at_root = self.k_by_difficulty.pilot if self.k_by_difficulty else 0
        return self.most_k * self._most_prefixes(steps) + (self.most_k if self.ask_root else at_root)

    @abstractmethod
    def narrow(self, search: Search) -> Program[int | None]:
        """Close in on the error: its index in `search.depths`, None as soon as a prefix gave no answer."""

    @abstractmethod
    def _most_prefixes(self, steps: int) -> int:
        """Most prefixes that `narrow` asks, for a solution of so many steps."""

    def _is_failure(self, outcome: CheckedOutcome | None) -> bool:
        if outcome is None:
            return False
        return outcome.outcome is Outcome.WRONG or (self.silence_is_failure and is_silent(outcome))

    def needed_failures(self, k: int) -> int:
        """How many of k completions must have failed before the search goes on as if MC = 0."""
        if self.zero_test is not None:
            return min(k, self.zero_test.failures)  # fewer would break its error rate
        return (k + 1) // 2 if self.min_decided is None else self.min_decided


class Search:
    """One search under way: what was asked, and between which depths the first error must lie.

    Attributes:
        depths: of the prefixes that end with a step of the policy's own; the last is the whole solution.
    """

    def __init__(self, config: ErrorSearch, problem: Problem, solution: Solution, seed: int) -> None:
        self.depths = labelable_depths(solution)
        self._config, self._solution = config, solution
        self._asker = PrefixAsker(config, problem, solution, seed=seed, silence_is_failure=config.silence_is_failure)
        self._answers: list[PrefixAnswer] = []
        self._reachable: int | None = None
        self._unreachable: int | None = None

    def run(self, *, reason: str) -> Program[Annotation]:
        """Search. `reason` is reported with a located error."""
        self._unreachable = self.depths[-1]
        settled = yield from self._asker.settle()
        if self._asker.pilot is not None:
            self._answers.append(self._asker.pilot)
        if not settled:
            heard = self._answers[-1].error is None
            return self.skipped(Reason.NONE_DECIDED, UNKNOWN_K) if heard else self._stopped()
        if self._config.ask_root:
            self._answers.clear()  # what was asked of the bare problem holds its pilot
            solvable = yield from self._ask(0)
            if solvable is None or self._doubtful(0):
                return self._stopped()
            if not solvable:
                self._unreachable = 0
                return self.skipped(Reason.ALL_WRONG, "MC = 0 without a single step: nothing to search for")
        self._reachable = 0
        found = yield from self._config.narrow(self)
        if found is None:
            return self._stopped()
        depth = self.depths[found]
        if self._doubtful(depth):
            return self._stopped(depth)
        return self._annotation(AnnotationStatus.COMPLETE, Verdict.FAILS, reason, first_error=depth - 1)

    def reaches(self, index: int) -> Program[bool | None]:
        """Whether MC > 0 at `depths[index]`; None if too few completions count to believe that it is not."""
        depth = self.depths[index]
        reachable = yield from self._ask(depth)
        if reachable:
            self._reachable = depth
        elif reachable is not None:
            self._unreachable = depth
        return reachable

    def skipped(self, reason: str, detail: str) -> Annotation:
        """Nothing was located because there is nothing to search for."""
        return self._annotation(AnnotationStatus.SKIPPED, Verdict.UNKNOWN, reason, detail=detail)

    def _ask(self, depth: int) -> Program[bool | None]:
        answer = yield from self._asker.ask(depth)
        self._answers.append(answer)
        tally = Tally.of(answer.outcomes)
        if tally.correct:
            return True
        if answer.error is not None:
            return None  # the missing ones may have been right; when resumed, the search must go the same way
        return False if self._failed(answer) >= self._config.needed_failures(self._asker.k) else None

    def _failed(self, answer: PrefixAnswer) -> int:
        return Tally.of(answer.outcomes).failed(silence_is_failure=self._config.silence_is_failure)

    def _at(self, depth: int) -> PrefixAnswer | None:
        """What was last heard of a prefix; None of one that was not asked."""
        return next((answer for answer in reversed(self._answers) if answer.depth == depth), None)

    def _doubtful(self, depth: int) -> bool:
        """Whether a prefix without a right completion has some that may yet turn out right."""
        answer = self._at(depth)
        if answer is None or Tally.of(answer.outcomes).correct:
            return False
        return self._failed(answer) < len(answer.outcomes)

    def _stopped(self, depth: int | None = None) -> Annotation:
        """Nothing was located, since too little is known of a prefix: the one asked last, unless told."""
        last = (self._at(depth) if depth is not None else None) or self._answers[-1]
        open_ = len(last.outcomes) - self._failed(last)
        detail = str(last.error or f"{open_} of {len(last.outcomes)} completions are neither right nor wrong")
        return self._annotation(
            AnnotationStatus.COMPLETE if last.error is None else status_of(last.error),
            Verdict.UNKNOWN,
            failure_reason(last.error) or Reason.NONE_DECIDED,
            detail=f"prefix of {last.depth} steps: {detail}",
        )

    def _annotation(
        self,
        status: AnnotationStatus,
        verdict: Verdict,
        reason: str,
        *,
        first_error: int | None = None,
        detail: str = "",
    ) -> Annotation:
        claim = Observation(
            subject=self._solution.id,
            source=self._config.name,
            source_version=self._config.version,
            verdict=verdict,
            reason=reason,
            evidence=to_json(self._trace(first_error)).decode(),
        )
        return Annotation(
            status=status,
            rollouts=tuple(rollout for answer in self._answers for rollout in answer.rollouts),
            outcomes=tuple(checked for answer in self._answers for checked in answer.outcomes),
            observations=(claim,),
            detail=detail,
        )

    def _trace(self, first_error: int | None) -> SearchTrace:
        return SearchTrace(
            first_error=first_error,
            reachable=self._reachable,
            unreachable=self._unreachable,
            asked=tuple(AskedPrefix.of(answer) for answer in self._answers),
            k=self._asker.k,
            stop_at_first_success=self._config.stop_at_first_success,
            zero_test=self._config.zero_test,
        )
