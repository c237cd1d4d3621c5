"""Terms and formulas as values: the one form in which verifiers pass mathematics on, to exact arithmetic or a solver.

Covered: rationals, names, the operators below, comparisons, and the connectives. Not covered: quantifiers, sets,
functions that are not listed. Values are bounded where they are made (readers) and where they are computed. Not every
user computes every operator: what one cannot, it calls unsupported.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction
from typing import TypeAlias


class Operator(StrEnum):
    """What combines terms. Each stands once in `ARITY`."""

    ADD = "+"
    SUBTRACT = "-"
    MULTIPLY = "*"
    DIVIDE = "/"
    POWER = "**"
    NEGATE = "neg"
    FLOOR_DIVIDE = "//"
    MODULO = "%"
    ROOT = "root"
    """`root(x, n)`: the real n-th root, not negative where n is even."""
    ABSOLUTE = "abs"
    MINIMUM = "min"
    MAXIMUM = "max"
    FACTORIAL = "!"
    BINOMIAL = "binomial"
    GCD = "gcd"
    LCM = "lcm"
    SINE = "sin"
    """Of an angle in radians, as are the next two."""
    COSINE = "cos"
    TANGENT = "tan"
    LOGARITHM = "log"
    """`log(x, b)`: the logarithm of x to the base b."""


MANY = -1
ARITY = {
    Operator.ADD: MANY,
    Operator.SUBTRACT: 2,
    Operator.MULTIPLY: MANY,
    Operator.DIVIDE: 2,
    Operator.POWER: 2,
    Operator.NEGATE: 1,
    Operator.FLOOR_DIVIDE: 2,
    Operator.MODULO: 2,
    Operator.ROOT: 2,
    Operator.ABSOLUTE: 1,
    Operator.MINIMUM: MANY,
    Operator.MAXIMUM: MANY,
    Operator.FACTORIAL: 1,
    Operator.BINOMIAL: 2,
    Operator.GCD: MANY,
    Operator.LCM: MANY,
    Operator.SINE: 1,
    Operator.COSINE: 1,
    Operator.TANGENT: 1,
    Operator.LOGARITHM: 2,
}
"""How many terms an operator takes; `MANY`: two or more."""


class Relation(StrEnum):
    """What compares two terms."""

    EQUAL = "="
    NOT_EQUAL = "!="
    LESS = "<"
    AT_MOST = "<="
    GREATER = ">"
    AT_LEAST = ">="
    ABOUT = "~"
    """Equal after rounding to the digits that are printed."""


class Connective(StrEnum):
    """What combines formulas."""

    NOT = "not"
    AND = "and"
    OR = "or"
    IMPLIES = "implies"
    IF_AND_ONLY_IF = "iff"


class Constant(StrEnum):
    """Numbers that are no rationals; nothing but their names is known of them here."""

    PI = "pi"
    E = "e"
    I = "i"  # noqa: E741 - the field's own name


@dataclass(frozen=True, slots=True)
class Number:
    """A rational.

    Attributes:
        decimals: digits behind the point as it was printed; None for an integer or what was computed.
    """

    value: Fraction
    decimals: int | None = None


@dataclass(frozen=True, slots=True)
class Name:
    """A variable, or a proposition where a formula is wanted."""

    name: str


@dataclass(frozen=True, slots=True)
class Apply:
    """An operator and its terms."""

    operator: Operator
    terms: tuple[Term, ...]


Term: TypeAlias = "Number | Name | Constant | Apply"


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two terms and what is said of them."""

    relation: Relation
    left: Term
    right: Term


@dataclass(frozen=True, slots=True)
class Connected:
    """A connective and its formulas."""

    connective: Connective
    formulas: tuple[Formula, ...]


Formula: TypeAlias = "Comparison | Connected | Name | bool"


def parts(term: Term) -> Iterator[Term]:
    """A term and all terms inside it, outermost first."""
    waiting = [term]
    while waiting:
        current = waiting.pop()
        yield current
        if isinstance(current, Apply):
            waiting.extend(reversed(current.terms))


def names_of(term: Term) -> frozenset[str]:
    """The variables of a term."""
    return frozenset(part.name for part in parts(term) if isinstance(part, Name))


def is_literal(term: Term) -> bool:
    """Whether a term is one printed number, or its negative: there is nothing to compute."""
    if isinstance(term, Apply) and term.operator is Operator.NEGATE:
        return isinstance(term.terms[0], Number)
    return isinstance(term, Number)


def is_atom(term: Term) -> bool:
    """Whether a term is one number, name or constant, or its negative."""
    if isinstance(term, Apply) and term.operator is Operator.NEGATE:
        return not isinstance(term.terms[0], Apply)
    return not isinstance(term, Apply)


def depth_of(term: Term) -> int:
    """How deep a term nests: 1 for one that is not applied."""
    deepest, waiting = 0, [(term, 1)]
    while waiting:
        current, depth = waiting.pop()
        deepest = max(deepest, depth)
        if isinstance(current, Apply):
            waiting.extend((part, depth + 1) for part in current.terms)
    return deepest


def joined(operator: Operator, terms: list[Term]) -> Term:
    """One flat application: long sums and products do not nest."""
    flat: list[Term] = []
    for index, term in enumerate(terms):
        inner = isinstance(term, Apply) and term.operator is operator and index == 0
        flat.extend(term.terms if inner and isinstance(term, Apply) else (term,))
    return flat[0] if len(flat) == 1 else Apply(operator, tuple(flat))


def negated(term: Term) -> Term:
    """Its negative."""
    return Apply(Operator.NEGATE, (term,))
