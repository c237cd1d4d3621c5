"""The five tasks, and generated problems with one answer each; the others are found right or wrong by `checker`.

An answer is a string of 0 and 1: the variables' values, or which clauses are chosen. Clauses are drawn at random:
literals of different variables, until the formula is as the task wants it (satisfiable by a hidden assignment, or not
satisfiable). Not covered: hard formulas on purpose; the dials stay within what a table decides.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from steplabel.schemas import AnswerType, ConfigError, GoldAnswer, Problem, content_id, derive_seed
from steplabel.verifiers.logic.sat.cnf import ClauseForm, Cnf, digits, satisfied, write_cnf
from steplabel.verifiers.logic.sat.oracle import MAX_TABLE, Oracle

DOMAIN = "sat"
SOURCE = "steplabel-sat"


class SatTask(StrEnum):
    """What is asked."""

    DECIDE = "decide"
    ASSIGNMENT = "assignment"
    MAX_SAT = "max_sat"
    CORRECTION_SET = "correction_set"
    CORE = "core"


QUESTIONS: Mapping[SatTask, str] = MappingProxyType(
    {
        SatTask.DECIDE: "Can all clauses be satisfied at once? Answer with 1 for yes or 0 for no.",
        SatTask.ASSIGNMENT: "Find values that satisfy all clauses. Answer with one digit for each variable, in order: "
        "1 for true, 0 for false.",
        SatTask.MAX_SAT: "Find values that satisfy as many clauses as possible. Answer with one digit for each "
        "variable, in order: 1 for true, 0 for false.",
        SatTask.CORRECTION_SET: "Find clauses whose removal makes the others satisfiable, and none of which could be "
        "kept. Answer with one digit for each clause, in order: 1 for removed, 0 for kept.",
        SatTask.CORE: "Find clauses that cannot be satisfied at once, but could be without any one of them. Answer "
        "with one digit for each clause, in order: 1 for chosen, 0 for not.",
    }
)
"""The question of each task; a problem is recognised by it."""

END = 'End with a line "The final answer is ..." and the digits.'


@dataclass(frozen=True, slots=True, kw_only=True)
class SatDials:
    """How large the problems are and how they look.

    Attributes:
        variables: fewest and most.
        literals: fewest and most in a clause.
        clauses_per_variable: of satisfiable formulas; the others take what they need to become unsatisfiable.
    """

    variables: tuple[int, int] = (3, 8)
    literals: tuple[int, int] = (1, 3)
    clauses_per_variable: float = 2.5
    tasks: tuple[SatTask, ...] = tuple(SatTask)
    forms: tuple[ClauseForm, ...] = tuple(ClauseForm)

    def __post_init__(self) -> None:
        low, high = self.variables
        few, many = self.literals
        if not 2 <= low <= high <= MAX_TABLE or not 1 <= few <= many <= low:
            raise ConfigError(
                f"variables={self.variables}, literals={self.literals}: give 2 to {MAX_TABLE} variables, and at most "
                "as many literals in a clause as there are variables"
            )
        if not self.tasks or not self.forms or not 0 < self.clauses_per_variable <= 50:
            raise ConfigError(f"tasks={self.tasks}, forms={self.forms}, {self.clauses_per_variable} clauses a variable")


_DEFAULT = SatDials()


def sat_problems(count: int, *, seed: int, dials: SatDials = _DEFAULT) -> Iterator[Problem]:
    """Problems with one right answer as gold text; equal arguments give equal problems, longer streams begin alike.

    The gold's type is `formal_goal`, since most tasks have several right answers: `SatTaskVerifier` decides.
    """
    for number in range(count):
        rng = random.Random(derive_seed("sat", seed, number))  # noqa: S311 - not for secrets
        task, form = rng.choice(dials.tasks), rng.choice(dials.forms)
        cnf = _formula(rng, dials, task)
        answer = solve(task, cnf)
        yield Problem(
            id=f"sat-{content_id('dials', dials)[:8]}-{seed}-{number:06d}",
            text=f"{write_cnf(cnf, form)}\n\n{QUESTIONS[task]} {END}",
            gold=GoldAnswer(text=answer, type=AnswerType.FORMAL_GOAL, chance=_chance(task)),
            reference_solution=f"The final answer is {answer}",
            domain=DOMAIN,
            source=SOURCE,
            licence="Apache-2.0",
        )


def read_task(text: str) -> SatTask | None:
    """The task whose question a text asks; None if it asks none or several."""
    asked = [task for task, question in QUESTIONS.items() if question in text]
    return asked[0] if len(asked) == 1 else None


def solve(task: SatTask, cnf: Cnf) -> str:
    """A right answer, by table.

    Raises:
        ValueError: there is none: no assignment satisfies, or nothing has to be removed.
        ConfigError: more variables than the largest table takes.
    """
    oracle = Oracle(max_table=cnf.variables)
    whole = oracle.satisfiable(cnf)
    if task is SatTask.DECIDE:
        return digits([bool(whole.possible)])
    if (task is SatTask.ASSIGNMENT) is not whole.possible and task is not SatTask.MAX_SAT:
        raise ValueError(f"{task} has no answer where satisfiable is {whole.possible}")
    if task in (SatTask.ASSIGNMENT, SatTask.MAX_SAT):
        most = next(n for n in range(len(cnf.clauses), -1, -1) if oracle.at_least(cnf, n).possible)
        return digits(oracle.at_least(cnf, most).assignment)
    return _core(cnf, oracle) if task is SatTask.CORE else _correction(cnf, oracle)


def _correction(cnf: Cnf, oracle: Oracle) -> str:
    """What is left out when clauses are kept in order as long as they can be satisfied at once."""
    kept: set[int] = set()
    for index in range(len(cnf.clauses)):
        if oracle.satisfiable(cnf.only(kept | {index})).possible:
            kept.add(index)
    return digits([index not in kept for index in range(len(cnf.clauses))])


def _core(cnf: Cnf, oracle: Oracle) -> str:
    """What is left when clauses are left out in order as long as the rest cannot be satisfied."""
    chosen = set(range(len(cnf.clauses)))
    for index in range(len(cnf.clauses)):
        if not oracle.satisfiable(cnf.only(chosen - {index})).possible:
            chosen.discard(index)
    return digits([index in chosen for index in range(len(cnf.clauses))])


def _formula(rng: random.Random, dials: SatDials, task: SatTask) -> Cnf:
    variables = rng.randint(*dials.variables)
    satisfiable = rng.random() < 0.5 if task is SatTask.DECIDE else task is SatTask.ASSIGNMENT
    if not satisfiable:
        return _unsatisfiable(rng, dials, variables)
    hidden = [rng.random() < 0.5 for _ in range(variables)]
    clauses: list[tuple[int, ...]] = []
    while len(clauses) < max(1, round(dials.clauses_per_variable * variables)):
        clause = _clause(rng, dials, variables)
        if all(satisfied(Cnf(variables, (clause,)), hidden)):
            clauses.append(clause)
    return Cnf(variables, tuple(clauses))


def _unsatisfiable(rng: random.Random, dials: SatDials, variables: int) -> Cnf:
    oracle = Oracle(max_table=variables)
    clauses = [_clause(rng, dials, variables) for _ in range(variables)]
    while oracle.satisfiable(Cnf(variables, tuple(clauses))).possible:
        clauses.append(_clause(rng, dials, variables))
    return Cnf(variables, tuple(clauses))


def _clause(rng: random.Random, dials: SatDials, variables: int) -> tuple[int, ...]:
    chosen = rng.sample(range(1, variables + 1), rng.randint(*dials.literals))
    return tuple(x if rng.random() < 0.5 else -x for x in chosen)


def _chance(task: SatTask) -> float:
    """Of a blind guess, where it does not depend on the formula."""
    return 0.5 if task is SatTask.DECIDE else 0.0
