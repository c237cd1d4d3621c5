"""Z3's expressions, made one node at a time from integers and names of ours.

z3py's overloaded operators inspect and convert their operands, which costs more than the solver does on small
questions; these calls go to the same C functions underneath. Numbers travel as machine integers, or, where they are too
large, as decimal digits that Python printed from an `int`: `z3.RealVal(text)` reads '1 2' as 12 and '--5' as -5.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Any

import z3
from z3 import z3core

_INT64 = 1 << 62
_INT32 = 1 << 30


class Nodes:
    """Makes the expressions of one Z3 context. Arguments must be of the right sorts: nothing is checked here.

    Names and numbers are made once and kept as long as this is.
    """

    def __init__(self, context: z3.Context) -> None:
        self.context = context
        self._ref = context.ref()
        self._integers, self._reals, self._booleans = (sort(context) for sort in (z3.IntSort, z3.RealSort, z3.BoolSort))
        self._numbers: dict[tuple[int, int, bool], z3.ArithRef] = {}
        self._names: dict[tuple[str, bool], z3.ArithRef] = {}
        self._propositions: dict[str, z3.BoolRef] = {}
        self.true, self.false = z3.BoolVal(True, context), z3.BoolVal(False, context)

    def integer(self, value: int) -> z3.ArithRef:
        """A number of sort Int."""
        key = (value, 1, True)
        if key not in self._numbers:
            self._numbers[key] = self._whole(value, self._integers)
        return self._numbers[key]

    def real(self, value: Fraction) -> z3.ArithRef:
        """A number of sort Real."""
        key = (value.numerator, value.denominator, False)
        if key not in self._numbers:
            self._numbers[key] = self._rational(*key[:2])
        return self._numbers[key]

    def _rational(self, top: int, bottom: int) -> z3.ArithRef:
        if bottom == 1:
            return self._whole(top, self._reals)
        if -_INT32 < top < _INT32 and bottom < _INT32:
            return z3.ArithRef(z3core.Z3_mk_real(self._ref, top, bottom), self.context)
        return z3.ArithRef(z3core.Z3_mk_numeral(self._ref, f"{top:d}/{bottom:d}", self._reals.ast), self.context)

    def number(self, name: str, *, integral: bool) -> z3.ArithRef:
        """An unknown number."""
        sort = self._integers if integral else self._reals
        if (name, integral) not in self._names:
            self._names[name, integral] = z3.ArithRef(self._constant(name, sort), self.context)
        return self._names[name, integral]

    def proposition(self, name: str) -> z3.BoolRef:
        """An unknown truth value."""
        if name not in self._propositions:
            self._propositions[name] = z3.BoolRef(self._constant(name, self._booleans), self.context)
        return self._propositions[name]

    def term(self, function: Callable[..., Any], *arguments: z3.ExprRef) -> z3.ArithRef:
        """A term by a function of fixed arity, such as `Z3_mk_div`."""
        return z3.ArithRef(function(self._ref, *(one.ast for one in arguments)), self.context)

    def terms(self, function: Callable[..., Any], arguments: Sequence[z3.ExprRef]) -> z3.ArithRef:
        """A term by a function of any arity, such as `Z3_mk_add`."""
        return z3.ArithRef(function(self._ref, len(arguments), array(arguments)), self.context)

    def formula(self, function: Callable[..., Any], *arguments: z3.ExprRef) -> z3.BoolRef:
        """A formula by a function of fixed arity, such as `Z3_mk_lt`."""
        return z3.BoolRef(function(self._ref, *(one.ast for one in arguments)), self.context)

    def formulas(self, function: Callable[..., Any], arguments: Sequence[z3.ExprRef]) -> z3.BoolRef:
        """A formula by a function of any arity, such as `Z3_mk_and`."""
        return z3.BoolRef(function(self._ref, len(arguments), array(arguments)), self.context)

    def _whole(self, value: int, sort: z3.SortRef) -> z3.ArithRef:
        if -_INT64 < value < _INT64:
            return z3.ArithRef(z3core.Z3_mk_int64(self._ref, value, sort.ast), self.context)
        return z3.ArithRef(z3core.Z3_mk_numeral(self._ref, f"{value:d}", sort.ast), self.context)

    def _constant(self, name: str, sort: z3.SortRef) -> Any:
        return z3core.Z3_mk_const(self._ref, z3core.Z3_mk_string_symbol(self._ref, name), sort.ast)


def array(arguments: Sequence[z3.ExprRef]) -> Any:
    """What Z3's C functions take for a list."""
    return (z3.Ast * len(arguments))(*(one.ast for one in arguments))
