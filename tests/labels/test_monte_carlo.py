"""The semantics of counts, as a table of hand-made evidence and as properties."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from steplabel.labels.estimates import Ending
from steplabel.labels.monte_carlo import MonteCarloRule, label_monte_carlo
from steplabel.schemas import AfterError
from steplabel.schemas.batches import EvidenceBatch

CUT, NEGATIVE, UNKNOWN = AfterError.CUT, AfterError.NEGATIVE, AfterError.UNKNOWN
PLAIN = MonteCarloRule()
GATED = MonteCarloRule(gate_outcome=True)
PAPER = MonteCarloRule(unknown_as="wrong")
HALF = MonteCarloRule(threshold=0.5)
FORCED = MonteCarloRule(ending=Ending.FORCED)
IGNORED = MonteCarloRule(ending=Ending.IGNORED)
REST_CUT, REST_NEGATIVE, REST_UNKNOWN = (MonteCarloRule(after_error=a) for a in (CUT, NEGATIVE, UNKNOWN))

CASES = {
    # name: (rule, counts, outcome, marks, first error, by outcome)
    "every step asked, error in the middle": (PLAIN, "8/8 3/8 0/8 0/8", "wrong", "++--", 2, False),
    "every step asked, no error": (PLAIN, "8/8 3/8 1/8 8/8", "right", "++++", -1, False),
    "one success of many is a plus": (PLAIN, "1/64 .", "wrong", "+-", 1, False),
    "last step not asked, wrong answer": (PLAIN, "8/8 2/8 .", "wrong", "++-", 2, False),
    "last step not asked, right answer": (PLAIN, "8/8 2/8 .", "right", "+++", -1, False),
    "last step not asked, answer unknown": (PLAIN, "8/8 2/8 .", "open", "++?", -2, False),
    "last step asked: its rollouts speak": (PLAIN, "8/8 0/8 1/8", "wrong", "+-+", 1, False),
    "last step asked and failing, right answer": (PLAIN, "8/8 8/8 0/8", "right", "++-", 2, False),
    "last step asked but undecided, wrong answer": (PLAIN, "8/8 0/7?1", "wrong", "+-", 1, False),
    "last step asked but undecided, right answer": (PLAIN, "8/8 0/7?1", "right", "++", -1, False),
    "all plus but wrong: the last is the error": (PLAIN, "8/8 4/8 1/8", "wrong", "++-", 2, False),
    "all plus by implication but wrong": (PLAIN, ". . 1/8", "wrong", "++-", 2, False),
    "binary search, located": (PLAIN, ". 4/8 0/8 . 0/8 . .", "wrong", "++-?-?-", 2, False),
    "binary search, first step": (PLAIN, "0/8 0/8 . .", "wrong", "--?-", 0, False),
    "binary search, last step": (PLAIN, ". . 1/8 .", "wrong", "+++-", 3, False),
    "binary search, budget ended": (PLAIN, ". 3/8 . . 0/8 .", "wrong", "++??--", -2, False),
    "only a late failure asked": (PLAIN, ". . 0/8 .", "wrong", "??--", -2, False),
    "not monotone: marks stay, first minus counts": (PLAIN, "8/8 0/8 2/8 0/8 .", "wrong", "+-+--", 1, False),
    "nothing asked, right answer": (PLAIN, ". . .", "right", "+++", -1, True),
    "nothing asked, wrong answer": (PLAIN, ". . .", "wrong", "??-", -2, True),
    "nothing asked, answer unknown": (PLAIN, ". . .", "open", "???", -2, False),
    "one step, right": (PLAIN, ".", "right", "+", -1, True),
    "one step, wrong": (PLAIN, ".", "wrong", "-", 0, True),
    "one step, unknown": (PLAIN, ".", "open", "?", -2, False),
    "one step, asked": (PLAIN, "0/4", "open", "-", 0, False),
    "unknown rollouts leave the mark open": (PLAIN, "8/8 0/7?1 .", "wrong", "+?-", -2, False),
    "unknown rollouts beside a success": (PLAIN, "1/2?6 .", "wrong", "+-", 1, False),
    "unknown step before a proven one": (PLAIN, "0/7?1 1/8 .", "wrong", "++-", 2, False),
    "all rollouts unknown": (PLAIN, "?8 ?8", "open", "??", -2, False),
    "paper: no answer is a failure": (PAPER, "8/8 0/7?1 .", "wrong", "+--", 1, False),
    "paper: all without an answer": (PAPER, "8/8 ?8 .", "wrong", "+--", 1, False),
    "paper: a checker that crashed is none": (PAPER, "8/8 0/7!1 .", "wrong", "+?-", -2, False),
    "paper: an unfinished solution stays unknown": (PAPER, "8/8 .", "open", "+?", -2, False),
    "gate: right answer, nothing asked": (GATED, ". . .", "right", "+++", -1, True),
    "gate: right answer against rollouts": (GATED, "8/8 0/8 .", "right", "+++", -1, True),
    "gate: wrong answer is not gated": (GATED, "8/8 0/8 .", "wrong", "+--", 1, False),
    "gate: unknown answer is not gated": (GATED, "8/8 0/8 .", "open", "+-?", 1, False),
    "observation in between": (PLAIN, "8/8 o 0/8 .", "wrong", "+?--", 2, False),
    "observation is never a mark, though asked": (PLAIN, "8/8 o0/8 2/8 .", "wrong", "+?+-", 3, False),
    "a success after an observation proves the steps before": (PLAIN, ". o1/8 .", "wrong", "+?-", 2, False),
    "a success after a leading observation proves no step": (PLAIN, "o1/8 .", "wrong", "?-", 1, True),
    "trailing observation: the last labelable step ends it": (PLAIN, "8/8 . o", "wrong", "+-?", 1, False),
    "leading observation, first labelable step fails": (PLAIN, "o 0/8 .", "wrong", "?--", 1, False),
    "observations only": (PLAIN, "o o", "right", "??", -2, False),
    "observations only, gated": (GATED, "o o", "right", "??", -2, False),
    "threshold: half is not above a half": (HALF, "8/8 4/8 .", "wrong", "+--", 1, False),
    "threshold: nothing is implied": (HALF, ". 8/8 .", "wrong", "?+-", -2, False),
    "threshold between the bounds": (HALF, "8/8 4/7?1 0/8", "wrong", "+?-", -2, False),
    "threshold: bounds above it": (HALF, "8/8 5/7?1 0/8", "wrong", "++-", 2, False),
    "threshold: all plus but wrong": (HALF, "8/8 8/8", "wrong", "+-", 1, False),
    "forced end: wrong against rollouts": (FORCED, "8/8 0/8 1/8", "wrong", "+--", 1, False),
    "forced end: right against rollouts": (FORCED, "8/8 8/8 0/8", "right", "+++", -1, False),
    "forced end: a right one implies what came before": (FORCED, ". ?8 0/8", "right", "+++", -1, False),
    "forced end: no outcome to force it": (FORCED, "8/8 2/8", "open", "++", -1, False),
    "forced end: before trailing observations": (FORCED, "8/8 2/8 o", "wrong", "+-?", 1, False),
    "ignored end: rollouts alone": (IGNORED, "8/8 2/8", "wrong", "++", -1, False),
    "ignored end: not asked": (IGNORED, "8/8 .", "wrong", "+?", -2, False),
    "ignored end: a right answer implies nothing": (IGNORED, ". ?8 .", "right", "???", -2, False),
    "ignored end: rollouts imply all the same": (IGNORED, ". 1/8 .", "right", "++?", -2, False),
    "rest cut": (REST_CUT, "8/8 0/8 1/8 .", "wrong", "+-+-", 1, False),
    "rest negative": (REST_NEGATIVE, "8/8 0/8 1/8 . o .", "wrong", "+---?-", 1, False),
    "rest unknown": (REST_UNKNOWN, "8/8 0/8 1/8 .", "wrong", "+-??", 1, False),
    "rest negative, not located": (
        REST_NEGATIVE,
        ". 0/8 . .",
        "open",
        "?---",
        -2,
        False,
    ),
    "rest of a clean solution": (
        REST_NEGATIVE,
        "8/8 . 8/8",
        "right",
        "+++",
        -1,
        False,
    ),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_table(case, batch_of, signs):
    """Hand-made evidence gets the marks, first error and origin that the semantics promise."""
    rule, counts, outcome, marks, first_error, by_outcome = case
    labels = label_monte_carlo(batch_of([counts], [outcome]), rule)
    assert signs(labels) == marks
    assert labels.first_error.tolist() == [first_error]
    assert labels.by_outcome.tolist() == [by_outcome]


@pytest.mark.parametrize("rule", [PLAIN, GATED, PAPER, HALF, REST_CUT], ids=str)
def test_solutions_do_not_see_each_other(rule, batch_of, signs):
    """A solution gets the same labels alone and in the middle of a batch with all other cases."""
    lines = [case[1] for case in CASES.values()]
    outcomes = [case[2] for case in CASES.values()]
    together = label_monte_carlo(batch_of(lines, outcomes), rule)
    alone = [label_monte_carlo(batch_of([line], [o]), rule) for line, o in zip(lines, outcomes, strict=True)]
    assert signs(together) == "".join(signs(one) for one in alone)
    for name in ("values", "lows", "highs", "first_error", "kept", "by_outcome"):
        joined = np.concatenate([getattr(one, name) for one in alone])
        np.testing.assert_array_equal(getattr(together, name), joined)


VALUES = {
    # name: (rule, counts, outcome, values, lows, highs) with None for NaN
    "share of the correct": (PLAIN, "3/8 .", "open", [0.375, None], [0.375, None], [0.375, None]),
    "unknown left out of the value": (PLAIN, "3/6?2", "open", [0.5], [0.375], [0.625]),
    "unknown counted as wrong": (PAPER, "3/6?2", "open", [0.375], [0.375], [0.625]),
    "other unknown never counted as wrong": (PAPER, "3/6!2", "open", [0.5], [0.375], [0.625]),
    "nothing decided": (PLAIN, "?4 .", "open", [None, None], [0.0, None], [1.0, None]),
    "implied steps were not measured": (
        PLAIN,
        ". 2/8 .",
        "wrong",
        [None, 0.25, 0.0],
        *[[None, 0.25, 0.0]] * 2,
    ),
    "last step by outcome, right": (PLAIN, "2/8 .", "right", *[[0.25, 1.0]] * 3),
    "gate says one": (GATED, "2/8 0/8 .", "right", *[[1.0, 1.0, 1.0]] * 3),
    "all plus but wrong": (PLAIN, "8/8 2/8", "wrong", *[[1.0, 0.0]] * 3),
    "observation has no value": (PLAIN, "o4/8 2/8", "open", *[[None, 0.25]] * 3),
    "rest negative is zero": (REST_NEGATIVE, "0/8 4/8 .", "open", *[[0.0] * 3] * 3),
    "rest unknown is nothing": (
        REST_UNKNOWN,
        "0/8 4/8 .",
        "wrong",
        *[[0.0, None, None]] * 3,
    ),
}


@pytest.mark.parametrize("case", VALUES.values(), ids=VALUES.keys())
def test_values(case, batch_of):
    """Values and bounds are those of the rollouts, of the outcome, or absent; confidence is never made up."""
    rule, counts, outcome, *expected = case
    labels = label_monte_carlo(batch_of([counts], [outcome]), rule)
    for column, wanted in zip((labels.values, labels.lows, labels.highs), expected, strict=True):
        np.testing.assert_array_equal(column, [math.nan if v is None else v for v in wanted])
    assert np.isnan(labels.confidence).all()


def test_cut_keeps_up_to_the_first_minus(batch_of):
    """Cut removes what follows the first "-", observations too, and nothing from solutions without one."""
    lines = ["8/8 0/8 o .", ". 0/8 .", "8/8 o 8/8", ". ."]
    labels = label_monte_carlo(batch_of(lines, ["wrong", "open", "right", "open"]), REST_CUT)
    assert labels.kept.tolist() == [True, True, False, False] + [True, True, False] + [True] * 3 + [True] * 2


def test_nothing_at_all(batch_of):
    """An empty batch has empty labels."""
    labels = label_monte_carlo(batch_of([], []), GATED)
    assert len(labels.marks) == len(labels.first_error) == len(labels.by_outcome) == 0


def test_a_solution_without_steps_is_unknown(batch_of):
    """Records cannot hold it, but an array can: it stays unknown and disturbs no neighbour."""
    labels = label_monte_carlo(batch_of(["", "0/8 .", ""], ["right", "wrong", "wrong"]), GATED)
    assert labels.first_error.tolist() == [-2, 0, -2]
    assert labels.by_outcome.tolist() == [False, False, False]


def test_the_batch_is_only_read(batch_of):
    """Labelling is pure: the evidence's arrays are untouched, and frozen ones will do."""
    batch = batch_of(["8/8 0/8?2 ."], ["wrong"])
    arrays = (batch.offsets, batch.labelable, batch.correct, batch.wrong, batch.unknown, batch.outcome)
    before = [a.copy() for a in arrays]
    for array in arrays:
        array.flags.writeable = False
    label_monte_carlo(batch, MonteCarloRule(gate_outcome=True, after_error=NEGATIVE, unknown_as="wrong"))
    for array, copy in zip(arrays, before, strict=True):
        np.testing.assert_array_equal(array, copy)


