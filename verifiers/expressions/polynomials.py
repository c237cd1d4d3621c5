r"""Polynomials over the rationals in generators: letters, pi, i, roots of primes, and what is only a name to us.

A polynomial is a map from monomials to coefficients that are not zero; a monomial is a sorted tuple of generators with
exponents. Generators that obey an equation are kept reduced, so that equal polynomials are equal maps:

    roots of primes     2 ** (1/2) is the generator "\2" with exponent 1/2; exponents stay in [0, 1)
    the imaginary unit  exponents 0 and 1
    opaque roots        "\root..." with its n-th power known; exponents below n

Products of roots of different primes are linearly independent over the rationals (Besicovitch 1940), and pi is
transcendental: without opaque generators, a polynomial without letters is zero only if its map is empty.
Bounds: 2,000 terms, degree 60, 4,096 bits, 10,000 products of terms in all; past them `OutOfReachError`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from math import comb
from typing import Final, TypeAlias

from steplabel.schemas import Reason
from steplabel.verifiers.expressions.limits import OutOfReachError, bounded

MAX_TERMS: Final = 2_000
MAX_DEGREE: Final = 60
_MAX_PRODUCTS = 6_000  # of single terms, in one product: milliseconds
_MAX_ALL_PRODUCTS = 10_000  # in one ring

IMAGINARY: Final = r"\i"
PI: Final = r"\pi"

Exponents: TypeAlias = dict[str, Fraction]
Monomial: TypeAlias = tuple[tuple[str, Fraction], ...]
Polynomial: TypeAlias = Mapping[Monomial, Fraction]

ONE: Final[Polynomial] = {(): Fraction(1)}
ZERO: Final[Polynomial] = {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """`generator ** degree` is `value`."""

    degree: int
    value: Polynomial


@dataclass(slots=True, kw_only=True)
class Ring:
    """Arithmetic of polynomials; it learns its opaque generators while terms are read.

    Attributes:
        rules: of the opaque generators that obey one.
        opaque: whether some generator may hide a relation: what is not reduced to zero may be zero all the same.
        products: of single terms so far; past a bound nothing more is multiplied.
    """

    rules: dict[str, Rule] = field(default_factory=dict)
    opaque: bool = False
    products: int = 0

    def add(self, left: Polynomial, right: Polynomial, *, times: int = 1) -> Polynomial:
        """`left + times * right`."""
        total = dict(left)
        for monomial, coefficient in right.items():
            _put(total, monomial, coefficient * times)
        return _checked(total)

    def multiply(self, left: Polynomial, right: Polynomial) -> Polynomial:
        """The product, reduced by all rules."""
        products = len(left) * len(right)
        self.products += products
        if products > _MAX_PRODUCTS or self.products > _MAX_ALL_PRODUCTS:
            raise OutOfReachError(Reason.BUDGET, "terms of a polynomial")
        total: dict[Monomial, Fraction] = {}
        for one, first in left.items():
            for other, second in right.items():
                monomial, factor = _merged(one, other)
                _put(total, monomial, first * second * factor)
        return self._reduced(_checked(total))

    def power(self, base: Polynomial, exponent: int) -> Polynomial:
        """A power with a natural exponent."""
        if exponent > MAX_DEGREE and len(base) > 1:
            raise OutOfReachError(Reason.BUDGET, "degree of a polynomial")
        if _is_sum_of_letters(base) and comb(len(base) - 1 + exponent, exponent) > MAX_TERMS:
            raise OutOfReachError(Reason.BUDGET, "terms of a polynomial")
        result, square = ONE, base
        while exponent:
            if exponent & 1:
                result = self.multiply(result, square)
            exponent >>= 1
            if exponent:
                square = self.multiply(square, square)
        return result

    def _reduced(self, polynomial: Polynomial) -> Polynomial:
        for _ in range(MAX_DEGREE * 2):
            found = self._overflow(polynomial) if self.rules else None
            if found is None:
                return polynomial
            polynomial = self._rewritten(polynomial, *found)
        raise OutOfReachError(Reason.BUDGET, "reduction of roots")

    def _overflow(self, polynomial: Polynomial) -> tuple[Monomial, str] | None:
        for monomial in polynomial:
            for generator, exponent in monomial:
                rule = self.rules.get(generator)
                if rule is not None and exponent >= rule.degree:
                    return monomial, generator
        return None

    def _rewritten(self, polynomial: Polynomial, monomial: Monomial, generator: str) -> Polynomial:
        """Replace the rule's power in one monomial by what it is."""
        rule = self.rules[generator]
        exponents = dict(monomial)
        exponents[generator] -= rule.degree
        rest = dict(polynomial)
        coefficient = rest.pop(monomial)
        kept = {_sorted(exponents): coefficient}
        for one, first in kept.items():
            for other, second in rule.value.items():
                product, factor = _merged(one, other)
                _put(rest, product, first * second * factor)
        return _checked(rest)


