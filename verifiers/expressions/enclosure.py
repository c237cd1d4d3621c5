"""The value of a term between two rationals, as close together as is asked.

Covered: all that `exact.py` computes, roots, pi, and whatever sums, products, quotients, whole powers, roots and
absolute values make of them; names that are given a value. Not covered (`OutOfReachError`): sines and logarithms, the
imaginary unit, division by what cannot be told from zero.
Outward rounding everywhere: the true value never leaves the bounds.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache

from steplabel.schemas import Reason
from steplabel.verifiers.expressions.ast import Apply, Constant, Name, Number, Operator, Term
from steplabel.verifiers.expressions.exact import floor_root, value_of
from steplabel.verifiers.expressions.limits import MAX_BITS, OutOfReachError, bits, bounded, undefined

_MAX_POWER = 400
_MAX_DEGREE = 60


@dataclass(frozen=True, slots=True)
class Bounds:
    """A closed interval; a point where the value is known exactly."""

    low: Fraction
    high: Fraction

    def is_point(self) -> bool:
        """Whether the value is exact."""
        return self.low == self.high

    def sign(self) -> int | None:
        """-1, 0 or 1, None if it cannot be told."""
        if self.low > 0:
            return 1
        if self.high < 0:
            return -1
        return 0 if self.is_point() else None


def enclose(term: Term, precision: int, values: Mapping[str, Fraction] | None = None) -> Bounds:
    """Bounds of a term's real value.

    Args:
        precision: bits behind the point to which irrational parts are computed; the result may be wider.
        values: of its names.

    Raises:
        OutOfReachError: see the module.
    """
    return _Encloser(precision, values or {}).bounds(term)


class _Encloser:
    def __init__(self, precision: int, values: Mapping[str, Fraction]) -> None:
        self._precision = precision
        self._values = values

    def bounds(self, term: Term) -> Bounds:
        if isinstance(term, Number):
            return _point(bounded(term.value))
        if isinstance(term, Name) and term.name in self._values:
            return _point(self._values[term.name])
        if term is Constant.PI:
            low = _pi(self._precision)
            return Bounds(low, low + Fraction(2, 1 << self._precision))
        if not isinstance(term, Apply):
            raise OutOfReachError(Reason.UNSUPPORTED, "no real value")
        parts = [self.bounds(part) for part in term.terms]
        if term.operator is Operator.ROOT or (term.operator is Operator.POWER and parts[1].low.denominator > 1):
            return self._root(term.operator, parts)
        if all(part.is_point() for part in parts):
            return _point(value_of(Apply(term.operator, tuple(Number(part.low) for part in parts))))
        compute = _OPERATORS.get(term.operator)
        if compute is None:
            raise OutOfReachError(Reason.UNSUPPORTED, f"{term.operator} of what is no rational")
        return self._rounded(compute(parts))

    def _root(self, operator: Operator, parts: Sequence[Bounds]) -> Bounds:
        base, exponent = parts
        if not exponent.is_point():
            raise OutOfReachError(Reason.UNSUPPORTED, "irrational exponent")
        degree = exponent.low
        if operator is Operator.POWER:
            base, degree = _power((base, _point(Fraction(degree.numerator)))), Fraction(degree.denominator)
        if degree.denominator != 1 or not 1 <= degree <= _MAX_DEGREE:
            raise OutOfReachError(Reason.UNSUPPORTED, "degree of a root")
        if base.sign() is None and degree % 2 == 0:
            raise OutOfReachError(Reason.UNDECIDED, "sign under a root")
        return Bounds(self._root_below(base.low, int(degree)), self._root_above(base.high, int(degree)))

    def _root_below(self, value: Fraction, degree: int) -> Fraction:
        if value < 0:
            if degree % 2 == 0:
                raise undefined("even root of a negative number")
            return -self._root_above(-value, degree)
        scaled = (value.numerator << (self._precision * degree)) // value.denominator
        return Fraction(floor_root(scaled, degree), 1 << self._precision)

    def _root_above(self, value: Fraction, degree: int) -> Fraction:
        if value < 0:
            return -self._root_below(-value, degree)
        below = self._root_below(value, degree)
        return below if below**degree == value else below + Fraction(1, 1 << self._precision)

    def _rounded(self, found: Bounds) -> Bounds:
        """Short fractions again: endpoints grow with every operation."""
        if max(bits(found.low), bits(found.high)) <= 4 * self._precision:
            return found
        unit = 1 << (2 * self._precision)
        return Bounds(Fraction(math.floor(found.low * unit), unit), Fraction(math.ceil(found.high * unit), unit))


def _point(value: Fraction) -> Bounds:
    return Bounds(value, value)


def _of_products(left: Bounds, right: Bounds) -> Bounds:
    products = [a * b for a in (left.low, left.high) for b in (right.low, right.high)]
    return Bounds(min(products), max(products))


def _sum(parts: Sequence[Bounds]) -> Bounds:
    return Bounds(sum((part.low for part in parts), Fraction(0)), sum((part.high for part in parts), Fraction(0)))


def _product(parts: Sequence[Bounds]) -> Bounds:
    total = parts[0]
    for part in parts[1:]:
        total = _of_products(total, part)
    return total


def _negated(parts: Sequence[Bounds]) -> Bounds:
    return Bounds(-parts[0].high, -parts[0].low)


def _divided(parts: Sequence[Bounds]) -> Bounds:
    top, bottom = parts
    if bottom.sign() in (None, 0):
        raise undefined("division by what may be zero")
    return _of_products(top, Bounds(1 / bottom.high, 1 / bottom.low))


def _power(parts: Sequence[Bounds]) -> Bounds:
    base, exponent = parts
    if not exponent.is_point() or exponent.low.denominator != 1:
        raise OutOfReachError(Reason.UNSUPPORTED, "irrational exponent")
    times = int(exponent.low)
    if abs(times) > _MAX_POWER or max(bits(base.low), bits(base.high)) * abs(times) > 16 * MAX_BITS:
        raise OutOfReachError(Reason.BUDGET, "power")
    if times < 0:
        return _divided((_point(Fraction(1)), _power((base, _point(Fraction(-times))))))
    ends = sorted((base.low**times, base.high**times))
    return Bounds(Fraction(0) if times % 2 == 0 and base.sign() is None and times else ends[0], ends[1])


def _absolute(parts: Sequence[Bounds]) -> Bounds:
    part = parts[0]
    if part.sign() is None:
        return Bounds(Fraction(0), max(-part.low, part.high))
    return part if part.low >= 0 else _negated(parts)


def _floor_divided(parts: Sequence[Bounds]) -> Bounds:
    quotient = _divided(parts)
    if math.floor(quotient.low) != math.floor(quotient.high):
        raise OutOfReachError(Reason.UNDECIDED, "floor")
    return _point(Fraction(math.floor(quotient.low)))


@lru_cache(maxsize=16)
def _pi(precision: int) -> Fraction:
    """A bound below pi, less than two units away; by Machin's formula with guard bits."""
    scale = 1 << (precision + 32)
    scaled = 4 * (4 * _arctangent(5, scale) - _arctangent(239, scale))
    return Fraction((scaled - (1 << 16)) >> 32, 1 << precision)


def _arctangent(of: int, scale: int) -> int:
    """scale * arctan(1 / of), to within as many units as it sums terms, below 2 ** 13 for our precisions."""
    term = scale // of
    total, divisor, sign = term, 1, 1
    while term:
        term //= of * of
        divisor, sign = divisor + 2, -sign
        total += sign * (term // divisor)
    return total


_OPERATORS: Mapping[Operator, Callable[[Sequence[Bounds]], Bounds]] = {
    Operator.ADD: _sum,
    Operator.SUBTRACT: lambda parts: _sum((parts[0], _negated(parts[1:]))),
    Operator.MULTIPLY: _product,
    Operator.DIVIDE: _divided,
    Operator.POWER: _power,
    Operator.NEGATE: _negated,
    Operator.ABSOLUTE: _absolute,
    Operator.FLOOR_DIVIDE: _floor_divided,
    Operator.MINIMUM: lambda parts: Bounds(min(p.low for p in parts), min(p.high for p in parts)),
    Operator.MAXIMUM: lambda parts: Bounds(max(p.low for p in parts), max(p.high for p in parts)),
}
