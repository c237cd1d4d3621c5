"""What the reader makes of a row of tokens: an expression in postfix order, and how sure it may be."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Final, TypeAlias

Item: TypeAlias = int | Fraction | str
"""A number, or an operator behind its operands: + - * / ^ neg %."""
Postfix: TypeAlias = tuple[Item, ...]


class Mode:
    """Second ways to read a text: bits, in plain integers for speed."""

    FIRST: Final = 0
    FRACTIONS: Final = 1
    """`50/ 1/2`, `14 / 1 / 4`: a fraction is one number."""
    SPLIT: Final = 2
    """`in week 1 1/2 * 4`: numbers side by side are two numbers."""
    SHORT: Final = 4
    """`= 1/3 of $150`, `= 20 times 2 people`: what follows the word is not part of it."""


class Doubt:
    """Stable words for why a false equation may be a misread one."""

    WORDING = "words that change numbers"
    CHANGED = "a word that multiplies or raises"
    """This one keeps equations from holding, too."""
    LINKED = "another clause between"
    OF = "a share of something"
    RATE = "a rate with spaces"
    ASIDE = "a remark in brackets"
    BESIDE = "a bracket beside a number"
    NAMED = "a name behind a number"
    SIGN = "a dash before a number"
    PERCENT = "percent added to a number"
    NUMBER = "numbers side by side"
    CLOCK = "a zero before a number"
    ASSERTED = "not asserted"
    SYSTEM = "another number system"
    TIME = "times of the day"
    COMMA = "a comma that may end a statement"
    FLOOR = "a number in square brackets"
    CITED = "numbers of equations"
    SHARE = "a fraction equals a count"


@dataclass(slots=True, kw_only=True)
class Run:
    """An expression and how it was read. Not frozen, for speed: nobody changes it once it is made.

    Attributes:
        start, stop: its tokens, units included.
        postfix: empty if brackets stay open.
        modes: other ways in which it could have been read.
        doubt: a word of `Doubt`, or empty.
        letters: whether a single letter stands behind an operand: algebra.
        linked: whether a clause, not only a unit, stands behind its last operand.
        lone: the token of its number, if that is all there is; -1 otherwise.
        over_bounds: too many tokens, digits or brackets to be computed.
    """

    start: int
    stop: int
    postfix: Postfix
    modes: int
    doubt: str
    letters: bool
    linked: bool
    lone: int
    over_bounds: bool
