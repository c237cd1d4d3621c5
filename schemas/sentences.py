"""Where sentences end in written reasoning: prose full of decimals, factorials, list numbers and formulas.

Covered: `.` `!` `?` with closing quotes and brackets, their full-width forms, line ends, blank lines.
Never an end: inside `3.5`; after `e.g.`, `Mr.`, `Fig. 2`; after a list number (`1. `, `(b). `); before a
lower-case letter or an operator (`5! = 120`, `1 + 2 + ... + 9`); inside display formulas, `\\( \\)` and
fenced code. Not covered: initials (`J. Smith` is cut, since `through point A. Then` is commoner here),
languages that write no full stop. Linear in the length of the text, whatever it holds: no pattern here can
backtrack far.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator

# The look-behind lets a match begin only at the head of a run of marks: else "....." costs length squared.
_STOP = re.compile(
    r"""(?P<wide>[\u3002\uff01\uff1f]+)[\u300d\u300f\u201d\u2019]*\s*
        |(?<![.!?\u2026])(?P<mark>[.!?\u2026]+)(?:["'\u201d\u2019\u00bb)\]}*_$]|\\[)\]])*(?:\s+|\Z)""",
    re.VERBOSE,
)
_LINE_END = re.compile("\r\n|[\n\r\x0b\x0c\x85\u2028\u2029]")
_BLANK_LINE = re.compile(f"(?>{_LINE_END.pattern})[ \t]*(?>{_LINE_END.pattern})")
_FENCE = re.compile(r"```|\$\$|\\[\[\]()]")
_CLOSER = {"```": "```", "$$": "$$", "\\[": "\\]", "\\(": "\\)"}

_WORD = re.compile(r"[A-Za-z.]*\Z")
_LIST_NUMBER = re.compile(r"[\s*_#>(\-]*(?:\d{1,3}|[A-Za-z]|[ivxIVX]{1,4})[)*_]*\Z")
_OPERATORS = frozenset("=+*/<>^,;:)]}|\u00d7\u00f7\u00b7\u2264\u2265\u2248")
_ALWAYS_ABBREVIATED = frozenset(["mr", "mrs", "ms", "dr", "prof", "st", "vs", "cf", "e.g", "i.e", "al", "resp"])
# These end a sentence too ("the answer is no."), so they count as abbreviations only before a number.
_BEFORE_NUMBER = frozenset(["no", "nos", "p", "pp", "eq", "eqs", "fig", "figs", "sec", "ch", "vol", "approx", "ca"])
_LONGEST_WORD = 12


def sentence_ends(text: str, *, newlines: bool = True) -> Iterator[int]:
    """Yield the characters at which sentences end, rising for each kind of end but not over all kinds."""
    fences = _fenced(text)
    starts = [start for start, _ in fences]
    lines = _LINE_END if newlines else _BLANK_LINE

    def free(position: int) -> bool:
        index = bisect_right(starts, position) - 1
        return index < 0 or position >= fences[index][1]

    yield from (match.end() for match in lines.finditer(text) if free(match.start()))
    begin = 0
    for match in _STOP.finditer(text):
        if free(match.start()) and (match["wide"] or _ends(text, begin, match)):
            begin = match.end()
            yield begin


def _ends(text: str, begin: int, match: re.Match[str]) -> bool:
    following = text[match.end() : match.end() + 1]
    if not following:
        return True
    if following.islower() or following in _OPERATORS:
        return False
    mark = match["mark"]
    if mark != ".":
        # "5! 3" and "1, 2, ... 10" go on; what follows a question may well begin with a number.
        return mark.endswith("?") or not following.isdigit()
    return not _abbreviated(text, begin, match.start(), following)


def _abbreviated(text: str, begin: int, dot: int, following: str) -> bool:
    word_match = _WORD.search(text, max(begin, dot - _LONGEST_WORD), dot)
    word = word_match[0].lower() if word_match else ""
    if word in _ALWAYS_ABBREVIATED:
        return True
    if word in _BEFORE_NUMBER and (following.isdigit() or following == "("):
        return True
    near = max(begin, dot - _LONGEST_WORD)
    line = text.rfind("\n", near, dot) + 1 or begin
    return line >= near and _LIST_NUMBER.match(text, line, dot) is not None


def _fenced(text: str) -> list[tuple[int, int]]:
    """Spans of formulas and code, found in one pass; an opener that is never closed protects nothing."""
    spans, opened, closer = [], 0, ""
    for match in _FENCE.finditer(text):
        if not closer:
            opened, closer = match.start(), _CLOSER.get(match[0], "")
        elif match[0] == closer:
            spans.append((opened, match.end()))
            closer = ""
    return spans
