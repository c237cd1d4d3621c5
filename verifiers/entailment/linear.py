"""Whether a question is linear: the solver's steps are then few and never run away."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from steplabel.verifiers.entailment.question import Entailment, labelled_formulas
from steplabel.verifiers.expressions.ast import Apply, Comparison, Connected, Formula, Number, Operator, Term


def is_linear(question: Entailment) -> bool:
    """Whether no formula multiplies, divides by, or takes a power or root of what is not a number.

    Recursive: the depth must have been checked.
    """
    return all(_is_linear(formula) for _, formula in labelled_formulas(question))


def _is_linear(formula: Formula) -> bool:
    if isinstance(formula, Comparison):
        return max(_degree(formula.left), _degree(formula.right)) < 2
    if isinstance(formula, Connected):
        return all(_is_linear(part) for part in formula.formulas)
    return True


def _degree(term: Term) -> int:
    """0 of numbers alone, 1 of what is linear, 2 or more of the rest; constants such as pi count as names."""
    if isinstance(term, Apply):
        return _DEGREES.get(term.operator, max)([_degree(part) for part in term.terms])
    return 0 if isinstance(term, Number) else 1


def _quotient(degrees: Sequence[int]) -> int:
    return degrees[0] + 2 * degrees[1]


def _power(degrees: Sequence[int]) -> int:
    return 2 * max(degrees)


_DEGREES: dict[Operator, Callable[[Sequence[int]], int]] = {
    Operator.MULTIPLY: sum,
    Operator.DIVIDE: _quotient,
    Operator.FLOOR_DIVIDE: _quotient,
    Operator.MODULO: _quotient,
    Operator.POWER: _power,
    Operator.ROOT: lambda _: 2,  # even of a number, a root is a new name with a power
}
