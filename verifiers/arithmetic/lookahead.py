"""What stands at a token: questions about the next few tokens, none of which looks further than a bound."""

from __future__ import annotations

from steplabel.verifiers.arithmetic.tokens import Kind, Tokens
from steplabel.verifiers.text.units import read_unit

MAX_DEPTH = 30


def starts_operand(tokens: Tokens, index: int, end: int) -> bool:
    """Whether an operand begins at a token: a number, a bracket around one, or either with a minus."""
    signed = False
    for at in range(index, min(end, index + 2 * MAX_DEPTH)):
        kind = tokens.kinds[at]
        if kind == Kind.NUMBER:
            return True
        if kind == Kind.OPEN:
            signed = False
        elif kind == Kind.OPERATOR and tokens.texts[at] == "-" and not signed:
            signed = True
        else:
            return False
    return False


def is_fraction(tokens: Tokens, slash: int) -> bool:
    """Whether two whole numbers stand beside a slash, without spaces or as a proper fraction."""
    if not (tokens.kinds[slash - 1] == tokens.kinds[slash + 1] == Kind.NUMBER):
        return False
    top, bottom = tokens.texts[slash - 1], tokens.texts[slash + 1]
    if not (top.isdigit() and bottom.isdigit()):
        return False
    return (tokens.tight(slash) and tokens.tight(slash + 1)) or (len(top), top) < (len(bottom), bottom)


def is_mixed(tokens: Tokens, whole: int, top: int, end: int) -> bool:
    """Whether a whole number and a proper fraction stand there: 1 1/2, 1 and 1/4."""
    kinds, texts = tokens.kinds, tokens.texts
    if top + 2 >= end or not (kinds[whole] == kinds[top] == kinds[top + 2] == Kind.NUMBER) or texts[top + 1] != "/":
        return False
    if not (texts[whole].isdigit() and texts[top].isdigit() and texts[top + 2].isdigit()):
        return False
    return max(len(texts[top]), len(texts[top + 2])) <= 2 and 0 < int(texts[top]) < int(texts[top + 2])


def is_grouped(tokens: Tokens, at: int) -> bool:
    """Whether a number goes on the one before it: 80 000."""
    first, second = tokens.texts[at - 1], tokens.texts[at]
    return first.isdigit() and len(first) <= 3 and second.isdigit() and len(second) == 3 and not tokens.tight(at)


def is_mark_of_operation(tokens: Tokens, at: int) -> bool:
    """Whether a break between a number and an operand may be an operator: 12 : 3, 20 \u2014 3, 5 \u2022 3."""
    mark = tokens.texts[at] in "\u2014\u2022" or (tokens.texts[at] in ":." and not tokens.tight(at))
    if not mark or at + 1 >= len(tokens.kinds) or tokens.kinds[at - 1] not in (Kind.NUMBER, Kind.CLOSE, Kind.PERCENT):
        return False
    return tokens.kinds[at + 1] in (Kind.NUMBER, Kind.OPEN)


def is_repeating(tokens: Tokens, opening: int) -> bool:
    """Whether a bracket may hold the digits that a decimal number repeats: 0.1(6)."""
    inside = tokens.kinds[opening + 1 : opening + 3] == [Kind.NUMBER, Kind.CLOSE]
    return inside and "." in tokens.texts[opening - 1] and tokens.texts[opening + 1].isdigit()


def remark(tokens: Tokens, opening: int, end: int) -> tuple[int, bool]:
    """How many tokens a remark in brackets takes, and whether it holds a number: (red), (15 minutes). 0 if none."""
    kinds, at = tokens.kinds, opening + 1
    while at < end and kinds[at] in (Kind.NUMBER, Kind.WORD, Kind.PERCENT):
        at += 1
    inside = kinds[opening + 1 : at]
    if at >= end or kinds[at] != Kind.CLOSE or Kind.WORD not in inside or inside.count(Kind.NUMBER) > 1:
        return 0, False
    return at + 1 - opening, Kind.NUMBER in inside


def is_measure(word: str) -> bool:
    """Whether a word names a common measure: kg, dollars, m."""
    tail = read_unit(word, loose=True)
    return tail is not None and tail.unit.measure
