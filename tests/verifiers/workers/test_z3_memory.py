"""A Z3 that ran out of memory decides nothing, and its process is not asked again."""

from __future__ import annotations

import os
import subprocess
import sys
from fractions import Fraction

import pytest
import z3

from steplabel.schemas import Reason
from steplabel.verifiers.entailment import Assumption, Declared, Entailment, Solver, Sort
from steplabel.verifiers.entailment.answer import Answer, Status
from steplabel.verifiers.expressions.ast import Apply, Comparison, Name, Number, Operator, Relation
from steplabel.verifiers.workers.z3_memory import check_reason, memory_errors

ABOVE = [{"op": ">", "args": [{"name": "x"}, str(number)]} for number in range(500)]
QUESTIONS = {
    "steplabel.verifiers.entailment.z3_task:check": {
        "questions": [{"names": [["x", "Real"]], "assume": [["x", ABOVE[-1]]], "claim": {"op": "and", "args": ABOVE}}],
        "rlimit": 100_000,
    },
    "steplabel.verifiers.logic.z3_task:check": {
        "checks": [{"premises": [["atom", "A"]], "conclusion": ["atom", "B"]}],
        "rlimit": 1_000,
    },
    "steplabel.verifiers.logic.sat.z3_task:solve": {"variables": 1, "clauses": [[1]], "count": 1, "rlimit": 1_000},
}
PROGRAM = """
import pkgutil, sys
import z3
task, question = pkgutil.resolve_name(sys.argv[1]), eval(sys.argv[2])
task(question)  # its contexts are made: Z3 crashes where it has no memory even for these
z3.set_param("memory_max_size", 1)
for _ in range(2):
    try:
        print(task(question))
    except MemoryError:
        print("exhausted")
"""


@pytest.mark.parametrize("task", QUESTIONS)
def test_a_task_without_memory_says_so(task: str) -> None:
    """Every task that asks Z3 raises what makes the pool replace its worker; none calls the question unsupported."""
    ran = subprocess.run(
        [sys.executable, "-c", PROGRAM, task, repr(QUESTIONS[task])],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    assert ran.stdout.split() == ["exhausted", "exhausted"]


def test_the_reasons_that_mean_memory() -> None:
    """Z3 says it by an exception or as a reason; every other reason and exception stays what it is."""
    assert check_reason("canceled") == "canceled"
    for why in ("out of memory", "max. memory exceeded"):
        with pytest.raises(MemoryError):
            check_reason(why)
    for said in (b"out of memory", "out of memory"):
        with pytest.raises(MemoryError), memory_errors():
            raise z3.Z3Exception(said)
    with pytest.raises(z3.Z3Exception, match="sort"), memory_errors():
        raise z3.Z3Exception("sort mismatch")


def _sixteenth_power_of_a_sum(names: list[str]) -> Entailment:
    """Multiplied out it has billions of terms. It is asked of the solver itself: no check of questions lets it pass."""
    term: Apply = Apply(Operator.ADD, tuple(map(Name, names)))
    for _ in range(4):
        term = Apply(Operator.MULTIPLY, (term, term))
    product = Apply(Operator.MULTIPLY, tuple(map(Name, names)))
    return Entailment(
        declarations=tuple(Declared(name=name, sort=Sort.INTEGER) for name in names),
        assumptions=(Assumption(label="product", formula=Comparison(Relation.EQUAL, product, Number(Fraction(2)))),),
        claim=Comparison(Relation.EQUAL, term, Number(Fraction(1))),
    )


@pytest.mark.slow
def test_a_question_that_takes_all_memory_is_unknown_and_costs_its_worker() -> None:
    """The question is a crash, its worker is gone, the question is not asked again, and the next one is decided."""
    solver = Solver(rlimit=50_000_000, timeout_s=60.0, memory_mb=300)
    greedy = _sixteenth_power_of_a_sum([f"x{number}" for number in range(30)])
    x, one = Name("x"), Number(Fraction(1))
    easy = Entailment(
        declarations=(Declared(name="x"),),
        assumptions=(Assumption(label="x", formula=Comparison(Relation.EQUAL, x, one)),),
        claim=Comparison(Relation.AT_LEAST, x, one),
    )
    assert solver.decide([greedy]) == [Reason.CRASH]
    assert solver.pool().pids() == []
    (answer,) = solver.decide([easy])
    assert isinstance(answer, Answer)
    assert answer.status is Status.HOLDS
    pids = solver.pool().pids()
    assert solver.decide([greedy]) == [Reason.CRASH]
    assert solver.pool().pids() == pids
    solver.pool().close()
