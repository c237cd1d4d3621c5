"""Rationals as products of prime powers, as far as trial division and a primality test reach."""

from __future__ import annotations

import math
from collections.abc import Iterator
from fractions import Fraction
from functools import lru_cache

from steplabel.schemas import Reason
from steplabel.verifiers.expressions.exact import floor_root
from steplabel.verifiers.expressions.limits import OutOfReachError

_TRIAL = 2_000
_WITNESSES = (2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37)
"""Their Miller-Rabin tests together are a proof below 3.18e23 (Sorenson and Webster 2015)."""
_PROVEN = 2**64


def prime_powers(value: Fraction) -> dict[int, int]:
    """The exponents of a positive rational's primes.

    Raises:
        OutOfReachError: it has two large prime factors or more.
    """
    found = dict(_factors(value.numerator))
    for prime, exponent in _factors(value.denominator):
        found[prime] = found.get(prime, 0) - exponent
    return found


@lru_cache(maxsize=4_096)
def _factors(number: int) -> tuple[tuple[int, int], ...]:
    return tuple(_divided_out(number))


def _divided_out(number: int) -> Iterator[tuple[int, int]]:
    for prime in (2, *range(3, _TRIAL, 2)):
        if prime * prime > number:
            break
        exponent = 0
        while number % prime == 0:
            number //= prime
            exponent += 1
        if exponent:
            yield prime, exponent
    if number > 1:
        yield _last_power(number)


def _last_power(number: int) -> tuple[int, int]:
    """What trial division left is a prime or a prime's power, or out of reach."""
    for exponent in (1, 2, 3):
        base = floor_root(number, exponent)
        if base**exponent == number and (base < _TRIAL**2 or _is_prime(base)):
            return base, exponent
    raise OutOfReachError(Reason.BUDGET, "factors of a large number")


def _is_prime(number: int) -> bool:
    if number >= _PROVEN:
        raise OutOfReachError(Reason.BUDGET, "factors of a large number")
    return math.gcd(number, 6) == 1 and all(_passes(number, witness) for witness in _WITNESSES)


def _passes(number: int, witness: int) -> bool:
    """Miller-Rabin for one witness."""
    odd, twos = number - 1, 0
    while odd % 2 == 0:
        odd, twos = odd // 2, twos + 1
    power = pow(witness, odd, number)
    if power in (1, number - 1):
        return True
    for _ in range(twos - 1):
        power = power * power % number
        if power == number - 1:
            return True
    return False