def constant(value: Fraction) -> Polynomial:
    """A rational as a polynomial."""
    return {(): value} if value else ZERO


def generator(name: str, exponent: Fraction = Fraction(1)) -> Polynomial:
    """One generator, or a power of it."""
    return {((name, exponent),): Fraction(1)} if exponent else ONE


def rational(polynomial: Polynomial) -> Fraction | None:
    """The value of a polynomial without generators, None for another."""
    if not polynomial:
        return Fraction(0)
    return polynomial.get(()) if len(polynomial) == 1 else None


def key_of(polynomial: Polynomial) -> str:
    """A text that only equal polynomials share."""
    terms = sorted((monomial, str(coefficient)) for monomial, coefficient in polynomial.items())
    return "+".join(
        coefficient + "".join(f"*{name}^{exponent}" for name, exponent in monomial) for monomial, coefficient in terms
    )


def inverse_monomial(polynomial: Polynomial) -> Polynomial | None:
    """One over a product of a rational, roots of primes, and i; None for anything else."""
    if len(polynomial) != 1:
        return None
    (monomial, coefficient), *_ = polynomial.items()
    if not all(name == IMAGINARY or is_prime_root(name) for name, _ in monomial):
        return None
    inverted, factor = _merged(tuple((name, -exponent) for name, exponent in monomial), ())
    return {inverted: factor / coefficient}


def _is_sum_of_letters(polynomial: Polynomial) -> bool:
    """Whether no two products of its terms are alike but for their order: `c + d + 1`, but not `x + x^2`."""
    return all(
        not monomial or (len(monomial) == 1 and monomial[0][0][0] != "\\" and monomial[0][1] == 1)
        for monomial in polynomial
    )


def is_prime_root(name: str) -> bool:
    """Whether a generator stands for the powers of a prime."""
    return name[0] == "\\" and name[1:].isdigit()


def _merged(one: Monomial, other: Monomial) -> tuple[Monomial, Fraction]:
    """The product of two monomials, and the rational that reducing it gave."""
    exponents = dict(one)
    for name, exponent in other:
        exponents[name] = exponents.get(name, Fraction(0)) + exponent
    factor = Fraction(1)
    for name in [name for name in exponents if name[0] == "\\"]:
        factor *= _folded(exponents, name)
    return _sorted(exponents), factor


def _folded(exponents: Exponents, name: str) -> Fraction:
    exponent = exponents[name]
    if name == IMAGINARY:
        exponents[name] = exponent % 2
        return Fraction(-1 if exponent % 4 >= 2 else 1)
    if is_prime_root(name):
        whole = exponent.numerator // exponent.denominator
        exponents[name] = exponent - whole
        return Fraction(int(name[1:])) ** whole
    return Fraction(1)


def _sorted(exponents: Exponents) -> Monomial:
    return tuple(sorted((name, exponent) for name, exponent in exponents.items() if exponent))


def _put(total: dict[Monomial, Fraction], monomial: Monomial, coefficient: Fraction) -> None:
    value = total.get(monomial, Fraction(0)) + coefficient
    if value:
        total[monomial] = value
    else:
        total.pop(monomial, None)


def _checked(polynomial: Polynomial) -> Polynomial:
    if len(polynomial) > MAX_TERMS:
        raise OutOfReachError(Reason.BUDGET, "terms of a polynomial")
    for monomial, coefficient in polynomial.items():
        bounded(coefficient)
        if sum(abs(exponent) for _, exponent in monomial) > MAX_DEGREE:
            raise OutOfReachError(Reason.BUDGET, "degree of a polynomial")
    return polynomial
