"""What Z3 is asked, in a worker process: does a conclusion follow, and are its premises consistent?

Formulas arrive as values and are compiled node by node. `rlimit` bounds each check in a way that repeats; memory and
wall clock belong to the worker. Not covered: proofs; Z3's word is taken for unsat, and every model is checked by our
caller.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import z3

from steplabel.verifiers.logic.formulas import (
    And,
    Atom,
    Equal,
    Exists,
    ForAll,
    Formula,
    Implies,
    Not,
    Or,
    Term,
    Variable,
    constants,
    predicates,
    propositions,
)
from steplabel.verifiers.logic.semantics import Model
from steplabel.verifiers.logic.wire import pack_model, unpack
from steplabel.verifiers.workers.frames import Message
from steplabel.verifiers.workers.z3_memory import check_reason, limit_memory, memory_errors

_THING = z3.DeclareSort("Thing")
_SOMETHING = z3.Const("_", _THING)
"""A thing that no formula names: a domain is never empty."""


def check(question: Message) -> Message:
    """Answer each of `checks`: {premises, conclusion}, with `rlimit` units for each of its two solver calls.

    Returns:
        `answers`, one for each: {status, why, model}, with status `proved`, `refuted`, `inconsistent` or `unknown`;
        and Z3's `version`.

    Raises:
        MemoryError: Z3 met its limit; this process must not be asked again.
    """
    limit_memory()
    with memory_errors():
        answers = [_answer(asked, question["rlimit"]) for asked in question["checks"]]
    return {"answers": answers, "version": z3.get_version_string()}


def _answer(asked: Message, rlimit: int) -> Message:
    premises, conclusion = [unpack(premise) for premise in asked["premises"]], unpack(asked["conclusion"])
    given = [compiled(premise, {}) for premise in premises]
    consistent, of_premises = _solved(given, rlimit)
    if consistent == z3.unsat:
        return {"status": "inconsistent", "why": ""}
    status, solver = _solved([*given, z3.Not(compiled(conclusion, {}))], rlimit)
    if status == z3.unsat and consistent != z3.sat:  # all follows from a contradiction
        return {"status": "unknown", "why": of_premises.reason_unknown()}
    if status == z3.unsat:
        return {"status": "proved", "why": ""}
    if status == z3.sat:
        return {"status": "refuted", "why": "", "model": pack_model(_model(solver.model(), [*premises, conclusion]))}
    return {"status": "unknown", "why": solver.reason_unknown()}


def _solved(formulas: Sequence[Any], rlimit: int) -> tuple[Any, Any]:
    solver = z3.Solver()
    solver.set("random_seed", 0)
    solver.set("rlimit", rlimit)
    solver.add(*formulas)
    status = solver.check()
    if status == z3.unknown:
        check_reason(solver.reason_unknown())
    return status, solver


def compiled(formula: Formula, bound: Mapping[str, Any]) -> Any:  # noqa: PLR0911 - one return for each kind
    """A formula as Z3's. Names get a prefix by kind: a proposition and a predicate may share theirs."""
    match formula:
        case Atom(name, None):
            return z3.Bool(f"p:{name}")
        case Atom(name, term):
            return _predicate(name)(_term(term, bound))
        case Equal(left, right):
            return _term(left, bound) == _term(right, bound)
        case Not(part):
            return z3.Not(compiled(part, bound))
        case And(parts):
            return z3.And([compiled(part, bound) for part in parts])
        case Or(parts):
            return z3.Or([compiled(part, bound) for part in parts])
        case Implies(left, right):
            return z3.Implies(compiled(left, bound), compiled(right, bound))
        case ForAll(variable, body) | Exists(variable, body):
            thing = z3.FreshConst(_THING, f"v:{variable.name}")
            quantifier = z3.ForAll if isinstance(formula, ForAll) else z3.Exists
            return quantifier([thing], compiled(body, {**bound, variable.name: thing}))


def _predicate(name: str) -> Any:
    return z3.Function(f"f:{name}", _THING, z3.BoolSort())


def _term(term: Term | None, bound: Mapping[str, Any]) -> Any:
    assert term is not None  # noqa: S101 - the caller matched it
    return bound[term.name] if isinstance(term, Variable) else z3.Const(f"c:{term.name}", _THING)


def _model(found: Any, formulas: Sequence[Formula]) -> Model:
    def value(expression: Any) -> Any:
        return found.eval(expression, model_completion=True)

    named = {name: value(z3.Const(f"c:{name}", _THING)) for name in constants(formulas)}
    things = list({str(thing): thing for thing in (*(found.get_universe(_THING) or ()), *named.values())}.values())
    things = things or [value(_SOMETHING)]
    numbers = {str(thing): number for number, thing in enumerate(things)}
    return Model(
        size=len(things),
        constants={name: numbers[str(thing)] for name, thing in named.items()},
        predicates={
            name: frozenset(n for n, thing in enumerate(things) if z3.is_true(value(_predicate(name)(thing))))
            for name in predicates(formulas)
        },
        propositions=frozenset(name for name in propositions(formulas) if z3.is_true(value(z3.Bool(f"p:{name}")))),
    )
