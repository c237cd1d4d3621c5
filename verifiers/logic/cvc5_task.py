"""What cvc5 is asked, in a worker process: the same as Z3, through its Python interface, built node by node.

Formulas arrive as values; its parsers for text are never used (they obey commands that write files). Finite model
finding is on: monadic logic has finite countermodels, and without it cvc5 answers `unknown` where quantifiers are
satisfiable.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import cvc5

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


def check(question: Message) -> Message:
    """Answer each of `checks`; question and answer are those of `z3_task.check`."""
    answers = [_answer(asked, question["rlimit"]) for asked in question["checks"]]
    return {"answers": answers, "version": cvc5.__version__}


def _answer(asked: Message, rlimit: int) -> Message:
    premises, conclusion = [unpack(premise) for premise in asked["premises"]], unpack(asked["conclusion"])
    consistent = _Problem(premises, rlimit).result
    if consistent.isUnsat():
        return {"status": "inconsistent", "why": ""}
    problem = _Problem([*premises, Not(conclusion)], rlimit)
    if problem.result.isUnsat() and not consistent.isSat():  # all follows from a contradiction
        return {"status": "unknown", "why": str(consistent.getUnknownExplanation())}
    if problem.result.isUnsat():
        return {"status": "proved", "why": ""}
    if problem.result.isSat():
        return {"status": "refuted", "why": "", "model": pack_model(problem.model())}
    return {"status": "unknown", "why": str(problem.result.getUnknownExplanation())}


class _Problem:
    """One solver with some formulas in it, and what it found."""

    def __init__(self, formulas: Sequence[Formula], rlimit: int) -> None:
        self._formulas = formulas
        self._terms = cvc5.TermManager()
        self._solver = cvc5.Solver(self._terms)
        options = {"produce-models": "true", "finite-model-find": "true", "rlimit": str(rlimit), "seed": "0"}
        for name, value in options.items():
            self._solver.setOption(name, value)
        self._solver.setLogic("UF")
        self._thing = self._terms.mkUninterpretedSort("Thing")
        self._symbols = self._declared()
        for formula in formulas:
            self._solver.assertFormula(self._compiled(formula, {}))
        self.result = self._solver.checkSat()

    def _declared(self) -> dict[tuple[str, str], Any]:
        boolean, terms = self._terms.getBooleanSort(), self._terms
        said = terms.mkFunctionSort([self._thing], boolean)
        sorts = {"p": boolean, "f": said, "c": self._thing}
        names = {
            "p": propositions(self._formulas),
            "f": predicates(self._formulas),
            "c": (*constants(self._formulas), "_"),  # a thing that no formula names: no domain is empty
        }
        return {
            (kind, name): terms.mkConst(sorts[kind], f"{kind}:{name}")
            for kind, found in names.items()
            for name in found
        }

    def _compiled(self, formula: Formula, bound: Mapping[str, Any]) -> Any:  # noqa: PLR0911 - one return for each kind
        make = self._terms.mkTerm
        match formula:
            case Atom(name, None):
                return self._symbols["p", name]
            case Atom(name, term):
                return make(cvc5.Kind.APPLY_UF, self._symbols["f", name], self._term(term, bound))
            case Equal(left, right):
                return make(cvc5.Kind.EQUAL, self._term(left, bound), self._term(right, bound))
            case ForAll(variable, body) | Exists(variable, body):
                thing = self._terms.mkVar(self._thing, variable.name)
                kind = cvc5.Kind.FORALL if isinstance(formula, ForAll) else cvc5.Kind.EXISTS
                scope = make(cvc5.Kind.VARIABLE_LIST, thing)
                return make(kind, scope, self._compiled(body, {**bound, variable.name: thing}))
            case Not(part):
                return make(cvc5.Kind.NOT, self._compiled(part, bound))
            case Implies(left, right):
                return make(cvc5.Kind.IMPLIES, self._compiled(left, bound), self._compiled(right, bound))
            case And(parts) | Or(parts):
                kind = cvc5.Kind.AND if isinstance(formula, And) else cvc5.Kind.OR
                return make(kind, *(self._compiled(part, bound) for part in parts))

    def _term(self, term: Term | None, bound: Mapping[str, Any]) -> Any:
        assert term is not None  # noqa: S101 - the caller matched it
        return bound[term.name] if isinstance(term, Variable) else self._symbols["c", term.name]

    def model(self) -> Model:
        """The model that was found; only after a satisfiable result."""
        things = self._solver.getModelDomainElements(self._thing)
        numbers = {str(thing): number for number, thing in enumerate(things)}
        value, make = self._solver.getValue, self._terms.mkTerm
        return Model(
            size=len(things),
            constants={name: numbers[str(value(self._symbols["c", name]))] for name in constants(self._formulas)},
            predicates={
                name: frozenset(
                    number
                    for number, thing in enumerate(things)
                    if value(make(cvc5.Kind.APPLY_UF, self._symbols["f", name], thing)).getBooleanValue()
                )
                for name in predicates(self._formulas)
            },
            propositions=frozenset(
                name for name in propositions(self._formulas) if value(self._symbols["p", name]).getBooleanValue()
            ),
        )
