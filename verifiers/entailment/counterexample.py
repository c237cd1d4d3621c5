"""Check a solver's case by arithmetic of our own, before anyone is told that a claim does not follow.

Covered: cases whose values are rationals or truth values, in formulas that have rational values there. Not covered:
irrational cases (the claim "x = sqrt 2" where x*x = 2 has only such), immense numbers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from fractions import Fraction

from steplabel.schemas import Reason
from steplabel.verifiers.entailment.answer import Answer, Status
from steplabel.verifiers.entailment.definedness import definedness
from steplabel.verifiers.entailment.question import Entailment, Sort
from steplabel.verifiers.entailment.rounding import tolerance
from steplabel.verifiers.expressions.ast import Comparison, Connective, Formula, Name, Relation
from steplabel.verifiers.expressions.exact import is_true, value_of
from steplabel.verifiers.expressions.limits import OutOfReachError


def is_confirmed(question: Entailment, answer: Answer) -> bool:
    """Whether the answer's case makes every assumption true and the claim false, or undefined if it says so.

    False also where it cannot be computed.
    """
    values = _values(question, answer)
    if values is None:
        return False
    try:
        granted = all(holds(definedness(a.formula), values) and holds(a.formula, values) for a in question.assumptions)
        is_defined = holds(definedness(question.claim), values)
        if answer.status is Status.UNDEFINED:
            return granted and not is_defined
        return granted and is_defined and not holds(question.claim, values)
    except OutOfReachError:
        return False


def _values(question: Entailment, answer: Answer) -> Mapping[str, Fraction] | None:
    """The case's values, by name; None unless every declared name has one of its sort."""
    values = {one.name: Fraction(*one.value) for one in answer.model if one.value is not None and one.value[1] != 0}
    for declared in question.declarations:
        if declared.name not in values:
            return None
        if declared.sort is not Sort.REAL and values[declared.name].denominator != 1:
            return None
    return values


def holds(formula: Formula, values: Mapping[str, Fraction]) -> bool:
    """Whether a formula is true where its names have these values; a proposition is true where its is 1.

    Recursive: the depth must have been checked. What a connective does not need is not computed.

    Raises:
        OutOfReachError: a value that is needed is undefined, irrational or too large, or a name has none.
    """
    match formula:
        case bool():
            return formula
        case Name(name):
            if name not in values:
                raise OutOfReachError(Reason.UNSUPPORTED, "a proposition without a value")
            return values[name] == 1
        case Comparison():
            return _compared(formula, values)
    return _CONNECTED[formula.connective](holds(part, values) for part in formula.formulas)


_CONNECTED: dict[Connective, Callable[[Iterator[bool]], bool]] = {
    Connective.NOT: lambda parts: not next(parts),
    Connective.AND: all,
    Connective.OR: any,
    Connective.IMPLIES: lambda parts: not next(parts) or next(parts),
    Connective.IF_AND_ONLY_IF: lambda parts: next(parts) == next(parts),
}
"""Given its parts one by one, so that what a connective does not need is not computed."""


def _compared(comparison: Comparison, values: Mapping[str, Fraction]) -> bool:
    left, right = value_of(comparison.left, values), value_of(comparison.right, values)
    if comparison.relation is not Relation.ABOUT:
        return is_true(comparison.relation, left, right)
    most = tolerance(comparison)
    if most is None:
        raise OutOfReachError(Reason.UNSUPPORTED, "about")
    return abs(left - right) <= most
