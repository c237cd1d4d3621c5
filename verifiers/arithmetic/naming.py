"""What the numbers of a side count: words and signs that tell an amount from a price or another unit.

Covered: the words behind a number and the currency before it. Not covered: how many of one thing are one of another;
where the sides of a false equation speak of different things (`3 apples + 2 oranges = $7`), nobody can say.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final

from steplabel.verifiers.arithmetic.tokens import Kind, Tokens, tokenize
from steplabel.verifiers.arithmetic.wording import JOINING, LINKING, OPERATORS
from steplabel.verifiers.text.units import read_unit

_CURRENCIES: Final = {"$": "dollar", "\u20ac": "euro", "\u00a3": "pound sterling", "\u00a5": "yen"}
_ENDING: Final = JOINING | LINKING | OPERATORS.keys()
"""Words behind which nothing names what a number counts."""
_WORTH: Final = frozenset({"unit", "part", "share", "block", "ratio", "dime", "nickel", "quarter", "penny"})
"""What a bar of a model or a coin is counted in, and what it is worth: 3 units + 5 units = 40."""
_MAX_WORDS = 4


def speaks_of_others(left: str, right: str, *, sums: bool, multiplies: bool, lone: bool) -> bool:
    """Whether the right side counts something else: 5 dimes + 3 dimes = 80 cents; 4 * 5 mm = 2 cm; 2 boxes + 5 = 17.

    Args:
        left, right: the sides.
        sums, multiplies: what the left one computes.
        lone: whether the right one is one number.
    """
    names, amounts = _named(left), _named(right)
    ours, theirs = frozenset().union(*names), frozenset().union(*amounts)
    things = ours - frozenset(_CURRENCIES.values())  # $5 + 3 = 9$ may be a formula
    if sums and not multiplies and things and all(names) and not names[0].intersection(*names[1:]):
        return True  # 2 reams + 50 sheets = 1050 sheets
    if ours & theirs:
        return False
    if sums and not multiplies:
        if theirs:
            return bool(things) or not lone  # stores 1 + 2 = $40 + $35
        return bool(things) and not (lone and len(set(names)) == 1 and things.isdisjoint(_WORTH))
    return bool(theirs and things - {"%"} and (sums or names[-1]))


def _named(text: str) -> list[frozenset[str]]:
    """For each number what it counts."""
    tokens = tokenize(text)
    numbers = (at for at, kind in enumerate(tokens.kinds) if kind == Kind.NUMBER)
    return [_names(tokens, at) for at in numbers if not (at and tokens.texts[at - 1] == "^")]


def _names(tokens: Tokens, number: int) -> frozenset[str]:
    names = {_CURRENCIES[sign]} if (sign := _currency(tokens, number)) else set()
    kinds, texts = tokens.kinds, tokens.texts
    for at in range(number + 1, min(number + 1 + _MAX_WORDS, len(kinds))):
        if kinds[at] == Kind.PERCENT:
            names.add("%")
        elif kinds[at] == Kind.WORD and (texts[at].lower() not in _ENDING or _is_inch(tokens, at)):
            names.add(_singular(texts[at].lower()))
        elif not (kinds[at] == Kind.OPERATOR and texts[at] in "/-" and kinds[at + 1 : at + 2] == [Kind.WORD]):
            break
    return frozenset(names)


def _is_inch(tokens: Tokens, at: int) -> bool:
    """Whether "in" names what is behind it: 15 in + 12 in."""
    inch = tokens.texts[at] == "in" and tokens.kinds[at - 1] == Kind.NUMBER
    return inch and tokens.kinds[at + 1 : at + 2] not in ([Kind.WORD], [Kind.NUMBER])


def _currency(tokens: Tokens, number: int) -> str:
    before = tokens.source[max(0, tokens.matches[number].start() - 2) : tokens.matches[number].start()].rstrip()[-1:]
    return before if before in _CURRENCIES else ""


@lru_cache(maxsize=4_096)
def _singular(word: str) -> str:
    tail = read_unit(word, loose=True)
    return tail.unit.word if tail and tail.unit.measure else word.removesuffix("s")


def divides_by_name(text: str) -> bool:
    """Whether a name stands below a plain number: 9/EF, 14/height; but $7/visit is a rate."""
    tokens = tokenize(text)
    return any(
        tokens.kinds[at] == Kind.WORD
        and tokens.texts[at - 1] == "/"
        and tokens.kinds[at - 2] == Kind.NUMBER
        and (tokens.texts[at].isupper() or not _currency(tokens, at - 2))
        for at in range(2, len(tokens.kinds))
    )
