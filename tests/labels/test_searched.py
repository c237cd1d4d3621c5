"""Labels at the steps that a search singled out: the search says which, the rollouts there say what."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from steplabel.labels.apply import label_evidence
from steplabel.labels.estimation import Soft
from steplabel.labels.policies import POLICIES
from steplabel.labels.searched import SearchedEdges
from steplabel.schemas import AfterError, ConfigError, LabelTarget, Observation, StepMark, Verdict

P, N, U = StepMark.POSITIVE, StepMark.NEGATIVE, StepMark.UNKNOWN
SOFT, HARD = POLICIES["omegaprm"], POLICIES["omegaprm_hard"]


def edge(subject, score):
    verdict = Verdict.HOLDS if score > 0 else Verdict.FAILS
    return Observation(subject=subject, source="omegaprm", source_version="1", score=score, verdict=verdict)


def claimed(batch_of, line, edges, outcome="wrong"):
    """One solution, `edges` being the scores that the search gave ("?": no edge of one step)."""
    return batch_of([line], [outcome], scores={"omegaprm": edges})


@pytest.mark.parametrize(
    ("line", "edges", "outcome", "marks", "values"),
    [
        ("4/8 0/8 .", "1 1 ?", "wrong", "+-?", (0.5, 0.0, None)),
        ("4/8 4/8 .", "? .5 ?", "wrong", "?+?", (None, 0.5, None)),
        ("8/8 0/4!4 .", "1 0 ?", "wrong", "+??", (1.0, 0.0, None)),
        ("8/8 0/4?4 .", "1 0 ?", "wrong", "+-?", (1.0, 0.0, None)),
        ("0/8 8/8 .", "0 ? ?", "right", "-??", (0.0, None, None)),
        ("8/8 .", "1 0", "wrong", "+-", (1.0, 0.0)),
        ("8/8 .", "1 0", "right", "++", (1.0, 1.0)),
        ("8/8 .", "1 0", "open", "+?", (1.0, None)),
        ("8/8 .", "1 ?", "wrong", "+?", (1.0, None)),
        ("8/8 3/4", "1 .75", "wrong", "++", (1.0, 0.75)),
        ("8/8 . .", "1 .5 0", "wrong", "+?-", (1.0, None, 0.0)),
        ("8/8 o8/8 .", "1 1 0", "wrong", "+?-", (1.0, None, 0.0)),
        ("8/8 . o", "1 0 ?", "wrong", "+-?", (1.0, 0.0, None)),
    ],
    ids=[
        "the scores do not count",
        "no edge, no label",
        "checkers that failed may have hidden a right one",
        "silence counts as wrong",
        "nothing is implied by later steps or the answer",
        "the last step of a wrong path",
        "the answer was found right in the end",
        "the answer is not known any more",
        "the last step is no edge",
        "rollouts from the last step come first",
        "an edge that nobody asked",
        "tool output is nobody's step",
        "the last step that the policy wrote",
    ],
)
def test_by_hand(batch_of, signs, line, edges, outcome, marks, values):
    """Marks and values of the rollouts, at the edges alone."""
    for policy in (SOFT, HARD):
        labels = policy(claimed(batch_of, line, edges, outcome))
        assert signs(labels) == marks
        assert tuple(None if math.isnan(v) else v for v in labels.values) == values


def test_bounds_are_those_of_the_counts(batch_of):
    """What could not be checked leaves the value between two bounds."""
    labels = SOFT(claimed(batch_of, "2/4!4 0/4!4", "1 0"))
    assert (labels.lows.tolist(), labels.highs.tolist()) == ([0.25, 0.0], [0.75, 0.5])


def test_the_first_error_wants_edges_before_it(batch_of):
    """It is located where every step before it is an edge, and has a right rollout behind it."""
    for edges, first in (("1 1 0", 2), ("1 ? 0", -2), ("1 1 ?", -2)):
        assert SOFT(claimed(batch_of, "8/8 8/8 0/8", edges)).first_error.tolist() == [first]
    cut = SearchedEdges(after_error=AfterError.CUT)(claimed(batch_of, "8/8 0/8 1/8", "1 0 ?"))
    assert cut.kept.tolist() == [True, True, False]


def test_answers_that_are_judged_again_change_the_labels(records):
    """The search saw no right rollout behind b, a newer checker two of four: the edge stays, its value does not."""
    path = records.solution("a", "b", "c")
    a, b, _ = path.node_keys
    edges = (edge(a, 1.0), edge(b, 0.0))
    old = records.evidence([path], {a: "cc", b: "wwww"}, "w", observations=edges)
    (labels,) = label_evidence([old], SOFT)
    assert (labels.marks, labels.values, labels.first_error) == ((P, N, U), (1.0, 0.0, None), 1)
    judged = tuple(
        records.outcome(rollout.key, "c" if rollout.index < 2 else "w", version="2") for rollout in old.rollouts
    )
    new = dataclasses.replace(old, outcomes=(*old.outcomes, *judged))
    (labels,) = label_evidence([new], SOFT)
    assert (labels.marks, labels.values, labels.first_error) == ((P, P, U), (1.0, 0.5, None), None)
    assert labels.successes == (2, 2, 0)


def test_who_spoke(records):
    """Rollouts and the answer, not the search; the answer alone where no rollout had a say."""
    left, right = records.solution("a", "b"), records.solution("c")
    evidence = records.evidence(
        [left, right],
        {left.node_keys[0]: "cw"},
        "ww",
        observations=(edge(left.node_keys[0], 0.5), edge(left.node_keys[1], 0.0), edge(right.node_keys[0], 0.0)),
    )
    by_rollouts, by_answer = label_evidence([evidence], SOFT)
    assert (by_rollouts.sources, by_rollouts.completer) == (("monte_carlo", "outcome"), "m")
    assert (by_answer.sources, by_answer.completer, by_answer.marks) == (("outcome",), "", (N,))


def test_targets_versions_and_names():
    """Soft labels claim a value, hard ones that an answer can be reached; other options have other names."""
    assert (SOFT.target, HARD.target) == (LabelTarget.VALUE, LabelTarget.REACHABLE)
    assert SOFT.version == HARD.version == "2"  # "1" took the search's own scores for values
    assert SearchedEdges().name == "edges_omegaprm_unanswered_wrong"
    named = SearchedEdges(source="mine", threshold=0.5, unknown_as="unknown", target=LabelTarget.REACHABLE)
    assert named.name == "edges_mine_reachable_above_0.5"


@pytest.mark.parametrize(
    "options",
    [
        {"source": ""},
        {"threshold": 1.0},
        {"target": LabelTarget.CORRECT},
        {"unknown_as": "right"},
        {"after_error": "x"},
    ],
    ids=lambda options: next(iter(options)),
)
def test_options_out_of_range(options):
    """Refused where they are given."""
    with pytest.raises(ConfigError, match=r"=.* must"):
        SearchedEdges(**options)


words = st.builds(lambda c, w, u, x: f"{c}/{c + w}?{u}!{x}", *[st.integers(0, 3)] * 4)


@given(st.lists(st.tuples(words, st.sampled_from(["?", "0", "0.5"])), min_size=2, max_size=6), st.data())
def test_at_edges_before_the_end_it_is_soft_estimation(batch_of, drawn, data):
    """Wherever rollouts decide a mark, soft labels of the same treatment say the same; elsewhere nothing is said."""
    line, edges = (" ".join(column) for column in zip(*drawn, strict=True))
    batch = claimed(batch_of, line, edges, data.draw(st.sampled_from(["right", "wrong", "open"])))
    ours, soft = SOFT(batch), Soft(unknown_as="wrong")(batch)
    is_edge = ~np.isnan(batch.scores_of("omegaprm"))
    assert (ours.marks[~is_edge] == 0).all()
    assert np.isnan(ours.values[~is_edge]).all()
    inner = is_edge & (batch.position < batch.steps - 1)
    np.testing.assert_array_equal(ours.values[inner], soft.values[inner])
    agree = (ours.marks == soft.marks) | (ours.marks == 0)
    assert agree[inner].all()
