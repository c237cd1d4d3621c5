"""FoVer's notation: what is read, what is refused because it could mean two things, and back again."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from steplabel.verifiers.logic.formulas import (
    MAX_DEPTH,
    And,
    Atom,
    Constant,
    Equal,
    Exists,
    ForAll,
    Formula,
    Implies,
    Not,
    Or,
    Variable,
    depth,
    is_closed,
    substitute,
)
from steplabel.verifiers.logic.notation import Unreadable, read_formula, show

A, B, C = Atom("A"), Atom("B"), Atom("C")
X, Y = Variable("x"), Variable("y")
AX, BX = Atom("A", X), Atom("B", X)
a, b = Constant("a"), Constant("b")

READABLE: dict[str, tuple[str, Formula]] = {
    "proposition": ("{A}", A),
    "two letters": ("{AB}", Atom("AB")),
    "word": ("{is_tall}{anna}", Atom("is_tall", Constant("anna"))),
    "negation": ("¬¬{A}", Not(Not(A))),
    "tilde": ("~{A}", Not(A)),
    "FoVer's fact": ("¬{B} -> ({A} & {C})", Implies(Not(B), And((A, C)))),
    "top without brackets": ("{B} & ¬{A}", And((B, Not(A)))),
    "three parts": ("({A} v {B} v {C})", Or((A, B, C))),
    "nested parts": ("(({A} v {B}) v {C})", Or((Or((A, B)), C))),
    "no blanks": ("{A}v{B}->{C}", Implies(Or((A, B)), C)),
    "Unicode": ("({A} \u2227 {B}) \u2192 ({A} \u2228 {B})", Implies(And((A, B)), Or((A, B)))),
    "constant": ("{A}{a}", Atom("A", a)),
    "universal": ("(x): {A}x -> {B}x", ForAll(X, Implies(AX, BX))),
    "universal of all": ("(x): {A}x -> {B}", ForAll(X, Implies(AX, B))),
    "universal in brackets": ("((x): {A}x) -> {B}", Implies(ForAll(X, AX), B)),
    "existential": ("(Ex): ({A}x & {B}x)", Exists(X, And((AX, BX)))),
    "without colons": ("(x) (Ey) ({A}x v {B}y)", ForAll(X, Exists(Y, Or((AX, Atom("B", Y)))))),
    "existential arrow in brackets": ("(Ex): ({A}x -> {B}x)", Exists(X, Implies(AX, BX))),
    "negated quantifier": ("¬((x): {A}x)", Not(ForAll(X, AX))),
    "equation": ("({a} = {b}) -> {A}", Implies(Equal(a, b), A)),
    "equation of a variable": ("(x): (x = {a})", ForAll(X, Equal(X, a))),
}

UNREADABLE = {
    "empty": "",
    "prose": "Let us see.",
    "& beside v": "{A} & {B} v {C}",
    "two arrows": "{A} -> {B} -> {C}",
    "free variable": "{A}x",
    "variable out of reach": "((x): {A}x) -> {B}x",
    "two places": "{A}{a}{b}",
    "existential before a bare arrow": "(Ex): {A}x -> {B}x",
    "bracket then arrow": "(Ex): ({A}x) -> {B}x",
    "quantifier behind a connective": "{A} & (x): {B}x",
    "negation before a bare quantifier": "¬(x): {A}x",
    "open bracket": "({A}",
    "closed bracket": "{A})",
    "open brace": "{A",
    "empty name": "{}",
    "name with a blank": "{A B}",
    "digit first": "{1A}",
    "foreign letters": "{\u0410}",
    "long name": "{" + "A" * 33 + "}",
    "no operator": "{A} {B}x{C}",
    "operator at the end": "{A} ->",
    "bare letter": "A & B",
    "equation of propositions": "{A} = {B}",
    "equation of a proposition": "{a} = {B}",
    "equation of a variable and a proposition": "(x): (x = {B})",
    "two propositions": "{A} {B}",
    "contradiction sign": "#F#",
    "deep": "(" * (MAX_DEPTH + 1) + "{A}" + ")" * (MAX_DEPTH + 1),
    "negations": "¬" * (MAX_DEPTH + 1) + "{A}",
    "long": "{A}" + " & {A}" * 1_000,
}


@pytest.mark.parametrize(("text", "formula"), READABLE.values(), ids=READABLE)
def test_what_is_read(text: str, formula: Formula) -> None:
    """Each form of the notation means one formula, and its print is read back as the same."""
    assert read_formula(text) == formula
    assert read_formula(show(formula)) == formula


@pytest.mark.parametrize("text", UNREADABLE.values(), ids=UNREADABLE)
def test_what_is_refused(text: str) -> None:
    """What is no formula, means two things or passes a bound is unreadable: nothing is guessed."""
    with pytest.raises(Unreadable):
        read_formula(text)


@given(st.data())
def test_round_trip(closed_formulas: Callable[..., st.SearchStrategy[Formula]], data: st.DataObject) -> None:
    """Whatever is printed is read back as it was."""
    formula = data.draw(closed_formulas())
    assert read_formula(show(formula)) == formula


@given(st.text("{}()ABabxy¬&v->E=: \n", max_size=60))
def test_any_text_is_read_or_refused(text: str) -> None:
    """No text raises anything else; what is read is closed and within the bounds."""
    try:
        formula = read_formula(text)
    except Unreadable:
        return
    assert is_closed(formula)
    assert depth(formula) <= MAX_DEPTH
    assert read_formula(show(formula)) == formula


def test_hostile(hostile: str) -> None:
    """No hostile text is a formula, and none takes a second to refuse."""
    started = time.process_time()
    with pytest.raises(Unreadable):
        read_formula(hostile)
    assert time.process_time() - started < 1.0


def test_substitution_stops_at_a_quantifier_that_binds_again() -> None:
    """Only free occurrences are replaced."""
    formula = And((AX, ForAll(X, BX), Equal(X, a)))
    assert substitute(formula, X, b) == And((Atom("A", b), ForAll(X, BX), Equal(b, a)))
