"""Counts to values with bounds: the success rate from a prefix, and what two of them say about a step.

Notation as in `monte_carlo.py`: of k rollouts c are correct, w wrong, u unknown. `lows` and `highs` bound a
value whatever the unknown ones were, and are what rows show. `floors` and `ceilings` bound it after
`unknown_as` has spoken, and are what decides marks: rollouts without an answer are then failures, or not.
NaN where nobody was asked.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal, TypeAlias

import numpy as np

from steplabel.labels.ragged import Draft, ends
from steplabel.schemas.batches import (
    MARK_NEGATIVE,
    MARK_POSITIVE,
    MARK_UNKNOWN,
    OUTCOME_UNKNOWN,
    BoolArray,
    Counts,
    EvidenceBatch,
    FloatArray,
    IntArray,
)

UnknownAs: TypeAlias = Literal["wrong", "unknown"]

_ROUNDING = 1e-9
"""Quotients of counts miss a threshold by less than this only through rounding: (2/3) / (5/6) is .8."""

Rate: TypeAlias = Callable[[IntArray, IntArray], FloatArray]
"""From successes and tries to a value; NaN where the tries do not suffice."""


class Ending(StrEnum):
    """What the last labelable step of a solution says, from where nothing is left to sample."""

    MEASURED = "measured"
    """Its rollouts; its own outcome where they decide nothing."""
    FORCED = "forced"
    """Its own outcome, whatever rollouts said."""
    IGNORED = "ignored"
    """Its rollouts alone: the outcome is not asked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimates:
    """Values of m prefixes or steps, all [m]."""

    values: FloatArray
    lows: FloatArray
    highs: FloatArray
    floors: FloatArray
    ceilings: FloatArray

    @classmethod
    def of(cls, counts: Counts, rate: Rate, unknown_as: UnknownAs) -> Estimates:
        """The value of `rate` at each prefix, and what it would be if the unknown rollouts all failed or held."""
        failed = counts.wrong + (counts.unanswered if unknown_as == "wrong" else 0)
        asked = counts.total
        lows = rate(counts.correct, asked)
        return cls(
            values=rate(counts.correct, counts.correct + failed),
            lows=lows,
            highs=rate(counts.correct + counts.unknown, asked),
            floors=lows,
            ceilings=rate(asked - failed, asked),
        )

    @classmethod
    def exact(cls, values: FloatArray) -> Estimates:
        """Values [m] as they are: there is nothing that could still change them."""
        return cls(values=values, lows=values, highs=values, floors=values, ceilings=values)

    def mapped(self, change: Callable[[FloatArray], FloatArray]) -> Estimates:
        """The same change to every column."""
        return Estimates(
            values=change(self.values),
            lows=change(self.lows),
            highs=change(self.highs),
            floors=change(self.floors),
            ceilings=change(self.ceilings),
        )

    def minus(self, before: Estimates) -> Estimates:
        """How much higher than `before`, in [-1, 1]."""
        return Estimates(
            values=self.values - before.values,
            lows=self.lows - before.highs,
            highs=self.highs - before.lows,
            floors=self.floors - before.ceilings,
            ceilings=self.ceilings - before.floors,
        )

    def over(self, before: Estimates) -> Estimates:
        """How many times as high as `before`: infinite above 0, NaN for 0 / 0."""
        return Estimates(
            values=_quotient(self.values, before.values),
            lows=_quotient(self.lows, before.highs),
            highs=_quotient(self.highs, before.lows),
            floors=_quotient(self.floors, before.ceilings),
            ceilings=_quotient(self.ceilings, before.floors),
        )


def ratio(part: IntArray, whole: IntArray) -> FloatArray:
    """part / whole, NaN where whole is 0."""
    quotient: FloatArray = np.divide(part, whole, out=np.full(len(whole), np.nan), where=whole > 0)
    return quotient


def best_of(k: int) -> Rate:
    """The chance that one of k tries is right, without bias: 1 - C(n - c, k) / C(n, k) (Chen et al. 2021).

    NaN where fewer than k were tried. `best_of(1)` is the share c/n.
    """

    def rate(successes: IntArray, tries: IntArray) -> FloatArray:
        enough = tries >= k
        failing = np.ones(len(tries))
        for i in range(k):  # C(n - c, k) / C(n, k) as a product, which neither overflows nor rounds to 0 / 0
            failing *= np.clip(tries - successes - i, 0, None) / np.where(enough, tries - i, 1)
        return np.where(enough, 1.0 - failing, np.nan)

    return rate


def state_values(batch: EvidenceBatch, rate: Rate, unknown_as: UnknownAs, ending: Ending) -> Estimates:
    """[S], the value of the prefix that each step ends; at a solution's end, what `ending` says.

    Observations have values too where somebody asked there: the state before the step that follows.
    """
    states = Estimates.of(batch.at_steps, rate, unknown_as)
    if ending == Ending.IGNORED:
        return states
    outcome = batch.outcome[batch.owner]
    decides = ends(batch) & (np.isnan(states.values) if ending == Ending.MEASURED else True)
    known = decides & (outcome != OUTCOME_UNKNOWN)
    return states.mapped(lambda column: np.where(known, outcome.astype(np.float64), column))


def values_before(batch: EvidenceBatch, states: Estimates, root: Estimates) -> Estimates:
    """[S], the value of the prefix that each step goes on from; `root` [n] is that of the bare problem.

    A tool's observation where nobody asked is passed over: the state before it stands for the one after.
    """
    counted = batch.labelable | ~np.isnan(states.lows)
    here = np.maximum.accumulate(np.where(counted, np.arange(batch.steps), -1))
    previous = np.concatenate([[-1], here[:-1]])[: batch.steps]
    inside = previous >= batch.offsets[batch.owner]
    return Estimates(
        **{
            name: np.where(inside, getattr(states, name)[previous], getattr(root, name)[batch.owner])
            for name in ("values", "lows", "highs", "floors", "ceilings")
        }
    )


def drafted(batch: EvidenceBatch, claims: Estimates, threshold: float) -> Draft:
    """A draft whose labelable steps are "+" at `threshold` or above, "-" below, unknown where it lies between."""
    bar = threshold - _ROUNDING
    negative = np.where(claims.ceilings < bar, MARK_NEGATIVE, MARK_UNKNOWN)
    marks = np.where(claims.floors >= bar, MARK_POSITIVE, negative)
    return Draft(
        owner=batch.owner,
        position=batch.position,
        solutions=batch.solutions,
        labelable=batch.labelable,
        at_end=ends(batch),
        marks=np.where(batch.labelable, marks, MARK_UNKNOWN),
        values=_shown(claims.values, batch.labelable),
        lows=_shown(claims.lows, batch.labelable),
        highs=_shown(claims.highs, batch.labelable),
    )


def _shown(column: FloatArray, labelable: BoolArray) -> FloatArray:
    """What rows can hold: no infinite number, and nothing at steps that the policy model did not write."""
    return np.where(labelable & np.isfinite(column), column, np.nan)


def _quotient(part: FloatArray, whole: FloatArray) -> FloatArray:
    with np.errstate(divide="ignore", invalid="ignore"):
        quotient: FloatArray = part / whole
    return quotient
