"""One Z3 context and its solver, by the C functions that z3py itself calls: see `nodes` for why."""

from __future__ import annotations

from collections.abc import Sequence
from enum import IntEnum

import z3
from z3 import z3core

from steplabel.verifiers.entailment.nodes import Nodes, array


class Check(IntEnum):
    """What a check says, as Z3 numbers it."""

    UNSAT = -1
    UNKNOWN = 0
    SAT = 1


class Lane:
    """Asserts formulas and checks them. Used by one thread at a time.

    Args:
        rlimit: resource units after which a check ends as unknown. They count Z3's own steps, so they do not depend on
            the machine, but on Z3's version.

    Attributes:
        nodes: makes the formulas.
        checks: how many were made.
    """

    def __init__(self, *, rlimit: int) -> None:
        self._context = z3.Context()
        self._solver = z3.Solver(ctx=self._context)
        self._solver.set("rlimit", rlimit)
        self._solver.set("random_seed", 0)
        # Together with nlsat it can compute for minutes without spending a unit: rational functions of five letters.
        self._solver.set("arith.nl.grobner", False)
        self._ref, self._handle = self._context.ref(), self._solver.solver
        self.nodes = Nodes(self._context)
        self.checks = 0

    def push(self) -> None:
        """Begin a scope."""
        z3core.Z3_solver_push(self._ref, self._handle)

    def pop(self) -> None:
        """Forget what was added since the last `push`."""
        z3core.Z3_solver_pop(self._ref, self._handle, 1)

    def add(self, formula: z3.BoolRef) -> None:
        """Assert a formula in this scope."""
        z3core.Z3_solver_assert(self._ref, self._handle, formula.ast)

    def check(self, switches: Sequence[z3.BoolRef]) -> Check:
        """Whether all that was asserted can be true together with these propositions."""
        self.checks += 1
        return Check(z3core.Z3_solver_check_assumptions(self._ref, self._handle, len(switches), array(switches)))

    def model(self) -> z3.ModelRef:
        """A case in which it is, behind a check that said SAT."""
        return self._solver.model()

    def why_unknown(self) -> str:
        """Behind a check that said UNKNOWN, in Z3's words."""
        return str(self._solver.reason_unknown())

    def spent(self) -> int:
        """Resource units since the lane was made."""
        return int(dict(self._entries()).get("rlimit count", 0))

    def _entries(self) -> list[tuple[str, int]]:
        return [(key, value) for key, value in self._solver.statistics()]
