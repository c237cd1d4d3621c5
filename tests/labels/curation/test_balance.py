"""Class balance and FoVer's last steps."""

from __future__ import annotations

import dataclasses
import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from steplabel.labels.curation import EVEN, balance, balanced_examples, balanced_last_steps, error_class, last_steps
from steplabel.schemas import ConfigError, DataError, StepMark

CLASSES = st.dictionaries(st.text("abcdef", min_size=1, max_size=4), st.sampled_from(["erroneous", "clean", None]))


def counts(result):
    return {found.name: (found.members, found.kept) for found in result.classes}


def test_error_classes():
    """A first error is a class, -1 the other, and not knowing is none."""
    assert [error_class(first) for first in (0, 7, -1, None)] == ["erroneous", "erroneous", "clean", None]


def test_one_to_one_by_hand():
    """Of 5 erroneous and 2 clean solutions 2 and 2 stay; the unknown one leaves and is counted."""
    classes = {f"e{i}": "erroneous" for i in range(5)} | {"c0": "clean", "c1": "clean", "u": None}
    result = balance(classes, EVEN)
    assert counts(result) == {"erroneous": (5, 2), "clean": (2, 2)}
    assert {"c0", "c1"} < set(result.kept)
    assert result.unclassed == 1


@pytest.mark.parametrize(
    ("sizes", "weights", "kept"),
    [
        ((10, 10), (2, 1), (10, 5)),
        ((10, 3), (2, 1), (6, 3)),
        ((3, 10), (0.3, 0.7), (3, 7)),
        ((10, 0), (1, 1), (0, 0)),
        ((0, 0), (1, 1), (0, 0)),
        ((1, 9), (1, 2.5), (1, 2)),
        ((1, 1), (49, 49), (1, 1)),
    ],
)
def test_ratios_by_hand(sizes, weights, kept):
    """The scarcest class stays whole and the other follows its weight, rounded down."""
    classes = {f"a{i}": "a" for i in range(sizes[0])} | {f"b{i}": "b" for i in range(sizes[1])}
    result = balance(classes, dict(zip("ab", weights, strict=True)))
    assert tuple(found.kept for found in result.classes) == kept


def test_a_class_without_weight_leaves():
    """Only classes that have a weight take part."""
    result = balance({"x": "clean", "y": "odd"}, {"clean": 1.0})
    assert (result.kept, result.unclassed) == (("x",), 1)


@settings(deadline=None)
@given(CLASSES, st.integers(0, 3), st.randoms(use_true_random=False))
def test_order_changes_nothing(classes, seed, random):
    """The choice belongs to seed and ids."""
    items = list(classes.items())
    random.shuffle(items)
    assert balance(dict(items), EVEN, seed=seed) == balance(classes, EVEN, seed=seed)


@settings(deadline=None)
@given(CLASSES)
def test_even_is_even_and_as_large_as_can_be(classes):
    """As many of each as the scarcer class has."""
    result = balance(classes, EVEN)
    sizes = [list(classes.values()).count(name) for name in EVEN]
    assert [found.kept for found in result.classes] == [min(sizes)] * 2
    assert set(result.kept) <= classes.keys()
    assert result.unclassed == list(classes.values()).count(None)


@settings(deadline=None)
@given(CLASSES)
def test_smaller_choices_are_part_of_larger_ones(classes):
    """More weight to a class adds members of it and changes none."""
    few = {id_ for id_ in balance(classes, {"erroneous": 1, "clean": 2}).kept if classes[id_] == "erroneous"}
    more = {id_ for id_ in balance(classes, EVEN).kept if classes[id_] == "erroneous"}
    assert few <= more


def test_seeds_choose_differently():
    """Another seed gives another choice of the same size."""
    classes = {f"e{i}": "erroneous" for i in range(40)} | {f"c{i}": "clean" for i in range(10)}
    choices = {balance(classes, EVEN, seed=seed).kept for seed in range(5)}
    assert len(choices) == 5
    assert {len(kept) for kept in choices} == {20}


@pytest.mark.parametrize("weights", [{}, {"a": 0.0}, {"a": -1.0}, {"a": math.nan}, {"a": math.inf}])
def test_refused_weights(weights):
    """A ratio needs positive numbers."""
    with pytest.raises(ConfigError, match="class weights"):
        balance({"x": "a"}, weights)


