"""Terms and formulas of ours as Z3's, node by node. What operators mean stands in `operators`.

pi and e are names within rational bounds: what follows for every number within them follows for these, and what
contradicts the bounds contradicts them.
"""

from __future__ import annotations

from fractions import Fraction

import z3
from z3 import z3core

from steplabel.verifiers.entailment.nodes import Nodes
from steplabel.verifiers.entailment.operators import Operators, UnsupportedError, Value
from steplabel.verifiers.entailment.question import Declared, Sort
from steplabel.verifiers.entailment.rounding import tolerance
from steplabel.verifiers.expressions.ast import (
    Apply,
    Comparison,
    Connected,
    Connective,
    Constant,
    Formula,
    Name,
    Number,
    Relation,
    Term,
)

_BOUNDS = {
    Constant.PI: (Fraction(31415926535, 10**10), Fraction(31415926536, 10**10)),
    Constant.E: (Fraction(27182818284, 10**10), Fraction(27182818285, 10**10)),
}
_OF_ANY_ARITY = {Connective.AND: z3core.Z3_mk_and, Connective.OR: z3core.Z3_mk_or}
_OF_FIXED_ARITY = {
    Connective.NOT: z3core.Z3_mk_not,
    Connective.IMPLIES: z3core.Z3_mk_implies,
    Connective.IF_AND_ONLY_IF: z3core.Z3_mk_iff,
}


class Compiler:
    """Compiles the formulas of one question. Recursive: depths must have been checked."""

    def __init__(self, nodes: Nodes, declarations: tuple[Declared, ...]) -> None:
        self._nodes = nodes
        self._operators = Operators(nodes)
        self._sorts = {declared.name: declared.sort for declared in declarations}
        self._values: dict[Name | Constant, Value] = {}

    @property
    def definitions(self) -> list[z3.BoolRef]:
        """What the names that were made up so far mean; to be asserted beside the formulas that hold them."""
        return self._operators.definitions

    def formula(self, formula: Formula) -> z3.BoolRef:
        """Compile one.

        Raises:
            UnsupportedError: it holds something that is not put to the solver.
        """
        match formula:
            case bool():
                return self._nodes.true if formula else self._nodes.false
            case Name(name):
                return self._nodes.proposition(_own(name))
            case Comparison():
                return self._comparison(formula)
            case Connected(connective, formulas):
                made = [self.formula(one) for one in formulas]
                if connective in _OF_ANY_ARITY:
                    return self._nodes.formulas(_OF_ANY_ARITY[connective], made)
                return self._nodes.formula(_OF_FIXED_ARITY[connective], *made)

    def declared(self, name: str) -> z3.ExprRef:
        """A declared name, to look it up in a model."""
        if self._sorts[name] is Sort.BOOLEAN:
            return self._nodes.proposition(_own(name))
        return self._term(Name(name)).term

    def _comparison(self, comparison: Comparison) -> z3.BoolRef:
        left, right = self._term(comparison.left), self._term(comparison.right)
        if comparison.relation is not Relation.ABOUT:
            return self._operators.compare(comparison.relation, left, right)
        most = tolerance(comparison)
        if most is None:
            raise UnsupportedError("about: no side is a number whose digits say how near is near")
        return self._operators.within(left, right, most)

    def _term(self, term: Term) -> Value:
        match term:
            case Number(value):
                return self._operators.literal(value)
            case Apply(operator, terms):
                return self._operators.apply(operator, [self._term(one) for one in terms])
            case _:
                if term not in self._values:
                    self._values[term] = self._constant(term) if isinstance(term, Constant) else self._name(term.name)
                return self._values[term]

    def _name(self, name: str) -> Value:
        integral = self._sorts[name] is Sort.INTEGER
        return Value(self._nodes.number(_own(name), integral=integral), integral)

    def _constant(self, constant: Constant) -> Value:
        if constant not in _BOUNDS:
            raise UnsupportedError(f"{constant}: not a real number")
        value = Value(self._nodes.number(f"constant {constant}", integral=False), False)
        low, high = (self._operators.literal(bound) for bound in _BOUNDS[constant])
        self.definitions.append(self._operators.compare(Relation.LESS, low, value))
        self.definitions.append(self._operators.compare(Relation.LESS, value, high))
        return value


def _own(name: str) -> str:
    """Kept apart from the names that we make up ourselves."""
    return f"name {name}"
