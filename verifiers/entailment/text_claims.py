"""From the formulas of a problem and its solution to questions: what each follows from, and whether to trust it.

A formula's context is every earlier formula that shares letters with it, directly or through others; letters stand for
real numbers. What contradicts a context that is not trusted (see `text_trust`) is asked, too, but may only hold or be
unknown.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from steplabel.schemas import Problem, Solution
from steplabel.verifiers.entailment.findings import Posed
from steplabel.verifiers.entailment.question import Assumption, Declared, Entailment, Inference
from steplabel.verifiers.entailment.text_formulas import TextFormula, formulas_in
from steplabel.verifiers.entailment.text_trust import declarations, has_doubtful_words, is_trusted
from steplabel.verifiers.port import Claim

MAX_CONTEXT = 48
"""Formulas that one claim is asked against, the latest."""
_MAX_SAID = 256
"""Earlier formulas among which they are looked for."""


@dataclass(frozen=True, slots=True)
class _Said:
    """A formula and where it stands."""

    label: str
    formula: TextFormula


def posed_claims(problem: Problem, solution: Solution) -> Iterator[Claim[Posed]]:
    """A claim for each formula with a letter in a labelable step, in order; what observations say is context, too."""
    declared = declarations((problem.text, *(step.text for step in solution.steps)))
    said = [_Said(f"problem {i}", formula) for i, formula in enumerate(formulas_in(problem.text), 1)]
    doubtful = has_doubtful_words(problem.text)
    for number, (step, key) in enumerate(zip(solution.steps, solution.node_keys, strict=True), 1):
        doubtful = doubtful or has_doubtful_words(step.text)
        for index, formula in enumerate(formulas_in(step.text), 1):
            if step.labelable:
                body = _posed(formula, said[-_MAX_SAID:], declared)
                trusted = body.trusted and not doubtful
                yield Claim(subject=key, body=replace(body, trusted=trusted), quote=formula.quote)
            said.append(_Said(f"step {number}.{index}", formula))


def _posed(formula: TextFormula, said: Sequence[_Said], declared: Counter[str]) -> Posed:
    context = _context(formula, said)
    known = frozenset[str]().union(*(one.formula.names for one in context))
    names = sorted(known | formula.names)
    question = Entailment(
        declarations=tuple(Declared(name=name) for name in names),
        assumptions=tuple(Assumption(label=one.label, formula=one.formula.comparison) for one in context),
        claim=formula.comparison,
        inference=Inference.UNMARKED if formula.names <= known else Inference.MODELLING,
    )
    return Posed(question=question, trusted=is_trusted(formula, [one.formula for one in context], declared))


def _context(formula: TextFormula, said: Sequence[_Said]) -> list[_Said]:
    """What shares letters with the formula, through any number of others."""
    reached, names = set[int](), set(formula.names)
    grown = True
    while grown:
        new = {i for i, one in enumerate(said) if i not in reached and names & one.formula.names}
        names.update(*(said[i].formula.names for i in new))
        reached |= new
        grown = bool(new)
    return [said[i] for i in sorted(reached)][-MAX_CONTEXT:]
