"""`z3_entailment`: do the equations of a written solution follow from one another?

Covered: equations and inequalities with single letters over the reals, linear or polynomial, in plain text and LaTeX:
variables across steps, linear systems, lost roots, flipped signs, division by what may be zero. Not covered: formulas
without letters (exact arithmetic decides those), formulas in words, and whether an equation says what the problem says:
a step that brings in a letter is unknown, `new_assumption`.

Free text is a weak witness. A claim fails only where it contradicts what came before and that context is trusted (see
`text_claims`); one that merely does not follow is unknown, since what it follows from may stand there in words.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import ClassVar

from steplabel.schemas import Problem, Solution, Verdict
from steplabel.verifiers.entailment.findings import NEW_ASSUMPTION, Posed, decide
from steplabel.verifiers.entailment.question import Inference
from steplabel.verifiers.entailment.solver import Solver
from steplabel.verifiers.entailment.text_claims import posed_claims
from steplabel.verifiers.port import Claim, Finding


@dataclass(frozen=True, slots=True, kw_only=True)
class EntailmentVerifier:
    """Finds formulas with letters in steps and has Z3 decide them. See the module for what it can tell.

    Attributes:
        solver: by default with a fifth of the usual units and a quarter of the time: what a written step rests on is
            rarely that hard, and texts whose letters keep changing their meaning are.
        trust: let every contradiction fail, however weak its context; for texts whose letters are known to keep
            their meaning.
    """

    name: ClassVar[str] = "z3_entailment"
    domains: ClassVar[frozenset[str]] = frozenset()

    trust: bool = False
    solver: Solver = field(default_factory=lambda: Solver(rlimit=40_000, timeout_s=5.0))

    @property
    def version(self) -> str:
        """Of the reading, the solver and its budget."""
        return f"1/{self.solver.tool_version}/{self.solver.budget}/{'all' if self.trust else 'declared'}"

    def claims(self, problem: Problem, solution: Solution) -> Iterator[Claim[Posed]]:
        """See `Verifier.claims`."""
        for claim in posed_claims(problem, solution):
            yield replace(claim, body=replace(claim.body, trusted=True)) if self.trust else claim

    def verify(self, claim: Claim[Posed]) -> Finding:
        """See `Verifier.verify`."""
        return self.verify_all((claim,))[0]

    def verify_all(self, claims: Sequence[Claim[Posed]]) -> list[Finding]:
        """`verify` of each, in far fewer messages to the worker."""
        found = [_new(claim.body) for claim in claims]
        asked = [claim.body for claim, known in zip(claims, found, strict=True) if known is None]
        rest = iter(decide(asked, self.solver))
        return [known or next(rest) for known in found]


def _new(posed: Posed) -> Finding | None:
    """What a claim is that brings in a letter: nothing before it can speak of that, so no solver need be asked."""
    if posed.question.inference is Inference.MODELLING:
        return Finding(verdict=Verdict.UNKNOWN, reason=NEW_ASSUMPTION)
    return None
