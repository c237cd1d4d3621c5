"""Plain text as tokens: numbers, operators, words, and what separates clauses.

Covered: what `Kind` lists. Currency signs, quotes and Markdown marks are no tokens: they stand between them.
Not covered: meaning; that `x` is a multiplication sign is decided here by what follows it, nothing else is.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from typing import Final

MAX_DIGITS = 30


class Kind:
    """What a token is, the number of its group in the pattern. No enum: these are compared for every token."""

    NUMBER: Final = 1
    WORD: Final = 2
    """Letters; `x` before a number is an operator instead."""
    OPERATOR: Final = 3
    """One of + - * / ^ \u00f7, or ** x X for two of them."""
    EQUAL: Final = 4
    BREAK: Final = 5
    """A clause ends: what stands on one side of it is no operand of the other."""
    OPEN: Final = 6
    CLOSE: Final = 7
    PERCENT: Final = 8
    ABOUT: Final = 9
    """An equals sign that promises no exact value."""
    OTHER: Final = 10
    """Anything else: what stands beside it cannot be read."""


_PATTERN = re.compile(
    r"""
    ((?:[0-9]{1,3}(?:,[0-9]{3})++(?![0-9])|[0-9]++)(?:\.[0-9]++)?|(?<![0-9.])\.[0-9]++)
    |((?:[a-wyzA-WYZ\u00c0-\u00f6\u00f8-\u024f]|[xX](?![\s$]*+(?:[0-9(]|\.[0-9])))
        [a-zA-Z\u00c0-\u00f6\u00f8-\u024f]*+(?:-[a-zA-Z\u00c0-\u00f6\u00f8-\u024f]{2,}+|'[a-zA-Z\u00c0-\u00f6\u00f8-\u024f]++)*+|~)
    |([-+/^\u00f7](?!>)|\*\*(?=[0-9(])(?<=[0-9)]\*\*)|\*\*(?=\s[0-9(])(?<=[0-9)]\s\*\*)|(?<!\*)\*(?!\*)|[xX])
    |((?<![<>!:=])=(?:\s=)?+(?![=>])[\s&]*+)
    |(\n[\s&]*+(?!=)|(?<![0-9])[,:]|,(?![0-9])|:(?![0-9])|\.(?![0-9])|[;?\u2014\u2022]|(?<![0-9)])!|[<>!:]=|=+>?|->|[<>\u2192\u21d2]|&(?!\s*=))
    |([(\[])
    |([)\]])
    |(%)
    |(\u2248)
    |([^\s$\u20ac\u00a3\u00a5\u00a2`"'&*])
    """,
    re.VERBOSE,
)


@dataclass(slots=True, kw_only=True)
class Tokens:
    """The tokens of one text, column by column. Not frozen, for speed: nobody changes it once it is made.

    Attributes:
        kinds: [n], each a `Kind`.
        texts: [n], what was matched.
        matches: [n], where it stands in `source`.
    """

    source: str
    kinds: list[int]
    texts: list[str]
    matches: list[re.Match[str]]

    def tight(self, index: int) -> bool:
        """Whether nothing stands between a token and the one before it."""
        return index > 0 and self.matches[index - 1].end() == self.matches[index].start()


def tokenize(text: str) -> Tokens:
    """Cut a cleaned text into tokens; brackets without a partner on their side of an equation become breaks."""
    matches = list(_PATTERN.finditer(text))
    kinds = [match.lastindex or 0 for match in matches]
    if Kind.OPEN in kinds or Kind.CLOSE in kinds:
        _break_unmatched(kinds)
    return Tokens(source=text, kinds=kinds, texts=[match[0] for match in matches], matches=matches)


def _break_unmatched(kinds: list[int]) -> None:
    """`(5 + 3 = 8)` has an equation inside; `1) 5 + 3` is a list."""
    opened: list[int] = []
    for index, kind in enumerate([*kinds, Kind.EQUAL]):
        if kind == Kind.OPEN:
            opened.append(index)
        elif kind == Kind.CLOSE and opened:
            opened.pop()
        elif kind == Kind.CLOSE:
            kinds[index] = Kind.BREAK
        elif kind in (Kind.EQUAL, Kind.ABOUT, Kind.BREAK):
            for place in opened:
                kinds[place] = Kind.BREAK
            opened.clear()


@lru_cache(maxsize=1 << 16)
def literal(text: str) -> int | Fraction | None:
    """The value of a NUMBER; None past 30 digits."""
    if len(text) > 2 * MAX_DIGITS:
        return None
    whole, _, part = text.replace(",", "").partition(".")
    if len(whole) + len(part) > MAX_DIGITS:
        return None
    if not part:
        return int(whole)
    value = Fraction(int(whole + part), 10 ** len(part))
    return value.numerator if value.denominator == 1 else value
