"""How wrong labels are, by the number of steps: long solutions give an annotator more places to err.

Compares the first errors that one source predicts with those of a reference: the truth, or another source
(then the share is one of disagreement). An unknown on either side is neither right nor wrong: it is counted
and left out of the shares.

Intervals are Wilson's (1927): they behave at shares of 0 and 1 and in bins of few solutions.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise
from math import sqrt
from statistics import NormalDist

from steplabel.schemas import NO_ERROR, ConfigError, DataError
from steplabel.schemas.labels import check_first_error

LENGTHS: tuple[int, ...] = (1, 4, 7, 10, 14, 20)
"""First number of steps of each bin; the last has no end."""


class Difference(StrEnum):
    """How a predicted first error lies to the reference's."""

    SAME = "same"
    EARLY = "early"
    LATE = "late"
    MISSED = "missed"
    """None predicted where there is one."""
    FALSE_ALARM = "false_alarm"
    """One predicted where there is none."""
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class LengthNoise:
    """Noise of the solutions of `shortest` to `longest` steps (None: without limit).

    Attributes:
        solutions: in the bin; `unknown` of them cannot be compared.
        wrong: compared ones whose location differs.
        early, late, missed, false_alarms: how it differs.
        share: wrong / compared; None if nothing was compared. `low` and `high` bound it.
    """

    shortest: int
    longest: int | None
    solutions: int
    unknown: int
    wrong: int
    early: int
    late: int
    missed: int
    false_alarms: int
    share: float | None
    low: float | None
    high: float | None


def noise_by_length(
    predicted: Sequence[int | None],
    reference: Sequence[int | None],
    steps: Sequence[int],
    *,
    lengths: Sequence[int] = LENGTHS,
    level: float = 0.95,
) -> tuple[LengthNoise, ...]:
    """Share of differing first errors by number of steps; one entry for each bin, empty ones too.

    Args:
        predicted, reference: first errors, 0-based, -1 for none, None for not known; one a solution.
        steps: number of steps of each solution.
        lengths: first number of steps of each bin, rising from 1.
        level: coverage of the intervals.

    Raises:
        DataError: sequences of different lengths, a solution without steps, or an index outside its steps.
        ConfigError: `lengths` or `level` out of range.
    """
    _check_bins(lengths, level)
    if not len(predicted) == len(reference) == len(steps):
        raise DataError(f"{len(predicted)} predictions, {len(reference)} references, {len(steps)} numbers of steps")
    counts: list[Counter[Difference]] = [Counter() for _ in lengths]
    for said, true, count in zip(predicted, reference, steps, strict=True):
        if count < 1:
            raise DataError(f"a solution of {count} steps")
        check_first_error(said, steps=count)
        check_first_error(true, steps=count)
        counts[length_bin(count, lengths)][difference(said, true)] += 1
    ends = [after - 1 for _, after in pairwise(lengths)]
    return tuple(
        _noise(shortest, longest, found, level)
        for shortest, longest, found in zip(lengths, [*ends, None], counts, strict=True)
    )


def difference(predicted: int | None, reference: int | None) -> Difference:
    """How two first errors lie to each other."""
    if predicted is None or reference is None:
        return Difference.UNKNOWN
    if predicted == reference:
        return Difference.SAME
    if predicted == NO_ERROR:
        return Difference.MISSED
    if reference == NO_ERROR:
        return Difference.FALSE_ALARM
    return Difference.EARLY if predicted < reference else Difference.LATE


def _check_bins(lengths: Sequence[int], level: float) -> None:
    if not lengths or lengths[0] != 1 or any(a >= b for a, b in pairwise(lengths)):
        raise ConfigError(f"lengths={list(lengths)} must rise from 1")
    if not 0.0 < level < 1.0:
        raise ConfigError(f"level={level!r} must lie between 0 and 1")


def length_bin(steps: int, lengths: Sequence[int] = LENGTHS) -> int:
    """Which bin a solution of so many steps, at least 1, falls in; `lengths` are the fewest of each, rising from 1."""
    return sum(first <= steps for first in lengths) - 1


def _noise(shortest: int, longest: int | None, found: Counter[Difference], level: float) -> LengthNoise:
    solutions, unknown = found.total(), found[Difference.UNKNOWN]
    compared = solutions - unknown
    wrong = compared - found[Difference.SAME]
    low, high = _wilson(wrong, compared, level)
    return LengthNoise(
        shortest=shortest,
        longest=longest,
        solutions=solutions,
        unknown=unknown,
        wrong=wrong,
        early=found[Difference.EARLY],
        late=found[Difference.LATE],
        missed=found[Difference.MISSED],
        false_alarms=found[Difference.FALSE_ALARM],
        share=wrong / compared if compared else None,
        low=low,
        high=high,
    )


def _wilson(part: int, whole: int, level: float) -> tuple[float | None, float | None]:
    if not whole:
        return None, None
    z = NormalDist().inv_cdf((1 + level) / 2)
    share, spread = part / whole, z * z / whole
    centre = (share + spread / 2) / (1 + spread)
    half = z * sqrt(share * (1 - share) / whole + spread / (4 * whole)) / (1 + spread)
    return max(0.0, centre - half), min(1.0, centre + half)
