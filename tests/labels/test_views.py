"""What every ready policy promises, whatever its paper: bounds, unknowns, independence, purity."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from steplabel.labels.apply import label_evidence
from steplabel.labels.policies import POLICIES
from steplabel.schemas import AfterError, LabelTarget, Observation
from steplabel.schemas.batches import Counts, EvidenceBatch

COLUMNS = ("marks", "values", "lows", "highs", "first_error", "confidence", "kept", "by_outcome")
names = st.sampled_from(sorted(POLICIES))
# The others change what follows an error, or weigh by it: what they measured is not all that they show.
measuring = st.sampled_from(sorted(n for n in POLICIES if POLICIES[n].after_error is AfterError.KEPT))

words = st.builds(
    lambda o, a, c, w, u, x: f"{o}{c}/{c + w}?{u}!{x}" if a else f"{o}.",
    st.sampled_from(["", "", "", "o"]),
    st.booleans(),
    *[st.integers(0, 4)] * 4,
)
roots = st.builds(lambda c, w, u, x: f"{c}/{c + w}?{u}!{x}", *[st.integers(0, 4)] * 4) | st.just(".")
solutions = st.tuples(
    st.lists(words, min_size=1, max_size=6).map(" ".join), st.sampled_from(["right", "wrong", "open"]), roots
)
grades = st.sampled_from(["?", "0", "0.25", "0.5", "1"])
SCORERS = ("mcts", "mcts_route", "omegaprm", "gold_logprob")
JUDGES = ("logic", "z3_formalisation", "arithmetic")
scored = st.lists(st.tuples(st.lists(grades, min_size=6, max_size=6), grades), min_size=4, max_size=4)


def built(batch_of, drawn, said):
    """A batch of drawn solutions; `said`: for each up to six grades of its steps and one of its root, by anybody."""
    lines, outcomes, at_roots = zip(*drawn, strict=True)
    steps = " ".join(grade for line, (its, _) in zip(lines, said, strict=False) for grade in its[: len(line.split())])
    at_root = " ".join(grade for _, (_, grade) in zip(lines, said, strict=False))
    scores, root_scores = dict.fromkeys(SCORERS, steps), dict.fromkeys(SCORERS, at_root)
    return batch_of(lines, outcomes, at_roots, scores=scores, root_scores=root_scores)


@given(names, st.lists(solutions, min_size=1, max_size=4), scored)
def test_bounds_and_marks(batch_of, name, drawn, said):
    """Values lie between their bounds and are finite; observations have none; a first error is a "-" after "+"."""
    policy = POLICIES[name]
    batch = built(batch_of, drawn, said)
    labels = policy(batch)
    low, value, high = labels.lows, labels.values, labels.highs
    for below, above in ((low, value), (value, high), (low, high)):
        both = ~np.isnan(below) & ~np.isnan(above)
        assert (below[both] <= above[both] + 1e-9).all()
    assert not np.isinf([low, value, high]).any()
    assert np.isnan(value[~batch.labelable]).all()
    assert (labels.marks[~batch.labelable] == 0).all()
    if policy.target is not LabelTarget.PROGRESS:
        assert ((value >= 0) & (value <= 1) | np.isnan(value)).all()
    for i, first in enumerate(labels.first_error.tolist()):
        span = slice(batch.offsets[i], batch.offsets[i + 1])
        ours, marks = batch.labelable[span], labels.marks[span]
        assert first < 0 or (marks[first] == -1 and (marks[:first][ours[:first]] == 1).all())
        assert first != -1 or (ours.any() and (marks[ours] == 1).all())


@given(names, st.lists(solutions, min_size=1, max_size=4), scored)
def test_solutions_do_not_see_each_other(batch_of, name, drawn, said):
    """A solution has the same labels alone and in company, so batches may be cut anywhere."""
    policy = POLICIES[name]
    together = policy(built(batch_of, drawn, said))
    alone = [policy(built(batch_of, [one], [its])) for one, its in zip(drawn, said, strict=False)]
    for column in COLUMNS:
        joined = np.concatenate([getattr(one, column) for one in alone])
        np.testing.assert_allclose(getattr(together, column).astype(float), joined.astype(float), err_msg=column)


@given(
    names,
    st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), min_size=1, max_size=6),
    st.sampled_from(["right", "open"]),
    st.integers(0, 4),
)
def test_failures_of_the_infrastructure_are_never_a_minus(batch_of, name, counts, outcome, lost):
    """Where every rollout was right or its check crashed, no step is "-": an exception is no wrong answer."""
    line = " ".join(f"{c}/{c}!{x}" for c, x in counts)
    labels = POLICIES[name](batch_of([line], [outcome], [f"4/4!{lost}"]))
    assert (labels.marks != -1).all()
    assert (labels.first_error < 0).all()


@given(measuring, st.lists(solutions, min_size=1, max_size=3), st.integers(1, 3))
def test_more_unknown_rollouts_never_sharpen_bounds(batch_of, name, drawn, lost):
    """Rollouts whose check crashed widen the bounds of a step or leave them as they are."""
    policy = POLICIES[name]
    lines, outcomes, root_words = zip(*drawn, strict=True)
    batch = batch_of(lines, ["open"] * len(outcomes), root_words)
    asked = batch.at_steps.total > 0
    worse = replace(batch, unknown=batch.unknown + lost * asked)
    before, after = policy(batch), policy(worse)
    both = ~np.isnan(before.lows) & ~np.isnan(after.lows) & ~np.isnan(before.highs) & ~np.isnan(after.highs)
    settled = before.lows == before.highs  # set by rule, not measured
    measured = both & ~settled
    assert (after.lows[measured] <= before.lows[measured] + 1e-9).all()
    assert (after.highs[measured] >= before.highs[measured] - 1e-9).all()


@pytest.mark.parametrize("name", POLICIES)
def test_policies_only_read(batch_of, name):
    """Labelling is pure: frozen arrays will do, and stay as they were."""
    drawn = [("8/8 0/8?2 .", "wrong", "6/8"), (". 2/8 o .", "right", ".")]
    batch = built(batch_of, drawn, [(["0.5", "0", "?"], "1"), (["1", "?", "0", "0"], "?")])
    arrays = [batch.offsets, batch.labelable, batch.correct, batch.wrong, batch.unknown, batch.outcome]
    arrays += [batch.unanswered, batch.root.correct, batch.root.wrong, batch.root.unknown, batch.root.unanswered]
    arrays += [*batch.scores.values(), *batch.root_scores.values()]
    before = [array.copy() for array in arrays]
    for array in arrays:
        array.flags.writeable = False
    POLICIES[name](batch)
    for array, copy in zip(arrays, before, strict=True):
        np.testing.assert_array_equal(array, copy)


@pytest.mark.parametrize("name", POLICIES)
def test_nothing_at_all(batch_of, name):
    """An empty batch has empty labels, and a solution without steps is unknown."""
    empty = POLICIES[name](batch_of([], [], []))
    assert len(empty.marks) == len(empty.first_error) == 0
    bare = POLICIES[name](batch_of(["", "0/8 .", ""], ["right", "wrong", "open"], ["8/8"] * 3))
    assert (len(bare.marks), bare.first_error.tolist()[::2]) == (2, [-2, -2])


@pytest.mark.parametrize("name", POLICIES)
def test_a_batch_without_the_new_columns(batch_of, name):
    """Batches that say nothing of the bare problem are labelled all the same."""
    batch = batch_of(["8/8 0/8 ."], ["wrong"])
    assert batch.root is None
    assert len(POLICIES[name](batch).marks) == 3


statements = st.tuples(
    st.integers(0, 6),
    st.sampled_from(SCORERS),
    st.sampled_from(["1", "2", "10"]),
    st.none() | st.sampled_from([0.0, 0.1, 0.2, 0.7, 1.0]),
    st.sampled_from(["", "again"]),
)


@given(
    names,
    st.lists(st.text("cwux", max_size=4), min_size=5, max_size=5),
    st.lists(statements, max_size=12),
    st.randoms(),
)
def test_the_order_of_evidence_plays_no_part(records, name, asked, said, rng):
    """Shuffled rollouts, outcomes, statements and siblings give every solution the same labels."""
    lines = [("a", "x = 1", "c"), ("a", "x = 1", "d"), ("a", "y = 2")]
    drawn = [records.solution(*steps, index=i) for i, steps in enumerate(lines)]
    keys = [records.problem.root_key, *drawn[0].node_keys, drawn[2].node_keys[1]]
    nodes = [records.problem.root_key, *drawn[0].node_keys, drawn[1].node_keys[2], *drawn[2].node_keys]
    observations = tuple(
        Observation(subject=nodes[i], source=source, source_version=version, score=score, evidence=evidence)
        for i, source, version, score, evidence in said
    )
    evidence = records.evidence(drawn, dict(zip(keys, asked, strict=True)), "cwu", observations=observations)
    shuffled = replace(
        evidence,
        rollouts=tuple(rng.sample(evidence.rollouts, len(evidence.rollouts))),
        outcomes=tuple(rng.sample(evidence.outcomes, len(evidence.outcomes))),
        solutions=tuple(rng.sample(evidence.solutions, len(evidence.solutions))),
        observations=tuple(rng.sample(observations, len(observations))) * 2,
    )
    policy = POLICIES[name]
    found = {labels.solution_id: labels for labels in label_evidence([shuffled], policy)}
    assert found == {labels.solution_id: labels for labels in label_evidence([evidence], policy)}


@pytest.mark.slow
@pytest.mark.parametrize("name", POLICIES)
def test_a_hundred_thousand_solutions(name):
    """Every policy runs on whole columns: 100,000 solutions of 1 to 15 steps, bounds in order."""
    rng = np.random.default_rng(0)
    n = 100_000
    offsets = np.concatenate([[0], np.cumsum(rng.integers(1, 16, n))]).astype(np.int64)
    total = int(offsets[-1])
    correct = rng.binomial(8, 0.3, total)
    zeros = np.zeros(n, dtype=np.int64)
    solved = rng.binomial(16, 0.6, n)
    batch = EvidenceBatch(
        offsets=offsets,
        labelable=rng.random(total) < 0.95,
        correct=correct,
        wrong=8 - correct,
        unknown=rng.integers(0, 2, total),
        outcome=rng.integers(-1, 2, n),
        tokens=zeros,
        siblings_correct=zeros,
        siblings_total=zeros,
        root=Counts(correct=solved, wrong=16 - solved, unknown=zeros, unanswered=zeros),
        scores=dict.fromkeys(SCORERS, np.where(rng.random(total) < 0.9, rng.integers(0, 5, total) / 4, np.nan)),
        root_scores=dict.fromkeys(SCORERS, solved / 16),
        verdicts=dict.fromkeys(JUDGES, rng.integers(-1, 2, total)),
    )
    labels = POLICIES[name](batch)
    both = ~np.isnan(labels.lows) & ~np.isnan(labels.values)
    assert (labels.lows[both] <= labels.values[both] + 1e-9).all()
    assert len(np.unique(labels.marks)) == (2 if name == "refuted" else 3)  # what holds proves no step there
