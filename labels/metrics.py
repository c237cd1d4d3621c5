"""First-error F1, the number this field compares, with intervals that respect what belongs together.

Definition: ProcessBench (Zheng et al. 2024, arXiv:2412.06559). A solution's truth is the 0-based index of its
first wrong step, or -1. Accuracy on erroneous solutions is the share whose index is predicted exactly;
accuracy on clean ones the share predicted -1; F1 is the harmonic mean of the two (0 if both are 0).

A prediction of None (not known) is a miss in both accuracies: abstaining is no way to a better number. How
many there were is reported beside it.

Intervals are percentile bootstraps (Efron & Tibshirani 1993, chapter 13) that resample whole groups with
replacement: solutions of one problem share its difficulty, so drawing them one by one would make intervals
too narrow. They depend on the seed alone, not on the order of the items.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass
from operator import index

import numpy as np

from steplabel.schemas import NO_ERROR, ConfigError, DataError
from steplabel.schemas.batches import FloatArray, IntArray

_CELLS_AT_ONCE = 2_000_000
"""Draw counts held at once: 16 MB."""


@dataclass(frozen=True, slots=True, kw_only=True)
class F1Report:
    """First-error F1 of one method on one set of solutions.

    Attributes:
        f1: harmonic mean of the accuracies; NaN if there is no erroneous or no clean solution.
        f1_low, f1_high: bootstrap interval; NaN if f1 is.
        acc_error, acc_clean: accuracy on erroneous and on clean solutions; NaN where there are none.
        n_error, n_clean: how many of each.
        unknown: how many predictions were None.
    """

    f1: float
    f1_low: float
    f1_high: float
    acc_error: float
    acc_clean: float
    n_error: int
    n_clean: int
    unknown: int


@dataclass(frozen=True, slots=True, kw_only=True)
class F1Difference:
    """What one method has over another on the same solutions.

    Attributes:
        difference: F1 of the first minus F1 of the second; NaN where `F1Report.f1` would be.
        low, high: paired bootstrap interval: both methods are scored on the same resamples.
        share_above: share of the resamples in which the first is ahead; ties count half.
    """

    difference: float
    low: float
    high: float
    share_above: float


def first_error_f1(
    predicted: Sequence[int | None],
    truth: Sequence[int],
    *,
    groups: Sequence[Hashable] | None = None,
    resamples: int = 2000,
    seed: int = 0,
    level: float = 0.95,
) -> F1Report:
    """Score first-error predictions.

    A resample that drew only erroneous or only clean solutions has no F1 and is left out of the interval.

    Args:
        predicted: 0-based index of the first wrong step, -1 for none, None for not known; one a solution.
        truth: the same without None.
        groups: whose solutions stay together when resampling, e.g. problem ids; None: each stands alone.
        resamples: bootstrap resamples; 0 for no interval (NaN).
        seed: of the resampling.
        level: coverage of the interval.

    Raises:
        DataError: sequences of different lengths, or an index below -1 (-2 of a `LabelBatch` is None here).
        TypeError: an index that is not an integer.
        ConfigError: `resamples` or `level` out of range.
    """
    _check_bootstrap(resamples, level)
    hits = _hits(predicted, truth)
    sums = _group_sums(hits, groups)
    f1, acc_error, acc_clean = (float(x) for x in _scores(sums.sum(axis=0)))
    resampled = _bootstrap(sums, resamples, seed)
    low, high = _interval(_scores(resampled)[0], level) if math.isfinite(f1) else (math.nan, math.nan)
    return F1Report(
        f1=f1,
        f1_low=low,
        f1_high=high,
        acc_error=acc_error,
        acc_clean=acc_clean,
        n_error=int(hits[:, 0].sum()),
        n_clean=int(hits[:, 1].sum()),
        unknown=sum(p is None for p in predicted),
    )


def first_error_difference(
    first: Sequence[int | None],
    second: Sequence[int | None],
    truth: Sequence[int],
    *,
    groups: Sequence[Hashable] | None = None,
    resamples: int = 2000,
    seed: int = 0,
    level: float = 0.95,
) -> F1Difference:
    """Compare two methods on the same solutions; arguments and errors are those of `first_error_f1`."""
    _check_bootstrap(resamples, level)
    both = np.hstack([_hits(first, truth), _hits(second, truth)])
    sums = _group_sums(both, groups)
    total, resampled = sums.sum(axis=0), _bootstrap(sums, resamples, seed)
    difference = float(_difference(total))
    if not math.isfinite(difference):
        return F1Difference(difference=math.nan, low=math.nan, high=math.nan, share_above=math.nan)
    differences = _difference(resampled)
    low, high = _interval(differences, level)
    defined = differences[np.isfinite(differences)]
    above = np.mean((defined > 0) + (defined == 0) / 2) if len(defined) else math.nan
    return F1Difference(difference=difference, low=low, high=high, share_above=float(above))


def _check_bootstrap(resamples: int, level: float) -> None:
    if resamples < 0:
        raise ConfigError(f"resamples={resamples!r} must be 0 (no interval) or more")
    if not 0.0 < level < 1.0:
        raise ConfigError(f"level={level!r} must lie between 0 and 1")


def _hits(predicted: Sequence[int | None], truth: Sequence[int]) -> IntArray:
    """[n, 4]: is erroneous, is clean, erroneous and hit, clean and hit."""
    if len(predicted) != len(truth):
        raise DataError(f"{len(predicted)} predictions for {len(truth)} solutions")
    # index() refuses 2.5, which an integer array would quietly take for 2.
    said = np.array([NO_ERROR if p is None else index(p) for p in predicted], dtype=np.int64)
    true = np.array([index(t) for t in truth], dtype=np.int64)
    for name, values in (("prediction", said), ("truth", true)):
        if (values < NO_ERROR).any():
            raise DataError(f"{name} {values.min()}: a first error is 0-based, -1 for none, None if not known")
    known = np.array([p is not None for p in predicted], dtype=np.bool_)
    hit = known & (said == true)
    clean = true == NO_ERROR
    return np.stack([~clean, clean, hit & ~clean, hit & clean], axis=1).astype(np.int64)


def _group_sums(hits: IntArray, groups: Sequence[Hashable] | None) -> IntArray:
    """[G, columns], sums of each group."""
    if groups is None:
        return hits
    if len(groups) != len(hits):
        raise DataError(f"{len(groups)} group ids for {len(hits)} solutions")
    place: dict[Hashable, int] = {}
    member = np.array([place.setdefault(group, len(place)) for group in groups], dtype=np.int64)
    sums = np.zeros((len(place), hits.shape[1]), dtype=np.int64)
    np.add.at(sums, member, hits)
    return sums


def _bootstrap(sums: IntArray, resamples: int, seed: int) -> IntArray:
    """[resamples, columns], totals of resampled groups."""
    if not len(sums):
        return np.zeros((0, sums.shape[1]), dtype=np.int64)
    return np.concatenate([np.zeros((0, sums.shape[1]), dtype=np.int64), *_chunks(sums, resamples, seed)])


def _chunks(sums: IntArray, resamples: int, seed: int) -> Iterator[IntArray]:
    """Groups with equal sums are drawn as one: few kinds exist, so a resample is one multinomial."""
    kinds, counts = np.unique(sums, axis=0, return_counts=True)
    rng = np.random.default_rng(seed)
    size = max(1, _CELLS_AT_ONCE // len(kinds))
    for start in range(0, resamples, size):
        draws = rng.multinomial(len(sums), counts / len(sums), size=min(size, resamples - start))
        yield draws @ kinds


def _scores(sums: IntArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """F1, accuracy on erroneous and on clean solutions of each row [..., 4]."""
    with np.errstate(invalid="ignore", divide="ignore"):
        acc_error, acc_clean = sums[..., 2] / sums[..., 0], sums[..., 3] / sums[..., 1]
        total = acc_error + acc_clean
        f1 = np.where(total == 0, 0.0, 2 * acc_error * acc_clean / total)
    return f1, acc_error, acc_clean


def _difference(sums: IntArray) -> FloatArray:
    """F1 of the first method minus that of the second for each row [..., 8]."""
    return _scores(sums[..., :4])[0] - _scores(sums[..., 4:])[0]


def _interval(resampled: FloatArray, level: float) -> tuple[float, float]:
    """Percentile interval of the values that are defined."""
    defined = resampled[np.isfinite(resampled)]
    if not len(defined):
        return math.nan, math.nan
    low, high = np.quantile(defined, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)
