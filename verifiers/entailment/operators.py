"""What each operator of ours is in Z3. Mathematics, not programming.

`/` is exact division whatever the sorts; `//` rounds down and `%` is what `//` leaves, so it has the divisor's sign
(Z3's own `div` of integers rounds by the divisor's sign instead). A root is a new name y with y >= 0 (an even degree)
and y**n = x, since Z3 does not solve x**(1/2) = 3.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction

import z3
from z3 import z3core

from steplabel.verifiers.entailment.nodes import Nodes
from steplabel.verifiers.expressions.ast import Operator, Relation

MAX_EXPONENT = 64
MAX_DEGREE = 16


class UnsupportedError(Exception):
    """Something that is not put to the solver; the text says what."""


@dataclass(frozen=True, slots=True)
class Value:
    """A compiled term.

    Attributes:
        integral: its sort is Int, not Real.
        number: its value, of a literal; None of anything else.
    """

    term: z3.ArithRef
    integral: bool
    number: Fraction | None = None


class Operators:
    """Applies operators to compiled terms.

    Attributes:
        definitions: what the new names for roots mean; to be asserted beside the formulas.
    """

    def __init__(self, nodes: Nodes) -> None:
        self.nodes = nodes
        self.definitions: list[z3.BoolRef] = []
        self._roots: dict[tuple[int, int], tuple[Value, Value]] = {}

    def apply(self, operator: Operator, values: Sequence[Value]) -> Value:
        """Apply one to as many terms as it takes.

        Raises:
            UnsupportedError: an operator, exponent or degree that is not put to the solver.
        """
        if operator not in _OPERATORS:
            raise UnsupportedError(f"the operator {operator}")
        return _OPERATORS[operator](self, values)

    def compare(self, relation: Relation, left: Value, right: Value) -> z3.BoolRef:
        """Compare two terms, by any relation but `ABOUT`."""
        (one, other), _ = self._alike((left, right))
        made = self.nodes.formula(_RELATIONS[relation], one, other)
        return self.nodes.formula(z3core.Z3_mk_not, made) if relation is Relation.NOT_EQUAL else made

    def within(self, left: Value, right: Value, most: Fraction) -> z3.BoolRef:
        """Whether two terms differ by at most so much."""
        difference = self.nodes.terms(z3core.Z3_mk_sub, (self._real(left), self._real(right)))
        above = self.nodes.formula(z3core.Z3_mk_le, difference, self.nodes.real(most))
        below = self.nodes.formula(z3core.Z3_mk_ge, difference, self.nodes.real(-most))
        return self.nodes.formulas(z3core.Z3_mk_and, (above, below))

    def literal(self, value: Fraction) -> Value:
        """A number, of sort Int where it is whole."""
        whole = value.denominator == 1
        return Value(self.nodes.integer(value.numerator) if whole else self.nodes.real(value), whole, value)

    def _real(self, value: Value) -> z3.ArithRef:
        if value.number is not None:
            return self.nodes.real(value.number)
        return self.nodes.term(z3core.Z3_mk_int2real, value.term) if value.integral else value.term

    def _alike(self, values: Sequence[Value]) -> tuple[list[z3.ArithRef], bool]:
        """All of one sort, and whether it is Int."""
        if all(value.integral for value in values):
            return [value.term for value in values], True
        return [self._real(value) for value in values], False

    def _many(self, function: Callable[..., object], values: Sequence[Value]) -> Value:
        made, integral = self._alike(values)
        return Value(self.nodes.terms(function, made), integral)

    def _add(self, values: Sequence[Value]) -> Value:
        return self._many(z3core.Z3_mk_add, values)

    def _subtract(self, values: Sequence[Value]) -> Value:
        return self._many(z3core.Z3_mk_sub, values)

    def _multiply(self, values: Sequence[Value]) -> Value:
        return self._many(z3core.Z3_mk_mul, values)

    def _negate(self, values: Sequence[Value]) -> Value:
        return Value(self.nodes.term(z3core.Z3_mk_unary_minus, values[0].term), values[0].integral)

    def _divide(self, values: Sequence[Value]) -> Value:
        return Value(self.nodes.term(z3core.Z3_mk_div, *(self._real(value) for value in values)), False)

    def _floor_divide(self, values: Sequence[Value]) -> Value:
        left, right = values
        if not (left.integral and right.integral):
            return Value(self.nodes.term(z3core.Z3_mk_real2int, self._divide(values).term), True)
        quotient = self.nodes.term(z3core.Z3_mk_div, left.term, right.term)
        if right.number is not None and right.number > 0:
            return Value(quotient, True)
        minus = (self._negate((one,)).term for one in values)
        positive = self.nodes.formula(z3core.Z3_mk_gt, right.term, self.nodes.integer(0))
        return Value(
            self.nodes.term(z3core.Z3_mk_ite, positive, quotient, self.nodes.term(z3core.Z3_mk_div, *minus)), True
        )

    def _modulo(self, values: Sequence[Value]) -> Value:
        left, right = values
        if left.integral and right.integral and right.number is not None and right.number > 0:
            return Value(self.nodes.term(z3core.Z3_mk_mod, left.term, right.term), True)
        return self._subtract((left, self._multiply((right, self._floor_divide(values)))))

    def _power(self, values: Sequence[Value]) -> Value:
        """x ** n for a number n; by a fraction p/q, the q-th root's p-th power."""
        base, exponent = values
        if exponent.number is None:
            raise UnsupportedError("an exponent that is not a number")
        top, degree = exponent.number.numerator, exponent.number.denominator
        if abs(top) > MAX_EXPONENT:
            raise UnsupportedError(f"an exponent above {MAX_EXPONENT}")
        if degree > 1:
            base = self._root((base, self.literal(Fraction(degree))))
        if top == 0:
            return self.literal(Fraction(1))
        product = base if abs(top) == 1 else self._multiply([base] * abs(top))
        return product if top > 0 else self._divide((self.literal(Fraction(1)), product))

    def _root(self, values: Sequence[Value]) -> Value:
        radicand, degree = values
        n = degree.number
        if n is None or n.denominator != 1 or not 2 <= n <= MAX_DEGREE:
            raise UnsupportedError(f"a root whose degree is not a whole number from 2 to {MAX_DEGREE}")
        key = (radicand.term.get_id(), n.numerator)
        if key not in self._roots:
            root = Value(self.nodes.number(f"root {len(self._roots)}", integral=False), False)
            self._roots[key] = root, radicand  # kept with it: Z3 gives the number of a term that is gone to another
            self.definitions.append(self._meaning(root, radicand, n.numerator))
        return self._roots[key][0]

    def _meaning(self, root: Value, radicand: Value, degree: int) -> z3.BoolRef:
        power = self.compare(Relation.EQUAL, self._multiply([root] * degree), radicand)
        if degree % 2:
            return power
        # Where there is no root, nothing is said of it, or the context would become inconsistent.
        zero = self.literal(Fraction(0))
        exists, sign = (self.compare(Relation.AT_LEAST, value, zero) for value in (radicand, root))
        return self.nodes.formula(z3core.Z3_mk_implies, exists, self.nodes.formulas(z3core.Z3_mk_and, (sign, power)))

    def _absolute(self, values: Sequence[Value]) -> Value:
        value = values[0]
        positive = self.compare(Relation.AT_LEAST, value, self.literal(Fraction(0)))
        made = self.nodes.term(z3core.Z3_mk_ite, positive, value.term, self._negate(values).term)
        return Value(made, value.integral)

    def _extreme(self, relation: Relation, values: Sequence[Value]) -> Value:
        made, integral = self._alike(values)
        best = Value(made[0], integral)
        for one in made[1:]:
            test = self.compare(relation, best, Value(one, integral))
            best = Value(self.nodes.term(z3core.Z3_mk_ite, test, best.term, one), integral)
        return best

    def _minimum(self, values: Sequence[Value]) -> Value:
        return self._extreme(Relation.AT_MOST, values)

    def _maximum(self, values: Sequence[Value]) -> Value:
        return self._extreme(Relation.AT_LEAST, values)


_OPERATORS: dict[Operator, Callable[[Operators, Sequence[Value]], Value]] = {
    Operator.ADD: Operators._add,
    Operator.SUBTRACT: Operators._subtract,
    Operator.MULTIPLY: Operators._multiply,
    Operator.DIVIDE: Operators._divide,
    Operator.POWER: Operators._power,
    Operator.NEGATE: Operators._negate,
    Operator.FLOOR_DIVIDE: Operators._floor_divide,
    Operator.MODULO: Operators._modulo,
    Operator.ROOT: Operators._root,
    Operator.ABSOLUTE: Operators._absolute,
    Operator.MINIMUM: Operators._minimum,
    Operator.MAXIMUM: Operators._maximum,
}

_RELATIONS: dict[Relation, Callable[..., object]] = {
    Relation.EQUAL: z3core.Z3_mk_eq,
    Relation.NOT_EQUAL: z3core.Z3_mk_eq,
    Relation.LESS: z3core.Z3_mk_lt,
    Relation.AT_MOST: z3core.Z3_mk_le,
    Relation.GREATER: z3core.Z3_mk_gt,
    Relation.AT_LEAST: z3core.Z3_mk_ge,
}
