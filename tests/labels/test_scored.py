"""Values that a source gave itself, and their change, by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from steplabel.labels.apply import label_evidence
from steplabel.labels.counts import count_evidence
from steplabel.labels.policies import POLICIES
from steplabel.labels.scored import ScoredGain, ScoredValue
from steplabel.schemas import AfterError, Observation, Reason, StepMark, Verdict

VALUE = ScoredValue(source="s")
HALF = ScoredValue(source="s", threshold=0.5)
GAIN = ScoredGain(source="s")
P, N, U = StepMark.POSITIVE, StepMark.NEGATIVE, StepMark.UNKNOWN

VALUES = {
    # name: (policy, counts, scores, marks, values, first error)
    "values": (VALUE, ". . .", "1 .25 .125", "+++", [1, 0.25, 0.125], -1),
    "zero is an error": (VALUE, ". . .", "1 .25 0", "++-", [1, 0.25, 0], 2),
    "silence is unknown": (VALUE, ". . .", "1 ? 0", "+?-", [1, None, 0], -2),
    "silence at the front hides the first error": (VALUE, ". .", "? 0", "?-", [None, 0], -2),
    "silence behind the error does not": (VALUE, ". . .", "1 0 ?", "+-?", [1, 0, None], 1),
    "all silent": (VALUE, ". .", "? ?", "??", [None, None], -2),
    "rollouts have no say": (VALUE, "8/8 0/8 8/8", "0 1 ?", "-+?", [0, 1, None], 0),
    "values may rise": (VALUE, ". . .", "0 .5 1", "-++", [0, 0.5, 1], 0),
    "observations have no label": (VALUE, ". o .", "1 0 .5", "+?+", [1, None, 0.5], -1),
    "the sign of 2 V - 1": (HALF, ". . .", ".75 .5 .25", "+--", [0.75, 0.5, 0.25], 1),
}


@pytest.mark.parametrize("outcome", ["right", "wrong", "open"])
@pytest.mark.parametrize("case", VALUES.values(), ids=VALUES.keys())
def test_values_by_hand(batch_of, signs, case, outcome):
    """The score is the value; "+" above the threshold, "-" at it or below; the outcome is not asked."""
    policy, counts, scores, marks, values, first_error = case
    labels = policy(batch_of([counts], [outcome], scores={"s": scores}))
    assert signs(labels) == marks
    np.testing.assert_array_equal(labels.values, [math.nan if v is None else v for v in values])
    assert labels.first_error.tolist() == [first_error]
    assert np.isnan([labels.lows, labels.highs]).all()
    assert not labels.by_outcome.any()


def test_another_source_is_not_heard(batch_of, signs):
    """A policy of one source's scores is silent where only others spoke."""
    batch = batch_of([". ."], ["wrong"], scores={"other": "1 0"}, root_scores={"other": ".5"})
    for policy in (VALUE, GAIN):
        assert signs(policy(batch)) == "??"


def test_after_error(batch_of, signs):
    """What follows the first "-" is treated as the option says."""
    batch = batch_of([". . ."], ["open"], scores={"s": "1 0 1"})
    cut = ScoredValue(source="s", after_error=AfterError.CUT)(batch)
    assert cut.kept.tolist() == [True, True, False]
    assert signs(ScoredValue(source="s", after_error=AfterError.NEGATIVE)(batch)) == "+--"
    assert signs(ScoredValue(source="s", after_error=AfterError.UNKNOWN)(batch)) == "+-?"


GAINS = {
    # name: (counts, scores, root, marks, values, first error)
    "gains and losses": (". . .", ".5 .75 .25", ".25", "++-", [0.25, 0.25, -0.5], 2),
    "no change loses nothing": (". .", ".5 .5", ".5", "++", [0, 0], -1),
    "nor does rounding": (". .", "0.3 0.30000000000000004", "0.30000000000000004", "++", [0, 0], -1),
    "the end is not asked": (". . .", ".5 .75 ?", ".25", "++?", [0.25, 0.25, None], -2),
    "without the root the first step is unknown": (". .", ".5 .25", "?", "?-", [None, -0.25], -2),
    "two steps are unknown about one silence": (". . . .", ".5 ? .5 .75", ".5", "+??+", [0, None, None, 0.25], -2),
    "over an observation nobody scored": (". o .", ".5 ? .75", ".25", "+?+", [0.25, None, 0.25], -1),
    "from an observation that was scored": (". o .", ".5 .125 .75", ".25", "+?+", [0.25, None, 0.625], -1),
    "all of it": (".", "1", "0", "+", [1], -1),
    "lost at once": (".", "0", "1", "-", [-1], 0),
}


@pytest.mark.parametrize("outcome", ["right", "wrong", "open"])
@pytest.mark.parametrize("case", GAINS.values(), ids=GAINS.keys())
def test_gains_by_hand(batch_of, signs, case, outcome):
    """The score after a step less the one before; unknown where either is not known; the outcome is not asked."""
    counts, scores, root, marks, values, first_error = case
    labels = GAIN(batch_of([counts], [outcome], ["8/8"], scores={"s": scores}, root_scores={"s": root}))
    assert signs(labels) == marks
    np.testing.assert_allclose(labels.values, [math.nan if v is None else v for v in values], atol=1e-12)
    assert labels.first_error.tolist() == [first_error]
    assert np.isnan([labels.lows, labels.highs]).all()


