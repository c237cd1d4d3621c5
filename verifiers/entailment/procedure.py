"""Decide one question with Z3: at most four checks, and a few more for the assumptions that were used.

With assumptions A and a claim C that is defined where D holds, C' = D and C (Z3's own x/0 is total: see `definedness`):

    A, not C'      A, C'         verdict
    unsat          sat           holds
    sat            unsat         refuted; undefined if D cannot hold either
    unsat          unsat         inconsistent context: A alone cannot hold
    sat            sat           undefined if A and not D can hold, else not entailed; the model is the case
    any unknown                  exhausted or undecided, unless A alone can be seen to hold

An assumption that divides grants that it is defined. All checks have an `rlimit`, never a time: the same question
in a context of its own takes the same steps and ends alike.
"""

from __future__ import annotations

from dataclasses import replace

import z3
from z3 import z3core

from steplabel.verifiers.entailment.answer import Answer, Assigned, Status
from steplabel.verifiers.entailment.compiler import Compiler
from steplabel.verifiers.entailment.definedness import conjunction, definedness
from steplabel.verifiers.entailment.lane import Check, Lane
from steplabel.verifiers.entailment.operators import UnsupportedError
from steplabel.verifiers.entailment.question import Declared, Entailment, Sort
from steplabel.verifiers.workers.z3_memory import check_reason

_OUT_OF_BUDGET = frozenset({"canceled", "max. resource limit exceeded", "timeout"})
"""Z3's words for the same thing: which of them comes depends on the part of it that noticed."""
_MAX_SHOWN = 60
_EXACT_CHARS = 1_000
"""Digits of a model's number that are still passed on as one."""
_DIGITS = frozenset("-/0123456789")


def decide(question: Entailment, lane: Lane, *, models: bool = True) -> Answer:
    """Decide a checked question. Leaves the lane as it was.

    Args:
        models: whether to show cases; without them it is faster.
    """
    lane.push()
    try:
        return _Case(question, lane, models=models).decided()
    except UnsupportedError as error:
        return Answer(status=Status.UNSUPPORTED, detail=str(error))
    finally:
        lane.pop()


