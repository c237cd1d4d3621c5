r"""Claims in the text of one step: chains of relations of which something could be decided.

Covered: statements in LaTeX, and those between words of a sentence that hold LaTeX or powers ("so 3^8 = 6561").
Equations that say again what an equation before said, see `equations.py`.
Not covered: definitions (`x = 5`, `3 = 3`), conditions (`2x = 10`), what cannot be read: they make no claim. Plain
arithmetic in sentences is another verifier's.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice, pairwise
from typing import TypeAlias

from steplabel.verifiers.expressions.ast import is_atom, names_of
from steplabel.verifiers.expressions.reading import Chain, Side, read_chain
from steplabel.verifiers.latex.context import has_other_pi, is_asserted
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
from steplabel.verifiers.latex.statements import UNREADABLE, Statement, is_ratio, statements_of
from steplabel.verifiers.text.systems import PLAIN, System, system_of

_RELATION = re.compile(r"[=<>\u2248\u2264\u2265]|\\(?:approx|leq?|geq?|equiv|neq?)(?![a-zA-Z])")
_WORD = re.compile(r"(?<![\\a-zA-Z])(?!(?:sqrt|pi|sin|cos|tan|log|ln|gcd|lcm)\b)[a-zA-Z]{2,}+|[.;:?!,](?=\s|$)|\n|\*\*")
_LATEX_BITS = re.compile(r"\\[a-zA-Z]|[*^!]|[\u00b2\u00b3\u221a\u00d7\u00f7\u00b7\u03c0]")
_CUTTING_WORDS = """
    of than times by half twice per plus minus less more and or to from with between least most over away
    off thrice double triple quadruple square cube third thirds quarter quarters percent multiplied divided subtracted
"""
_CUTTING = frozenset(_CUTTING_WORDS.split())
"""A word before the first side, or behind the last, that may belong to what it says."""
_OPERATORS = frozenset("+*/-\u2212\u00d7\u00f7\u00b7")
_NUMBERED = re.compile(r"[0-9]|\s?\(?[0-9]{1,9}[-\u2212\u2013][0-9]{1,9}\)?\s?=")
_REACHED = re.compile(r"[0-9]%?\s(?:[a-z]{1,12}\s)?[a-z]{1,12}$")
_TELLING = re.compile(
    r"\b(?:is|are|was|were|ha[sd]|have|gets?|makes?|equals?|costs?|gives?|means?|so|then|thus|hence)\b"
)
_MAX_REACH = 30
_CONCLUDING = re.compile(r"\b(?:so|thus|hence|then|therefore|giv\w+|get|means?|impl\w+)\b|[.?!]\s", re.IGNORECASE)
_MAX_CLAIMS = 200
_MAX_BEHIND = 80


@dataclass(frozen=True, slots=True, kw_only=True)
class LatexClaim:
    """What is decided.

    Attributes:
        asserted: whether nothing around it says that it is tried, supposed or denied.
        free_links: which links rewrite letters of which nothing is known, see `freedom.py`.
        system: of which number systems the words before speak.
        other_pi: whether they give a value for pi.
        behind: what the text goes on with behind the chain.
        prose: whether it stands among the words of a sentence, and in no formula.
    """

    chain: Chain
    asserted: bool = True
    free_links: frozenset[int] = frozenset()
    system: System = PLAIN
    other_pi: bool = False
    behind: str = ""
    prose: bool = False


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
        self.system = PLAIN
        self.other_pi = False

    def hear(self, text: str) -> None:
        """Take in the words of a text."""
        self.constraints.hear(text)
        self.system |= system_of(text)
        self.other_pi = self.other_pi or has_other_pi(text)

    def learn(self, text: str) -> None:
        """Take in a text that makes no claims, such as the problem's."""
        self.hear(text)
        self.system |= system_of(text, defining=True)
        for statement in _statements(text):
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
    known.hear(text)
    statements = [(statement, _chain(statement)) for statement in _statements(text)]
    free = _free_behind(statements)
    for index, (statement, chain) in enumerate(statements):
        if chain is not None:
            asserted = is_asserted(text, statement.start, statement.end)
            joined = statement.follows and asserted and not _has_cases(text, statements, index)
            claim = _claim(chain, statements[index - 1][1] if joined else None, known, asserted=asserted)
            if isinstance(claim, LatexClaim):
                claim = replace(
                    claim,
                    free_links=claim.free_links & free[index],
                    behind=statement.behind,
                    prose=statement.prose,
                )
            if claim is not None:
                yield Quoted(claim=claim, quote=statement.text.replace(UNREADABLE, "..."))
        known.add(statement, chain)


_Stated: TypeAlias = "Sequence[tuple[Statement, Chain | None]]"


def _free_behind(statements: _Stated) -> list[frozenset[int]]:
    """Which links are free for all that the statements behind say."""
    behind, found = Known(), []
    for statement, chain in reversed(statements):
        found.append(frozenset() if chain is None else behind.constraints.free_links(chain))
        behind.add(statement, chain)
    return found[::-1]


