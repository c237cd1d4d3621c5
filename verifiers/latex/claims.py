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
from steplabel.verifiers.latex.equations import (
    Derivation,
    Equation,
    KnownEquations,
    equations_of,
    is_identity,
    is_solvable,
)
from steplabel.verifiers.latex.freedom import Constraints
from steplabel.verifiers.latex.spans import Span, spans_of
from steplabel.verifiers.latex.statements import UNREADABLE, Statement, statements_of

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
        free_links: which links rewrite letters of which nothing is known, see `freedom.py`.
    """

    chain: Chain
    asserted: bool = True
    free_links: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Quoted:
    """A claim and the words that it was read from."""

    claim: LatexClaim | Derivation
    quote: str


class Known:
    """What stands before a step: the equations of the problem and of earlier steps."""

    def __init__(self) -> None:
        self.equations = KnownEquations()
        self.constraints = Constraints()

    def learn(self, text: str) -> None:
        """Take in a text that makes no claims, such as the problem's."""
        self.constraints.hear(text)
        for _, statement in _statements(text):
            self.add(statement, _chain(statement))

    def add(self, statement: Statement, chain: Chain | None) -> None:
        """Take in one statement."""
        if _RELATION.search(statement.text):
            self.constraints.add(statement.text, chain)
        if chain is not None:
            self.equations.add(chain)


def claims_in(text: str, known: Known | None = None) -> Iterator[Quoted]:
    """The claims of one step's text, in order, at most 200. Never raises.

    Args:
        known: what stands before; the equations of this text are added. None: nothing does.
    """
    return islice(_claims(text, Known() if known is None else known), _MAX_CLAIMS)


def _claims(text: str, known: Known) -> Iterator[Quoted]:
    known.constraints.hear(text)
    before: Chain | None = None
    for span, statement in _statements(text):
        chain = _chain(statement)
        if chain is not None:
            asserted = is_asserted(text, span.start, span.end)
            claim = _claim(chain, before if statement.follows and asserted else None, known, asserted=asserted)
            if claim is not None:
                yield Quoted(claim=claim, quote=statement.text.replace(UNREADABLE, "..."))
        known.add(statement, chain)
        before = chain


def _claim(chain: Chain, before: Chain | None, known: Known, *, asserted: bool) -> LatexClaim | Derivation | None:
    equations = tuple(equations_of(chain))
    if len(chain.relations) == 1 and equations and not is_identity(equations[0]):
        return _derivation(equations[0], before, known)
    if not is_claim(chain):
        return None
    return LatexClaim(chain=chain, asserted=asserted, free_links=known.constraints.free_links(chain))


def _derivation(conclusion: Equation, before: Chain | None, known: Known) -> Derivation | None:
    """From what an equation follows: what an arrow points from, or else what is known."""
    for premise in (tuple(equations_of(before)) if before else ())[-1:]:
        if is_solvable(premise, conclusion):
            return Derivation(premise=premise, conclusion=conclusion, joined=True)
    found = known.equations.premise_of(conclusion)
    return Derivation(premise=found, conclusion=conclusion) if found else None


def _statements(text: str) -> Iterator[tuple[Span, Statement]]:
    for span in spans_of(text):
        inside = span.start > 0, span.end < len(text)
        statements = statements_of(span.text) if span.mathematics else _in_prose(span.text, *inside)
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


def _in_prose(text: str, goes_on_before: bool, goes_on_behind: bool) -> Iterator[Statement]:
    """Runs between words that hold a relation and LaTeX bits; sides that are cut short are made unreadable.

    Args:
        text: prose.
        goes_on_before, goes_on_behind: whether a formula stands there, of which the run may be a part.
    """
    position, cut_before = 0, goes_on_before
    for match in (*_WORD.finditer(text), None):
        run = text[position : match.start() if match else len(text)]
        cut_behind = match[0].lower() in _CUTTING if match else goes_on_behind
        if _RELATION.search(run) and _LATEX_BITS.search(run):
            yield Statement(text=_uncut(run, cut_before, cut_behind))
        if match:
            position, cut_before = match.end(), match[0].lower() in _CUTTING


def _uncut(run: str, cut_before: bool, cut_behind: bool) -> str:
    """The run, with what nobody reads on the sides that are not all of what was said."""
    run = run.strip(" `\t")
    cut_before = cut_before or run.startswith(("-", "+"))  # a dash, a bullet, or the end of a sum
    if run.count(")") > run.count("("):  # opened before a word: "(so 2^3 = 8)", "(apples / 20) * 100 = 5 * 4"
        at_end = run.endswith(")")
        run = run[:-1] if at_end else run.partition(")")[2]
        cut_before = cut_before or not at_end
    return f"{UNREADABLE * cut_before}{run}{UNREADABLE * cut_behind}"
