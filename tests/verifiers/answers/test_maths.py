"""Expressions: structures of numbers decided here, the rest by the algebra system."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from steplabel.schemas import AnswerType, GoldAnswer, Outcome
from steplabel.verifiers import AnswerChecker, CheckedAnswer
from steplabel.verifiers.answers.maths import Compared, believe, read_formula

CORRECT, WRONG, UNKNOWN = Outcome.CORRECT, Outcome.WRONG, Outcome.UNKNOWN
OFFLINE = AnswerChecker(use_worker=False)
Check = Callable[..., CheckedAnswer]

HERE = [
    ("(1,2)", "(1, 2)", CORRECT),
    ("(1,2)", r"\left(1.0,\frac{4}{2}\right)", CORRECT),
    ("(1,2)", "(2,1)", WRONG),
    ("(1,2)", "(1,2,3)", WRONG),
    ("(1,2)", "[1,2]", WRONG),
    ("(1,2)", r"\{1,2\}", UNKNOWN),
    ("(1,2)", "1,2", UNKNOWN),
    ("1,2", "2,1", CORRECT),
    ("1,2", r"\{2,1\}", CORRECT),
    ("1,2", "1 and 2", CORRECT),
    (r"-12 \text{ or } -30", "-30, -12", CORRECT),
    ("1,2", "1,3", WRONG),
    ("[12,28]", r"x \in [12, 28]", CORRECT),
    (r"[4,\infty)", "[4, \u221e)", CORRECT),
    (r"[4,\infty)", "[4, infinity)", CORRECT),
    (r"[4,\infty)", r"(4,\infty)", WRONG),
    (r"(-\infty,1)\cup(2,3)", r"(2,3)\cup(-\infty,1)", CORRECT),
    (r"(-\infty,1)\cup(2,3)", r"(-\infty,1]\cup(2,3)", WRONG),
    ("[0,2]", r"[0,1]\cup[1,2]", UNKNOWN),
    ("(0.33, 1)", "(1/3, 1)", UNKNOWN),
    ("5", "(2,3)", WRONG),
    ("5", "5, 6, 7", WRONG),
    ("9:24", "09:24", CORRECT),
    ("9:24", "9:24 a.m.", CORRECT),
    ("9:24", "9:25", WRONG),
    ("9:24 am", "9:24 pm", WRONG),
    ("2:5", "12:30", UNKNOWN),
    ("28_9", "28_{9}", CORRECT),
    ("28_9", "28", CORRECT),
    ("28_9", "26", UNKNOWN),
    ("28_9", "27", WRONG),
    ("28_9", "28_8", UNKNOWN),
    (r"\text{Friday}", "friday", CORRECT),
    (r"\text{Friday}", "Monday", WRONG),
    (r"\text{(C)}", "C", CORRECT),
    (r"\text{(C)}", r"\textbf{(D)}", WRONG),
    ("x=4", "4", CORRECT),
    ("4", "x = 4", CORRECT),
    ("k = \\frac{-33}{2}", "-16.5", CORRECT),
    ("10", "2x = 10", UNKNOWN),
    ("18", "3 * 6 = 18", CORRECT),
    ("18", "3 * 5 = 18", UNKNOWN),
    (r"\$\dfrac23 \approx \$0.67", r"\frac{2}{3}", CORRECT),
    (r"4,\!989,\!600", "4989600", CORRECT),
    (r"\begin{pmatrix} 7 \\ -2 \end{pmatrix}", r"\begin{pmatrix} 7 \\ -2 \end{pmatrix}", CORRECT),
    ("2^{4181}", "2^{4181}", CORRECT),
    ("a + b + c", "a+b+c", CORRECT),
    (r"2\sqrt{2}", "2\u221a2", CORRECT),
    ("x^2+5x+4", "y = x^2 + 5x + 4", CORRECT),
    ("5", "no solution", UNKNOWN),
    ("20", r"\boxed{\frac{2}{3}\cdot 30 = 20}", CORRECT),
    (r"\frac{\pi}{2}", r"\frac\pi2", CORRECT),
]


@pytest.mark.parametrize(("gold", "text", "outcome"), HERE, ids=[f"{g}~{t}" for g, t, _ in HERE])
def test_decided_here(gold: str, text: str, outcome: Outcome) -> None:
    """Structures, clocks, bases and names are decided without the algebra system, or left unknown."""
    assert OFFLINE.check(text, GoldAnswer(text=gold, type=AnswerType.EXPRESSION)).outcome is outcome


THERE = [
    (r"2\sqrt{2}", r"\sqrt{8}", CORRECT),
    (r"2\sqrt{2}", "2*sqrt(2)", CORRECT),
    (r"2\sqrt{2}", r"$2 \sqrt 2$ cm", CORRECT),
    (r"2\sqrt{2}", r"\sqrt{2}", WRONG),
    (r"2\sqrt{2}", "2.828", CORRECT),
    (r"2\sqrt{2}", "2.9", WRONG),
    (r"2\sqrt{2}", "2.8", UNKNOWN),
    (r"\pi", "3.14159", CORRECT),
    (r"\pi", "22/7", WRONG),
    ("18", r"\sqrt{324}", CORRECT),
    (r"(3, \frac{\pi}{2})", r"(3, \pi/2)", CORRECT),
    (r"(3, \frac{\pi}{2})", r"(3, \pi)", WRONG),
    ("x^2+5x+4", "(x+1)(x+4)", CORRECT),
    ("x^2+5x+4", "x^2+5x+5", WRONG),
    (r"\pm 2", "2, -2", CORRECT),
    ("1+3i", "3i+1", CORRECT),
    ("x + y - z + 1 = 0", "x+y-z=-1", CORRECT),
    ("x + y - z + 1 = 0", "x+y+z=0", UNKNOWN),
    (r"\begin{pmatrix} 7 \\ -2 \end{pmatrix}", r"\begin{bmatrix}7\\-2\end{bmatrix}", CORRECT),
    (r"\begin{pmatrix} 7 \\ -2 \end{pmatrix}", r"\begin{pmatrix}7\\2\end{pmatrix}", WRONG),
    (r"\sin^2 t", r"1-\cos^2 t", CORRECT),
    (r"i \sqrt{3}, -i \sqrt{3}", r"-\sqrt{3}i, \sqrt{3}i", CORRECT),
    ("5t", "5", WRONG),
]


@pytest.mark.parametrize(("gold", "text", "outcome"), THERE, ids=[f"{g}~{t}" for g, t, _ in THERE])
def test_decided_by_the_algebra_system(check: Check, gold: str, text: str, outcome: Outcome) -> None:
    """Roots, polynomials, complex numbers and matrices are compared by math-verify in its worker."""
    assert OFFLINE.fast(text, GoldAnswer(text=gold, type=AnswerType.EXPRESSION)) is not None
    assert AnswerChecker().fast(text, GoldAnswer(text=gold, type=AnswerType.EXPRESSION)) is None
    assert check(gold, text, AnswerType.EXPRESSION).outcome is outcome


def test_a_number_in_prose_is_asked_and_not_the_prose(check: Check) -> None:
    """What goes to the algebra system is the one number of a sentence; refused text never goes there."""
    assert check(r"\sqrt{324}", "Answer: she has 18 apples left, he thinks").outcome is CORRECT
    assert check(r"\sqrt{324}", "Answer: she has 17 apples left, he thinks").outcome is WRONG
    assert check(r"\sqrt{324}", "Answer: she has many apples left, he thinks").outcome is UNKNOWN


REPLIES = [
    ("timeout", Compared(failed="timeout"), UNKNOWN),
    ("crash", Compared(failed="crash"), UNKNOWN),
    ("unparsed", Compared(parsed=False), UNKNOWN),
    ("one way only", Compared(parsed=True, equal=True, reverse=False), UNKNOWN),
    ("other way only", Compared(parsed=True, equal=False, reverse=True), UNKNOWN),
    ("equal", Compared(parsed=True, equal=True, reverse=True), CORRECT),
    ("different", Compared(parsed=True), WRONG),
]


@pytest.mark.parametrize(("reply", "outcome"), [r[1:] for r in REPLIES], ids=[r[0] for r in REPLIES])
def test_believing(reply: Compared, outcome: Outcome) -> None:
    """Only what both sides and both directions agree on is believed."""
    gold, answer = (read_formula(text, loose=False) for text in (r"\sqrt{2}", r"\sqrt{3}"))
    assert believe(gold, answer, reply)[0] is outcome


def test_a_percent_sign_on_one_side_is_not_believed() -> None:
    """math-verify drops percent signs, so its word counts only if both sides have one."""
    gold, answer = (read_formula(text, loose=False) for text in (r"\sqrt{2}\%", r"\sqrt{2}"))
    assert believe(gold, answer, Compared(parsed=True, equal=True, reverse=True))[0] is UNKNOWN


entries = st.lists(st.integers(min_value=-99, max_value=99), min_size=2, max_size=6)


@given(entries, st.randoms(use_true_random=False))
def test_sets_are_unordered_and_tuples_are_not(values: list[int], shuffle: object) -> None:
    """Any order of a set is the set; a tuple in another order is another tuple."""
    mixed = list(values)
    shuffle.shuffle(mixed)  # type: ignore[attr-defined]
    inner, other = ", ".join(map(str, values)), ", ".join(map(str, mixed))
    for opening, closing in ((r"\{", r"\}"), ("", "")):
        gold = GoldAnswer(text=opening + inner + closing, type=AnswerType.EXPRESSION)
        assert OFFLINE.check(f"Answer: \\{{{other}\\}}", gold).outcome is CORRECT
    gold = GoldAnswer(text=f"({inner})", type=AnswerType.EXPRESSION)
    assert OFFLINE.check(f"({other})", gold).outcome is (CORRECT if mixed == values else WRONG)


MATHS = st.sampled_from([*r"0123456789xyab+-*/^=(){}[],.\ ", r"\frac", r"\sqrt", r"\pi", r"\cup", r"\{", r"\}"])


@given(st.lists(MATHS, max_size=40).map("".join), st.lists(MATHS, min_size=1, max_size=40).map("".join))
def test_reading_formulas_never_raises(text: str, gold: str) -> None:
    """Any string of mathematical signs is decided, refused or left to the worker."""
    left, right = read_formula(text, loose=False), read_formula(gold, loose=True)
    assert isinstance(left.refused, str)
    if gold.strip():
        target = GoldAnswer(text=gold, type=AnswerType.EXPRESSION)
        assert OFFLINE.check(text, target).reason
    assert right is read_formula(gold, loose=True)