def test_without_reasons_all_unknown_count_as_unanswered(batch_of, signs):
    """A batch that does not say why rollouts are unknown: the papers' view takes all of them as failures."""
    batch = replace(batch_of(["8/8 0/7!1 ."], ["wrong"]), unanswered=None)
    assert signs(label_monte_carlo(batch, PAPER)) == "+--"


counts = st.builds(
    lambda o, a, c, w, u, x: f"{o}{c}/{c + w}?{u}!{x}" if a else f"{o}.",
    st.sampled_from(["", "", "", "o"]),
    st.booleans(),
    *[st.integers(0, 3)] * 4,
)
solution_lines = st.lists(counts, min_size=1, max_size=7).map(" ".join)
rules = st.builds(
    MonteCarloRule,
    threshold=st.sampled_from([0.0, 0.0, 0.3, 0.5, 0.8]),
    gate_outcome=st.booleans(),
    after_error=st.sampled_from(list(AfterError)),
    unknown_as=st.sampled_from(["wrong", "unknown"]),
    ending=st.sampled_from(list(Ending)),
)
outcomes = st.sampled_from(["right", "wrong", "open"])


@given(st.lists(st.tuples(solution_lines, outcomes), min_size=1, max_size=4), rules)
def test_invariants(batch_of, solutions, rule):
    """Whatever the evidence and the rule: values lie in their bounds, and first errors fit marks and cuts."""
    batch: EvidenceBatch = batch_of(*zip(*solutions, strict=True))
    labels = label_monte_carlo(batch, rule)
    there = ~np.isnan(labels.values)
    assert (labels.lows[there] <= labels.values[there] + 1e-12).all()
    assert (labels.values[there] <= labels.highs[there] + 1e-12).all()
    assert (labels.marks[~batch.labelable] == 0).all()
    assert np.isnan(labels.values[~batch.labelable]).all()
    for i in range(batch.solutions):
        _check_solution(batch, labels, rule, slice(batch.offsets[i], batch.offsets[i + 1]), i)


