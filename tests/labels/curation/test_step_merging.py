"""Merged steps: the text stays, labels are ANDs, values say what they said."""

from __future__ import annotations

import dataclasses

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from steplabel.labels.curation import merge_random_steps, merge_same_sign
from steplabel.labels.curation.joined_steps import all_of, join_steps, spans_of
from steplabel.schemas import ConfigError, DataError, LabelRow, LabelTarget, StepMark

SIGNS = {StepMark.POSITIVE: "+", StepMark.NEGATIVE: "-", StepMark.UNKNOWN: "?"}
MERGES = [merge_same_sign, lambda row: merge_random_steps(row, probability=0.5), merge_random_steps]


def signs(row):
    return "".join(SIGNS[mark] for mark in row.labels)


@pytest.mark.parametrize(
    ("marks", "joined"),
    [("++", "+"), ("+-", "-"), ("-?", "-"), ("+?", "?"), ("??", "?"), ("--", "-"), ("+", "+"), ("+++-?", "-")],
)
def test_and_of_marks(marks, joined):
    """ "-" wins, then unknown, then "+": what three-valued AND says."""
    by_sign = {sign: mark for mark, sign in SIGNS.items()}
    assert SIGNS[all_of([by_sign[sign] for sign in marks])] == joined


def test_join_by_hand(row_of):
    """Steps 1 and 2 of four become one: the text joins, "+" and "-" give "-", counts are the last part's."""
    row = row_of("++-?", values=[0.9, 0.5, 0.0, None], first_error=2)
    joined = join_steps(row, [(0, 1), (1, 3), (3, 4)], name="merged")
    assert joined.steps == ("step 0\n", "step 1\nstep 2\n", "step 3\n")
    assert signs(joined) == "+-?"
    assert joined.values == joined.value_lows == joined.value_highs == (0.9, 0.0, None)
    assert joined.rollouts == joined.successes == (0, 2, 3)
    assert (joined.first_error, joined.label_policy) == (1, "hard_merged")


@pytest.mark.parametrize(
    ("target", "values", "joined"),
    [
        (LabelTarget.REACHABLE, (0.2, 0.7), 0.7),
        (LabelTarget.VALUE, (0.7, None), None),
        (LabelTarget.VALUE, (None, 0.7), 0.7),
        (LabelTarget.CORRECT, (0.2, 0.7), 0.2),
        (LabelTarget.CORRECT, (0.2, None), None),
        (LabelTarget.PROGRESS, (0.2, 0.7), None),
    ],
)
def test_joined_values_by_claim(row_of, target, values, joined):
    """A value of a prefix is the last part's, one of a step the weakest part's, progress has none."""
    row = row_of("++", values=values, target=target)
    merged = merge_same_sign(row)
    assert (merged.values, merged.value_lows, merged.value_highs) == ((joined,),) * 3
    assert merge_same_sign(row_of("+-", values=values, target=target)).values == values


@pytest.mark.parametrize(
    ("marks", "before", "after"), [("++-", 2, 1), ("+--", 1, 1), ("--+", 0, 0), ("-+", 0, 0), ("+++--++", 3, 1)]
)
def test_the_location_moves(row_of, marks, before, after):
    """The first error is the merged step that begins with, or holds, the old one."""
    assert merge_same_sign(row_of(marks, first_error=before)).first_error == after


@pytest.mark.parametrize("first_error", [None, -1])
def test_no_location_to_move(row_of, first_error):
    """A first error that is none, or not known, stays that."""
    assert merge_same_sign(row_of("++?", first_error=first_error)).first_error == first_error


@pytest.mark.parametrize(
    ("marks", "kinds", "merged"),
    [
        ("+++--", "", "+-"),
        ("+-+-", "", "+-+-"),
        ("++??--", "", "+??-"),
        ("???", "", "???"),
        ("++++", "ttcc", "++"),
        ("+?+", "tot", "+?+"),
        ("++", "oo", "++"),
        ("+", "", "+"),
        ("", "", ""),
    ],
    ids=str,
)
def test_same_sign_by_hand(row_of, marks, kinds, merged):
    """Runs of one sign and kind become one; unknown joins nothing; tool output keeps steps apart."""
    assert signs(merge_same_sign(row_of(marks, kinds=kinds))) == merged


def test_same_sign_is_done_once(row_of):
    """A row whose neighbours differ is returned as it is, with its policy's name."""
    row = row_of("+-+")
    assert merge_same_sign(row) is row
    once = merge_same_sign(row_of("++-"))
    assert merge_same_sign(once) is once


def test_random_merging_spares_the_end(row_of):
    """At probability 1 pairs are merged from the first step on, at most two, and never the last step."""
    assert merge_random_steps(row_of("+" * 6), probability=1.0).steps == (
        "step 0\nstep 1\n",
        "step 2\nstep 3\n",
        "step 4\n",
        "step 5\n",
    )
    assert len(merge_random_steps(row_of("+" * 5), probability=1.0).steps) == 3
    for short in ("", "+", "++"):
        assert merge_random_steps(row_of(short), probability=1.0).steps == row_of(short).steps
    assert len(merge_random_steps(row_of("++++", kinds="ttto"), probability=1.0).steps) == 3


