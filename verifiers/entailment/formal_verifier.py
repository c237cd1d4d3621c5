"""`z3_formalisation`: does each step of a formalised solution follow?

Covered: what `formalisation` reads: declared integers, reals and propositions, assumptions, and claims that say what
they rest on. Here a derivation fails not only where it is refuted but also where it does not follow, or divides by what
may be zero, with a case that exact arithmetic has confirmed. Not covered: whether the formulas say what the text says.
So its verdicts are about the formalisation: they are worth what its writer is worth.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import ClassVar

from steplabel.schemas import DataError, Observation, Problem, Reason, Solution, Verdict
from steplabel.verifiers.entailment.findings import Posed, decide
from steplabel.verifiers.entailment.formalisation import Unreadable, formalised_claims
from steplabel.verifiers.entailment.solver import Solver
from steplabel.verifiers.port import Claim, Finding


@dataclass(frozen=True, slots=True, kw_only=True)
class FormalisationVerifier:
    """Has Z3 decide the claims of formalised solutions.

    Attributes:
        formalisations: JSON texts by solution id, such as the evidence of observations of source `formalisation`.
            A solution without one claims nothing.
        source: whose observations are read where there are some.
    """

    name: ClassVar[str] = "z3_formalisation"
    domains: ClassVar[frozenset[str]] = frozenset()

    formalisations: Mapping[str, str] = field(default_factory=dict)
    solver: Solver = field(default_factory=Solver)
    source: str = "formalisation"

    def informed(self, observations: Sequence[Observation]) -> FormalisationVerifier:
        """With the formalisations that stand in observations' evidence; the last one of a solution counts."""
        said = {one.subject: one.evidence for one in observations if one.source == self.source and one.evidence}
        return replace(self, formalisations={**self.formalisations, **said})

    @property
    def version(self) -> str:
        """Of reading, rules of verdicts, solver and budget; the formalisations are data, as solutions are."""
        return f"2/{self.solver.tool_version}/{self.solver.budget}"

    def claims(self, problem: Problem, solution: Solution) -> Iterator[Claim[Posed | Unreadable]]:  # noqa: ARG002
        """See `Verifier.claims`; a text that cannot be used at all is one claim about the solution itself."""
        text = self.formalisations.get(solution.id)
        if text is None:
            return
        try:
            yield from formalised_claims(solution, text)
        except DataError as error:
            yield Claim(subject=solution.id, body=Unreadable(why=str(error)))

    def verify(self, claim: Claim[Posed | Unreadable]) -> Finding:
        """See `Verifier.verify`."""
        return self.verify_all((claim,))[0]

    def verify_all(self, claims: Sequence[Claim[Posed | Unreadable]]) -> list[Finding]:
        """`verify` of each, in far fewer messages to the worker."""
        rest = iter(decide([claim.body for claim in claims if isinstance(claim.body, Posed)], self.solver))
        return [
            next(rest)
            if isinstance(claim.body, Posed)
            else Finding(verdict=Verdict.UNKNOWN, reason=f"{Reason.UNPARSABLE}: {claim.body.why}")
            for claim in claims
        ]
