"""Parts of reading: cleaning, tokens, expressions in postfix order, exact values."""

from __future__ import annotations

from fractions import Fraction

import pytest

from steplabel.verifiers.arithmetic import NoValueError, evaluate, read_equations
from steplabel.verifiers.arithmetic.cleaning import cleaned
from steplabel.verifiers.arithmetic.reader import read_run
from steplabel.verifiers.arithmetic.runs import Mode, Postfix
from steplabel.verifiers.arithmetic.tokens import Kind, literal, tokenize

CLEANED = {
    "mark": ("48/2 = <<48/2=24>>24", "48/2 = 24"),
    "open mark": ("<<48/2=24", "<<48/2=24"),
    "signs": ("5 \u00d7 3 \u00f7 2 \u2212 1", "5 * 3 \u00f7 2 - 1"),
    "vulgar fraction": ("1\u00bd", "1 1/2"),
    "full width": ("\uff11\uff12", "12"),
    "superscript": ("5\u00b2", "5^2"),
    "full-width marks": ("3\uff0c4\uff1b5\uff1a6\u3002", "3, 4; 5: 6."),
    "latex": (r"\(\frac{1}{2} \times 3\)", "((1)/(2)) * 3"),
    "unknown command": (r"\sqrt{9}", r"\sqrt{9}"),
    "percent": ("20 percent", "20 %"),
    "percentage": ("the percentage", "the percentage"),
    "recent": ("recently 5", "recently 5"),
}


@pytest.mark.parametrize(("text", "plain"), CLEANED.values(), ids=CLEANED.keys())
def test_cleaned(text: str, plain: str) -> None:
    """Marks, signs and the simplest LaTeX are taken off; blanks do not count."""
    found = cleaned(text)
    assert found is not None
    assert " ".join(found.split()) == plain


@pytest.mark.parametrize("text", ["5\u202e", "1\u200b8", "18\x00", "\ud800", "1\u0668", "5\u2074"])
def test_not_cleaned(text: str) -> None:
    """Control and format characters, surrogates and digits of other scripts are refused."""
    assert cleaned(text) is None


TOKENS = {
    "number": ("1,000.50", [Kind.NUMBER]),
    "bad groups": ("1,00", [Kind.NUMBER, Kind.OTHER, Kind.NUMBER]),
    "list": ("1, 2", [Kind.NUMBER, Kind.BREAK, Kind.NUMBER]),
    "sentence": ("5. Then", [Kind.NUMBER, Kind.BREAK, Kind.WORD]),
    "two points": ("5.3.2", [Kind.NUMBER, Kind.OTHER, Kind.NUMBER]),
    "clock": ("6:00", [Kind.NUMBER, Kind.OTHER, Kind.NUMBER]),
    "x as a sign": ("5 x 3", [Kind.NUMBER, Kind.OPERATOR, Kind.NUMBER]),
    "x as a letter": ("5 x + 3", [Kind.NUMBER, Kind.WORD, Kind.OPERATOR, Kind.NUMBER]),
    "x in a word": ("box 3", [Kind.WORD, Kind.NUMBER]),
    "hyphened word": ("T-shirts", [Kind.WORD]),
    "letters and minus": ("x-y", [Kind.WORD, Kind.OPERATOR, Kind.WORD]),
    "power": ("2**3", [Kind.NUMBER, Kind.OPERATOR, Kind.NUMBER]),
    "bold": ("**3**", [Kind.NUMBER]),
    "money": ("$3", [Kind.NUMBER]),
    "factorial": ("5!", [Kind.NUMBER, Kind.OTHER]),
    "exclamation": ("apples!", [Kind.WORD, Kind.BREAK]),
    "brackets": ("(3)", [Kind.OPEN, Kind.NUMBER, Kind.CLOSE]),
    "open bracket": ("(3", [Kind.BREAK, Kind.NUMBER]),
    "bracket around an equation": ("(3 = 3)", [Kind.BREAK, Kind.NUMBER, Kind.EQUAL, Kind.NUMBER, Kind.BREAK]),
    "comparison": ("3 <= 4", [Kind.NUMBER, Kind.BREAK, Kind.NUMBER]),
    "command": (r"\pi", [Kind.OTHER, Kind.WORD]),
}


@pytest.mark.parametrize(("text", "kinds"), TOKENS.values(), ids=TOKENS.keys())
def test_tokens(text: str, kinds: list[int]) -> None:
    """Each text is cut into these kinds of tokens."""
    assert tokenize(text).kinds == kinds


LITERALS = {
    "12": 12,
    "1,234": 1234,
    "0.5": Fraction(1, 2),
    ".25": Fraction(1, 4),
    "5.0": 5,
    "9" * 30: 10**30 - 1,
    "9" * 31: None,
    f"0.{'1' * 30}": None,
    "9" * 10_000: None,
}


@pytest.mark.parametrize(("text", "value"), LITERALS.items(), ids=[text[:12] for text in LITERALS])
def test_literal(text: str, value: Fraction | int | None) -> None:
    """Numbers are exact, and integers where they are whole; past 30 digits there is no value."""
    assert literal(text) == value
    assert type(literal(text)) is type(value)