def test_solutions_begin_at_their_own_root(batch_of, signs):
    """A solution's first step is never compared with the end of the solution before it in the batch."""
    batch = batch_of([".", "", "."], ["open"] * 3, scores={"s": "1 .5"}, root_scores={"s": "0 0 .25"})
    labels = GAIN(batch)
    assert (signs(labels), labels.values.tolist()) == ("++", [1.0, 0.25])


grades = st.none() | st.sampled_from([0.0, 0.25, 0.5, 1.0])
lines = st.lists(st.tuples(st.sampled_from([".", ".", "o", "8/8", "0/8"]), grades), min_size=1, max_size=8)


def _line(drawn):
    return " ".join(word for word, _ in drawn), " ".join("?" if grade is None else str(grade) for _, grade in drawn)


@given(lines, grades, st.integers(0, 7))
def test_unknown_never_becomes_a_minus(batch_of, drawn, root, lost):
    """Taking a score away turns marks into unknown ones and moves none to "-"; silent steps have no label."""
    counts, scores = _line(drawn)
    forgotten = [(word, None if i == lost else grade) for i, (word, grade) in enumerate(drawn)]
    at_root = {"s": "?" if root is None else str(root)}
    for policy in (VALUE, HALF, GAIN):
        all_said = policy(batch_of([counts], ["wrong"], scores={"s": scores}, root_scores=at_root))
        less_batch = batch_of([counts], ["wrong"], scores={"s": _line(forgotten)[1]}, root_scores=at_root)
        less = policy(less_batch)
        silent = np.isnan(less_batch.scores_of("s"))
        assert (less.marks[silent] == 0).all()
        assert np.isnan(less.values[silent]).all()
        # Where a tool's output loses its score, the state before it stands in: another comparison.
        if lost >= len(drawn) or drawn[lost][0] != "o":
            assert ((less.marks == all_said.marks) | (less.marks == 0)).all()


def _says(subject, source, score, **fields):
    return Observation(subject=subject, source=source, source_version="1", score=score, **fields)


def test_records_to_labels(records):
    """As sources write them: a judge's scores, values of a tree, the gold answer's probabilities."""
    solution = records.solution("a\n", "b\n", "c\n", "d")
    a, b, c, _ = solution.node_keys
    root = records.problem.root_key
    observations = (
        _says(root, "judge", None, evidence="{}"),
        _says(a, "judge", 0.5, verdict=Verdict.HOLDS),
        _says(c, "judge", 0.0, verdict=Verdict.FAILS),
        _says(a, "mcts", 0.5),
        _says(b, "mcts", 0.0),
        _says(root, "gold_logprob", 0.25),
        _says(a, "gold_logprob", 0.5),
        _says(b, "gold_logprob", None, reason=Reason.ENGINE_ERROR),
        _says(c, "gold_logprob", 0.125),
    )
    evidence = records.evidence([solution], {b: "cccc"}, "w", observations=observations)

    def labelled(name):
        (labels,) = label_evidence([evidence], POLICIES.get(name) or ScoredValue(source=name))
        return labels.marks, labels.values, labels.first_error

    assert labelled("judge") == ((P, U, N, U), (0.5, None, 0.0, None), None)
    assert labelled("mcts") == ((P, N, U, U), (0.5, 0.0, None, None), 1)
    assert labelled("igpo") == ((P, U, U, U), (0.25, None, None, None), None)
    assert labelled("rest_mcts") == ((U,) * 4, (None,) * 4, None)


def test_scores_are_counted_by_node(records):
    """Siblings share the scores of shared steps, and the root's; a source that never scored has no column."""
    left, right = records.solution("a", "b"), records.solution("a", "c", "d")
    a, b = left.node_keys
    observations = (
        _says(a, "mcts", 0.5),
        _says(b, "mcts", 0.0),
        _says(right.node_keys[2], "igpo", 1.0),
        _says(records.problem.root_key, "igpo", 0.25),
        _says(a, "judge", None, verdict=Verdict.HOLDS),
        _says(left.id, "mcts", 0.75),
        _says("elsewhere", "other", 1.0),
    )
    one = records.evidence([left, right], observations=observations)
    batch = count_evidence([records.evidence([right]), one])
    nan = math.nan
    assert sorted(batch.scores) == ["igpo", "mcts"]
    np.testing.assert_array_equal(batch.scores["mcts"], [nan, nan, nan, 0.5, 0, 0.5, nan, nan])
    np.testing.assert_array_equal(batch.scores["igpo"], [nan] * 7 + [1])
    assert sorted(batch.root_scores) == ["igpo"]
    np.testing.assert_array_equal(batch.root_scores["igpo"], [nan, 0.25, 0.25])


def test_a_probe_changes_no_score(records):
    """Scores stand on a prefix's own node, whichever rollouts are counted; so they do without any."""
    solution = records.solution("a")
    observations = (_says(solution.node_keys[0], "s", 0.5), _says(records.problem.root_key, "s", 0.25))
    evidence = records.evidence([solution], observations=observations)
    for batch in (count_evidence([evidence]), count_evidence([evidence], probe="So:")):
        assert (batch.scores["s"].tolist(), batch.root_scores["s"].tolist()) == ([0.5], [0.25])
