"""Figures about a model of the bundled task, from its solutions and rollouts: plain counting, no model.

A `Share` keeps numerator and denominator, so that a reader of the JSON can add samples up and compute
intervals.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import zip_longest

from steplabel.engines.bundled.task import ChainProblem
from steplabel.engines.bundled.truth import (
    StepTruth,
    check_solution,
    final_answer,
    first_wrong,
    split_lines,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """`hits` out of `of`."""

    hits: int
    of: int

    @property
    def value(self) -> float:
        """The share itself; 0 where there is nothing to share."""
        return self.hits / self.of if self.of else 0.0


def share(flags: Iterable[bool]) -> Share:
    """Count how many of `flags` are true."""
    counted = list(flags)
    return Share(hits=sum(counted), of=len(counted))


@dataclass(frozen=True, kw_only=True)
class Judged:
    """A sampled solution beside its truth; what is derived is computed once."""

    problem: ChainProblem
    text: str

    @cached_property
    def lines(self) -> tuple[str, ...]:
        """The solution's steps."""
        return split_lines(self.text)

    @cached_property
    def steps(self) -> tuple[StepTruth, ...]:
        """The truth about each."""
        return check_solution(self.problem, self.lines)

    @cached_property
    def first(self) -> int:
        """First strictly wrong step, -1 where there is none."""
        return first_wrong(self.steps)

    @cached_property
    def right(self) -> bool:
        """Whether the final answer is right."""
        return final_answer(self.lines) == self.problem.answer

    @property
    def judged_alone(self) -> tuple[StepTruth, ...]:
        """The steps up to and including the first wrong one: each was written after right ones only."""
        return self.steps if self.first < 0 else self.steps[: self.first + 1]


@dataclass(frozen=True, slots=True, kw_only=True)
class SolutionFigures:
    """What a model's solutions at one temperature are like.

    Attributes:
        accuracy: right final answers, over all problems; by number of events in `by_events`.
        target: the same over the problems of four to eight events.
        lucky: right final answers among the solutions with a wrong step.
        harmless: solutions whose first wrong step is not consequential, among those with a wrong step.
        hazard: at each line, first errors among the solutions that were right up to there.
        by_operation: first errors among steps of each operation that were written after right steps only.
        kinds: number of first errors of each kind.
        unfinished: solutions without an answer line.
    """

    temperature: float
    accuracy: Share
    target: Share
    by_events: dict[int, Share]
    lucky: Share
    harmless: Share
    hazard: tuple[Share, ...]
    by_operation: dict[str, Share]
    kinds: dict[str, int]
    unfinished: Share


def count_solutions(solutions: Sequence[Judged], *, temperature: float) -> SolutionFigures:
    """Count everything that `SolutionFigures` holds."""
    wrong = [solution for solution in solutions if solution.first >= 0]
    sizes = sorted({len(solution.problem.events) for solution in solutions})
    return SolutionFigures(
        temperature=temperature,
        accuracy=share(solution.right for solution in solutions),
        target=share(solution.right for solution in solutions if 4 <= len(solution.problem.events) <= 8),
        by_events={
            size: share(solution.right for solution in solutions if len(solution.problem.events) == size)
            for size in sizes
        },
        lucky=share(solution.right for solution in wrong),
        harmless=share(not solution.steps[solution.first].consequential for solution in wrong),
        hazard=_hazard(solutions),
        by_operation=_by_operation(solutions),
        kinds=dict(Counter(solution.steps[solution.first].kind.value for solution in wrong).most_common()),
        unfinished=share(final_answer(solution.lines) is None for solution in solutions),
    )


def _hazard(solutions: Sequence[Judged]) -> tuple[Share, ...]:
    columns = zip_longest(*(solution.judged_alone for solution in solutions))
    return tuple(share(step.wrong for step in column if step is not None) for column in columns)


def _by_operation(solutions: Sequence[Judged]) -> dict[str, Share]:
    steps = [step for solution in solutions for step in solution.judged_alone if step.operation]
    names = sorted({step.operation.value for step in steps if step.operation})
    return {name: share(step.wrong for step in steps if step.operation == name) for name in names}


@dataclass(frozen=True, slots=True, kw_only=True)
class PrefixOutcome:
    """Rollouts from one prefix: `correct` says whether no step in it is wrong."""

    correct: bool
    successes: int
    rollouts: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RolloutFigures:
    """How well Monte-Carlo success tells right prefixes from wrong ones.

    Attributes:
        from_correct, from_wrong: successful rollouts among all from such prefixes.
        missed: correct prefixes with no success at all (the hard estimate calls them wrong).
        flattered: wrong prefixes with at least one success (it calls them right).
    """

    temperature: float
    solutions: int
    samples: int
    from_correct: Share
    from_wrong: Share
    missed: Share
    flattered: Share


def count_rollouts(
    outcomes: Sequence[PrefixOutcome], *, temperature: float, solutions: int, samples: int
) -> RolloutFigures:
    """Count everything that `RolloutFigures` holds."""
    correct = [outcome for outcome in outcomes if outcome.correct]
    wrong = [outcome for outcome in outcomes if not outcome.correct]
    return RolloutFigures(
        temperature=temperature,
        solutions=solutions,
        samples=samples,
        from_correct=_pooled(correct),
        from_wrong=_pooled(wrong),
        missed=share(outcome.successes == 0 for outcome in correct),
        flattered=share(outcome.successes > 0 for outcome in wrong),
    )


def _pooled(outcomes: Sequence[PrefixOutcome]) -> Share:
    return Share(hits=sum(o.successes for o in outcomes), of=sum(o.rollouts for o in outcomes))
