"""Controlled English says every formula and is read back in one way only."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from steplabel.verifiers.logic.english import RESERVED, hear, say
from steplabel.verifiers.logic.formulas import Atom, Constant, Formula, Variable, is_closed
from steplabel.verifiers.logic.names import ADJECTIVES, EVENTS, PEOPLE
from steplabel.verifiers.logic.notation import Unreadable, read_formula

SAID = {
    "{rain}": "rain happens",
    "¬{rain}": "rain does not happen",
    "{tall}{anna}": "anna is tall",
    "¬{tall}{anna}": "anna is not tall",
    "({anna} = {ben})": "anna is the same as ben",
    "{rain} & {snow}": "both rain happens and snow happens",
    "({rain} & {snow} & {fog})": "all of rain happens, snow happens, fog happens together",
    "¬({rain} v {snow})": "it is not the case that either rain happens or snow happens",
    "{rain} -> {tall}{anna}": "if rain happens, then anna is tall",
    "(x): {tall}x -> {calm}x": "everything that is tall is calm",
    "(x): {tall}x -> ¬{calm}x": "nothing that is tall is calm",
    "(x): {tall}x": "everything is tall",
    "(Ex): {tall}x": "something is tall",
    "(Ex): ({tall}x & {calm}x)": "something that is tall is calm",
    "(x): ¬{tall}x -> {calm}x": "for every x, if x is not tall, then x is calm",
    "(Ey): ({tall}y v {calm}y)": "for some y, either y is tall or y is calm",
}


@pytest.mark.parametrize(("formula", "sentence"), SAID.items(), ids=SAID.values())
def test_sentences(formula: str, sentence: str) -> None:
    """Each kind of formula has its sentence, and the sentence means that formula."""
    assert say(read_formula(formula)) == sentence
    assert hear(sentence) == read_formula(formula)
    assert hear(f" {sentence}. ") == read_formula(formula)


@given(st.data())
def test_round_trip(closed_formulas: Callable[..., st.SearchStrategy[Formula]], data: st.DataObject) -> None:
    """Whatever is said is heard as it was meant."""
    formula = data.draw(closed_formulas(names="AB", things="ab"))
    assert hear(say(formula)) == formula


@pytest.mark.parametrize(
    "sentence",
    [
        "",
        "anna",
        "anna is",
        "anna tall",
        "x is tall",
        "for every anna, anna is tall",
        "both rain happens or snow happens",
        "all of rain happens, snow happens together",
        "if rain happens then snow happens",
        "rain happens and snow happens",
        "rain happens snow happens",
        "the is tall",
        "anna is x",
        "anna is tall!",
        "it is not the case that " * 41 + "rain happens",
        "it is not the case that " * 39 + "everything that is tall is calm",
        "a" * 33 + " happens",
    ],
    ids=lambda text: text[:40] or "empty",
)
def test_other_english_is_refused(sentence: str) -> None:
    """What is not said in this way, or deeper than the bounds, is unreadable."""
    with pytest.raises(Unreadable):
        hear(sentence)


@pytest.mark.parametrize(
    "sentence",
    [
        "Everything is calm",
        "Nothing is calm",
        "everyone is calm",
        "nobody is calm",
        "It is calm",
        "he is calm",
        "X is calm",
        "rain is false",
        "nobody happens",
        "anna is None",
    ],
)
def test_words_that_name_no_one_thing_are_no_names(sentence: str) -> None:
    """Read as names they would make a right step fail: "Everything is calm" is not said of somebody."""
    with pytest.raises(Unreadable):
        hear(sentence)


@given(st.lists(st.sampled_from([*sorted(RESERVED), ",", "x", "anna", "tall", "."]), max_size=14).map(" ".join))
def test_any_words_are_heard_or_refused(text: str) -> None:
    """No order of the grammar's words raises anything else, and what is heard is a closed formula."""
    try:
        formula = hear(text)
    except Unreadable:
        return
    assert is_closed(formula)
    assert hear(say(formula)) == formula


def test_hostile(hostile: str) -> None:
    """No hostile text is a sentence, and none takes a second to refuse."""
    started = time.process_time()
    with pytest.raises(Unreadable):
        hear(hostile)
    assert time.process_time() - started < 1.0


def test_names_of_the_grammar_cannot_be_said() -> None:
    """A name that the grammar needs would change the sentence's meaning."""
    for name in ("not", "x", "y1"):
        with pytest.raises(Unreadable, match=name):
            say(Atom(name))
        with pytest.raises(Unreadable, match=name):
            say(Atom("tall", Constant(name)))
    assert say(Atom("tall", Variable("y"))) == "y is tall"


def test_generated_names_are_fit_for_sentences() -> None:
    """The lists that generators draw from hold no word of the grammar, no variable and no name twice."""
    for names in (ADJECTIVES, EVENTS, PEOPLE):
        assert len(set(names)) == len(names)
        assert not RESERVED & set(names)
        assert not any(len(name) < 3 for name in names)
