r"""Terms as quotients of two polynomials, so that an identity is a polynomial that is zero.

Covered: rational functions of letters, roots of rationals (exactly), pi, i, roots and absolute values of polynomials
(as generators with a known power), powers with letters in the exponent (b ** (m + n) is b ** m times b ** n), sines and
cosines (values at multiples of 15 degrees, and sin ** 2 + cos ** 2), logarithms of rationals, factorials and whatever
else `exact.py` computes of rationals.
Not covered (`OutOfReachError`): floors, remainders, factorials of what is no rational; inverse functions.

Identities are meant where both sides are defined; letters in bases and under roots are taken as positive where the laws
of powers want it, as textbooks do.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction

from steplabel.schemas import Reason
from steplabel.verifiers.expressions.ast import Apply, Constant, Name, Number, Operator, Term
from steplabel.verifiers.expressions.exact import value_of
from steplabel.verifiers.expressions.factors import prime_powers
from steplabel.verifiers.expressions.limits import OutOfReachError, bounded, undefined
from steplabel.verifiers.expressions.polynomials import (
    IMAGINARY,
    MAX_DEGREE,
    ONE,
    PI,
    ZERO,
    Polynomial,
    Ring,
    Rule,
    constant,
    generator,
    inverse_monomial,
    is_prime_root,
    key_of,
    rational,
)

_MAX_ROOT = 60


@dataclass(frozen=True, slots=True)
class Quotient:
    """Numerator and denominator; the denominator is not the zero polynomial, and 1 where that is cheap."""

    top: Polynomial
    bottom: Polynomial = field(default_factory=lambda: ONE)

    def rational(self) -> Fraction | None:
        """Its value, if it is a rational."""
        top = rational(self.top)
        return top if self.bottom == ONE or top == 0 else None


class Normaliser:
    """Brings the terms of one question to quotients over one ring."""

    def __init__(self) -> None:
        self.ring = Ring()

    def quotient(self, term: Term) -> Quotient:
        """A term as a quotient.

        Raises:
            OutOfReachError: not covered, undefined, or past the bounds.
        """
        if isinstance(term, Number):
            return Quotient(constant(bounded(term.value)))
        if isinstance(term, Name):
            return Quotient(generator(term.name))
        if isinstance(term, Constant):
            return Quotient(self._constant(term))
        parts = [self.quotient(part) for part in term.terms]
        compute = _OPERATORS.get(term.operator)
        if compute is not None:
            return compute(self, parts)
        values = [part.rational() for part in parts]
        if any(value is None for value in values):
            raise OutOfReachError(Reason.UNSUPPORTED, f"{term.operator} of what is no rational")
        numbers = tuple(Number(value) for value in values if value is not None)
        return Quotient(constant(value_of(Apply(term.operator, numbers))))

    def difference(self, left: Term, right: Term) -> Polynomial:
        """A polynomial that is zero where, and only where, both terms are defined and equal."""
        one, other = self.quotient(left), self.quotient(right)
        if one.bottom == other.bottom:
            return self.ring.add(one.top, other.top, times=-1)
        multiply = self.ring.multiply
        return self.ring.add(multiply(one.top, other.bottom), multiply(other.top, one.bottom), times=-1)

    def _constant(self, term: Constant) -> Polynomial:
        if term is Constant.E:
            return generator("e")
        return generator(PI if term is Constant.PI else IMAGINARY)

    # Sums, products, quotients.

    def _add(self, parts: list[Quotient]) -> Quotient:
        total = parts[0]
        for part in parts[1:]:
            total = self._plus(total, part)
        return total

    def _plus(self, left: Quotient, right: Quotient) -> Quotient:
        ring = self.ring
        if left.bottom == right.bottom:
            return Quotient(ring.add(left.top, right.top), left.bottom)
        top = ring.add(ring.multiply(left.top, right.bottom), ring.multiply(right.top, left.bottom))
        return Quotient(top, ring.multiply(left.bottom, right.bottom))

    def _negate(self, parts: list[Quotient]) -> Quotient:
        return Quotient(self.ring.add(ZERO, parts[0].top, times=-1), parts[0].bottom)

    def _subtract(self, parts: list[Quotient]) -> Quotient:
        return self._plus(parts[0], self._negate(parts[1:]))

    def _multiply(self, parts: list[Quotient]) -> Quotient:
        total = parts[0]
        for part in parts[1:]:
            total = self._over(self.ring.multiply(total.top, part.top), self.ring.multiply(total.bottom, part.bottom))
        return total

    def _divide(self, parts: list[Quotient]) -> Quotient:
        top, bottom = parts
        multiply = self.ring.multiply
        return self._over(multiply(top.top, bottom.bottom), multiply(top.bottom, bottom.top))

    def _over(self, top: Polynomial, bottom: Polynomial) -> Quotient:
        if not bottom:
            raise undefined("division by zero")
        inverse = inverse_monomial(bottom)
        if inverse is None:
            return Quotient(top, bottom)
        return Quotient(self.ring.multiply(top, inverse))

    # Powers and roots.

    def _power(self, parts: list[Quotient]) -> Quotient:
        base, exponent = parts
        value = exponent.rational()
        if value is None:
            return self._symbolic_power(base, exponent)
        if value.denominator != 1:
            whole = self._whole_power(base, value.numerator)
            return self._rooted(whole, value.denominator)
        return self._whole_power(base, int(value))

    def _whole_power(self, base: Quotient, exponent: int) -> Quotient:
        known = base.rational()
        if known is not None:
            return Quotient(constant(value_of(Apply(Operator.POWER, (Number(known), Number(Fraction(exponent)))))))
        if exponent < 0:
            base, exponent = self._over(base.bottom, base.top), -exponent
        return Quotient(self.ring.power(base.top, exponent), self.ring.power(base.bottom, exponent))

    def _root(self, parts: list[Quotient]) -> Quotient:
        degree = parts[1].rational()
        if degree is None or degree.denominator != 1 or not 1 <= degree <= _MAX_ROOT:
            raise OutOfReachError(Reason.UNSUPPORTED, "degree of a root")
        return self._rooted(parts[0], int(degree))

    def _rooted(self, radicand: Quotient, degree: int) -> Quotient:
        value = radicand.rational()
        if value is not None:
            return Quotient(self._rational_root(value, degree))
        if radicand.bottom != ONE:  # the root of a quotient is that of top * bottom ** (n - 1) over the bottom
            raise OutOfReachError(Reason.UNSUPPORTED, "root of a quotient")
        return Quotient(self._monomial_root(radicand.top, degree) or self._opaque_root(radicand.top, degree))

    def _monomial_root(self, radicand: Polynomial, degree: int) -> Polynomial | None:
        """The root of a positive rational times roots of primes, which is again one; None for anything else."""
        (monomial, coefficient), *others = radicand.items()
        if others or coefficient < 0 or not all(is_prime_root(name) for name, _ in monomial):
            return None
        result = self._rational_root(coefficient, degree)
        for name, exponent in monomial:
            result = self.ring.multiply(result, generator(name, exponent / degree))
        return result

    def _rational_root(self, value: Fraction, degree: int) -> Polynomial:
        if value < 0:
            if degree == 2:
                return self.ring.multiply(generator(IMAGINARY), self._rational_root(-value, 2))
            if degree % 2 == 0:
                raise undefined("even root of a negative number")
            return self.ring.add(ZERO, self._rational_root(-value, degree), times=-1)
        result = ONE if value else ZERO
        for prime, exponent in prime_powers(value).items() if value else ():
            result = self.ring.multiply(result, _prime_power(prime, Fraction(exponent, degree)))
        return result

    def _opaque_root(self, radicand: Polynomial, degree: int) -> Polynomial:
        r"""\sqrt{12x + 4} is 2 \sqrt{3x + 1}: the content comes out, so that both are one generator."""
        content = _content(radicand)
        inside = self.ring.multiply(radicand, constant(1 / content))
        name = rf"\root{degree}({key_of(inside)})"
        self.ring.rules[name] = Rule(degree=degree, value=inside)
        self.ring.opaque = True
        return self.ring.multiply(self._rational_root(content, degree), generator(name))

    def _absolute(self, parts: list[Quotient]) -> Quotient:
        value = parts[0].rational()
        if value is not None:
            return Quotient(constant(abs(value)))
        square = self._whole_power(parts[0], 2)
        return self._rooted(square, 2)

    def _symbolic_power(self, base: Quotient, exponent: Quotient) -> Quotient:
        if base.bottom != ONE or exponent.bottom != ONE:
            raise OutOfReachError(Reason.UNSUPPORTED, "quotient in a power with letters")
        value = base.rational()
        if value is not None:
            if value <= 0:
                raise OutOfReachError(Reason.UNSUPPORTED, "letters in the exponent of a negative number")
            result = Quotient(ONE)
            for prime, times in prime_powers(value).items():
                scaled = self.ring.multiply(exponent.top, constant(Fraction(times)))
                result = self._multiply([result, self._named_power(str(prime), constant(Fraction(prime)), scaled)])
            return result
        return self._named_power(key_of(base.top), base.top, exponent.top)

    def _named_power(self, key: str, base: Polynomial, exponent: Polynomial) -> Quotient:
        """`b ** (2 m + 3)` as `(b ** m) ** 2 * b ** 3`."""
        self.ring.opaque = True
        letters = ONE
        for monomial, times in exponent.items():
            if monomial:
                letters = self.ring.multiply(letters, generator(rf"\pow({key})^{monomial}", times))
        fixed = Number(exponent.get((), Fraction(0)))
        return self._multiply([Quotient(letters), self._power([Quotient(base), Quotient(constant(fixed.value))])])

    # Functions.

    def _sine(self, parts: list[Quotient]) -> Quotient:
        turn = self._twelfths(parts[0])
        if turn is not None:
            return Quotient(self._sine_of(turn))
        name = self._function("sin", parts[0])
        cosine = self._function("cos", parts[0])
        self.ring.rules[name] = Rule(degree=2, value=self.ring.add(ONE, generator(cosine, Fraction(2)), times=-1))
        return Quotient(generator(name))

    def _cosine(self, parts: list[Quotient]) -> Quotient:
        turn = self._twelfths(parts[0])
        if turn is not None:
            return Quotient(self._sine_of(turn + 6))
        return Quotient(generator(self._function("cos", parts[0])))

    def _tangent(self, parts: list[Quotient]) -> Quotient:
        return self._divide([self._sine(parts), self._cosine(parts)])

    def _function(self, name: str, argument: Quotient) -> str:
        self.ring.opaque = True
        return rf"\{name}({key_of(argument.top)};{key_of(argument.bottom)})"

    def _twelfths(self, angle: Quotient) -> int | None:
        """How many times 15 degrees an angle is, if it is a multiple."""
        if not angle.top:
            return 0
        found = angle.top.get(((PI, Fraction(1)),)) if len(angle.top) == 1 and angle.bottom == ONE else None
        return int(found * 12) if found is not None and (found * 12).denominator == 1 else None

    def _sine_of(self, twelfths: int) -> Polynomial:
        turn = twelfths % 24
        if turn >= 12:
            return self.ring.add(ZERO, self._sine_of(turn - 12), times=-1)
        coefficient, radicands = _SINES[min(turn, 12 - turn)]
        total = ZERO
        for radicand in radicands:
            root = self._rational_root(Fraction(abs(radicand)), 2)
            total = self.ring.add(total, root, times=1 if radicand > 0 else -1)
        return self.ring.multiply(total, constant(coefficient))

    def _logarithm(self, parts: list[Quotient]) -> Quotient:
        of, base = (self._natural_logarithm(part) for part in parts)
        if len(of) <= 1 and len(base) == 1 and of.keys() <= base.keys():
            (bottom,) = base.values()
            return Quotient(constant(next(iter(of.values()), Fraction(0)) / bottom))
        self.ring.opaque = True
        return self._over(of, base)

    def _natural_logarithm(self, part: Quotient) -> Polynomial:
        if part.bottom == ONE and part.top == generator("e"):
            return ONE
        value = part.rational()
        if value is None:
            return generator(self._function("ln", part))
        if value <= 0:
            raise undefined("logarithm of what is not positive")
        total = ZERO
        for prime, exponent in prime_powers(value).items():
            total = self.ring.add(total, generator(rf"\ln{prime}"), times=exponent)
        return total


_SINES: Mapping[int, tuple[Fraction, tuple[int, ...]]] = {
    0: (Fraction(0), ()),
    1: (Fraction(1, 4), (6, -2)),
    2: (Fraction(1, 2), (1,)),
    3: (Fraction(1, 2), (2,)),
    4: (Fraction(1, 2), (3,)),
    5: (Fraction(1, 4), (6, 2)),
    6: (Fraction(1), (1,)),
}
"""sin(15 k degrees): a coefficient times the sum of these square roots; a minus goes before its root."""


def _prime_power(prime: int, exponent: Fraction) -> Polynomial:
    whole = exponent.numerator // exponent.denominator
    if abs(whole) > MAX_DEGREE * 60:
        raise OutOfReachError(Reason.BUDGET, "power")
    rest = generator(f"\\{prime}", exponent - whole)
    factor = Fraction(prime) ** whole
    return {monomial: coefficient * factor for monomial, coefficient in rest.items()}


def _content(polynomial: Polynomial) -> Fraction:
    """The positive rational that leaves whole coefficients without a common factor."""
    coefficients = list(polynomial.values())
    top = coefficients[0].numerator
    bottom = 1
    for coefficient in coefficients:
        top = math.gcd(top, coefficient.numerator)
        bottom = bottom * coefficient.denominator // math.gcd(bottom, coefficient.denominator)
    return Fraction(abs(top), bottom)


_OPERATORS: Mapping[Operator, Callable[[Normaliser, list[Quotient]], Quotient]] = {
    Operator.ADD: Normaliser._add,
    Operator.SUBTRACT: Normaliser._subtract,
    Operator.MULTIPLY: Normaliser._multiply,
    Operator.DIVIDE: Normaliser._divide,
    Operator.POWER: Normaliser._power,
    Operator.NEGATE: Normaliser._negate,
    Operator.ROOT: Normaliser._root,
    Operator.ABSOLUTE: Normaliser._absolute,
    Operator.SINE: Normaliser._sine,
    Operator.COSINE: Normaliser._cosine,
    Operator.TANGENT: Normaliser._tangent,
    Operator.LOGARITHM: Normaliser._logarithm,
}
