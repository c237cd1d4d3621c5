"""Units of one dimension: where two are named, sides that differ may be equal after a conversion.

Covered: the measures that `units` knows, coins, cups and the like. Not covered: which factor is between them; compound
units (miles per hour).
"""

from __future__ import annotations

import re
from typing import Final

from steplabel.verifiers.text.units import read_unit

_MEASURE = re.compile(r"[a-z]+|[$\u20ac\u00a2]")
_RATE = re.compile(r"(?:/|\bper\s|\b(?:a|each|every)\s)\s{0,3}[a-zA-Z]{1,20}")
_SIGNS: Final = {"$": "dollar", "\u20ac": "euro", "\u00a2": "cent"}
_DIMENSIONS: Final = {
    measure: dimension
    for dimension, measures in {
        "money": "dollar cent euro nickel dime quarter penny",
        "length": "inch foot yard mile millimeter centimeter meter kilometer",
        "time": "second minute hour day week month year decade century",
        "weight": "gram kilogram ounce pound",
        "volume": "liter milliliter gallon quart pint cup tablespoon teaspoon",
    }.items()
    for measure in measures.split()
}
"""Of the measures that `units` knows, and those below."""
_PLURALS: Final = {
    plural: measure
    for measure in ["decade", "nickel", "dime", "quarter", "gallon", "quart", "pint", "cup", "tablespoon", "teaspoon"]
    for plural in (measure, f"{measure}s")
} | {"century": "century", "centuries": "century", "penny": "penny", "pennies": "penny"}
_OTHERS: Final = frozenset({"mg", "ton", "tons", "mph", "m", "g", "square", "cubic", "degree", "degrees"})
_AMBIGUOUS: Final = frozenset({"in", "s", "h", "l"})
"""Words that are more often something else where formulas stand: a preposition, letters."""
_NEXT_WORD = re.compile(r"[ \t$]{0,3}\(?([A-Za-z]+)")


def names_two_units(text: str) -> bool:
    """Whether two measures of one dimension are named: hours and minutes, $ and cents."""
    found: dict[str, str] = {}
    for word in _MEASURE.findall(text.lower()):
        measure = _measure(word)
        if measure in _DIMENSIONS and found.setdefault(_DIMENSIONS[measure], measure) != measure:
            return True
    return False


def is_measured(text: str, place: int) -> bool:
    """Whether a unit stands right behind a place: the next step may well go on in another one."""
    found = _NEXT_WORD.match(text, place)
    if found is None:
        return False
    word = found[1].lower()
    return word in _OTHERS or (word not in _AMBIGUOUS and _measure(word) in _DIMENSIONS)


def without_rates(text: str) -> str:
    """The same text, of a rate only what is counted: minutes, not minutes/day."""
    return _RATE.sub(" ", text)


def _measure(word: str) -> str:
    if word in _SIGNS:
        return _SIGNS[word]
    if word in _PLURALS:
        return _PLURALS[word]
    tail = read_unit(word, loose=False)
    return tail.unit.word if tail and tail.unit.measure else ""
