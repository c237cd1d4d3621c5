"""What the words around a formula say about it: is it asserted, tried, denied, or being rewritten?

Words are a weak sign and used one way only: they can keep a finding of `fails` back, never cause one. English, and a
few words of Chinese.
"""

from __future__ import annotations

import re
from typing import Final

BEFORE: Final = 160
AFTER: Final = 160
"""Characters that are looked at on each side."""

_DOUBTED_BEFORE = re.compile(
    r"\b(?:if|suppos\w*|need(?!\s+to\b)|errors?|assum\w*|not|never|test\w*|try\w*|check\w*|whether|guess\w*|contradict\w*|would|impossible|false"
    r"|incorrect\w*|wrong\w*|mistake\w*|instead|unless|cannot|should)\b|n't\b"
    r"|\u82e5|\u5047\u8bbe|\u9519\u8bef|\u4e0d\u662f|\u4e0d\u7b49\u4e8e",
    re.IGNORECASE,
)
_DOUBTED_AFTER = re.compile(
    r"\b(?:not|contradict\w*|impossible|false|incorrect\w*|wrong\w*|mistake\w*|fails?|invalid|cannot|never|inconsistent"
    r"|error|untrue|absurd|no\s+solutions?)\b|n't\b|\?|\bno[,.!]"
    r"|[\u2717\u2718\u274c]|\u9519\u8bef|\u4e0d\u662f|\u4e0d\u7b49\u4e8e",
    re.IGNORECASE,
)
_OTHER_RULES = re.compile(
    r"\\mathbb\s*\{?[ZF]\}?\s*(?:_|/)|[\u2124\U0001d53d]\s?[_/\u2080-\u2089]|\bmod(?:ul\w*)?\b|\\[pb]mod|congruen\w*|\bcharacteristic"
    r"|\b(?:units?|ones|last)\s+digits?|\b(?:binary|ternary|octal|hexadecimal)\b|\bbases?[-\s]{1,2}\$?(?:\d|ten\b|[a-z]\b\$?)"
    r"|\bin\s+this\s+(?:system|ring|field)\b|(?<!of )\boperations?\b|\boperator"
    r"|\b([a-z])\s*(?:[*/@#]|\\(?:ast|star|cdot|times|div|circ|oplus|otimes)\b)\s*[a-z]\s*=[^=$]{0,80}?\b\1\b",
    re.IGNORECASE,
)
_OTHER_PI = re.compile(
    r"(?:\\pi\b|\bpi\b|\u03c0)\$?\s*(?:=|\\approx|\u2248|\b(?:is|as|be|to be)\b)\s*\$?\s*(?:3|22|\\[dt]?frac\s*\{22)"
)
_SENTENCE = re.compile(r"[.?!]\s|\n\s*\n")


def is_asserted(text: str, start: int, end: int) -> bool:
    """Whether nothing around `text[start:end]` says that it is tried, supposed or denied."""
    before = _SENTENCE.split(text[max(0, start - BEFORE) : start])[-1]
    return not _DOUBTED_BEFORE.search(before) and not _DOUBTED_AFTER.search(text[end : end + AFTER])


def has_other_rules(text: str) -> bool:
    """Whether a text speaks of residues, digits, bases or operators of its own: `3 * 5 = 1` may be right there."""
    return _OTHER_RULES.search(text) is not None


def has_other_pi(text: str) -> bool:
    """Whether a text gives a value to use for pi."""
    return _OTHER_PI.search(text) is not None
