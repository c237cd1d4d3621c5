"""What must hold for a term or formula to mean anything: no division by zero, no even root of a negative number.

A solver's division is total: it may give 1/0 any value it likes, so `1/x * x = 1` has the counterexample x = 0 and
`0/0 = 5` has a model. Hence these conditions are part of what a claim says, and of what an assumption grants.

Connectives guard from left to right, as people read them: in "x != 0 and 1/x > 2" the division is guarded, in
"x = 0 or 1/x > 2" too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from fractions import Fraction

from steplabel.verifiers.expressions.ast import (
    Apply,
    Comparison,
    Connected,
    Connective,
    Formula,
    Number,
    Operator,
    Relation,
    Term,
)

_ZERO = Number(Fraction(0))


def definedness(formula: Formula) -> Formula:
    """The condition under which `formula` is defined; True where it always is.

    Recursive: the depth must have been checked.
    """
    if isinstance(formula, Comparison):
        return conjunction(*_conditions(formula.left), *_conditions(formula.right))
    if isinstance(formula, Connected):
        return _GUARDS[formula.connective](formula.formulas)
    return True


def conjunction(*formulas: Formula) -> Formula:
    """All of them, without those that are plainly true; True where nothing is left."""
    wanted = [formula for formula in formulas if formula is not True]
    if len(wanted) < 2:
        return wanted[0] if wanted else True
    return Connected(Connective.AND, tuple(dict.fromkeys(wanted)))


def _all(formulas: tuple[Formula, ...]) -> Formula:
    return conjunction(*(definedness(formula) for formula in formulas))


def _guarded_by_truth(formulas: tuple[Formula, ...]) -> Formula:
    """Each is only looked at where all before it are true."""
    return conjunction(
        *(_where(conjunction(*formulas[:i]), definedness(formula)) for i, formula in enumerate(formulas))
    )


def _guarded_by_falsehood(formulas: tuple[Formula, ...]) -> Formula:
    """Each is only looked at where all before it are false."""
    denied = tuple(Connected(Connective.NOT, (formula,)) for formula in formulas)
    return conjunction(*(_where(conjunction(*denied[:i]), definedness(formula)) for i, formula in enumerate(formulas)))


def _where(guard: Formula, condition: Formula) -> Formula:
    if guard is True or condition is True:
        return condition
    return Connected(Connective.IMPLIES, (guard, condition))


_GUARDS: dict[Connective, Callable[[tuple[Formula, ...]], Formula]] = {
    Connective.NOT: _all,
    Connective.AND: _guarded_by_truth,
    Connective.OR: _guarded_by_falsehood,
    Connective.IMPLIES: _guarded_by_truth,
    Connective.IF_AND_ONLY_IF: _all,
}


def _conditions(term: Term) -> Iterator[Formula]:
    if not isinstance(term, Apply):
        return
    for part in term.terms:
        yield from _conditions(part)
    own = _OWN.get(term.operator)
    if own is not None:
        condition = own(*term.terms)
        if not _is_plain(condition):
            yield condition


def _nonzero_divisor(_: Term, divisor: Term) -> Formula:
    return Comparison(Relation.NOT_EQUAL, divisor, _ZERO)


def _root_exists(radicand: Term, degree: Term) -> Formula:
    is_odd = isinstance(degree, Number) and degree.value.denominator == 1 and degree.value.numerator % 2 == 1
    return True if is_odd else Comparison(Relation.AT_LEAST, radicand, _ZERO)


def _power_exists(base: Term, exponent: Term) -> Formula:
    """Zero has no power but positive ones, as in `exact`; exponents that are no numbers are not put to the solver."""
    if not isinstance(exponent, Number):
        return True
    nonzero = True if exponent.value > 0 else Comparison(Relation.NOT_EQUAL, base, _ZERO)
    even = exponent.value.denominator % 2 == 0
    return conjunction(nonzero, Comparison(Relation.AT_LEAST, base, _ZERO) if even else True)


_OWN: dict[Operator, Callable[[Term, Term], Formula]] = {
    Operator.DIVIDE: _nonzero_divisor,
    Operator.FLOOR_DIVIDE: _nonzero_divisor,
    Operator.MODULO: _nonzero_divisor,
    Operator.ROOT: _root_exists,
    Operator.POWER: _power_exists,
}


def _is_plain(condition: Formula) -> bool:
    """Whether it compares a number with 0 and is true, so that no solver need be asked."""
    if not isinstance(condition, Comparison) or not isinstance(condition.left, Number):
        return condition is True
    value = condition.left.value
    return value != 0 if condition.relation is Relation.NOT_EQUAL else value >= 0