def test_last_steps_by_hand(row_of):
    """In the middle "++++" and "--" give 2 and 2; final steps "+-" 1 and 1; unknown and tool output nothing."""
    rows = [
        row_of("+++?+", solution_id="a"),
        row_of("++--", solution_id="b", kinds="tott"),
        row_of("-?", solution_id="c"),
    ]
    examples = balanced_last_steps(rows)
    middle = [(e.row, e.steps, e.mark) for e in examples if not e.final]
    final = [(e.row, e.steps, e.mark) for e in examples if e.final]
    assert final == [(0, 5, StepMark.POSITIVE), (1, 4, StepMark.NEGATIVE)]
    assert [mark for _, _, mark in middle].count(StepMark.POSITIVE) == 2
    assert {(row, steps) for row, steps, mark in middle if mark is StepMark.NEGATIVE} == {(1, 3), (2, 1)}
    assert (1, 2) not in {(row, steps) for row, steps, _ in middle}


def test_the_last_labelable_step_is_final(row_of):
    """Tool output behind it does not make a final answer a step in the middle."""
    examples = balanced_last_steps([row_of("+?", kinds="to", solution_id="a"), row_of("-", solution_id="b")])
    assert [(e.row, e.steps, e.final) for e in examples] == [(0, 1, True), (1, 1, True)]


def test_a_cut_row_does_not_end_where_it_was_cut(row_of, records):
    """The error in the middle is no final step; only the whole solution tells. Joined steps end where it ends."""
    solution = records.solution("a\n", "b\n", "c\n", "d")
    whole = dataclasses.replace(row_of("++-+", solution_id="a"), steps=("a\n", "b\n", "c\n", "d"))
    cut = dataclasses.replace(row_of("++-", solution_id="b"), steps=("a\n", "b\n", "c\n"))
    joined = dataclasses.replace(row_of("+-", solution_id="c"), steps=("a\nb\n", "c\nd"))
    finals = {row.solution_id: [e.final for e in last_steps(row, solution)] for row in (whole, cut, joined)}
    assert finals == {"a": [False, False, False, True], "b": [False, False, False], "c": [False, True]}
    kept = balanced_last_steps([whole, cut], solutions=[solution, solution])
    assert not any(example.final for example in kept)
    assert {example.row for example in kept if example.mark is StepMark.NEGATIVE} == {0, 1}


def test_right_per_wrong(row_of):
    """Two that end right for each that ends wrong."""
    examples = balanced_last_steps([row_of("+++++-?")], right_per_wrong=2.0)
    marks = [e.mark for e in examples]
    assert (marks.count(StepMark.POSITIVE), marks.count(StepMark.NEGATIVE)) == (2, 1)


@settings(deadline=None)
@given(st.data())
def test_last_steps_are_even_and_in_order(any_row, data):
    """As many right as wrong in each bucket, never an unknown one, in the order of rows and steps."""
    drawn = data.draw(st.lists(any_row(), max_size=4))
    rows = [dataclasses.replace(row, solution_id=f"s{i}") for i, row in enumerate(drawn)]
    examples = balanced_last_steps(rows)
    for final in (False, True):
        marks = [e.mark for e in examples if e.final is final]
        assert marks.count(StepMark.POSITIVE) == marks.count(StepMark.NEGATIVE) == len(marks) / 2
    places = [(e.row, e.steps) for e in examples]
    assert places == sorted(places)
    assert all(rows[e.row].labels[e.steps - 1] is e.mark and rows[e.row].labelable[e.steps - 1] for e in examples)


def test_nothing_to_balance():
    """No rows, and rows without steps, give no examples."""
    assert balanced_last_steps([]) == ()


def test_one_solution_twice(row_of):
    """Two rows of one solution under one policy are refused: one would silently stand for both."""
    with pytest.raises(DataError, match="s1 under hard"):
        balanced_last_steps([row_of("+-"), row_of("+-")])
    assert len(balanced_last_steps([row_of("-+"), row_of("-+", policy="soft")])) == 0


def test_ids_alone_choose_the_same(row_of):
    """`balanced_examples` of the rows' examples, in any order, keeps what `balanced_last_steps` does."""
    rows = [row_of("++-+", solution_id="a"), row_of("+-?", solution_id="b"), row_of("--", solution_id="c")]
    kept = balanced_examples(example for row in reversed(rows) for example in last_steps(row))
    assert kept == {example.id for example in balanced_last_steps(rows)}
    assert kept


def test_examples_of_a_row(row_of):
    """Each labelable step with a known mark, by the number of steps up to it; the last labelable one is final."""
    examples = list(last_steps(row_of("+?-+", kinds="ttto")))
    assert [(e.steps, e.mark, e.final) for e in examples] == [(1, "+", False), (3, "-", True)]
    assert len({e.id for e in examples}) == 2
