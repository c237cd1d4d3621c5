"""The decision itself, in a context of its own: every row of the table, repeatably, within its budget."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from steplabel.verifiers.entailment import Assumption, Declared, Entailment, Sort
from steplabel.verifiers.entailment.answer import Status
from steplabel.verifiers.entailment.counterexample import holds, is_confirmed
from steplabel.verifiers.entailment.lane import Lane
from steplabel.verifiers.entailment.procedure import alone, decide
from steplabel.verifiers.entailment.question import check_question
from steplabel.verifiers.expressions.ast import (
    Apply,
    Comparison,
    Connected,
    Connective,
    Constant,
    Name,
    Number,
    Operator,
    Relation,
)

RLIMIT = 200_000
X = Name("x")
H, R, N, U, C = Status.HOLDS, Status.REFUTED, Status.NOT_ENTAILED, Status.UNDEFINED, Status.INCONSISTENT
SOME = None  # one case of several

# names, assumptions, claim, status, the assumptions that it needs, the case that it shows
CASES = {
    "linear": ("x:Real", ["2x + 3 = 11"], "x = 4", H, "a0", {}),
    "wrong root of a linear equation": ("x:Real", ["2x + 3 = 11"], "x = 5", R, "a0", {}),
    "lost root": ("x:Real", ["x^2 = 9"], "x = 3", N, "", {"x": "-3"}),
    "both roots": ("x:Real", ["x^2 = 9"], "x = 3 or x = -3", H, "a0", {}),
    "extra root": ("x:Real", ["x^2 = 9", "x > 0"], "x = -3", R, "a1", {}),
    "divided by x": ("x:Real", ["x^2 = 2x"], "x = 2", N, "", {"x": "0"}),
    "divided by x in writing": ("x:Real", ["x^2 = 2x"], "x^2 / x = 2", U, "", {"x": "0"}),
    "divided by x that is not zero": ("x:Real", ["x^2 = 2x", "x > 0"], "x^2 / x = 2", H, "a0 a1", {}),
    "underdetermined": ("x:Real y:Real", ["x + y = 10"], "y = 5", N, "", SOME),
    "linear system": ("x:Real y:Real", ["x + y = 10", "x - y = 4"], "x = 7", H, "a0 a1", {}),
    "what is not needed": ("x:Real y:Real", ["y = 3", "x + 1 = 2", "x < 9"], "x = 1", H, "a1", {}),
    "remainder": ("n:Int", [r"n \bmod 6 = 5"], r"n \bmod 3 = 2", H, "a0", {}),
    "remainder the other way": ("n:Int", [r"n \bmod 3 = 2"], r"n \bmod 6 = 5", N, "", SOME),
    "integers are rounded": ("n:Int", ["2n < 7", "2n > 5"], "n = 3", H, "a0 a1", {}),
    "reals are not": ("n:Real", ["2n < 7", "2n > 5"], "n = 3", N, "", SOME),
    "division of integers is exact": ("n:Int", ["n = 7"], "n / 2 = 3", R, "a0", {}),
    "floor": ("n:Int", ["n = 7"], r"\lfloor n / 2 \rfloor = 3", H, "a0", {}),
    "floor of a negative": ("n:Int", ["n = -7"], r"\lfloor n / 2 \rfloor = -4", H, "a0", {}),
    "flipped sign": ("x:Real", ["-2x < 6"], "x < -3", R, "a0", {}),
    "kept sign": ("x:Real", ["-2x < 6"], "x > -3", H, "a0", {}),
    "root": ("x:Real", [r"x = \sqrt{2}"], "x^2 = 2", H, "a0", {}),
    "root is positive": ("x:Real", [r"\sqrt{x + 1} = -3"], "x = 8", C, "a0", {}),
    "root of a square": ("x:Real", [], r"\sqrt{x^2} = x", N, "", SOME),
    "root of what may be negative": ("x:Real", ["x < 5"], r"\sqrt{x} < 3", U, "", SOME),
    "root of what is negative": ("x:Real", ["x = -4"], r"\sqrt{x} = 2", U, "", {"x": "-4"}),
    "no root of minus one": ("x:Real", ["x^2 = -1"], "x = 8", C, "a0", {}),
    "absolute value": ("x:Real", ["|x| = 3", "x < 0"], "x = -3", H, "a0 a1", {}),
    "contradiction": ("x:Real y:Real", ["2x = 6", "y = 1", "x = 4"], "y = 2", C, "a0 a2", {}),
    "zero by zero": ("x:Real", [], "0/0 = 5", U, "", SOME),
    "cancelling an unknown": ("x:Real", [], "1/x * x = 1", U, "", {"x": "0"}),
    "a fact that divides grants it": ("x:Real", ["6/x = 3"], "1/x = 1/2", H, "a0", {}),
    "arithmetic": ("", [], "3 * 4 = 12", H, "", {}),
    "wrong arithmetic": ("", [], "3 * 4 = 13", R, "", {}),
    "rounded": ("x:Real", ["3x = 1"], r"x \approx 0.33", H, "a0", {}),
    "badly rounded": ("x:Real", ["3x = 1"], r"x \approx 0.34", R, "a0", {}),
    "pi in bounds": ("r:Real", ["r = 2"], r"\pi r^2 > 12", H, "a0", {}),
    "cubes": ("x:Real y:Real", ["x^3 + y^3 = 7", "xy = 2"], "x + y = 3", R, "a0 a1", {}),
}  # fmt: skip


def number(value: int | Fraction) -> Number:
    return Number(Fraction(value))


@pytest.mark.parametrize(("names", "assumptions", "claim", "status", "used", "case"), CASES.values(), ids=CASES)
def test_hand_cases(pose, names, assumptions, claim, status, used, case):
    """Each has the verdict that a person gives it, by the assumptions that are needed, and no others."""
    question = pose(names, assumptions, claim)
    check_question(question)
    answer = alone(question, rlimit=RLIMIT)
    assert (answer.status, " ".join(answer.used)) == (status, used)
    if case is not None:
        assert {one.name: one.shown for one in answer.model} == case


@pytest.mark.parametrize(
    "name", [name for name, row in CASES.items() if row[3] in (Status.NOT_ENTAILED, Status.UNDEFINED)]
)
def test_cases_are_confirmed_exactly(pose, name):
    """Arithmetic of our own agrees with every case that the solver shows."""
    question = pose(*CASES[name][:3])
    assert is_confirmed(question, alone(question, rlimit=RLIMIT))


@pytest.mark.parametrize("name", CASES)
def test_the_same_question_takes_the_same_steps(pose, name):
    """Twice in contexts of their own: equal answers, models and resource units included."""
    question = pose(*CASES[name][:3])
    assert alone(question, rlimit=RLIMIT) == alone(question, rlimit=RLIMIT)


def test_a_shared_context_changes_no_verdict(pose):
    """All cases one after the other in one context end as they do alone; what was used does not depend on the order."""
    for names in (list(CASES), list(reversed(CASES))):
        lane = Lane(rlimit=RLIMIT)
        for name in names:
            answer = decide(pose(*CASES[name][:3]), lane, models=False)
            assert (name, answer.status, " ".join(answer.used)) == (name, CASES[name][3], CASES[name][4])


def test_an_irrational_case_is_shown_but_not_confirmed(pose):
    """x*x = 2 does not entail x = sqrt 2; the only case is no rational."""
    question = pose("x:Real", ["x^2 = 2"], r"x = \sqrt{2}")
    answer = alone(question, rlimit=RLIMIT)
    assert answer.status is Status.NOT_ENTAILED
    assert [one.value for one in answer.model] == [None]
    assert answer.model[0].shown.startswith("-1.414")
    assert not is_confirmed(question, answer)


def test_a_spent_budget_is_no_verdict(pose):
    """x to the 64th is 4: too many units, and said to be so."""
    answer = alone(pose("x:Real", [], "x^64 = 4"), rlimit=2_000)
    assert answer.status is Status.EXHAUSTED
    assert answer.spent is not None
    assert answer.spent < 3 * 2_000


@pytest.mark.parametrize(
    ("claim", "why"),
    [
        (Apply(Operator.POWER, (X, number(1_000_000))), "exponent above 64"),
        (Apply(Operator.POWER, (number(10), Apply(Operator.POWER, (number(10), number(9))))), "not a number"),
        (Apply(Operator.POWER, (number(2), X)), "not a number"),
        (Apply(Operator.ROOT, (X, number(1_000))), "degree"),
        (Apply(Operator.FACTORIAL, (number(100_000_000),)), "operator !"),
        (Apply(Operator.SINE, (X,)), "operator sin"),
    ],
    ids=["huge exponent", "tower", "unknown exponent", "huge degree", "factorial", "sine"],
)
def test_what_is_not_put_to_the_solver(claim, why):
    """Refused with its name, before anything is computed."""
    question = Entailment(
        declarations=(Declared(name="x"),), assumptions=(), claim=Comparison(Relation.EQUAL, claim, number(1))
    )
    answer = alone(question, rlimit=RLIMIT)
    assert answer.status is Status.UNSUPPORTED
    assert why in answer.detail


def test_propositions():
    """p, p implies q: q follows, not p does not."""
    p, q = Name("p"), Name("q")
    rule = Connected(Connective.IMPLIES, (p, q))
    declared = tuple(Declared(name=name, sort=Sort.BOOLEAN) for name in "pq")
    known = (Assumption(label="p", formula=p), Assumption(label="rule", formula=rule))
    assert alone(Entailment(declarations=declared, assumptions=known, claim=q), rlimit=RLIMIT).used == ("p", "rule")
    open_ = Entailment(declarations=declared, assumptions=known[1:], claim=p)
    answer = alone(open_, rlimit=RLIMIT)
    assert (answer.status, is_confirmed(open_, answer)) == (Status.NOT_ENTAILED, True)


def test_equal_looking_roots_are_kept_apart():
    """sqrt 4 + sqrt 9 is 5: each root is a name of its own."""
    roots = tuple(Apply(Operator.ROOT, (number(n), number(2))) for n in (4, 9, 16, 25))
    claim = Comparison(Relation.EQUAL, Apply(Operator.ADD, roots), number(14))
    assert alone(Entailment(declarations=(), assumptions=(), claim=claim), rlimit=RLIMIT).status is Status.HOLDS


@pytest.mark.parametrize(
    "name",
    [
        "and",
        "true",
        "div",
        "select",
        "root 0",
        "switch 0",
        "switch denial",
        "constant pi",
        "name x",
        "k!0",
        "|x|",
        "\u00e9",
    ],
)
@pytest.mark.parametrize("sort", [Sort.INTEGER, Sort.REAL])
def test_names_mean_nothing_to_the_solver(name, sort):
    """Names that Z3 has a use for, or that we make up ourselves, are names like any other beside roots and pi."""
    that, two = Name(name), number(2)
    root = Apply(Operator.ROOT, (Apply(Operator.MULTIPLY, (X, X)), two))
    question = Entailment(
        declarations=(Declared(name=name, sort=sort), Declared(name="x")),
        assumptions=(
            Assumption(label="that", formula=Comparison(Relation.EQUAL, that, two)),
            Assumption(label="root", formula=Comparison(Relation.EQUAL, root, number(5))),
            Assumption(label="pi", formula=Comparison(Relation.LESS, Constant.PI, X)),
        ),
        claim=Comparison(Relation.EQUAL, X, number(5)),
    )
    assert alone(question, rlimit=RLIMIT).used == ("root", "pi")
    wrong = replace(question, claim=Comparison(Relation.EQUAL, that, number(5)))
    assert (alone(wrong, rlimit=RLIMIT).status, alone(wrong, rlimit=RLIMIT).used) == (Status.REFUTED, ("that",))
    proposition = replace(
        question, declarations=(Declared(name=name, sort=Sort.BOOLEAN),), assumptions=(), claim=Name(name)
    )
    assert alone(proposition, rlimit=RLIMIT).status is Status.NOT_ENTAILED


INTEGERS = st.integers(-20, 20)
DIVISION = {Operator.FLOOR_DIVIDE, Operator.MODULO}


@given(operator=st.sampled_from(sorted({*DIVISION, Operator.MINIMUM, Operator.MAXIMUM})), a=INTEGERS, b=INTEGERS)
@pytest.mark.parametrize("sort", [Sort.INTEGER, Sort.REAL])
def test_operators_mean_what_exact_arithmetic_says(sort, operator, a, b):
    """Of two numbers that are only known by equations, each operator gives what `exact` computes."""
    if b == 0 and operator in DIVISION:
        return
    values = {"x": Fraction(a), "y": Fraction(b)}
    term = Apply(operator, (X, Name("y")))
    guess = next(n for n in range(-400, 401) if holds(Comparison(Relation.EQUAL, term, number(n)), values))
    question = Entailment(
        declarations=tuple(Declared(name=name, sort=sort) for name in values),
        assumptions=tuple(
            Assumption(label=name, formula=Comparison(Relation.EQUAL, Name(name), Number(value)))
            for name, value in values.items()
        ),
        claim=Comparison(Relation.EQUAL, term, number(guess)),
    )
    assert alone(question, rlimit=RLIMIT).status is Status.HOLDS
