r"""Statements in a piece of mathematics: rows put together, lists taken apart, marks taken off.

Covered: rows at `\\`, where one that begins with a relation or a sign, or stands behind a sign, goes on with the row
before; commas, semicolons, arrows and joining words between statements; `\tag`, remarks in `\text`, full stops;
`(\text{mod } n)`.
Not covered: matrices and cases, which make their side unreadable.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

UNREADABLE: Final = "\u25a1"
"""Stands for what is not read; no token matches it."""

_BLOCKS = re.compile(r"\\(begin|end)\{([a-z]*(?:matrix|array|cases)\*?)\}")
_ALIGNING = re.compile(
    r"\\(?:begin|end)\{(?:align(?:ed|at)?|equation|gather(?:ed)?|split|multline|eqnarray|flalign)\*?\}|(?<!\\)&"
    r"|\\(?:nonumber|notag|displaystyle|allowbreak)(?![a-zA-Z])|\\(?:tag|label)\*?\{[^{}]*\}"
)
_MODULUS = re.compile(
    r"\(\s*(?:\\(?:text|mathrm|operatorname)\s*\{\s*mod(?:ulo)?\s*\}|\\?b?mod(?:ulo)?)"
    r"(?:\\[ ,;]|\s|~)*+([0-9a-zA-Z]{1,9})\s*\)"
)
_WORD_MODULUS = re.compile(r"\\(?:text|mathrm|operatorname)\s*\{\s*mod\s*\}")
_ROW = re.compile(r"\\\\(?:\[[^\[\]]{0,10}\])?+|\n\s*\n")
_CONTINUES = re.compile(
    r"\s*+(?:[=<>\u2248\u2264\u2265]|\\(?:approx|leq?|geq?|equiv|neq?)(?![a-zA-Z])|[+*]|\\(?:cdot|times)(?![a-zA-Z]))"
)
_UNFINISHED = re.compile(r"(?:[-+*]|\\(?:cdot|times|div))\s*$")
_JOINS = re.compile(
    r"\\(?:(?:Long)?[Rr]ightarrow|implies|iff|(?:Long)?[Ll]eftrightarrow|to|therefore|because|qquad|quad|land|lor|mid)"
    r"(?![a-zA-Z])(?!\s?\\pmod)|\\text\s*\{[^{}]{0,60}?\b(?:and|or|so|where|if|for|since|because|then|thus|with|when|gives|hence|by|is)\b"
    r"[^{}]{0,60}\}|[,;:](?:\s|\\[ ,;]|$)|[\u21d2\u2192\u21d4\u2234]|\n"
)
_ARROW = re.compile(r"\\(?:Long)?[Rr]ightarrow|\\implies|[\u21d2\u2192]")
_RATIO_BEFORE = frozenset("0123456789})")
_RATIO_BEHIND = re.compile(r"[0-9(]|\\(?:[dtc]?frac|left)")
_BLANKS = re.compile(r"\s{2,}")
_ENDS = " \t\r\n.,;~\\"
_MAX_STATEMENT = 2_000
_MAX_BEHIND = 80


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """One statement.

    Attributes:
        follows: whether an arrow points to it from the statement before.
        behind: what the text goes on with.
        prose: whether it stands among the words of a sentence.
        start, end: where it stands in the text that it was read from; both 0 if that is not known.
    """

    text: str
    follows: bool = False
    behind: str = ""
    prose: bool = False
    start: int = 0
    end: int = 0


def statements_of(mathematics: str) -> Iterator[Statement]:
    """Each statement of a piece of mathematics, in order."""
    text = _ALIGNING.sub(" ", _without_blocks(_BLANKS.sub(_blank, mathematics)))
    text = _WORD_MODULUS.sub(r"\\bmod ", _MODULUS.sub(r"\\pmod{\1}", text))
    for row in _rows(text):
        for statement, follows, behind in _apart(row):
            tidy = statement.strip().rstrip(_ENDS)
            if tidy and len(tidy) <= _MAX_STATEMENT:
                yield Statement(text=tidy, follows=follows, behind=behind)


def _blank(match: re.Match[str]) -> str:
    """Long runs of blanks would make every pattern behind slow."""
    return "\n\n" if match[0].count("\n") > 1 else " "


def _without_blocks(text: str) -> str:
    """Matrices and cases replaced by a sign that nobody reads: their rows and commas are none of ours."""
    kept, depth, position = [], 0, 0
    for match in _BLOCKS.finditer(text):
        if match[1] == "begin":
            if depth == 0:
                kept.append(text[position : match.start()] + UNREADABLE)
            depth += 1
        elif depth:
            depth -= 1
        position = match.end() if depth == 0 else position
    return "".join(kept) + ("" if depth else text[position:])


def _rows(text: str) -> Iterator[str]:
    current = ""
    for row in _ROW.split(text):
        if current and (_CONTINUES.match(row) or _UNFINISHED.search(current[-20:])):
            current = f"{current.rstrip(_ENDS)} {row}"
            continue
        yield current
        current = row
    yield current


def _apart(row: str) -> Iterator[tuple[str, bool, str]]:
    """Cut a row at joints outside all brackets; whether an arrow stands before each part, and what stands behind it."""
    depth, counted, start, follows = 0, 0, 0, False
    for match in _JOINS.finditer(row):
        depth += _opened(row, counted, match.start())
        counted = match.start()
        if depth == 0 and not is_ratio(row, match):
            yield row[start : match.start()], follows, row[match.start() : match.start() + _MAX_BEHIND]
            start, follows = match.end(), _ARROW.fullmatch(match[0]) is not None
    yield row[start:], follows, ""


def is_ratio(text: str, joint: re.Match[str]) -> bool:
    r"""Whether a joint is the colon of `3 : 4`, and separates nothing."""
    before, behind = text[: joint.start()].rstrip(" "), text[joint.end() :].lstrip(" ")
    return joint[0][0] == ":" and before[-1:] in _RATIO_BEFORE and _RATIO_BEHIND.match(behind) is not None


def _opened(text: str, start: int, end: int) -> int:
    """How many brackets more are opened than closed."""
    part = text[start:end]
    return sum(part.count(c) for c in "([{") - sum(part.count(c) for c in ")]}")
