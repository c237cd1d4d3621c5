"""Splitting a solution's text into steps, without losing a character.

Every segmenter is a frozen, picklable configuration with one verb, `split`. All of them only choose where
to cut; one function makes the steps, so the promises are kept in one place: joining the steps gives the text
back exactly, spans are contiguous, and no step is empty or white space (such a piece goes to the step before
it, and at the very start to the step after it).
"""

from __future__ import annotations

import codecs
import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate, pairwise
from typing import Protocol

from steplabel.schemas.errors import ConfigError, DataError
from steplabel.schemas.sentences import sentence_ends
from steplabel.schemas.solution import Step
from steplabel.schemas.validation import check_text

# Every line end Unicode knows (UAX #14 mandatory breaks); "\r\n" is one end, never two.
_END = "\n\r\x0b\x0c\x85\u2028\u2029"
_LINE_END = re.compile(f"\r\n|[{_END}]")

# At the start of a line: "Step 3:", "Step 3.", "Step 3 -", "Step 3" alone; "**Step 3**", "## Step 3".
# Bare prose such as "Step 3 gives us 7" is no marker: it refers to a step, it does not begin one.
_STEP = r"[Ss](?:tep|TEP)[ \t]{0,4}\d{1,4}"
STEP_MARKER = (
    r"[ \t]*(?:[>\-*+][ \t]+)*"
    rf"(?:#{{1,6}}[ \t]{{0,4}}(?:\*\*|__)?{_STEP}\b"
    rf"|(?:\*\*|__)[ \t]{{0,4}}{_STEP}\b"
    rf"|{_STEP}[ \t]*(?::|\)|[.](?!\d)|[-\u2013\u2014]|(?=[{_END}])|\Z))"
)


class Segmenter(Protocol):
    """Anything that splits a text into steps."""

    def split(self, text: str, offsets: Sequence[int] = ()) -> tuple[Step, ...]:
        """Split `text`; `offsets` are boundaries in characters, for those segmenters that are told them.

        Raises:
            DataError: the text is empty or blank, or holds what `check_text` refuses.
        """
        ...


def steps_at(text: str, cuts: Iterable[int]) -> tuple[Step, ...]:
    """Cut `text` at these characters (any order, repeats and both ends allowed) into non-blank steps.

    Raises:
        DataError: nothing but white space, or text that `check_text` refuses.
    """
    check_text(text, field="solution text", allow_empty=False)
    inner = sorted({cut for cut in cuts if 0 < cut < len(text)})
    pieces = [text[a:b] for a, b in pairwise([0, *inner, len(text)])]
    return spanned(_without_blanks(pieces))


def spanned(texts: Iterable[str]) -> tuple[Step, ...]:
    """Steps of these texts, with the spans that follow from them."""
    steps, start = [], 0
    for text in texts:
        steps.append(Step(text=text, start=start))
        start += len(text)
    return tuple(steps)


def _without_blanks(pieces: Iterable[str]) -> list[str]:
    joined: list[list[str]] = [[]]
    for piece in pieces:
        if not piece.isspace() and any(not part.isspace() for part in joined[-1]):
            joined.append([])
        joined[-1].append(piece)
    return ["".join(parts) for parts in joined]


def _line_ends(text: str) -> Iterator[int]:
    return (match.end() for match in _LINE_END.finditer(text))


@dataclass(frozen=True, slots=True, kw_only=True)
class NewlineSteps:
    """Each line is a step; its line end and the blank lines after it belong to it."""

    def split(self, text: str, offsets: Sequence[int] = ()) -> tuple[Step, ...]:  # noqa: ARG002 - the port gives it
        """Split at every line end."""
        return steps_at(text, _line_ends(text))


@dataclass(frozen=True, slots=True, kw_only=True)
class BlankLineSteps:
    """Paragraphs are steps: a step begins after one or more blank lines, as ProcessBench's steps do."""

    def split(self, text: str, offsets: Sequence[int] = ()) -> tuple[Step, ...]:  # noqa: ARG002 - the port gives it
        """Split after blank lines."""
        ends = [0, *_line_ends(text)]
        return steps_at(text, (end for start, end in pairwise(ends) if text[start:end].isspace()))


