"""From the formulas of a problem and its solution to questions: what each follows from, and whether to trust it.

A formula's context is every earlier formula that shares letters with it, directly or through others; letters stand for
real numbers. Letters are used again for other things without a word, so a formula that contradicts its context is
trusted to do so only where the text leaves little doubt that the letters mean the same throughout:

- each of its letters, and of its context's, is declared once in words ("let x be", "x represents");
- no formula of the context, nor its own clause, is a supposition ("if", "would", "suppose");
- none of these numbers is printed with decimals, which may be rounded;
- it and its context give each letter at most one value ("x = 2, x = -2" are two roots).

Everything else is asked, too, but may only hold or be unknown.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from steplabel.schemas import Problem, Solution
from steplabel.verifiers.entailment.findings import Posed
from steplabel.verifiers.entailment.question import Assumption, Declared, Entailment, Inference
from steplabel.verifiers.entailment.text_formulas import MAX_TEXT, TextFormula, formulas_in
from steplabel.verifiers.expressions.ast import Comparison, Name, Number, Relation, Term, is_literal, parts
from steplabel.verifiers.port import Claim

MAX_CONTEXT = 48
"""Formulas that one claim is asked against, the latest."""
_MAX_SAID = 256
"""Earlier formulas among which they are looked for."""

_NAME = r"[^A-Za-z0-9]{0,3}([A-Za-z])(?![A-Za-z])"
_DECLARATIONS = (
    re.compile(rf"\b[Ll]et{_NAME}"),
    re.compile(rf"\b(?:call|calls|called|denote|denoted|as|variable|letter|by){_NAME}"),
    re.compile(
        r"(?<![A-Za-z])([A-Za-z])[^A-Za-z0-9]{1,3}(?:be|being|represents?|denotes?|stands?|is|was)\b"
        r"[ \t]+(?:the|a|an|his|her|their|how)\b"
    ),
)


@dataclass(frozen=True, slots=True)
class _Said:
    """A formula and where it stands."""

    label: str
    formula: TextFormula


def posed_claims(problem: Problem, solution: Solution) -> Iterator[Claim[Posed]]:
    """A claim for each formula with a letter in a labelable step, in order; what observations say is context, too."""
    declared = _declarations((problem.text, *(step.text for step in solution.steps)))
    said = [_Said(f"problem {i}", formula) for i, formula in enumerate(formulas_in(problem.text), 1)]
    for number, (step, key) in enumerate(zip(solution.steps, solution.node_keys, strict=True), 1):
        for index, formula in enumerate(formulas_in(step.text), 1):
            if step.labelable:
                yield Claim(subject=key, body=_posed(formula, said[-_MAX_SAID:], declared), quote=formula.quote)
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
    return Posed(question=question, trusted=_is_trusted(formula, context, declared))


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


def _is_trusted(formula: TextFormula, context: Sequence[_Said], declared: Counter[str]) -> bool:
    formulas = [formula, *(one.formula for one in context)]
    names = frozenset[str]().union(*(one.names for one in formulas))
    if any(declared[name] != 1 for name in names) or any(one.supposed or _may_be_rounded(one) for one in formulas):
        return False
    given = {value for value in map(_given, (one.comparison for one in formulas)) if value is not None}
    return len({name for name, _ in given}) == len(given)


def _may_be_rounded(formula: TextFormula) -> bool:
    sides = formula.comparison.left, formula.comparison.right
    return any(isinstance(part, Number) and part.decimals for side in sides for part in parts(side))


def _given(comparison: Comparison) -> tuple[str, Term] | None:
    """The letter and the number of a formula such as x = -5."""
    if comparison.relation is Relation.EQUAL and isinstance(comparison.left, Name):
        return (comparison.left.name, comparison.right) if is_literal(comparison.right) else None
    return None


def _declarations(texts: Iterable[str]) -> Counter[str]:
    """How often each letter is declared in words."""
    found: Counter[str] = Counter()
    for text in texts:
        places = {match.span(1): match[1] for pattern in _DECLARATIONS for match in pattern.finditer(text[:MAX_TEXT])}
        found.update(places.values())
    return found
