r"""Which letters are free: no equation has been stated about them, so that a rewriting of them must be an identity.

The rule. In a chain `A = B = C`, a link between two compound sides in the same letters rewrites one into the other. If
it is not an identity, it is wrong, unless something known about the letters makes it true (with x^2 = x + 1,
x^3 = x^2 + x = 2x + 1 is right). So it fails only if no equation that was read so far, in the problem or the steps,
speaks of its letters. Exempt are equations of which one side holds all letters of the link, and the other side others
only (`S = a + b`, `f(x) = ...`): they name what the letters make and say nothing about them.
Not free in any case: names of segments and angles (geometry speaks of them without equations), letters in equations
that cannot be read, sides with absolute values or roots, chains that state a condition, and everything behind words
such as "root" or "modulo" that stand for equations. "The sum of a and b is 1" binds its letters. "Since" and "equal"
give a reason or an equation in words: they bind all letters of their text, and in later ones those of their sentence.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from itertools import pairwise

from steplabel.schemas import Verdict
from steplabel.verifiers.expressions.ast import Apply, Name, Operator, Relation, Term, is_atom, names_of, parts
from steplabel.verifiers.expressions.decision import decide
from steplabel.verifiers.expressions.reading import Chain
from steplabel.verifiers.latex.spans import spans_of

_WORDS = re.compile(
    r"\b(?:unity|roots?|zeros?|modul\w*|mod|remainder|congruen\w*|digits?|complex|characteristic|equilateral)\b",
    re.IGNORECASE,
)
_BINDING_WORDS = re.compile(r"\b(since|equal)\b", re.IGNORECASE)
_FIGURE = r"\$?-?(?:[0-9]|one\b|two\b|three\b|zero\b)"
_COMBINED = r"(?:sum|product|difference|quotient|ratio|mean|average|square|reciprocal)s?"
_STATING_WORDS = re.compile(
    rf"\b{_COMBINED}\s[^.?!]{{0,60}}?\b(?:is|are|be|equals?|was|were|to)\s{_FIGURE}"
    rf"|\b(?:have|has|having|with)\s(?:an?\s|the\s)?{_COMBINED}\s(?:of\s)?{_FIGURE}"
    rf"|\breciprocals\b|\b(?:differ\sby|adds?\s(?:up\s)?to|sums?\sto|multipl(?:y|ies)\sto)\s{_FIGURE}",
    re.IGNORECASE,
)
"""An equation in words: the sum of a and b is 1, two numbers have product 1."""
_SENTENCE = re.compile(r"[.?!]\s|\n\s*\n")
_ARTICLES = frozenset({"a", "A", "I"})
_FUNCTION = re.compile(r"\s*+[A-Za-z](?:_\w|'{1,3})?\s*(?:\\left)?\((?:[^()=]|\([^()=]*\))*\)\s*=")
_LETTER = re.compile(r"(?<!\\)(?<![a-zA-Z])[a-zA-Z](?![a-zA-Z])|\\[a-zA-Z]+")
_PRODUCT = re.compile(r"(?<!\\)(?<![a-zA-Z])[a-zA-Z]{2,4}(?![a-zA-Z])")
_MAX_STATEMENTS = 400
_BRANCHING = frozenset(
    {Operator.SINE, Operator.COSINE, Operator.TANGENT, Operator.LOGARITHM, Operator.ABSOLUTE, Operator.ROOT}
)


@dataclass(slots=True)
class Constraints:
    """What has been stated about letters so far."""

    _pairs: list[tuple[frozenset[str], frozenset[str]]] = field(default_factory=list)
    _unread: set[str] = field(default_factory=set)
    _everything: bool = False
    _everything_here: bool = False

    def hear(self, text: str) -> None:
        """Take in the words of a text, before its statements are asked for."""
        self._everything = self._everything or _WORDS.search(text) is not None
        self._everything_here = _BINDING_WORDS.search(text) is not None
        for sentence in _SENTENCE.split(text) if self._everything_here or _STATING_WORDS.search(text) else ():
            self._bind(sentence)

    def _bind(self, sentence: str) -> None:
        """A sentence may state an equation in words: of the letters that it names, or if it names none, of any."""
        words = {found[1].lower() for found in _BINDING_WORDS.finditer(sentence)}
        stated = _STATING_WORDS.search(sentence)
        if words or stated:
            letters = _named_in(sentence if words or stated is None else sentence[: stated.end()])
            self._unread |= letters
            self._everything = self._everything or ((stated is not None or "equal" in words) and not letters)

    def add(self, statement: str, chain: Chain | None) -> None:
        """Take in a statement that holds a relation; `chain` is None if it cannot be read."""
        if len(self._pairs) >= _MAX_STATEMENTS:
            self._everything = True
        unread = chain is None or any(side.term is None for side in chain.readings[0])
        if unread and not _FUNCTION.match(statement):
            self._unread |= _letters(statement)
        if chain is not None:
            self._pairs.extend(_stated(chain))

    def free_links(self, chain: Chain) -> frozenset[int]:
        """Links of a chain that rewrite free letters; its own equations in other letters count as stated."""
        if _is_condition(chain):
            return frozenset()
        own = _stated(chain)
        sides = chain.readings[0]
        return frozenset(
            index
            for index, relation in enumerate(chain.relations)
            if len(chain.relations) > 1
            and relation is Relation.EQUAL
            and not chain.congruent[index]
            and self._is_free(sides[index].term, sides[index + 1].term, own)
        )

    def _is_free(self, left: Term | None, right: Term | None, own: list[tuple[frozenset[str], frozenset[str]]]) -> bool:
        if (
            self._everything
            or self._everything_here
            or left is None
            or right is None
            or is_atom(left)
            or is_atom(right)
        ):
            return False
        names = names_of(left)
        if not names or names != names_of(right) or names & self._unread or any(map(_is_figure, names)):
            return False
        if any(
            isinstance(part, Apply) and part.operator in _BRANCHING for side in (left, right) for part in parts(side)
        ):
            return False
        return not any(_speaks_of(names, *pair) for pair in (*self._pairs, *own))


def _named_in(sentence: str) -> set[str]:
    """Letters of its formulas, and those that stand alone among its words."""
    spans = list(spans_of(sentence))
    found = {letter for span in spans if not span.mathematics for letter in _LETTER.findall(span.text)} - _ARTICLES
    return found.union(*(_letters(span.text) for span in spans if span.mathematics))


def _letters(text: str) -> set[str]:
    """Letters that stand alone or in short products, and commands."""
    return {name.lstrip("\\") for name in _LETTER.findall(text)}.union(*_PRODUCT.findall(text))


def _is_condition(chain: Chain) -> bool:
    """`2x + 1 = 3x - 2 = x + 4` or `a/b = b/c = k`: no link rewrites, or a new letter at the end names the value."""
    sides = [side.term for side in chain.readings[0]]
    last = sides[-1]
    names = [frozenset() if side is None else names_of(side) for side in sides]
    if isinstance(last, Name) and not any(last.name in before for before in names[:-1]):
        return True
    links = [(one, other) for one, other in pairwise(sides) if one is not None and other is not None]
    shared = [(one, other) for one, other in links if names_of(one) == names_of(other) and names_of(one)]
    ends = last is not None and is_atom(last)
    if not ends and len(shared) < len(sides) - 1:
        return False
    return all(decide(Relation.EQUAL, *link).verdict is not Verdict.HOLDS for link in shared)


def _stated(chain: Chain) -> list[tuple[frozenset[str], frozenset[str]]]:
    """The letters on both sides of each link that is no rewriting: of a chain, or alone."""
    sides = chain.readings[0]
    found = []
    for index in range(len(chain.relations)):
        left, right = sides[index].term, sides[index + 1].term
        if left is None or right is None:
            continue
        names = names_of(left), names_of(right)
        if (names[0] or names[1]) and not _is_rewriting(left, right, alone=len(chain.relations) == 1):
            found.append(names)
    return found


def _is_rewriting(left: Term, right: Term, *, alone: bool) -> bool:
    if names_of(left) != names_of(right) or is_atom(left) or is_atom(right):
        return False
    return not alone or decide(Relation.EQUAL, left, right).verdict is Verdict.HOLDS


def _speaks_of(names: frozenset[str], left: frozenset[str], right: frozenset[str]) -> bool:
    if not names & (left | right):
        return False
    defining = left and right and not left & right and (names <= left or names <= right)
    return not defining


def _is_figure(name: str) -> bool:
    return " " in name or (len(name) > 1 and name.isupper())
