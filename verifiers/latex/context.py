"""What the words around a formula say that those around plain arithmetic do not: cases, checks, a value for pi.

Denial, supposition and the like: `text.assertion`. Bases, residues and operations of a text's own: `text.systems`.
"""

from __future__ import annotations

import re
from typing import Final

from steplabel.verifiers.text.assertion import doubting

_DOUBTING: Final = doubting(
    before=r"\b(?:if|suppos\w*|assum\w*|need(?!\s+to\b)|errors?|not|never|test\w*|try\w*|check\w*|would|impossible|instead"
    r"|unless|should)\b|n't\b",
    behind=r"\b(?:not|cannot|never|no\s+solutions?)\b|n't\b|\bno[,.!]",
    stop=r"(?<!\bi\.e)(?<!\be\.g)[.?!]\s|\n(?:[ \t]*+\n)++(?![ \t]*[a-z])",
)
"""Among formulas a plain "not", "if" or "check" is about them."""
_OTHER_PI: Final = re.compile(
    r"(?:\\pi\b|\bpi\b|\u03c0)\$?\s*(?:=|\\approx|\u2248|\b(?:is|as|be|to be)\b)\s*\$?\s*(?:3|22|\\[dt]?frac\s*\{22)"
)

_REFUTED_INSIDE: Final = re.compile(
    r"\\text\w{0,2}\s*\{[^{}]{0,60}?\b(?:no|not|false|impossible|invalid|contradiction|reject\w*|extraneous)\b"
    r"|[\u2717\u2718\u274c\u2715\u2716\u22a5]|\\bot\b|\\neq?(?![a-z])|\\Rightarrow\s*(?:\\!)*\s*\\Leftarrow"
)
"""Within one display: a sign or remark that takes back what its rows say."""


def is_asserted(text: str, start: int, end: int) -> bool:
    """Whether nothing around the formula `text[start:end]`, or in it, says that it is tried, supposed or denied."""
    return _REFUTED_INSIDE.search(text, start, end) is None and _DOUBTING.is_asserted(text, start, end)


def has_other_pi(text: str) -> bool:
    """Whether a text gives a value to use for pi."""
    return _OTHER_PI.search(text) is not None
