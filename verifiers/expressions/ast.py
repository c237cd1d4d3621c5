"""Terms and formulas as values: the one form in which verifiers pass mathematics on, to exact arithmetic or a solver.

Covered: rationals, names, the operators below, comparisons, and the connectives. Not covered: quantifiers, sets,
functions that are not listed. Values are bounded where they are made (readers) and where they are computed.
"""

from __future__ import annotations

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
