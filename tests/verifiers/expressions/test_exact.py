"""Rational values: exact, bounded, and never guessed."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from steplabel.schemas import Reason
from steplabel.verifiers.expressions.ast import Apply, Name, Number, Operator, Relation, Term
from steplabel.verifiers.expressions.exact import floor_root, is_true, value_of
from steplabel.verifiers.expressions.factors import prime_powers
from steplabel.verifiers.expressions.limits import OutOfReachError, bits, bounded
from steplabel.verifiers.expressions.reading import read_term

OUT_OF_REACH = {
    "irrational root": (r"\sqrt{2}", Reason.UNSUPPORTED),
    "pi": (r"\pi", Reason.UNSUPPORTED),
    "letter": ("x", Reason.UNSUPPORTED),
    "division by zero": ("1/0", Reason.UNSUPPORTED),
    "zero to the zero": ("0^0", Reason.UNSUPPORTED),
    "even root of a negative": (r"\sqrt{-4}", Reason.UNSUPPORTED),
    "factorial of a fraction": (r"(\frac12)!", Reason.UNSUPPORTED),
    "gcd of a fraction": (r"\gcd(1.5, 2)", Reason.UNSUPPORTED),
    "sine": (r"\sin 1", Reason.UNSUPPORTED),
    "power": ("10^{10^{10}}", Reason.BUDGET),
    "power below one": (r"(\frac{1}{10})^{100000}", Reason.BUDGET),
    "tower": ("9^{9^{9}}", Reason.BUDGET),
    "factorial": ("100000000!", Reason.BUDGET),
    "factorial of a power": ("(10^6)!", Reason.BUDGET),
    "binomial": (r"\binom{1000000000}{500000000}", Reason.BUDGET),
    "many large factors": ("(2^{4000})(2^{4000})(2^{4000})", Reason.BUDGET),
}
VALUES = {
    "negative cube root": (r"\sqrt[3]{-8}", -2),
    "odd root as power": ("(-8)^{1/3}", -2),
    "one to a huge power": ("1^{10000000}", 1),
    "minus one to a huge power": ("(-1)^{10000001}", -1),
    "zero to a power": ("0^5", 0),
    "remainder of a negative": (r"-7 \bmod 5", 3),
    "large but in reach": ("2^{4000} / 2^{3999}", 2),
    "root of a fraction": (r"\sqrt{\frac{4}{9}}", Fraction(2, 3)),
    "binomial beyond": (r"\binom{3}{5}", 0),
}


@pytest.mark.parametrize(("text", "reason"), OUT_OF_REACH.values(), ids=OUT_OF_REACH)
def test_out_of_reach(text: str, reason: str) -> None:
    """What has no rational value, or too large a one, says why; it is never false."""
    term = read_term(text)
    assert term is not None
    with pytest.raises(OutOfReachError) as error:
        value_of(term)
    assert error.value.reason.startswith(reason)


@pytest.mark.parametrize(("text", "value"), VALUES.values(), ids=VALUES)
def test_values(text: str, value: Fraction) -> None:
    """Corner cases of powers, roots and remainders."""
    term = read_term(text)
    assert term is not None
    assert value_of(term) == value


def test_names_take_their_values() -> None:
    """A letter is computed where it is given a value."""
    term = read_term("x^2 - y")
    assert term is not None
    assert value_of(term, {"x": Fraction(3), "y": Fraction(1, 2)}) == Fraction(17, 2)


def test_deep_terms_are_refused() -> None:
    """A term that somebody built too deep is a budget, not a stack overflow."""
    term: Term = Name("x")
    for _ in range(5_000):
        term = Apply(Operator.NEGATE, (term,))
    with pytest.raises(OutOfReachError, match="budget"):
        value_of(term, {"x": Fraction(1)})


def test_relations() -> None:
    """Every relation but ABOUT is decided for rationals."""
    small, large = Fraction(1, 3), Fraction(1, 2)
    holding = {relation for relation in Relation if relation is not Relation.ABOUT and is_true(relation, small, large)}
    assert holding == {Relation.NOT_EQUAL, Relation.LESS, Relation.AT_MOST}
    with pytest.raises(OutOfReachError):
        is_true(Relation.ABOUT, small, small)


@given(st.integers(0, 10**60), st.integers(1, 12))
def test_floor_root(value: int, degree: int) -> None:
    """The largest integer whose power is not above the value."""
    root = floor_root(value, degree)
    assert root**degree <= value < (root + 1) ** degree


@given(st.builds(Fraction, st.integers(1, 4 * 10**6), st.integers(1, 4 * 10**6)))
def test_prime_powers_multiply_back(value: Fraction) -> None:
    """The product of the prime powers is the number; up to four million none is out of reach."""
    product = Fraction(1)
    for prime, exponent in prime_powers(value).items():
        product *= Fraction(prime) ** exponent
    assert product == value


def test_large_primes_and_what_is_too_large() -> None:
    """A large prime, its square and its cube are known; a product of two large primes is out of reach."""
    first, second = 2**61 - 1, 2**31 - 1
    assert prime_powers(Fraction(first)) == {first: 1}
    assert prime_powers(Fraction(second**2)) == {second: 2}
    with pytest.raises(OutOfReachError):
        prime_powers(Fraction(first * second))


def test_bounds() -> None:
    """Numerator and denominator are bounded alike."""
    assert bits(Fraction(1, 1024)) == 11
    assert bounded(Fraction(2**4000)) == 2**4000
    with pytest.raises(OutOfReachError):
        bounded(Fraction(1, 2**5000))


@given(st.recursive(st.integers(-50, 50).map(lambda n: Number(Fraction(n))), lambda parts: st.tuples(
    st.sampled_from([op for op in Operator if op not in (Operator.NEGATE, Operator.ABSOLUTE, Operator.FACTORIAL,
                                                         Operator.SINE, Operator.COSINE, Operator.TANGENT)]),
    st.tuples(parts, parts)).map(lambda both: Apply(*both)), max_leaves=8))  # fmt: skip
def test_every_operator_ends_in_a_value_or_a_reason(term: Term) -> None:
    """No operator raises anything else, and no value passes the bounds."""
    try:
        value = value_of(term)
    except OutOfReachError:
        return
    assert bits(value) <= 4_096
