r"""Where mathematics stands in a text.

Covered: `$..$`, `$$..$$`, `\(..\)`, `\[..\]`, the environments of amsmath that hold equations, and the prose between
them. Not covered: what is inside, see `statements.py`. A `$` before an amount of money opens nothing.
Linear: every character is looked at a bounded number of times.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

MAX_TEXT = 50_000

_ENVIRONMENTS = "align|aligned|alignat|equation|gather|gathered|multline|eqnarray|split|flalign"
_OPENING = re.compile(rf"\\\\|\\\$|\\\(|\\\[|\$\$|\$|\\begin\{{(?:{_ENVIRONMENTS})\*?\}}")
_CLOSING = {r"\(": r"\)", r"\[": r"\]", "$$": "$$", "$": "$"}
_DOLLAR = re.compile(r"(?<!\\)\$")
_SKIPPED = frozenset({"\\\\", r"\$"})
_PROSE = re.compile(r"(?<![\\a-zA-Z])[a-zA-Z]{3,}+(?=[ ,.])")


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """A part of a text, without its delimiters.

    Attributes:
        mathematics: False for the prose between.
        start, end: where it stands in the text, delimiters included.
    """

    text: str
    mathematics: bool
    start: int
    end: int


def spans_of(text: str) -> Iterator[Span]:
    """Cut a text into mathematics and prose, in order. Nothing for one that is longer than any step."""
    if len(text) > MAX_TEXT:
        return
    position = prose = 0
    lost: set[str] = set()  # what is not closed once is closed nowhere behind: looked for once
    while opening := _OPENING.search(text, position):
        position = opening.end()
        closing = _closing_of(opening[0])
        if opening[0] in _SKIPPED or closing in lost:
            continue
        end = _find(closing, text, position)
        if end < 0:
            lost.add(closing)
            continue
        content = text[position:end]
        if closing == "$" and _is_money(content):
            continue
        if prose < opening.start():
            yield Span(text=text[prose : opening.start()], mathematics=False, start=prose, end=opening.start())
        position = prose = end + len(closing)
        yield Span(text=content, mathematics=True, start=opening.start(), end=position)
    if prose < len(text):
        yield Span(text=text[prose:], mathematics=False, start=prose, end=len(text))


def _find(closing: str, text: str, position: int) -> int:
    if closing != "$":
        return text.find(closing, position)
    found = _DOLLAR.search(text, position)
    return found.start() if found else -1


def _closing_of(opening: str) -> str:
    if opening.startswith(r"\begin"):
        return opening.replace("begin", "end", 1)
    return _CLOSING.get(opening, "")


def _is_money(content: str) -> bool:
    """`$5 for the book and $6`: an amount, then words; formulas hold words only inside braces."""
    return content[:1].isdigit() and _PROSE.search(content[:200]) is not None
