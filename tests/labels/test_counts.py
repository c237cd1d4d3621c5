"""Evidence to counts: sets of keys, costs, siblings, the bare problem, probes."""

from __future__ import annotations

import random
from dataclasses import fields, replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from steplabel.labels.counts import count_evidence, evidence_tokens
from steplabel.schemas import Evidence, Observation, Reason, SolutionSource, Verdict


def same(left, right):
    """Whether two batches hold equal arrays."""
    for field in fields(left):
        a, b = getattr(left, field.name), getattr(right, field.name)
        if field.name == "root":
            assert same(a, b)
            continue
        if field.name in ("verdicts", "scores", "root_scores"):
            assert a.keys() == b.keys()
            a, b = [a[k] for k in sorted(a)], [b[k] for k in sorted(b)]
        np.testing.assert_array_equal(a, b, err_msg=field.name)
    return True


@pytest.fixture(scope="module")
def pair(records):
    """Two solutions that share their first step, with rollouts at the root, the fork and one branch."""
    left = records.solution("a\n", "b\n", "c", index=0)
    right = records.solution("a\n", "x\n", "tool: 4\n", "y", index=1)
    asked = {
        records.problem.root_key: "cw",
        left.node_keys[0]: "ccwu",
        left.node_keys[1]: "wwwx",
        right.node_keys[2]: "c",
    }
    return records.evidence([left, right], asked, ["w", "c"])


def test_counts_at_every_step(pair):
    """Each step gets the outcomes of the rollouts that start at its end, and solutions stand in order."""
    batch = count_evidence([pair])
    assert batch.offsets.tolist() == [0, 3, 7]
    assert batch.correct.tolist() == [2, 0, 0, 2, 0, 1, 0]
    assert batch.wrong.tolist() == [1, 3, 0, 1, 0, 0, 0]
    assert batch.unknown.tolist() == [1, 1, 0, 1, 0, 0, 0]
    assert batch.labelable.tolist() == [True] * 5 + [False, True]
    assert batch.outcome.tolist() == [0, 1]


def test_only_missing_answers_are_unanswered(pair):
    """`no_answer` with a free text is unanswered; a checker's timeout is unknown for another reason."""
    assert count_evidence([pair]).unanswered.tolist() == [1, 0, 0, 1, 0, 0, 0]


@pytest.mark.parametrize(
    ("reason", "unanswered"),
    [
        (Reason.LENGTH, 1),
        (Reason.NO_ANSWER, 1),
        ("length: 512 tokens", 1),
        (Reason.TIMEOUT, 0),
        (Reason.CRASH, 0),
        (Reason.UNPARSABLE, 0),
        (Reason.NO_GOLD, 0),
        ("lengthy", 0),
        ("", 0),
    ],
)
def test_reasons(records, reason, unanswered):
    """Only the two reasons that are the model's own doing count as no answer."""
    solution = records.solution("a")
    (rollout,) = records.rollouts(solution.node_keys[0], 1)
    outcome = records.outcome(rollout.key, "u", reason=reason)
    evidence = replace(records.evidence([solution]), rollouts=(rollout,), outcomes=(outcome,))
    batch = count_evidence([evidence])
    assert (batch.unknown.tolist(), batch.unanswered.tolist()) == ([1], [unanswered])


def test_a_rollout_without_an_outcome_is_unknown(records):
    """What was never checked is unknown, and not for want of an answer."""
    solution = records.solution("a", "b")
    evidence = replace(records.evidence([solution]), rollouts=tuple(records.rollouts(solution.node_keys[0], 3)))
    batch = count_evidence([evidence])
    assert batch.unknown.tolist() == [3, 0]
    assert batch.unanswered.tolist() == [0, 0]


def test_costs(pair):
    """Shared rollouts cost each sibling, the root's too; the evidence's true total counts them once."""
    assert count_evidence([pair]).tokens.tolist() == [(2 + 4 + 4) * 10, (2 + 4 + 1) * 10]
    assert evidence_tokens(pair) == (2 + 4 + 4 + 1) * 10