def _check_solution(batch, labels, rule, span, i):
    marks, kept, first = labels.marks[span], labels.kept[span].tolist(), labels.first_error[i]
    labelable = batch.labelable[span]
    if first >= 0:
        assert marks[first] == -1
        assert (marks[:first][labelable[:first]] == 1).all()
    if first == -1:
        assert labelable.any()
        assert (marks[labelable] == 1).all()
        heard = rule.ending != Ending.IGNORED
        assert batch.outcome[i] != 0 or not heard, "a wrong answer has an error somewhere"
    minus = np.flatnonzero(marks == -1)
    if rule.after_error == CUT:
        assert kept == [j <= minus[0] for j in range(len(marks))] if len(minus) else all(kept)
    else:
        assert all(kept)
    if rule.after_error == NEGATIVE and len(minus):
        assert (marks[minus[0] :][labelable[minus[0] :]] == -1).all()
    if rule.after_error == UNKNOWN:
        assert len(minus) <= 1
    assert not labels.by_outcome[i] or marks.any()


@given(solution_lines, st.sampled_from([0.3, 0.5, 0.8]))
def test_treating_silence_as_failure_only_decides_more(batch_of, line, threshold):
    """On a step's own evidence the papers' view decides unknown marks, and never flips a decided one."""
    batch = batch_of([line], ["open"])
    ours = label_monte_carlo(batch, MonteCarloRule(threshold=threshold))
    papers = label_monte_carlo(batch, MonteCarloRule(threshold=threshold, unknown_as="wrong"))
    decided = ours.marks != 0
    np.testing.assert_array_equal(papers.marks[decided], ours.marks[decided])
    assert not (papers.marks[~decided] == 1).any()


