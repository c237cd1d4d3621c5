r"""What the words around an equation say: that it is not asserted, or that its numbers are of another kind.

Words are a weak sign and used one way only: they keep a finding of `fails` back and never cause one. Covered: English,
and the commonest Chinese words of denial. Not covered: a denial more than a sentence away.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

BEFORE: Final = 160
AFTER: Final = 160
"""Characters that are looked at on each side."""

_DENIED_BEFORE: Final = re.compile(
    r"\b(?:false|untrue|incorrect\w*|wrong\w*|mistak\w*|suppos(?:e|ing)|assum(?:e|ing)|pretend\w*|imagin(?:e|ing)|testing"
    r"|whether|guess\w*|contradict\w*|cannot)\b|(?:\bnot|n't)\s+(?:the\s+case|true|correct|right|say|that)\b"
    r"|\btr(?:y|ies|ying|ied)\s+[a-z]\s*=|\b(?:if|not|never|says?|said|claim(?:s|ed)?|thinks?|thought|believe[sd]?|tr(?:y|ied|ying))"
    r"(?:\s+that)?[\s:,$\"']*$|\u9519|\u5e76\u975e|\u5047\u8bbe",
    re.IGNORECASE,
)
_WANTED: Final = re.compile(r"\b(?:needs?|wants?|requires?|should|must|would|hop(?:e|es|ing))\b", re.IGNORECASE)
_BUT: Final = re.compile(r"\b(?:but|however|yet|actually|instead)\b", re.IGNORECASE)
_DENIED_AFTER: Final = re.compile(
    r"\b(?:false|untrue|incorrect\w*|wrong\w*|mistaken?|contradict\w*|impossible|absurd|invalid|inconsistent|fails?|error)\b"
    r"|\b(?:do|does|did|is|are|was|can|could)(?:\s*not|n't)\s+(?:\w+\s+)?(?:hold|true|correct|right|work|possible|valid|so"
    r"|match|fit|satisf\w+|equal|the\s+case)\b"
    r"|\?|\u9519|\u4e0d\u5bf9|\u4e0d\u6b63\u786e|\u4e0d\u6210\u7acb",
    re.IGNORECASE,
)
_REJECTED: Final = re.compile(
    r"^\W*(?:no|nope|not|false|wrong|incorrect|that(?:'s| is) (?:not|wrong|false))\b", re.IGNORECASE
)
_ANY: Final = re.compile(
    "|".join([_DENIED_BEFORE.pattern.replace("*$", "*"), _DENIED_AFTER.pattern, _BUT.pattern, r"\b(?:no|nope)\b"]), re.I
)
_SENTENCE: Final = re.compile(r"[.!?](?=\s|$)|\n")

_SYSTEM: Final = re.compile(
    r"\bbase[\s_-]{0,3}(?:[2-9]|1[0-6]|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|sixteen)\b"
    r"|\b(?:binary|octal|hexadecimal|ternary)\b|\bmod(?:ulo|ulus|ular\s+arithmetic)?\b|\\[bp]?mod\b"
    r"|\b(?:units?|ones|last|final|tens|rightmost)['\s-]{1,3}(?:place\s)?(?:two\s)?digits?\b"
    r"|\\mathbb\s*\{?\s*[FZ]\s*\}?\s*(?:_|/)|\bGF\s*\(|\b[ZF]_\{?[0-9]"
    r"|\b(?:this|new|strange|special|following)\s+(?:number\s+)?(?:system|operat(?:ion|or)|arithmetic)\b"
    r"|\bdefin\w+[^.\n]{0,30}\boperat(?:ion|or)|\boperat(?:ion|or)\b[^.\n]{0,40}\bdefin",
    re.IGNORECASE,
)
_REDEFINED: Final = re.compile(
    r"(?<![a-z\\])([a-z])\s{0,3}(?:[-+*/^@#&\u2217\u2295\u2297\u00d7]|\\[a-z]{2,12}\s)\s{0,3}[a-z]\s{0,3}="
    r"(?:(?!\s(?:and|or|for|where|if|is)\b)[^=\n,;]){0,60}?(?<![a-z])\1(?![a-z])"
)
"""Let a * b = a^2 + b."""
_CLOCK: Final = re.compile(r"[0-9]\s{0,3}[ap]\.?m\b|o'clock|\bmidnight\b|\bnoon\b", re.IGNORECASE)


# What each pattern cannot do without: looking for these first takes a tenth of the pattern's time.
_DENIALS: Final = [
    "if",
    "no",
    "n't",
    "try",
    "tries",
    "tried",
    "say",
    "said",
    "claim",
    "think",
    "thought",
    "believe",
    "but",
    "however",
    "yet",
    "actually",
    "instead",
    "false",
    "untrue",
    "incorrect",
    "wrong",
    "mistak",
    "suppos",
    "assum",
    "pretend",
    "imagin",
    "testing",
    "whether",
    "guess",
    "contradict",
    "cannot",
    "never",
    "impossible",
    "absurd",
    "invalid",
    "inconsistent",
    "fail",
    "error",
    "?",
    "错",
    "并非",
    "假设",
    "不对",
    "不正确",
    "不成立",
]
_SYSTEMS: Final = [
    "base",
    "binary",
    "octal",
    "hexadecimal",
    "ternary",
    "mod",
    "digit",
    "mathbb",
    "gf",
    "z_",
    "f_",
    "system",
    "operat",
    "arithmetic",
]
_TIMES: Final = ["am", "pm", "a.m", "p.m", "o'clock", "midnight", "noon"]


def _finds(pattern: re.Pattern[str], text: str, needed: Sequence[str]) -> bool:
    small = text.lower()
    return any(word in small for word in needed) and pattern.search(text) is not None


def may_be_denied(text: str) -> bool:
    """Whether a text holds any word of denial or trial: where not, `is_asserted` is true of all its parts."""
    return _finds(_ANY, text, _DENIALS)


def is_asserted(text: str, start: int, end: int) -> bool:
    """Whether nothing around `text[start:end]` says that it is tried, asked, supposed, quoted or denied."""
    before = _SENTENCE.split(text[max(0, start - BEFORE) : start])[-1]
    rest = text[end : end + AFTER]
    stop = _SENTENCE.search(rest)
    behind, following = (rest[: stop.end()], rest[stop.end() :]) if stop else (rest, "")
    if _DENIED_BEFORE.search(before) or _DENIED_AFTER.search(behind) or _REJECTED.match(following):
        return False
    return not (_WANTED.search(before) and _BUT.search(behind))


def names_clock(text: str) -> bool:
    """Whether times of the day are named, whose differences are not those of numbers."""
    return _finds(_CLOCK, text, _TIMES)


def names_system(text: str) -> bool:
    """Whether another base, a modulus, single digits or an operation of the text's own are spoken of."""
    return _finds(_SYSTEM, text, _SYSTEMS)


def redefines(text: str) -> bool:
    """Whether a problem gives an operation a meaning of its own: a * b = a^2 + b."""
    return _REDEFINED.search(text) is not None
