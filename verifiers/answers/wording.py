r"""Answers in words: multiple choice and free text. Never sent to an algebra system (listen = silent there).

Choice golds are a letter (`B`, `(B)`), a letter with its text (`B) Paris`), several letters (`A, C`), or a
text. Letters decide against letters, texts against texts; a text against a bare letter is `unknown`, since
the options are not known here.

Free text is undecidable in general, so only these are decided:

- equal after case, white space, punctuation and articles are folded: `correct`;
- yes/no golds against an answer that begins with yes, no, true or false: opposite ones are `wrong`, and those that
  take it back ("yes and no", "no doubt, yes") are `unknown`;
- one word against another word (names, days, colours): `wrong`, unless one begins with the other or they
  differ by one letter (cat, cats, colour, color), which may be mere wording;
- all else is `unknown`.
"""

from __future__ import annotations

import re
import unicodedata

from steplabel.schemas import Outcome
from steplabel.verifiers.text.notation import plain

Decision = tuple[Outcome, str]

_CHOICE = re.compile(
    r"(?:(?:option|choice|answer)s?\s*:?\s*)?"
    r"(?:\(\s*([A-Za-z])\s*\)|\[\s*([A-Za-z])\s*\]|([A-Za-z])(?=$|\s*[.):,;]|\s+(?:because|since|as|is(?!\s+(?:not|wrong|incorrect|false|out)))\b))"
    r"\s*[.):,;]*\s*(.*)",
    re.IGNORECASE | re.DOTALL,
)
_LETTERS = re.compile(r"\(?[A-Za-z]\)?(?:\s*(?:,|;|/|&|\band\b|\bor\b|\s)\s*\(?[A-Za-z]\)?)+")
_LETTER = re.compile(r"(?<![A-Za-z])[A-Za-z](?![A-Za-z])")
_PUNCTUATION = re.compile(r"[^\w\s%$+/<>=*^-]+|_+")
_ARTICLES = frozenset({"a", "an", "the"})
_TRUTH = {"yes": True, "true": True, "no": False, "false": False}
_HEDGED = re.compile(r"(?:yes|no|true|false) (?:and|or) (?:yes|no|true|false)\b|no (?:doubt|question)\b|no\b.*\byes\b")


def compare_choices(gold: str, answer: str) -> Decision:
    """Decide a multiple-choice answer, both sides as they were written."""
    gold, answer = plain(gold), plain(answer)
    if not answer:
        return Outcome.UNKNOWN, "choice"
    wanted, given = _several(gold), _several(answer)
    if wanted or given:
        return _compare_sets(wanted or _single(gold), given or _single(answer))
    (gold_letter, gold_text), (letter, text) = _choice(gold), _choice(answer)
    if gold_letter and letter:
        return _decided(gold_letter == letter)
    if gold_text and text and fold(gold_text) == fold(text):
        return Outcome.CORRECT, "choice"
    if gold_letter or letter:
        return Outcome.UNKNOWN, "choice"
    return compare_texts(gold, answer)


def compare_texts(gold: str, answer: str) -> Decision:
    """Decide a free text, by the narrow policy above."""
    left, right = fold(gold), fold(answer)
    if left and left == right:
        return Outcome.CORRECT, "text"
    first = right.split(" ", 1)[0]
    if left in _TRUTH:
        return (Outcome.UNKNOWN, "text") if _HEDGED.match(right) else _truth(left, first)
    if left.isalpha() and right.isalpha() and not _alike(left, right):
        return Outcome.WRONG, "text"
    return Outcome.UNKNOWN, "text"


def fold(text: str) -> str:
    """Case, width, white space, punctuation and articles taken off; empty if nothing else was there."""
    for _ in range(2):  # a bold capital pi is first a pi, then its sign
        text = unicodedata.normalize("NFKC", plain(text)).casefold()
    words = _PUNCTUATION.sub(" ", text.replace("'", "")).split()
    kept = [word for word in words if word not in _ARTICLES]
    return " ".join(kept or words)


def _truth(gold: str, first: str) -> Decision:
    if first not in _TRUTH:
        return Outcome.UNKNOWN, "text"
    if _TRUTH[gold] is not _TRUTH[first]:
        return Outcome.WRONG, "text"
    return (Outcome.CORRECT if gold == first else Outcome.UNKNOWN), "text"  # true for yes: nearly


def _alike(left: str, right: str) -> bool:
    short, long = sorted((left, right), key=len)
    return long.startswith(short) or _one_edit(short, long)


def _one_edit(short: str, long: str) -> bool:
    """At most one letter inserted, dropped or exchanged, in words of four letters or more."""
    if len(short) < 4 or len(long) - len(short) > 1:
        return False
    i = next((i for i, (a, b) in enumerate(zip(short, long, strict=False)) if a != b), len(short))
    return short[i + (len(short) == len(long)) :] == long[i + 1 :]


def _choice(text: str) -> tuple[str, str]:
    match = _CHOICE.fullmatch(text)
    if not match:
        return "", text
    return next(group for group in match.groups()[:3] if group).upper(), match[4].strip()


def _several(text: str) -> frozenset[str]:
    return frozenset(letter.upper() for letter in _LETTER.findall(text)) if _LETTERS.fullmatch(text) else frozenset()


def _single(text: str) -> frozenset[str]:
    letter, _ = _choice(text)
    return frozenset({letter}) if letter else frozenset()


def _compare_sets(wanted: frozenset[str], given: frozenset[str]) -> Decision:
    if not wanted or not given:
        return Outcome.UNKNOWN, "choice"
    if wanted != given and len(given) > len(wanted) and wanted <= given:
        return Outcome.UNKNOWN, "choice"  # "A or B": a hedge is no answer, and no wrong one either
    return _decided(wanted == given)


def _decided(same: bool) -> Decision:
    return (Outcome.CORRECT if same else Outcome.WRONG), "choice"
