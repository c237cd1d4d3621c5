"""What an annotator finds out about one solution, and what every annotator looks like."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol, TypeAlias, runtime_checkable

from steplabel.annotators.effects import Program
from steplabel.schemas import CheckedOutcome, Observation, Problem, Rollout, Solution


class AnnotationStatus(StrEnum):
    """How an annotator's program ended."""

    COMPLETE = "complete"
    """Everything it meant to ask was asked and answered; whether the answers decide anything is another matter."""
    RIGHT_ANSWER = "right_answer"
    """The final answer is right, so nothing was asked: its labels rest on the outcome alone."""
    STOPPED_BY_BUDGET = "stopped_by_budget"
    """The budget ended first; what was found before is kept."""
    ENGINE_FAILED = "engine_failed"
    """The model or its server left a question without an answer: ask again."""
    SKIPPED = "skipped"
    """There was nothing this annotator could ask; `detail` says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Annotation:
    """Evidence about one solution, or about one problem. Counts are not among it: rollouts' outcomes give them.

    Attributes:
        solutions: written by a search over a problem, which makes new ones; `outcomes` hold theirs, too.
        outcomes: one for each rollout, in the same order; then those of `solutions`.
        observations: what the annotator itself claims, about the solution or its nodes.
        detail: for people: why it ended so, or what stayed undecided. Empty where there is nothing to say.
    """

    status: AnnotationStatus
    rollouts: tuple[Rollout, ...] = ()
    outcomes: tuple[CheckedOutcome, ...] = ()
    observations: tuple[Observation, ...] = ()
    detail: str = ""
    solutions: tuple[Solution, ...] = ()


Solved: TypeAlias = tuple[Solution, CheckedOutcome | None]
"""A solution and what the answer checker said of it; None if it was never checked."""


@runtime_checkable
class ProblemAnnotator(Protocol):
    """A configuration that makes one program a problem: a search whose tree spans all of its solutions."""

    @property
    def name(self) -> str:
        """The source its observations carry."""
        ...

    @property
    def version(self) -> str:
        """As `Annotator.version`."""
        ...

    def problem_program(self, problem: Problem, solved: Sequence[Solved], *, seed: int) -> Program[Annotation]:
        """Return a program that annotates all solutions of a problem, and may add solutions of its own.

        Errors are those of `Annotator.program`.
        """
        ...

    def most_samples(self, steps: int) -> int:
        """Most samples that the program of one problem asks for, whose solutions have so many steps."""
        ...


class Annotator(Protocol):
    """A configuration that makes programs, one a solution."""

    @property
    def name(self) -> str:
        """The source its observations carry."""
        ...

    @property
    def version(self) -> str:
        """Changes whenever the same answers would lead to other questions or claims."""
        ...

    def program(
        self, problem: Problem, solution: Solution, outcome: CheckedOutcome | None, *, seed: int
    ) -> Program[Annotation]:
        """Return a program that annotates one solution.

        Args:
            outcome: what the answer checker said of the solution itself; None if it was never checked.
            seed: the run's. What is asked of a prefix depends on it and the prefix alone, so solutions that
                begin alike ask the same things and a store answers the second from the first.

        EngineError and BudgetExhausted end in the annotation's status. The program raises DataError when
        problem, solution and outcome do not belong together.
        """
        ...

    def most_samples(self, steps: int) -> int:
        """Most samples that the program of a solution of so many steps asks for: work is shared out by it."""
        ...
