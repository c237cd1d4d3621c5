"""Solutions with a slip now and then, for training only.

A model that has only ever seen right prefixes does not know how to go on from a wrong one: it stalls or
changes the format, and Monte-Carlo rollouts from erroneous prefixes then measure confusion instead of
recovery. So a few training solutions hold a slip, after which every line follows faithfully from what was
written. The slip's own tokens carry no loss half of the time: the rest keeps some probability on mistakes,
which a model that exists to err needs.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass

from steplabel.engines.bundled.task import (
    LARGEST,
    ChainProblem,
    Event,
    apply_operation,
    format_answer,
    format_step,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingLine:
    """One line of a training solution; `slip` marks an injected mistake (not what follows from it)."""

    text: str
    slip: bool = False


def write_solution(problem: ChainProblem, rng: random.Random, *, slip_rate: float) -> tuple[TrainingLine, ...]:
    """Solve `problem`, slipping at each line with probability `slip_rate`.

    A slip that would later drive the quantity out of range is left out, so a line that is not a slip is
    always correct arithmetic.
    """
    return tuple(_lines(problem, rng, slip_rate))


def _lines(problem: ChainProblem, rng: random.Random, slip_rate: float) -> Iterator[TrainingLine]:
    value = problem.start
    for index, event in enumerate(problem.events):
        slipped = _slip(event, value, rng) if rng.random() < slip_rate else None
        if slipped is not None and _stays_in_range(problem.events[index + 1 :], slipped[2]):
            left, operand, result = slipped
        else:
            slipped, left, operand = None, value, event.operand
            result = apply_operation(event.operation, value, event.operand)
        text = format_step(event.key, event.operation, left, operand, result)
        yield TrainingLine(text=text, slip=slipped is not None)
        value = result
    yield TrainingLine(text=format_answer(value))


def _slip(event: Event, value: int, rng: random.Random) -> tuple[int, int, int] | None:
    """A wrong (left operand, right operand, result), or None where the drawn mistake is not possible here.

    15 % take a wrong number from the problem, 15 % miscopy the running value, the others miscalculate: about
    what the first trial's model did by itself.
    """
    left, operand = value, event.operand
    kind = rng.random()
    if kind < 0.15:
        operand = _near(rng, operand)
    elif kind < 0.30:
        left = _near(rng, left)
    if operand < 1 or left < 0:
        return None
    result = apply_operation(event.operation, left, operand)
    if kind >= 0.30:
        result = _near(rng, result)
    return (left, operand, result) if 0 <= result <= LARGEST else None


def _near(rng: random.Random, value: int) -> int:
    """A wrong number of the kind that slips produce: off by one, by a ten, by a hundred, or anything."""
    draw = rng.random()
    if draw < 0.4:
        return value + rng.choice((-1, 1))
    if draw < 0.7:
        return value + rng.choice((-10, 10))
    if draw < 0.8:
        other = rng.randrange(LARGEST)
        return other if other < value else other + 1  # every number but `value`
    return value + rng.choice((2, -2, 100, -100))


def _stays_in_range(events: tuple[Event, ...], value: int) -> bool:
    for event in events:
        value = apply_operation(event.operation, value, event.operand)
        if not 0 <= value <= LARGEST:
            return False
    return True
