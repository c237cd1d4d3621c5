"""A plain function that plays the bundled model: it solves its problems and slips now and then.

For `ScriptedSpec`, so that searches, pipelines and large runs can be tried with errors, recoveries and an
exact truth, thousands of times faster than with any model:

    steplabel run math_shepherd --engine scripted:steplabel.engines.bundled.solver:sloppy ...

Like the model, it goes on from what was written, right or wrong, and an error is repaired only where a later
operation absorbs it.
"""

from __future__ import annotations

from typing import Final

from steplabel.engines.bundled.task import (
    LARGEST,
    ChainProblem,
    apply_operation,
    format_answer,
    format_step,
    parse_problem,
    seeded,
)
from steplabel.engines.port import GenerateRequest

SLIP_RATE: Final = 0.06  # a line; about one solution in three of six lines goes wrong, as with the model at T=1


def sloppy(request: GenerateRequest, _: int, seed: int) -> str:
    """Continue `request.prefix` for a problem of the bundled task, with a slip in about one line of sixteen.

    Raises:
        TaskError: the prompt is no such problem.
    """
    problem = parse_problem(request.prompt.text)
    written = [line for line in request.prefix.split("\n") if line]
    if written and written[-1].startswith("Answer:"):
        return ""
    return _continue(problem, written, seed)


def _continue(problem: ChainProblem, written: list[str], seed: int) -> str:
    rng = seeded("sloppy", seed)
    value = _last_value(written, problem.start)
    lines = []
    for event in problem.events[len(written) :]:
        result = apply_operation(event.operation, value, event.operand)
        if rng.random() < SLIP_RATE:
            result += rng.choice((-10, -1, 1, 10))
        result = min(max(result, 0), LARGEST)
        lines.append(format_step(event.key, event.operation, value, event.operand, result))
        value = result
    return "\n".join((*lines, format_answer(value)))


def _last_value(written: list[str], start: int) -> int:
    """The value that the last written line ends with; the problem's own where it ends with none."""
    digits = written[-1].rpartition("=")[2] if written else ""
    return int(digits) if digits.isascii() and digits.isdigit() and len(digits) <= 4 else start
