r"""Whether a text asserts what stands in it: not if it is tried, supposed, asked, estimated, quoted or denied.

Words are a weak sign and used one way only: they keep a finding of `fails` back and never cause one. Covered: English,
and the commonest Chinese words of denial and supposition, in the same sentence and in a next one that speaks of it
("No.", "This is impossible."). Not covered: a denial further away; irony; who is quoted.

What is said here holds for plain sentences and for formulas alike. A verifier adds words that mean a doubt only in the
texts that it reads.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from steplabel.verifiers.text.hints import holds_any

BEFORE = 160
AFTER = 160
"""Characters that are looked at on each side."""

_WRONG = r"false|untrue|incorrect\w*|wrong\w*|mistak\w*|contradict\w*"
_BEFORE = (
    rf"\b(?:{_WRONG}|suppos(?:e|ing)|assum(?:e|ing)|pretend\w*|imagin(?:e|ing)|testing|whether|guess\w*|cannot)\b"
    r"|\b(?:about|approximately|roughly|around|nearly|almost)[\s:($\\\[]*$"
    r"|\u9519|\u5e76\u975e|\u5047\u8bbe|\u82e5|\u4e0d\u662f|\u4e0d\u7b49\u4e8e"
)
_BEHIND = (
    rf"\b(?:{_WRONG}|impossible|absurd|invalid|inconsistent|fails?|error)\b"
    r"|^[^.;?!\n]{0,40}?\b(?:approximately|roughly|or so|round(?:ed|ing)|estimat\w+)\b"
    r"|\?|[\u2717\u2718\u274c]|\u9519|\u4e0d\u5bf9|\u4e0d\u6b63\u786e|\u4e0d\u6210\u7acb|\u4e0d\u662f|\u4e0d\u7b49\u4e8e"
)
_REJECTION = re.compile(r"\W*(?:no|nope|not|false|wrong|incorrect)\b", re.IGNORECASE)
_REMARK = re.compile(
    r"\W*(?:(?:so|but|and|hence|thus|however),?\s+)?(?:this|that|it|which|these|we\s+have|a\s+contradiction)\b",
    re.IGNORECASE,
)
_REFUTED = re.compile(
    r"\b(?:contradict\w*|impossible|absurd|false|incorrect|wrong|inconsistent)\b"
    r"|(?:\bnot|n't)\s+(?:be\b|hold|possible|true|correct|right|valid|work|the\s+case)|\bcannot\s+(?:be|hold|happen|work)\b",
    re.IGNORECASE,
)
_DENYING = re.compile(
    rf"\b(?:{_WRONG}|not|never|cannot|impossible|invalid|absurd|whether|rather|instead)\b|n't\b|\?", re.IGNORECASE
)
_SENTENCE_END = re.compile(r"(?<=[.!?])\s|\n")
_HINTS = """
    false untrue incorrect wrong mistak contradict suppos assum pretend imagin testing whether guess cannot about approx
    roughly around nearly almost impossible absurd invalid inconsistent fail error round estimat ? no \u2717 \u2718
    \u274c \u9519 \u5e76\u975e \u5047\u8bbe \u82e5 \u4e0d
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Doubting:
    """The words that keep what stands among them from being asserted; see `doubting`.

    Attributes:
        before, behind: what is looked for in the sentence, on either side of what it states.
        stop: where a sentence ends.
        hints: small texts without which none of these words can stand in a text.
    """

    before: re.Pattern[str]
    behind: re.Pattern[str]
    stop: re.Pattern[str]
    hints: tuple[str, ...]

    def may_doubt(self, text: str) -> bool:
        """Whether any of the words may stand in a text: where not, `is_asserted` is true of all its parts."""
        return holds_any(text, self.hints)

    def is_asserted(self, text: str, start: int, end: int) -> bool:
        """Whether nothing around `text[start:end]` speaks against it."""
        behind, following = self._behind(text, end)
        if self.before.search(self.sentence_before(text, start)) or self.behind.search(behind):
            return False
        remark, _ = self._cut(following)
        return not (_REJECTION.match(remark) or (_REMARK.match(remark) and _REFUTED.search(remark)))

    def sentence_before(self, text: str, start: int) -> str:
        """What stands in the same sentence before a place."""
        return self.stop.split(text[max(0, start - BEFORE) : start])[-1]

    def sentence_behind(self, text: str, end: int) -> str:
        """What stands in the same sentence behind a place."""
        return self._behind(text, end)[0]

    def _behind(self, text: str, end: int) -> tuple[str, str]:
        return self._cut(text[end : end + AFTER])

    def _cut(self, text: str) -> tuple[str, str]:
        found = self.stop.search(text)
        return (text[: found.end()], text[found.end() :]) if found else (text, "")


def doubting(*, before: str, behind: str, stop: str, hints: str = "") -> Doubting:
    """The words that everybody doubts at, and those of one kind of text.

    Args:
        before, behind: patterns of further words, in regular expressions that take linear time.
        stop: the pattern at which a sentence ends.
        hints: of the further words, for `Doubting.may_doubt`; without them it is no safe question.
    """
    return Doubting(
        before=re.compile(f"{_BEFORE}|{before}", re.IGNORECASE),
        behind=re.compile(f"{_BEHIND}|{behind}", re.IGNORECASE),
        stop=re.compile(stop),
        hints=("or so", *f"{_HINTS} {hints}".split()),
    )


def is_denied(text: str, start: int, end: int) -> bool:
    """Whether any word of the sentence of `text[start:end]` denies or asks: more than keeps it from being asserted.

    Nothing that comes later should rest on what stands there: "not both x = 1 and y = 2" is a denial of either.
    """
    before = _SENTENCE_END.split(text[max(0, start - BEFORE) : start])[-1]
    behind = _SENTENCE_END.split(text[end : end + AFTER], maxsplit=1)[0]
    return _DENYING.search(before) is not None or _DENYING.search(behind) is not None