class _Case:
    """One question in one lane: assumptions, denial and claim are asserted, each behind a switch of its own."""

    def __init__(self, question: Entailment, lane: Lane, *, models: bool) -> None:
        self._question, self._lane, self._wants_models = question, lane, models
        self._compiler = Compiler(lane.nodes, question.declarations)
        compiled = [
            self._compiler.formula(conjunction(definedness(one.formula), one.formula)) for one in question.assumptions
        ]
        self._defined = definedness(question.claim)
        self._claim = self._compiler.formula(conjunction(self._defined, question.claim))
        self._switches = [self._switched(f"switch {i}", formula) for i, formula in enumerate(compiled)]
        for definition in self._compiler.definitions:
            lane.add(definition)

    def decided(self) -> Answer:
        """Follow the table in the module's docstring."""
        denial = self._switched("switch denial", self._lane.nodes.formula(z3core.Z3_mk_not, self._claim))
        denied, case = self._with_case(denial)
        if denied is Check.UNSAT and not self._switches:
            return Answer(status=Status.HOLDS)
        claim = self._switched("switch claim", self._claim)
        granted = self._with(claim)
        if denied is granted is Check.UNSAT:
            return self._contradiction()
        if denied is Check.UNSAT and (granted is Check.SAT or self._check(self._switches) is Check.SAT):
            return Answer(status=Status.HOLDS, used=self._needed(denial))
        if granted is Check.UNSAT and (denied is Check.SAT or self._check(self._switches) is Check.SAT):
            return self._refuted(claim, case)
        if denied is granted is Check.SAT:
            return self._not_entailed(case)
        return self._unknown()

    def _unknown(self) -> Answer:
        why = check_reason(self._lane.why_unknown())
        return Answer(status=Status.EXHAUSTED if why in _OUT_OF_BUDGET else Status.UNDECIDED, detail=why)

    def _contradiction(self) -> Answer:
        if self._check(self._switches) is not Check.UNSAT:  # it needed the claim's help to see it
            return self._unknown()
        return Answer(status=Status.INCONSISTENT, used=self._needed())

    def _refuted(self, claim: z3.BoolRef, case: tuple[Assigned, ...]) -> Answer:
        if self._defined is not True and self._with(self._where_defined()) is Check.UNSAT:
            return Answer(status=Status.UNDEFINED, model=case)
        return Answer(status=Status.REFUTED, used=self._needed(claim))

    def _not_entailed(self, case: tuple[Assigned, ...]) -> Answer:
        if self._defined is True:
            return Answer(status=Status.NOT_ENTAILED, model=case)
        undefined, where = self._with_case(self._where_undefined())
        if undefined is Check.SAT:
            return Answer(status=Status.UNDEFINED, model=where)
        return Answer(status=Status.NOT_ENTAILED, model=case)

    def _switched(self, name: str, formula: z3.BoolRef) -> z3.BoolRef:
        """Assert a formula that counts only in checks that are given its switch."""
        switch = self._lane.nodes.proposition(name)
        self._lane.add(self._lane.nodes.formula(z3core.Z3_mk_implies, switch, formula))
        return switch

    def _where_defined(self) -> z3.BoolRef:
        return self._switched("switch defined", self._compiler.formula(self._defined))

    def _where_undefined(self) -> z3.BoolRef:
        undefined = self._lane.nodes.formula(z3core.Z3_mk_not, self._compiler.formula(self._defined))
        return self._switched("switch undefined", undefined)

    def _with(self, switch: z3.BoolRef) -> Check:
        return self._check([*self._switches, switch])

    def _with_case(self, switch: z3.BoolRef) -> tuple[Check, tuple[Assigned, ...]]:
        """Check all assumptions with one thing more, and show the model if there is one."""
        status = self._with(switch)
        return status, self._shown(self._lane.model()) if status is Check.SAT and self._wants_models else ()

    def _needed(self, *switches: z3.BoolRef) -> tuple[str, ...]:
        """Assumptions that suffice: each is left out, the last first, where it can be.

        Z3's own core depends on what the solver met before; this one on the question alone.
        """
        kept = list(range(len(self._switches)))
        for index in reversed(range(len(self._switches))):
            fewer = [i for i in kept if i != index]
            if self._check([*(self._switches[i] for i in fewer), *switches]) is Check.UNSAT:
                kept = fewer
        return tuple(self._question.assumptions[i].label for i in kept)

    def _check(self, switches: list[z3.BoolRef]) -> Check:
        return self._lane.check(switches)

    def _shown(self, model: z3.ModelRef) -> tuple[Assigned, ...]:
        return tuple(self._assigned(declared, model) for declared in self._question.declarations)

    def _assigned(self, declared: Declared, model: z3.ModelRef) -> Assigned:
        value = model.eval(self._compiler.declared(declared.name), model_completion=True)
        if declared.sort is Sort.BOOLEAN:
            true = bool(z3.is_true(value))
            return Assigned(name=declared.name, value=(int(true), 1), shown=str(true).lower())
        if z3.is_algebraic_value(value):
            return Assigned(name=declared.name, value=None, shown=value.as_decimal(10))
        text: str = value.as_string()
        if len(text) > _EXACT_CHARS or not set(text) <= _DIGITS:
            return Assigned(name=declared.name, value=None, shown=f"{text[:_MAX_SHOWN]}?")
        top, _, bottom = text.partition("/")
        return Assigned(name=declared.name, value=(int(top), int(bottom or "1")), shown=text)


def alone(question: Entailment, *, rlimit: int) -> Answer:
    """Decide a question in a context of its own: whatever was asked before, the same steps, and the same end."""
    lane = Lane(rlimit=rlimit)
    answer = decide(question, lane)
    return replace(answer, spent=lane.spent())
