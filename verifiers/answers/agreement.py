"""When two printed numbers are the same answer: exact values, then what rounding can explain.

Policy, symmetric in its two numbers:

- Equal values are the same, however they are written. Float noise (17.999999999999996, at least 12 digits
  printed, within 1e-9) counts as equal.
- A decimal with at least 3 significant digits that is the rounding of a number *without* a finite decimal
  form is the same: 0.333 and 1/3, since nobody can print 1/3 otherwise.
- Where the finer number could have been printed in full, rounding may or may not have been asked for: 3.14
  and 3.1416, 0.67 and 2/3 (two digits only), 12.5 and 12.47 are `unknown`. So are truncations (0.666 and
  2/3).
- Integers are exact: 33 and 33.3 differ, and so do 5 and 5.01.
- A percent sign on one side only (50% and 50, 50% and 0.5) is `unknown` where either reading agrees.
- Different known measures (5 m, 500 cm), or one side without a unit and a ratio that a unit could explain
  (5 and 500 cents), are `unknown`.
"""

from __future__ import annotations

from dataclasses import replace
from enum import Enum, auto
from fractions import Fraction

from steplabel.schemas import Outcome
from steplabel.verifiers.text.numbers import Number

_NOISE_DIGITS = 12
_NOISE_DECIMALS = 4
_NOISE = Fraction(1, 10**9)
_NOISE_AT_MOST = Fraction(1, 10**4)
_ROUNDING_DIGITS = 3
_PERCENT_READINGS = (Fraction(1), Fraction(100), Fraction(1, 100))


class Relation(Enum):
    """How two numbers relate."""

    EQUAL = auto()
    ROUNDED = auto()
    CLOSE = auto()
    DIFFERENT = auto()


def compare_numbers(gold: Number, answer: Number, *, ignore_percent: bool = False) -> tuple[Outcome, str]:
    """Decide whether two numbers are the same answer, by the policy above.

    Returns:
        The outcome, and `number` or `rounding` if it is decided, else what stands in the way.
    """
    if gold.percent != answer.percent and not ignore_percent:
        return _one_percent(gold, answer)
    relation = relate(gold, answer)
    if relation is Relation.DIFFERENT:
        return (Outcome.UNKNOWN, "units") if _convertible(gold, answer) else (Outcome.WRONG, "number")
    if relation is Relation.CLOSE:
        return Outcome.UNKNOWN, "rounding"
    if gold.unit.conflicts(answer.unit):
        return Outcome.UNKNOWN, "units"
    return Outcome.CORRECT, "number" if relation is Relation.EQUAL else "rounding"


def relate(left: Number, right: Number) -> Relation:
    """Relate two values, percent and units aside. Symmetric."""
    if left.value == right.value:
        return Relation.EQUAL
    pairs = ((left, right), (right, left))
    if any(_is_noise(coarse, fine) for fine, coarse in pairs):
        return Relation.EQUAL
    relations = [_rounding(coarse, fine) for coarse, fine in pairs]
    for relation in (Relation.ROUNDED, Relation.CLOSE):
        if relation in relations:
            return relation
    return Relation.DIFFERENT


def has_finite_decimals(value: Fraction) -> bool:
    """Whether `value` can be printed exactly as a decimal: its denominator holds only twos and fives."""
    rest = value.denominator
    for prime in (2, 5):
        while rest % prime == 0:
            rest //= prime
    return rest == 1


def _is_noise(printed: Number, other: Number) -> bool:
    if (printed.decimals or 0) < _NOISE_DECIMALS or _significant(printed) < _NOISE_DIGITS:
        return False
    return abs(printed.value - other.value) <= min(_NOISE * abs(other.value), _NOISE_AT_MOST)


def _rounding(coarse: Number, fine: Number) -> Relation:
    if (
        not coarse.decimals
        or fine.value.denominator == 1
        or (fine.decimals is not None and fine.decimals <= coarse.decimals)
    ):
        return Relation.DIFFERENT
    distance = abs(coarse.value - fine.value) * 10**coarse.decimals
    digits = _significant(coarse)
    if distance <= Fraction(1, 2):
        sure = digits >= _ROUNDING_DIGITS and not has_finite_decimals(fine.value)
        return Relation.ROUNDED if sure else Relation.CLOSE
    return Relation.CLOSE if distance <= 1 and digits >= _ROUNDING_DIGITS else Relation.DIFFERENT


def _significant(number: Number) -> int:
    return len(str(abs(int(number.value * 10 ** (number.decimals or 0)))))


def _one_percent(gold: Number, answer: Number) -> tuple[Outcome, str]:
    for reading in _PERCENT_READINGS:
        scaled = replace(answer, value=answer.value * reading)
        if relate(gold, scaled) is not Relation.DIFFERENT:
            return Outcome.UNKNOWN, "percent"
    return Outcome.WRONG, "number"


def _convertible(gold: Number, answer: Number) -> bool:
    """A measure stands on one side at least, and a change of units could explain the difference."""
    left, right = gold.unit, answer.unit
    if left.word == right.word or not gold.value or not answer.value:
        return False
    if left.measure and right.measure:
        return True
    if left.word and right.word:  # eggs and dollars
        return False
    ratio = abs(gold.value / answer.value)
    return left.explains(ratio) or right.explains(ratio)
