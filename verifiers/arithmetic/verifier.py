"""The arithmetic verifier: are the equations between numbers in a step true?

Covered: what `reader`, `equations` and `judging` say, in plain text and the simplest LaTeX. Not covered: letters,
functions, inequalities, LaTeX beyond fractions of numbers; whether the right numbers were chosen. An equation that
holds says nothing about that, so `holds` is no evidence that a step is right; one that fails is strong evidence that it
is not.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from steplabel.schemas import Problem, Solution
from steplabel.verifiers.arithmetic.equations import Equation, read_equations
from steplabel.verifiers.arithmetic.judging import judge
from steplabel.verifiers.port import Claim, Finding
from steplabel.verifiers.text.systems import system_of


@dataclass(frozen=True, slots=True, kw_only=True)
class ArithmeticVerifier:
    """Decides the equations of each labelable step, exactly and without a worker process.

    Attributes:
        strict: near misses, factors between units and running totals fail too; see `judging`. Labels use lenient mode.
    """

    strict: bool = False

    name: ClassVar[str] = "arithmetic"
    domains: ClassVar[frozenset[str]] = frozenset()

    @property
    def version(self) -> str:
        """Of the rules, and the mode."""
        return "4-strict" if self.strict else "4-lenient"

    def claims(
        self,
        problem: Problem,
        solution: Solution,
    ) -> Iterator[Claim[Equation]]:
        """The equations of the labelable steps, in the number systems that were spoken of so far."""
        system = system_of(problem.text, defining=True)
        for key, step in zip(solution.node_keys, solution.steps, strict=True):
            system |= system_of(step.text)
            if step.labelable:
                for equation in read_equations(step.text, system=system):
                    yield Claim(subject=key, body=equation, quote=equation.quote)

    def verify(self, claim: Claim[Equation]) -> Finding:
        """Decide one equation."""
        return judge(claim.body, strict=self.strict)
