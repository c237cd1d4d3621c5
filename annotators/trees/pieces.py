"""Cut a text into pieces of about equal length, at the ends of words: OmegaPRM's length-based steps.

The paper (arXiv:2406.06592) asks for no visible steps: it aims to divide a full solution into 16 pieces, most
solutions of PRM800K and Math-Shepherd having fewer than 20 steps, and ends a binary search once a piece is shorter
than 1/16 of the average solution.

Deviation. The paper cuts between tokens, which a program does not see as text; here a piece ends with a word and
the blanks behind it. A text without blanks is cut between characters, but never inside a run of ASCII letters
and digits.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass

from steplabel.schemas import ConfigError, Step
from steplabel.schemas.segmentation import steps_at

_WORD_END = re.compile(r"(?<=\s)(?=\S)")
_ANYWHERE = re.compile(r"(?<![A-Za-z0-9])(?=.)|(?<=[A-Za-z0-9])(?![A-Za-z0-9])", re.DOTALL)


@dataclass(frozen=True, slots=True, kw_only=True)
class EvenPieces:
    """Pieces of at most about `chars` characters, all of about one length; a `Segmenter`.

    Each cut falls on the end of a word that is nearest to its place, so a piece may be longer by part of a word;
    where words are longer than pieces there are fewer pieces.
    """

    chars: float

    def __post_init__(self) -> None:
        if not self.chars > 0:
            raise ConfigError(f"chars={self.chars}: a piece must have some length")

    def split(self, text: str, offsets: Sequence[int] = ()) -> tuple[Step, ...]:  # noqa: ARG002 - the port gives it
        """Split `text`. Raises DataError as every segmenter does."""
        count = max(1, -int(-len(text) // self.chars))
        ends = [match.start() for match in (*_WORD_END.finditer(text),) or (*_ANYWHERE.finditer(text),)]
        places = (len(text) * i / count for i in range(1, count))
        return steps_at(text, (_nearest(ends, place) for place in places) if ends else ())


def _nearest(ends: Sequence[int], place: float) -> int:
    at = bisect_left(ends, place)
    return min(ends[max(0, at - 1) : at + 1], key=lambda end: abs(end - place))
