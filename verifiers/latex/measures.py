r"""What units say of a link whose sides differ: units on its sides, and words behind a chain that belong to its end.

Covered: units of one dimension (`2 \cdot 3\text{ hours} = 360\text{ minutes}`), scale words, percent, degrees beside
radians, whole turns, shares of what is named; the same words behind the formula (`$4 \cdot 15 = 1$ hour`).
Not covered: what a conversion gives. A doubt keeps a link from failing, or from holding; it decides none.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from fractions import Fraction
from itertools import takewhile
from math import ceil, floor

from steplabel.schemas import Verdict
from steplabel.verifiers.expressions.ast import (
    Apply,
    Constant,
    Number,
    Operator,
    Term,
    is_literal,
    joined,
    negated,
    parts,
)
from steplabel.verifiers.expressions.enclosure import enclose
from steplabel.verifiers.expressions.exact import value_of
from steplabel.verifiers.expressions.limits import OutOfReachError
from steplabel.verifiers.expressions.reading import Side
from steplabel.verifiers.expressions.rounding import about
from steplabel.verifiers.text.dimensions import is_measured, names_two_units, without_rates
from steplabel.verifiers.text.units import read_unit

_SCALES = frozenset(
    ["dozen", "hundred", "thousand", "million", "billion", "trillion", "pair", "score", "gros", "k", "bn", "half"]
)
_HUNDRED = Number(Fraction(100))
_ONE = Number(Fraction(1))
_TURN = Apply(Operator.MULTIPLY, (Number(Fraction(2)), Constant.PI))
_PRECISION = 128
_CLOSE = Fraction(1, 10**12)
_SPREAD = Fraction(3, 100)
"""How far a converted amount may be rounded: 100 minutes are 1.7 hours."""
_MAX_FACTOR = 4_000
"""Up to here a factor between two units is looked for among its neighbours: the most seconds of an hour, and more."""
_PREFIXES = frozenset({10**3, 10**6, 10**9})
"""Kilo, mega, giga: of any unit."""
_STEPS = (1, 7, 12, 24, 60, 1440)
"""From one unit of time to the next: conversions may take two."""
_BEHIND = re.compile(r"\\?%|\u00b0|\\circ|\\[a-zA-Z]+|[A-Za-z]+|[.,;:?!=]|\n(?![a-z])")
_SENTENCE_END = re.compile(r"[=.;?!\n]")
_MAX_WORDS = 4
_CLOCK = frozenset(["am", "pm", "clock", "hour", "(am)", "(pm)"])
_GROUPS = frozenset(["ten", "tens", "fives", "gross", "lakh", "lakhs", "crore", "crores", "pack", "packs", "dozen"])
_JOINING_WORDS = """
    and or if when where not to by so then thus hence therefore since because as is are was were which that we for in of
    with from but this it the a an at on has have gives
