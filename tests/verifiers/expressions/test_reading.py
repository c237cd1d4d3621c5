"""Expressions and chains read from text: what they mean, what is left alone, and bounds."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from steplabel.verifiers.expressions.ast import (
    Apply,
    Constant,
    Name,
    Number,
    Operator,
    Relation,
    Term,
    depth_of,
    is_atom,
    is_literal,
    names_of,
)
from steplabel.verifiers.expressions.exact import value_of
from steplabel.verifiers.expressions.printing import printed, printed_whole
from steplabel.verifiers.expressions.reading import read_chain, read_term, read_terms

VALUES = {
    "precedence": ("2+3*4", "14"),
    "minus binds looser than power": ("-2^2", "-4"),
    "left to right": ("10-4-3", "3"),
    "division left to right": ("24/4/2", "3"),
    "fraction": (r"\frac{3}{4}", "3/4"),
    "fraction without braces": (r"\frac34", "3/4"),
    "fraction half braced": (r"\frac1{72}", "1/72"),
    "dfrac and tfrac": (r"\dfrac{1}{2}+\tfrac{1}{2}", "1"),
    "nested fraction": (r"\frac{1}{1+\frac{1}{2}}", "2/3"),
    "implied product of brackets": ("(2+1)(4-2)", "6"),
    "implied product of number and bracket": ("3(4)", "12"),
    "number and root": (r"2\sqrt{9}", "6"),
    "root without braces": (r"\sqrt9", "3"),
    "cube root": (r"\sqrt[3]{8}", "2"),
    "cdot times div": (r"2\cdot3\times4\div6", "4"),
    "signed factor": (r"2\cdot -3", "-6"),
    "signed summand": ("5 + -3", "2"),
    "power in braces": ("2^{10}", "1024"),
    "power of more digits": ("2^10", "1024"),
    "negative power": ("2^{-1}", "1/2"),
    "fraction as power": (r"8^{\frac13}", "2"),
    "superscript": ("5\u00b2", "25"),
    "absolute value": ("|3-5|", "2"),
    "two absolute values": ("|-2|+|3|", "5"),
    "product with absolute value": ("2|-3|", "6"),
    "factorial": ("5!", "120"),
    "factorials divided": (r"\frac{8!}{3!5!}", "56"),
    "binomial": (r"\binom{8}{3}", "56"),
    "choose": (r"{8 \choose 3}", "56"),
    "floor": (r"\left\lfloor\frac72\right\rfloor", "3"),
    "ceiling": (r"\lceil -3.5 \rceil", "-3"),
    "remainder": (r"2003 \bmod 6", "5"),
    "gcd": (r"\gcd(12, 18)", "6"),
    "lcm in words": (r"\text{lcm}(4, 6)", "12"),
    "greatest": (r"\max(2, 7, 3)", "7"),
    "thousands": ("1,234,567", "1234567"),
    "latex thousands": ("1{,}234", "1234"),
    "decimal": ("0.125", "1/8"),
    "no leading zero": (".5", "1/2"),
    "thirty digits": ("1" * 30, "1" * 30),
    "sizes and spaces": (r"\left( 1 \, + \; 2 \right) \cdot \bigl(3\bigr)", "9"),
    "boxed": (r"\boxed{\frac{1}{2}}", "1/2"),
    "unicode operators": ("6 \u00d7 2 \u00f7 3 \u2212 1", "3"),
    "money": (r"\$5 + \$2", "7"),
    "unit": (r"5\text{ cm} \cdot 3\text{ cm}", "15"),
    "squared unit": (r"5\text{ cm}^2", "5"),
    "degrees": (r"180^\circ - 60^{\circ}", "120"),
}
UNREADABLE = {
    "plus minus": r"\pm 2",
    "unknown operator": r"\operatorname{sgn} 2",
    "a word that reaches": r"2\mathrm{cis}(\pi)",
    "beside each other": "2 3",
    "number behind a letter": "x2",
    "number behind a bracket": "(3)4",
    "two signs": "--18",
    "dash": "5--3",
    "sum": r"\sum_{k=1}^{n} k",
    "function": "f(x)",
    "capital function": "P(x)",
    "tuple": "(1, 2)",
    "set": r"\{1, 2\}",
    "dots": r"1 + 2 + \cdots + 9",
    "other base": "101_2",
    "word": "apples",
    "words between": "5 apples",
    "inverse sine": r"\sin^{-1} x",
    "tower": "2^3^2",
    "two factorials": "5!!",
    "unclosed": "(1+2",
    "closed too often": "1+2)",
    "empty": "",
    "operator at the end": "2+",
    "root of more digits": r"\sqrt12",
    "matrix": r"\begin{pmatrix} 1 & 2 \end{pmatrix}",
    "ratio": "3:4",
    "foreign digits": "1\u0668",
    "right to left": "\u202e81",
    "zero width": "1\u200b8",
    "nul": "1\x00+17",
    "full width": "\uff11\uff12",
    "digits past the bound": "9" * 401,
    "depth past the bound": "(" * 31 + "1" + ")" * 31,
    "too many tokens": "1" + "+1" * 300,
    "too long": "1" + " " * 3_000,
}
READINGS = {
    "one over two x": ("1/2x", {"1 / 2 * x", "1 / (2 * x)"}),
    "six over two times three": ("6/2(3)", {"6 / 2 * 3", "6 / (2 * 3)"}),
    "mixed number": (r"2\frac{1}{2}", {"2 * 1 / 2", "2 + 1 / 2"}),
    "mixed number and its power": (r"2\frac{1}{2}^2", {"2 * (1 / 2^2)", "(2 + 1 / 2)^2"}),
    "improper, where one is carried": (r"2\frac{5}{3}", {"2 * 5 / 3", "2 + 5 / 3"}),
    "mixed number of money": (r"\$2\frac{1}{2}", {"2 * 1 / 2", "2 + 1 / 2"}),
    "greatest integer": ("[3.7]", {"3.7", "3.7 // 1"}),
    "bracket of an integer": ("[2 + 3]", {"2 + 3"}),
    "repeating decimal": ("0.8(3)", {"0.8 * 3", "(5/6)"}),
    "percent in words": (r"25\text{ percent}", {"25 / 100", "25"}),
    "percent": (r"25\%", {"25 / 100", "25"}),
    "imaginary": ("3i", {"3 * i"}),
    "bracket decides": ("1/(2x)", {"1 / (2 * x)"}),
    "frac decides": (r"\frac{1}{2}x", {"1 / 2 * x"}),
}


@pytest.mark.parametrize(("text", "value"), VALUES.values(), ids=VALUES)
def test_values(text: str, value: str) -> None:
    """Every reading of a plain expression has this value."""
    readings = read_terms(text)
    assert Fraction(value) in [value_of(term) for term in readings]


@pytest.mark.parametrize("text", UNREADABLE.values(), ids=UNREADABLE)
def test_unreadable(text: str) -> None:
    """What is not surely one expression is not read."""
    assert read_terms(text) == ()
    assert read_term(text) is None


@pytest.mark.parametrize(("text", "expected"), READINGS.values(), ids=READINGS)
def test_all_readings(text: str, expected: set[str]) -> None:
    """An ambiguous expression gives each of its readings, others exactly one."""
    found = {printed_whole(term).replace("(1 / 2)", "1 / 2") for term in read_terms(text)}
    assert {text.replace("(5 / 3)", "5 / 3").replace("(6 / 2)", "6 / 2") for text in found} == expected


def test_the_letter_i_has_two_readings() -> None:
    """A letter, or the root of -1."""
    assert read_terms("i") == (Name("i"), Constant.I)


def test_names() -> None:
    """Letters with subscripts and primes, Greek ones, and capitals that stand for a segment are names."""
    term = read_term(r"x_1 + x_{n+1} + y' + \theta + AB + a_{12}b + \angle ABC")
    assert term is not None
    assert names_of(term) == {"x_1", "x_n+1", "y'", "theta", "AB", "a_12", "b", "angle ABC"}


def test_small_letters_are_a_product_and_capitals_one_name() -> None:
    """ab is a times b; AB^2 is the square of a segment."""
    assert read_term("ab") == Apply(Operator.MULTIPLY, (Name("a"), Name("b")))
    assert read_term("AB^2") == Apply(Operator.POWER, (Name("AB"), Number(Fraction(2))))


def test_degrees_are_radians_inside_a_sine() -> None:
    """sin of 30 degrees is not the sine of 30."""
    assert read_term(r"\sin 30^\circ") == read_term(r"\sin(30 \cdot \frac{\pi}{180})")


def test_a_function_takes_what_stands_beside_it() -> None:
    """sin 2x cos y is a product of two values."""
    assert read_term(r"\sin 2x \cos y") == read_term(r"\sin(2x) \cdot \cos(y)")
    assert read_term(r"\sin^2 x") == read_term(r"(\sin x)^2")
    assert read_term(r"\log_2 8") == Apply(Operator.LOGARITHM, (Number(Fraction(8)), Number(Fraction(2))))


def test_decimals_are_remembered() -> None:
    """How a number was printed decides what rounding means."""
    assert read_term("0.50") == Number(Fraction(1, 2), 2)
    assert read_term("7") == Number(Fraction(7), None)


def test_chain() -> None:
    """Sides and relations of a chain, in order."""
    chain = read_chain(r"1 + 2 = 3 < 4 \le 5 \approx 5.0 \neq 6")
    assert chain is not None
    assert chain.relations == (
        Relation.EQUAL,
        Relation.LESS,
        Relation.AT_MOST,
        Relation.ABOUT,
        Relation.NOT_EQUAL,
    )
    assert len(chain.readings) == 1
    assert len(chain.readings[0]) == 6


def test_an_unreadable_side_leaves_the_others() -> None:
    """f(2) is not read, the rest of its chain is."""
    chain = read_chain("f(2) = 2^2 + 1 = 5")
    assert chain is not None
    assert [side.term is None for side in chain.readings[0]] == [True, False, False]


def test_congruence() -> None:
    """A modulus at the end holds for each equivalence sign, not for an equals sign."""
    chain = read_chain(r"2^{10} = 1024 \equiv 2 \pmod{7}")
    assert chain is not None
    assert chain.congruent == (False, True)
    assert chain.modulus == Number(Fraction(7))
    assert read_chain(r"a \equiv b") is None, "without a modulus nothing is said"


def test_units_are_kept_beside_the_term() -> None:
    """The term leaves units out; the side names them."""
    chain = read_chain(r"5\text{ cm} = 5")
    assert chain is not None
    assert [side.units for side in chain.readings[0]] == [{"cm"}, frozenset()]


def test_long_sums_do_not_nest() -> None:
    """A sum of many terms is one application, so that no later walk is deep."""
    term = read_term("+".join("1" for _ in range(190)))
    assert term is not None
    assert depth_of(term) == 2


def test_literals_and_atoms() -> None:
    """A number and its negative are literals; names and constants are atoms besides."""
    literals = [read_term(text) for text in ("5", "-5", "x", r"\pi", "2+3")]
    assert [term is not None and is_literal(term) for term in literals] == [True, True, False, False, False]
    assert [term is not None and is_atom(term) for term in literals] == [True, True, True, True, False]


def numbers() -> st.SearchStrategy[Term]:
    whole = st.integers(0, 10**30).map(lambda n: Number(Fraction(n)))
    decimal = st.tuples(st.integers(0, 10**6), st.integers(1, 6)).map(
        lambda pair: Number(Fraction(pair[0], 10 ** pair[1]), pair[1])
    )
    return whole | decimal


NAMES = st.sampled_from("abcdxyz").map(Name)
INFIX = (Operator.MULTIPLY, Operator.DIVIDE)


def applied(parts: st.SearchStrategy[Term]) -> st.SearchStrategy[Term]:
    pairs = st.tuples(parts, parts)
    return (
        st.tuples(st.sampled_from(INFIX), pairs).map(lambda both: Apply(*both))
        | pairs.map(lambda pair: Apply(Operator.ADD, pair))
        | parts.map(lambda part: Apply(Operator.NEGATE, (part,)))
        | st.tuples(parts, st.integers(0, 9)).map(
            lambda both: Apply(Operator.POWER, (both[0], Number(Fraction(both[1]))))
        )
    )


TERMS = st.recursive(numbers() | NAMES, applied, max_leaves=12)


def in_latex(term: Term) -> str:
    """The inverse of the reader: everything in braces or brackets."""
    if not isinstance(term, Apply):
        return printed(term)
    parts = [in_latex(part) for part in term.terms]
    templates = {
        Operator.ADD: "({} + {})",
        Operator.MULTIPLY: r"({} \cdot {})",
        Operator.DIVIDE: r"\frac{{{}}}{{{}}}",
        Operator.POWER: "{{{}}}^{{{}}}",
        Operator.NEGATE: "(-{})",
    }
    return templates[term.operator].format(*parts)


@given(TERMS)
def test_reading_undoes_printing(term: Term) -> None:
    """What is printed in LaTeX with all brackets reads back as the same term, but for flattened sums and products."""
    assert read_terms(in_latex(term)) == (flat(term),)


@given(TERMS)
def test_reading_undoes_our_own_printing(term: Term) -> None:
    """Evidence says what was computed: plain text reads back, too."""
    assert flat(term) in read_terms(printed(term))


def flat(term: Term) -> Term:
    """Brackets at the start of a sum or product are not kept by the reader."""
    if not isinstance(term, Apply):
        return term
    parts = [flat(part) for part in term.terms]
    first = parts[0]
    joins = term.operator in (Operator.ADD, Operator.MULTIPLY)
    if joins and isinstance(first, Apply) and first.operator is term.operator:
        return Apply(term.operator, (*first.terms, *parts[1:]))
    return Apply(term.operator, tuple(parts))


SIGNS = st.sampled_from(
    ["1", "23", "x", "AB", "+", "-", "=", "(", ")", "{", "}", "[", "]", "|", "^", "_", "!", "%", "/", " ", ",",
     "\\frac", "\\sqrt", "\\left", "\\text{cm}", "\\sin", "\\log", "\\equiv", "\\pmod", "\\lfloor",
     "\\binom", "^\\circ", "$"]
)  # fmt: skip


@given(st.text(max_size=200) | st.lists(SIGNS, max_size=60).map("".join))
def test_nothing_raises(text: str) -> None:
    """Arbitrary text is read or not; it never ends in an error."""
    chain = read_chain(text)
    assert chain is None or len(chain.readings[0]) == len(chain.relations) + 1


def test_hostile_texts(hostile: str) -> None:
    """Hostile texts are unreadable, or terms within the bounds."""
    for term in read_terms(hostile):
        assert depth_of(term) <= 200