def test_costs_of_observations(records, pair):
    """What a judge cost counts for the solutions it spoke about, once however often merged."""
    left, right = pair.solutions
    said = [
        Observation(subject=left.node_keys[0], source="judge", source_version="1", cost_tokens=5),
        Observation(subject=right.id, source="judge", source_version="1", cost_tokens=7),
    ]
    evidence = replace(pair, observations=(*said, *said))
    assert count_evidence([evidence]).tokens.tolist() == [105, 70 + 5 + 7]
    assert evidence_tokens(evidence) == 122


def test_completers(records):
    """One completer's rollouts can be counted alone; by default all are pooled."""
    solution = records.solution("a", "b")
    key = solution.node_keys[0]
    one = records.evidence([solution], {key: "ccc"}, ["w"], completer="small", tokens=1)
    both = one.merged(records.evidence([solution], {key: "ww"}, ["w"], completer="large", tokens=100))
    assert count_evidence([both]).wrong.tolist() == [2, 0]
    small = count_evidence([both], completer="small")
    assert (small.correct.tolist(), small.wrong.tolist(), small.tokens.tolist()) == ([3, 0], [0, 0], [3])
    assert count_evidence([both], completer="nobody").correct.tolist() == [0, 0]
    assert [evidence_tokens(both, completer=c) for c in (None, "small", "large")] == [203, 3, 200]


def test_siblings(records):
    """Each solution knows how its problem's distinct solutions ended, itself among them."""
    four = [records.solution("a", index=i) for i in range(4)]
    batch = count_evidence(
        [records.evidence(four, ends="cwuc"), records.evidence(four[:1], ends="w"), records.evidence([])]
    )
    assert batch.siblings_correct.tolist() == [2] * 4 + [0]
    assert batch.siblings_total.tolist() == [4] * 4 + [1]
    assert batch.outcome.tolist() == [1, 0, -1, 1, 0]


def test_nothing_at_all(records):
    """No records, and a record without solutions, make an empty batch."""
    for evidence in ([], [records.evidence([])]):
        batch = count_evidence(evidence)
        assert (batch.solutions, batch.steps) == (0, 0)


def test_verdicts(records):
    """Sources speak at nodes as +1, -1 or 0; their newest version counts, a contradiction says nothing."""
    solution = records.solution("a", "b", "c")
    a, b, c = solution.node_keys

    def says(subject, source, verdict, version="1", evidence=""):
        return Observation(subject=subject, source=source, source_version=version, verdict=verdict, evidence=evidence)

    observations = (
        says(a, "z3", Verdict.HOLDS),
        says(b, "z3", Verdict.HOLDS),
        says(b, "z3", Verdict.FAILS, "2"),
        says(c, "z3", Verdict.FAILS, evidence="x=1"),
        says(c, "z3", Verdict.HOLDS, evidence="x=2"),
        says(b, "judge", Verdict.UNKNOWN),
        says(solution.id, "outcome", Verdict.FAILS),
        says("elsewhere", "z3", Verdict.FAILS),
    )
    batch = count_evidence([records.evidence([solution], observations=observations)])
    assert {source: column.tolist() for source, column in batch.verdicts.items()} == {
        "judge": [0, 0, 0],
        "z3": [1, -1, 0],
    }


def test_the_bare_problem(records, pair):
    """Rollouts from before the first step are counted apart, the same for every solution of the problem."""
    batch = count_evidence([pair])
    assert batch.root_asked.tolist() == [True, True]
    assert (batch.root.correct.tolist(), batch.root.wrong.tolist()) == ([1, 1], [1, 1])


def test_samples_stand_in_for_the_bare_problem(records):
    """Where nobody asked, the sampled solutions are the problem's rollouts; branches of a tree are not."""
    sampled = [records.solution("a", index=i) for i in range(4)]
    branch = records.solution("a", "b", source=SolutionSource.TREE)
    batch = count_evidence([records.evidence([*sampled, branch], ends="cwuxc")])
    assert batch.root_asked.tolist() == [False] * 5
    counts = (batch.root.correct, batch.root.wrong, batch.root.unknown, batch.root.unanswered)
    assert [column.tolist()[0] for column in counts] == [1, 1, 2, 1]
    assert (batch.siblings_correct.tolist(), batch.siblings_total.tolist()) == ([1] * 5, [4] * 5)


