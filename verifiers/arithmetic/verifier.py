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
from steplabel.verifiers.arithmetic.context import names_system, redefines
from steplabel.verifiers.arithmetic.equations import Equation, read_equations
from steplabel.verifiers.arithmetic.judging import judge
from steplabel.verifiers.arithmetic.runs import Doubt
from steplabel.verifiers.port import Claim, Finding


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
        return "2-strict" if self.strict else "2-lenient"

    def claims(
        self,
        problem: Problem,
        solution: Solution,
    ) -> Iterator[Claim[Equation]]:
        """The equations of the labelable steps; once another number system is spoken of, none of them may fail."""
        system = names_system(problem.text) or redefines(problem.text)
        for key, step in zip(solution.node_keys, solution.steps, strict=True):
            system = system or names_system(step.text)
            if step.labelable:
                for equation in read_equations(step.text, doubt=Doubt.SYSTEM if system else ""):
                    yield Claim(subject=key, body=equation, quote=equation.quote)

    def verify(self, claim: Claim[Equation]) -> Finding:
        """Decide one equation."""
        return judge(claim.body, strict=self.strict)
