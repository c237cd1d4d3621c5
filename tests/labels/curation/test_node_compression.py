"""HNC on small trees, worked out by hand."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from steplabel.labels import Soft, count_evidence, label_evidence
from steplabel.labels.curation import compress_tree, right_shares
from steplabel.schemas import (
    ConfigError,
    Observation,
    Outcome,
    Problem,
    Solution,
    Step,
    StepKind,
    Verdict,
    make_solution,
)


def shares(evidence):
    """Share of right solutions by prefix text."""
    outcomes = {o.subject: o.outcome for o in evidence.outcomes}
    by_key = right_shares(evidence.solutions, outcomes)
    return {s.prefix(i + 1): by_key[key] for s in evidence.solutions for i, key in enumerate(s.node_keys)}


@pytest.fixture
def bush(records):
    """One first step "a", four second ones: two right, two wrong."""
    solutions = [records.solution("a\n", f"{name}\n", f"end {name}", index=i) for i, name in enumerate("bcde")]
    return records.evidence(solutions, ends=["c", "c", "w", "w"])


def test_one_child_is_merged_by_hand(bush):
    """At probability 1 exactly one child is merged: its step joins "a", and "a" loses its outcome."""
    compressed = compress_tree(bush, probability=1.0)
    assert len(compressed.merged) == 1
    cut = [s for s in compressed.evidence.solutions if len(s.steps) == 2]
    rest = [s for s in compressed.evidence.solutions if len(s.steps) == 3]
    assert (len(cut), len(rest)) == (1, 3)
    (merged,) = cut
    assert merged.steps[0].text == f"a\n{merged.text[2]}\n"
    before, after = shares(bush), shares(compressed.evidence)
    assert before["a\n"] == 0.5
    was_right = before[merged.text] == 1.0
    assert after["a\n"] == pytest.approx((2 - was_right) / 3)
    assert after[merged.steps[0].text] == before[merged.text]


def test_labels_are_computed_anew(bush):
    """Any policy labels the compressed evidence; outcomes have followed their solutions."""
    compressed = compress_tree(bush, probability=1.0).evidence
    assert count_evidence([compressed]).outcome.tolist() == [1, 1, 0, 0]
    labels = label_evidence([compressed], Soft())
    assert sorted(len(record.marks) for record in labels) == [2, 3, 3, 3]


def test_evidence_follows_its_nodes(bush, records):
    """Rollouts and observations at a node that a merged step now ends are found there; the text is the same."""
    (chosen,) = compress_tree(bush, probability=1.0).merged
    place = next(s for s in bush.solutions if chosen in s.node_keys)
    evidence = records.evidence(
        bush.solutions,
        {chosen: "cw", place.node_keys[0]: "ccc", place.node_keys[2]: "w"},
        ["c", "c", "w", "w"],
        observations=(
            Observation(subject=chosen, source="z3", source_version="1", verdict=Verdict.FAILS),
            Observation(subject=place.id, source="judge", source_version="1", verdict=Verdict.FAILS),
        ),
    )
    compressed = compress_tree(evidence, probability=1.0)
    assert compressed.merged == (chosen,)
    index = evidence.solutions.index(place)
    moved = compressed.evidence.solutions[index]
    batch = count_evidence([compressed.evidence])
    steps = slice(batch.offsets[index], batch.offsets[index + 1])
    assert (batch.correct[steps] + batch.wrong[steps]).tolist() == [2, 1]
    assert batch.verdicts["z3"][steps].tolist() == [-1, 0]
    assert {o.subject for o in compressed.evidence.observations} == {moved.node_keys[0], moved.id}
    # The old parent's own rollouts stay with it, for the siblings that still pass through it.
    other = 1 if index == 0 else 0
    assert int((batch.correct + batch.wrong)[batch.offsets[other]]) == 3


def test_forced_answers_follow_their_prefix(bush, records):
    """What was forced behind a prefix is found behind the same text when a merged step ends it."""
    (chosen,) = compress_tree(bush, probability=1.0).merged
    index = next(i for i, s in enumerate(bush.solutions) if chosen in s.node_keys)
    behind = {(key, "Answer: "): "cw" for key in bush.solutions[index].node_keys}
    forced = records.evidence(bush.solutions, behind, ["c", "c", "w", "w"])
    other = records.evidence(bush.solutions, {(chosen, "So "): "w"})
    evidence = replace(
        forced, rollouts=(*forced.rollouts, *other.rollouts), outcomes=(*forced.outcomes, *other.outcomes)
    )
    compressed = compress_tree(evidence, probability=1.0).evidence
    for probe, asked in (("Answer: ", [2, 2]), ("So ", [1, 0])):
        batch = count_evidence([compressed], probe=probe)
        assert batch.at_steps.total[batch.offsets[index] : batch.offsets[index + 1]].tolist() == asked


@pytest.mark.parametrize(("children", "merged"), [(4, 1), (5, 0)])
def test_enough_children(bush, children, merged):
    """A parent of fewer children than asked for keeps them all."""
    assert len(compress_tree(bush, probability=1.0, children=children).merged) == merged


def test_probability_0_returns_the_evidence(bush):
    """Nothing merged: the same evidence, not a copy."""
    assert compress_tree(bush, probability=0.0).evidence is bush


def test_the_first_steps_have_no_parent_step(records):
    """Children of the root stay: there is no step to merge them with."""
    solutions = [records.solution(f"{i}\n", "end", index=i) for i in range(6)]
    assert compress_tree(records.evidence(solutions), probability=1.0).merged == ()


def test_a_merged_step_is_not_merged_again(records):
    """Below a merged node its children stay; elsewhere one more is merged. No step is made of three."""
    solutions = [
        records.solution("a\n", f"{b}\n", f"{b}{c}\n", index=4 * i + j)
        for i, b in enumerate("bcde")
        for j, c in enumerate("wxyz")
    ]
    compressed = compress_tree(records.evidence(solutions), probability=1.0)
    # One of a's children, and one child of each of its three siblings.
    assert len(compressed.merged) == 4
    lengths = sorted(len(s.steps) for s in compressed.evidence.solutions)
    assert lengths == [2] * 7 + [3] * 9
    assert all(step.text.count("\n") <= 2 for s in compressed.evidence.solutions for step in s.steps)


@pytest.mark.parametrize("kind", [StepKind.OBSERVATION, StepKind.CODE])
def test_kinds_stay_apart(records, kind):
    """A step is not merged with one of another kind, nor with tool output."""
    solutions = [
        records.solution("a\n", Step(text=f"{i}\n", kind=kind), "end", index=i, final_answer="4") for i in range(5)
    ]
    assert compress_tree(records.evidence(solutions), probability=1.0).merged == ()


def test_a_merged_solution_keeps_its_fields(records):
    """Writer, sampling, answer and tokens stay; the merged step ends at the token where its last part did."""
    solutions = [
        records.solution(
            Step(text="a\n", token_end=2),
            Step(text=f"{i}\n", token_end=5),
            index=i,
            policy="m",
            seed=7,
            token_ids=(1, 2, 3, 4, 5),
            final_answer="4",
            finish_reason="stop",
        )
        for i in range(4)
    ]
    compressed = compress_tree(records.evidence(solutions), probability=1.0)
    (index,) = [i for i, s in enumerate(compressed.evidence.solutions) if len(s.steps) == 1]
    old, new = solutions[index], compressed.evidence.solutions[index]
    same = ("policy", "seed", "index", "token_ids", "final_answer", "finish_reason", "text", "problem_id", "source")
    assert [getattr(new, name) for name in same] == [getattr(old, name) for name in same]
    assert (new.steps[0].token_end, new.steps[0].start) == (5, 0)
    assert new.id != old.id


def test_unknown_outcomes_do_not_count(records):
    """A node that only unknown solutions pass through has no share; elsewhere they are left out."""
    solutions = [records.solution("a\n", f"{i}\n", index=i) for i in range(3)]
    evidence = records.evidence(solutions, ends=["c", "x", ""])
    found = shares(evidence)
    assert found == {"a\n": 1.0, "a\n0\n": 1.0, "a\n1\n": None, "a\n2\n": None}


def test_the_rate_is_that_of_the_released_code():
    """With four children, each tried with .5, a parent gives one up in 15 of 16 cases."""
    merged = 0
    for i in range(200):
        problem = Problem(id=f"p{i}", text=f"problem {i}")
        steps = [(Step(text="a\n"), Step(text=f"{j}\n")) for j in range(4)]
        solutions = tuple(make_solution(problem, made, index=j) for j, made in enumerate(steps))
        merged += len(compress_tree(_evidence(problem, solutions)).merged)
    assert merged / 200 == pytest.approx(15 / 16, abs=0.05)


def _evidence(problem: Problem, solutions: tuple[Solution, ...]):
    from steplabel.schemas import Evidence

    return Evidence(problem=problem, solutions=solutions)


TREES = st.lists(st.lists(st.sampled_from("abcd"), min_size=1, max_size=5), max_size=14)


@settings(deadline=None)
@given(TREES, st.integers(0, 3), st.randoms(use_true_random=False))
def test_what_compression_keeps(problem, paths, seed, random):
    """Texts, their order and outcomes stay; the choice belongs to the tree, not to the order of solutions."""
    solutions = [
        make_solution(problem, tuple(Step(text=f"{name}\n") for name in path), index=i) for i, path in enumerate(paths)
    ]
    evidence = _evidence(problem, tuple(solutions))
    compressed = compress_tree(evidence, children=2, probability=0.5, seed=seed)
    assert [s.text for s in compressed.evidence.solutions] == [s.text for s in solutions]
    keys = {key for s in solutions for key in s.node_keys}
    assert set(compressed.merged) <= keys
    random.shuffle(solutions)
    again = compress_tree(_evidence(problem, tuple(solutions)), children=2, probability=0.5, seed=seed)
    assert again.merged == compressed.merged
    by_text = {s.id: s for s in again.evidence.solutions}
    assert by_text == {s.id: s for s in compressed.evidence.solutions}


def test_nothing_and_nonsense(records):
    """No solutions give none; a probability outside [0, 1] is refused."""
    assert compress_tree(records.evidence([])).merged == ()
    assert right_shares([], {"s": Outcome.CORRECT}) == {}
    with pytest.raises(ConfigError, match=r"probability=1\.5"):
        compress_tree(records.evidence([]), probability=1.5)
