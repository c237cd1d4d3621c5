r"""Equations and inequalities with letters, found in plain or LaTeX text. What is not surely whole is not read.

Covered: runs of numbers, single letters, operators and brackets around `=`, `<`, `>` or `\approx`, and LaTeX between
dollars or brackets; chains give one formula for each relation. Not covered: formulas in words ("twice x is 10"), names
of several letters in plain text, congruences, texts that can be read in two ways, and formulas without a letter, which
exact arithmetic decides. A run that words belong to on either side ("half of x = 10", "x = 5 times as many") is left
out.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from steplabel.verifiers.expressions.ast import Comparison, names_of
from steplabel.verifiers.expressions.reading import Chain, read_chain
from steplabel.verifiers.latex.context import is_asserted
from steplabel.verifiers.latex.spans import spans_of
from steplabel.verifiers.latex.statements import statements_of
from steplabel.verifiers.text.assertion import is_denied
from steplabel.verifiers.text.dimensions import is_measured

MAX_TEXT = 20_000
"""Characters of one step or problem; what stands behind them is not read."""
MAX_FORMULAS = 64
"""Of one text."""

_CALCULATOR = re.compile(r"<<[^<>]{0,200}>>")
_PIECE = r"\d(?:\d|,(?=\d\d\d))*(?:\.\d+)?|\.\d+|(?<![A-Za-z])[A-Za-z](?![A-Za-z'])"
_SIGNS = r"[-+*/^()=<>$%\u2264\u2265\u2248\u00d7\u00f7\u00b7\u2212\u2013\u00b2\u00b3]"
_RUN = re.compile(rf"(?:(?:{_PIECE}|{_SIGNS})[ \t]*)+")
_RELATION = re.compile(r"[=<>\u2264\u2265\u2248]")
_LETTER = re.compile(r"(?<![A-Za-z])[A-Za-z](?![A-Za-z])")
_DANGLING = re.compile(r"[-+*/^(<=>\u00d7\u00f7\u00b7\u2212\u2013]$")
_HEADLESS = re.compile(r"^(?:[+*/^)<=>%\u00d7\u00f7\u00b7]|[-\u2212\u2013][ \t])")
_ARTICLE = re.compile(r"^(?:[aAI][ \t]+(?=[\w$(]))+")
_WORD_BEFORE = re.compile(r"([A-Za-z%]+|[\d)])[ \t]*$")
_WORDS_BEHIND = re.compile(r"[ \t]*([^.;:!?\n]{0,200})")
_SCALES = frozenset({"half", "dozen", "hundred", "thousand", "million", "percent", "twice", "times", "per", "of"})
_REACHING_ON = _SCALES | {
    *("third", "quarter", "thrice", "double", "triple", "minus", "plus", "by", "over", "squared", "cubed"),
    *("and", "or", "to", "from", "less", "more", "than"),
}
"""Words that take what stands behind them into their own meaning."""
_REACHING_BACK = _SCALES | {
    *("more", "less", "fewer", "each", "as", "for", "plus", "minus", "squared", "cubed", "over"),
    *("divided", "multiplied"),
}
"""Words that change what stands before them."""
_JOINING = frozenset({"and", "so", "then", "which", "that", "thus", "hence", "therefore", "because", "since", "where"})
_NEXT_CLAUSE = re.compile(rf",| (?:{'|'.join(sorted(_JOINING))}) ")
_COMPUTING = re.compile(r"[\d=<>+*/^\u00d7\u00f7]")
_SUPPOSING = re.compile(
    r"\b(?:when|case|were|say|either|or|let's|set|setting|plug\w*|substitut\w*|root|roots)\b",
    re.IGNORECASE,
)
_CLAUSE = re.compile(r"[.;:\n]")
_VALUE_LEADS_ON = re.compile(
    r"(?<![\w)*/+^-])(?<![\d)*/+^-][ \t])[A-Za-z][ \t]{0,2}=[ \t]{0,2}-?[\d./]{1,12}[ \t$]{0,3}"
    r"(?:[\u2192\u21d2\u27f9]|[-=]>|\\(?:to|implies|(?:long)?[Rr]ightarrow)\b)"
)
"""A value before an arrow: one case of several ("n = 1 -> n^2 + 1 = 2")."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TextFormula:
    """One comparison as it was read.

    Attributes:
        asserted: no word in front of it or behind it says that it is tried, asked or denied ("x = 10 is impossible").
        denied: a word of its sentence denies or asks it: it is nothing that what comes later can rest on.
        supposed: its clause holds a word such as "if" or "would", or its line is a case: it may be a mere supposition.
        measured: a unit stands in it or right behind it.
    """

    comparison: Comparison
    names: frozenset[str]
    quote: str
    asserted: bool
    denied: bool
    supposed: bool
    measured: bool


