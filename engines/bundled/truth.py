"""Exact truth about solutions of the bundled task: which steps are wrong, how, and whether it matters later.

A solution is a list of lines, one step each. Lines are matched to events in order: the first line is expected
to be the first event's, and so on; the `Answer` line is expected after the last event. A line whose key is a
later event's skips to it, and one whose key is an earlier event's leaves the place where it is. A step with a
key of its own invention takes the place of the expected event; a line that is no step and begins with no key
takes no place.

A step is **wrong** (strictly) iff it is not the true line at its place: the quantity's true value before, the
problem's operation and operand, the true value after. So everything computed from a wrong value is wrong too,
until a line states the truth again.

A wrong step is **consequential** iff a later step reads the wrong value as it was written: the running
quantity it leaves behind is not the true one, and the next line that can be read takes exactly that number as
its left operand (or is the `Answer` and repeats it). An error that is not read on (a miscopied operand whose
result comes out right, a slip the model silently corrects, a slip with nothing after it) is wrong but not
consequential. A wrong `Answer` is consequential by definition, since whoever grades the solution reads it.

Covered: any text whatever; what does not parse is a wrong step of kind `format`. Numbers of more than six
digits do not parse, so hostile input costs nothing. Not covered: solutions that merge two events into one
line (a `format` error here, though a person would accept them).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Literal

from steplabel.engines.bundled.task import ChainProblem, apply_operation, solve
from steplabel.engines.bundled.wording import Operation

Rule = Literal["strict", "consequential"]


class StepKind(StrEnum):
    """What a step does wrong, judged against the problem and against what was written before it.

    The first that applies, in this order. A wrong step that is `PROPAGATED` does its own part right.
    """

    OK = "ok"  # the true line
    FORMAT = "format"  # neither a step nor an answer
    TRAILING = "trailing"  # anything after the answer
    SHORT = "short"  # an answer before the last event
    KEY = "key"  # names another event than the next one
    OPERATION = "operation"  # another operation than the event's
    OPERAND = "operand"  # another number than the event's
    COPY = "copy"  # starts neither from the value written before nor from the true one
    ARITHMETIC = "arithmetic"  # the result does not follow from the left side
    ANSWER = "answer"  # an answer that is not the value written before
    PROPAGATED = "propagated"  # faithful to an earlier wrong value


@dataclass(frozen=True, slots=True, kw_only=True)
class StepTruth:
    """The truth about one line.

    Attributes:
        wrong: strictly wrong, see the module's text.
        consequential: wrong, and the wrong value is read by the next step as it was written.
        value: what the line says the quantity is after it; None where it cannot be read.
        operation: the operation that the event at this place asks for; None at the answer and beyond.
    """

    text: str
    kind: StepKind
    wrong: bool
    consequential: bool
    value: int | None = None
    operation: Operation | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Step:
    """`key: left operation right = value`, as written."""

    key: str
    left: int
    operation: Operation
    right: int
    value: int


@dataclass(frozen=True, slots=True, kw_only=True)
class _Answer:
    """`Answer: value`, as written."""

    value: int


@dataclass(frozen=True, slots=True, kw_only=True)
class _Nonsense:
    """Anything else; `key` is what stands before the first colon."""

    key: str
    value: None = None


_Said = _Step | _Answer | _Nonsense


@dataclass(frozen=True, slots=True, kw_only=True)
class _Judged:
    """A line with its kind and the true value of the quantity it leaves behind."""

    text: str
    said: _Said
    kind: StepKind
    true_value: int
    operation: Operation | None


def check_solution(problem: ChainProblem, lines: Iterable[str]) -> tuple[StepTruth, ...]:
    """Judge each line of a solution; space around a line does not count. One truth per line, in order."""
    judged = list(_judge(problem, lines))
    return tuple(
        StepTruth(
            text=entry.text,
            kind=entry.kind,
            wrong=entry.kind is not StepKind.OK,
            consequential=_is_consequential(entry, follower),
            value=entry.said.value,
            operation=entry.operation,
        )
        for entry, follower in zip(judged, _followers(judged), strict=True)
    )


def first_wrong(steps: Sequence[StepTruth], rule: Rule = "strict") -> int:
    """Index of the first step that is wrong under `rule`, 0-based; -1 where there is none."""
    for index, step in enumerate(steps):
        if step.consequential if rule == "consequential" else step.wrong:
            return index
    return -1


def final_answer(lines: Iterable[str]) -> int | None:
    """The number on the first `Answer` line, where a solution ends; None where there is no such line."""
    return next((said.value for said in map(_read, lines) if isinstance(said, _Answer)), None)


def split_lines(solution: str) -> tuple[str, ...]:
    """The steps of a solution's text: its lines, empty ones left out."""
    return tuple(line for line in solution.split("\n") if line.strip(_SPACE))