@given(st.integers(1, 40), st.data())
def test_binary_search_finds_what_full_monte_carlo_finds(batch_of, steps, data):
    """Under a monotone oracle the few prefixes that bisection asks find the error that asking all finds."""
    error = data.draw(st.integers(0, steps))
    outcome = "right" if error == steps else "wrong"
    full = ["4/8" if j < error else "0/8" for j in range(steps)]
    searched = ["."] * steps
    low, high = -1, steps - 1
    while outcome == "wrong" and high - low > 1:
        middle = (low + high) // 2
        searched[middle] = full[middle]
        low, high = (middle, high) if middle < error else (low, middle)
    batch = batch_of([" ".join(full), " ".join(searched)], [outcome] * 2)
    for rule in (PLAIN, GATED, PAPER, replace(GATED, after_error=UNKNOWN)):
        expected = -1 if error == steps else error
        assert label_monte_carlo(batch, rule).first_error.tolist() == [expected, expected]


@given(st.lists(st.integers(0, 8), min_size=2, max_size=10), st.data())
def test_asking_less_never_invents_an_error(batch_of, successes, data):
    """Any part of a monotone oracle's answers locates the true error or leaves it unknown."""
    error = data.draw(st.integers(0, len(successes) - 1))
    full = [f"{max(c, 1) if j < error else 0}/8" for j, c in enumerate(successes)]
    asked = [word if data.draw(st.booleans()) else "." for word in full]
    found = label_monte_carlo(batch_of([" ".join(asked)], ["wrong"]), PLAIN).first_error[0]
    assert found in (error, -2)


