"""Questions are refused that mean nothing or are out of bounds; what they need to be defined is said beside them."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import pytest

from steplabel.verifiers.entailment import Assumption, Declared, Entailment, Sort
from steplabel.verifiers.entailment.definedness import conjunction, definedness
from steplabel.verifiers.entailment.formulas import names_in
from steplabel.verifiers.entailment.question import (
    MAX_ASSUMPTIONS,
    MAX_DEPTH,
    MAX_NAMES,
    MAX_NODES,
    QuestionError,
    check_question,
)
from steplabel.verifiers.entailment.wire import question_from_message, question_to_message
from steplabel.verifiers.expressions.ast import (
    Apply,
    Comparison,
    Connected,
    Connective,
    Name,
    Number,
    Operator,
    Relation,
)

X, Y, P = Name("x"), Name("y"), Name("p")
ONE, ZERO = Number(Fraction(1)), Number(Fraction(0))
DECLARED = (Declared(name="x"), Declared(name="y", sort=Sort.INTEGER), Declared(name="p", sort=Sort.BOOLEAN))


def equal(left, right) -> Comparison:
    return Comparison(Relation.EQUAL, left, right)


def nonzero(term) -> Comparison:
    return Comparison(Relation.NOT_EQUAL, term, ZERO)


def ask(claim, declared=DECLARED, assumptions=()) -> Entailment:
    return Entailment(declarations=declared, assumptions=assumptions, claim=claim)


def raised(term, exponent: int):
    return Apply(Operator.POWER, (term, Number(Fraction(exponent))))


def nested(depth: int):
    term = X
    for _ in range(depth):
        term = Apply(Operator.NEGATE, (term,))
    return term


def negated(depth: int):
    formula = P
    for _ in range(depth):
        formula = Connected(Connective.NOT, (formula,))
    return formula


@pytest.mark.parametrize(
    ("question", "why"),
    [
        (ask(equal(Name("z"), ONE)), "'z', which is not declared"),
        (ask(equal(P, ONE)), "'p' of sort Bool where a number"),
        (ask(X), "'x' of sort Real where a proposition"),
        (ask(equal(Apply(Operator.DIVIDE, (X,)), ONE)), "gives / 1 terms"),
        (ask(equal(Apply(Operator.ADD, (X,)), ONE)), r"gives \+ 1 terms"),
        (ask(equal(equal(X, ONE), ONE)), "a formula among numbers"),
        (ask(Number(Fraction(1))), "Number where a formula is wanted"),
        (ask(Connected(Connective.IMPLIES, (P,))), "gives implies 1 formulas"),
        (ask(P, declared=(*DECLARED, Declared(name="x"))), "declared twice"),
        (ask(P, declared=(Declared(name=""),)), "1 to 64 characters"),
        (ask(P, declared=tuple(Declared(name=f"n{i}") for i in range(MAX_NAMES + 1))), "65 names"),
        (ask(P, assumptions=(Assumption(label="a", formula=P),) * 2), "same label"),
        (
            ask(P, assumptions=tuple(Assumption(label=str(i), formula=P) for i in range(MAX_ASSUMPTIONS + 1))),
            "129 assumptions",
        ),
        (ask(equal(X, Number(Fraction(2**600)))), "more than 512 bits"),
        (ask(equal(X, Number(Fraction(1, 3**400)))), "more than 512 bits"),
        (ask(equal(nested(MAX_DEPTH), ONE)), "too large"),
        (ask(equal(nested(200_000), ONE)), "too large"),
        (ask(negated(200_000)), "too large"),
        (ask(equal(Apply(Operator.ADD, (X,) * MAX_NODES), ONE)), "too large"),
        (ask(equal(raised(raised(X, 64), 64), ONE)), "too high powers"),
        (ask(equal(raised(X, 10**9), ONE)), "too high powers"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_refused(question, why):
    """With the place and the reason; deep terms without a deep stack."""
    with pytest.raises(QuestionError, match=why):
        check_question(question)


def test_sound_questions_pass():
    """Numbers of both sorts mix; propositions stand alone."""
    check_question(ask(Connected(Connective.AND, (P, equal(Apply(Operator.ADD, (X, Y)), ONE), True))))


@pytest.mark.parametrize(
    ("formula", "condition"),
    [
        (equal(X, ONE), True),
        (equal(Apply(Operator.DIVIDE, (X, ONE)), ONE), True),
        (equal(Apply(Operator.DIVIDE, (X, Y)), ONE), nonzero(Y)),
        (equal(Apply(Operator.MODULO, (X, Y)), ONE), nonzero(Y)),
        (equal(Apply(Operator.DIVIDE, (ONE, ZERO)), ONE), nonzero(ZERO)),
        (equal(Apply(Operator.ROOT, (X, Number(Fraction(3)))), ONE), True),
        (equal(Apply(Operator.ROOT, (X, Number(Fraction(2)))), ONE), Comparison(Relation.AT_LEAST, X, ZERO)),
        (equal(Apply(Operator.POWER, (X, Number(Fraction(2)))), ONE), True),
        (equal(Apply(Operator.POWER, (X, Number(Fraction(-2)))), ONE), nonzero(X)),
        (equal(Apply(Operator.POWER, (X, Number(Fraction(1, 2)))), ONE), Comparison(Relation.AT_LEAST, X, ZERO)),
        (Connected(Connective.NOT, (equal(Apply(Operator.DIVIDE, (ONE, X)), ONE),)), nonzero(X)),
    ],
    ids=[
        "plain",
        "by a number",
        "by a name",
        "modulo",
        "by zero",
        "cube root",
        "root",
        "square",
        "inverse",
        "half",
        "not",
    ],
)
def test_what_must_hold_for_it_to_mean_anything(formula, condition):
    """Divisors are not zero, radicands of even roots not negative; what is plainly so is not said."""
    assert definedness(formula) == condition


def test_connectives_guard_from_left_to_right():
    """In "x != 0 and 1/x = 1", "x = 0 or 1/x = 1" and "x != 0 implies 1/x = 1" the division is guarded."""
    inverse = equal(Apply(Operator.DIVIDE, (ONE, X)), ONE)
    guarded = Connected(Connective.IMPLIES, (nonzero(X), nonzero(X)))
    assert definedness(Connected(Connective.AND, (nonzero(X), inverse))) == guarded
    assert definedness(Connected(Connective.IMPLIES, (nonzero(X), inverse))) == guarded
    denied = Connected(Connective.NOT, (equal(X, ZERO),))
    expected = Connected(Connective.IMPLIES, (denied, nonzero(X)))
    assert definedness(Connected(Connective.OR, (equal(X, ZERO), inverse))) == expected


def test_conjunctions_are_kept_small():
    """True and repetitions fall away."""
    assert conjunction(True, P, True) == P
    assert conjunction() is True
    assert conjunction(P, P, X) == Connected(Connective.AND, (P, X))


def test_names():
    """Of numbers and propositions alike, at any depth."""
    assert names_in(Connected(Connective.AND, (P, equal(X, Apply(Operator.ADD, (Y, ONE))), True))) == {"p", "x", "y"}
    assert names_in(negated(100_000)) == {"p"}


def test_messages_bring_questions_back():
    """But for what their step was meant to do, which the solver need not know."""
    question = ask(
        Connected(
            Connective.OR, (P, equal(Apply(Operator.POWER, (X, Number(Fraction(1, 2)))), Number(Fraction(1, 3))))
        ),
        assumptions=(Assumption(label="step 1", formula=nonzero(Y)),),
    )
    back = question_from_message(question_to_message(question))
    assert replace(back, inference=question.inference) == question
