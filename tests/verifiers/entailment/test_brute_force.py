"""The solver against the plain meaning of formulas: all cases of a small finite domain, tried one by one.

The evaluator below is written apart from everything that the solver's side uses: values are fractions, a term that has
no value makes its comparison undefined, connectives look from left to right and stop where they can.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from fractions import Fraction
from itertools import product

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from steplabel.verifiers.entailment import Assumption, Declared, Entailment, Sort
from steplabel.verifiers.entailment.answer import Status
from steplabel.verifiers.entailment.counterexample import is_confirmed
from steplabel.verifiers.entailment.question import check_question
from steplabel.verifiers.entailment.z3_task import decide_quickly
from steplabel.verifiers.expressions.ast import (
    Apply,
    Comparison,
    Connected,
    Connective,
    Formula,
    Name,
    Number,
    Operator,
    Relation,
    Term,
)

RLIMIT = 200_000
DOMAINS = {
    Sort.INTEGER: [Fraction(n) for n in (-3, -1, 0, 1, 2)],
    Sort.REAL: [Fraction(-2), Fraction(-1, 2), Fraction(0), Fraction(1, 3), Fraction(4)],
    Sort.BOOLEAN: [Fraction(0), Fraction(1)],
}
SORTS = {"x": Sort.INTEGER, "y": Sort.REAL, "p": Sort.BOOLEAN}
Values = Mapping[str, Fraction]


class IrrationalError(Exception):
    """A root that is no fraction: this evaluator cannot compare it."""


def number(value: int | Fraction) -> Number:
    return Number(Fraction(value))


def exact_root(value: Fraction, degree: int) -> Fraction | None:
    if value < 0:
        if degree % 2 == 0:
            return None
        positive = exact_root(-value, degree)
        return None if positive is None else -positive
    top, bottom = (round(part ** (1 / degree)) for part in (value.numerator, value.denominator))
    if top**degree != value.numerator or bottom**degree != value.denominator:
        raise IrrationalError
    return Fraction(top, bottom)


def power(base: Fraction, exponent: Fraction) -> Fraction | None:
    if base == 0 and exponent <= 0:
        return None
    rooted = exact_root(base, exponent.denominator) if exponent.denominator > 1 else base
    return None if rooted is None else rooted**exponent.numerator


OPERATORS = {
    Operator.ADD: lambda *parts: sum(parts, Fraction(0)),
    Operator.SUBTRACT: lambda a, b: a - b,
    Operator.MULTIPLY: lambda *parts: math.prod(parts, start=Fraction(1)),
    Operator.DIVIDE: lambda a, b: a / b if b else None,
    Operator.FLOOR_DIVIDE: lambda a, b: Fraction(a // b) if b else None,
    Operator.MODULO: lambda a, b: a % b if b else None,
    Operator.NEGATE: lambda a: -a,
    Operator.ABSOLUTE: abs,
    Operator.MINIMUM: min,
    Operator.MAXIMUM: max,
    Operator.POWER: power,
    Operator.ROOT: lambda a, b: exact_root(a, int(b)),
}


def worth(term: Term, values: Values) -> Fraction | None:
    """A term's value; None if it has none."""
    if not isinstance(term, Apply):
        return term.value if isinstance(term, Number) else values[term.name]
    parts = [worth(part, values) for part in term.terms]
    return None if None in parts else OPERATORS[term.operator](*parts)


RELATIONS = {
    Relation.EQUAL: lambda a, b: a == b,
    Relation.NOT_EQUAL: lambda a, b: a != b,
    Relation.LESS: lambda a, b: a < b,
    Relation.AT_MOST: lambda a, b: a <= b,
    Relation.GREATER: lambda a, b: a > b,
    Relation.AT_LEAST: lambda a, b: a >= b,
}


def truth(formula: Formula, values: Values) -> bool | None:
    """Whether a formula is true; None if it means nothing here."""
    if isinstance(formula, bool):
        return formula
    if isinstance(formula, Name):
        return values[formula.name] == 1
    if isinstance(formula, Comparison):
        left, right = worth(formula.left, values), worth(formula.right, values)
        return None if left is None or right is None else RELATIONS[formula.relation](left, right)
    return CONNECTIVES[formula.connective]([lambda part=part: truth(part, values) for part in formula.formulas])


def _until(end: bool, parts) -> bool | None:
    """What the first part says that is `end` or means nothing; if there is none, the opposite."""
    return next((said for said in (part() for part in parts) if said is None or said is end), not end)


def _both_ways(parts) -> bool | None:
    first, second = (part() for part in parts)
    return None if first is None or second is None else first is second