def test_random_merging_has_its_rate(row_of):
    """Of free pairs a fifth is merged; probability 0 merges none."""
    rows = [row_of("+" * 12, solution_id=f"s{i}") for i in range(300)]
    merged = sum(12 - len(merge_random_steps(row).steps) for row in rows)
    # From 10 possible starts, each merge uses up the next one: about 10 p / (1 + p) = 1.67 a row.
    assert merged / len(rows) == pytest.approx(1.67, abs=0.25)
    assert all(merge_random_steps(row, probability=0.0) is row for row in rows[:5])


def test_random_merging_belongs_to_the_solution(row_of):
    """Solutions differ in where they are cut, rows of one solution under two policies do not; seeds differ."""

    def cut(row, seed=0):
        return merge_random_steps(row, probability=0.5, seed=seed).steps

    cuts = {cut(row_of("+" * 10, solution_id=f"s{i}")) for i in range(20)}
    assert len(cuts) > 10
    assert cut(row_of("+" * 10)) == cut(row_of("-" * 10, policy="soft"))
    assert len({cut(row_of("+" * 10), seed=seed) for seed in range(20)}) > 10


@pytest.mark.parametrize("probability", [-0.1, 1.1, float("nan")])
def test_refused_probability(row_of, probability):
    """A probability lies between 0 and 1."""
    with pytest.raises(ConfigError, match="probability"):
        merge_random_steps(row_of("++"), probability=probability)


@pytest.mark.parametrize(
    ("spans", "kinds"),
    [
        ([(0, 2)], ""),
        ([(0, 1), (2, 3)], ""),
        ([(0, 2), (1, 3)], ""),
        ([(0, 1), (1, 1), (1, 3)], ""),
        ([], ""),
        ([(0, 3)], "ttc"),
        ([(0, 3)], "tot"),
    ],
    ids=["short", "hole", "overlap", "empty", "none", "kinds", "observation"],
)
def test_refused_spans(row_of, spans, kinds):
    """Spans that lose text, or join what must stay apart, are refused."""
    with pytest.raises(DataError, match=r"do not cover|differ in kind"):
        join_steps(row_of("+++", kinds=kinds), spans, name="x")


@pytest.mark.parametrize("merge", MERGES, ids=["same sign", "half", "fifth"])
@settings(deadline=None)
@given(data=st.data())
def test_what_merging_keeps(any_row, merge, data):
    """Text, kinds of characters, AND of marks, and the first error's place in the text stay."""
    row = data.draw(any_row())
    merged = merge(row)
    assert "".join(merged.steps) == "".join(row.steps)
    assert _character_kinds(merged) == _character_kinds(row)
    for start, end, i in _parts(row, merged):
        assert merged.labels[i] is all_of(row.labels[start:end])
        assert end - start == 1 or merged.labelable[i]
    assert (merged.first_error is None) == (row.first_error is None)
    if row.first_error is not None and row.first_error >= 0:
        ((start, end),) = [(a, b) for a, b, i in _parts(row, merged) if i == merged.first_error]
        assert start <= row.first_error < end
    assert merge(row) == merged


@settings(deadline=None)
@given(data=st.data())
def test_every_list_of_a_row_is_merged(any_row, data):
    """Each field that has one entry a step has one entry a merged step: a new field cannot be forgotten."""
    row = data.draw(any_row().filter(lambda row: len(row.steps) > 2))
    merged = merge_random_steps(row, probability=1.0)
    names = [
        f.name
        for f in dataclasses.fields(LabelRow)
        if isinstance(getattr(row, f.name), tuple) and len(getattr(row, f.name)) == len(row.steps)
    ]
    assert len(names) >= 10
    assert {len(getattr(merged, name)) for name in names} == {len(merged.steps)}


def test_huge_rows(row_of):
    """Twenty thousand steps are merged without recursion or a square."""
    merged = merge_same_sign(row_of("+" * 20_000))
    assert merged.steps == ("".join(f"step {i}\n" for i in range(20_000)),)


def _parts(row, merged):
    """Which steps of the row each merged step holds: start, end, index of the merged step."""
    start = 0
    for i, text in enumerate(merged.steps):
        end, length = start, 0
        while length < len(text):
            length += len(row.steps[end])
            end += 1
        assert length == len(text)
        yield start, end, i
        start = end


def _character_kinds(row):
    kinds = zip(row.steps, row.step_kinds, row.labelable, strict=True)
    return [(kind, labelable) for text, kind, labelable in kinds for _ in text]


def test_spans_of(row_of):
    """Joins between neighbours as spans."""
    assert spans_of(row_of("++++"), [True, False, True]) == [(0, 2), (2, 4)]
    assert spans_of(row_of(""), []) == []
