"""Step preferences among siblings."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from steplabel.labels.apply import label_evidence
from steplabel.labels.estimation import HardAny, Soft
from steplabel.labels.policies import POLICIES
from steplabel.labels.preferences import StepPreference, mark_preferences, value_preferences
from steplabel.schemas import AfterError, ConfigError, DataError, StepMark


@pytest.fixture(scope="module")
def fork(records):
    """Three samples that share "a "; the first goes on rightly, the other two fail at their second steps."""
    solutions = [
        records.solution("a ", "good ", "end"),
        records.solution("a ", "bad ", "end"),
        records.solution("a ", "dull "),
    ]
    (a, good, _), (_, bad, _), (_, dull) = (s.node_keys for s in solutions)
    return records.evidence(solutions, {a: "ccww", good: "cccw", bad: "wwww", dull: "cwww"}, "cww")


def test_marks(fork, problem):
    """The first error of a solution against each right step from the same prefix; all is in the record."""
    good, bad, _ = (s.node_keys for s in fork.solutions)
    first, second = mark_preferences(fork, label_evidence([fork], HardAny()))
    assert first == StepPreference(
        problem_id=problem.id,
        prefix_key=good[0],
        prefix="a ",
        chosen_key=good[1],
        chosen="good ",
        rejected_key=bad[1],
        rejected="bad ",
        chosen_value=0.75,
        rejected_value=0.0,
        margin=0.75,
        policy="hard@1",
    )
    # The wrong answer ends with "dull ", and rollouts repaired it once: the mark is "-" by its outcome.
    assert (second.chosen, second.rejected) == ("good ", "dull ")


def test_values(fork):
    """Every two siblings of different value, the higher chosen, with the margin between them."""
    labels = label_evidence([fork], Soft())
    pairs = [(p.chosen, p.rejected, p.margin) for p in value_preferences(fork, labels)]
    assert pairs == [("good ", "bad ", 0.75), ("good ", "dull ", 0.75)]
    assert value_preferences(fork, labels, min_margin=0.75) == []


def test_both_may_be_right(records):
    """Step-Q pairs rank right steps, too; Step-DPO's do not."""
    solutions = [records.solution("x ", "e"), records.solution("y ", "e")]
    asked = {solutions[0].node_keys[0]: "cccc", solutions[1].node_keys[0]: "cwww"}
    evidence = records.evidence(solutions, asked, "cc")
    labels = label_evidence([evidence], Soft())
    (pair,) = value_preferences(evidence, labels)
    assert (pair.prefix_key, pair.prefix, pair.chosen, pair.margin) == (records.problem.root_key, "", "x ", 0.75)
    assert mark_preferences(evidence, labels) == []


def test_later_errors_are_not_first(records):
    """A "-" after the first error is no rejected step, even beside a right sibling."""
    wrong, right = records.solution("x", "y"), records.solution("x", "z")
    (x, y), (_, z) = wrong.node_keys, right.node_keys
    labels = label_evidence([records.evidence([wrong, right], {x: "ww", y: "ww", z: "cc"}, "wc")], HardAny())
    assert labels[0].marks == (StepMark.NEGATIVE, StepMark.NEGATIVE)
    assert mark_preferences(records.evidence([wrong, right], ends="wc"), labels) == []


def test_labels_that_disagree_about_a_node(records):
    """A prefix that is "+" by one solution's gate and "-" by another's rollouts is neither."""
    solutions = [records.solution("a", "b"), records.solution("a", "c"), records.solution("x", "y")]
    evidence = records.evidence(solutions, {solutions[0].node_keys[0]: "ww"}, "cwc")
    labels = label_evidence([evidence], POLICIES["hard_gated"])
    assert labels[0].marks[0] is StepMark.POSITIVE
    assert labels[1].marks[0] is StepMark.NEGATIVE
    assert mark_preferences(evidence, labels) == [], "a is in doubt, and c follows it"


def test_values_are_averaged(records):
    """Where the labels of two solutions give one node different values, the node's is their mean."""
    solutions = [records.solution("a", "b"), records.solution("a", "c"), records.solution("x", "y")]
    asked = {solutions[0].node_keys[0]: "ww", solutions[2].node_keys[0]: "cccc"}
    evidence = records.evidence(solutions, asked, "cww")
    pairs = value_preferences(evidence, label_evidence([evidence], POLICIES["soft_gated"]))
    assert ("x", "a", 0.5) in {(p.chosen, p.rejected, p.margin) for p in pairs}


