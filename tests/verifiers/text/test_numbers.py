"""Numbers as they are printed: the reader, the units behind them, and when two are the same."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from steplabel.schemas import AnswerType, GoldAnswer, Outcome
from steplabel.verifiers import AnswerChecker
from steplabel.verifiers.answers.agreement import compare_numbers, has_finite_decimals, relate
from steplabel.verifiers.text.notation import plain
from steplabel.verifiers.text.numbers import Number, read_number

OFFLINE = AnswerChecker(use_worker=False)
integers = st.integers(min_value=-(10**15), max_value=10**15)
fractions = st.fractions(min_value=-(10**6), max_value=10**6, max_denominator=10**4)


def reading(text: str) -> Fraction | None:
    number = read_number(plain(text))
    return number.value if number else None


READ = [
    ("18", 18),
    ("-18", -18),
    ("+18", 18),
    ("018", 18),
    ("1,234,567", 1234567),
    ("1{,}234", 1234),
    (r"1,\!234", 1234),
    (r"1\,234", 1234),
    ("80 000", 80000),
    ("10, 000", 10000),
    ("$1,234.50", Fraction(2469, 2)),
    ("-$5", -5),
    ("$-5", -5),
    (r"\$5.00", 5),
    ("\u20ac5", 5),
    ("5 dollars", 5),
    ("1.8 billion", 1_800_000_000),
    ("2 hundred thousand", 200_000),
    (".5", Fraction(1, 2)),
    ("5.", 5),
    ("1/2", Fraction(1, 2)),
    ("-1/2", Fraction(-1, 2)),
    ("3 1/2", Fraction(7, 2)),
    ("-3 1/2", Fraction(-7, 2)),
    ("3\u00bd", Fraction(7, 2)),
    ("\u00bd", Fraction(1, 2)),
    (r"3\frac{1}{2}", Fraction(7, 2)),
    (r"-15\frac{3}{5}", Fraction(-78, 5)),
    (r"\frac12", Fraction(1, 2)),
    (r"\frac1{72}", Fraction(1, 72)),
    (r"\tfrac{41}2", Fraction(41, 2)),
    (r"\dfrac{-33}{2}", Fraction(-33, 2)),
    (r"-\frac{5}{3}.", Fraction(-5, 3)),
    (r"\frac{\frac{1}{2}}{3}", Fraction(1, 6)),
    ("1e3", 1000),
    ("1.5E-2", Fraction(3, 200)),
    (r"3 \times 10^{4}", 30000),
    ("3\u00d710\u2074", 30000),
    ("2^10", 1024),
    ("-2^2", -4),
    ("(-2)^2", 4),
    ("5\u00b2", 25),
    ("2 + 3 * 4", 14),
    ("(2 + 3) * 4", 20),
    (r"150 \div 3", 50),
    ("44%", 44),
    (r"44\%", 44),
    ("44 percent of them", 44),
    ("18 eggs per day", 18),
    (r"21\text{ dogs}", 21),
    (r"320000 \mbox{ acres}", 320000),
    (r"72^\circ", 72),
    (r"72^{\circ}", 72),
    (r"6\frac{1}{6}\text{ feet}", Fraction(37, 6)),
    (r"\left(\frac{1}{2}\right)", Fraction(1, 2)),
    ("**18**", 18),
    ("\\(18\\)", 18),
    ("\uff11\uff18", 18),
    ("\u221218", -18),
    ("about 18", 18),
]
NOT_READ = [
    "",
    "x",
    "5x",
    "5 x",
    "2 pi",
    r"2\pi",
    r"\sqrt{4}",
    "5!",
    "18k",
    "2 dozen",
    "3 thirds",
    "5 squared",
    "18 or 19",
    "1 to 5",
    "7 remainder 1",
    "--5",
    "1/0",
    "0^0",
    r"\frac{1}{0}",
    "2^3^4",
    "2^0.5",
    "1,0000",
    "1,23",
    "2 5/3",
    r"2\frac{5}{3}",
    "3 4",
    "5:30",
    "1e99999",
    "9^99999",
    "1 = 1",
    "18 2",
    "(18",
    "18)",
    "\u0661\u0668",
    "1_2",
    "0x12",
]


@pytest.mark.parametrize(("text", "value"), READ, ids=[text for text, _ in READ])
def test_reads(text: str, value: Fraction | int) -> None:
    """These are numbers, whatever is written around them."""
    assert reading(text) == value


@pytest.mark.parametrize("text", NOT_READ)
def test_does_not_read(text: str) -> None:
    """These are not one number within our bounds, and half of one is never taken for it."""
    assert reading(text) is None


def formats(value: int) -> list[str]:
    grouped = f"{value:,}"
    return [
        str(value),
        grouped,
        grouped.replace(",", "{,}"),
        grouped.replace(",", r",\!"),
        f"${grouped}",
        f"{value}.00",
        f"{value}.",
        f"${value}$",
        f"\\({value}\\)",
        f"**{value}**",
        f"{value} apples",
        f"{value}\\text{{ apples}}",
        f"x = {value}",
        f"\\frac{{{2 * value}}}{{2}}",
        f"{2 * value}/2",
        f"{value}e0",
        rf"\boxed{{{grouped}}}",
        f"We add.\nAnswer: {grouped}",
        f"We add.\n#### {value}",
        f"We add.\nA: {value}",
        f"Hence the answer is {grouped}. I hope it is correct.",
        f"**Final Answer:** {value}",
        f"So she has {grouped}.",
    ]


@given(integers)
def test_formats_of_an_integer_are_equal(value: int) -> None:
    """Every way to write an integer is the same answer; and none of them is the next integer."""
    for text in formats(value):
        assert OFFLINE.check(text, GoldAnswer(text=str(value))).outcome is Outcome.CORRECT, text
        assert OFFLINE.check(text, GoldAnswer(text=str(value + 1))).outcome is Outcome.WRONG, text


@given(fractions)
def test_formats_of_a_fraction_are_equal(value: Fraction) -> None:
    """A fraction is the same in LaTeX, inline, mixed, and with its factors multiplied."""
    top, bottom = value.numerator, value.denominator
    sign, whole, rest = ("-" if value < 0 else ""), abs(top) // bottom, abs(top) % bottom
    texts = [f"{top}/{bottom}", rf"\frac{{{top}}}{{{bottom}}}", rf"\dfrac{{{3 * top}}}{{{3 * bottom}}}"]
    if rest and whole:
        texts += [f"{sign}{whole} {rest}/{bottom}", rf"{sign}{whole}\frac{{{rest}}}{{{bottom}}}"]
    for gold in texts:
        for text in texts:
            for kind in (AnswerType.NUMBER, AnswerType.EXPRESSION):
                assert OFFLINE.check(text, GoldAnswer(text=gold, type=kind)).outcome is Outcome.CORRECT


numbers = st.builds(
    lambda value, decimals: (
        Number(value=Fraction(round(value * 10**decimals), 10**decimals), decimals=decimals)
        if decimals
        else Number(value=value)
    ),
    fractions,
    st.integers(min_value=0, max_value=5),
)


@given(numbers, numbers)
def test_agreement_is_symmetric(left: Number, right: Number) -> None:
    """Which of two numbers is the gold answer changes nothing."""
    assert relate(left, right) is relate(right, left)
    assert compare_numbers(left, right) == compare_numbers(right, left)


@given(numbers, st.fractions(min_value=1, max_value=1000))
def test_far_numbers_are_wrong(number: Number, distance: Fraction) -> None:
    """No rounding explains a difference of one or more."""
    other = Number(value=number.value + distance + 1)
    assert compare_numbers(number, other)[0] is Outcome.WRONG


@given(fractions, st.integers(min_value=3, max_value=8))
def test_a_rounding_of_what_cannot_be_printed_is_equal(value: Fraction, decimals: int) -> None:
    """Three significant digits suffice where the number has no finite decimals to print."""
    rounded = Fraction(round(value * 10**decimals), 10**decimals)
    printed = Number(value=rounded, decimals=decimals)
    outcome, _ = compare_numbers(Number(value=value), printed)
    if has_finite_decimals(value) or abs(value) < Fraction(100, 10**decimals):
        assert outcome is not Outcome.WRONG
    else:
        assert outcome is Outcome.CORRECT


@given(st.text(alphabet="0123456789.,+-*/^(){}%$ \\frac", max_size=60))
def test_reading_never_raises(text: str) -> None:
    """Whatever signs come in whatever order, the reader gives a number or None."""
    assert isinstance(read_number(plain(text)), Number | None)


AGREEMENT = [
    ("0.333", "1/3", Outcome.CORRECT),
    ("1/3", "0.3333333", Outcome.CORRECT),
    ("1/3", "0.33", Outcome.UNKNOWN),
    ("2/3", "0.666", Outcome.UNKNOWN),
    ("2/3", "0.65", Outcome.WRONG),
    ("3.14", "3.1416", Outcome.UNKNOWN),
    ("0.125", "0.1251", Outcome.UNKNOWN),
    ("18", "17.999999999999996", Outcome.CORRECT),
    ("0.05", "0.04999999999999999", Outcome.CORRECT),
    ("33", "33.3", Outcome.WRONG),
    ("5", "5.01", Outcome.WRONG),
    ("33", "100/3", Outcome.WRONG),
    ("50%", "50", Outcome.UNKNOWN),
    ("50", "50%", Outcome.UNKNOWN),
    ("0.5", "50%", Outcome.UNKNOWN),
    ("50", "40%", Outcome.WRONG),
    ("50%", "50 percent", Outcome.CORRECT),
    ("5 m", "500 cm", Outcome.UNKNOWN),
    ("5 m", "5 cm", Outcome.UNKNOWN),
    ("5 m", "5", Outcome.CORRECT),
    ("5 m", "5 meters", Outcome.CORRECT),
    ("5", "500 cents", Outcome.UNKNOWN),
    ("2", "$24", Outcome.WRONG),
    ("5", "6 eggs", Outcome.WRONG),
    ("$18", "18 dollars", Outcome.CORRECT),
    ("18 eggs", "18 hens", Outcome.CORRECT),
    ("3.5", "3,5", Outcome.UNKNOWN),
    ("7", "3, 5, 8", Outcome.WRONG),
    ("18", r"\sqrt{324}", Outcome.UNKNOWN),
]


@pytest.mark.parametrize(("gold", "text", "outcome"), AGREEMENT, ids=[f"{g}~{t}" for g, t, _ in AGREEMENT])
def test_agreement(gold: str, text: str, outcome: Outcome) -> None:
    """Rounding, percent signs and units are decided as the policy in `agreement` says."""
    assert OFFLINE.check(text, GoldAnswer(text=gold)).outcome is outcome


def test_percent_signs_may_be_ignored() -> None:
    """With `ignore_percent`, the digits alone decide."""
    checker = AnswerChecker(use_worker=False, ignore_percent=True)
    assert checker.check("50%", GoldAnswer(text="50")).outcome is Outcome.CORRECT
    assert checker.check("50%", GoldAnswer(text="0.5")).outcome is Outcome.WRONG
