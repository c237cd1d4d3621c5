"""Relative progress, by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest

from steplabel.labels.estimates import Ending
from steplabel.labels.progress import RelativeProgress
from steplabel.schemas import AfterError

RATIO = RelativeProgress()
DIFFERENCE = RelativeProgress(form="difference")
PAPER = RelativeProgress(unknown_as="wrong")

CASES = {
    # name: (policy, counts, outcome, root, marks, values, first error)
    "ratios": (RATIO, "6/8 6/8 3/8 .", "open", "4/8", "++-?", [1.5, 1, 0.5, None], 2),
    "four fifths are enough": (RATIO, "5/8 4/8", "open", "5/8", "++", [1, 0.8], -1),
    "four fifths in spite of rounding": (RATIO, "5/6 2/3", "open", "5/6", "++", [1, 0.8], -1),
    "less is not": (RATIO, "8/8 6/8", "open", "8/8", "+-", [1, 0.75], 1),
    "after the first zero all is lost": (RATIO, "4/8 0/8 4/8 .", "open", "4/8", "+---", [1, 0, 0, 0], 1),
    "zero at once": (RATIO, "0/8 .", "open", "4/8", "--", [0, 0], 0),
    "a right end": (RATIO, "4/8 .", "right", "4/8", "++", [1, 2], -1),
    "a wrong end": (RATIO, "4/8 .", "wrong", "4/8", "+-", [1, 0], 1),
    "a wrong end that was asked": (RATIO, "4/8 4/8", "wrong", "4/8", "++", [1, 1], -1),
    "a forced end": (RelativeProgress(ending=Ending.FORCED), "4/8 4/8", "wrong", "4/8", "+-", [1, 0], 1),
    "not asked": (RATIO, "4/8 . 4/8 4/8", "open", "4/8", "+??+", [1, None, None, 1], -2),
    "root not known": (RATIO, "4/8 4/8", "open", ".", "?+", [None, 1], -2),
    "reached from where nothing was": (RATIO, "4/8 2/8", "open", "0/8", "+-", [None, 0.5], 1),
    "nothing from nothing": (RATIO, "0/8 .", "open", "0/8", "--", [0, 0], 0),
    "over an observation": (RATIO, "4/8 o 4/8", "open", "4/8", "+?+", [1, None, 1], -1),
    "observations after a zero are not marked": (RATIO, "0/8 o .", "open", "4/8", "-?-", [0, None, 0], 0),
    "unknown rollouts may hold it": (RATIO, "4/8 2/6?2", "open", "4/8", "+?", [1, 2 / 3], -2),
    "the paper: no answer is a failure": (PAPER, "4/8 2/6?2", "open", "4/8", "+-", [1, 0.5], 1),
    "the paper: crashes are none": (PAPER, "4/8 0/4!4", "open", "4/8", "+?", [1, 0], -2),
    "all unknown": (RATIO, "?8 !8", "open", "4/8", "??", [None, None], -2),
    "differences": (DIFFERENCE, "6/8 6/8 3/8", "open", "4/8", "++-", [0.25, 0, -0.375], 2),
    "a fifth less is allowed": (DIFFERENCE, "8/10 6/10", "open", "10/10", "++", [-0.2, -0.2], -1),
    "difference after zero": (DIFFERENCE, "1/8 0/8 1/8", "open", "1/8", "+--", [0, 0, 0], 1),
    "from nothing the difference has a value": (DIFFERENCE, "4/8", "open", "0/8", "+", [0.5], -1),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_by_hand(batch_of, signs, case):
    """P_t = MC(s_t, a_t) / MC(s_t) or their difference, against the threshold, zero for ever after a zero."""
    policy, counts, outcome, root, marks, values, first_error = case
    labels = policy(batch_of([counts], [outcome], [root]))
    assert signs(labels) == marks
    np.testing.assert_allclose(labels.values, [math.nan if v is None else v for v in values], atol=1e-12)
    assert labels.first_error.tolist() == [first_error]
    assert not labels.by_outcome.any()


def test_bounds_cross_over(batch_of):
    """Least after most and most after least; a bound that has no end is absent."""
    labels = RATIO(batch_of(["2/6?2", "4/4?4"], ["open"] * 2, ["4/6?2", "0/4?4"]))
    assert labels.lows.tolist() == pytest.approx([0.25 / 0.75, 1.0])
    assert labels.highs.tolist() == pytest.approx([0.5 / 0.5, math.nan], nan_ok=True)


def test_after_error(batch_of, signs):
    """What follows the first "-" is treated as the option says, whether the step lost all or a part."""
    batch = batch_of(["8/8 4/8 4/8 4/8"], ["open"], ["8/8"])
    assert signs(RelativeProgress(after_error=AfterError.UNKNOWN)(batch)) == "+-??"
    assert RelativeProgress(after_error=AfterError.CUT)(batch).kept.tolist() == [True, True, False, False]


def test_threshold(batch_of, signs):
    """The threshold is where "+" begins, in both forms."""
    batch = batch_of(["4/8 3/8"], ["open"], ["8/8"])
    assert signs(RelativeProgress(threshold=0.5)(batch)) == "++"
    assert signs(RelativeProgress(form="difference", threshold=-0.125)(batch)) == "-+"
