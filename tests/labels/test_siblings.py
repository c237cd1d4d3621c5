"""Counting siblings: the prefix tree of the samples, and states of equal result."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from steplabel.labels.siblings import count_siblings
from steplabel.labels.step_results import LastNumber
from steplabel.schemas import SolutionSource


def shares(batch):
    """The counts as "c/k" words, unknown ones left out."""
    return [f"{c}/{c + w}" for c, w in zip(batch.correct.tolist(), batch.wrong.tolist(), strict=True)]


@pytest.fixture(scope="module")
def four(records):
    """Four samples: two share two steps, a third the first of them, the last goes its own way."""
    solutions = [
        records.solution("a", "b", "c = 4"),
        records.solution("a", "b", "c = 5"),
        records.solution("a", "x", "c = 4", index=2),
        records.solution("y", "z = 4"),
    ]
    return records.evidence(solutions, ends="cwwc")


def test_prefix_tree(four):
    """V(prefix) is the mean outcome of the solutions that pass through it, by hand."""
    batch = count_siblings([four])
    assert shares(batch) == ["1/3", "1/2", "1/1", "1/3", "1/2", "0/1", "1/3", "0/1", "0/1", "1/1", "1/1"]
    assert batch.offsets.tolist() == [0, 3, 6, 9, 11]
    assert batch.outcome.tolist() == [1, 0, 0, 1]
    assert (batch.root.correct.tolist(), batch.root.wrong.tolist()) == ([2] * 4, [2] * 4)
    assert batch.tokens.tolist() == [0] * 4


def test_equal_results_are_one_state(four):
    """Three solutions come to 4, wherever; a step without a number stays a state of its own prefix."""
    batch = count_siblings([four], result=LastNumber())
    assert shares(batch) == ["1/3", "1/2", "2/3", "1/3", "1/2", "0/1", "1/3", "0/1", "2/3", "1/1", "2/3"]


def test_a_state_counts_a_solution_once(records):
    """Coming to the same result twice is passing through one state."""
    solution = records.solution("x = 4", "y = 4", "z = 5")
    assert shares(count_siblings([records.evidence([solution], ends="c")], result=LastNumber())) == ["1/1"] * 3


def test_unknown_outcomes_stay_unknown(records):
    """A sample without an answer is unanswered, one whose checker failed is unknown for another reason."""
    solutions = [records.solution("a", "b", index=i) for i in range(4)]
    batch = count_siblings([records.evidence(solutions, ends="cuxw")])
    assert (batch.unknown.tolist(), batch.unanswered.tolist()) == ([2] * 8, [1] * 8)
    assert (batch.correct.tolist(), batch.wrong.tolist()) == ([1] * 8, [1] * 8)


def test_branches_of_a_tree_are_not_samples(records):
    """They were grown where others failed: they count nowhere, and alone in a state they have no counts."""
    sample = records.solution("a", "b")
    branch = records.solution("a", "c", source=SolutionSource.TREE)
    batch = count_siblings([records.evidence([sample, branch], ends="wc")])
    assert shares(batch) == ["0/1", "0/1", "0/1", "0/0"]
    assert batch.outcome.tolist() == [0, 1]


def test_rollouts_have_no_say(records):
    """Whatever was sampled from the prefixes, siblings are counted as if it were not there."""
    solution = records.solution("a", "b")
    asked = {solution.node_keys[0]: "cccc", records.problem.root_key: "cccc"}
    batch = count_siblings([records.evidence([solution], asked, "w")])
    assert shares(batch) == ["0/1", "0/1"]
    assert (batch.root.total.tolist(), batch.root_asked.tolist()) == ([1], [False])


def test_problems_do_not_meet(records, problem):
    """Equal texts of two problems, counted together, are counted apart."""
    solution = records.solution("x = 4")
    other = replace(records.evidence([solution], ends="w"), problem=replace(problem, id="p2"))
    batch = count_siblings([records.evidence([solution], ends="c"), other], result=LastNumber())
    assert shares(batch) == ["1/1", "0/1"]


texts = st.lists(st.sampled_from(["a", "b", "x = 1", "x = 2"]), min_size=1, max_size=4)


@given(st.lists(st.tuples(texts, st.sampled_from("cwu")), min_size=1, max_size=6), st.randoms())
def test_a_trie_by_definition(records, drawn, rng: random.Random):
    """In any order, each step's counts are those of the solutions whose steps begin as its own do."""
    pairs = list(enumerate(drawn))
    rng.shuffle(pairs)
    solutions = [records.solution(*steps, index=i) for i, (steps, _) in pairs]
    batch = count_siblings([records.evidence(solutions, ends=[end for _, (_, end) in pairs])])
    expected = []
    for _, (steps, _) in pairs:
        for depth in range(1, len(steps) + 1):
            ends = [end for other, end in drawn if other[:depth] == steps[:depth]]
            expected.append((ends.count("c"), ends.count("w"), ends.count("u")))
    found = zip(batch.correct.tolist(), batch.wrong.tolist(), batch.unknown.tolist(), strict=True)
    assert list(found) == expected
