"""What programs may ask of the world, and what they get back.

A program is a generator: it yields effects and receives their answers, and returns what it found. It holds no
model, no clock, no thread and no global random state; its seed is an argument. So a test steps through it by
hand, with a plain function as the model, and the driver runs thousands of them on one event loop.
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from typing import Any, Generic, TypeAlias, TypeVar

from steplabel.schemas import CheckedOutcome, DataError, Problem, Rollout, SamplingParams

K = TypeVar("K")
T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """Continue a prefix `n` times with the completer and check the final answers.

    Attributes:
        node_key: key of the prefix: the problem's `root_key` or a node's key.
        prefix: its text, empty at the root.
        prefix_ids: the tokens that the prefix begins, where its writer's are known: those of the whole solution
            will do. They are sent where they are the completer's own spelling of the prefix.
        start: index of the first sample; asking again with a higher start gets new samples, not the old ones.
        probe: text put behind the prefix for this question alone, such as the beginning of an answer; the
            completions go on behind it. Its rollouts say so, and are never counted as the prefix's own.
    """

    problem: Problem
    node_key: str
    prefix: str
    n: int
    sampling: SamplingParams
    seed: int
    start: int = 0
    prefix_ids: tuple[int, ...] = ()
    probe: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """Ask how likely the completer finds a text behind a prefix. The answer is a `Scored`.

    Attributes:
        node_key, prefix, prefix_ids: as in `Sample`.
        continuation: the text whose probability is wanted.
    """

    problem: Problem
    node_key: str
    prefix: str
    continuation: str
    prefix_ids: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Scored:
    """The answer to `Score`.

    Attributes:
        logprob: natural logarithm of the continuation's probability, summed over its tokens.
        tokens: how many tokens the continuation has.
        completer: `ModelIdentity.id` of the model that was asked.
    """

    logprob: float
    tokens: int
    completer: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Samples:
    """The answer to `Sample`: n rollouts, and the outcome of each in the same order."""

    rollouts: tuple[Rollout, ...]
    outcomes: tuple[CheckedOutcome, ...]

    def __post_init__(self) -> None:
        if len(self.rollouts) != len(self.outcomes):
            raise DataError(f"{len(self.rollouts)} rollouts came with {len(self.outcomes)} outcomes")


@dataclass(frozen=True, slots=True, kw_only=True)
class Concurrently:
    """Run programs at once and go on when all have ended. Whoever advances the asking program answers it.

    The answer is a tuple of `Finished`, one for each program in their order, keyed by position. One that
    fails neither stops the others nor raises here: what they found is paid for, so the asker decides.
    """

    programs: tuple[Program[Any], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Finished(Generic[K, T]):
    """How one program ended: with a result, or with the error that escaped it."""

    key: K
    result: T | None = None
    error: Exception | None = None

    def unwrap(self) -> T:
        """Return the result of a program that ended well; raise the error of one that did not."""
        if self.error is not None:
            raise self.error
        return self.result  # type: ignore[return-value]  # T itself may be None, so None proves nothing


Effect: TypeAlias = Sample | Score | Concurrently
"""Later sources add theirs here: `Judge(messages, n)`, `Verify(claim)`."""

Program: TypeAlias = Generator[Effect, Any, T]
