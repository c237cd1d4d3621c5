"""Labels while they are written: flat arrays over all steps that know which solution each step belongs to."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from steplabel.schemas import AfterError
from steplabel.schemas.batches import (
    FIRST_ERROR_NONE,
    FIRST_ERROR_UNKNOWN,
    MARK_NEGATIVE,
    MARK_UNKNOWN,
    BoolArray,
    EvidenceBatch,
    FloatArray,
    IntArray,
    LabelBatch,
)

ABSENT = np.iinfo(np.int64).max
"""Position of "the first step that ..." in a solution that has no such step: after all others."""


@dataclass(slots=True, kw_only=True)
class Draft:
    """Marks, values and bounds [S] of n solutions, to be changed in place until they are `finished`.

    `first_error` and `after` look at `marks` as they are when asked.
    """

    owner: IntArray
    position: IntArray
    solutions: int
    labelable: BoolArray
    at_end: BoolArray
    marks: IntArray
    values: FloatArray
    lows: FloatArray
    highs: FloatArray

    def settle(self, where: BoolArray, mark: int, value: float) -> None:
        """Give the steps [S] in `where` this mark, and this value without doubt."""
        self.marks[where] = mark
        for column in (self.values, self.lows, self.highs):
            column[where] = value

    def per_solution(self, steps: BoolArray) -> BoolArray:
        """[n], whether any of a solution's steps is in `steps` [S]."""
        return np.bincount(self.owner[steps], minlength=self.solutions) > 0

    def first(self, steps: BoolArray) -> IntArray:
        """[n], position of each solution's first step in `steps` [S]; `ABSENT` where it has none."""
        found = np.full(self.solutions, ABSENT)
        at = np.flatnonzero(steps)[::-1]
        found[self.owner[at]] = self.position[at]  # the last of equal indices is what stays
        return found

    def last(self, steps: BoolArray) -> IntArray:
        """[n], position of each solution's last step in `steps` [S]; -1 where it has none."""
        return last_position(self.owner, self.position, self.solutions, steps)

    def first_error(self) -> IntArray:
        """[n], the first "-" if every labelable step before it is "+"; -1 none; -2 unknown."""
        negative = self.first(self.marks == MARK_NEGATIVE)
        unknown = self.first(self.labelable & (self.marks == MARK_UNKNOWN))
        clean = self.per_solution(self.labelable) & (negative == ABSENT) & (unknown == ABSENT)
        located = np.where(negative < unknown, negative, FIRST_ERROR_UNKNOWN)
        return np.where(clean, FIRST_ERROR_NONE, located)

    def treat_rest(self, after: AfterError) -> BoolArray:
        """Treat what follows the first "-", located or not; [S], the steps that stay."""
        rest = self.position > self.first(self.marks == MARK_NEGATIVE)[self.owner]
        if after == AfterError.NEGATIVE:
            self.settle(rest & self.labelable, MARK_NEGATIVE, 0.0)
        elif after == AfterError.UNKNOWN:
            self.settle(rest, MARK_UNKNOWN, np.nan)
        return ~rest if after == AfterError.CUT else np.ones(len(rest), dtype=np.bool_)

    def finished(self, after: AfterError, *, by_outcome: BoolArray | None = None) -> LabelBatch:
        """The labels. `by_outcome` [n]: where the final answer decided all of them; nowhere if None."""
        first_error = self.first_error()
        kept = self.treat_rest(after)
        nowhere = np.zeros(self.solutions, dtype=np.bool_)
        return LabelBatch(
            marks=self.marks,
            values=self.values,
            lows=self.lows,
            highs=self.highs,
            first_error=first_error,
            confidence=np.full(self.solutions, np.nan),
            kept=kept,
            by_outcome=nowhere if by_outcome is None else self.per_solution(self.marks != MARK_UNKNOWN) & by_outcome,
        )


def last_position(owner: IntArray, position: IntArray, solutions: int, steps: BoolArray) -> IntArray:
    """[n], position of each solution's last step in `steps` [S]; -1 where it has none."""
    found = np.full(solutions, -1)
    at = np.flatnonzero(steps)
    found[owner[at]] = position[at]
    return found


def ends(batch: EvidenceBatch) -> BoolArray:
    """[S], the last labelable step of each solution."""
    last = last_position(batch.owner, batch.position, batch.solutions, batch.labelable)
    at_end: BoolArray = batch.position == last[batch.owner]
    return at_end