CONNECTIVES = {
    Connective.AND: lambda parts: _until(False, parts),
    Connective.OR: lambda parts: _until(True, parts),
    Connective.NOT: lambda parts: {None: None, True: False, False: True}[parts[0]()],
    Connective.IMPLIES: lambda parts: {None: lambda: None, False: lambda: True, True: parts[1]}[parts[0]()](),
    Connective.IF_AND_ONLY_IF: _both_ways,
}


def by_trying(question: Entailment) -> Status:
    """What all cases together say."""
    names = [declared.name for declared in question.declarations]
    cases = [dict(zip(names, row, strict=True)) for row in product(*(DOMAINS[d.sort] for d in question.declarations))]
    granted = [case for case in cases if all(truth(one.formula, case) for one in question.assumptions)]
    said = [truth(question.claim, case) for case in granted]
    if not granted:
        return Status.INCONSISTENT
    if True not in said:
        return Status.REFUTED if False in said else Status.UNDEFINED
    if None in said:
        return Status.UNDEFINED
    return Status.NOT_ENTAILED if False in said else Status.HOLDS


def within(name: str) -> Formula:
    """The name has one of its domain's values."""
    values = DOMAINS[SORTS[name]]
    return Connected(Connective.OR, tuple(Comparison(Relation.EQUAL, Name(name), number(value)) for value in values))


NUMBERS = st.sampled_from([number(Fraction(n)) for n in (-2, -1, 0, 1, 2, 3, "1/2")])
LEAVES = st.one_of(NUMBERS, st.sampled_from([Name("x"), Name("y")]))
EXPONENTS = st.sampled_from(
    [number(n) for n in (-2, -1, 0, 1, 2, 3)] + [number(Fraction(1, 2)), number(Fraction(2, 3))]
)
TWO = [Operator.SUBTRACT, Operator.DIVIDE, Operator.FLOOR_DIVIDE, Operator.MODULO]
MANY = [Operator.ADD, Operator.MULTIPLY, Operator.MINIMUM, Operator.MAXIMUM]


def _terms(inner):
    return st.one_of(
        st.builds(Apply, st.sampled_from(TWO), st.tuples(inner, inner)),
        st.builds(Apply, st.sampled_from(MANY), st.lists(inner, min_size=2, max_size=3).map(tuple)),
        st.builds(Apply, st.sampled_from([Operator.NEGATE, Operator.ABSOLUTE]), st.tuples(inner)),
        st.builds(Apply, st.just(Operator.POWER), st.tuples(inner, EXPONENTS)),
        st.builds(Apply, st.just(Operator.ROOT), st.tuples(inner, st.sampled_from([number(2), number(3)]))),
    )


TERMS = st.recursive(LEAVES, _terms, max_leaves=4)
COMPARISONS = st.builds(Comparison, st.sampled_from(sorted(RELATIONS)), TERMS, TERMS)


def _formulas(inner):
    several = st.lists(inner, min_size=1, max_size=3).map(tuple)
    return st.one_of(
        st.builds(Connected, st.just(Connective.NOT), st.tuples(inner)),
        st.builds(Connected, st.sampled_from([Connective.AND, Connective.OR]), several),
        st.builds(Connected, st.sampled_from([Connective.IMPLIES, Connective.IF_AND_ONLY_IF]), st.tuples(inner, inner)),
    )


FORMULAS = st.recursive(st.one_of(COMPARISONS, COMPARISONS, st.just(Name("p")), st.booleans()), _formulas, max_leaves=3)


@settings(max_examples=150)
@given(assumptions=st.lists(FORMULAS, max_size=2), claim=FORMULAS)
def test_the_solver_says_what_all_cases_say(assumptions, claim) -> None:
    """Every verdict is that of trying all cases; every case that is shown is one, and is confirmed exactly."""
    known = tuple(Assumption(label=f"in {name}", formula=within(name)) for name in "xy")
    said = tuple(Assumption(label=f"a{i}", formula=formula) for i, formula in enumerate(assumptions))
    question = Entailment(
        declarations=tuple(Declared(name=name, sort=sort) for name, sort in SORTS.items()),
        assumptions=(*known, *said),
        claim=claim,
    )
    check_question(question)
    try:
        expected = by_trying(question)
    except (IrrationalError, OverflowError):
        assume(False)
    answer = decide_quickly(question, RLIMIT)
    if answer.status in (Status.EXHAUSTED, Status.UNDECIDED, Status.UNSUPPORTED):
        return
    assert answer.status is expected
    if answer.model:
        assert is_confirmed(question, answer)
        case = {one.name: Fraction(*one.value) for one in answer.model if one.value}
        assert all(truth(one.formula, case) for one in question.assumptions)
        assert truth(claim, case) is (None if expected is Status.UNDEFINED else False)