def test_only_the_completer_asked_for_speaks_of_the_bare_problem(records):
    """Another completer's rollouts of the bare problem do not count, and the samples stand in again."""
    solution = records.solution("a")
    evidence = records.evidence([solution], {records.problem.root_key: "ww"}, "c", completer="other")
    assert count_evidence([evidence]).root.wrong.tolist() == [2]
    mine = count_evidence([evidence], completer="m")
    assert (mine.root_asked.tolist(), mine.root.correct.tolist()) == ([False], [1])


def test_probes(records):
    """Answers to a probe are counted for the probe alone, and a prefix's own rollouts never for it."""
    solution = records.solution("a", "b")
    a, b = solution.node_keys
    asked = {a: "ccc", (a, "So:"): "wu", (b, "So:"): "c", (a, "Hence:"): "cccc"}
    evidence = records.evidence([solution], asked, "w")
    free, probed = count_evidence([evidence]), count_evidence([evidence], probe="So:")
    assert (free.correct.tolist(), free.wrong.tolist()) == ([3, 0], [0, 0])
    assert (probed.correct.tolist(), probed.wrong.tolist(), probed.unknown.tolist()) == ([0, 1], [1, 0], [1, 0])
    assert (free.tokens.tolist(), probed.tokens.tolist()) == ([30], [30])
    assert evidence_tokens(evidence) == 100


def test_no_solution_stands_in_for_a_probe(records):
    """A whole solution says nothing about an answer forced before the first step."""
    solution = records.solution("a")
    root = records.problem.root_key
    unasked = count_evidence([records.evidence([solution], {root: "c"}, "c")], probe="So:")
    assert (unasked.root_asked.tolist(), unasked.root.correct.tolist()) == ([False], [0])
    asked = count_evidence([records.evidence([solution], {(root, "So:"): "cw"}, "c")], probe="So:")
    assert (asked.root_asked.tolist(), asked.root.total.tolist()) == ([True], [2])


letters = st.text("cwux", max_size=6)


@given(st.lists(letters, min_size=3, max_size=3), st.lists(letters, min_size=3, max_size=3), st.randoms())
def test_order_and_repeats_play_no_part(records, first, second, rng: random.Random):
    """Shuffled, duplicated, and merged with itself any number of times, evidence counts the same."""
    solutions = [records.solution("a", "b", "c", index=i) for i in range(2)]
    keys = solutions[0].node_keys
    left = records.evidence(solutions, dict(zip(keys, first, strict=True)), "cw")
    right = records.evidence(solutions, dict(zip(keys, second, strict=True)), "cw", completer="other")
    evidence = left.merged(right)
    counted = count_evidence([evidence])
    assert same(count_evidence([evidence.merged(evidence).merged(left)]), counted)
    assert same(count_evidence([right.merged(left)]), counted)
    assert same(count_evidence([_shuffled(evidence, rng)]), counted)
    assert evidence_tokens(_shuffled(evidence, rng)) == evidence_tokens(evidence)


def _shuffled(evidence: Evidence, rng: random.Random) -> Evidence:
    rollouts, outcomes = list(evidence.rollouts) * 2, list(evidence.outcomes) * 2
    rng.shuffle(rollouts)
    rng.shuffle(outcomes)
    return replace(evidence, rollouts=tuple(rollouts), outcomes=tuple(outcomes))


def test_records_stand_alone(records, pair):
    """Counting records together is counting each and joining: nothing leaks between problems."""
    solo = records.solution("z")
    other = records.evidence([solo], {solo.node_keys[0]: "cc"}, ["w"])
    together = count_evidence([pair, other])
    assert together.correct.tolist() == [
        *count_evidence([pair]).correct.tolist(),
        *count_evidence([other]).correct.tolist(),
    ]
    assert together.siblings_total.tolist() == [2, 2, 1]


def test_no_gold_is_all_unknown(problem, records):
    """Without a gold answer outcomes are unknown: counts say so, and nothing fails."""
    solution = records.solution("a", "b")
    asked = records.evidence([solution], {solution.node_keys[0]: "uu"})
    batch = count_evidence([replace(asked, problem=replace(problem, gold=None))])
    assert batch.unknown.tolist() == [2, 0]
    assert batch.outcome.tolist() == [-1]
