r"""Text cut into the signs of mathematics, LaTeX or plain, within bounds.

Covered: ASCII digits with thousands separators (`1,234`, `1{,}234`, `1\,234`), letters, LaTeX commands, operators,
Unicode operators and superscripts. What only spaces or sizes (`\,`, `\left`, `\displaystyle`) is dropped.
Not covered (OTHER): words, digits of other scripts, control and format characters, what stands in no formula.
One pass, linear in the length of the text.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum, auto
from itertools import pairwise

MAX_CHARS = 2_000
MAX_TOKENS = 400


class Kind(Enum):
    """What a token is."""

    NUMBER = auto()
    LETTERS = auto()
    COMMAND = auto()
    WORDS = auto()
    r"""What stood in `\text{}`."""
    SIGN = auto()
    OTHER = auto()
    """A word, or a character that stands in no formula: what holds it cannot be read."""
    END = auto()


@dataclass(frozen=True, slots=True)
class Token:
    r"""One sign.

    Attributes:
        text: as printed; a command without its backslash; thousands separators and spaces taken off.
        spaced: whether a space stood before it.
        start, end: where it stood in the text.
    """

    kind: Kind
    text: str
    spaced: bool
    start: int
    end: int


_TOKEN = re.compile(
    r"(?P<space>(?:\s|~|\\[ ,;:!]|\\q?quad(?![a-zA-Z])|\\(?:displaystyle|textstyle|limits|left\.|right\.)(?![a-zA-Z])"
    r"|\\(?:left|right|[bB]igg?[lr]?)(?![a-zA-Z]))+)"
    r"|(?P<number>(?:\d{1,3}(?:(?:,|\{,\}|\\,)\d{3})+(?!\d)|\d+)(?:\.\d+)?|\.\d+)"
    r"|(?P<words>\\(?:text(?:bf|it|rm|normal)?|mbox|mathrm|operatorname)\s*\{[^{}\\$]{0,60}\})"
    r"|(?P<command>\\(?:[a-zA-Z]+|[%$|{}]))"
    r"|(?P<letters>[A-Za-z]+)"
    r"|(?P<sign><=|>=|(?<=\s)!=|\*\*|[-+*/^_=<>()\[\]{}|!%',&\u00d7\u00f7\u00b7\u22c5\u2212\u2215\u2044\u2264\u2265\u2260\u2248"
    r"\u00b0\u03c0\u221a\u00b2\u00b3\u00b9\u2070\u2074-\u2079\u2261])"
    r"|(?P<other>.)",
    re.ASCII | re.DOTALL,
)
_SUPERSCRIPTS = "\u2070\u00b9\u00b2\u00b3\u2074\u2075\u2076\u2077\u2078\u2079"
_MEANT = {
    "\u00d7": "times",
    "\u00f7": "div",
    "\u00b7": "cdot",
    "\u22c5": "cdot",
    "\u2264": "le",
    "\u2265": "ge",
    "\u2260": "ne",
    "\u2248": "approx",
    "\u2261": "equiv",
    "\u00b0": "degree",
    "\u03c0": "pi",
    "\u221a": "sqrt",
    "<=": "le",
    ">=": "ge",
    "!=": "ne",
    "**": "^",
    "\u2212": "-",
    "\u2215": "/",
    "\u2044": "/",
}
_PLAIN_COMMANDS = frozenset({"sqrt", "pi", "sin", "cos", "tan", "log", "ln", "gcd", "lcm", "max", "min"})
_OPERATORS = frozenset({"gcd", "lcm", "max", "min"})
_BARS = frozenset({"lvert", "rvert", "vert"})
_SHORT_WORDS = """
    an and are as at be but by can cm cot csc cup deg det dim do exp few for ft gm go had has he hr if ii iii in inf is
    it iv kg km lb lim lit me ml mm mod mph my no nor not now of old on one or oz per rad sec so sq sum sup the to two
    up us via was we yes
"""
_NO_PRODUCTS = frozenset(_SHORT_WORDS.split())
"""And units: everything else of two letters is a product."""
_CONTENT = re.compile(r"\{(.*)\}", re.DOTALL)


def tokens_of(text: str) -> tuple[Token, ...] | None:
    """Cut a text into tokens, an END last; None if it is too long.

    Small letters stand alone, a run of capitals stays together; words and foreign characters are OTHER.
    """
    if len(text) > MAX_CHARS:
        return None
    found: list[Token] = []
    position, spaced = 0, False
    while match := _TOKEN.match(text, position):
        position = match.end()
        if match.lastgroup == "space":
            spaced = True
            continue
        if len(found) >= MAX_TOKENS:
            return None
        found.extend(_made(match, spaced=spaced))
        spaced = False
    found.append(Token(Kind.END, "", spaced, len(text), len(text)))
    return tuple(found)


def _made(match: re.Match[str], *, spaced: bool) -> list[Token]:
    text = match[0]
    start, end = match.span()
    if match.lastgroup == "letters":
        return _letters(text, spaced, start)
    kind, text = _KINDS[match.lastgroup or ""](text)
    return [Token(kind, text, spaced, start, end)]


def _letters(text: str, spaced: bool, start: int) -> list[Token]:
    end = start + len(text)
    if text in _PLAIN_COMMANDS:
        return [Token(Kind.COMMAND, text, spaced, start, end)]
    if len(text) == 1 or (text.isupper() and len(text) <= 6):
        return [Token(Kind.LETTERS, text, spaced, start, end)]
    ordered = all(a < b for a, b in pairwise(text)) and len(text) <= 4  # abc, wxyz
    if (len(text) > 2 and not ordered) or text.lower() in _NO_PRODUCTS:
        return [Token(Kind.OTHER, text, spaced, start, end)]
    return [
        Token(Kind.LETTERS, letter, spaced and not index, start + index, start + index + 1)
        for index, letter in enumerate(text)
    ]


def _number(text: str) -> tuple[Kind, str]:
    return Kind.NUMBER, re.sub(r"[^\d.]", "", text)


def _words(text: str) -> tuple[Kind, str]:
    content = _CONTENT.search(text)
    word = content[1].strip() if content else ""
    known = not text.startswith(r"\operatorname") or word in _OPERATORS
    return (Kind.WORDS if known else Kind.OTHER), word


def _command(text: str) -> tuple[Kind, str]:
    return (Kind.SIGN, "|") if text[1:] in _BARS else (Kind.COMMAND, text[1:])


def _sign(text: str) -> tuple[Kind, str]:
    if text in _SUPERSCRIPTS:
        return Kind.SIGN, f"^{_SUPERSCRIPTS.index(text)}"
    meant = _MEANT.get(text, text)
    return (Kind.COMMAND, meant) if meant[0].isalpha() else (Kind.SIGN, meant)


def _other(text: str) -> tuple[Kind, str]:
    return Kind.OTHER, text


_KINDS = {"other": _other, "number": _number, "words": _words, "command": _command, "sign": _sign}
