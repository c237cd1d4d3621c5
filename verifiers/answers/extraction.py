r"""Where a solution says its final answer.

Looked for, the last one in the text wins: `Answer:` or `A:` at the start of a line, "the answer is", `####`,
and `\boxed{}` with balanced braces. Without any of them: a text of one short line is itself the answer, and
for number golds the last number of the last line is, as a stated last resort.

An answer is *closed* if what follows shows that it was finished: the brace of the box, the end of its line,
or a full stop and a space. In a completion cut by length only a closed answer counts: the 4 of a cut 42 is no
answer, and neither is a last number.

What a model weighs in its thoughts, between `<think>` and `</think>`, is no answer, closed or not; thoughts that
were cut give none. Not covered there: templates that open the thoughts themselves, where the text shows only their
end. Not covered: several questions in one text. Stop sequences must cut a completion before it asks itself the
next one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice

from steplabel.schemas import AnswerType
from steplabel.verifiers.answers.screening import has_words
from steplabel.verifiers.text.notation import MAX_ANSWER_CHARS, plain, unwrapped
from steplabel.verifiers.text.numbers import read_number

TAIL_CHARS = 50_000
"""Only the end of a text is searched: an answer that 50,000 characters follow is not a final one."""

_MAX_TRIES = 32  # candidates looked at, from the last one back: hostile texts hold thousands
_MAX_MARKS = 256
_SHORT_LINE = 200
_LINE_MARKS = r"(?:(?:the[ \t]++)?final[ \t]++answer|answer|ans)"
_STARS = r"[ \t]*+\**+[ \t]*+"  # possessive, here and below: a run of blanks is read once, not once for each split
_MARKER = re.compile(
    # At the start of a line, Markdown marks allowed: "**Final Answer:** 5", "A: 5", "#### 5".
    rf"^(?:[ \t>*]*+####|[ \t>*#_-]*+(?:{_LINE_MARKS}{_STARS}(?::|=|\n)|A:)){_STARS}"
    # Anywhere: "so the answer is", "the final answer to the question is:", "Answer: 5".
    r"|\banswer\b(?:[ \t]{1,4}(?:to|for|of)\b[^.\n:]{0,80}?)?[ \t]{1,4}(?:is|will be|would be|equals)\b"
    rf"{_STARS}:?|\banswer{_STARS}:{_STARS}",
    re.IGNORECASE | re.MULTILINE,
)
_BOX = re.compile(r"\\(?:boxed|fbox)(?![a-zA-Z])\s*")
_BOXED = r"\boxed"
_UNBRACED = re.compile(r"-?[\w./]+")
_LONE_LETTER = re.compile(r"\s*\(?[A-Za-z]\)?[.\s]*")
_NUMERIC = re.compile(r"[\d\\]")
_BRACE = re.compile(r"\\.|[{}]", re.DOTALL)
_SENTENCE_END = re.compile(r"[.!?](?=\s+[A-Z\\(]|\s*$)|\.?\s+I hope")
_MATH = re.compile(r"\$\$(.+?)\$\$|\$([^$\n]+)\$|\\\((.+?)\\\)|\\\[(.+?)\\\]", re.DOTALL)
# UNKNOWN in capitals is an answer: one of the three that problems of formal logic have.
_NEGATED = re.compile(r"\s*(?:not|n't|never|(?-i:[Uu]nknown)|unclear|undetermined|either|neither)\b", re.IGNORECASE)
_NEGATION = re.compile(r"\b(?:not|never|cannot|neither)\b|n't\b", re.IGNORECASE)
_CALCULATOR = re.compile(r"<<[^<>\n]{0,200}>>")
_NUMBER = (
    r"(?:[$\u20ac\u00a3]\s?)?(?:\\[dt]?frac\{\d{1,20}\}\{\d{1,20}\}"
    r"|(?:\d{1,3}(?:,\d{3})+(?!\d)|\d+)(?:\.\d+)?(?:[eE][-+]?\d{1,3})?(?:\s?/\s?\d+(?![\d.,]*\d))?|\.\d+)"
    r"(?:\s?\\?%)?(?:\s(?:hundred|thousand|million|billion|trillion)\b)?"
)
# A sign stands directly before its number; brackets around it are those of prose, not of code.
_LAST_NUMBER = re.compile(
    rf"(?<![\w.,])(?<!\(\()(?:(?<![)\]\d}}])(?<![)\]\d}}] )-)?{_NUMBER}(?![\w^{{]|[.,]\d)", re.ASCII
)
# A number behind one of these is an operand of something unfinished, not a result.
_OPERATOR_BEFORE = re.compile(r"(?:[-*/^+_{\u00d7\u00f7<]|\\times|\\cdot|\\div)\s*$", re.ASCII)
# And so is one with an operator, code, or another number that could not be read, behind it.
_OPERAND_AFTER = re.compile(r"\s*(?:[*/^+=\u00d7\u00f7]|\\times|\\cdot|\\div|\)[()\]])|.*\d", re.ASCII | re.DOTALL)
_PARTS = r"(?:half|halves|(?:third|quarter|fourth|fifth|sixth|seventh|eighth|ninth|tenth|hundredth|thousandth)s?)"
_CHANGED_BEHIND = re.compile(
    rf"[\s-]{{1,3}}(?:{_PARTS}|dozens?|hundreds|thousands|millions|billions|squared|cubed|factorial"
    rf"|and\s(?:an?|one|two|three|[a-z]{{4,6}})[\s-]{_PARTS})\b",
    re.IGNORECASE,
)
_CHANGED_BEFORE = re.compile(
    rf"\b(?:{_PARTS}|twice|thrice|double|triple|quadruple|squared?|cube|roots?|dozens?|minus|negative"
    r"|(?<!no )(?<!not )(?:more|less|fewer|greater|larger|smaller)\sthan)(?:\sof)?(?:\sthe)?\s$",
    re.IGNORECASE,
)
_BULLET = re.compile(r"\s*[-*\u2022]\s+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """An answer in a text.

    Attributes:
        text: the answer as written, math delimiters and full stops taken off.
        rule: `boxed`, `marker`, `bare` or `last_number`.
        closed: whether the text shows that the answer was finished.
        rivals: other numbers of the same line, where position alone chose this one.
    """

    text: str
    rule: str
    closed: bool
    rivals: tuple[str, ...] = ()


def find_answer(
    text: str, kind: AnswerType, *, markers: tuple[str, ...] = (), last_number: bool = True, cut: bool = False
) -> Found | None:
    """Find the final answer of a solution, None if it gives none.

    Args:
        kind: the gold answer's type.
        markers: further literal texts that announce an answer.
        last_number: take the last number of the last line for number golds, if nothing else is found.
        cut: the text was cut by length: only closed answers count.
    """
    text = spoken(text)[-TAIL_CHARS:]
    announced = False
    for found in islice(_marked(text, kind, markers), 1 if cut else _MAX_TRIES):
        if found and (found.closed or not cut):
            return found
        announced = True
    # "The answer is not 18", or a box that never closes: a guess would contradict the text.
    if cut or announced:
        return None
    bare = _bare(text)
    if kind is not AnswerType.NUMBER or not last_number or (bare and not is_prose(bare.text)):
        return bare
    return _last_number(text)


def spoken(text: str) -> str:
    """What is said behind the last thoughts; before them, where they never end."""
    if "think>" not in text:
        return text
    opened, closed = text.rfind("<think>"), text.rfind("</think>")
    if opened > closed:
        return text[:opened]
    return text[closed + len("</think>") :] if closed >= 0 else text


def _marked(text: str, kind: AnswerType, markers: tuple[str, ...]) -> Iterator[Found | None]:
    """Candidates from the last to the first; None where an answer is announced and not given."""
    starts = [(match.end(), match[0]) for match in _with_markers(markers).finditer(text)]
    starts += [(match.end(), _BOXED) for match in _BOX.finditer(text)]
    for start, marker in sorted(starts, reverse=True)[:_MAX_MARKS]:
        if marker == _BOXED:
            yield _boxed(text, start)
        elif not _misleads(text, start, marker, kind):
            yield _after(text, start, kind)


def _misleads(text: str, start: int, marker: str, kind: AnswerType) -> bool:
    """Whether what looks like a marker is none: an option, a quantity named A, a remark about the answer."""
    stop = text.find("\n", start)
    line = text[start : stop if stop >= 0 else None]
    if marker.strip(" \t>*#_-") in ("A:", "a:"):
        goes_on = 0 <= stop < len(text.rstrip())
        return goes_on or (kind is AnswerType.CHOICE and not _LONE_LETTER.fullmatch(line))
    remark = not marker.rstrip("* \t\n").endswith((":", "=", "#")) and "\n" not in marker
    return remark and kind is AnswerType.NUMBER and not _NUMERIC.search(line) and bool(line.strip())


@lru_cache(maxsize=64)
def _with_markers(markers: tuple[str, ...]) -> re.Pattern[str]:
    extra = "".join("|" + re.escape(marker) for marker in sorted(markers, key=len, reverse=True))
    return re.compile(_MARKER.pattern + extra, _MARKER.flags) if extra else _MARKER


def _boxed(text: str, start: int) -> Found | None:
    if text[start : start + 1] != "{":
        match = _UNBRACED.match(text, start)
        return _found(match[0], rule="boxed", closed=match.end() < len(text)) if match else None
    depth = 0
    for match in _BRACE.finditer(text, start, start + MAX_ANSWER_CHARS):
        depth += {"{": 1, "}": -1}.get(match[0], 0)
        if depth == 0 and match[0] == "}":
            return _found(text[start + 1 : match.start()], rule="boxed", closed=True)
    return None


def _after(text: str, start: int, kind: AnswerType) -> Found | None:
    """What follows a marker: the rest of its line, or the next line that is not empty."""
    rest = text[start : start + MAX_ANSWER_CHARS + 1].lstrip()
    line, newline, _ = rest.partition("\n")
    if _NEGATED.match(line):
        return None
    if display := _display(rest):
        return _found(display, rule="marker", closed=True)
    closed = bool(newline)
    if kind is not AnswerType.TEXT or "I hope" in line:
        end = _SENTENCE_END.search(line)
        if end and end.start():
            closed = closed or end.end() < len(line)
            line = line[: end.start()]
    return _found(line, rule="marker", closed=closed)


def _display(rest: str) -> str:
    r"""A displayed formula right after the marker may span lines: \[ ... \]."""
    for opening, closing in ((r"\[", r"\]"), ("$$", "$$")):
        if rest.startswith(opening):
            inner, found, _ = rest[2:].partition(closing)
            return inner if found else ""
    return ""


def _found(answer: str, *, rule: str, closed: bool) -> Found | None:
    answer = unwrapped(_CALCULATOR.sub("", answer)) if len(answer) <= MAX_ANSWER_CHARS else answer
    return Found(text=answer, rule=rule, closed=closed) if answer.strip() else None


def _bare(text: str) -> Found | None:
    """A text of one short line is the answer itself."""
    stripped = text.strip()
    if not stripped or "\n" in stripped or len(stripped) > _SHORT_LINE:
        return None
    return _found(stripped, rule="bare", closed=False)


def _last_number(text: str) -> Found | None:
    line = _CALCULATOR.sub("", text.rstrip().rpartition("\n")[2][-MAX_ANSWER_CHARS:]).replace("**", "")
    if bullet := _BULLET.match(line):
        line = line[bullet.end() :]
    matches = list(_LAST_NUMBER.finditer(line))
    if not matches or not _is_result(line, matches[-1]) or _is_changed(line, matches[-1]):
        return None
    texts = [match[0] for match in matches]
    return Found(text=texts[-1], rule="last_number", closed=False, rivals=tuple(texts[:-1]))


def _is_result(line: str, match: re.Match[str]) -> bool:
    before, after = line[: match.start()], match.end()
    return not _OPERATOR_BEFORE.search(before) and not _OPERAND_AFTER.match(line, after)


def _is_changed(line: str, match: re.Match[str]) -> bool:
    """Whether the words beside a number make it another: 2 dozen, 5 and a half, half of 36, minus 7, less than 9."""
    behind = _CHANGED_BEHIND.match(line, match.end()) is not None
    return behind or _CHANGED_BEFORE.search(line[: match.start()]) is not None


def changes_numbers(answer: str) -> bool:
    """Whether words in a line of prose make one of its numbers another."""
    return any(_is_changed(answer, match) for match in _LAST_NUMBER.finditer(answer))


def math_segment(answer: str) -> str | None:
    r"""The one formula between `$...$` or `\(...\)` in a line of prose; None if more stands beside it."""
    segments = [next(group for group in match.groups() if group) for match in _MATH.finditer(answer)]
    lone = len(segments) == 1 and not _NUMERIC.search(_MATH.sub(" ", answer))
    return segments[0] if lone and not _NEGATION.search(answer) else None


def numbers_in(answer: str) -> list[str]:
    """Every number that stands in a line of prose; none if the only one is an operand or negated."""
    matches = list(_LAST_NUMBER.finditer(answer))
    if len(matches) == 1 and (not _is_result(answer, matches[0]) or _NEGATION.search(answer)):
        return []
    return [match[0] for match in matches]


def is_prose(answer: str) -> bool:
    """Whether words stand in the answer that are no unit of one number, LaTeX command or known function."""
    text = plain(answer)
    return read_number(text) is None and has_words(text)
