r"""Numbers that were rounded: what `\approx` asserts, and where `=` may mean no more.

Covered: whether a printed decimal is a value rounded or cut to its digits; how far rounded numbers on both sides may
have carried two values apart. Not covered: significant digits of integers with zeros at the end.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Final

from steplabel.schemas import Reason, Verdict
from steplabel.verifiers.expressions.ast import Number, Term, is_literal, parts
from steplabel.verifiers.expressions.decision import Decision, shown
from steplabel.verifiers.expressions.enclosure import Bounds, enclose
from steplabel.verifiers.expressions.limits import OutOfReachError

NEAR: Final = Fraction(1, 100)
"""Closer than this, a difference may be rounding that nobody mentions."""
_PRECISION = 256


def about(left: Term, right: Term, *, near: Fraction = NEAR) -> Decision:
    """Decide `left ~ right`: it holds if one side is the other, rounded or cut to its printed digits. Never raises.

    It fails if they are further apart than `near` and the rounded numbers in them explain; between, it is unknown, and
    so is an integer that may be a value cut to it (1 for 1.99).
    """
    try:
        one, other = enclose(left, _PRECISION), enclose(right, _PRECISION)
    except OutOfReachError as error:
        return Decision(verdict=Verdict.UNKNOWN, reason=error.reason)
    evidence = f"{shown(one)} and {shown(other)}"
    distance = _distance(one, other)
    if distance == 0 or _is_rounded(left, one, other) or _is_rounded(right, other, one):
        return Decision(verdict=Verdict.HOLDS, reason="rounding", evidence=evidence)
    if _is_cut(left, one, other) or _is_cut(right, other, one):
        return Decision(verdict=Verdict.UNKNOWN, reason=f"{Reason.UNDECIDED}: cut to an integer", evidence=evidence)
    if distance <= (near + _carried(left) + _carried(right)) * _size(one, other):
        return Decision(verdict=Verdict.UNKNOWN, reason=f"{Reason.UNDECIDED}: near", evidence=evidence)
    return Decision(verdict=Verdict.FAILS, reason="rounding", evidence=evidence)


def may_be_rounded(left: Term, right: Term) -> bool:
    """Whether an `=` that does not hold may be a rounding: decimals, or a fraction or root beside an integer."""
    try:
        one, other = enclose(left, _PRECISION), enclose(right, _PRECISION)
    except OutOfReachError:
        return False
    if _is_cut(left, one, other) or _is_cut(right, other, one):
        return True
    integers = all(side.is_point() and side.low.denominator == 1 for side in (one, other))
    if integers and not _carried(left) and not _carried(right):
        return False
    return _distance(one, other) <= (NEAR + _carried(left) + _carried(right)) * _size(one, other)


def _is_rounded(printed: Term, number: Bounds, value: Bounds) -> bool:
    """Whether a printed number is the value rounded to the nearest of its last digit, or cut behind it."""
    if not is_literal(printed):
        return False
    digits = _digits(printed)
    unit = Fraction(1, 10**digits)
    beyond = _distance(number, value)
    return beyond <= unit / 2 or (digits > 0 and _is_below(number, value, unit))


def _is_cut(printed: Term, number: Bounds, value: Bounds) -> bool:
    """Whether a printed integer is a value that is none without what stands behind its point."""
    return is_literal(printed) and not _digits(printed) and number != value and _is_below(number, value, Fraction(1))


def _is_below(number: Bounds, value: Bounds, unit: Fraction) -> bool:
    return abs(number.low) <= min(abs(value.low), abs(value.high)) and _distance(number, value) < unit


def _digits(printed: Term) -> int:
    return next(part for part in parts(printed) if isinstance(part, Number)).decimals or 0


def _carried(term: Term) -> Fraction:
    """The sum of the relative errors that the printed decimals of a term may have brought with them."""
    decimals = (part for part in parts(term) if isinstance(part, Number) and part.decimals and part.value)
    return sum((Fraction(1, 10 ** (d.decimals or 0)) / abs(d.value) for d in decimals), Fraction(0))


def _distance(one: Bounds, other: Bounds) -> Fraction:
    return max(one.low - other.high, other.low - one.high, Fraction(0))


def _size(one: Bounds, other: Bounds) -> Fraction:
    return max(abs(end) for side in (one, other) for end in (side.low, side.high))
