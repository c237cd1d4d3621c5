"""Comparisons decided: constants exactly, identities by normal forms, refutations by values."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from steplabel.schemas import Reason, Verdict
from steplabel.verifiers.expressions.ast import Apply, Name, Number, Operator, Relation, Term
from steplabel.verifiers.expressions.decision import congruent, decide, refute
from steplabel.verifiers.expressions.enclosure import enclose
from steplabel.verifiers.expressions.exact import value_of
from steplabel.verifiers.expressions.limits import OutOfReachError
from steplabel.verifiers.expressions.reading import read_chain, read_term
from steplabel.verifiers.expressions.rounding import about, may_be_rounded

HOLDS = {
    "fractions": r"\frac{1}{2} + \frac{1}{3} = \frac{5}{6}",
    "decimals": "0.1 + 0.2 = 0.3",
    "surd": r"\sqrt{12} = 2\sqrt{3}",
    "rationalised": r"\frac{1}{\sqrt{2}} = \frac{\sqrt{2}}{2}",
    "sum of surds in a denominator": r"\frac{1}{1+\sqrt2} = \sqrt2 - 1",
    "product of surds": r"\sqrt{6}\sqrt{10} = 2\sqrt{15}",
    "cube roots": r"\sqrt[3]{16} = 2\sqrt[3]{2}",
    "fourth root": r"\sqrt{\sqrt{2}} = \sqrt[4]{2}",
    "fraction as exponent": r"8^{2/3} = 4",
    "square of a sum": r"(\sqrt2+\sqrt3)^2 = 5 + 2\sqrt6",
    "pi": r"\frac{4}{3}\pi \cdot 3^3 = 36\pi",
    "sine": r"\sin 30^\circ = \frac12",
    "cosine in radians": r"\cos \frac{5\pi}{6} = -\frac{\sqrt3}{2}",
    "tangent": r"\tan 60^\circ = \sqrt3",
    "fifteen degrees": r"\cos 75^\circ = \frac{\sqrt6-\sqrt2}{4}",
    "logarithm": r"\log_2 8 = 3",
    "logarithm of a power": r"\log_4 8 = \frac32",
    "root of a negative": r"\sqrt{-4} = 2\sqrt{-1}",
    "smaller": r"\sqrt{2} < \frac{3}{2}",
    "at most, equal": r"\sqrt{8} \le 2\sqrt2",
    "not equal": r"\sqrt{2} \ne \frac{7}{5}",
    "greater": r"\pi > 3.14",
    "square of a binomial": "(x+1)^2 = x^2 + 2x + 1",
    "cancelled": r"\frac{x^2-1}{x-1} = x+1",
    "partial fractions": r"\frac{1}{x(x+1)} = \frac{1}{x} - \frac{1}{x+1}",
    "square of a root": r"\sqrt{x+1}^2 = x + 1",
    "content of a root": r"\sqrt{12x+4} = 2\sqrt{3x+1}",
    "root of a square": r"\sqrt{x^2} = |x|",
    "absolute value of a negative": "|a-b| = |b-a|",
    "exponent in letters": r"2^{n+1} = 2 \cdot 2^n",
    "other base": "4^n = 2^{2n}",
    "power of a letter": "x^{n+2} = x^2 x^n",
    "pythagoras": r"\sin^2 x + \cos^2 x = 1",
    "letters with subscripts": "(a_1 + a_2)^2 = a_1^2 + 2a_1a_2 + a_2^2",
    "negative power": r"x^{-2} = \frac{1}{x^2}",
}
FAILS = {
    "fractions": r"\frac{1}{2} + \frac{1}{3} = \frac{2}{5}",
    "surd": r"\sqrt{12} = 3\sqrt{2}",
    "sum of roots": r"\sqrt{9+16} = 3 + 4",
    "sum of surds": r"\sqrt2 + \sqrt3 = \sqrt5",
    "pi is no fraction": r"\pi = \frac{22}{7}",
    "very close": r"\sqrt{2} = 1.41421356237309504880168872420969807856967187537694",
    "closer than floats": "10^{30} + 1 = 10^{30}",
    "sine": r"\sin 30^\circ = \frac{\sqrt3}{2}",
    "smaller": r"\frac{1}{3} < 0.333",
    "not equal": r"\sqrt{4} \ne 2",
    "less, but equal": r"\sqrt8 < 2\sqrt2",
    "nested root": r"\sqrt{3 + 2\sqrt2} = 2 + \sqrt2",
    "complex": r"\sqrt{-1} = 1",
}
UNKNOWN = {
    "condition": ("x^2 = 9", Reason.UNDECIDED),
    "not an identity": ("(x+1)^2 = x^2 + 1", Reason.UNDECIDED),
    "root of a square is no letter": (r"\sqrt{x^2} = x", Reason.UNDECIDED),
    "inequality in letters": ("x < x + 1", Reason.UNSUPPORTED),
    "nested roots that are equal": (r"\sqrt{3 + 2\sqrt2} = 1 + \sqrt2", Reason.UNDECIDED),
    "division by zero": ("1/0 = 1/0", Reason.UNSUPPORTED),
    "hidden zero": (r"\frac{1}{\sqrt{4}-2} = 3", Reason.UNSUPPORTED),
    "zero polynomial below": (r"\frac{1}{x-x} = 1", Reason.UNSUPPORTED),
    "too large": ("9^{9^9} = 1", Reason.BUDGET),
    "too many terms": ("(a+b+c+d+e+f)^{60} = 1", Reason.BUDGET),
    "floor of letters": (r"\lfloor x \rfloor = x", Reason.UNSUPPORTED),
    "large semiprime": (rf"\sqrt{{{(2**61 - 1) * (2**31 - 1)}}} < 1 + x", Reason.UNSUPPORTED),
    "imaginary order": (r"\sqrt{-1} < 1", Reason.UNSUPPORTED),
}


def decided(text: str) -> Verdict:
    """The verdict on a chain of one relation, under its first reading."""
    return whole(text)[0]


def whole(text: str) -> tuple[Verdict, str]:
    chain = read_chain(text)
    assert chain is not None
    left, right = (side.term for side in chain.readings[0])
    assert left is not None
    assert right is not None
    decision = decide(chain.relations[0], left, right)
    return decision.verdict, decision.reason


@pytest.mark.parametrize("text", HOLDS.values(), ids=HOLDS)
def test_holds(text: str) -> None:
    """Equal constants and identities are proven."""
    assert decided(text) is Verdict.HOLDS


@pytest.mark.parametrize("text", FAILS.values(), ids=FAILS)
def test_fails(text: str) -> None:
    """Constants that differ are told apart, however close."""
    assert decided(text) is Verdict.FAILS


@pytest.mark.parametrize(("text", "reason"), UNKNOWN.values(), ids=UNKNOWN)
def test_unknown(text: str, reason: str) -> None:
    """What is a condition, undefined, or out of reach is unknown, with its reason."""
    verdict, found = whole(text)
    assert (verdict, found.split(":")[0]) == (Verdict.UNKNOWN, reason)


def test_refutation_names_values() -> None:
    """Two sides that differ do so at values that are shown; an identity is never refuted."""
    one, other, same = (read_term(text) for text in ("(x+1)^2", "x^2+1", "x^2+2x+1"))
    assert one is not None
    assert other is not None
    assert same is not None
    assert refute(one, other) == "at x = 2: 9 and 5"
    assert refute(one, same) == ""


CONGRUENT = {
    "holds": ("17", "2", "5", Verdict.HOLDS),
    "negative": ("-1", "4", "5", Verdict.HOLDS),
    "fails": ("17", "3", "5", Verdict.FAILS),
    "fraction": ("1/2", "3", "5", Verdict.UNKNOWN),
    "letter": ("x", "3", "5", Verdict.UNKNOWN),
    "modulus zero": ("1", "1", "0", Verdict.UNKNOWN),
}


@pytest.mark.parametrize(("left", "right", "modulus", "verdict"), CONGRUENT.values(), ids=CONGRUENT)
def test_congruences(left: str, right: str, modulus: str, verdict: Verdict) -> None:
    """Congruences of integers are exact; of anything else, unknown."""
    terms = [read_term(text) for text in (left, right, modulus)]
    assert congruent(*(term for term in terms if term is not None)).verdict is verdict


ABOUT = {
    "rounded": (r"\frac{22}{7}", "3.14", Verdict.HOLDS),
    "rounded up": (r"\frac{2}{3}", "0.67", Verdict.HOLDS),
    "cut": (r"\frac{2}{3}", "0.66", Verdict.HOLDS),
    "root": (r"\sqrt{2}", "1.4142", Verdict.HOLDS),
    "pi": (r"\pi", "3.14159", Verdict.HOLDS),
    "to an integer": (r"\sqrt{50}", "7", Verdict.HOLDS),
    "last digit": (r"\sqrt{2}", "1.417", Verdict.UNKNOWN),
    "rounded before": (r"10\sqrt{3}", "17 + 0.4", Verdict.UNKNOWN),
    "far": (r"\sqrt{2}", "1.7", Verdict.FAILS),
    "far in a product": (r"\pi \cdot 100", "414", Verdict.FAILS),
    "letter": ("x", "1.7", Verdict.UNKNOWN),
}


@pytest.mark.parametrize(("left", "right", "verdict"), ABOUT.values(), ids=ABOUT)
def test_about(left: str, right: str, verdict: Verdict) -> None:
    """A rounding holds to its printed digits, fails far off, and is unknown between; it is symmetric."""
    one, other = read_term(left), read_term(right)
    assert one is not None
    assert other is not None
    assert about(one, other).verdict is verdict
    assert about(other, one).verdict is verdict


def test_what_may_be_rounded() -> None:
    """Decimals, and fractions beside integers; integers that differ are no rounding."""
    pairs = [("22/7", "3.14"), (r"\sqrt{50}", "7.07"), ("1000", "1001"), ("2/3", "0.9")]
    terms = [(read_term(left), read_term(right)) for left, right in pairs]
    assert [may_be_rounded(one, other) for one, other in terms if one and other] == [True, True, False, False]


@st.composite
def polynomials(draw: st.DrawFn, depth: int = 3) -> Term:
    """Sums and products of small numbers and three letters."""
    if depth == 0 or draw(st.integers(0, 3)) == 0:
        return draw(st.integers(-6, 6).map(lambda n: Number(Fraction(n))) | st.sampled_from("xyz").map(Name))
    parts = tuple(draw(st.lists(polynomials(depth=depth - 1), min_size=2, max_size=3)))
    if draw(st.booleans()):
        return Apply(draw(st.sampled_from([Operator.ADD, Operator.MULTIPLY])), parts)
    return Apply(Operator.POWER, (parts[0], Number(Fraction(draw(st.integers(1, 3))))))


def expanded(term: Term) -> Term:
    """The same value written otherwise: products distributed, powers multiplied out, sums turned round."""
    if not isinstance(term, Apply):
        return term
    parts = [expanded(part) for part in term.terms]
    if term.operator is Operator.POWER and isinstance(exponent := term.terms[1], Number):
        return expanded_product([parts[0]] * int(exponent.value))
    if term.operator is Operator.MULTIPLY:
        return expanded_product(parts)
    return Apply(Operator.ADD, tuple(reversed(parts)))


def expanded_product(factors: list[Term]) -> Term:
    if len(factors) == 1:
        return factors[0]
    first, *rest = factors
    if isinstance(first, Apply) and first.operator is Operator.ADD:
        return Apply(Operator.ADD, tuple(expanded_product([part, *rest]) for part in first.terms))
    return Apply(Operator.MULTIPLY, tuple(factors))


@given(polynomials())
def test_expanded_identities_hold(term: Term) -> None:
    """A random polynomial equals its expansion; only a bound may stand in the way."""
    decision = decide(Relation.EQUAL, term, expanded(term))
    assert decision.verdict is Verdict.HOLDS or decision.reason.startswith(Reason.BUDGET)
    assert refute(term, expanded(term)) == ""


@given(polynomials(), st.integers(1, 9))
def test_perturbed_identities_never_hold(term: Term, change: int) -> None:
    """With a number added on one side it is no identity, and values show it."""
    perturbed = Apply(Operator.ADD, (expanded(term), Number(Fraction(change))))
    assert decide(Relation.EQUAL, term, perturbed).verdict is not Verdict.HOLDS
    assert refute(term, perturbed) or decide(Relation.EQUAL, term, expanded(term)).verdict is not Verdict.HOLDS


@st.composite
def constants(draw: st.DrawFn, depth: int = 3) -> Term:
    """Real constants of rationals, square and cube roots."""
    if depth == 0 or draw(st.integers(0, 3)) == 0:
        return Number(Fraction(draw(st.integers(0, 40)), draw(st.integers(1, 6))))
    part = draw(constants(depth=depth - 1))
    if draw(st.booleans()):
        return Apply(Operator.ROOT, (part, Number(Fraction(draw(st.integers(2, 3))))))
    operator = draw(st.sampled_from([Operator.ADD, Operator.SUBTRACT, Operator.MULTIPLY, Operator.DIVIDE]))
    return Apply(operator, (part, draw(constants(depth=depth - 1))))


@given(constants(), constants())
def test_normal_forms_agree_with_enclosures(left: Term, right: Term) -> None:
    """What is proven equal by one way is never apart by the other."""
    try:
        one, other = enclose(left, 200), enclose(right, 200)
    except OutOfReachError:
        assume(False)
    verdict = decide(Relation.EQUAL, left, right).verdict
    apart = one.high < other.low or other.high < one.low
    assert not (apart and verdict is Verdict.HOLDS)
    assert not (one == other and one.is_point() and verdict is Verdict.FAILS)


@given(constants())
def test_enclosures_enclose(term: Term) -> None:
    """Bounds hold a rational value where there is one, and those of more bits lie within those of fewer."""
    try:
        wide, close = enclose(term, 64), enclose(term, 192)
    except OutOfReachError:
        assume(False)
    assert wide.low <= close.high
    assert close.low <= wide.high
    try:
        value = value_of(term)
    except OutOfReachError:
        return
    assert wide.low <= value <= wide.high


def test_digits_of_pi() -> None:
    """Fifty digits of pi lie within its bounds, at every precision that is used."""
    digits = Fraction(31415926535897932384626433832795028841971693993751, 10**49)
    for precision in (64, 128, 256, 512, 2_048):
        bounds = enclose(read_term(r"\pi") or Name("x"), precision)
        assert bounds.low < digits + Fraction(1, 10**49)
        assert digits < bounds.high
        assert bounds.high - bounds.low <= Fraction(2, 1 << precision)


def test_hostile_texts_are_never_decided_wrongly(hostile: str) -> None:
    """Hostile text against 1 is unknown or has a value; nothing raises or hangs."""
    for term in [term for term in (read_term(hostile),) if term is not None]:
        decision = decide(Relation.EQUAL, term, Number(Fraction(1)))
        assert decision.verdict is not Verdict.HOLDS