_SPACE: Final = " \t\r\n"

# Numbers as a model may write them. The bound is generous (true values have three digits) and makes int()
# cheap; [0-9] because \d also matches the digits of other scripts, which int() would accept.
_NUMBER: Final = "(-?(?:0|[1-9][0-9]{0,5}))"
_INFIX: Final = re.compile(rf"([A-Z][a-z]*): {_NUMBER}(\+|-|\*|//|%){_NUMBER}={_NUMBER}")
_CALL: Final = re.compile(rf"([A-Z][a-z]*): (min|max)\({_NUMBER},{_NUMBER}\)={_NUMBER}")
_ANSWER: Final = re.compile(rf"Answer: {_NUMBER}")


def _read(line: str) -> _Said:
    text = line.strip(_SPACE)
    if match := _ANSWER.fullmatch(text):
        return _Answer(value=int(match[1]))
    if match := _INFIX.fullmatch(text):
        key, left, operation, right, value = match.groups()
    elif match := _CALL.fullmatch(text):
        key, operation, left, right, value = match.groups()
    else:
        return _Nonsense(key=text.partition(":")[0])
    return _Step(key=key, left=int(left), operation=Operation(operation), right=int(right), value=int(value))


def _judge(problem: ChainProblem, lines: Iterable[str]) -> Iterator[_Judged]:
    """Walk the lines, keeping the place expected next, the value written last, and whether it has ended."""
    truth, values = solve(problem), problem.values
    place, written, answered = 0, problem.start, False
    for line in lines:
        text, said = line.strip(_SPACE), _read(line)
        if answered:
            kind = StepKind.TRAILING
        elif text == truth[place]:
            kind = StepKind.OK
        else:
            kind = _fault(problem, said, place, written)
        after = _place_after(problem, said, place)
        yield _Judged(
            text=text,
            said=said,
            kind=kind,
            true_value=values[after],
            operation=problem.events[after - 1].operation if isinstance(said, _Step) else None,
        )
        answered = answered or isinstance(said, _Answer)
        place = max(place, after)
        written = written if said.value is None else said.value


def _place_after(problem: ChainProblem, said: _Said, expected: int) -> int:
    """How many events are behind a line: those up to the one it names, or up to the expected one."""
    end = len(problem.events)
    if isinstance(said, _Answer):
        return end
    for index, event in enumerate(problem.events):
        if event.key == said.key:
            return index + 1
    return min(expected + 1, end) if isinstance(said, _Step) else expected


def _fault(problem: ChainProblem, said: _Said, place: int, written: int) -> StepKind:
    """What is wrong with a line that is not the true one at `place`."""
    match said:
        case _Nonsense():
            return StepKind.FORMAT
        case _Answer() if place < len(problem.events):
            return StepKind.SHORT
        case _Answer(value=value):
            return StepKind.PROPAGATED if value == written else StepKind.ANSWER
        case _Step():
            return _step_fault(problem, said, place, written)


def _step_fault(problem: ChainProblem, said: _Step, place: int, written: int) -> StepKind:
    if place == len(problem.events) or said.key != problem.events[place].key:
        return StepKind.KEY
    event = problem.events[place]
    if said.operation is not event.operation:
        return StepKind.OPERATION
    if said.right != event.operand:
        return StepKind.OPERAND
    if said.left not in (written, problem.values[place]):
        return StepKind.COPY
    result = apply_operation(said.operation, said.left, said.right)
    return StepKind.PROPAGATED if said.value == result else StepKind.ARITHMETIC


def _followers(judged: Sequence[_Judged]) -> list[_Said | None]:
    """For each line the next one that reads a value; None where there is none."""
    followers: list[_Said | None] = []
    later: _Said | None = None
    for entry in reversed(judged):
        followers.append(later)
        later = later if isinstance(entry.said, _Nonsense) else entry.said
    return followers[::-1]


def _is_consequential(entry: _Judged, follower: _Said | None) -> bool:
    if entry.kind in (StepKind.OK, StepKind.TRAILING) or entry.said.value in (None, entry.true_value):
        return False
    match entry.said, follower:
        case _Answer(), _:
            return True
        case _, _Step(left=read) | _Answer(value=read):
            return read == entry.said.value
        case _:
            return False
