"""The outcome gate."""

from __future__ import annotations

import math

import numpy as np

from steplabel.labels.advantage import ProcessAdvantage
from steplabel.labels.estimation import HardAny, Soft
from steplabel.labels.gate import OutcomeGated
from steplabel.schemas import AfterError

LINES = ["8/8 4/8 o ."] * 3
OUTCOMES = ["right", "wrong", "open"]


def test_by_hand(batch_of, signs):
    """Right: the inner labels. Wrong: nothing is earned and nothing claimed. Unknown: nothing is known."""
    labels = OutcomeGated()(batch_of(LINES, OUTCOMES))
    nan = math.nan
    np.testing.assert_array_equal(labels.values, [1, 0.5, nan, 1] + [0, 0, nan, 0] + [nan] * 4)
    assert signs(labels) == "++?+????????"
    assert labels.first_error.tolist() == [-1, -2, -2]


def test_bounds_are_gated_too(batch_of):
    """A withheld reward is 0 without doubt."""
    labels = OutcomeGated()(batch_of(["4/6?2 ."] * 2, ["right", "wrong"]))
    assert labels.lows.tolist() == [0.5, 1, 0, 0]
    assert labels.highs.tolist() == [0.75, 1, 0, 0]


def test_negative_rewards_are_withheld_too(batch_of):
    """A step that lost something in a failed attempt does not pay for it either."""
    labels = OutcomeGated(labels_of=ProcessAdvantage(best_of=1))(
        batch_of(["2/8 ."] * 2, ["right", "wrong"], ["4/8"] * 2)
    )
    assert labels.values.tolist() == [-0.25, 0.75, 0, 0]


def test_nothing_is_cut_behind_a_shut_gate(batch_of):
    """Where the inner policy's marks are not shown, its cut is not either."""
    policy = OutcomeGated(labels_of=HardAny(after_error=AfterError.CUT))
    labels = policy(batch_of(["0/8 4/8 ."] * 2, ["right", "wrong"]))
    assert labels.kept.tolist() == [True, False, False, True, True, True]
    assert policy.after_error is AfterError.CUT


def test_the_inner_policy_is_not_changed(batch_of):
    """The gate returns new arrays: a right solution's labels equal the inner policy's."""
    batch = batch_of(LINES[:1], ["right"])
    inner, gated = Soft()(batch), OutcomeGated(labels_of=Soft())(batch)
    for name in ("marks", "values", "lows", "highs", "first_error", "kept", "by_outcome"):
        np.testing.assert_array_equal(getattr(gated, name), getattr(inner, name))
