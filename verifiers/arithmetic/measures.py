"""Units of one dimension: where two are named, sides that differ may be equal after a conversion."""

from __future__ import annotations

import re
from typing import Final

from steplabel.verifiers.text.units import read_unit

_MEASURE = re.compile(r"[a-z]+|[$\u20ac\u00a2]")
_SIGNS: Final = {"$": "dollar", "\u20ac": "euro", "\u00a2": "cent"}
_DIMENSIONS: Final = {
    measure: dimension
    for dimension, measures in {
        "money": "dollar cent euro",
        "length": "inch foot yard mile millimeter centimeter meter kilometer",
        "time": "second minute hour day week month year",
        "weight": "gram kilogram ounce pound",
        "volume": "liter milliliter",
    }.items()
    for measure in measures.split()
}
"""Of the measures that `text.units` knows."""


def names_two_units(text: str) -> bool:
    """Whether two measures of one dimension are named: hours and minutes, $ and cents."""
    found: dict[str, str] = {}
    for word in _MEASURE.findall(text.lower()):
        measure = _measure(word)
        if measure in _DIMENSIONS and found.setdefault(_DIMENSIONS[measure], measure) != measure:
            return True
    return False


def _measure(word: str) -> str:
    if word in _SIGNS:
        return _SIGNS[word]
    tail = read_unit(word, loose=False)
    return tail.unit.word if tail and tail.unit.measure else ""
