"""Per-step quality against hand-computed numbers."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from steplabel.labels.step_metrics import calibration, ranking_quality, score_negative_marks
from steplabel.schemas import ConfigError, DataError, StepMark

P, N, U = StepMark.POSITIVE, StepMark.NEGATIVE, StepMark.UNKNOWN


def test_negative_marks_by_hand():
    """3 of 4 "-" stand on wrong steps; 3 of 6 wrong steps are found; unknown truth is left out."""
    marks = [N, N, N, N, P, P, U, P, U, N]
    truth = [False, False, False, True, False, False, False, True, True, None]
    report = score_negative_marks(marks, truth)
    assert (report.precision, report.recall) == (0.75, 0.5)
    assert report.f1 == pytest.approx(0.6)
    assert (report.wrong, report.marked, report.found) == (6, 4, 3)
    assert (report.unknown, report.steps) == (2, 9)


@pytest.mark.parametrize(
    ("marks", "truth", "expected"),
    [
        ([], [], (math.nan, math.nan, math.nan)),
        ([P, U], [False, True], (math.nan, 0.0, math.nan)),
        ([N, P], [True, True], (0.0, math.nan, math.nan)),
        ([N, P], [True, False], (0.0, 0.0, 0.0)),
        ([N, N], [None, None], (math.nan, math.nan, math.nan)),
    ],
    ids=["nothing", "no minus", "nothing wrong", "no hit", "no truth"],
)
def test_undefined_shares(marks, truth, expected):
    """A share of nothing is NaN, not 0 or 1."""
    report = score_negative_marks(marks, truth)
    assert (report.precision, report.recall, report.f1) == pytest.approx(expected, nan_ok=True)


def test_brier_by_hand():
    """Mean of .04, .16, .25 and .25; two values are left out, of which one was not known."""
    report = calibration([0.8, 0.4, 0.5, 0.5, None, 0.9], [True, False, True, False, True, None])
    assert report.brier == pytest.approx((0.04 + 0.16 + 0.25 + 0.25) / 4)
    assert (report.scored, report.unknown) == (4, 1)


def test_reliability_by_hand():
    """Two bins: .2 and .4 claimed .3 with half true; .9 and 1 claimed .95 with all true."""
    report = calibration([0.2, 0.4, 0.9, 1.0], [True, False, True, True], bins=2)
    low, high = report.bins
    assert (low.low, low.high, low.count) == (0.0, 0.5, 2)
    assert (low.claimed, low.observed) == pytest.approx((0.3, 0.5))
    assert (high.count, high.claimed, high.observed) == (2, pytest.approx(0.95), 1.0)
    assert report.error == pytest.approx((0.2 + 0.05) / 2)


def test_empty_bins():
    """An empty bin has no numbers and does not spoil the rest; nothing at all is NaN."""
    report = calibration([0.0, 1.0], [False, True], bins=4)
    assert [b.count for b in report.bins] == [1, 0, 0, 1]
    assert math.isnan(report.bins[1].claimed)
    assert (report.brier, report.error) == (0.0, 0.0)
    nothing = calibration([None], [True])
    assert math.isnan(nothing.brier)
    assert math.isnan(nothing.error)


def test_honest_values_are_calibrated():
    """Values drawn as true probabilities have an error near 0; always saying one has their failure rate."""
    rng = np.random.default_rng(0)
    values = rng.random(20_000)
    truth = (rng.random(20_000) < values).tolist()
    assert calibration(values.tolist(), truth).error < 0.02
    assert calibration([1.0] * 20_000, truth).error == pytest.approx(0.5, abs=0.02)


@pytest.mark.parametrize(
    ("values", "truth", "expected"),
    [
        ([0.9, 0.8, 0.1], [True, True, False], 1.0),
        ([0.1, 0.9], [True, False], 0.0),
        ([0.5, 0.5], [True, False], 0.5),
        ([0.9, 0.3, 0.5, 0.5], [True, True, False, False], 0.5),
        ([0.9, None, 0.1], [True, False, False], 1.0),
        ([0.9], [True], math.nan),
        ([], [], math.nan),
    ],
    ids=["perfect", "reversed", "tie", "half", "unknown left out", "one class", "nothing"],
)
def test_ranking_by_hand(values, truth, expected):
    """The share of right/wrong pairs in the right order, ties counting half."""
    assert ranking_quality(values, truth) == pytest.approx(expected, nan_ok=True)


@given(st.lists(st.tuples(st.sampled_from([0.0, 0.25, 0.5, 1.0]), st.booleans()), max_size=12))
def test_ranking_is_the_share_of_pairs(steps):
    """Whatever the values, the fast count equals comparing every pair."""
    rights = [v for v, right in steps if right]
    wrongs = [v for v, right in steps if not right]
    pairs = [(r > w) + (r == w) / 2 for r in rights for w in wrongs]
    expected = sum(pairs) / len(pairs) if pairs else math.nan
    found = ranking_quality([v for v, _ in steps], [right for _, right in steps])
    assert found == pytest.approx(expected, nan_ok=True)


@pytest.mark.parametrize("score", [score_negative_marks, calibration, ranking_quality])
def test_lengths_must_fit(score):
    """One truth a step."""
    with pytest.raises(DataError):
        score([], [True])


@pytest.mark.parametrize("value", [-0.1, 1.1, math.nan, math.inf], ids=str)
def test_values_must_be_probabilities(value):
    """A value outside [0, 1] is a mistake upstream, not a bold claim."""
    with pytest.raises(DataError):
        calibration([value], [True])
    with pytest.raises(DataError):
        ranking_quality([value], [True])


def test_bins_must_exist():
    """At least one bin."""
    with pytest.raises(ConfigError):
        calibration([0.5], [True], bins=0)
