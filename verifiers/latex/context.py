"""What the words around a formula say about it: is it asserted, tried, denied, or being rewritten?

Words are a weak sign and used one way only: they can keep a finding of `fails` back, never cause one. English only.
"""

from __future__ import annotations

import re
from typing import Final

BEFORE: Final = 160
AFTER: Final = 160
"""Characters that are looked at on each side."""

_DOUBTED_BEFORE = re.compile(
    r"\b(?:if|suppose|assum\w*|not|never|test\w*|try\w*|check\w*|whether|guess\w*|contradict\w*|would|impossible|false"
    r"|incorrect\w*|wrong\w*|mistake\w*|instead|unless|cannot|should)\b|n't\b",
    re.IGNORECASE,
)
_DOUBTED_AFTER = re.compile(
    r"\b(?:not|contradict\w*|impossible|false|incorrect\w*|wrong\w*|mistake\w*|fails?|invalid|cannot|never|inconsistent"
    r"|error|untrue|absurd|no\s+solutions?)\b|n't\b|\?",
    re.IGNORECASE,
)
_SENTENCE = re.compile(r"[.?!]\s|\n\s*\n")


def is_asserted(text: str, start: int, end: int) -> bool:
    """Whether nothing around `text[start:end]` says that it is tried, supposed or denied."""
    before = _SENTENCE.split(text[max(0, start - BEFORE) : start])[-1]
    return not _DOUBTED_BEFORE.search(before) and not _DOUBTED_AFTER.search(text[end : end + AFTER])
