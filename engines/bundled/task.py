"""The bundled task: a running quantity, one keyed event per line, described completely by its text.

    Uma has 62 cards.
    May: keeps one in 3.
    June: gets 76 as a gift.
    How many cards are left?

is answered by `May: 62//3=20`, `June: 20+76=96`, `Answer: 96`. Values stay within 0..199, so that every
number is one to three single-digit tokens; there are 1 to 10 events, each with a key that occurs once.

Training and held-out problems cannot meet: what a problem computes (start value, operations, operands: not
its words) is hashed, and one sixteenth of the hash space is held out. Which side a problem falls on is a
property of the problem itself (`ChainProblem.held_out`), so disjointness needs no list of what was trained
on.

Standard library only: truth about these problems must be cheap to have anywhere.
"""

from __future__ import annotations

import hashlib
import operator
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import accumulate
from typing import Final

from steplabel.engines.bundled.wording import (
    ITEMS,
    KEYS,
    MONTHS,
    NAMES,
    OPENINGS,
    ORDINALS,
    QUESTIONS,
    SENTENCES,
    WEEKDAYS,
    Operation,
    read_opening,
    read_question,
    read_sentence,
)

LARGEST: Final = 199
MOST_EVENTS: Final = 10
HELD_OUT_PARTS: Final = 16  # one part in so many of the problem space is never trained on

# Relative chances of the operations among those possible at the current value. What a chain really holds
# differs (times needs a small value, remainder a large one): a test pins the effective shares. Every rare
# operation gets at least .08, because a model trained with 5 % remainders erred on 42 % of them (first
# trial).
WEIGHTS: Final[Mapping[Operation, float]] = {
    Operation.ADD: 0.25,
    Operation.SUBTRACT: 0.22,
    Operation.TIMES: 0.165,
    Operation.DIVIDE: 0.1,
    Operation.REMAINDER: 0.105,
    Operation.MINIMUM: 0.085,
    Operation.MAXIMUM: 0.085,
}


class TaskError(ValueError):
    """A text or a set of values is no problem of this task."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One thing that happens to the quantity.

    Attributes:
        key: the word that opens the event's line and its solution line; unique within a problem.
        wording: index into `wording.SENTENCES[operation]`.
    """

    key: str
    operation: Operation
    operand: int
    wording: int = 0

    def __post_init__(self) -> None:
        if self.key not in KEYS:
            raise TaskError(f"an event's key is a month, weekday or ordinal, got {self.key!r}")
        if not 1 <= self.operand <= LARGEST:
            raise TaskError(f"an operand lies in 1..{LARGEST}, got {self.operand}")
        if not 0 <= self.wording < len(SENTENCES[self.operation]):
            raise TaskError(f"operation {self.operation.value} has no wording {self.wording}")

    @property
    def line(self) -> str:
        """The event as the problem tells it."""
        return f"{self.key}: {SENTENCES[self.operation][self.wording].format(number=self.operand)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ChainProblem:
    """A start value and 1 to 10 events; the wording fields choose among the templates of `wording`.

    Raises:
        TaskError: a value leaves 0..199, a key occurs twice, or a word is not the task's.
    """

    start: int
    events: tuple[Event, ...]
    name: str = NAMES[0]
    item: str = ITEMS[0]
    opening: int = 0
    question: int = 0

    def __post_init__(self) -> None:
        if not 1 <= len(self.events) <= MOST_EVENTS:
            raise TaskError(f"a problem has 1..{MOST_EVENTS} events, got {len(self.events)}")
        if len({event.key for event in self.events}) != len(self.events):
            raise TaskError(f"keys must differ, got {[event.key for event in self.events]}")
        if self.name not in NAMES or self.item not in ITEMS:
            raise TaskError(f"unknown name or item: {self.name!r}, {self.item!r}")
        if not (0 <= self.opening < len(OPENINGS) and 0 <= self.question < len(QUESTIONS)):
            raise TaskError(f"no opening {self.opening} or no question {self.question}")
        if not all(0 <= value <= LARGEST for value in self.values):
            raise TaskError(f"values must stay within 0..{LARGEST}, got {self.values}")

    @property
    def values(self) -> tuple[int, ...]:
        """The quantity before the first event and after each: one more than there are events."""
        return tuple(accumulate(self.events, _advance, initial=self.start))

    @property
    def answer(self) -> int:
        """The quantity in the end."""
        return self.values[-1]

    @property
    def text(self) -> str:
        """The problem as a model reads it; ends with a newline, after which the solution begins."""
        words = {"name": self.name, "item": self.item, "number": self.start}
        opening = OPENINGS[self.opening].format(**words)
        question = QUESTIONS[self.question].format(**words)
        return "\n".join((opening, *(event.line for event in self.events), question)) + "\n"

    @property
    def content(self) -> str:
        """What is computed, without keys and words: problems of equal content have equal values."""
        return ";".join((str(self.start), *(f"{e.operation.value} {e.operand}" for e in self.events)))

    @property
    def held_out(self) -> bool:
        """Whether this problem belongs to the part of the space that training never draws from."""
        return hashlib.sha256(self.content.encode()).digest()[0] % HELD_OUT_PARTS == 0


def _advance(value: int, event: Event) -> int:
    return apply_operation(event.operation, value, event.operand)


def apply_operation(operation: Operation, left: int, right: int) -> int:
    """Compute one event.

    Raises:
        ZeroDivisionError: division or remainder by zero.
    """
    return _FUNCTIONS[operation](left, right)


