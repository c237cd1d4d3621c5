r"""Claims in the text of one step: chains of relations of which something could be decided.

Covered: statements in LaTeX, and those between words of a sentence that hold LaTeX or powers ("so 3^8 = 6561").
Equations that say again what an equation before said, see `equations.py`.
Not covered: definitions (`x = 5`, `3 = 3`), conditions (`2x = 10`), what cannot be read: they make no claim. Plain
arithmetic in sentences is another verifier's.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice, pairwise

from steplabel.verifiers.expressions.ast import is_atom, names_of
from steplabel.verifiers.expressions.reading import Chain, Side, read_chain
from steplabel.verifiers.latex.context import is_asserted
from steplabel.verifiers.latex.equations import Derivation, KnownEquations, equations_of, is_solvable
from steplabel.verifiers.latex.spans import Span, spans_of
from steplabel.verifiers.latex.statements import Statement, statements_of

_RELATION = re.compile(r"[=<>\u2248\u2264\u2265]|\\(?:approx|leq?|geq?|equiv|neq?)(?![a-zA-Z])")
_WORD = re.compile(r"(?<![\\a-zA-Z])(?!(?:sqrt|pi|sin|cos|tan|log|ln|gcd|lcm)\b)[a-zA-Z]{2,}+|[.;:?!,](?=\s|$)|\n|\*\*")
_LATEX_BITS = re.compile(r"\\[a-zA-Z]|[*^!]|[\u00b2\u00b3\u221a\u00d7\u00f7\u00b7\u03c0]")
_CUTTING_WORDS = "of than times by half twice per plus minus less more and or to from with between least most over"
_CUTTING = frozenset(_CUTTING_WORDS.split())
"""A word before the first side, or behind the last, that may belong to what it says."""
_MAX_CLAIMS = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class LatexClaim:
    """What is decided.

    Attributes:
        asserted: whether nothing around it says that it is tried, supposed or denied.
    """

    chain: Chain
    asserted: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Quoted:
    """A claim and the words that it was read from."""

    claim: LatexClaim | Derivation
    quote: str


def claims_in(text: str, known: KnownEquations | None = None) -> Iterator[Quoted]:
    """The claims of one step's text, in order, at most 200. Never raises.

    Args:
        known: equations that stand before; those of this text are added. None: nothing stands before.
    """
    return islice(_claims(text, KnownEquations() if known is None else known), _MAX_CLAIMS)


def learn(text: str, known: KnownEquations) -> None:
    """Add the equations of a text that makes no claims, such as the problem's."""
    for _, statement in _statements(text):
        if chain := _chain(statement):
            known.add(chain)


def _claims(text: str, known: KnownEquations) -> Iterator[Quoted]:
    before: Chain | None = None
    for span, statement in _statements(text):
        chain = _chain(statement)
        if chain is None:
            before = None
            continue
        asserted = is_asserted(text, span.start, span.end)
        if is_claim(chain):
            yield Quoted(claim=LatexClaim(chain=chain, asserted=asserted), quote=statement.text)
        elif derivation := _derivation(chain, before if statement.follows and asserted else None, known):
            yield Quoted(claim=derivation, quote=statement.text)
        known.add(chain)
        before = chain


def _derivation(chain: Chain, before: Chain | None, known: KnownEquations) -> Derivation | None:
    """From what an equation follows: what an arrow points from, or else what is known."""
    equations = tuple(equations_of(chain))
    if len(chain.relations) != 1 or not equations:
        return None
    conclusion = equations[0]
    for premise in (tuple(equations_of(before)) if before else ())[-1:]:
        if is_solvable(premise, conclusion):
            return Derivation(premise=premise, conclusion=conclusion, joined=True)
    found = known.premise_of(conclusion)
    return Derivation(premise=found, conclusion=conclusion) if found else None


def _statements(text: str) -> Iterator[tuple[Span, Statement]]:
    for span in spans_of(text):
        statements = statements_of(span.text) if span.mathematics else _in_prose(span.text)
        for statement in statements:
            yield span, statement


def _chain(statement: Statement) -> Chain | None:
    return read_chain(statement.text) if _RELATION.search(statement.text) else None


def is_claim(chain: Chain) -> bool:
    """Whether some link of a chain says more than a definition or a condition."""
    return any(is_decidable(*link) for reading in chain.readings for link in pairwise(reading))


def is_decidable(left: Side, right: Side) -> bool:
    """Whether two sides could be compared: constants to compute, or the same letters on both sides."""
    if left.term is None or right.term is None:
        return False
    if is_atom(left.term) and is_atom(right.term):
        return False
    names = names_of(left.term)
    if names != names_of(right.term):
        return False
    return not names or not (is_atom(left.term) or is_atom(right.term))


def _in_prose(text: str) -> Iterator[Statement]:
    """Runs between words that hold a relation and LaTeX bits; sides that a word may cut short are left out."""
    position, word = 0, ""
    for match in (*_WORD.finditer(text), None):
        run = text[position : match.start() if match else len(text)]
        behind = match[0] if match else ""
        if _RELATION.search(run) and _LATEX_BITS.search(run):
            yield Statement(text=_uncut(run, word.lower() in _CUTTING, behind.lower() in _CUTTING))
        if match:
            position, word = match.end(), match[0]


def _uncut(run: str, cut_before: bool, cut_behind: bool) -> str:
    run = run.strip(" ()*`\t")
    return f"{'of ' if cut_before else ''}{run}{' of' if cut_behind else ''}"
