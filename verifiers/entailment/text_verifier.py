"""`z3_entailment`: do the equations of a written solution follow from one another?

Covered: equations and inequalities with single letters over the reals, linear or polynomial, in plain text and LaTeX:
variables across steps, linear systems, lost roots, flipped signs, division by what may be zero. Not covered: formulas
without letters (exact arithmetic decides those), formulas in words, and whether an equation says what the problem says:
a step that brings in a letter is unknown, `new_assumption`.

Free text is a weak witness. A claim holds only where no word around it denies or asks it. It fails only where it
contradicts what came before and that context is trusted (see `text_trust`); one that merely does not follow is unknown,
since what it follows from may stand there in words.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import ClassVar

from steplabel.schemas import Problem, Solution, Verdict
from steplabel.verifiers.entailment.answer import Answer, Status
from steplabel.verifiers.entailment.findings import NEW_ASSUMPTION, REFUTED, WEAK_CONTEXT, Posed, decide
from steplabel.verifiers.entailment.question import Entailment, Inference
from steplabel.verifiers.entailment.solver import Solver
from steplabel.verifiers.entailment.text_claims import posed_claims
from steplabel.verifiers.entailment.text_trust import given
from steplabel.verifiers.expressions.ast import Comparison, Connected, Connective, Name, Number, Relation
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
        """Of the reading and the rules of verdicts, the solver and its budget. Its number rises with either."""
        return f"3/{self.solver.tool_version}/{self.solver.budget}/{'all' if self.trust else 'declared'}"

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
        said = [known or next(rest) for known in found]
        return [self._unless_rounded(claim.body, one) for claim, one in zip(claims, said, strict=True)]

    def _unless_rounded(self, posed: Posed, finding: Finding) -> Finding:
        """What fails because an integer stands where the value near it, or a hundredth of it, is meant: not trusted.

        One more question for each that fails so: `x = 4` where 40x = 130, `p = 20` (percent) where 50p = 10.
        """
        apart = _apart(posed.question) if finding.verdict is Verdict.FAILS and not self.trust else None
        if apart is None:
            return finding
        (answer,) = self.solver.decide([apart])
        if isinstance(answer, Answer) and answer.status is Status.HOLDS:
            return finding
        return replace(finding, verdict=Verdict.UNKNOWN, reason=f"{WEAK_CONTEXT}: {REFUTED}")


def _new(posed: Posed) -> Finding | None:
    """What a claim is that brings in a letter: nothing before it can speak of that, so no solver need be asked."""
    if posed.question.inference is Inference.MODELLING:
        return Finding(verdict=Verdict.UNKNOWN, reason=NEW_ASSUMPTION)
    return None


def _apart(question: Entailment) -> Entailment | None:
    """Whether the letter is no fraction within 1 of the integer that it is said to be, nor a hundredth of it."""
    value = given(question.claim) if isinstance(question.claim, Comparison) else None
    if value is None or not isinstance(value[1], Fraction) or value[1].denominator != 1:
        return None
    name, integer = Name(value[0]), value[1]
    outside = (
        Comparison(Relation.AT_MOST, name, Number(integer - 1)),
        Comparison(Relation.AT_LEAST, name, Number(integer + 1)),
    )
    hundredth = Comparison(Relation.NOT_EQUAL, name, Number(integer / 100))
    return replace(question, claim=Connected(Connective.AND, (Connected(Connective.OR, outside), hundredth)))