"""
_JOINING = frozenset(_JOINING_WORDS.split())
"""Words that go on with the sentence more often than with the number."""


def unit_doubts(left: Side, right: Side) -> Iterator[str]:
    """Why sides that are equal, or differ, as numbers may be something else with their units."""
    if not _SCALES.isdisjoint(word.lower().rstrip("s") for word in left.units | right.units):
        yield "a word that stands for a number"
    if left.units and right.units and _measures(left.units) != _measures(right.units):
        yield "units differ"
    if any(is_sum(side) and names_two_units(without_rates(" ".join(sorted(side.units)))) for side in (left, right)):
        yield "units to be converted"
    turned = [side for side in (left, right) if side.term is not None and Constant.PI in parts(side.term)]
    if len(turned) == 1 and "degree" in _measures(left.units | right.units):
        yield "degrees and radians"


def conversion_doubts(left: Side, right: Side, behind: str) -> Iterator[str]:
    """Why sides that differ may be equal after a conversion, or what they say of is not all in the formula.

    Args:
        behind: what the text goes on with, if the right side ends a chain.
    """
    if left.term is None or right.term is None:
        return
    words = _words(behind)
    named = frozenset(takewhile(_is_unit, words))
    all_units = left.units | right.units | named
    yield from _doubts_behind(left.term, right.term, words)
    if any(word.startswith("of ") for word in left.units | right.units):
        yield "a share of what is named"
    if is_sum(left) and len(left.units) > 1 and not right.units and not is_literal(right.term):
        yield "a list of what is counted"
    if named and names_two_units(_SENTENCE_END.split(behind)[0]):
        yield "two units behind"
    if _measures(left.units) and _measures(named) and not _measures(left.units) & _measures(named):
        yield "another unit behind"
    if _is_converted(left.term, right.term, all_units | frozenset(words[:1])):
        yield "a unit converted"
    if _is_rounded_percentage(left, right):
        yield "a rounded percentage"
    yield from _angular_doubts(left.term, right.term, _measures(all_units))


def _doubts_behind(left: Term, right: Term, words: list[str]) -> Iterator[str]:
    """What the first words behind a number may make of it."""
    first, rest = words[:1], words[1:3]
    if _changes(first) or (first == ["and"] and _changes(rest)) or not _GROUPS.isdisjoint(words[:2]):
        yield "a word behind that stands for a number"
    if first == ["of"] or "times" in words:
        yield "a share or a multiple of what is named"
    if first in (["%"], ["percent"], ["per"]) and _is_percentage(left, right):
        yield "percent behind"
    if words and words[0] not in _JOINING and right == _ONE:
        yield "one of what is named"


def _angular_doubts(left: Term, right: Term, measures: frozenset[str]) -> Iterator[str]:
    """What differs by turns of a circle, or of a clock."""
    turned = [side for side in (left, right) if Constant.PI in parts(side)]
    if len(turned) == 1 and "degree" in measures:
        yield "degrees and radians"
    if _differ_by_turns(left, right, degrees="degree" in measures):
        yield "whole turns between angles"
    if not _CLOCK.isdisjoint(measures) and _differ_by(12, left, right):
        yield "hours of a clock"


def is_sum(side: Side) -> bool:
    """Whether a side adds something."""
    return isinstance(side.term, Apply) and side.term.operator is Operator.ADD


def _words(text: str) -> list[str]:
    r"""The first words of a text up to a mark: `\text{ hours}` and ` hours` are one; of other commands, none."""
    found: list[str] = []
    for match in _BEHIND.finditer(text[:80]):
        word = match[0].lower().lstrip("\\")
        if len(found) >= _MAX_WORDS or word in ".,;:?!=\n":
            break
        if word not in ("text", "mathrm"):
            found.append("degrees" if word in ("circ", "\u00b0") else word)
    return found


def _changes(words: list[str]) -> bool:
    """Whether one of some words makes another number of the one before: million, dozen, squared, thirds."""
    for word in words:
        tail = read_unit(word, loose=True)
        if len(word) > 1 and word not in _JOINING and (tail is None or tail.factor != 1):
            return True
    return False


def _differ_by(turn: int, left: Term, right: Term) -> bool:
    """Whether the difference of rationals is a multiple of a turn: `11 + 3 = 2` on a clock."""
    try:
        return ((value_of(left) - value_of(right)) / turn).denominator == 1
    except OutOfReachError:
        return False


def _is_unit(word: str) -> bool:
    return word not in _JOINING and (is_measured(word, 0) or word in _CLOCK or bool(_measures(frozenset({word}))))


def _measures(units: frozenset[str]) -> frozenset[str]:
    tails = (read_unit(word, loose=True) for word in units)
    return frozenset(tail.unit.word for tail in tails if tail is not None)


def _is_rounded_percentage(left: Side, right: Side) -> bool:
    r"""`\frac17 = 14\%`: one side read as percent, the other as a number, equal up to rounding."""
    for side, other in ((left, right), (right, left)):
        if side.bare_percent and "%" not in other.units and side.term is not None and other.term is not None:
            return _is_percentage(other.term, side.term)
    return False


def _is_percentage(part: Term, percent: Term) -> bool:
    return about(joined(Operator.MULTIPLY, [part, _HUNDRED]), percent).verdict is not Verdict.FAILS


def _is_converted(left: Term, right: Term, units: frozenset[str]) -> bool:
    """Whether a whole factor is between the sides that some unit explains."""
    if not units:
        return False
    try:
        values = abs(value_of(left)), abs(value_of(right))
    except OutOfReachError:
        return False
    if min(values) == 0:
        return False
    factor = max(values) / min(values)
    spread = _SPREAD if factor <= _MAX_FACTOR else Fraction(0)
    factors = range(max(2, ceil(factor * (1 - spread))), floor(factor * (1 + spread)) + 1)
    return any(
        _explains(word, Fraction(found))
        for unit in units
        for word in _words(unit.replace("$", "dollar"))
        for found in factors
    )


def _explains(word: str, factor: Fraction) -> bool:
    """Whether a unit has a known conversion by a factor; of units without known ones (cups), any may be."""
    tail = read_unit(word, loose=True)
    if factor in _PREFIXES:
        return word not in _JOINING
    if tail is not None and tail.unit.measure:
        return any(factor % step == 0 and tail.unit.explains(factor / step) for step in _STEPS)
    return is_measured(word, 0)


def _differ_by_turns(left: Term, right: Term, *, degrees: bool) -> bool:
    r"""`\frac{13\pi}{6} = \frac{\pi}{6}`; whole multiples of pi are areas as often as angles."""
    if degrees and _differ_by(360, left, right):
        return True
    difference = Apply(Operator.ADD, (left, negated(right)))
    try:
        if Constant.PI not in parts(left) or _nearest_whole(Apply(Operator.DIVIDE, (left, Constant.PI))) is not None:
            return False
        turns = _nearest_whole(Apply(Operator.DIVIDE, (difference, _TURN)))
    except OutOfReachError:
        return False
    return turns not in (None, 0)


def _nearest_whole(term: Term) -> Fraction | None:
    """The integer that a constant is, or is too close to to be told apart; None if it is none."""
    bounds = enclose(term, _PRECISION)
    nearest = round(bounds.low)
    return Fraction(nearest) if abs(bounds.low - nearest) < _CLOSE else None
