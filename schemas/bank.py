"""The outcome bank: how many rollouts from every prefix of many solutions ended, and what they cost, without texts.

A bank replays any method that asks about prefixes, in seconds and without a model. One row is one problem: its
sampled solutions with their exact truth, and every prefix of theirs, the bare problem among them, with the
same number of rollouts each.

**Shared prefixes.** Solutions that begin alike share the rollouts of what they share: a prefix is kept once and
names the first solution that begins with it, and its depth. Ids and node keys are not kept. They follow from the
texts, so a bank outlives a change in how ids are derived.

**How a rollout ended** is one letter, in the order of the samples (`ENDS`): a prefix of 64 rollouts is a text
of 64 letters and a list of 64 small numbers, which Parquet packs into a few bits each.

Not kept: what the rollouts say, their answers, token ids. A search that goes on from a rollout (OmegaPRM's tree,
MCTS), a forced answer and a probability of the gold answer cannot be replayed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from steplabel.schemas.errors import DataError
from steplabel.schemas.evidence import CheckedOutcome, FinishReason, Outcome, Reason
from steplabel.schemas.labels import NO_ERROR, check_first_error
from steplabel.schemas.models import SamplingParams
from steplabel.schemas.problem import Problem
from steplabel.schemas.solution import Solution, SolutionSource, Step, make_solution
from steplabel.schemas.validation import check_same_length

SAME_TEXT: Final = "exact"
"""Reason of a right answer that is written exactly as the gold one: what a comparison of strings would accept."""

ENDS: Final[Mapping[str, tuple[Outcome, str]]] = MappingProxyType(
    {
        "e": (Outcome.CORRECT, SAME_TEXT),
        "r": (Outcome.CORRECT, ""),
        "w": (Outcome.WRONG, ""),
        "n": (Outcome.UNKNOWN, Reason.NO_ANSWER),
        "l": (Outcome.UNKNOWN, Reason.LENGTH),
        "u": (Outcome.UNKNOWN, Reason.UNDECIDED),
    }
)
"""What each letter says: the outcome and its reason. `n` and `l` are silence; `u` is whatever else is unknown."""

_LETTERS: Final = {(outcome, reason): letter for letter, (outcome, reason) in ENDS.items()}
_REST: Final = {Outcome.CORRECT: "r", Outcome.WRONG: "w", Outcome.UNKNOWN: "u"}


def end_letter(checked: CheckedOutcome) -> str:
    """The letter of an outcome; reasons that have no letter of their own are lost."""
    reason = checked.reason.partition(":")[0].strip()
    return _LETTERS.get((checked.outcome, reason), _REST[checked.outcome])


class BankSplit(StrEnum):
    """Settings are chosen on `train` and judged on `test`; a group of problems lies wholly in one of them."""

    TRAIN = "train"
    TEST = "test"


class SolutionKind(StrEnum):
    """What a solution is to a method that sees its final answer."""

    CLEAN = "clean"
    """No step is wrong, and the answer is right."""
    FAILED = "failed"
    """A step is wrong, and so is the answer, or there is none."""
    LUCKY = "lucky"
    """A step is wrong, and the answer is right all the same: nothing that trusts the answer can see it."""
    UNFINISHED = "unfinished"
    """No step is wrong, but there is no right answer either: it was cut, or stopped too early."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BankedPrefix:
    """The rollouts from one prefix.

    Attributes:
        solution: index, within the problem, of the first solution that begins with it.
        depth: its number of steps; 0 is the bare problem.
        ends: one letter of `ENDS` a rollout, in the order of the samples.
        tokens: generated tokens of each, the end token among them.
        prompt_tokens: of problem and prefix together.
    """

    solution: int
    depth: int
    ends: str
    tokens: tuple[int, ...]
    prompt_tokens: int = 0

    def __post_init__(self) -> None:
        check_same_length(left=self.tokens, right=self.ends, names=("tokens", "ends"))
        if strange := set(self.ends) - set(ENDS):
            raise DataError(f"a rollout ends in one of {''.join(ENDS)}, not {''.join(sorted(strange))}")


