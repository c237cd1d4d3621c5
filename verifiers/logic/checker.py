"""Are the steps of a proof valid? Each is judged by what it cites, as FoVer judges them.

Covered: steps of problems in FoVer's form (see `proofs`): propositional and monadic first-order logic with equality. A
step `holds` if its conclusion follows from what it cites, right or wrong as that may be; it `fails` if there is a
finite model in which all that it cites is true and its conclusion false (the evidence; evaluated before it is
believed). The last step is compared with the gold label, or, where there is none and every line of the problem from its
hypothesis on was read, with what the facts entail.

Not covered, so unknown: what cannot be read, or reads in two ways; citations of what is not there, or not yet, or
stands there twice; names that differ by case only, or stand for a thing and for something else; the hypothesis as a
premise; assumptions; premises that contradict each other (`inconsistent_premises`: all would follow, which nobody
means; FoVer counts such steps as right); what exceeds the provers' budgets. Lines that are no proof steps assert
nothing here.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar, TypeAlias

from steplabel.schemas import Problem, Reason, Solution, Verdict, content_id
from steplabel.verifiers.logic.formulas import Formula, constants, negated, predicates, propositions
from steplabel.verifiers.logic.proofs import (
    HYPOTHESIS,
    MAX_LINES,
    NOT_HYPOTHESIS,
    LogicTask,
    ProofLabel,
    ProofStep,
    Unread,
    read_answer,
    read_step,
    read_task,
)
from steplabel.verifiers.logic.provers import Entailment, FirstToAnswer, Proved, Prover, Status, TableProver, Z3Prover
from steplabel.verifiers.port import Claim, Finding


@dataclass(frozen=True, slots=True)
class Answered:
    """The final answer, beside the gold label."""

    said: ProofLabel
    gold: ProofLabel


@dataclass(frozen=True, slots=True)
class AnsweredFrom:
    """The final answer where no gold label is known: the facts tell."""

    said: ProofLabel
    facts: tuple[Formula, ...]
    hypothesis: Formula


@dataclass(frozen=True, slots=True)
class Refused:
    """A step that asserts something nobody here can decide, with a `schemas.Reason` and what stood in the way."""

    reason: str


LogicBody: TypeAlias = "Entailment | Answered | AnsweredFrom | Refused"


@dataclass(frozen=True, slots=True, kw_only=True)
class LogicVerifier:
    """Decides the steps of formal proofs; see this module for what is covered.

    Attributes:
        prover: who decides entailments; by default our truth tables, and Z3 for what is too large for them.
    """

    name: ClassVar[str] = "logic"
    domains: ClassVar[frozenset[str]] = frozenset({"logic"})

    prover: Prover = FirstToAnswer(provers=(TableProver(), Z3Prover()))  # noqa: RUF009 - frozen

    @property
    def version(self) -> str:
        """The rules' version and a digest of the provers' configuration."""
        return f"3+{content_id('logic', repr(self.prover))[:8]}"

    def claims(self, problem: Problem, solution: Solution) -> Iterator[Claim[LogicBody]]:
        """The claims of all lines of the labelable steps. Steps that tools wrote count as known, and claim nothing."""
        task = read_task(problem.text)
        reading = _Reading(task, _gold(problem))
        for key, step in zip(solution.node_keys, solution.steps, strict=True):
            for line in step.text.split("\n", MAX_LINES)[:MAX_LINES]:
                body = reading.line(line)
                if body is not None and step.labelable:
                    yield Claim(subject=key, body=body, quote=line.strip())

    def verify(self, claim: Claim[LogicBody]) -> Finding:
        """Decide one claim."""
        return self.verify_all([claim])[0]

    def verify_all(self, claims: Sequence[Claim[LogicBody]]) -> list[Finding]:
        """`verify` of each; the prover is asked once, about all of them, each question once."""
        asked = list(dict.fromkeys(question for claim in claims for question in _questions(claim.body)))
        answers = dict(zip(asked, self.prover.prove_all(asked), strict=True)) if asked else {}
        return [_decided(claim.body, [answers[question] for question in _questions(claim.body)]) for claim in claims]


def _questions(body: LogicBody) -> tuple[Entailment, ...]:
    """What a prover has to answer before a claim is decided."""
    match body:
        case Entailment():
            return (body,)
        case AnsweredFrom(_, facts, hypothesis):
            return (Entailment(facts, hypothesis), Entailment(facts, negated(hypothesis)))
    return ()


def _decided(body: LogicBody, answers: Sequence[Proved]) -> Finding:
    """The finding, from the answers to `_questions` in their order."""
    match body:
        case Entailment():
            return _found(answers[0])
        case Answered(said, gold):
            verdict = Verdict.HOLDS if said is gold else Verdict.FAILS
            return Finding(verdict=verdict, reason="gold", evidence=f"the gold label is {gold}")
        case AnsweredFrom(said):
            return _judged(said, *answers)
        case Refused(reason):
            return Finding(verdict=Verdict.UNKNOWN, reason=reason)


def _judged(said: ProofLabel, proved: Proved, disproved: Proved) -> Finding:
    """Without a gold label: `PROVED` says that the hypothesis follows, `UNKNOWN` that no side does."""
    if said is ProofLabel.PROVED:
        return _found(proved)
    if said is ProofLabel.DISPROVED:
        return _found(disproved)
    for answer, label in ((proved, ProofLabel.PROVED), (disproved, ProofLabel.DISPROVED)):
        if answer.status is Status.PROVED:
            return _told(answer, Verdict.FAILS, reason="entailed", evidence=f"the facts say {label}")
        if answer.status is Status.UNKNOWN:
            return _found(answer)
    return _told(proved, Verdict.HOLDS, reason="undetermined", evidence="the facts leave the hypothesis open")


def _found(answer: Proved) -> Finding:
    if answer.status is Status.PROVED:
        return _told(answer, Verdict.HOLDS, reason="entailed", evidence=answer.proof)
    if answer.status is Status.REFUTED and answer.model is not None:
        return _told(answer, Verdict.FAILS, reason="not_entailed", evidence=f"countermodel: {answer.model.shown()}")
    return _told(answer, Verdict.UNKNOWN, reason=answer.reason)


def _told(answer: Proved, verdict: Verdict, *, reason: str, evidence: str = "") -> Finding:
    return Finding(
        verdict=verdict,
        reason=reason,
        evidence=evidence,
        tool=answer.prover,
        tool_version=answer.prover_version,
        budget=answer.budget,
    )


def _gold(problem: Problem) -> ProofLabel | None:
    text = problem.gold.text.strip().upper() if problem.gold else ""
    return next((label for label in ProofLabel if label.value == text), None)


class _Reading:
    """Reads a solution line by line and remembers what its steps concluded."""

    def __init__(self, task: LogicTask, gold: ProofLabel | None) -> None:
        self._task, self._gold = task, gold
        self._known: dict[str, Formula] = dict(task.facts)
        self._lost: dict[str, str] = dict.fromkeys(task.unread, "it cannot be read")

    def line(self, line: str) -> LogicBody | None:
        """What a line asserts; None if it is no step."""
        step = read_step(line)
        if isinstance(step, Unread):
            self._lose(step.target, "it cannot be read")
            return Refused(f"{Reason.UNPARSABLE}: {step.why}")
        if step is not None:
            return self._step(step)
        said = read_answer(line)
        return None if said is None else self._answer(said)

    def _step(self, step: ProofStep) -> LogicBody:
        conclusion = self._conclusion(step)
        if isinstance(conclusion, Refused):
            return conclusion
        body = self._cited(step, conclusion)
        self._conclude(step.target, conclusion)
        return body

    def _conclusion(self, step: ProofStep) -> Formula | Refused:
        """What a step concludes: what it writes, and where its target is the hypothesis, that."""
        if step.target not in (HYPOTHESIS, NOT_HYPOTHESIS):
            return step.conclusion or Refused(f"{Reason.UNPARSABLE}: no conclusion")
        if self._task.hypothesis is None:
            return Refused(f"{Reason.UNPARSABLE}: the problem's hypothesis cannot be read")
        negative = step.target == NOT_HYPOTHESIS
        named = negated(self._task.hypothesis) if negative else self._task.hypothesis
        if step.conclusion not in (None, named):
            return Refused(f"{Reason.UNPARSABLE}: names the hypothesis and writes another formula")
        return named

    def _cited(self, step: ProofStep, conclusion: Formula) -> LogicBody:
        for name in step.cites:
            if name not in self._known:
                why = self._lost.get(name, "it does not stand before this step")
                return Refused(f"{Reason.UNSUPPORTED}: cites {name}, but {why}")
        premises = tuple(self._known[name] for name in step.cites)
        return _unless_confused(Entailment(premises, conclusion), (*premises, conclusion))

    def _conclude(self, name: str, conclusion: Formula) -> None:
        if name in (HYPOTHESIS, NOT_HYPOTHESIS):
            return  # citing it would be circular for all but the last step
        if name in self._lost or self._known.get(name, conclusion) != conclusion:
            self._lose(name, "it stands there twice")
        else:
            self._known[name] = conclusion

    def _lose(self, name: str, why: str) -> None:
        self._known.pop(name, None)
        self._lost[name] = why

    def _answer(self, said: ProofLabel) -> LogicBody:
        if self._gold is not None:
            return Answered(said, self._gold)
        if self._task.hypothesis is None or not self._task.complete:
            return Refused(f"{Reason.NO_GOLD}: and the problem cannot be read in full")
        facts = tuple(self._task.facts.values())
        return _unless_confused(AnsweredFrom(said, facts, self._task.hypothesis), (*facts, self._task.hypothesis))


def _unless_confused(body: LogicBody, formulas: Sequence[Formula]) -> LogicBody:
    """The body; a refusal where names of one kind differ by case only, or a thing has the name of something else.

    `Ida` and `ida` may be one or two; `rain is heavy` beside `rain happens` may mean that it rains heavily.
    """
    kinds = things, *others = [frozenset(names(formulas)) for names in (constants, predicates, propositions)]
    if any(map(_differ_by_case, kinds)):
        return Refused(f"{Reason.UNPARSABLE}: names that differ by case only")
    if not things.isdisjoint(frozenset().union(*others)):
        return Refused(f"{Reason.UNPARSABLE}: a thing has the name of a predicate or proposition")
    return body


def _differ_by_case(names: frozenset[str]) -> bool:
    return len({name.lower() for name in names}) < len(names)
