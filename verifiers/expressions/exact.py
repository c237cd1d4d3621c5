"""The value of a term as an exact rational, within bounds.

Covered: every operator where its value is rational: powers with whole exponents, roots of perfect powers, factorials,
binomials, floors, remainders (of the sign of the divisor, as in Python), gcd and lcm of integers, names that are given
a value. Not covered (`OutOfReachError`): irrational values, see `constants.py`; more than 4,096 bits; undefined terms.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from itertools import accumulate

from steplabel.schemas import Reason
from steplabel.verifiers.expressions.ast import Apply, Name, Number, Operator, Relation, Term, depth_of
from steplabel.verifiers.expressions.limits import MAX_BITS, MAX_TERM_DEPTH, OutOfReachError, bits, bounded, undefined

_MAX_FACTORIAL = 1_000
_MAX_DEGREE = 1_000


def value_of(term: Term, values: Mapping[str, Fraction] | None = None) -> Fraction:
    """Compute a term exactly.

    Args:
        values: of its names.

    Raises:
        OutOfReachError: it is not a rational that we can compute, see the module.
    """
    if depth_of(term) > MAX_TERM_DEPTH:
        raise OutOfReachError(Reason.BUDGET, "nested too deep")
    return _value(term, values or {})


def is_true(relation: Relation, left: Fraction, right: Fraction) -> bool:
    """Whether two rationals stand in a relation.

    Raises:
        OutOfReachError: ABOUT, which depends on how the numbers were printed.
    """
    if relation is Relation.ABOUT:
        raise OutOfReachError(Reason.UNSUPPORTED, "about")
    return _RELATIONS[relation](left, right)


def _value(term: Term, values: Mapping[str, Fraction]) -> Fraction:
    if isinstance(term, Number):
        return bounded(term.value)
    if isinstance(term, Apply):
        return bounded(_OPERATORS[term.operator]([_value(part, values) for part in term.terms]))
    if isinstance(term, Name) and term.name in values:
        return values[term.name]
    raise OutOfReachError(Reason.UNSUPPORTED, "not a rational")


def power(base: Fraction, exponent: Fraction) -> Fraction:
    """A power with a whole exponent, or the root of a perfect power.

    Raises:
        OutOfReachError: undefined, irrational, or too large.
    """
    if exponent.denominator != 1:
        return root(power(base, Fraction(exponent.numerator)), Fraction(exponent.denominator))
    if base == 0 and exponent <= 0:
        raise undefined("zero to a power that is not positive")
    if abs(base) != 1 and bits(base) * abs(exponent) > 2 * MAX_BITS:  # bits count from one: 2 ** 4000 is in reach
        raise OutOfReachError(Reason.BUDGET, f"more than {MAX_BITS} bits")
    return Fraction(base ** (int(exponent) if abs(base) != 1 else int(exponent) % 2))


def root(value: Fraction, degree: Fraction) -> Fraction:
    """The real root of a perfect power.

    Raises:
        OutOfReachError: undefined or irrational.
    """
    if degree.denominator != 1 or not 1 <= degree <= _MAX_DEGREE:
        raise OutOfReachError(Reason.UNSUPPORTED, "degree of a root")
    if value < 0:
        if degree % 2 == 0:
            raise undefined("even root of a negative number")
        return -root(-value, degree)
    top, bottom = (_whole_root(part, int(degree)) for part in (value.numerator, value.denominator))
    if top is None or bottom is None:
        raise OutOfReachError(Reason.UNSUPPORTED, "irrational root")
    return Fraction(top, bottom)


def floor_root(value: int, degree: int) -> int:
    """The largest integer whose power is not above `value`, which is not negative. Newton's method from above."""
    if degree == 2:
        return math.isqrt(value)
    if value < 2 or degree == 1:
        return value
    guess = 1 << -(-value.bit_length() // degree)
    while True:
        better = ((degree - 1) * guess + value // guess ** (degree - 1)) // degree
        if better >= guess:
            return guess
        guess = better


def _whole_root(value: int, degree: int) -> int | None:
    found = floor_root(value, degree)
    return found if found**degree == value else None


def _divided(terms: Sequence[Fraction]) -> Fraction:
    top, bottom = terms
    if bottom == 0:
        raise undefined("division by zero")
    return top / bottom


def _floor_divided(terms: Sequence[Fraction]) -> Fraction:
    return Fraction(math.floor(_divided(terms)))


def _remainder(terms: Sequence[Fraction]) -> Fraction:
    return terms[0] - terms[1] * _floor_divided(terms)


def _factorial(terms: Sequence[Fraction]) -> Fraction:
    number = _natural(terms[0])
    if number > _MAX_FACTORIAL:
        raise OutOfReachError(Reason.BUDGET, f"factorial above {_MAX_FACTORIAL}")
    return Fraction(math.factorial(number))


def _binomial(terms: Sequence[Fraction]) -> Fraction:
    top, bottom = map(_natural, terms)
    if min(bottom, top - bottom) > _MAX_FACTORIAL or top.bit_length() > 64:
        raise OutOfReachError(Reason.BUDGET, "binomial")
    return Fraction(math.comb(top, bottom))


def _natural(value: Fraction) -> int:
    if value.denominator != 1 or value < 0:
        raise undefined("not a natural number")
    return int(value)


def _of_integers(compute: Callable[[int, int], int]) -> Callable[[Sequence[Fraction]], Fraction]:
    def computed(terms: Sequence[Fraction]) -> Fraction:
        if any(term.denominator != 1 for term in terms):
            raise undefined("not integers")
        return Fraction(list(accumulate((int(term) for term in terms), compute))[-1])

    return computed


def _irrational(_: Sequence[Fraction]) -> Fraction:
    raise OutOfReachError(Reason.UNSUPPORTED, "not a rational")


def _product(terms: Sequence[Fraction]) -> Fraction:
    return list(accumulate(terms, lambda a, b: bounded(a * b)))[-1]


def _sum(terms: Sequence[Fraction]) -> Fraction:
    return list(accumulate(terms, lambda a, b: bounded(a + b)))[-1]


_OPERATORS: Mapping[Operator, Callable[[Sequence[Fraction]], Fraction]] = {
    Operator.ADD: _sum,
    Operator.SUBTRACT: lambda terms: terms[0] - terms[1],
    Operator.MULTIPLY: _product,
    Operator.DIVIDE: _divided,
    Operator.POWER: lambda terms: power(*terms),
    Operator.NEGATE: lambda terms: -terms[0],
    Operator.FLOOR_DIVIDE: _floor_divided,
    Operator.MODULO: _remainder,
    Operator.ROOT: lambda terms: root(*terms),
    Operator.ABSOLUTE: lambda terms: abs(terms[0]),
    Operator.MINIMUM: min,
    Operator.MAXIMUM: max,
    Operator.FACTORIAL: _factorial,
    Operator.BINOMIAL: _binomial,
    Operator.GCD: _of_integers(math.gcd),
    Operator.LCM: _of_integers(math.lcm),
    Operator.SINE: _irrational,
    Operator.COSINE: _irrational,
    Operator.TANGENT: _irrational,
    Operator.LOGARITHM: _irrational,
}
_RELATIONS: Mapping[Relation, Callable[[Fraction, Fraction], bool]] = {
    Relation.EQUAL: lambda left, right: left == right,
    Relation.NOT_EQUAL: lambda left, right: left != right,
    Relation.LESS: lambda left, right: left < right,
    Relation.AT_MOST: lambda left, right: left <= right,
    Relation.GREATER: lambda left, right: left > right,
    Relation.AT_LEAST: lambda left, right: left >= right,
}
