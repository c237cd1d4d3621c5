"""Formulas of propositional and monadic first-order logic as values.

Covered: propositions, predicates of one place, equality, the connectives and both quantifiers. Not covered:
predicates of more places, functions. Readers bound what they build (see `MAX_DEPTH`), so walks over a formula may
recurse.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TypeAlias

MAX_DEPTH = 40
"""Formulas nest no deeper: people and models write up to six levels; recursion stays far from Python's limit."""
MAX_NAME_CHARS = 32


@dataclass(frozen=True, slots=True)
class Variable:
    """A name that a quantifier binds."""

    name: str


@dataclass(frozen=True, slots=True)
class Constant:
    """The name of one thing."""

    name: str


Term: TypeAlias = "Variable | Constant"


@dataclass(frozen=True, slots=True)
class Atom:
    """A proposition, or a predicate said of a term. `{A}` and `{A}{a}` speak of two symbols, not of one."""

    name: str
    term: Term | None = None


@dataclass(frozen=True, slots=True)
class Equal:
    """Two terms name the same thing."""

    left: Term
    right: Term


@dataclass(frozen=True, slots=True)
class Not:
    """The part is false."""

    part: Formula


@dataclass(frozen=True, slots=True)
class And:
    """All parts, two or more, are true."""

    parts: tuple[Formula, ...]


@dataclass(frozen=True, slots=True)
class Or:
    """At least one of the parts, two or more, is true."""

    parts: tuple[Formula, ...]


@dataclass(frozen=True, slots=True)
class Implies:
    """If the first is true, so is the second."""

    left: Formula
    right: Formula


@dataclass(frozen=True, slots=True)
class ForAll:
    """The body is true of every thing."""

    variable: Variable
    body: Formula


@dataclass(frozen=True, slots=True)
class Exists:
    """The body is true of some thing."""

    variable: Variable
    body: Formula


Formula: TypeAlias = "Atom | Equal | Not | And | Or | Implies | ForAll | Exists"


def parts_of(formula: Formula) -> tuple[Formula, ...]:
    """The formulas directly below."""
    match formula:
        case Not(part):
            return (part,)
        case And(parts) | Or(parts):
            return parts
        case Implies(left, right):
            return (left, right)
        case ForAll(_, body) | Exists(_, body):
            return (body,)
    return ()


def with_parts(formula: Formula, parts: tuple[Formula, ...]) -> Formula:  # noqa: PLR0911 - one return for each kind
    """The same formula over other parts, as many as `parts_of` gives."""
    match formula:
        case Not():
            return Not(parts[0])
        case And():
            return And(parts)
        case Or():
            return Or(parts)
        case Implies():
            return Implies(parts[0], parts[1])
        case ForAll(variable):
            return ForAll(variable, parts[0])
        case Exists(variable):
            return Exists(variable, parts[0])
    return formula


def walk(formula: Formula) -> Iterator[Formula]:
    """The formula and all that it is made of, from the outside in."""
    yield formula
    for part in parts_of(formula):
        yield from walk(part)


def depth(formula: Formula) -> int:
    """Levels of the formula; an atom has one."""
    return 1 + max((depth(part) for part in parts_of(formula)), default=0)


def terms_of(formula: Formula) -> tuple[Term, ...]:
    """The terms of an atom or an equation; of anything else none."""
    match formula:
        case Atom(_, term) if term is not None:
            return (term,)
        case Equal(left, right):
            return (left, right)
    return ()


def constants(formulas: Iterable[Formula]) -> tuple[str, ...]:
    """Names of the things that the formulas mention, sorted."""
    found = {
        term.name
        for formula in formulas
        for part in walk(formula)
        for term in terms_of(part)
        if isinstance(term, Constant)
    }
    return tuple(sorted(found))


def propositions(formulas: Iterable[Formula]) -> tuple[str, ...]:
    """Names of the propositions, sorted."""
    atoms = (part for formula in formulas for part in walk(formula) if isinstance(part, Atom))
    return tuple(sorted({atom.name for atom in atoms if atom.term is None}))


def predicates(formulas: Iterable[Formula]) -> tuple[str, ...]:
    """Names of the predicates, sorted."""
    atoms = (part for formula in formulas for part in walk(formula) if isinstance(part, Atom))
    return tuple(sorted({atom.name for atom in atoms if atom.term is not None}))


def substitute(formula: Formula, old: Term, new: Term) -> Formula:
    """Put `new` in the place of `old`. A quantifier that binds `old` again hides it.

    `new` must not be a variable that a quantifier inside binds.
    """
    match formula:
        case Atom(name, term):
            return Atom(name, new) if term == old else formula
        case Equal(left, right):
            return Equal(new if left == old else left, new if right == old else right)
        case ForAll(variable, _) | Exists(variable, _) if variable == old:
            return formula
    return with_parts(formula, tuple(substitute(part, old, new) for part in parts_of(formula)))


def is_closed(formula: Formula, bound: frozenset[str] = frozenset()) -> bool:
    """Whether every variable stands under a quantifier that binds it."""
    if isinstance(formula, (ForAll, Exists)):
        return is_closed(formula.body, bound | {formula.variable.name})
    if any(isinstance(term, Variable) and term.name not in bound for term in terms_of(formula)):
        return False
    return all(is_closed(part, bound) for part in parts_of(formula))


def negated(formula: Formula) -> Formula:
    """Its negation, without a double one."""
    return formula.part if isinstance(formula, Not) else Not(formula)


def is_literal(formula: Formula) -> bool:
    """Whether it is an atom or an atom's negation."""
    return isinstance(formula, Atom) or (isinstance(formula, Not) and isinstance(formula.part, Atom))
