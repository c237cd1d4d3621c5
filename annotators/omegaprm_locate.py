"""OmegaPRM's binary search for the first error (Luo et al. 2024, arXiv:2406.06592, section 3.2).

MC(prefix) is the share of k completions that reach the right answer. The first error is the step that ends
the first prefix with MC = 0, found by halving: about log2(T) prefixes are asked instead of T.

Covered: one given solution; each prefix is asked at most once. Not covered: the tree around it (the pool of
rollouts, selection by Q + U), which is another annotator.

What is taken, not asked:

    the bare problem    MC > 0: a question filter sees to that; `ask_root` asks
    the whole solution  MC = 0, since its answer is wrong
    a right answer      every step is clean, with no rollouts, and reported apart as `right_answer`: on
                        ProcessBench 4 to 52 % of such solutions hold a wrong step all the same

Where MC is not monotone (a step repairs an error, or k unlucky completions look like one) the search still
ends at a step whose prefix has MC = 0 and the prefix before it MC > 0; it need not be the first such step.

Not known is never wrong: completions that we failed to check do not count against a prefix, and where too few
remain the search stops and the location is unknown.
"""

from __future__ import annotations

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
from steplabel.annotators.effects import Program
from steplabel.annotators.outcome_claim import UNCHECKED, outcome_observation
from steplabel.annotators.tally import Tally, is_silent
from steplabel.schemas import (
    BudgetExhausted,
    CheckedOutcome,
    ConfigError,
    Observation,
    Outcome,
    Problem,
    Reason,
    SamplingParams,
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


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchTrace:
    """What a search did: the evidence of its observation, as JSON.

    Attributes:
        first_error: 0-based index of the located step; None if it was not located.
        reachable, unreachable: depths of the prefixes with MC > 0 and MC = 0 that the search had closed in
            on: the first error lies between them, even if it had to stop. None where nothing was known.
        asked: in the order of asking. Counts of a search that stops at the first success over-state c/k.
    """

    first_error: int | None
    reachable: int | None
    unreachable: int | None
    asked: tuple[AskedPrefix, ...]
    k: int
    stop_at_first_success: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class OmegaPRMLocate:
    """Binary search for the first prefix from which no completion is right.

    Attributes:
        k: completions for each prefix. The paper has 8.
        sampling: None takes the solution's own parameters, or the defaults for imported solutions.
        stop_at_first_success: ask `chunk` completions at a time and stop at the first right one. The located
            step is the same as with all k at once; only the counts differ.
        ask_root: ask the bare problem first, and search only if some completion is right.
        silence_is_failure: completions, and solutions, that were cut by length or gave no answer count as
            not right, as in the paper. Otherwise they are unknown: such a solution is skipped.
        min_decided: completions that must count for or against a prefix before MC = 0 is believed. None
            takes half of k, rounded up.
    """

    name: ClassVar[str] = "omegaprm_locate"
    version: ClassVar[str] = "1"

    k: int = 8
    sampling: SamplingParams | None = None
    stop_at_first_success: bool = False
    chunk: int = 2
    ask_root: bool = False
    silence_is_failure: bool = True
    min_decided: int | None = None

    def __post_init__(self) -> None:
        check_counts(k=self.k, chunk=self._chunk)
        if self.min_decided is not None and not 1 <= self.min_decided <= self.k:
            raise ConfigError(f"min_decided={self.min_decided} must lie between 1 and k={self.k}")

    def program(
        self, problem: Problem, solution: Solution, outcome: CheckedOutcome | None, *, seed: int
    ) -> Program[Annotation]:
        """Return a program that annotates one solution: see `Annotator.program`.

        The annotation carries one observation on the solution: source `outcome` where the answer is right;
        else source `omegaprm_locate` with a `SearchTrace`, verdict `fails` if an error was located, else
        `unknown` with the reason. A located solution's own reason is `length` or `no_answer` if it has none.
        """
        check_belong(problem, solution, outcome)
        if outcome is not None and outcome.outcome is Outcome.CORRECT:
            claim = outcome_observation(solution.id, outcome)
            return Annotation(status=AnnotationStatus.RIGHT_ANSWER, observations=(claim,))
        search = _Search(self, problem, solution, seed)
        if not search.depths:
            return search.skipped(Reason.NO_STEPS, "no step of it is the policy's own")
        if not self._is_failure(outcome):
            reason = UNCHECKED if outcome is None else outcome.reason or Reason.UNDECIDED
            return search.skipped(reason, f"its answer is not known to be wrong: {reason}")
        return (yield from search.run(reason=outcome.reason if outcome and is_silent(outcome) else ""))

    def most_samples(self, steps: int) -> int:
        """k at each prefix that a bisection of the steps looks at, and at the root if it is asked."""
        return self.k * (max(0, steps - 1).bit_length() + self.ask_root)

    @property
    def _chunk(self) -> int:
        return self.chunk if self.stop_at_first_success else self.k

    def _is_failure(self, outcome: CheckedOutcome | None) -> bool:
        if outcome is None:
            return False
        return outcome.outcome is Outcome.WRONG or (self.silence_is_failure and is_silent(outcome))

    def _is_reachable(self, answer: PrefixAnswer) -> bool | None:
        """Whether MC > 0, None if too few completions count to believe that it is not."""
        tally = Tally.of(answer.outcomes)
        if tally.correct:
            return True
        if answer.error is not None:
            return None  # the missing ones may have been right; when resumed, the search must go the same way
        needed = (self.k + 1) // 2 if self.min_decided is None else self.min_decided
        return False if tally.failed(silence_is_failure=self.silence_is_failure) >= needed else None


class _Search:
    """One search under way: what was asked, and between which depths the first error must lie."""

    def __init__(self, config: OmegaPRMLocate, problem: Problem, solution: Solution, seed: int) -> None:
        self.config, self.problem, self.solution, self.seed = config, problem, solution, seed
        self.depths = labelable_depths(solution)
        self.answers: list[PrefixAnswer] = []
        self.reachable: int | None = None
        self.unreachable: int | None = None

    def run(self, *, reason: str) -> Program[Annotation]:
        """Halve until one step is left. `reason` is reported with a located error."""
        self.unreachable = self.depths[-1]
        if self.config.ask_root:
            solvable = yield from self._ask(0)
            if solvable is None:
                return self._stopped()
            if not solvable:
                self.unreachable = 0
                return self.skipped(Reason.ALL_WRONG, "MC = 0 without a single step: nothing to search for")
        self.reachable = 0
        low, high = -1, len(self.depths) - 1  # indices into depths; -1 is the bare problem
        while high - low > 1:
            middle = (low + high) // 2
            reachable = yield from self._ask(self.depths[middle])
            if reachable is None:
                return self._stopped()
            if reachable:
                low, self.reachable = middle, self.depths[middle]
            else:
                high, self.unreachable = middle, self.depths[middle]
        return self._annotation(AnnotationStatus.COMPLETE, Verdict.FAILS, reason, first_error=self.depths[high] - 1)

    def skipped(self, reason: str, detail: str) -> Annotation:
        """Nothing was located because there is nothing to search for."""
        return self._annotation(AnnotationStatus.SKIPPED, Verdict.UNKNOWN, reason, detail=detail)

    def _ask(self, depth: int) -> Program[bool | None]:
        config = self.config
        answer = yield from ask_prefix(
            self.problem,
            self.solution,
            depth,
            k=config.k,
            chunk=config._chunk,
            sampling=config.sampling,
            seed=self.seed,
        )
        self.answers.append(answer)
        return config._is_reachable(answer)

    def _stopped(self) -> Annotation:
        last = self.answers[-1]
        status, reason = AnnotationStatus.ENGINE_FAILED, Reason.NONE_DECIDED
        if isinstance(last.error, BudgetExhausted):
            status, reason = AnnotationStatus.STOPPED_BY_BUDGET, Reason.BUDGET
        elif last.error is not None:
            reason = Reason.ENGINE_ERROR
        detail = str(last.error or f"too few of {len(last.outcomes)} completions could be checked")
        detail = f"prefix of {last.depth} steps: {detail}"
        return self._annotation(status, Verdict.UNKNOWN, reason, detail=detail)

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
            subject=self.solution.id,
            source=self.config.name,
            source_version=self.config.version,
            verdict=verdict,
            reason=reason,
            evidence=to_json(self._trace(first_error)).decode(),
        )
        return Annotation(
            status=status,
            rollouts=tuple(rollout for answer in self.answers for rollout in answer.rollouts),
            outcomes=tuple(checked for answer in self.answers for checked in answer.outcomes),
            observations=(claim,),
            detail=detail,
        )

    def _trace(self, first_error: int | None) -> SearchTrace:
        return SearchTrace(
            first_error=first_error,
            reachable=self.reachable,
            unreachable=self.unreachable,
            asked=tuple(_asked(answer) for answer in self.answers),
            k=self.config.k,
            stop_at_first_success=self.config.stop_at_first_success,
        )


def _asked(answer: PrefixAnswer) -> AskedPrefix:
    tally = Tally.of(answer.outcomes)
    return AskedPrefix(
        depth=answer.depth,
        correct=tally.correct,
        wrong=tally.wrong,
        silent=tally.silent,
        undecided=tally.undecided,
    )