def test_equal_means_are_equal(records):
    """Whatever floating point makes of three equal values: no pair of nothing."""
    thrice = [records.solution("a", "b", index=i) for i in range(3)]
    evidence = records.evidence([*thrice, records.solution("x", "y")], ends="cccc")
    soft = label_evidence([evidence], Soft())
    for value in (0.1, 0.2, 0.7, 1 / 3):
        labels = [replace(said, values=(value, *said.values[1:])) for said in soft]
        pairs = [(pair.chosen, pair.rejected) for pair in value_preferences(evidence, labels)]
        assert ("a", "x") not in pairs
        assert ("x", "a") not in pairs


def test_steps_that_differ_in_the_space_behind_them_are_one(records):
    """Nobody can learn to write the line end: such siblings are never a pair; indented ones are."""
    solutions = [
        records.solution("s\n", "a=2\n", "b"),
        records.solution("s\n", "a=2"),
        records.solution("s\n", "  a=2"),
    ]
    asked = {key: ends for s, ends in zip(solutions, ("ww", "cc", "cc"), strict=True) for key in s.node_keys[1:2]}
    evidence = records.evidence(solutions, {**asked, solutions[0].node_keys[0]: "cc"}, "wcc")
    for pairs in (
        mark_preferences(evidence, label_evidence([evidence], HardAny())),
        value_preferences(evidence, label_evidence([evidence], Soft())),
    ):
        assert {(pair.chosen, pair.rejected) for pair in pairs} == {("  a=2", "a=2\n")}


def test_observations_and_cut_steps_take_no_part(records):
    """What the policy model did not write is no preference of its own, and what labels cut is not labelled."""
    solutions = [records.solution("tool: 1", "b"), records.solution("c", "d"), records.solution("e", "d")]
    keys = [s.node_keys[0] for s in solutions]
    evidence = records.evidence(solutions, dict(zip(keys, ("cc", "cc", "ww"), strict=True)), "cww")
    pairs = mark_preferences(evidence, label_evidence([evidence], HardAny(after_error=AfterError.CUT)))
    assert [(p.chosen, p.rejected) for p in pairs] == [("c", "e")]


def test_unmeasured_marks_have_no_margin(records):
    """A step that is "+" by implication has no value: the pair stands, without a margin."""
    solutions = [records.solution("a", "b", "c"), records.solution("x", "y", "z")]
    asked = {solutions[0].node_keys[1]: "cc", solutions[1].node_keys[0]: "ww"}
    evidence = records.evidence(solutions, asked, "cw")
    (pair,) = mark_preferences(evidence, label_evidence([evidence], HardAny()))
    assert (pair.chosen, pair.chosen_value, pair.rejected_value, pair.margin) == ("a", None, 0.0, None)


def test_what_is_refused(fork, records):
    """Labels of other solutions or of two policies would pair what cannot be compared."""
    soft, hard = label_evidence([fork], Soft()), label_evidence([fork], HardAny())
    with pytest.raises(DataError, match="more than one policy"):
        value_preferences(fork, [*soft, *hard])
    with pytest.raises(DataError, match="no solution fits"):
        mark_preferences(records.evidence([records.solution("z")]), hard)
    with pytest.raises(DataError, match="no solution fits"):
        mark_preferences(fork, [replace(hard[0], solution_id=fork.solutions[2].id)])
    for margin in (-0.1, float("nan")):
        with pytest.raises(ConfigError, match="min_margin="):
            value_preferences(fork, soft, min_margin=margin)


def test_nothing_to_compare(records):
    """No labels, or a lone solution, make no pairs."""
    evidence = records.evidence([records.solution("a")], ends="c")
    assert mark_preferences(evidence, []) == []
    assert value_preferences(evidence, label_evidence([evidence], Soft())) == []


samples = st.lists(
    st.tuples(st.lists(st.sampled_from("abc"), min_size=1, max_size=3), st.sampled_from("cwu")), max_size=6
)


@given(samples, st.sampled_from([0.0, 0.3]))
def test_properties(records, drawn, min_margin):
    """Both steps go on from the prefix, differ, never come in both orders, and keep the margin."""
    solutions = [records.solution(*steps, index=i) for i, (steps, _) in enumerate(drawn)]
    evidence = records.evidence(solutions, ends=[end for _, end in drawn])
    labels = label_evidence([evidence], POLICIES["prefix_tree"])
    pairs = value_preferences(evidence, labels, min_margin=min_margin)
    texts = {"".join(steps[:i]) for steps, _ in drawn for i in range(1, len(steps) + 1)}
    for pair in pairs:
        assert pair.margin > min_margin
        assert pair.margin == pair.chosen_value - pair.rejected_value
        assert {pair.prefix + pair.chosen, pair.prefix + pair.rejected} <= texts
    keys = [(p.chosen_key, p.rejected_key) for p in pairs + mark_preferences(evidence, labels)]
    assert not {(b, a) for a, b in keys} & set(keys)
    assert len(set(keys[: len(pairs)])) == len(pairs)
