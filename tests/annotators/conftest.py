"""Problems, solutions and oracles: the whole world of a program, as plain values and functions."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import settings

from steplabel.annotators import Sample, Samples, samples_with
from steplabel.schemas import (
    CheckedOutcome,
    GoldAnswer,
    Outcome,
    Problem,
    Solution,
    Step,
    StepKind,
    make_solution,
)

# Properties are about values, not time: a busy machine must not fail them.
settings.register_profile("annotators", deadline=None)
settings.load_profile("annotators")


@dataclass
class World:
    """One problem and one solution of T steps, and a log of what was asked about it.

    `succeeds(depth)` says whether completions of the first `depth` steps are right; an Outcome says it of
    all k, a list of them says it one by one, and an exception is raised.
    """

    steps: int
    observations: frozenset[int] = frozenset()
    problem: Problem = field(init=False)
    solution: Solution = field(init=False)
    asked: list[Sample] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.problem = Problem(id="p", text="How many?", gold=GoldAnswer(text="7"))
        kinds = [StepKind.OBSERVATION if i in self.observations else StepKind.TEXT for i in range(self.steps)]
        steps = tuple(Step(text=f"step {i}.\n", kind=kind) for i, kind in enumerate(kinds))
        self.solution = make_solution(self.problem, steps)

    def outcome(self, outcome: Outcome, reason: str = "") -> CheckedOutcome:
        return CheckedOutcome(
            subject=self.solution.id, checker="test", checker_version="1", outcome=outcome, reason=reason
        )

    @property
    def wrong(self) -> CheckedOutcome:
        return self.outcome(Outcome.WRONG)

    @property
    def right(self) -> CheckedOutcome:
        return self.outcome(Outcome.CORRECT)

    def depth(self, effect: Sample) -> int:
        return (self.problem.root_key, *self.solution.node_keys).index(effect.node_key)

    @property
    def depths(self) -> list[int]:
        return [self.depth(effect) for effect in self.asked]

    def oracle(self, succeeds: Callable[[int], Any], *, reason: str = "no_answer") -> Callable[[Any], Samples]:
        def answer(effect: Any) -> Samples:
            assert isinstance(effect, Sample)
            self.asked.append(effect)
            told = succeeds(self.depth(effect))
            if isinstance(told, Exception):
                raise told
            if isinstance(told, bool):
                told = Outcome.CORRECT if told else Outcome.WRONG
            if isinstance(told, Outcome):
                told = [told] * (effect.start + effect.n)
            return samples_with(effect, told[effect.start : effect.start + effect.n], reason=reason)

        return answer


@pytest.fixture(scope="session")
def world() -> type[World]:
    """Builds a problem with one solution: `world(steps=5, observations={2})`."""
    return World


@pytest.fixture(scope="session")
def collect() -> Callable[..., list[Any]]:
    """Runs an async iterator to its end in a fresh event loop, with a time limit."""

    def run(make: Callable[[], Any], limit: float = 30) -> list[Any]:
        async def gather() -> list[Any]:
            return [item async for item in make()]

        async def limited() -> list[Any]:
            return await asyncio.wait_for(gather(), limit)

        return asyncio.run(limited())

    return run


@pytest.fixture(scope="session")
def run() -> Callable[[Awaitable[Any]], Any]:
    """Awaits one thing in a fresh event loop, with a time limit."""

    async def limited(awaitable: Awaitable[Any]) -> Any:
        async with asyncio.timeout(30):  # in this very task: tests count those that are left over
            return await awaitable

    return lambda awaitable: asyncio.run(limited(awaitable))


@pytest.fixture(scope="session")
def outcomes() -> Callable[[str], list[CheckedOutcome]]:
    """Outcomes from letters: (r)ight, (w)rong, (s)ilent, (c)rashed checker."""
    table = {
        "r": (Outcome.CORRECT, ""),
        "w": (Outcome.WRONG, ""),
        "s": (Outcome.UNKNOWN, "no_answer"),
        "l": (Outcome.UNKNOWN, "length: 512 tokens"),
        "c": (Outcome.UNKNOWN, "crash"),
    }

    def build(letters: Iterable[str]) -> list[CheckedOutcome]:
        return [
            CheckedOutcome(subject=str(i), checker="t", checker_version="1", outcome=table[c][0], reason=table[c][1])
            for i, c in enumerate(letters)
        ]

    return build