@dataclass(frozen=True, slots=True, kw_only=True)
class MarkerSteps:
    """A step begins at each line that opens with a marker; a text without any is one step.

    Attributes:
        pattern: regular expression, matched at the start of lines only.
        join_preamble: what stands before the first marker joins the first marked step, so that "Step 1" has
            index 0; otherwise (the default) it is a step of its own.
    """

    pattern: str = STEP_MARKER
    join_preamble: bool = False

    def __post_init__(self) -> None:
        try:
            re.compile(self.pattern)
        except re.error as error:
            raise ConfigError(f"step marker {self.pattern!r} is not a regular expression: {error}") from error

    def split(self, text: str, offsets: Sequence[int] = ()) -> tuple[Step, ...]:  # noqa: ARG002 - the port gives it
        """Split before every marker."""
        marker = re.compile(self.pattern)
        found = [start for start in (0, *_line_ends(text)) if marker.match(text, start)]
        return steps_at(text, found[1:] if self.join_preamble else found)


@dataclass(frozen=True, slots=True, kw_only=True)
class SentenceSteps:
    """Each sentence is a step (see `sentences.py` for what ends one).

    Attributes:
        newlines: a line end outside formulas and code ends a sentence too, as solutions often drop the full
            stop; False for hard-wrapped prose, where only a blank line does.
    """

    newlines: bool = True

    def split(self, text: str, offsets: Sequence[int] = ()) -> tuple[Step, ...]:  # noqa: ARG002 - the port gives it
        """Split after every sentence."""
        return steps_at(text, sentence_ends(text, newlines=self.newlines))


@dataclass(frozen=True, slots=True, kw_only=True)
class OffsetSteps:
    """Boundaries come from outside, in characters: for instance the ends of an engine's tokens.

    Attributes:
        every: cut at each n-th boundary only: with token boundaries, steps of n tokens.
    """

    every: int = 1

    def __post_init__(self) -> None:
        if self.every < 1:
            raise ConfigError(f"OffsetSteps cuts at every n-th boundary with n >= 1, got every={self.every}")

    def split(self, text: str, offsets: Sequence[int] = ()) -> tuple[Step, ...]:
        """Split at the offsets.

        Raises:
            ConfigError: no offsets at all: whoever calls cannot give them, so choose another segmenter.
            DataError: offsets that fall, or lie outside the text.
        """
        check_text(text, field="solution text", allow_empty=False)
        if not offsets:
            raise ConfigError("OffsetSteps needs offsets (an engine that reports its tokens); got none")
        if any(b < a for a, b in pairwise(offsets)) or offsets[0] < 0 or offsets[-1] > len(text):
            raise DataError(f"offsets must rise within 0..{len(text)}, got {list(offsets[:8])}...")
        return steps_at(text, offsets[self.every - 1 :: self.every])


@dataclass(frozen=True, slots=True, kw_only=True)
class GivenSteps:
    """Steps that a data set lists one by one; `separator` stands between them in the solution's text.

    `join` is the importer; `split` finds the same steps again unless a step holds the separator itself.
    """

    separator: str = "\n\n"

    def join(self, texts: Sequence[str]) -> tuple[Step, ...]:
        """Return exactly one step for each text, each but the last followed by the separator.

        Raises:
            DataError: no steps, or a blank one: leaving it out would move every label after it.
        """
        for index, text in enumerate(texts):
            check_text(text, field=f"step {index}", allow_empty=False)
        if not texts:
            raise DataError("the list of steps is empty")
        return spanned([*(text + self.separator for text in texts[:-1]), texts[-1]])

    def split(self, text: str, offsets: Sequence[int] = ()) -> tuple[Step, ...]:  # noqa: ARG002 - the port gives it
        """Split after each separator; with an empty one the text is one step."""
        if not self.separator:
            return steps_at(text, ())
        lengths = (len(piece) + len(self.separator) for piece in text.split(self.separator))
        return steps_at(text, accumulate(lengths))


def token_boundaries(tokens: Sequence[str] | Sequence[bytes]) -> tuple[int, ...]:
    """Characters at which each token ends, from the texts (or UTF-8 bytes) of the tokens.

    Byte-level tokens may end inside a character; their boundary is then put before that character.
    """
    decode = codecs.getincrementaldecoder("utf-8")("replace").decode
    lengths = (len(token) if isinstance(token, str) else len(decode(token)) for token in tokens)
    return tuple(accumulate(lengths))


def with_token_ends(steps: Sequence[Step], boundaries: Sequence[int]) -> tuple[Step, ...]:
    """Fill in `token_end`: how many tokens end by each step's end; a token that straddles it does not."""
    return tuple(replace(step, token_end=bisect_right(boundaries, step.end)) for step in steps)
