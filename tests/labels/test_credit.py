"""Min-form credit, by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from steplabel.labels.credit import MinForm
from steplabel.labels.estimation import HardAny, Soft
from steplabel.schemas import AfterError

RAW = Soft()


def test_by_hand(batch_of, signs):
    """Of .5 and .6 at T = .1 the lower one has weight e / (e + 1); marks stay those of the values' policy."""
    batch = batch_of(["5/10 6/10"], ["open"])
    labels = MinForm()(batch)
    weight = math.e / (math.e + 1)
    np.testing.assert_allclose(labels.values, [0.5 * weight, 0.6 * (1 - weight)])
    assert signs(labels) == signs(RAW(batch)) == "++"
    assert np.isnan(labels.lows).all()
    assert np.isnan(labels.highs).all()


def test_every_solution_by_itself(batch_of):
    """Credits of one solution do not depend on its neighbours."""
    labels = MinForm()(batch_of(["1/8 8/8", "5/10 6/10", "3/8"], ["open"] * 3))
    weight = math.e / (math.e + 1)
    np.testing.assert_allclose(labels.values[2:], [0.5 * weight, 0.6 * (1 - weight), 0.375])


def test_one_step_without_a_value_leaves_none(batch_of):
    """Where the minimum may lie elsewhere nothing can be weighed; observations have no say."""
    labels = MinForm()(batch_of(["4/8 . 4/8", "4/8 o 4/8"], ["open", "open"]))
    assert np.isnan(labels.values[:3]).all()
    np.testing.assert_allclose(labels.values[3:], [0.25, math.nan, 0.25])


def test_steps_that_are_cut_have_no_weight(batch_of):
    """Only what the row keeps is weighed."""
    policy = MinForm(values_of=HardAny(after_error=AfterError.CUT), temperature=1.0)
    labels = policy(batch_of(["8/8 0/8 ."], ["open"]))
    np.testing.assert_allclose(labels.values, [1 / (1 + math.e), 0.0, math.nan])
    assert policy.after_error is AfterError.CUT


@given(st.lists(st.integers(0, 8), min_size=1, max_size=8), st.sampled_from([0.001, 0.1, 1.0, 100.0]))
def test_credits_lie_between_minimum_and_mean(batch_of, successes, temperature):
    """They add up to no less than the smallest value and no more than the mean, and to the minimum as T falls."""
    line = " ".join(f"{c}/8" for c in successes)
    total = MinForm(temperature=temperature)(batch_of([line], ["open"])).values.sum()
    values = np.array(successes) / 8
    assert values.min() - 1e-9 <= total <= values.mean() + 1e-9
    if temperature == 0.001:
        assert total == pytest.approx(values.min())
