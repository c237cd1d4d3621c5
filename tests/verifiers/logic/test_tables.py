"""Truth tables are exact: each answer agrees with the plain definition of truth in finite models."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from steplabel.verifiers.logic import Entailment
from steplabel.verifiers.logic.formulas import Formula, constants, predicates, propositions
from steplabel.verifiers.logic.notation import read_formula
from steplabel.verifiers.logic.semantics import Model, is_true, refutes
from steplabel.verifiers.logic.tables import MAX_ATOMS, columns, decide

Ask = Callable[..., Entailment]

FOLLOWS: dict[str, tuple[list[str], str]] = {
    "modus ponens": (["{A}", "{A} -> {B}"], "{B}"),
    "modus tollens": (["¬{B}", "{A} -> {B}"], "¬{A}"),
    "syllogism": (["(x): {A}x -> {B}x", "(x): {B}x -> {C}x"], "(x): {A}x -> {C}x"),
    "instance": (["(x): {A}x -> {B}x", "{A}{a}"], "{B}{a}"),
    "witness": (["{A}{a}"], "(Ex): {A}x"),
    "domains are not empty": (["(x): {A}x"], "(Ex): {A}x"),
    "no premises": ([], "{A} v ¬{A}"),
    "no such thing": (["¬((Ex): {A}x)"], "¬{A}{a}"),
    "barbara with some": (["(Ex): ({A}x & {B}x)", "(x): {B}x -> {C}x"], "(Ex): ({A}x & {C}x)"),
    "nested every": (["(x): (y): ({A}x -> {B}y)", "{A}{a}"], "{B}{b}"),
}
OPEN: dict[str, tuple[list[str], str]] = {
    "converse": (["{A} -> {B}", "{B}"], "{A}"),
    "over-generalised": (["{A}{a}"], "(x): {A}x"),
    "another thing": (["{A}{a}"], "{A}{b}"),
    "some is not all": (["(Ex): {A}x"], "(x): {A}x"),
    "two witnesses": (["(Ex): {A}x", "(Ex): {B}x"], "(Ex): ({A}x & {B}x)"),
    "proposition and predicate are two": (["{A}"], "{A}{a}"),
    "undistributed": (["(x): {A}x -> {B}x", "(x): {C}x -> {B}x"], "(x): {A}x -> {C}x"),
}


@pytest.mark.parametrize(("premises", "conclusion"), FOLLOWS.values(), ids=FOLLOWS)
def test_what_follows(ask: Ask, premises: list[str], conclusion: str) -> None:
    """Valid schemas follow, from consistent premises."""
    question = ask(premises, conclusion)
    said = decide(question.premises, question.conclusion)
    assert said is not None
    assert (said.follows, said.consistent, said.countermodel) == (True, True, None)


@pytest.mark.parametrize(("premises", "conclusion"), OPEN.values(), ids=OPEN)
def test_what_does_not_follow(ask: Ask, premises: list[str], conclusion: str) -> None:
    """A fallacy comes with a model in which the premises are true and the conclusion is false."""
    question = ask(premises, conclusion)
    said = decide(question.premises, question.conclusion)
    assert said is not None
    assert said.countermodel is not None
    assert refutes(said.countermodel, question.premises, question.conclusion)


@pytest.mark.parametrize(
    "premises", [["{A}", "¬{A}"], ["(x): {A}x", "¬{A}{b}"], ["(Ex): ({A}x & ¬{A}x)"]], ids=["plain", "every", "some"]
)
def test_contradictions_are_seen(ask: Ask, premises: list[str]) -> None:
    """Everything follows from a contradiction, so that it is one is said, too."""
    question = ask(premises, "{C}")
    said = decide(question.premises, question.conclusion)
    assert said is not None
    assert (said.follows, said.consistent) == (True, False)


@pytest.mark.parametrize(
    "formula",
    [
        "(x): (Ey): ({A}x & {B}y)",
        "{a} = {b}",
        " v ".join(f"{{P{n}}}" for n in range(MAX_ATOMS + 1)),
        "(Ex): (y): ((Ez): {A}z)",
    ],
    ids=["some in every", "equality", "too many atoms", "some in every in some"],
)
def test_out_of_reach(formula: str) -> None:
    """What the procedure is not complete for, or has no room for, it does not answer."""
    assert decide([read_formula(formula)], read_formula("{A}")) is None


def test_nested_quantifiers_are_bounded_before_they_are_built() -> None:
    """Ten quantifiers over ten things would be ten billion copies."""
    nest = "".join(f"({'xyzwu'[n % 5]}{n}): " for n in range(10))
    things = " & ".join(f"{{B}}{{{name}}}" for name in "abcdefghij")
    assert decide([read_formula(nest + "{A}x0"), read_formula(things)], read_formula("{C}")) is None


def _models(formulas: list[Formula], size: int) -> Iterator[Model]:
    subsets = [frozenset(n for n in range(size) if bits >> n & 1) for bits in range(1 << size)]
    named, said, true = constants(formulas), predicates(formulas), propositions(formulas)
    for things in product(range(size), repeat=len(named)):
        for extensions in product(subsets, repeat=len(said)):
            for values in product((False, True), repeat=len(true)):
                yield Model(
                    size=size,
                    constants=dict(zip(named, things, strict=True)),
                    predicates=dict(zip(said, extensions, strict=True)),
                    propositions=frozenset(name for name, value in zip(true, values, strict=True) if value),
                )


@settings(max_examples=60)
@given(st.data())
def test_agrees_with_the_definition(
    closed_formulas: Callable[..., st.SearchStrategy[Formula]], data: st.DataObject
) -> None:
    """What follows has no countermodel of up to three things; what does not follow has the one that is given."""
    draw = closed_formulas(names="A", things="ab", equality=False)
    premises, conclusion = [data.draw(draw), data.draw(draw)], data.draw(draw)
    said = decide(premises, conclusion)
    if said is None:
        return
    assert said.follows is (said.countermodel is None)
    if said.countermodel is not None:
        assert refutes(said.countermodel, premises, conclusion)
        return
    for size in (1, 2, 3):
        models = list(_models([*premises, conclusion], size))
        assert not any(refutes(model, premises, conclusion) for model in models)
        if not said.consistent:
            assert not any(all(is_true(premise, model) for premise in premises) for model in models)


@pytest.mark.parametrize("atoms", [0, 1, 3, 6])
def test_columns_hold_every_row_once(atoms: int) -> None:
    """Row r of column i is bit i of r."""
    table = columns(atoms)
    for row in range(1 << atoms):
        assert [column >> row & 1 for column in table] == [row >> index & 1 for index in range(atoms)]
