"""Repeated and useless steps, Clip and Delta, by hand."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from steplabel.labels.curation import clip_rewards, delta_rewards, diagnose_steps
from steplabel.schemas import ConfigError

VALUES = st.lists(st.sampled_from([0.0, 0.25, 0.5, 1.0]), min_size=2, max_size=10)


def test_clip_by_hand():
    """Nothing above eta is paid, what is below is charged; unknown stays unknown."""
    assert clip_rewards([1.0, 0.5, 0.25, None], eta=0.5) == (0.0, 0.0, -0.25, None)
    assert clip_rewards([], eta=0.5) == ()


def test_delta_by_hand():
    """Each step less the next, the last but one as it is, the last nothing."""
    assert delta_rewards([0.75, 0.25, 0.5, 1.0]) == (0.5, -0.25, 0.5, 0.0)
    assert delta_rewards([0.75, 1.0]) == (0.75, 0.0)
    assert delta_rewards([0.75]) == (0.0,)
    assert delta_rewards([]) == ()
    assert delta_rewards([0.5, None, 0.25, None, 1.0]) == (None, None, None, None, 0.0)


@settings(deadline=None)
@given(VALUES)
def test_delta_telescopes(values):
    """From each step but the last the rewards add up to that step's value, however many follow."""
    rewards = delta_rewards(values)
    for k in range(len(values) - 1):
        assert sum(rewards[k:]) == values[k]


@settings(deadline=None)
@given(VALUES, st.integers(1, 5))
def test_repeating_good_steps_pays_nothing(values, times):
    """More steps of value 1 raise the plain sum, but neither Clip's nor Delta's."""
    longer = [1.0, *[1.0] * times, *values[1:]]
    shorter = [1.0, *values[1:]]
    assert sum(longer) == sum(shorter) + times
    assert sum(clip_rewards(longer, eta=0.5)) == sum(clip_rewards(shorter, eta=0.5))
    assert sum(delta_rewards(longer)) == sum(delta_rewards(shorter))


def test_diagnosis_by_hand(row_of):
    """Step 2 repeats step 0, step 3 brings no new word, step 4 does; value and novelty both count."""
    row = row_of(
        "+++++",
        steps=["We add 2 and 3.\n", "That is 5.\n", "we add  2 and 3.\n", "add 5 and 2.\n", "So 7.\n"],
        values=[1.0, 0.5, 0.5, 0.5, 0.5],
    )
    found = diagnose_steps(row)
    assert (found.solution_id, found.steps) == ("s1", 5)
    assert found.repeated == (2,)
    assert found.useless == (2, 3)
    assert (found.summed, found.clipped, found.delta) == (3.0, 0.0, 1.0)
    assert 0 < found.repetition < 0.5


def test_a_repeated_step_that_moves_the_value_is_not_useless(row_of):
    """What moves the value is of use, whatever it says; within the tolerance it does not move."""
    row = row_of("+++", steps=["a\n", "b\n", "a\n"], values=[0.5, 0.5, 0.75])
    assert diagnose_steps(row).useless == ()
    assert diagnose_steps(row, tolerance=0.25).useless == (2,)


def test_unknown_values_accuse_nobody(row_of):
    """Without values no step is useless, and sums are unknown; repetition is seen in the text alone."""
    found = diagnose_steps(row_of("???", steps=["a\n", "a\n", "a\n"], values=[None, 1.0, None]))
    assert (found.repeated, found.useless) == ((1, 2), ())
    assert (found.summed, found.clipped, found.delta) == (None, None, None)


def test_tool_output_is_nobodys_repetition(row_of):
    """An observation repeats nothing and has no reward; values are compared across it, its words are known."""
    row = row_of("+?++", kinds="tott", steps=["a\n", "b\n", "a b\n", "b\n"], values=[1.0, None, 1.0, 0.5])
    found = diagnose_steps(row)
    assert (found.repeated, found.useless) == ((), (2,))
    assert (found.summed, found.delta) == (2.5, 1.0)


def test_repetition_by_hand(row_of):
    """a b c d a b c d has five 4-grams, of which four differ: a fifth occurred before."""
    assert diagnose_steps(row_of("+", steps=["a b c d a b c d"])).repetition == pytest.approx(1 / 5)
    assert diagnose_steps(row_of("+", steps=["a b c"])).repetition == 0.0
    assert diagnose_steps(row_of("+", steps=["x " * 1000])).repetition == pytest.approx(1 - 1 / 997)


def test_no_steps(row_of):
    """A row without steps has nothing to say."""
    found = diagnose_steps(row_of(""))
    assert (found.steps, found.repeated, found.useless, found.repetition) == (0, (), (), 0.0)


@settings(deadline=None)
@given(st.data())
def test_any_row(any_row, data):
    """Indices are those of labelable steps, in order; the first step is never useless or repeated."""
    row = data.draw(any_row())
    found = diagnose_steps(row)
    labelable = [i for i, it_is in enumerate(row.labelable) if it_is]
    for indices in (found.repeated, found.useless):
        assert set(indices) <= set(labelable[1:])
        assert list(indices) == sorted(indices)
    assert 0.0 <= found.repetition < 1.0
    assert diagnose_steps(row) == found


def test_refused(row_of):
    """A threshold that is no number and a negative tolerance are refused."""
    with pytest.raises(ConfigError, match="eta=nan"):
        diagnose_steps(row_of("+"), eta=float("nan"))
    with pytest.raises(ConfigError, match=r"tolerance=-0\.1"):
        diagnose_steps(row_of("+"), tolerance=-0.1)
