"""From the formulas of a problem and its solution to questions: what each follows from, and whether to trust it.

A formula's context is every earlier formula that shares letters with it, directly or through others; letters stand for
real numbers. What contradicts a context that is not trusted (see `text_trust`) is asked, too, but may only hold or be
unknown. What a step denies or asks is context of nothing, and what is said of its letters from there on is not trusted:
it may be a correction. In a problem, questions say what is given.

Not covered: what is supposed ("suppose x = 3") counts as said for all that comes later.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice

from steplabel.schemas import Problem, Solution
from steplabel.verifiers.entailment.findings import Posed
from steplabel.verifiers.entailment.question import Assumption, Declared, Entailment, Inference
from steplabel.verifiers.entailment.text_formulas import formulas_in
from steplabel.verifiers.entailment.text_trust import Weighed, declarations, has_doubtful_words, is_trusted, weighed
from steplabel.verifiers.port import Claim

MAX_CLAIMS = 512
"""Of one solution; what stands behind them is not read."""
MAX_CONTEXT = 48
"""Formulas that one claim is asked against, the latest."""
_MAX_SAID = 256
"""Earlier formulas among which they are looked for."""


@dataclass(frozen=True, slots=True)
class _Said:
    """A formula and where it stands."""

    label: str
    weighed: Weighed

    @property
    def names(self) -> frozenset[str]:
        return self.weighed.names

    @property
    def assumption(self) -> Assumption:
        return Assumption(label=self.label, formula=self.weighed.formula.comparison)


def posed_claims(problem: Problem, solution: Solution) -> Iterator[Claim[Posed]]:
    """A claim for each formula with a letter in a labelable step, in order; what observations say is context, too."""
    return islice(_claims(problem, solution), MAX_CLAIMS)


def _claims(problem: Problem, solution: Solution) -> Iterator[Claim[Posed]]:
    declared = declarations((problem.text, *(step.text for step in solution.steps)))
    said = [_Said(f"problem {i}", weighed(formula)) for i, formula in enumerate(formulas_in(problem.text), 1)]
    doubtful = has_doubtful_words(problem.text)
    denied: set[str] = set()
    for number, (step, key) in enumerate(zip(solution.steps, solution.node_keys, strict=True), 1):
        doubtful = doubtful or has_doubtful_words(step.text)
        for index, formula in enumerate(formulas_in(step.text), 1):
            this = _Said(f"step {number}.{index}", weighed(formula))
            if step.labelable:
                body = _posed(this.weighed, said[-_MAX_SAID:], declared)
                letters = {one.name for one in body.question.declarations}
                trusted = body.trusted and not doubtful and denied.isdisjoint(letters)
                yield Claim(subject=key, body=replace(body, trusted=trusted), quote=formula.quote)
            if formula.denied:
                denied |= formula.names  # what was said of them before may be taken back
            else:
                said.append(this)


def _posed(claim: Weighed, said: Sequence[_Said], declared: Counter[str]) -> Posed:
    context = _context(claim, said)
    known = frozenset[str]().union(*(one.names for one in context))
    question = Entailment(
        declarations=tuple(Declared(name=name) for name in sorted(known | claim.names)),
        assumptions=tuple(one.assumption for one in context),
        claim=claim.formula.comparison,
        inference=Inference.UNMARKED if claim.names <= known else Inference.MODELLING,
    )
    trusted = is_trusted(claim, [one.weighed for one in context], declared)
    return Posed(question=question, trusted=trusted, asserted=claim.formula.asserted)


def _context(formula: Weighed, said: Sequence[_Said]) -> list[_Said]:
    """What shares letters with the formula, through any number of others."""
    reached, names = set[int](), set(formula.names)
    grown = True
    while grown:
        new = {i for i, one in enumerate(said) if i not in reached and names & one.names}
        names.update(*(said[i].names for i in new))
        reached |= new
        grown = bool(new)
    return [said[i] for i in sorted(reached)][-MAX_CONTEXT:]