@dataclass(frozen=True, slots=True, kw_only=True)
class BankedSolution:
    """One sampled solution, how it ended, and the truth about it.

    Attributes:
        seed, index: how it was drawn.
        end: a letter of `ENDS`; `answer` is the final answer, None if there is none.
        first_error: 0-based index of the first step that is strictly wrong, -1 if none is.
        first_consequential: the same for wrong steps whose value a later step reads.
    """

    steps: tuple[Step, ...]
    seed: int
    index: int
    end: str
    answer: str | None
    finish_reason: str
    first_error: int
    first_consequential: int

    def __post_init__(self) -> None:
        if self.end not in ENDS:
            raise DataError(f"a solution ends in one of {''.join(ENDS)}, not {self.end!r}")
        for first in (self.first_error, self.first_consequential):
            check_first_error(first, steps=len(self.steps))

    @property
    def kind(self) -> SolutionKind:
        """By the strict truth and the final answer."""
        right = ENDS[self.end][0] is Outcome.CORRECT
        if self.first_error == NO_ERROR:
            return SolutionKind.CLEAN if right else SolutionKind.UNFINISHED
        return SolutionKind.LUCKY if right else SolutionKind.FAILED

    @property
    def text(self) -> str:
        """The whole solution."""
        return "".join(step.text for step in self.steps)


@dataclass(frozen=True, slots=True, kw_only=True)
class BankedProblem:
    """A row of the bank.

    Attributes:
        completer: `ModelIdentity.id` of the model that wrote the rollouts; `licence` is its.
        sampling: of the rollouts.
        checker, checker_version: who judged the answers.
        solutions: all that were sampled, equal texts among them: a method may count them.
        prefixes: every prefix of every solution once, each with the same number of rollouts.
        policy, policy_licence, policy_sampling: who wrote the solutions, and how they were drawn. Empty and None
            where the completer wrote them, with the rollouts' sampling.
    """

    problem: Problem
    split: BankSplit
    completer: str
    licence: str
    sampling: SamplingParams
    checker: str
    checker_version: str
    solutions: tuple[BankedSolution, ...]
    prefixes: tuple[BankedPrefix, ...]
    policy: str = ""
    policy_licence: str = ""
    policy_sampling: SamplingParams | None = None

    def __post_init__(self) -> None:
        if bool(self.policy) != (self.policy_sampling is not None):
            raise DataError(f"{self._name}: a policy of its own goes with its own sampling, one is missing")
        for prefix in self.prefixes:
            if not 0 <= prefix.solution < len(self.solutions):
                raise DataError(f"{self._name}: a prefix of solution {prefix.solution} of {len(self.solutions)}")
            if not 0 <= prefix.depth <= len(self.solutions[prefix.solution].steps):
                raise DataError(f"{self._name}: solution {prefix.solution} has no {prefix.depth} steps")
        if len(sizes := {len(prefix.ends) for prefix in self.prefixes}) > 1:
            raise DataError(f"{self._name}: prefixes with different numbers of rollouts: {sorted(sizes)}")

    @property
    def _name(self) -> str:
        return f"bank row of problem {self.problem.id}"

    @property
    def rollouts(self) -> int:
        """Rollouts of each prefix; 0 where there is no prefix."""
        return len(self.prefixes[0].ends) if self.prefixes else 0

    def rebuilt(self) -> tuple[Solution, ...]:
        """The solutions as they were sampled, without their token ids."""
        return tuple(self._rebuilt(solution) for solution in self.solutions)

    def _rebuilt(self, banked: BankedSolution) -> Solution:
        solution = make_solution(
            self.problem,
            banked.steps,
            policy=self.policy or self.completer,
            policy_licence=self.policy_licence if self.policy else self.licence,
            source=SolutionSource.SAMPLED,
            sampling=self.policy_sampling or self.sampling,
            seed=banked.seed,
            index=banked.index,
            finish_reason=banked.finish_reason,
        )
        return replace(solution, final_answer=banked.answer)

    def node_keys(self, solutions: tuple[Solution, ...]) -> tuple[str, ...]:
        """The key of each of `prefixes`, given what `rebuilt` made."""
        return tuple(
            solutions[prefix.solution].node_keys[prefix.depth - 1] if prefix.depth else self.problem.root_key
            for prefix in self.prefixes
        )

    def checked(self, subject: str, end: str, answer: str | None = None) -> CheckedOutcome:
        """What the checker said of a solution or rollout that ended so."""
        outcome, reason = ENDS[end]
        return CheckedOutcome(
            subject=subject,
            checker=self.checker,
            checker_version=self.checker_version,
            outcome=outcome,
            reason=reason,
            answer=answer,
        )


def finish_of(end: str) -> FinishReason:
    """Why a rollout that ended so stopped, as far as its letter tells."""
    return FinishReason.LENGTH if ENDS[end][1] == Reason.LENGTH else FinishReason.STOP
