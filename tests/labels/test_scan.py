"""SCAN's labels, by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest

from steplabel.labels.scan import Scan

CASES = {
    # name: (policy, counts, outcome, root, marks, values, first error)
    "window of two, weighed by .8": (
        Scan(),
        "8/8 8/8 4/8 6/8 0/8 .",
        "wrong",
        "8/10",
        "++++--",
        [1, 1, 0.625, 0.9375, 0, None],
        4,
    ),
    "weighed values end at 1": (Scan(), "8/8 7/8 0/8", "wrong", "8/10", "++-", [1, 1, 0], 2),
    "error in the first step": (Scan(), "0/8 . .", "wrong", "8/10", "-?-", [0, None, None], 0),
    "error in the second step": (Scan(), "4/8 0/8 .", "wrong", "8/10", "+--", [0.625, 0, None], 1),
    "observations do not use up the window": (
        Scan(),
        "4/8 4/8 o 4/8 0/8",
        "wrong",
        "8/8",
        "++?+-",
        [1, 0.5, None, 0.5, 0],
        4,
    ),
    "no window": (Scan(window=0), "4/8 4/8 0/8", "wrong", "8/8", "++-", [1, 1, 0], 2),
    "wide window": (Scan(window=9), "4/8 4/8 0/8", "wrong", "8/8", "++-", [0.5, 0.5, 0], 2),
    "no step fails: the last is the error": (Scan(), "8/8 8/8 4/8 .", "wrong", "8/8", "+++-", [1, 1, 0.5, 0], 3),
    "a right solution is right throughout": (Scan(), ". 0/8 .", "right", "6/8", "+++", [1, 1, 1], -1),
    "at the gate": (Scan(), "4/8 0/8", "wrong", "6/8", "+-", [2 / 3, 0], 1),
    "below the gate": (Scan(), "4/8 0/8", "wrong", "5/8", "??", [None, None], -2),
    "below the gate, right": (Scan(), "4/8 4/8", "right", "5/8", "??", [None, None], -2),
    "a lower gate": (Scan(min_confidence=0.5), "4/8 0/8", "wrong", "5/8", "+-", [0.8, 0], 1),
    "no self-confidence": (Scan(), "4/8 0/8", "wrong", ".", "??", [None, None], -2),
    "no gate and no confidence": (Scan(min_confidence=0.0), "4/8 0/8", "wrong", ".", "??", [None, None], -2),
    "a gate of 0 and a confidence of 0": (Scan(min_confidence=0.0), "4/8 0/8", "wrong", "0/8", "+-", [1, 0], 1),
    "samples without an answer are wrong": (Scan(), "4/8 0/8", "wrong", "5/6?2", "??", [None, None], -2),
    "or may be told apart": (Scan(unknown_as="unknown"), "4/8 0/8", "wrong", "6/6?2", "+-", [0.5, 0], 1),
    "a gate between the bounds": (Scan(unknown_as="unknown"), "4/8 0/8", "wrong", "5/6?2", "??", [None, None], -2),
    "samples that crashed may tip the gate": (Scan(), "4/8 0/8", "wrong", "5/6!2", "??", [None, None], -2),
    "binary search: implied steps have no value": (Scan(), ". 4/8 . 0/8", "wrong", "8/8", "++?-", [None] * 4, -2),
    "binary search, located": (Scan(), ". . 4/8 0/8", "wrong", "8/8", "+++-", [1, None, 0.5, 0], 3),
    "outcome unknown, error located": (Scan(), "4/8 0/8 .", "open", "8/8", "+-?", [0.5, 0, None], 1),
    "outcome unknown, nothing fails": (Scan(), "4/8 4/8 .", "open", "8/8", "???", [None] * 3, -2),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_by_hand(batch_of, signs, case):
    """Gate, window, weights and cut as the paper says, and unlabelled wherever they cannot be told."""
    policy, counts, outcome, root, marks, values, first_error = case
    labels = policy(batch_of([counts], [outcome], [root]))
    if first_error == -2:
        marks, values = "?" * len(marks), [None] * len(values)
    assert signs(labels) == marks
    shown = np.where(labels.kept, labels.values, math.nan)
    np.testing.assert_allclose(shown, [math.nan if v is None else v for v in values])
    assert labels.first_error.tolist() == [first_error]


def test_what_follows_the_error_is_cut(batch_of):
    """Rows end with the error; unlabelled solutions are whole."""
    labels = Scan()(batch_of(["4/8 0/8 . .", "4/8 0/8 .", ". ."], ["wrong", "wrong", "right"], ["8/8", "1/8", "8/8"]))
    assert labels.kept.tolist() == [True, True, False, False] + [True] * 3 + [True] * 2


def test_bounds_of_a_window_step(batch_of):
    """MC in [2/8, 4/8] over SC in [6/8, 7/8]: the share lies in [2/7, 2/3]; set values have no doubt."""
    labels = Scan(unknown_as="unknown")(batch_of(["2/6?2 0/8"], ["wrong"], ["6/7!1"]))
    assert labels.lows[0] == pytest.approx(2 / 7)
    assert labels.highs[0] == pytest.approx(2 / 3)
    assert labels.values[0] == pytest.approx((2 / 6) / (6 / 7))
    assert (labels.lows[1], labels.values[1], labels.highs[1]) == (0, 0, 0)


def test_right_solutions_rest_on_their_outcome(batch_of):
    """A right solution's ones are by decree: `by_outcome` tells, unless the problem is not believed."""
    labels = Scan()(batch_of(["8/8 .", "8/8 .", "8/8 0/8"], ["right", "right", "wrong"], ["8/8", "1/8", "8/8"]))
    assert labels.by_outcome.tolist() == [True, False, False]
