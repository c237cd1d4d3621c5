"""What a step comes to, in one canonical word: steps of equal result lead to equal states.

Covered: whole and decimal numbers with thousands commas, fractions (`3/4`, `\\frac{3}{4}`), per cent, a sign.
The number that follows the last "=" counts; without one, the step's last number. Not covered: results that
are no number (a formula, a name), units (12 hours and 12 metres are one result), numbers of more than 40
digits. Equal results at different places of a solution are taken as one state.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from steplabel.schemas import Step
from steplabel.schemas.batches import BoolArray, IntArray
from steplabel.schemas.segmentation import STEP_MARKER

_MARKERS = re.compile(rf"^{STEP_MARKER}", re.MULTILINE)
_CALCULATOR = re.compile(r"<<[^<>]{0,200}>>")
_FRACTION = re.compile(r"\\[dt]?frac\{([0-9]{1,40})\}\{([0-9]{1,40})\}")
# ASCII digits only, of bounded length: what comes next is arithmetic on model text.
_WHOLE = r"(?:[0-9]{1,3}(?:,[0-9]{3}){1,12}|[0-9]{1,40})"
_NUMBER = re.compile(rf"(?<![\w.,])-?{_WHOLE}(?:\.[0-9]{{1,40}})?(?:/[0-9]{{1,40}}(?!\w|\.[0-9]))?(?![0-9])\\?%?")


class StepResult(Protocol):
    """From a step to the canonical word of what it comes to; None where it states nothing."""

    def __call__(self, step: Step) -> str | None:
        """The result of one step."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class LastNumber:
    """The last number that a step asserts, as `last_number` reads it."""

    def __call__(self, step: Step) -> str | None:
        """The result of one step."""
        return last_number(step.text)


def last_number(text: str) -> str | None:
    """The number a step asserts last, in lowest terms: `1,234.50` is `2469/2`, `50%` stays `50%`; None without one.

    Step markers ("Step 3:") and calculator marks (`<<2*3=6>>`) are not read.
    """
    plain = plain_text(text)
    claimed = number_in(plain[plain.rfind("=") :], first=True) if "=" in plain else None
    claimed = claimed or number_in(plain, first=False)
    return lowest_terms(claimed) if claimed else None


MAY_NOT_BE_PLAIN = r"<<|frac\{|tep|TEP"
"""A text without a match is its own `plain_text`. To be read by `re` or RE2."""


def plain_text(text: str) -> str:
    """A text without step markers and calculator marks, its fractions as `3/4`."""
    return _FRACTION.sub(r"\1/\2", _CALCULATOR.sub("", _MARKERS.sub("", text)))


def number_in(plain: str, *, first: bool) -> str | None:
    """The first or last number in a plain text, as it is written there."""
    if first:
        found = _NUMBER.search(plain)
        return found.group() if found else None
    numbers: list[str] = _NUMBER.findall(plain)
    return numbers[-1] if numbers else None


def lowest_terms(number: str) -> str | None:
    """One word for all ways to write a number; None of a division by zero."""
    percent = "%" if number.endswith("%") else ""
    above, _, below = number.rstrip("%\\").replace(",", "").partition("/")
    if not below and "." not in above:
        return f"{int(above)}{percent}"  # most are whole numbers, and a Fraction costs ten times as much
    if below and not int(below):
        return None
    return f"{Fraction(above) / int(below or 1)}{percent}"


@dataclass(frozen=True, slots=True, kw_only=True)
class NumberWords:
    """For each of n plain texts the word in which the number stands that it asserts last, if that word holds one.

    Attributes:
        starts, ends: [n], where in the texts' bytes the word begins and ends; equal if the text has no digit.
        first: [n], whether the word's first number is meant, else its last.
    """

    starts: IntArray
    ends: IntArray
    first: BoolArray


def number_words(texts: NDArray[np.uint8], offsets: IntArray) -> NumberWords:
    """Words with digits: the first one behind the last "=", or else the text's last one.

    A word lies between two bytes that no number holds or minds beside it. So `number_in` the word is that in the
    text; where there is none in it ("x2"), the whole text has to be read.

    Args:
        texts: n plain texts in UTF-8, one behind the other.
        offsets: [n + 1], where each begins, and the end.
    """
    begins, ends = offsets[:-1], offsets[1:]
    kinds = np.frombuffer(texts.tobytes().translate(_KINDS), dtype=np.uint8)
    signs, digits, gaps = (np.flatnonzero(found) for found in (kinds == _SIGN, kinds == _DIGIT, kinds >= _GAP))
    claims = _before(signs, ends, begins)
    claimed = _after(digits, np.maximum(claims, begins), ends)
    first = (claims >= 0) & (claimed < ends)
    at = np.where(first, claimed, _before(digits, ends, begins))
    # Without a digit the word is an empty one, at the end.
    starts = np.where(at < 0, ends, np.maximum(_before(gaps, at, begins) + 1, begins))
    return NumberWords(starts=starts, ends=np.where(at < 0, ends, _after(gaps, at, ends)), first=first)


_DIGIT, _GAP, _SIGN = 1, 2, 3
"""Kinds of bytes; a sign is a gap."""


def _kind(byte: int) -> int:
    letter = chr(byte)
    if letter == "=":
        return _SIGN
    if byte >= 0x80 or letter.isalpha() or letter in "_.,/\\%-":
        return 0
    return _DIGIT if letter.isdigit() else _GAP


_KINDS = bytes(map(_kind, range(256)))
"""For `bytes.translate`, which is eight times as fast as an index."""


def _before(places: IntArray, ends: IntArray, begins: IntArray) -> IntArray:
    """The last of the places before each end; -1 if that lies before the beginning."""
    found = np.concatenate([[-1], places])[np.searchsorted(places, ends)]
    return np.where(found < begins, -1, found)


def _after(places: IntArray, begins: IntArray, ends: IntArray) -> IntArray:
    """The first of the places from each beginning on; the end if there is none before it."""
    found = np.concatenate([places, [np.iinfo(np.int64).max]])[np.searchsorted(places, begins)]
    return np.asarray(np.minimum(found, ends))
