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
_CORRECTED = (
    r"wait(?=\s?[,.!\u2014-])|oops|typo|should\s+(?:be|have\s+been)|instead|let\s+me\s+re\w+"
    r"|re(?:comput|calculat|check)\w*"
)
_REFUSED = r"reject\w*|discard\w*|extraneous|violat\w*|rul(?:e[sd]?|ing)\s+(?:\w+\s+)?out|no\s+(?:good|such|solutions?)"
_BEFORE = (
    rf"\b(?:{_WRONG}|suppos(?:e|ing)|assum(?:e|ing)|pretend\w*|imagin(?:e|ing)|testing|whether|guess\w*|cannot"
    r"|tempt\w*|claim(?:s|ed)?|according\s+to|might\s+(?:think|say|write|compute)|otherwise|or\s+else"
    r"|(?:instead|rather)\s+(?:of|than)|would\s+(?:imply|require)|(?:i|we)\s+(?:(?:first|initially|had)\s+)?(?:said|wrote"
    r"|thought)|doesn't\s+work|oops|typo)\b|~~[^~\n]*$"
    r"|\b(?:about|approximately|roughly|around|nearly|almost)[\s:($\\\[]*$"
    r"|\u9519|\u5e76\u975e|\u5047\u8bbe|\u82e5|\u4e0d\u662f|\u4e0d\u7b49\u4e8e"
)
_BEHIND = (
    rf"\b(?:{_WRONG}|{_CORRECTED}|{_REFUSED}|impossible|absurd|invalid|inconsistent|fails?|error|actually"
    r"|too\s+(?:low|high|small|large|big|much|many|few)"
    r"|(?:not|n't)\s+(?:possible|satisf\w+|met|equal|on|an?\s+(?:solution|root))|(?:can't|cannot)\s+(?:be|exist|happen))\b"
    r"|^[^.;?!\n]{0,40}?\b(?:approximately|roughly|or so|round(?:ed|ing)|estimat\w+)\b"
    r"|^(?:[\s\d$\\()\[\]{}.:;,*|+/^%\u2192\u21d2-]|text\w{0,2}\{|q?quad\b){0,40}(?:\bno\b|\b[fx](?=\)))"
    r"|\?|[\u2717\u2718\u274c\u2715\u2716\u22a5\U0001f6ab]|\\bot\b|\\Rightarrow\s*(?:\\!)*\s*\\Leftarrow"
    r"|\u9519|\u4e0d\u5bf9|\u4e0d\u6b63\u786e|\u4e0d\u6210\u7acb|\u4e0d\u662f|\u4e0d\u7b49\u4e8e"
)
_REJECTION = re.compile(
    rf"\W*(?:(?:so|but|and),?\s+)?(?:no|nope|not|false|wrong|incorrect|contradiction|impossible|absurd|invalid|sorry|hmm+|{_CORRECTED}"
    r"|(?:it\s+)?(?:doesn't|does\s+not)|too\s+(?:low|high|small|large|big|much|many|few))\b",
    re.IGNORECASE,
)
_REMARK = re.compile(
    r"\W*(?:(?:so|but|and|hence|thus|however|therefore|since|because),?\s+)?(?:this|that|it|which|these|our|no|there"
    r"|the\s+(?:assumption|case|claim|equation|left|right|sides?|supposition)|we(?:'ve|\s+(?:have|get|see|reach\w*))"
    r"|a\s+contradiction)\b",
    re.IGNORECASE,
)
_REFUTED = re.compile(
    rf"\b(?:contradict\w*|impossible|absurd|false|incorrect|wrong|inconsistent|mistake|error|{_REFUSED}|should\s+be)\b"
    r"|(?:\bnot|n't)\s+(?:be\b|hold|possible|true|correct|right|valid|work|equal|exist|the\s+case)"
    r"|\bcannot\s+(?:be|hold|happen|work|exist)\b",
    re.IGNORECASE,
)
_UNEQUAL = re.compile(
    r"\W*(?:but|since|as|because|however|yet|so|hence|thus)\b[^.;!?\n]{0,60}?(?:\u2260|\\neq?(?![a-z])|\bextraneous)",
    re.IGNORECASE,
)
"""The next sentence sets apart what the last one equated: "But 9 \u2260 10"."""
_HINTS = """
    false untrue incorrect wrong mistak contradict suppos assum pretend imagin testing whether guess cannot about approx
    roughly around nearly almost impossible absurd invalid inconsistent fail error round estimat ? no \u2717 \u2718
    \u274c \u2715 \u2716 \u22a5 \U0001f6ab \\bot leftarrow \u9519 \u5e76\u975e \u5047\u8bbe \u82e5 \u4e0d tempt claim
    initially accord might otherwise else instead rather would said wrote thought n't can't oops typo ~~ wait should
    recomput recalculat recheck reject discard extraneous violat actually too sorry hmm \u2260 \\ne f) x)
"""
_DENYING = re.compile(
    rf"\b(?:{_WRONG}|not|never|cannot|impossible|invalid|absurd|whether|rather|instead)\b|n't\b|\?", re.IGNORECASE
)
_SENTENCE_END = re.compile(r"(?<=[.!?])\s|\n")


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
        if _REJECTION.match(remark) or _UNEQUAL.match(remark):
            return False
        return not (_REMARK.match(remark) and _REFUTED.search(remark))

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
    found = {"or so", "let me", "rule", "ruling", *f"{_HINTS} {hints}".split()}
    return Doubting(
        before=re.compile(f"{_BEFORE}|{before}", re.IGNORECASE),
        behind=re.compile(f"{_BEHIND}|{behind}", re.IGNORECASE),
        stop=re.compile(stop),
        hints=tuple(hint for hint in sorted(found) if not any(other in hint for other in found - {hint})),
    )


def is_denied(text: str, start: int, end: int) -> bool:
    """Whether any word of the sentence of `text[start:end]` denies or asks: more than keeps it from being asserted.

    Nothing that comes later should rest on what stands there: "not both x = 1 and y = 2" is a denial of either.
    """
    before = _SENTENCE_END.split(text[max(0, start - BEFORE) : start])[-1]
    behind = _SENTENCE_END.split(text[end : end + AFTER], maxsplit=1)[0]
    return _DENYING.search(before) is not None or _DENYING.search(behind) is not None
