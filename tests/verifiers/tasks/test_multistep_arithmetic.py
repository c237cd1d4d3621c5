"""Traces of multi-step arithmetic, step by step."""

from __future__ import annotations

import time
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from steplabel.schemas import Problem, Verdict, make_solution
from steplabel.schemas.segmentation import GivenSteps
from steplabel.verifiers import Verifier, observe
from steplabel.verifiers.tasks.multistep_arithmetic import MAX_DEPTH, MultistepArithmetic, value_of

QUESTION = "((5 + 2 * 1 - 6) + (5 + 3 - -2 * 2)) ="
PLAN = 'This equation can be written as "A + B", where A = (5 + 2 * 1 - 6) and B = (5 + 3 - -2 * 2).'
A = "Let's calculate A = (5 + 2 * 1 - 6) = (5 + 2 - 6) = 1."
B = "Let's calculate B = (5 + 3 - -2 * 2) = (5 + 3 + 4) = 12."
END = "Then, the final equation is A + B = 1 + 12 = 13. So the answer is 13"


def verdicts(*steps: str, question: str = QUESTION, verifier: Verifier | None = None) -> list[Verdict | None]:
    """Of each step; None where nothing was claimed."""
    problem = Problem(id="p", text=question)
    solution = make_solution(problem, GivenSteps(separator="\n").join(steps))
    said = {one.subject: one.verdict for one in observe(verifier or MultistepArithmetic(), problem, solution)}
    return [said.get(key) for key in solution.node_keys]


HOLDS, FAILS, UNKNOWN = Verdict.HOLDS, Verdict.FAILS, Verdict.UNKNOWN


def test_a_right_trace_holds() -> None:
    """Every chain is true; the plan is no claim unless it is asked for."""
    assert verdicts(PLAN, A, B, END) == [None, HOLDS, HOLDS, HOLDS]
    assert verdicts(PLAN, A, B, END, verifier=MultistepArithmetic(plan=True)) == [HOLDS] * 4


def test_it_is_a_verifier() -> None:
    """The port's contract; each way to read the plan is a version."""
    assert isinstance(MultistepArithmetic(), Verifier)
    assert MultistepArithmetic().version != MultistepArithmetic(plan=True).version


@pytest.mark.parametrize(
    ("steps", "expected"),
    [
        pytest.param((PLAN, A.replace("= 1.", "= 2.")), FAILS, id="a wrong value"),
        pytest.param((PLAN, A.replace("5 + 2 - 6", "5 - 2 - 6")), FAILS, id="a wrong middle"),
        pytest.param(
            (PLAN, A.replace("(5 + 2 * 1 - 6)", "(5 + 2 * 1 - 5)").replace("- 6)", "- 5)")), FAILS, id="copied"
        ),
        pytest.param((PLAN, A, B, END.replace("answer is 13", "answer is 14")), FAILS, id="another answer"),
        pytest.param((PLAN, A, B, END.replace("1 + 12", "2 + 12")), FAILS, id="another value put in"),
        pytest.param(
            (PLAN, "Let's calculate A = (5 + 2 * 1 - 6) = (5 + 2 - 6)) = 1."), UNKNOWN, id="a bracket too many"
        ),
        pytest.param((PLAN, "Let's calculate A = (5 + 2 - 6)) = 3 = 4."), FAILS, id="the rest contradicts itself"),
        pytest.param((PLAN, "Then, A / B = 3."), UNKNOWN, id="another operator"),
        pytest.param((PLAN, "So x - 3 = 5."), UNKNOWN, id="a variable before"),
        pytest.param((PLAN, "So 2x + 3 = 5."), UNKNOWN, id="a factor before"),
        pytest.param((PLAN, "It is 1,000 + 2 = 1002."), UNKNOWN, id="a comma in a number"),
        pytest.param((PLAN, "It is 1.5 + 2 = 3.5."), UNKNOWN, id="a decimal"),
        pytest.param((PLAN, "It is 2^3 = 8."), UNKNOWN, id="a power"),
        pytest.param((PLAN, "It is 2 + 3 = 5 apples."), UNKNOWN, id="a unit"),
        pytest.param((PLAN, "It is -3 = -3."), HOLDS, id="a sign"),
        pytest.param((PLAN, "First 2 + 3 = 5. Then 4 + 4 = 8."), UNKNOWN, id="two sentences"),
        pytest.param((PLAN, "Now 2 + 3 = 5, and 4 + 4 = 8."), UNKNOWN, id="two formulas"),
        pytest.param((PLAN, "Now 2 + 3 = 5, 4 + 4 = 8."), UNKNOWN, id="two formulas and a comma"),
        pytest.param((PLAN, "Now 2 + 3 = 6. Then 4 + 4 = 8."), UNKNOWN, id="two sentences, the first is wrong"),
        pytest.param((PLAN, "It is 2 + 3 = 6 = 6. Then 4 + 4 = 8."), FAILS, id="wrong before the next sentence"),
        pytest.param((PLAN, "It is 2 + 3 = 5 != 6."), UNKNOWN, id="not equal"),
        pytest.param((PLAN, "It is 2 + 3 = 5 >= 4."), UNKNOWN, id="at least"),
        pytest.param((PLAN, "It is 2 + 3 = 5 => 4 + 4 = 8."), UNKNOWN, id="an arrow"),
        pytest.param((PLAN, "It is 2 + 3 == 6."), FAILS, id="two equals signs"),
        pytest.param((PLAN, "This is easy."), None, id="no claim"),
        pytest.param((PLAN, "Then, the final equation is A + Z = 3."), UNKNOWN, id="a letter without a value"),
        pytest.param(("The equation is 6 - 1 = 5.",), HOLDS, id="no plan"),
    ],
)
def test_last_step(steps: Sequence[str], expected: Verdict | None) -> None:
    """What the last step of a trace comes to."""
    assert verdicts(*steps)[-1] is expected


