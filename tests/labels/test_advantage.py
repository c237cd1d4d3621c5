"""Advantages and step-wise rewards, by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest

from steplabel.labels.advantage import GroupAdvantage, ProcessAdvantage, StepwiseReward
from steplabel.labels.estimates import Ending

PAV = ProcessAdvantage()
PLAIN = ProcessAdvantage(best_of=1)
VSRM = StepwiseReward()
GROUP = GroupAdvantage()

# Q of the best of 4 from c of 8: 0, 35/70, 55/70, 65/70, 69/70, 1 for c = 0 .. 5.
CASES = {
    # name: (policy, counts, outcome, root, marks, values)
    "best of four": (PAV, "2/8 1/8 4/8", "open", "3/8", "--+", [-10 / 70, -20 / 70, 34 / 70]),
    "equal chances lose nothing": (PAV, "3/8 3/8", "open", "3/8", "++", [0, 0]),
    "enough successes are all the same": (PAV, "5/8 8/8", "open", "6/8", "++", [0, 0]),
    "too few tries for the best of four": (PAV, "2/3 2/8", "open", "3/8", "??", [None, None]),
    "a right end": (PAV, "2/8 .", "right", "2/8", "++", [0, 15 / 70]),
    "a wrong end": (PAV, "2/8 .", "wrong", "2/8", "+-", [0, -55 / 70]),
    "a wrong end with few rollouts: the outcome": (PAV, "2/8 1/2", "wrong", "2/8", "+-", [0, -55 / 70]),
    "a wrong end that is ignored": (ProcessAdvantage(ending=Ending.IGNORED), "2/8 .", "wrong", "2/8", "+?", [0, None]),
    "the prover's own": (PLAIN, "6/8 3/8 .", "right", "4/8", "+-+", [0.25, -0.375, 0.625]),
    "root not known": (PLAIN, "6/8 3/8", "open", ".", "?-", [None, -0.375]),
    "over an observation": (PLAIN, "6/8 o 3/8", "open", "6/8", "+?-", [0, None, -0.375]),
    "unknown rollouts leave the sign open": (PLAIN, "4/8 3/6?2", "open", "4/8", "+?", [0, 0]),
    "but not if they cannot turn it": (PLAIN, "6/8 3/6?2", "open", "4/8", "+-", [0.25, -0.25]),
    "reward: own differences": (VSRM, "6/8 3/8 4/8", "open", "4/8", "+-+", [0.25, -0.375, 0.125]),
    "reward: a later rise is passed back": (VSRM, "4/8 4/8 6/8", "open", "4/8", "+++", [0.49 / 4, 0.7 / 4, 0.25]),
    "reward: a later fall, too": (VSRM, "4/8 4/8 2/8", "open", "4/8", "---", [-0.49 / 4, -0.7 / 4, -0.25]),
    "reward: the next change, not the largest": (VSRM, "4/8 5/8 8/8", "open", "4/8", "+++", [0.0875, 0.125, 0.375]),
    "reward: no change to pass back": (VSRM, "4/8 4/8", "open", "4/8", "++", [0, 0]),
    "reward: four steps on is near enough": (
        VSRM,
        "4/8 4/8 4/8 4/8 8/8",
        "open",
        "4/8",
        "+++++",
        [0.5 * 0.7**4, 0.5 * 0.7**3, 0.5 * 0.49, 0.35, 0.5],
    ),
    "reward: five are not": (
        VSRM,
        "4/8 4/8 4/8 4/8 4/8 0/8",
        "open",
        "4/8",
        "+-----",
        [0, -0.5 * 0.7**4, -0.5 * 0.7**3, -0.5 * 0.49, -0.35, -0.5],
    ),
    "reward: a gap stops the look ahead": (VSRM, "4/8 . 8/8", "open", "4/8", "+??", [0, None, None]),
    "reward: observations are passed over": (VSRM, "4/8 o 8/8", "open", "4/8", "+?+", [0.35, None, 0.5]),
    "reward: none decays to none": (StepwiseReward(decay=0.0), "4/8 8/8", "open", "4/8", "++", [0, 0.5]),
    "reward: no look ahead": (StepwiseReward(lookahead=0), "4/8 8/8", "open", "4/8", "++", [0, 0.5]),
    "group: a right one of many": (GROUP, "1/2 1/1", "right", "1/4", "++", [0.75, 0.5]),
    "group: a wrong one of many": (GROUP, "1/2 0/1", "wrong", "1/4", "--", [-0.25, -0.5]),
    "group: alone in its state": (GROUP, "0/1 0/1", "wrong", "1/4", "-+", [-0.25, 0]),
    "group: outcome unknown": (GROUP, "1/2 .", "open", "1/4", "??", [None, None]),
    "group: siblings that may be right": (GROUP, "1/1?1 1/1", "right", "1/2", "++", [0.5, 0]),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_by_hand(batch_of, signs, case):
    """Values are the stated differences, and marks their signs where the bounds agree on one."""
    policy, counts, outcome, root, marks, values = case
    labels = policy(batch_of([counts], [outcome], [root]))
    np.testing.assert_allclose(labels.values, [math.nan if v is None else v for v in values], atol=1e-12)
    assert signs(labels) == marks


def test_rewards_stay_in_their_solution(batch_of):
    """A change in the next solution is not passed back to the end of this one."""
    labels = VSRM(batch_of(["4/8 4/8", "8/8"], ["open", "open"], ["4/8", "4/8"]))
    assert labels.values.tolist() == [0, 0, 0.5]


def test_advantages_add_up(batch_of):
    """Differences along a solution telescope: their sum is the end's value less the root's."""
    labels = PLAIN(batch_of(["6/8 3/8 1/8 7/8 ."], ["right"], ["2/8"]))
    assert labels.values.sum() == pytest.approx(1 - 0.25)


def test_bounds(batch_of):
    """A difference is bounded by the least after the most and the most after the least."""
    labels = PLAIN(batch_of(["3/6?2"], ["open"], ["4/7!1"]))
    assert (labels.lows[0], labels.highs[0]) == pytest.approx((3 / 8 - 5 / 8, 5 / 8 - 4 / 8))
