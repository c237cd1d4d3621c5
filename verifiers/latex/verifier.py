"""The verifier of mathematics in LaTeX: what a step computes is computed again, exactly."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from steplabel.schemas import Problem, Solution
from steplabel.verifiers.latex.claims import Known, LatexClaim, claims_in
from steplabel.verifiers.latex.deciding import find
from steplabel.verifiers.latex.equations import Derivation, derive
from steplabel.verifiers.port import Claim, Finding

RULES: Final = "4"
"""Changes with every change of what is read or decided."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LatexVerifier:
    """Chains of equations and inequalities in LaTeX, of constants or identical in letters.

    Covered and not covered: see `reading.py`, `claims.py` and `deciding.py`. In short: what is computed without
    anything from outside the formula. Not: whether it is the right thing to compute.

    Attributes:
        strict: a difference that rounding may explain, and an equals sign that runs on, fail. Labels want lenient.
    """

    strict: bool = False

    @property
    def name(self) -> str:
        """The source of the observations."""
        return "latex_arithmetic"

    @property
    def version(self) -> str:
        """Rules and options."""
        return f"{RULES}{'-strict' if self.strict else ''}"

    @property
    def domains(self) -> frozenset[str]:
        """Any domain: where there is no formula, there is no claim."""
        return frozenset()

    def claims(self, problem: Problem, solution: Solution) -> Iterator[Claim[LatexClaim | Derivation]]:
        """The claims of each labelable step."""
        known = Known()
        known.learn(problem.text)
        for node in solution.nodes(problem.root_key):
            if node.step.labelable:
                for found in claims_in(node.step.text, known):
                    yield Claim(subject=node.key, body=found.claim, quote=found.quote)

    def verify(self, claim: Claim[LatexClaim | Derivation]) -> Finding:
        """Decide one claim."""
        if isinstance(claim.body, Derivation):
            return derive(claim.body)
        return find(claim.body, strict=self.strict)
