"""Can at least so many of these clauses be satisfied at once? Own tables where they are small, else Z3 in its worker.

Covered: every `Cnf`. A yes comes with an assignment, evaluated before it is believed; a no is exact by table, Z3's word
beyond. Time and memory: unknown (None) with a `schemas.Reason`.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import reduce
from operator import or_

from steplabel.schemas import ConfigError, Reason
from steplabel.verifiers.logic.sat.cnf import Cnf, satisfied
from steplabel.verifiers.logic.tables import columns
from steplabel.verifiers.workers.pool import WorkerLimits, pool_for

MAX_TABLE = 12
"""Variables that a table decides by default: 4,096 rows."""
LARGEST_TABLE = 20
"""A million rows: integers of 128 KB."""
TASK = "steplabel.verifiers.logic.sat.z3_task:solve"


@dataclass(frozen=True, slots=True, kw_only=True)
class Solved:
    """An answer.

    Attributes:
        possible: None if it is not known; `reason` says why.
        assignment: what shows that it is possible, variable 1 first.
        by_solver: whether Z3 was asked.
    """

    possible: bool | None
    assignment: tuple[bool, ...] = ()
    reason: str = ""
    by_solver: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Oracle:
    """Configuration of the oracle.

    Attributes:
        rlimit: Z3's own units for one question.
        timeout_s, memory_mb, workers: of the worker process.
        max_table: most variables that a table decides, `LARGEST_TABLE` at most; 0: always ask Z3.

    Raises:
        ConfigError: a table that fits no memory, or a limit of nothing.
    """

    rlimit: int = 2_000_000
    timeout_s: float = 20.0
    memory_mb: int = 2_048
    workers: int = 1
    max_table: int = MAX_TABLE

    def __post_init__(self) -> None:
        if not 0 <= self.max_table <= LARGEST_TABLE:
            raise ConfigError(f"max_table={self.max_table}: tables take 0 to {LARGEST_TABLE} variables")
        if self.rlimit < 1 or self.timeout_s <= 0 or self.workers < 1:
            raise ConfigError(f"rlimit={self.rlimit}, timeout_s={self.timeout_s}, workers={self.workers}: give more")

    def satisfiable(self, cnf: Cnf | None) -> Solved:
        """Whether all clauses can be satisfied at once; None stands for no clauses, which always can."""
        return Solved(possible=True) if cnf is None else self.at_least(cnf, len(cnf.clauses))

    def at_least(self, cnf: Cnf, count: int) -> Solved:
        """Whether `count` or more of the clauses can be satisfied at once."""
        if count > len(cnf.clauses):
            return Solved(possible=False)
        if count < 1:
            return Solved(possible=True, assignment=(False,) * cnf.variables)
        solved = _by_table(cnf, count) if cnf.variables <= self.max_table else self._asked(cnf, count)
        if solved.possible and sum(satisfied(cnf, solved.assignment)) < count:
            return Solved(possible=None, reason=f"{Reason.UNDECIDED}: the assignment does not satisfy", by_solver=True)
        return solved

    def _asked(self, cnf: Cnf, count: int) -> Solved:
        limits = WorkerLimits(timeout_s=self.timeout_s, memory_mb=self.memory_mb, workers=self.workers)
        question = {"variables": cnf.variables, "clauses": cnf.clauses, "count": count, "rlimit": self.rlimit}
        reply = pool_for(TASK, limits).ask(question)
        if reply.failed:
            return Solved(possible=None, reason=reply.failed, by_solver=True)
        possible, why = reply.answer["possible"], reply.answer["why"]
        return Solved(
            possible=possible,
            assignment=tuple(reply.answer["assignment"]),
            reason=f"{Reason.UNDECIDED}: {why}" if possible is None else "",
            by_solver=True,
        )


def _by_table(cnf: Cnf, count: int) -> Solved:
    """`failed[j]`: the rows in which more than j of the clauses looked at so far are not satisfied."""
    table = columns(cnf.variables)
    full = (1 << (1 << cnf.variables)) - 1
    # No more than `missed` clauses may fail: few where all or nearly all have to hold, which is what is asked most.
    missed = len(cnf.clauses) - count
    failed = [0] * (missed + 1)
    for clause in cnf.clauses:
        false = full ^ reduce(or_, (table[x - 1] if x > 0 else full ^ table[-x - 1] for x in clause))
        for j in range(missed, 0, -1):
            failed[j] |= failed[j - 1] & false
        failed[0] |= false
    rows = full ^ failed[missed]
    if not rows:
        return Solved(possible=False)
    row = (rows & -rows).bit_length() - 1
    return Solved(possible=True, assignment=tuple(bool(row >> index & 1) for index in range(cnf.variables)))
