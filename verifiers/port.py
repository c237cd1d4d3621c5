"""What a verifier is: a claim goes in, a finding comes out. It decides without a model, and never lies.

Covered by the port: claims about one step of one solution (`Verifier`), and what the solutions of one problem say
together (`SiblingVerifier`). Not covered: questions to a model (annotators) and labels (label policies).

Three answers. `holds` and `fails` are exact statements about the claim as it was read; whatever stood in the way
(time, memory, a text that cannot be read, a question that is out of reach) is `unknown` with a `Reason`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar, runtime_checkable

from steplabel.schemas import Observation, Problem, Solution, Verdict
from steplabel.schemas.codec import to_json

Body = TypeVar("Body")


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim(Generic[Body]):
    """Something that a step asserts, as it was read: a typed form, never the text itself.

    Attributes:
        subject: key of the node that the step ends, or a solution's id.
        body: what is asserted, of the verifier's own type; equal bodies are equal questions.
        quote: the words that it was read from, for people.
    """

    subject: str
    body: Body
    quote: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What a verifier says of one claim.

    Attributes:
        reason: how it was decided; a `schemas.Reason` if it is unknown, with what stood in the way after a colon.
        evidence: what backs it, for people and for a second check: a counterexample, the value of each side.
        tool, tool_version: the library that decided, empty for our own exact arithmetic.
        budget: what it could have used, where a smaller or larger one may change the verdict.
    """

    verdict: Verdict
    reason: str = ""
    evidence: str = ""
    tool: str = ""
    tool_version: str = ""
    budget: str = ""


@runtime_checkable
class Verifier(Protocol[Body]):
    """A configuration that finds claims in a solution's steps and decides them.

    Both verbs are pure but for worker processes that they may ask; they raise nothing on any text.

    **They must end.** They run in the pipeline's own process, which nothing can stop from outside: whatever may take
    long or much memory on some text is bounded by the verifier itself (length, depth, digits; a library behind
    `workers.pool`), and what passes the bound is unknown. A verifier that cannot promise it is run as
    `Bounded(made_by="package.module:name")`, in a process that is killed after a time.
    """

    @property
    def name(self) -> str:
        """The source its observations carry."""
        ...

    @property
    def version(self) -> str:
        """Changes whenever the same text would lead to another claim or finding, options included."""
        ...

    @property
    def domains(self) -> frozenset[str]:
        """`Problem.domain`s that it is made for; empty: any."""
        ...

    def claims(self, problem: Problem, solution: Solution) -> Iterable[Claim[Body]]:
        """What the labelable steps of a solution assert, as far as it can be read, in the order of the steps."""
        ...

    def verify(self, claim: Claim[Body]) -> Finding:
        """Decide one claim."""
        ...


@runtime_checkable
class BatchVerifier(Verifier[Body], Protocol):
    """A verifier to which many questions at once cost less than one after the other."""

    def verify_all(self, claims: Sequence[Claim[Body]]) -> Sequence[Finding]:
        """`verify` of each."""
        ...


@runtime_checkable
class InformedVerifier(Verifier[Body], Protocol):
    """A verifier that reads what others have observed before it can find claims."""

    def informed(self, observations: Sequence[Observation]) -> Verifier[Body]:
        """The verifier that knows them: all that was said of one problem and its solutions."""
        ...


@runtime_checkable
class SiblingVerifier(Protocol):
    """A configuration that compares the solutions of one problem. Its observations carry scores, not verdicts.

    As a `Verifier` it must end by itself; there is no limit around it.
    """

    @property
    def name(self) -> str:
        """As `Verifier.name`."""
        ...

    @property
    def version(self) -> str:
        """As `Verifier.version`."""
        ...

    @property
    def domains(self) -> frozenset[str]:
        """As `Verifier.domains`."""
        ...

    def compare(self, problem: Problem, solutions: Sequence[Solution]) -> tuple[Observation, ...]:
        """What each solution's steps have in common with the other solutions."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """One claim and its finding, as the evidence of an observation writes it."""

    claim: str
    verdict: Verdict
    reason: str
    evidence: str


def observe(verifier: Verifier[Body], problem: Problem, solution: Solution) -> tuple[Observation, ...]:
    """Decide all claims of a solution: one observation for each step that asserts something.

    A step fails if one of its claims does; it holds if one holds and none is unknown; otherwise it is unknown, with
    the reason of its first unknown claim. A step in which nothing could be read gets no observation.
    """
    claims = tuple(verifier.claims(problem, solution))
    findings = decided(verifier, claims)
    found: dict[str, list[tuple[Claim[Body], Finding]]] = {}
    for claim, finding in zip(claims, findings, strict=True):
        found.setdefault(claim.subject, []).append((claim, finding))
    return tuple(_observation(verifier, subject, decided) for subject, decided in found.items())


def decided(verifier: Verifier[Body], claims: Sequence[Claim[Body]]) -> Sequence[Finding]:
    """The finding of each claim, asked for together where the verifier can do that."""
    if isinstance(verifier, BatchVerifier):
        together: Sequence[Finding] = verifier.verify_all(claims)
        return together
    return [verifier.verify(claim) for claim in claims]


def _observation(verifier: Verifier[Body], subject: str, decided: Sequence[tuple[Claim[Body], Finding]]) -> Observation:
    telling = min((finding for _, finding in decided), key=lambda finding: _TELLING.index(finding.verdict))
    statements = [
        Statement(claim=claim.quote, verdict=finding.verdict, reason=finding.reason, evidence=finding.evidence)
        for claim, finding in decided
    ]
    return Observation(
        subject=subject,
        source=verifier.name,
        source_version=verifier.version,
        verdict=telling.verdict,
        reason=telling.reason,
        evidence=to_json(statements).decode(),
        tool_version=f"{telling.tool} {telling.tool_version}".strip(),
        budget=telling.budget,
    )


_TELLING = (Verdict.FAILS, Verdict.UNKNOWN, Verdict.HOLDS)
"""Which of several findings speaks for the step."""