def formulas_in(text: str) -> tuple[TextFormula, ...]:
    """All comparisons with a letter, in the order of the text. Never raises; time is linear in the length."""
    cleaned = _CALCULATOR.sub("", text[:MAX_TEXT])
    found: list[TextFormula] = []
    for start, end, formula in _candidates(cleaned):
        chain = read_chain(formula)
        if chain is not None:
            found += _comparisons(chain, formula, cleaned, start, end)
        if len(found) >= MAX_FORMULAS:
            break
    return tuple(found[:MAX_FORMULAS])


def _comparisons(chain: Chain, quote: str, text: str, start: int, end: int) -> Iterator[TextFormula]:
    if len(chain.readings) != 1 or any(chain.congruent):
        return
    sides = chain.readings[0]
    if any("%" in side.units or "percent" in side.units for side in sides):
        return
    asserted, denied = is_asserted(text, start, end), is_denied(text, start, end)
    supposed = _is_supposed(text, start) or _is_case(text, start, end)
    measured = is_measured(text, end) or any(side.units for side in sides)
    for index, relation in enumerate(chain.relations):
        left, right = sides[index].term, sides[index + 1].term
        if left is None or right is None:
            continue
        names = names_of(left) | names_of(right)
        if names:
            yield TextFormula(
                comparison=Comparison(relation, left, right),
                names=names,
                quote=quote.strip(),
                asserted=asserted,
                denied=denied,
                supposed=supposed,
                measured=measured,
            )


def _candidates(text: str) -> Iterator[tuple[int, int, str]]:
    """Where formulas may stand, and what they are. Dollars of a text without LaTeX commands may well be money."""
    if "\\" not in text:
        yield from _plain(text, 0, len(text))
        return
    for span in spans_of(text):
        if span.mathematics:
            yield from ((span.start, span.end, statement.text) for statement in statements_of(span.text))
        else:
            yield from _plain(text, span.start, span.end)


def _plain(text: str, start: int, end: int) -> Iterator[tuple[int, int, str]]:
    for match in _RUN.finditer(text, start, end):
        run = _trimmed(match[0])
        if run is None:
            continue
        before = text[max(start, match.start() - 40) : match.start()]
        behind = text[match.end() : min(end, match.end() + 200)]
        if not _belongs_to_words(before, behind, match[0]):
            yield match.start(), match.end(), run


def _trimmed(run: str) -> str | None:
    """A run without articles and marks at its ends; None if it is no whole formula with a letter."""
    run = _ARTICLE.sub("", run.strip()).replace("$", "").rstrip(" \t,")
    if not _RELATION.search(run) or not _LETTER.search(run):
        return None
    if _DANGLING.search(run) or _HEADLESS.search(run):
        return None
    return run


def _belongs_to_words(before: str, behind: str, run: str) -> bool:
    word = _WORD_BEFORE.search(before)
    if word is not None and (word[1].lower() in _REACHING_ON or not word[1].isalpha()):
        return True
    rest = _WORDS_BEHIND.match(behind)
    words = rest[1] if rest else ""
    first = re.match(r"[A-Za-z]+", words)
    if first is None:
        return bool(words[:1]) and words[0] not in ",)'\""
    if first[0].lower() in _JOINING:
        return False
    if run[-1:] not in " \t":  # 5kg, x2y: a letter belongs to what stands before it
        return True
    clause = _NEXT_CLAUSE.split(words, maxsplit=1)[0]
    return first[0].lower() in _REACHING_BACK or _COMPUTING.search(clause) is not None


def _is_supposed(text: str, start: int) -> bool:
    """Whether the words around a formula suppose, try or deny it."""
    if not is_asserted(text, start, start):
        return True
    return _SUPPOSING.search(_CLAUSE.split(text[max(0, start - 120) : start])[-1]) is not None


def _is_case(text: str, start: int, end: int) -> bool:
    line = text.rfind("\n", max(0, start - 200), start) + 1
    behind = text.find("\n", end, end + 200)
    return _VALUE_LEADS_ON.search(text, max(line, start - 200), behind if behind >= 0 else end + 200) is not None
