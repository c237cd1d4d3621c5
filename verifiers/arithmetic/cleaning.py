r"""A step's text as the tokenizer wants it: ASCII signs, no calculator marks, the simplest LaTeX taken off.

Covered: `<<48/2=24>>` (dropped: a calculator filled it in, so it is no evidence), Unicode operators, vulgar fractions
and superscripts, full-width digits, `\times \cdot \div \$ \% \text{} \frac{}{} \boxed{}`, math delimiters
(what is displayed becomes a line of its own).
Not covered: any other LaTeX command; it stays in the text, and what stands beside it is then not read.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from typing import Final

from steplabel.verifiers.text.notation import has_foreign_digits, is_clean

MAX_CHARS = 4_000
"""No step of a person or model is longer; every bound below it follows from this one."""

_MARK = re.compile(r"<<[^<>]*>>")
_SIGNS = {
    "\u00d7": "*",
    "\u2715": "*",
    "\u2217": "*",
    "\u00b7": "*",
    "\u22c5": "*",
    "\uff0c": ", ",  # between statements, not in a number
    "\u3001": ", ",
    "\uff1b": "; ",
    "\uff1a": ": ",
    "\u3002": ". ",
    "\u2044": "/",
    "\u2215": "/",
    "\u2212": "-",
    "\u2010": "-",
    "\u2011": "-",
    "\u2013": "-",
    "\u2248": "\u2248",
    "\u2245": "\u2248",
    "\u2018": "'",
    "\u2019": "'",
    "\u201c": '"',
    "\u201d": '"',
    "\u2026": "...",
    "\u00b2": "^2",
    "\u00b3": "^3",
}
_WORDS = (
    ("{,}", re.compile(r"\{,\}"), ","),
    ("equal", re.compile(r"\b(?:equals|equal to)\b"), "="),
    ("ed by", re.compile(r"\bdivided by\b"), "/"),
    ("ed by", re.compile(r"\bmultiplied by\b"), "*"),
    ("ke away", re.compile(r"(?<=[0-9]\s)take away(?=\s[0-9(])"), "-"),
    ("cent", re.compile(r"\bper ?cent\b"), "%"),
    ("..", re.compile(r"(?<=[0-9])\.{3,}(?=\s*%)"), ""),  # 16.66...%
)
"""A part of the text without which there is nothing to replace, the pattern, and what it becomes."""


def _mixed(fraction: re.Match[str]) -> str:
    """Behind a number, a proper fraction is part of it, and another one a factor."""
    top, bottom = fraction.groups()
    if int(top) < int(bottom):
        return f" {top}/{bottom}"
    return f"{' ' * (fraction[0][0] == ' ')}(({top})/({bottom}))"


_LATEX: Final[tuple[tuple[re.Pattern[str], str | Callable[[re.Match[str]], str]], ...]] = (
    (re.compile(r"\\\\|\\(?:newline|implies|Rightarrow|rightarrow|to|quad|qquad)(?![a-zA-Z])"), "\n"),
    (re.compile(r"\\(?:begin|end)\s*\{(?:align|aligned|equation|gather|gathered|split|cases)\*?\}"), "\n"),
    (re.compile(r"\\(?:begin|end)\s*\{[a-z*]*\}"), " @ "),  # what stands in a matrix is not read
    (re.compile(r"\\(?:text|textbf|mathrm|mathbf|mbox|boxed|fbox)\s*\{([^{}\\]*)\}"), r" \1 "),
    (re.compile(r"\\(?:times|cdot)(?![a-zA-Z])"), " * "),
    (re.compile(r"\\div(?![a-zA-Z])"), " \u00f7 "),
    (re.compile(r"\\approx(?![a-zA-Z])"), " \u2248 "),
    (re.compile(r"\\(?:left|right)(?![a-zA-Z])"), ""),  # f\left(2) is a function, too
    (re.compile(r"\\[\[\]]"), "\n"),  # displayed formulas are no parts of one another
    (re.compile(r"\\[()!,;: ]"), " "),
    (re.compile(r"\\([$%])"), r"\1"),
    (re.compile(r"\^\s*\{\s*([0-9]{1,3})\s*\}"), r"^\1"),
    (re.compile(r"(?<=[0-9])[ ]?\\[dt]?frac\s*\{\s*([0-9]{1,9})\s*\}\s*\{\s*([0-9]{1,9})\s*\}"), _mixed),
    (re.compile(r"\\[dt]?frac\s*\{([^{}\\]*)\}\s*\{([^{}\\]*)\}"), r"((\1)/(\2))"),
)


def cleaned(text: str) -> str | None:
    """The text to be read; None if it holds control or format characters, or digits of other scripts.

    Linear in the text's length, which the caller bounds.
    """
    if "<<" in text:
        text = _MARK.sub("", text)
    if not is_clean(text):
        return None
    if not text.isascii():
        text = "".join([character if character < "\x7f" else _ascii(character) for character in text])
        if has_foreign_digits(text):
            return None
    for part, pattern, replacement in _WORDS:
        if part in text:
            text = pattern.sub(replacement, text)
    if "$$" in text:
        text = text.replace("$$", "\n")
    if "\\" in text:
        for pattern, becomes in _LATEX:
            text = pattern.sub(becomes, text)
    return text


def _ascii(character: str) -> str:
    if character in _SIGNS:
        return _SIGNS[character]
    folded = unicodedata.normalize("NFKC", character)
    if "\u2044" in folded:  # one half, not 1 2
        return f" {folded.replace(chr(0x2044), '/')} "
    return character if unicodedata.decomposition(character).startswith(("<super>", "<sub>", "<circle>")) else folded
