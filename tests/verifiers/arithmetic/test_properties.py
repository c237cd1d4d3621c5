"""Properties: nothing raises, a true equation holds in every form, a false one never does."""

from __future__ import annotations

from fractions import Fraction

from hypothesis import assume, given
from hypothesis import strategies as st

from steplabel.schemas import Verdict
from steplabel.verifiers.arithmetic import evaluate, read_equations
from steplabel.verifiers.arithmetic.judging import judge
from steplabel.verifiers.arithmetic.runs import Postfix

numbers = st.integers(min_value=0, max_value=10**6)
small = st.integers(min_value=1, max_value=40)

FORMS = {
    "+": ["{} + {}", "{}+{}", "{} plus {}", "${} + ${}", "{} apples + {} apples", r"\({} + {}\)", "({}) + ({})"],
    "-": ["{} - {}", "{}-{}", "{} minus {}", "{} \u2212 {}", "{} eggs \u2013 {} eggs", r"${}$ - ${}$"],
    "*": ["{} * {}", "{}x{}", "{} x {}", "{} \u00d7 {}", "{} times {}", r"{} \times {}", "{} boxes x {}", "{}({})"],
    "/": ["{} / {}", "{}/{}", "{} \u00f7 {}", "{} divided by {}", r"\frac{{{}}}{{{}}}", r"{} \div {}"],
}
RESULTS = ["{} = {}", "{}={}", "{} = ${}", "So {} = {} apples.", "({} = {})", "{} = <<1+1=2>>{}", r"\[ {} = {} \]"]
forms = st.sampled_from([(operator, form) for operator, all_forms in FORMS.items() for form in all_forms])


def printed(value: Fraction) -> str:
    """An integer with commas, or a fraction."""
    return f"{int(value):,}" if value.denominator == 1 else f"{value.numerator}/{value.denominator}"


@given(numbers, small, forms, st.sampled_from(RESULTS), st.booleans())
def test_a_true_equation_holds(left: int, right: int, form: tuple[str, str], result: str, commas: bool) -> None:
    """Whatever form operands, operator and result take."""
    operator, pattern = form
    value = evaluate((left, right, operator))
    text = result.format(pattern.format(f"{left:,}" if commas else left, right), printed(Fraction(value)))
    verdicts = [judge(equation, strict=True).verdict for equation in read_equations(text)]
    assert verdicts == [Verdict.HOLDS], text


@given(numbers, small, forms, st.sampled_from(RESULTS), st.integers(-500, 500), st.booleans())
def test_a_false_equation_never_holds(
    left: int, right: int, form: tuple[str, str], result: str, error: int, strict: bool
) -> None:
    """A wrong whole result fails or is unknown, and fails in strict mode where the left side is whole."""
    operator, pattern = form
    value = Fraction(evaluate((left, right, operator)))
    wrong = round(value) + error
    assume(wrong != value and wrong >= 0)
    text = result.format(pattern.format(left, right), wrong)
    (equation,) = read_equations(text)
    verdict = judge(equation, strict=strict).verdict
    assert verdict is not Verdict.HOLDS, text
    is_range = operator == "-" and wrong and (left < right or wrong == 12 - value)
    if strict and value.denominator == 1 and not is_range:
        assert verdict is Verdict.FAILS, text


@given(st.text(alphabet="0123456789.,+-*/^()[]=%$ xaof\n\\<>!:\u00bd\u2248{}'", max_size=200))
def test_reading_never_raises(text: str) -> None:
    """Whatever signs come in whatever order, each equation gets one of three answers."""
    for equation in read_equations(text):
        finding = judge(equation, strict=True)
        assert finding.verdict in tuple(Verdict)
        assert finding.reason


@given(st.text(max_size=200))
def test_any_text_is_read(text: str) -> None:
    """Any Unicode text gets an answer, with an equation behind it too."""
    for whole in (text, f"{text} = 5", f"5 + 3 = {text}", f"{text}5 + 3 = 8"):
        for equation in read_equations(whole):
            assert judge(equation, strict=False).reason


numbers_and_operators = st.lists(st.tuples(st.sampled_from("+-*/"), small), min_size=1, max_size=12)


def reference(first: int, rest: list[tuple[str, int]]) -> Fraction:
    """Terms and factors, as one learns it at school."""
    terms = [Fraction(first)]
    for operator, number in rest:
        if operator in "+-":
            terms.append(Fraction(number if operator == "+" else -number))
        else:
            terms[-1] = terms[-1] * number if operator == "*" else terms[-1] / number
    return sum(terms, Fraction(0))


@given(small, numbers_and_operators)
def test_precedence(first: int, rest: list[tuple[str, int]]) -> None:
    """Long expressions are worth what the rules of precedence say."""
    text = str(first) + "".join(f" {operator} {number}" for operator, number in rest)
    (equation,) = read_equations(f"{text} = 0 + 1")
    readings: tuple[Postfix, ...] = equation.left.readings
    assert evaluate(readings[0]) == reference(first, rest)