@pytest.mark.slow
def test_a_hundred_thousand_solutions():
    """Policies run on arrays: 100,000 solutions of 1 to 15 steps keep every invariant."""
    rng = np.random.default_rng(0)
    n = 100_000
    offsets = np.concatenate([[0], np.cumsum(rng.integers(1, 16, n))]).astype(np.int64)
    total = int(offsets[-1])
    asked = rng.random(total) < 0.6
    correct = rng.binomial(8, 0.3, total) * asked
    batch = EvidenceBatch(
        offsets=offsets,
        labelable=rng.random(total) < 0.95,
        correct=correct,
        wrong=(8 - correct) * asked,
        unknown=rng.integers(0, 2, total) * asked,
        outcome=rng.integers(-1, 2, n),
        tokens=np.zeros(n, dtype=np.int64),
        siblings_correct=np.zeros(n, dtype=np.int64),
        siblings_total=np.ones(n, dtype=np.int64),
    )
    labels = label_monte_carlo(batch, MonteCarloRule(gate_outcome=True, after_error=CUT))
    located = np.flatnonzero(labels.first_error >= 0)
    assert len(located) > 1000
    assert (labels.marks[offsets[located] + labels.first_error[located]] == -1).all()
    np.testing.assert_array_equal(
        np.add.reduceat(labels.kept.astype(int), offsets[:-1])[located], labels.first_error[located] + 1
    )
