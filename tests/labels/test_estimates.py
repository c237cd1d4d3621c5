"""Counts to values: unbiased best-of-K, what precedes a step, who speaks at the end."""

from __future__ import annotations

import math
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from steplabel.labels.estimates import Ending, Estimates, best_of, ratio, state_values, values_before
from steplabel.schemas.batches import Counts

NAN = math.nan


@pytest.mark.parametrize(
    ("successes", "tries", "expected"),
    [(0, 8, 0.0), (1, 8, 0.5), (2, 8, 1 - 15 / 70), (4, 8, 1 - 1 / 70), (5, 8, 1.0), (1, 4, 1.0), (3, 3, NAN)],
)
def test_best_of_four(successes, tries, expected):
    """1 - C(k-c, 4) / C(k, 4) by hand; fewer than four tries say nothing."""
    (value,) = best_of(4)(np.array([successes]), np.array([tries]))
    assert value == pytest.approx(expected, nan_ok=True)


@given(st.integers(1, 6), st.integers(0, 9), st.data())
def test_best_of_is_the_share_of_subsets_with_a_success(k, tries, data):
    """It is exactly the chance that K of the tries, drawn without return, hold a right one."""
    successes = data.draw(st.integers(0, tries))
    (value,) = best_of(k)(np.array([successes]), np.array([tries]))
    subsets = list(combinations(range(tries), k))
    expected = sum(min(subset) < successes for subset in subsets) / len(subsets) if subsets else NAN
    assert value == pytest.approx(expected, nan_ok=True)


def test_best_of_one_is_the_share():
    """K = 1 gives c/k, and NaN where nobody asked, as `ratio` does."""
    c, k = np.array([0, 3, 8, 0]), np.array([8, 8, 8, 0])
    np.testing.assert_allclose(best_of(1)(c, k), ratio(c, k))


def test_best_of_many_does_not_overflow():
    """Hundreds of tries stay finite and between 0 and 1."""
    value = best_of(64)(np.array([1, 500, 0]), np.array([1000, 1000, 1000]))
    assert value == pytest.approx([0.064, 1.0, 0.0])


numbers = st.integers(0, 5)


@given(numbers, numbers, numbers, numbers, st.sampled_from(["wrong", "unknown"]), st.integers(1, 3))
def test_bounds_hold_whatever_the_unknown_were(c, w, unanswered, other, unknown_as, k):
    """Turning unknown rollouts into right or wrong ones moves the value only inside [low, high]."""
    counts = Counts(**_one(c, w, unanswered + other, unanswered))
    claim = Estimates.of(counts, best_of(k), unknown_as)
    total = c + w + unanswered + other
    for lucky in range(unanswered + other + 1):
        (settled,) = best_of(k)(np.array([c + lucky]), np.array([total]))
        if not math.isnan(settled):
            assert claim.lows[0] - 1e-9 <= settled <= claim.highs[0] + 1e-9
    if not math.isnan(claim.values[0]):
        assert claim.floors[0] - 1e-9 <= claim.values[0] <= claim.ceilings[0] + 1e-9
        assert claim.lows[0] <= claim.floors[0] + 1e-9
        assert claim.ceilings[0] <= claim.highs[0] + 1e-9


def _one(c, w, unknown, unanswered):
    names = ("correct", "wrong", "unknown", "unanswered")
    return {name: np.array([n]) for name, n in zip(names, (c, w, unknown, unanswered), strict=True)}


def test_difference_and_ratio_of_bounds(batch_of):
    """Half or more of 4/6?2 after 6/8: the difference and the ratio take the bounds crosswise."""
    batch = batch_of(["4/6?2"], ["open"], ["6/8"])
    step = Estimates.of(batch.at_steps, ratio, "unknown")
    root = Estimates.of(batch.at_root, ratio, "unknown")
    gain, times = step.minus(root), step.over(root)
    assert (gain.values[0], gain.lows[0], gain.highs[0]) == pytest.approx((4 / 6 - 0.75, -0.25, 0.0))
    assert (times.values[0], times.lows[0], times.highs[0]) == pytest.approx((8 / 9, 2 / 3, 1.0))


BEFORE = {
    # name: (counts, root, the value before each step)
    "root, then the step before": ("4/8 2/8 .", "6/8", [0.75, 0.5, 0.25]),
    "an unasked step breaks the chain": ("4/8 . 2/8", "6/8", [0.75, 0.5, NAN]),
    "root not known": ("4/8 2/8", ".", [NAN, 0.5]),
    "an unasked observation is passed over": ("4/8 o 2/8", "6/8", [0.75, 0.5, 0.5]),
    "an asked observation is the state before": ("4/8 o3/8 2/8", "6/8", [0.75, 0.5, 0.375]),
    "a leading observation": ("o 2/8", "6/8", [0.75, 0.75]),
    "a leading observation that was asked": ("o1/8 2/8", "6/8", [0.75, 0.125]),
}


@pytest.mark.parametrize("case", BEFORE.values(), ids=BEFORE.keys())
def test_values_before(batch_of, case):
    """Each step goes on from the prefix that the step before it ended, the first from the bare problem."""
    line, root, expected = case
    batch = batch_of(["8/8 8/8", line, "8/8"], ["open"] * 3, ["1/8", root, "1/8"])
    states = Estimates.of(batch.at_steps, ratio, "unknown")
    found = values_before(batch, states, Estimates.of(batch.at_root, ratio, "unknown"))
    np.testing.assert_array_equal(found.values[2:-1], expected)


@pytest.mark.parametrize(
    ("ending", "values"),
    [
        (Ending.MEASURED, [0.5, 0.25, 0.5, 1.0]),
        (Ending.FORCED, [0.5, 0.0, 0.5, 1.0]),
        (Ending.IGNORED, [0.5, 0.25, 0.5, NAN]),
    ],
)
def test_who_speaks_at_the_end(batch_of, ending, values):
    """Rollouts, the outcome, or nobody: each ending on a wrong solution that was asked and a right one that was not."""
    batch = batch_of(["4/8 2/8", "4/8 ."], ["wrong", "right"])
    np.testing.assert_array_equal(state_values(batch, ratio, "unknown", ending).values, values)


def test_an_unknown_outcome_forces_nothing(batch_of):
    """A forced end needs an outcome: where it is unknown, rollouts stay."""
    batch = batch_of(["4/8 2/8", "4/8 ."], ["open", "open"])
    np.testing.assert_array_equal(state_values(batch, ratio, "unknown", Ending.FORCED).values, [0.5, 0.25, 0.5, NAN])
