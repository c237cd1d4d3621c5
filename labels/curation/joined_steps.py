"""Join neighbouring steps of a labelled row into one, with the labels that this leaves.

What stays true. Joining the row's steps gives the same text as before. Only labelable steps of one kind are
joined, so a tool's output never becomes part of what the policy is judged for. A mark is the AND of the marks
joined: "-" if one is "-", else unknown if one is unknown, else "+". The first error moves to the step that
now holds it; an unknown one stays unknown.

Values and counts depend on what the row claims. `reachable` and `value` speak of the prefix that ends with a
step, and the joined step ends where its last part did: it takes the last part's value, bounds and counts.
`correct` speaks of the step itself, which is no surer than its weakest part: the lowest value and bounds,
none where a part has none, and the last part's counts. `progress` has no value left: ratios and differences
add up differently, so derive such labels again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TypeAlias, TypeVar

from steplabel.schemas import DataError, LabelRow, LabelTarget, StepMark

T = TypeVar("T")
Spans: TypeAlias = Sequence[tuple[int, int]]
"""Steps [start, end) that become one, in order; they cover the row without gap or overlap."""


def may_join(row: LabelRow, left: int, right: int) -> bool:
    """Whether these two steps may become one: both are labelable and of one kind."""
    return row.labelable[left] and row.labelable[right] and row.step_kinds[left] == row.step_kinds[right]


def all_of(marks: Sequence[StepMark]) -> StepMark:
    """AND of three-valued marks; unknown gives way to "-" alone."""
    if StepMark.NEGATIVE in marks:
        return StepMark.NEGATIVE
    return StepMark.UNKNOWN if StepMark.UNKNOWN in marks else StepMark.POSITIVE


def spans_of(row: LabelRow, joins: Sequence[bool]) -> list[tuple[int, int]]:
    """Spans where entry i of `joins` (one fewer than steps) says whether steps i and i + 1 become one."""
    starts = [0, *(i + 1 for i, join in enumerate(joins) if not join)]
    return list(zip(starts, [*starts[1:], len(row.steps)], strict=True)) if row.steps else []


def join_steps(row: LabelRow, spans: Spans, *, name: str) -> LabelRow:
    """The row with the steps of each span joined into one.

    Args:
        row: a labelled solution.
        spans: see `Spans`; a span of one step leaves it as it is.
        name: added to the label policy's name, so that rows cut differently are told apart; a row in which
            nothing is joined keeps its name.

    Raises:
        DataError: spans that do not cover the row, or that join what `may_join` forbids.
    """
    _check_spans(row, spans)
    if len(spans) == len(row.steps):
        return row
    last = [end - 1 for _, end in spans]
    return replace(
        row,
        steps=tuple("".join(row.steps[a:b]) for a, b in spans),
        labels=tuple(all_of(row.labels[a:b]) for a, b in spans),
        values=_joined_values(row, row.values, spans),
        value_lows=_joined_values(row, row.value_lows, spans),
        value_highs=_joined_values(row, row.value_highs, spans),
        first_error=_moved(row.first_error, spans),
        step_kinds=_picked(row.step_kinds, last),
        labelable=_picked(row.labelable, last),
        rollouts=_picked(row.rollouts, last),
        successes=_picked(row.successes, last),
        unknowns=_picked(row.unknowns, last),
        label_policy=f"{row.label_policy}_{name}",
    )


def _check_spans(row: LabelRow, spans: Spans) -> None:
    ends = [0, *(end for _, end in spans)]
    covered = [start for start, _ in spans] == ends[:-1] and ends[-1] == len(row.steps)
    if not covered or any(start >= end for start, end in spans):
        raise DataError(f"spans {list(spans)} do not cover the {len(row.steps)} steps of {row.solution_id}")
    for start, end in spans:
        for i in range(start, end - 1):
            if not may_join(row, i, i + 1):
                raise DataError(f"steps {i} and {i + 1} of {row.solution_id} differ in kind or are not labelable")


def _joined_values(row: LabelRow, values: tuple[float | None, ...], spans: Spans) -> tuple[float | None, ...]:
    return tuple(_joined_value(row.label_target, values[a:b]) for a, b in spans)


def _joined_value(target: LabelTarget, values: Sequence[float | None]) -> float | None:
    if len(values) == 1:
        return values[0]
    if target is LabelTarget.PROGRESS:
        return None
    if target is LabelTarget.CORRECT:
        known = [value for value in values if value is not None]
        return min(known) if len(known) == len(values) else None
    return values[-1]


def _moved(first_error: int | None, spans: Spans) -> int | None:
    """Index of the span that holds the error; -1 and None stay what they are."""
    if first_error is None or first_error < 0:
        return first_error
    return next(i for i, (_, end) in enumerate(spans) if first_error < end)


def _picked(column: tuple[T, ...], positions: Sequence[int]) -> tuple[T, ...]:
    """Entries at these positions; a column that the row left empty stays empty."""
    return tuple(column[i] for i in positions) if column else column