POSTFIX = {
    "precedence": ("1 + 2 * 3", (1, 2, 3, "*", "+")),
    "from the left": ("8 - 3 - 2", (8, 3, "-", 2, "-")),
    "division from the left": ("8 / 4 / 2", (8, 4, "/", 2, "/")),
    "brackets": ("(1 + 2) * 3", (1, 2, "+", 3, "*")),
    "sign": ("-2 * 3", (2, "neg", 3, "*")),
    "sign and power": ("-2^2", (2, 2, "^", "neg")),
    "sign behind an operator": ("2 * -3", (2, 3, "neg", "*")),
    "percent": ("5%", (5, "%")),
    "percent of": ("20% of 50", (20, "%", 50, "*")),
    "mixed": ("3 1/2", (3, 1, 2, "/", "+")),
    "thousands": ("80 000", (80000,)),
    "units": ("5 apples + 3 pears in all", (5, 3, "+")),
    "stops at a clause": ("5, 3", (5,)),
    "stops at a number": ("5 apples 3 pears", (5,)),
    "stops at an operator without operand": ("5 + apples", (5,)),
    "open bracket": ("(5 apples, 3)", ()),
}


@pytest.mark.parametrize(("text", "postfix"), POSTFIX.values(), ids=POSTFIX.keys())
def test_postfix(text: str, postfix: Postfix) -> None:
    """An expression is read as far as it goes, operators behind their operands."""
    tokens = tokenize(text)
    assert read_run(tokens, 0, len(tokens.kinds)).postfix == postfix


MODES = {
    "fraction": ("50/ 1/2", Mode.FRACTIONS, (50, 1, 2, "/", "/")),
    "two numbers": ("1 1/2", Mode.SPLIT, (1,)),
    "two groups": ("80 000", Mode.SPLIT, (80,)),
    "share": ("1/3 of 150", Mode.SHORT, (1, 3, "/")),
    "times": ("20 times 2", Mode.SHORT, (20,)),
}


@pytest.mark.parametrize(("text", "mode", "postfix"), MODES.values(), ids=MODES.keys())
def test_second_readings(text: str, mode: int, postfix: Postfix) -> None:
    """A text with two readings says so, and gives the second one if asked."""
    tokens = tokenize(text)
    assert read_run(tokens, 0, len(tokens.kinds)).modes & mode
    assert read_run(tokens, 0, len(tokens.kinds), mode).postfix == postfix


VALUES = {
    "whole": ((6, 3, "/"), 2),
    "fraction": ((2, 3, "/"), Fraction(2, 3)),
    "mixed types": ((1, Fraction(1, 2), "+", 2, "*"), 3),
    "percent": ((20, "%", 50, "*"), 10),
    "sign": ((5, "neg"), -5),
    "power": ((2, 10, "^"), 1024),
    "negative power": ((2, 2, "neg", "^"), Fraction(1, 4)),
    "fraction's power": ((Fraction(1, 2), 2, "^"), Fraction(1, 4)),
    "zeroth power": ((5, 0, "^"), 1),
}


@pytest.mark.parametrize(("postfix", "value"), VALUES.values(), ids=VALUES.keys())
def test_values(postfix: Postfix, value: Fraction | int) -> None:
    """Values are exact."""
    assert evaluate(postfix) == value


NO_VALUES: dict[str, Postfix] = {
    "division by zero": (5, 0, "/"),
    "zero by zero": (0, 0, "/"),
    "zero to zero": (0, 0, "^"),
    "zero to minus one": (0, 1, "neg", "^"),
    "big exponent": (2, 65, "^"),
    "small exponent": (2, 65, "neg", "^"),
    "root": (4, Fraction(1, 2), "^"),
    "big power": (10**29, 64, "^"),
    "big product": (*[10**29] * 50, *["*"] * 49),
    "small quotient": (1, *[10**29] * 50, *["*"] * 49, "/"),
}


@pytest.mark.parametrize("postfix", NO_VALUES.values(), ids=NO_VALUES.keys())
def test_no_values(postfix: Postfix) -> None:
    """What has no value, or one past the bounds, raises the one error that verifiers expect."""
    with pytest.raises(NoValueError):
        evaluate(postfix)


def test_sides_say_how_they_are_printed() -> None:
    """A lone number keeps its decimals and percent sign; an expression has none."""
    (equation,) = read_equations("2.50 * 4 = 10.50%")
    assert (equation.left.lone, equation.left.decimals, equation.left.percent) == (False, 0, False)
    assert (equation.right.lone, equation.right.decimals, equation.right.percent) == (True, 2, True)


def test_about() -> None:
    """Words and signs for "about" are kept."""
    about = ["7/3 = about 2.3", "7/3 \u2248 2.3", r"7/3 \approx 2.3", "7/3 = ~2.3", "7/3 = 2.3"]
    assert [equation.about for text in about for equation in read_equations(text)] == [True] * 4 + [False]


def test_too_long_a_text() -> None:
    """A text past the bound is one unknown claim if it holds an equals sign, and none otherwise."""
    (equation,) = read_equations("1 + 1 = 2 " * 1_000)
    assert equation.obstacle.startswith("budget")
    assert read_equations("1 + 1 " * 1_000) == ()
