"""What Z3 is asked about clauses, in a worker process: can at least `count` of them be satisfied at once?"""

from __future__ import annotations

import z3

from steplabel.verifiers.workers.frames import Message
from steplabel.verifiers.workers.z3_memory import check_reason, limit_memory, memory_errors


def solve(question: Message) -> Message:
    """Answer {variables, clauses, count, rlimit}.

    Returns:
        {possible: bool or None, assignment, why}.

    Raises:
        MemoryError: Z3 met its limit; this process must not be asked again.
    """
    limit_memory()
    with memory_errors():
        return _solved(question)


def _solved(question: Message) -> Message:
    variables = [z3.Bool(f"x{number}") for number in range(1, question["variables"] + 1)]
    clauses = [
        z3.Or([variables[x - 1] if x > 0 else z3.Not(variables[-x - 1]) for x in clause])
        for clause in question["clauses"]
    ]
    solver = z3.Solver()
    solver.set("random_seed", 0)
    solver.set("rlimit", question["rlimit"])
    if question["count"] == len(clauses):
        solver.add(*clauses)
    else:
        solver.add(z3.AtLeast(*clauses, question["count"]))
    status = solver.check()
    if status == z3.sat:
        model = solver.model()
        values = [z3.is_true(model.eval(variable, model_completion=True)) for variable in variables]
        return {"possible": True, "assignment": values, "why": ""}
    if status == z3.unsat:
        return {"possible": False, "assignment": [], "why": ""}
    return {"possible": None, "assignment": [], "why": check_reason(solver.reason_unknown())}
