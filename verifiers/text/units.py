"""What may follow a number: percent, scale words, units. Units are read, never silently dropped.

Covered: common measures with their abbreviations, squares and cubes, any other words ("eggs per day").
Not covered: conversion. 5 m against 500 cm is *unknown*, not equal and not wrong.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache

_SCALES = {"hundred": 10**2, "thousand": 10**3, "million": 10**6, "billion": 10**9, "trillion": 10**12}
_MEASURES = {
    "dollar": "dollar dollars usd bucks",
    "cent": "cent cents",
    "euro": "euro euros eur",
    "inch": "inch inches in",
    "foot": "foot feet ft",
    "yard": "yard yards yd",
    "mile": "mile miles mi",
    "millimeter": "millimeter millimeters millimetre millimetres mm",
    "centimeter": "centimeter centimeters centimetre centimetres cm",
    "meter": "meter meters metre metres m",
    "kilometer": "kilometer kilometers kilometre kilometres km",
    "second": "second seconds sec secs s",
    "minute": "minute minutes min mins",
    "hour": "hour hours hr hrs h",
    "day": "day days",
    "week": "week weeks",
    "month": "month months",
    "year": "year years yr yrs",
    "gram": "gram grams g",
    "kilogram": "kilogram kilograms kg",
    "ounce": "ounce ounces oz",
    "pound": "pound pounds lb lbs",
    "liter": "liter liters litre litres l",
    "milliliter": "milliliter milliliters millilitre millilitres ml",
    "degree": "degree degrees \u00b0",
    "radian": "radian radians rad",
}
_NAMES = {word: name for name, words in _MEASURES.items() for word in words.split()}
_POWERS = {"square": "^2", "sq": "^2", "squared": "^2", "cubic": "^3", "cubed": "^3"}

# Words that change the number instead of naming what is counted: the whole is then not read as a number.
_CHANGING = """
    pi sqrt root sin cos tan cot sec csc log ln exp mod modulo max gcd lcm lim inf infinity nan undefined or
    and to times plus minus over divided multiplied by dozen dozens pair pairs score half halves third thirds
    quarter quarters fourth fourths fifth fifths sixth sixths eighth eighths tenth tenths hundredths
    thousandths hundreds thousands millions billions remainder factorial choose power base point not if when
    where than
"""
_CHANGING_WORDS = frozenset(_CHANGING.split()) - {"sec"}
_REACHING_WORDS = """
    times plus minus over divided multiplied less more fewer than mod modulo remainder rem r choose power factorial base
    to from by or if when where not
"""
_REACHING = frozenset(_REACHING_WORDS.split())
_CONNECTING = frozenset({"of", "and", "with", "at", "for", "on", "is", "are", "the"})
# Possessive throughout: otherwise a long word could be split in exponentially many ways.
_TAIL = re.compile(r"(?:\s*+(?:[A-Za-z]++|\u00b0|\^\s*+\{?[23]\}?|[/.,'-]|\([A-Za-z ]++\)))*+\s*+")
_TOKEN = re.compile(r"[A-Za-z]+|\u00b0|\^\s*\{?[23]\}?|/")
_FILLERS = frozenset({"a", "an", "the", "of", "in", "per", "each", "total", "altogether"})

_LENGTH = frozenset({3, 10, 12, 36, 100, 1000, 1760, 5280, 100_000})
_TIME = frozenset({7, 12, 24, 52, 60, 365, 1440, 3600})
_MASS = frozenset({16, 1000})
_RATIOS = {
    **dict.fromkeys(("dollar", "cent", "euro"), frozenset({100})),
    **dict.fromkeys(("inch", "foot", "yard", "mile"), _LENGTH),
    **dict.fromkeys(("millimeter", "centimeter", "meter", "kilometer"), _LENGTH),
    **dict.fromkeys(("second", "minute", "hour", "day", "week", "month", "year"), _TIME),
    **dict.fromkeys(("gram", "kilogram", "ounce", "pound"), _MASS),
    **dict.fromkeys(("liter", "milliliter"), frozenset({1000})),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Unit:
    """Words after a number; `measure` is True where they are a known unit such as cm or $."""

    word: str = ""
    measure: bool = False

    def conflicts(self, other: Unit) -> bool:
        """Both name a known measure, and not the same one."""
        return self.measure and other.measure and self.word != other.word

    def explains(self, ratio: Fraction) -> bool:
        """Whether amounts that differ by `ratio` may be the same, one of them in this unit."""
        return any(r in _RATIOS.get(self.word, ()) for r in (ratio, 1 / ratio))


NO_UNIT = Unit()


@dataclass(frozen=True, slots=True, kw_only=True)
class Tail:
    """Everything that followed a number."""

    factor: int = 1
    percent: bool = False
    unit: Unit = NO_UNIT


@lru_cache(maxsize=4_096)
def read_unit(text: str, *, loose: bool) -> Tail | None:
    """Read what follows a number, None if it is not only scale words, percent and units.

    Args:
        loose: single letters such as m and s may be units; otherwise they are variables.
    """
    text = text.strip()
    if not text:
        return Tail()
    percent = text[0] == "%" or text[:7].lower() == "percent" or text[:8].lower() == "per cent"
    if percent:
        text = text[1:] if text[0] == "%" else text[8:] if text[:4].lower() == "per " else text[7:]
    if len(text) > 200 or not _TAIL.fullmatch(text):
        return None
    words = _TOKEN.findall(text)
    factor = 1
    while words and words[0].lower() in _SCALES:
        factor *= _SCALES[words.pop(0).lower()]
    if factor > 10**18 or not _only_units(words, loose=loose):
        return None
    return Tail(factor=factor, percent=percent, unit=_unit(words))


def only_names(text: str) -> bool:
    """Whether words behind a number only name what it counts, and do not reach for the next one.

    "cups of flour" and "units squared" do; "remainder", "times" and "of" do not.
    """
    words = re.findall(r"[a-z]+", text.lower())
    return _REACHING.isdisjoint(words) and (not words or words[-1] not in _CONNECTING)


def _only_units(words: list[str], *, loose: bool) -> bool:
    if words and words[0].lower() in ("squared", "cubed"):  # "5 squared" is 25
        return False
    for index, word in enumerate(words):
        lower = word.lower()
        if lower in _CHANGING_WORDS or lower in _SCALES:
            return False
        single = len(word) == 1 and word.isalpha() and word.isascii()
        if single and not (index and lower == "a") and not (loose and word in _NAMES):
            return False
    return True


def _unit(words: list[str]) -> Unit:
    names: list[str] = []
    power = ""
    for word in words:
        lower = word.lower()
        if lower in _POWERS or word[0] == "^":
            power = _POWERS.get(lower) or f"^{re.sub('[^23]', '', word)}"
        elif lower not in _FILLERS or (lower == "in" and not names):
            names.append(_NAMES.get(lower, lower))
    measure = len(names) == 1 and names[0] in _MEASURES
    return Unit(word=" ".join(names) + power, measure=measure)