def test_a_mistake_is_found_where_it_was_made() -> None:
    """A step that goes on rightly from a wrong value holds."""
    wrong = B.replace("= 12.", "= 4.")
    assert verdicts(PLAN, A, wrong, END.replace("12", "4").replace("13", "5")) == [None, HOLDS, FAILS, HOLDS]


def test_a_plan_that_takes_the_question_apart_wrongly() -> None:
    """Only a verifier of plans says so; what follows is held against the plan."""
    plan = PLAN.replace("A + B", "A - B")
    assert verdicts(plan, A, B) == [None, HOLDS, HOLDS]
    assert verdicts(plan, A, B, verifier=MultistepArithmetic(plan=True)) == [FAILS, HOLDS, HOLDS]


@pytest.mark.parametrize("place", ["question", "step", "definition"])
def test_hostile_texts(hostile: str, place: str) -> None:
    """None of them takes a second, or comes out as a mistake of a right chain."""
    text = "".join(c for c in hostile if c not in "\0\ud800") or "x"
    start = time.process_time()
    if place == "question":
        verdicts(PLAN, A, B, END, question=text, verifier=MultistepArithmetic(plan=True))
    elif place == "step":
        assert verdicts(PLAN, f"Let's calculate A = {text} = 1.")[-1] in (None, UNKNOWN, FAILS)
    else:
        verdicts(PLAN.replace("(5 + 2 * 1 - 6)", text), A, B, END, verifier=MultistepArithmetic(plan=True))
    assert time.process_time() - start < 1


@st.composite
def expressions(draw: st.DrawFn, depth: int = 3) -> str:
    """Integers, + - * and brackets, as Python reads them too."""
    if depth == 0 or draw(st.booleans()):
        return str(draw(st.integers(-99, 99)))
    left, right = draw(expressions(depth - 1)), draw(expressions(depth - 1))
    return f"({left} {draw(st.sampled_from('+-*'))} {right})"


@given(expressions())
def test_values_are_those_of_arithmetic(text: str) -> None:
    """The parser agrees with Python, on texts that are arithmetic by construction."""
    value = eval(text)
    assert verdicts(f"It is {text} = {value}.") == [HOLDS]
    assert verdicts(f"It is {text} = {value + 1}.") == [FAILS]


@given(st.text(alphabet="0123456789AB+-*()= .", max_size=60))
def test_no_text_raises(text: str) -> None:
    """Whatever a step says, it gets a verdict or none."""
    verdicts(PLAN, f"Let's calculate A = {text}", f"Then {text}")


def test_bounds() -> None:
    """Past them there is no value, rather than a long wait."""
    assert value_of(()) is None
    assert value_of(("(",) * (MAX_DEPTH + 1) + (1,) + (")",) * (MAX_DEPTH + 1)) is None
    assert value_of((10**29,) + ("*", 10**29) * 60) is None
    assert value_of((1,) + ("+", 1) * 150) == 151