def _has_cases(text: str, statements: _Stated, index: int) -> bool:
    """Whether the premise or the conclusion of an arrow is one of several: `x = 2 or x = 3`."""
    before = index > 1 and not statements[index - 1][0].follows and _are_cases(text, statements, index - 2)
    behind = index + 1 < len(statements) and not statements[index + 1][0].follows
    return before or (behind and _are_cases(text, statements, index))


def _are_cases(text: str, statements: _Stated, index: int) -> bool:
    """Whether a statement and its next are equations in the same letter, without a word of conclusion between."""
    (one, left), (other, right) = statements[index], statements[index + 1]
    if left is None or right is None or _CONCLUDING.search(text[one.end : other.start]):
        return False
    letters = [
        {name for equation in equations_of(chain) for name in names_of(equation.left) | names_of(equation.right)}
        for chain in (left, right)
    ]
    return bool(letters[0] & letters[1])


def _claim(chain: Chain, before: Chain | None, known: Known, *, asserted: bool) -> LatexClaim | Derivation | None:
    equations = tuple(equations_of(chain))
    if len(chain.relations) == 1 and equations and not is_identity(equations[0]):
        return _derivation(equations[0], before, known)
    if not is_claim(chain):
        return None
    return LatexClaim(
        chain=chain,
        asserted=asserted,
        free_links=known.constraints.free_links(chain),
        system=known.system,
        other_pi=known.other_pi,
    )


def _derivation(conclusion: Equation, before: Chain | None, known: Known) -> Derivation | None:
    """From what an equation follows: what an arrow points from, or else what is known."""
    for premise in (tuple(equations_of(before)) if before else ())[-1:]:
        if is_solvable(premise, conclusion):
            return Derivation(premise=premise, conclusion=conclusion, joined=True, system=known.system)
    found = known.equations.premise_of(conclusion)
    return Derivation(premise=found, conclusion=conclusion, system=known.system) if found else None


def _statements(text: str) -> Iterator[Statement]:
    """Each statement with its place: its own in prose, else that of the formula it stands in."""
    for span in spans_of(text):
        if span.mathematics:
            yield from _in_formula(span, text[span.end : span.end + _MAX_BEHIND])
            continue
        for found in _in_prose(span.text, span.start > 0, span.end < len(text)):
            end = span.start + found.end
            behind = text[end : end + _MAX_BEHIND]
            yield replace(found, start=span.start + found.start, end=end, behind=behind, prose=True)


def _in_formula(span: Span, behind: str) -> Iterator[Statement]:
    """The statements of a formula; what stands behind it belongs to the last."""
    found = [replace(statement, start=span.start, end=span.end) for statement in statements_of(span.text)]
    if found and not found[-1].behind:
        found[-1] = replace(found[-1], behind=behind)
    yield from found


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
        cut_before = cut_before or _goes_on(text, position) or _is_named(text, position) or _is_reached(text, position)
        if _RELATION.search(run) and _LATEX_BITS.search(run):
            yield Statement(text=_uncut(run, cut_before, cut_behind), start=position, end=position + len(run))
        if match:
            position, cut_before = match.end(), match[0].lower() in _CUTTING or _is_spaced_ratio(text, match)


def _goes_on(text: str, position: int) -> bool:
    """Whether a line begins here, and the one before ends with an operator."""
    return (
        text[max(0, position - 1) : position] == "\n"
        and text[max(0, position - 9) : position].rstrip()[-1:] in _OPERATORS
    )


def _is_named(text: str, position: int) -> bool:
    """`Rows 1-5 = ...`, `Year1 * 1.05 = ...`: a word, then numbers that are part of a name."""
    return text[max(0, position - 1) : position].isalpha() and _NUMBERED.match(text, position) is not None


def _is_reached(text: str, position: int) -> bool:
    """`20 under 3 * 40 = ...`: words between a number and the first side may join them."""
    before = text[max(0, position - _MAX_REACH) : position]
    return _REACHED.search(before) is not None and _TELLING.search(before) is None


def _is_spaced_ratio(text: str, match: re.Match[str]) -> bool:
    """`2^2 : 4`, but not `Step 2: 4`."""
    return text[match.start() - 1 : match.start()] == " " and is_ratio(text, match)


def _uncut(run: str, cut_before: bool, cut_behind: bool) -> str:
    """The run, with what nobody reads on the sides that are not all of what was said."""
    run = run.strip(" `\t")
    cut_before = cut_before or run.startswith(("-", "+", "\u2212"))  # a dash, a bullet, or the end of a sum
    if run.count(")") > run.count("("):  # opened before a word: "(so 2^3 = 8)", "(apples / 20) * 100 = 5 * 4"
        at_end = run.endswith(")")
        run = run[:-1] if at_end else run.partition(")")[2]
        cut_before = cut_before or not at_end
    return f"{UNREADABLE * cut_before}{run}{UNREADABLE * cut_behind}"
