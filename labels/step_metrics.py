"""How good the labels of single steps are: found errors, calibrated values, ranking.

Steps without a truth, and values that are None, are left out and counted: what was not said is not scored as
if it had been. Undefined numbers (nothing marked, one class only) are NaN.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from steplabel.schemas import ConfigError, StepMark
from steplabel.schemas.batches import BoolArray, FloatArray
from steplabel.schemas.validation import check_between, check_same_length


@dataclass(frozen=True, slots=True, kw_only=True)
class MarkReport:
    """How well "-" marks find wrong steps.

    Attributes:
        precision: share of the "-" marks that stand on wrong steps; NaN if there is no "-".
        recall: share of the wrong steps that are marked "-"; an unknown mark is a miss. NaN if none is wrong.
        f1: their harmonic mean; 0 if no "-" is right, NaN if one of the two is.
        wrong, marked, found: wrong steps, "-" marks, and wrong steps marked "-".
        unknown: steps with an unknown mark and a known truth.
        steps: steps with a known truth.
    """

    precision: float
    recall: float
    f1: float
    wrong: int
    marked: int
    found: int
    unknown: int
    steps: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ReliabilityBin:
    """Values in [low, high) (the last bin holds 1 too): what was claimed and what was true.

    Attributes:
        count: values in the bin.
        claimed, observed: mean value, and share of steps for which it held; NaN for an empty bin.
    """

    low: float
    high: float
    count: int
    claimed: float
    observed: float


@dataclass(frozen=True, slots=True, kw_only=True)
class CalibrationReport:
    """How far values can be read as probabilities.

    Attributes:
        brier: mean squared distance of value and truth (Brier 1950): 0 is best, always saying .5 gives .25.
        error: expected calibration error: mean |claimed - observed| over bins by count (Naeini et al. 2015).
        bins: of equal width over [0, 1].
        scored, unknown: values that entered, and values that were None.
    """

    brier: float
    error: float
    bins: tuple[ReliabilityBin, ...]
    scored: int
    unknown: int


def score_negative_marks(marks: Sequence[StepMark], truth: Sequence[bool | None]) -> MarkReport:
    """Precision and recall of "-" marks over steps.

    Args:
        marks: one a step, over all solutions.
        truth: whether the step is right; None if that is not known (the step is left out).

    Raises:
        DataError: the lengths differ.
    """
    check_same_length(left=marks, right=truth, names=("marks", "truth"))
    known = [(mark, right) for mark, right in zip(marks, truth, strict=True) if right is not None]
    wrong = sum(not right for _, right in known)
    marked = sum(mark is StepMark.NEGATIVE for mark, _ in known)
    found = sum(mark is StepMark.NEGATIVE and not right for mark, right in known)
    return MarkReport(
        precision=_share(found, marked),
        recall=_share(found, wrong),
        f1=_share(2 * found, wrong + marked) if wrong and marked else math.nan,
        wrong=wrong,
        marked=marked,
        found=found,
        unknown=sum(mark is StepMark.UNKNOWN for mark, _ in known),
        steps=len(known),
    )


def calibration(values: Sequence[float | None], truth: Sequence[bool | None], *, bins: int = 10) -> CalibrationReport:
    """Compare soft values with what was true.

    Args:
        values: in [0, 1], None where there is no evidence.
        truth: whether what the value claims held; None if that is not known.
        bins: reliability bins of equal width.

    Raises:
        DataError: the lengths differ, or a value is outside [0, 1].
        ConfigError: no bins.
    """
    if bins < 1:
        raise ConfigError(f"bins={bins!r} must be at least 1")
    claimed, held = _scored(values, truth)
    # A value of exactly 1 belongs to the last bin, not to one past it.
    place = np.minimum((claimed * bins).astype(np.int64), bins - 1)
    table = tuple(_bin(i, bins, claimed[place == i], held[place == i]) for i in range(bins))
    gaps = sum(b.count * abs(b.claimed - b.observed) for b in table if b.count)
    return CalibrationReport(
        brier=float(np.mean((claimed - held) ** 2)) if len(claimed) else math.nan,
        error=_share(gaps, len(claimed)),
        bins=table,
        scored=len(claimed),
        unknown=sum(value is None for value in values),
    )


def ranking_quality(values: Sequence[float | None], truth: Sequence[bool | None]) -> float:
    """Probability that a random right step has a higher value than a random wrong one; ties count half.

    Area under the ROC curve, as the Mann-Whitney statistic (Hanley & McNeil 1982). NaN if a class is empty.

    Raises:
        DataError: the lengths differ, or a value is outside [0, 1].
    """
    claimed, held = _scored(values, truth)
    rights, wrongs = claimed[held], np.sort(claimed[~held])
    below = np.searchsorted(wrongs, rights, side="left") + np.searchsorted(wrongs, rights, side="right")
    return _share(float(below.sum()) / 2, len(rights) * len(wrongs))


def _scored(values: Sequence[float | None], truth: Sequence[bool | None]) -> tuple[FloatArray, BoolArray]:
    check_same_length(left=values, right=truth, names=("values", "truth"))
    pairs = [(v, t) for v, t in zip(values, truth, strict=True) if v is not None and t is not None]
    for value, _ in pairs:
        check_between(value, field="soft value", low=0.0, high=1.0)
    claimed = np.array([value for value, _ in pairs], dtype=np.float64)
    return claimed, np.array([held for _, held in pairs], dtype=np.bool_)


def _bin(index: int, bins: int, claimed: FloatArray, held: BoolArray) -> ReliabilityBin:
    return ReliabilityBin(
        low=index / bins,
        high=(index + 1) / bins,
        count=len(claimed),
        claimed=float(claimed.mean()) if len(claimed) else math.nan,
        observed=float(held.mean()) if len(held) else math.nan,
    )


def _share(part: float, whole: float) -> float:
    return part / whole if whole else math.nan
