"""From the solver's answers to findings: what may be called holding, failing or unknown."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from steplabel.schemas import Reason, Verdict
from steplabel.schemas.codec import to_json
from steplabel.verifiers.entailment.answer import Answer, Status
from steplabel.verifiers.entailment.counterexample import is_confirmed
from steplabel.verifiers.entailment.formulas import printed_formula
from steplabel.verifiers.entailment.question import Assumption, Entailment, Inference, QuestionError, check_question
from steplabel.verifiers.entailment.solver import TOOL, Solver
from steplabel.verifiers.port import Finding

ENTAILED, REFUTED, NOT_ENTAILED, UNDEFINED = "entailed", "refuted", "not_entailed", "undefined"
"""How a claim was decided."""
NEW_ASSUMPTION = "new_assumption"
"""The step brings something in that nothing before it speaks of."""
INCONSISTENT_CONTEXT = "inconsistent_context"
"""What came before contradicts itself, so anything would follow from it."""
WEAK_CONTEXT = "weak_context"
"""It would fail, but what it contradicts may not be what the text says."""
NOT_ASSERTED = "not_asserted"
"""It follows, but the words around it may deny it, ask it or only try it."""
NOT_FROM_CITES = "not_from_cites"
"""It follows from what came before, but not from what it names."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Posed:
    """A claim's body: a question, and what its answer is worth.

    Attributes:
        beyond: earlier claims that the step does not cite; asked for only where it does not follow without them.
        trusted: whether the formulas surely say what the text says; a claim that is not trusted never fails.
        asserted: whether the step surely says that the claim is true; one that is not asserted never holds.
    """

    question: Entailment
    beyond: tuple[Assumption, ...] = ()
    trusted: bool = True
    asserted: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """What backs a finding: its evidence, as JSON.

    Attributes:
        claim: what was asked, as it was read.
        used: assumptions that suffice for the verdict, none of which can be left out: label and formula.
        case: values of all names that make the assumptions true and the claim false, or undefined.
        confirmed: whether exact arithmetic agrees about that case.
    """

    claim: str
    used: tuple[str, ...] = ()
    case: dict[str, str] | None = None
    confirmed: bool = False

    def evidence(self) -> str:
        """As JSON, without what was not needed or not shown."""
        shown: dict[str, object] = {"used": self.used} if self.used else {}
        if self.case is not None:
            shown |= {"case": self.case, "confirmed": self.confirmed}
        return to_json({"claim": self.claim, **shown}).decode()


def decide(posed: Sequence[Posed], solver: Solver) -> list[Finding]:
    """Decide many claims in few messages, in order. Raises nothing on any question."""
    found: dict[int, Finding] = {}
    asked: list[int] = []
    for index, one in enumerate(posed):
        early = _without_solver(one)
        if early is None:
            asked.append(index)
        else:
            found[index] = early
    answers = solver.decide([posed[index].question for index in asked])
    for index, answer in zip(asked, answers, strict=True):
        found[index] = _finding(posed[index], answer, solver)
    return [found[index] for index in range(len(posed))]


def _without_solver(posed: Posed) -> Finding | None:
    try:
        check_question(posed.question)
    except QuestionError as error:
        return Finding(verdict=Verdict.UNKNOWN, reason=f"{Reason.UNSUPPORTED}: {error}")
    return None


def _finding(posed: Posed, answer: Answer | str, solver: Solver) -> Finding:
    if isinstance(answer, str):
        verdict, reason, evidence = Verdict.UNKNOWN, answer, ""
    else:
        proof = _proof(posed.question, answer)
        verdict, reason = _verdict(posed, answer, proof)
        evidence = proof.evidence()
        if posed.beyond and reason in (NOT_ENTAILED, UNDEFINED) and _follows_beyond(posed, solver):
            verdict, reason = Verdict.UNKNOWN, NOT_FROM_CITES
    return Finding(
        verdict=verdict,
        reason=reason,
        evidence=evidence,
        tool=TOOL,
        tool_version=solver.tool_version,
        budget=solver.budget,
    )


def _follows_beyond(posed: Posed, solver: Solver) -> bool:
    question = posed.question
    (answer,) = solver.decide([replace(question, assumptions=question.assumptions + posed.beyond)])
    return isinstance(answer, Answer) and answer.status is Status.HOLDS


def _proof(question: Entailment, answer: Answer) -> Proof:
    claim, labels = printed_formula(question.claim), set(answer.used)
    used = tuple(f"{one.label}: {printed_formula(one.formula)}" for one in question.assumptions if one.label in labels)
    if not answer.model:
        return Proof(claim=claim, used=used)
    case = {one.name: one.shown for one in answer.model}
    return Proof(claim=claim, used=used, case=case, confirmed=is_confirmed(question, answer))


def _verdict(posed: Posed, answer: Answer, proof: Proof) -> tuple[Verdict, str]:
    if answer.status is Status.HOLDS:
        return (Verdict.HOLDS, ENTAILED) if posed.asserted else (Verdict.UNKNOWN, f"{NOT_ASSERTED}: {ENTAILED}")
    if answer.status is Status.REFUTED:
        return (Verdict.FAILS, REFUTED) if posed.trusted else (Verdict.UNKNOWN, f"{WEAK_CONTEXT}: {REFUTED}")
    if answer.status in _OPEN:
        return _open(posed, proof, _OPEN[answer.status])
    reason = _UNDECIDED[answer.status]
    return Verdict.UNKNOWN, f"{reason}: {answer.detail}" if answer.detail else reason


def _open(posed: Posed, proof: Proof, reason: str) -> tuple[Verdict, str]:
    """A claim that need not be true: it fails only if it was to follow, and exact arithmetic shows the case."""
    if posed.question.inference is Inference.MODELLING:
        return Verdict.UNKNOWN, NEW_ASSUMPTION
    if posed.question.inference is Inference.UNMARKED or not posed.trusted:
        return Verdict.UNKNOWN, reason
    if not proof.confirmed:
        return Verdict.UNKNOWN, f"{reason}: the case could not be computed exactly"
    return Verdict.FAILS, reason


_OPEN = {Status.NOT_ENTAILED: NOT_ENTAILED, Status.UNDEFINED: UNDEFINED}
_UNDECIDED = {
    Status.INCONSISTENT: INCONSISTENT_CONTEXT,
    Status.EXHAUSTED: Reason.TIMEOUT,
    Status.UNDECIDED: Reason.UNDECIDED,
    Status.UNSUPPORTED: Reason.UNSUPPORTED,
}
