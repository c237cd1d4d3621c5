"""What the words of plain text say that those of formulas do not: what is wanted and not so, and times of the day.

Denial, supposition and the like: `text.assertion`. Bases, residues and operations of a text's own: `text.systems`.
"""

from __future__ import annotations

import re
from typing import Final

from steplabel.verifiers.text.assertion import doubting
from steplabel.verifiers.text.hints import holds_any

_DOUBTING: Final = doubting(
    before=r"(?:\bnot|n't)\s+(?:the\s+case|true|correct|right|say|that)\b|\btr(?:y|ies|ying|ied)\s+[a-z]\s*="
    r"|\b(?:if|not|never|says?|said|claim(?:s|ed)?|thinks?|thought|believe[sd]?|tr(?:y|ied|ying))(?:\s+that)?[\s:,$\"']*$",
    behind=r"\b(?:do|does|did|is|are|was|can|could)(?:\s*not|n't)\s+(?:\w+\s+)?(?:hold|true|correct|right|work|possible"
    r"|valid|so|match|fit|satisf\w+|equal|the\s+case)\b",
    stop=r"(?<!\bi\.e)(?<!\be\.g)[.!?](?=\s|$)|\n",
    hints="if n't try tries tried say said claim think thought believe but however yet actually instead never",
)
"""A plain "not" or "if" doubts only what it stands directly before: the apples that are not red are 10 - 4 = 6."""
_WANTED: Final = re.compile(r"\b(?:needs?|wants?|requires?|should|must|would|hop(?:e|es|ing))\b", re.IGNORECASE)
_UNEQUAL: Final = re.compile(r"(?:\bnot|n't|\bnever|\bno longer)\s+(?:be\s+)?=", re.IGNORECASE)
_BUT: Final = re.compile(r"\b(?:but|however|yet|actually|instead)\b", re.IGNORECASE)
_CLOCK: Final = re.compile(r"[0-9]\s{0,3}[ap]\.?m\b|o'clock|\bmidnight\b|\bnoon\b", re.IGNORECASE)
_TIMES: Final = ("am", "pm", "a.m", "p.m", "o'clock", "midnight", "noon")

may_be_denied = _DOUBTING.may_doubt


def is_asserted(text: str, start: int, end: int) -> bool:
    """Whether nothing around `text[start:end]` says that it is tried, asked, supposed, wanted in vain or denied."""
    if not _DOUBTING.is_asserted(text, start, end) or _UNEQUAL.search(text, start, end):
        return False
    wanted = _WANTED.search(_DOUBTING.sentence_before(text, start))
    return not (wanted and _BUT.search(_DOUBTING.sentence_behind(text, end)))


def names_clock(text: str) -> bool:
    """Whether times of the day are named, whose differences are not those of numbers."""
    return holds_any(text, _TIMES) and _CLOCK.search(text) is not None
