"""Steps per CPU second of the arithmetic verifier, and sympy's `parse_expr` on the same equations.

Sympy gets them already cut out and printed by us: it never sees a raw text, because it runs code.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from sympy import simplify
from sympy.parsing.sympy_parser import parse_expr

from benchmarks.verifier_parts.steps import NOBODY, reference_steps, solution_of
from steplabel.schemas.solution import Solution
from steplabel.verifiers.arithmetic import ArithmeticVerifier, Equation, read_equations
from steplabel.verifiers.arithmetic.judging import judge
from steplabel.verifiers.arithmetic.runs import Postfix

_PARTS = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Rates:
    """Per CPU second of this process."""

    steps: int
    equations: int
    arithmetic_steps: float
    arithmetic_steps_with_records: float
    sympy_steps: float
    times_sympy: float
    sympy_equations: float


def rates(data: Path, *, steps: int = 4_000, sympy_equations: int = 1_000) -> Rates:
    """Steps per CPU second on raw text, and sympy's on what we cut out of the same steps."""
    verifier = ArithmeticVerifier()
    texts = [text for _, _, text in reference_steps(data)][:steps]
    solutions = [solution_of(text) for text in texts]
    _decide(verifier, solutions[: len(solutions) // 4])  # caches of literals fill as they do in a run
    spent = spent_whole = sympy_spent = 0.0
    equations = by_sympy = 0
    for part in range(_PARTS):  # side by side: the machine's speed changes within seconds
        mine, whole = texts[part::_PARTS], solutions[part::_PARTS]
        spent += _cpu(partial(_read_and_judge, mine))
        spent_whole += _cpu(partial(_decide, verifier, whole))
        printed = [_python(claim.body) for one in whole for claim in verifier.claims(NOBODY, one)]
        readable = [equation for equation in printed if equation]
        chosen = readable[: sympy_equations // _PARTS]
        sympy_spent += _cpu(partial(_all_by_sympy, chosen))
        equations += len(readable)
        by_sympy += len(chosen)
    per_equation = sympy_spent / by_sympy
    return Rates(
        steps=len(texts),
        equations=equations,
        arithmetic_steps=len(texts) / spent,
        arithmetic_steps_with_records=len(texts) / spent_whole,
        sympy_steps=len(texts) / (per_equation * equations),
        times_sympy=per_equation * equations / spent_whole,
        sympy_equations=1 / per_equation,
    )


def _all_by_sympy(equations: Sequence[tuple[str, str]]) -> None:
    for left, right in equations:
        _by_sympy(left, right)


def _decide(verifier: ArithmeticVerifier, solutions: Sequence[Solution]) -> None:
    for solution in solutions:
        for claim in verifier.claims(NOBODY, solution):
            verifier.verify(claim)


def _read_and_judge(texts: Sequence[str]) -> None:
    for text in texts:
        for equation in read_equations(text):
            judge(equation, strict=False)


def _cpu(work: Callable[[], object]) -> float:
    started = time.process_time()
    work()
    return time.process_time() - started


def _python(equation: Equation) -> tuple[str, str] | None:
    """Both sides as an infix text made of our own numbers and operators; None where nothing was read."""
    if equation.obstacle:
        return None
    return _infix(equation.left.readings[0]), _infix(equation.right.readings[0])


def _infix(postfix: Postfix) -> str:
    stack: list[str] = []
    for item in postfix:
        if not isinstance(item, str):
            stack.append(f"Rational({item.numerator},{item.denominator})" if item.denominator > 1 else str(item))
        elif item == "neg":
            stack[-1] = f"(-{stack[-1]})"
        elif item == "%":
            stack[-1] = f"({stack[-1]}/100)"
        else:
            right = stack.pop()
            stack[-1] = f"({stack[-1]}{'**' if item == '^' else item}{right})"
    return stack[0]


def _by_sympy(left: str, right: str) -> bool:
    return bool(simplify(parse_expr(left) - parse_expr(right)) == 0)
