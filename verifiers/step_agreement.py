"""Agreement of step results: which numbers that a solution arrives at do other solutions of the problem arrive at?

Covered: the number that each labelable step asserts last (the right side of its last equation, else its last number),
compared exactly among all solutions of one problem. Not covered: results that are no number, units (12 hours and 12
apples are one result), whether equal results mean equal things. A number that stands in the problem is no result: that
others write it too says nothing. Solutions that share the very step (the same node of the tree) are no second opinion
on it, and are left out of its count.

On real solutions this tells right from wrong far better than arithmetic does: few steps miscalculate, many calculate
the wrong thing. It is a score, never a verdict: solutions may share an error.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import ClassVar

from steplabel.schemas import Observation, Problem, Solution
from steplabel.schemas.codec import to_json
from steplabel.verifiers.arithmetic.cleaning import MAX_CHARS, cleaned
from steplabel.verifiers.arithmetic.equations import Side, read_equations
from steplabel.verifiers.arithmetic.tokens import Kind, literal, tokenize
from steplabel.verifiers.arithmetic.values import NoValueError, Value, evaluate


@dataclass(frozen=True, slots=True, kw_only=True)
class StepCount:
    """Evidence about a step: its result, and how many of the solutions that do not share the step have it."""

    result: str
    stated_by: int
    others: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SolutionCount:
    """Evidence about a solution: how many different results it has, and how many of them no other solution has."""

    results: int
    alone: int
    others: int


@dataclass(frozen=True, slots=True, kw_only=True)
class StepAgreement:
    """Scores each step by the share of the solutions without this very step that state its result.

    Each solution is scored too (`Observation.subject` is its id): the share of its results that no other solution has,
    by a shared step or another. So a high score speaks for a step, and against a solution. What has no result of its
    own gets no observation, nor does a step that all solutions share.
    """

    name: ClassVar[str] = "step_agreement"
    version: ClassVar[str] = "2"
    domains: ClassVar[frozenset[str]] = frozenset()

    def compare(self, problem: Problem, solutions: Sequence[Solution]) -> tuple[Observation, ...]:
        """Observations of all solutions; none if there are fewer than two."""
        if len(solutions) < 2:
            return ()
        given = _numbers(problem.text)
        results = [_results(solution, given) for solution in solutions]
        counts = Counter(result for each in results for result in set(each.values()))
        holders = Counter(key for each in results for key in each)
        said = {
            observation.key: observation
            for solution, each in zip(solutions, results, strict=True)
            for observation in (
                *self._of_steps(each, counts, holders, solutions=len(solutions)),
                *self._of_solution(solution, each, counts, others=len(solutions) - 1),
            )
        }
        return tuple(said.values())

    def _of_steps(
        self, results: Mapping[str, Value], counts: Mapping[Value, int], holders: Mapping[str, int], *, solutions: int
    ) -> Iterator[Observation]:
        for key, result in results.items():
            others = solutions - holders[key]
            if others:
                stated_by = counts[result] - holders[key]
                evidence = StepCount(result=str(result), stated_by=stated_by, others=others)
                yield self._observation(key, stated_by / others, evidence)

    def _of_solution(
        self, solution: Solution, results: Mapping[str, Value], counts: Mapping[Value, int], *, others: int
    ) -> Iterator[Observation]:
        distinct = set(results.values())
        if distinct:
            alone = sum(counts[result] == 1 for result in distinct)
            count = SolutionCount(results=len(distinct), alone=alone, others=others)
            yield self._observation(solution.id, alone / len(distinct), count)

    def _observation(self, subject: str, score: float, evidence: StepCount | SolutionCount) -> Observation:
        return Observation(
            subject=subject,
            source=self.name,
            source_version=self.version,
            score=score,
            evidence=to_json(evidence).decode(),
        )


def _results(solution: Solution, given: frozenset[Value]) -> dict[str, Value]:
    """The result of each labelable step that has one of its own, by the step's node key."""
    found = {}
    for key, step in zip(solution.node_keys, solution.steps, strict=True):
        result = step_result(step.text) if step.labelable else None
        if result is not None and result not in given:
            found[key] = result
    return found


@lru_cache(maxsize=1 << 14)
def step_result(text: str) -> Value | None:
    """The number that a step asserts last; None if it asserts none. A percentage counts as its number: 20% is 20."""
    for equation in reversed(read_equations(text)):
        if not equation.obstacle and (value := _value(equation.right)) is not None:
            return value
    numbers = _literals(text)
    return numbers[-1] if numbers else None


def _value(side: Side) -> Value | None:
    postfix = side.readings[0]
    try:
        return evaluate(postfix[:-1] if side.percent else postfix)
    except NoValueError:
        return None


@lru_cache(maxsize=1 << 12)
def _numbers(text: str) -> frozenset[Value]:
    return frozenset(_literals(text))


def _literals(text: str) -> list[Value]:
    plain = cleaned(text[-MAX_CHARS:])
    if plain is None:
        return []
    tokens = tokenize(plain)
    written: Iterable[str] = (
        text for kind, text in zip(tokens.kinds, tokens.texts, strict=True) if kind == Kind.NUMBER
    )
    return [value for value in map(literal, written) if value is not None]
