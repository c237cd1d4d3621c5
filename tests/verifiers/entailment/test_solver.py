"""Workers that decide questions: in batches, killed when they hang, never asked twice what killed them."""

from __future__ import annotations

from fractions import Fraction

import pytest

from steplabel.schemas import ConfigError, Reason
from steplabel.verifiers.entailment import Assumption, Declared, Entailment, Solver, Sort
from steplabel.verifiers.entailment.answer import Answer, Status
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


def number(value: int) -> Number:
    return Number(Fraction(value))


def equal(left, right) -> Comparison:
    return Comparison(Relation.EQUAL, left, right)


def product(*terms):
    return Apply(Operator.MULTIPLY, terms)


def reals(names: str, claim, *assumptions) -> Entailment:
    return Entailment(
        declarations=tuple(Declared(name=name) for name in names),
        assumptions=tuple(Assumption(label=f"a{i}", formula=one) for i, one in enumerate(assumptions)),
        claim=claim,
    )


def integers(names: str, claim, *assumptions) -> Entailment:
    asked = reals(names, claim, *assumptions)
    return Entailment(
        declarations=tuple(Declared(name=name, sort=Sort.INTEGER) for name in names),
        assumptions=asked.assumptions,
        claim=claim,
    )


def power(name: str, exponent: int):
    return Apply(Operator.POWER, (Name(name), number(exponent)))


def pigeons(holes: int) -> Entailment:
    """One more pigeon than holes: false, and exponentially long to find out by resolution."""
    names = {(p, h): Name(f"p{p}h{h}") for p in range(holes + 1) for h in range(holes)}
    placed = [Connected(Connective.OR, tuple(names[p, h] for h in range(holes))) for p in range(holes + 1)]
    apart = [
        Connected(Connective.NOT, (Connected(Connective.AND, (names[p, h], names[q, h])),))
        for h in range(holes)
        for p in range(holes + 1)
        for q in range(p)
    ]
    return Entailment(
        declarations=tuple(Declared(name=name.name, sort=Sort.BOOLEAN) for name in names.values()),
        assumptions=(Assumption(label="all", formula=Connected(Connective.AND, (*placed, *apart))),),
        claim=False,
    )


BIG = 2**511 + 9
HOSTILE = {
    "huge exponent": reals("x", equal(power("x", 1_000_000), number(2))),
    "sixty-fourth power": reals("x", equal(power("x", 64), number(4))),
    "512-bit factors": integers(
        "xy",
        Comparison(Relation.NOT_EQUAL, Name("y"), number(1)),
        equal(product(Name("x"), Name("y")), number(BIG)),
        Comparison(Relation.GREATER, Name("x"), number(1)),
    ),
    "pell": integers(
        "xy",
        Comparison(Relation.LESS, Name("y"), number(1)),
        equal(power("x", 2), Apply(Operator.ADD, (product(number(61), power("y", 2)), number(1)))),
    ),
    "cubes": integers(
        "xyz",
        equal(Name("x"), Name("y")),
        equal(Apply(Operator.ADD, (power("x", 3), power("y", 3), power("z", 3))), number(42)),
    ),
    "pigeons": pigeons(7),
    "expansion": reals(
        "abcdef",
        equal(Apply(Operator.POWER, (Apply(Operator.ADD, tuple(map(Name, "abcdef"))), number(40))), number(1)),
        equal(product(*map(Name, "abcdef")), number(2)),
    ),
}


# Passes no check of questions, so it is asked of the solver itself: no budget of Z3's own stops it.
ENDLESS = reals("x", equal(Apply(Operator.POWER, (power("x", 64), number(64))), number(4)))


@pytest.fixture(scope="module")
def solver() -> Solver:
    return Solver(rlimit=20_000, timeout_s=5.0)


@pytest.mark.slow
@pytest.mark.parametrize("question", HOSTILE.values(), ids=HOSTILE)
def test_hostile_questions_end(solver, question):
    """Without a verdict, or with the right one: there are such x, and no such pigeons."""
    (answer,) = solver.decide([question])
    if isinstance(answer, Answer):
        assert answer.status not in (Status.HOLDS, Status.REFUTED)
        assert question is HOSTILE["pigeons"] or answer.status is not Status.INCONSISTENT
    else:
        assert answer in (Reason.TIMEOUT, Reason.CRASH)


def test_a_batch_is_answered_in_order(solver, pose):
    """More questions than one message takes, each with its own answer."""
    questions = [pose("x:Real", [f"2x = {2 * i}"], f"x = {i + i % 2}") for i in range(70)]
    found = [answer.status for answer in solver.decide(questions) if isinstance(answer, Answer)]
    assert found == [Status.HOLDS if i % 2 == 0 else Status.REFUTED for i in range(70)]


def test_nothing_to_ask(solver):
    """No question, no answer."""
    assert solver.decide([]) == []


@pytest.mark.slow
def test_a_killed_worker_is_unknown_and_quarantined(pose):
    """What hangs is unknown, at once the second time; its neighbours in the batch are decided."""
    solver = Solver(timeout_s=2.0)
    easy = pose("y:Real", ["2y = 6"], "y = 3")
    before, hung, after = solver.decide([easy, ENDLESS, easy])
    assert hung == Reason.TIMEOUT
    assert [answer.status for answer in (before, after) if isinstance(answer, Answer)] == [Status.HOLDS] * 2
    pids = solver.pool().pids()
    assert solver.decide([ENDLESS]) == [Reason.TIMEOUT]
    assert solver.pool().pids() == pids  # the second time it did not reach a worker


def test_budgets_must_be_there():
    """A limit of nothing decides nothing."""
    for options in ({"rlimit": 0}, {"timeout_s": 0.0}, {"workers": 0}):
        with pytest.raises(ConfigError, match="above 0"):
            Solver(**options)


def test_an_unreadable_question_spoils_no_batch(pose):
    """A name that the messages cannot write is unsupported; the others are decided."""
    odd = Entailment(declarations=(Declared(name="x y"),), assumptions=(), claim=equal(Name("x y"), number(1)))
    good = pose("x:Real", ["2x = 6"], "x = 3")
    found = Solver().decide([odd, good])
    assert [answer.status for answer in found if isinstance(answer, Answer)] == [Status.UNSUPPORTED, Status.HOLDS]