_FUNCTIONS: Final[Mapping[Operation, Callable[[int, int], int]]] = {
    Operation.ADD: operator.add,
    Operation.SUBTRACT: operator.sub,
    Operation.TIMES: operator.mul,
    Operation.DIVIDE: operator.floordiv,
    Operation.REMAINDER: operator.mod,
    Operation.MINIMUM: min,
    Operation.MAXIMUM: max,
}


def format_step(key: str, operation: Operation, left: int, right: int, result: int) -> str:
    """Write one solution line, `May: 62//3=20` or `May: min(62,30)=30`."""
    if operation in (Operation.MINIMUM, Operation.MAXIMUM):
        return f"{key}: {operation.value}({left},{right})={result}"
    return f"{key}: {left}{operation.value}{right}={result}"


def format_answer(value: int) -> str:
    """Write the closing line, `Answer: 192`."""
    return f"Answer: {value}"


def solve(problem: ChainProblem) -> tuple[str, ...]:
    """The true solution: one line per event, then the answer."""
    values = problem.values
    steps = (
        format_step(event.key, event.operation, left, event.operand, right)
        for event, left, right in zip(problem.events, values, values[1:], strict=False)
    )
    return (*steps, format_answer(problem.answer))


def seeded(*parts: object) -> random.Random:
    """A random source that depends on `parts` alone, on every platform and Python version."""
    return random.Random("/".join(map(str, parts)))  # noqa: S311 - reproducible sampling, no secrets


def generate_problem(rng: random.Random, n_events: int, *, held_out: bool = False) -> ChainProblem:
    """Draw a problem of `n_events` events from the training part of the space, or from the held-out part.

    The whole problem is drawn again until it falls on the wanted side, so both sides have the same law.
    """
    while (problem := _draw_problem(rng, n_events)).held_out is not held_out:
        pass
    return problem


def _draw_problem(rng: random.Random, n_events: int) -> ChainProblem:
    value = start = rng.randint(5, 99)
    events: list[Event] = []
    for key in _draw_keys(rng, n_events):
        operation, operand = _draw_operation(rng, value)
        value = apply_operation(operation, value, operand)
        wording = rng.randrange(len(SENTENCES[operation]))
        events.append(Event(key=key, operation=operation, operand=operand, wording=wording))
    return ChainProblem(
        start=start,
        events=tuple(events),
        name=rng.choice(NAMES),
        item=rng.choice(ITEMS),
        opening=rng.randrange(len(OPENINGS)),
        question=rng.randrange(len(QUESTIONS)),
    )


def _draw_keys(rng: random.Random, count: int) -> tuple[str, ...]:
    """Consecutive members of one family; months and weekdays begin anywhere and go round."""
    families = [family for family in (MONTHS, ORDINALS, WEEKDAYS) if len(family) >= count]
    family = rng.choice(families)
    first = 0 if family is ORDINALS else rng.randrange(len(family))
    return tuple(family[(first + i) % len(family)] for i in range(count))


def _draw_operation(rng: random.Random, value: int) -> tuple[Operation, int]:
    """Draw among the operations possible at `value`, then an operand that keeps the result in range."""
    ranges = _operand_ranges(value)
    possible = [operation for operation, (low, high) in ranges.items() if low <= high]
    operation = rng.choices(possible, [WEIGHTS[operation] for operation in possible])[0]
    return operation, rng.randint(*ranges[operation])


def _operand_ranges(value: int) -> dict[Operation, tuple[int, int]]:
    """Smallest and largest operand of each operation at `value`; an empty range where it is not possible.

    Small divisors, and dividends that leave something to divide, keep `//` and `%` from collapsing the chain
    to nothing. The bounds of min and max lie around the value, so that either outcome is common.
    """
    never = (1, 0)
    around = (max(1, value // 2), min(LARGEST, value * 3 // 2 + 4)) if value >= 4 else never
    return {
        Operation.ADD: (2, min(99, LARGEST - value)),
        Operation.SUBTRACT: (2, min(99, value)),
        Operation.TIMES: (2, min(9, LARGEST // value)) if value >= 2 else never,
        Operation.DIVIDE: (2, 5) if value >= 10 else never,
        Operation.REMAINDER: (3, 9) if value >= 12 else never,
        Operation.MINIMUM: around,
        Operation.MAXIMUM: around,
    }


def parse_problem(text: str) -> ChainProblem:
    """Read a problem back from its text (the closing newline may be missing).

    Raises:
        TaskError: the text is not one that this module writes; the message names the line.
    """
    lines = text.removesuffix("\n").split("\n")
    if not 3 <= len(lines) <= MOST_EVENTS + 2:
        raise TaskError(f"a problem has 3..{MOST_EVENTS + 2} lines, got {len(lines)}")
    opening, question = read_opening(lines[0]), read_question(lines[-1])
    if opening is None or question is None:
        raise TaskError(f"no opening or question of this task: {_shorten(lines[0])}, {_shorten(lines[-1])}")
    index, name, item, start = opening
    problem = ChainProblem(
        start=start,
        events=tuple(_parse_event(line) for line in lines[1:-1]),
        name=name,
        item=item,
        opening=index,
        question=question,
    )
    if problem.text.removesuffix("\n") != "\n".join(lines):
        raise TaskError(f"the question names another person or thing: {_shorten(lines[-1])}")
    return problem


def _parse_event(line: str) -> Event:
    key, colon, sentence = line.partition(": ")
    read = read_sentence(sentence) if colon else None
    if read is None:
        raise TaskError(f"no event of this task: {_shorten(line)}")
    operation, wording, operand = read
    return Event(key=key, operation=operation, operand=operand, wording=wording)


def _shorten(line: str) -> str:
    return repr(line if len(line) <= 80 else line[:77] + "...")
