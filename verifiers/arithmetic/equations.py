"""Equations in a text: the two sides of each equals sign, as expressions.

Covered: chains `a = b = c` (an equation for each sign), several equations in a text, equations in brackets, and a name
that gets an expression and then its value (`Cost = 5 * 3. Cost = 15`). Not covered (no equation): a side without a
number, and letters (`5x + 3 = 8` is algebra). What could be read only in part has an obstacle.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import pairwise

from steplabel.schemas import Reason
from steplabel.verifiers.arithmetic.cleaning import MAX_CHARS, cleaned
from steplabel.verifiers.arithmetic.context import is_asserted, may_be_denied, names_clock
from steplabel.verifiers.arithmetic.runs import Doubt, Postfix
from steplabel.verifiers.arithmetic.sides import Found, find_left, find_right
from steplabel.verifiers.arithmetic.tokens import Kind, Tokens, tokenize
from steplabel.verifiers.text.systems import PLAIN, System, system_of

_MONEY = "$\u20ac\u00a3\u00a5 "


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """One side of an equation.

    Attributes:
        text: as it was printed (in cleaned form), units and currency included.
        readings: expressions in postfix order; more than one where the text can be read in several ways, none where
            an obstacle stood in the way.
        unlikely: further readings, that take apart what looks like one number: `1 1/2`, `80 000`.
        lone: whether it is one number, perhaps with a sign, percent and unit, and nothing to compute.
        decimals: digits behind the point of a lone number.
        percent: whether a lone number is a percentage.
    """

    text: str
    readings: tuple[Postfix, ...]
    unlikely: tuple[Postfix, ...] = ()
    lone: bool = False
    decimals: int = 0
    percent: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Equation:
    """Two sides and an equals sign.

    Attributes:
        about: the text says that the right side is not exact.
        doubt: why a false equation may be a misread one (a word of `runs.Doubt`), empty if nothing speaks for it.
        obstacle: why it cannot be decided at all: a `schemas.Reason` with what was met; empty if it can.
        system: of which number systems the text and what stands before it speak.
    """

    left: Side
    right: Side
    about: bool = False
    doubt: str = ""
    obstacle: str = ""
    system: System = PLAIN

    @property
    def quote(self) -> str:
        """The words that it was read from."""
        sign = "\u2248" if self.about else "="
        return f"{self.left.text} {sign} {self.right.text}"


_SIGNS = frozenset({Kind.EQUAL, Kind.ABOUT})
_NOTHING = Side(text="", readings=())


def read_equations(text: str, *, system: System | None = None) -> tuple[Equation, ...]:
    """All equations of a step's text, in order. Raises nothing; time is linear in the text's length.

    Args:
        text: of one step.
        system: of which number systems the step and what stands before it speak; None: what the step itself says.
    """
    if "=" not in text and "equal" not in text and "\u2248" not in text and "approx" not in text:
        return ()
    if len(text) > MAX_CHARS:
        return (Equation(left=_NOTHING, right=_NOTHING, obstacle=f"{Reason.BUDGET}: over {MAX_CHARS} characters"),)
    plain = cleaned(text)
    if plain is None:
        return (Equation(left=_NOTHING, right=_NOTHING, obstacle=f"{Reason.UNPARSABLE}: characters"),)
    system = system_of(text) if system is None else system
    clock = Doubt.TIME if names_clock(plain) else ""
    found = _equations(tokenize(plain), tried=may_be_denied(plain))
    return tuple(replace(e, doubt=e.doubt or clock, system=system) for e in found) if clock or system else tuple(found)


def _equations(tokens: Tokens, *, tried: bool) -> Iterator[Equation]:
    signs = [index for index, kind in enumerate(tokens.kinds) if kind in _SIGNS]
    begin, name, meant = 0, "", None
    for sign, end in pairwise([*signs, len(tokens.kinds)]):
        start = _clause(tokens, begin, sign)
        left, right = find_left(tokens, start, sign), find_right(tokens, sign + 1, end)
        if left is None or left.run.lone >= 0:
            before, name = name, _text(tokens, start, sign)
            if meant and name == before and right and right.run.lone >= 0 and _follows(tokens, meant, start):
                left = meant
        else:
            name = ""
        meant = right if right and not right.algebra and right.run.lone < 0 else None
        if left and right and not (left.run.letters or right.algebra):
            yield _equation(tokens, left, right, _doubt(tokens, left, right, sign, tried=tried))
        begin = sign + 1


def _follows(tokens: Tokens, meant: Found, start: int) -> bool:
    """Whether nothing stands between an expression and a clause: what does (`Room 2:`) may speak of another thing."""
    return all(kind == Kind.BREAK for kind in tokens.kinds[meant.run.stop : start])


def _clause(tokens: Tokens, begin: int, sign: int) -> int:
    """Where the clause begins that an equals sign stands in."""
    start = sign
    while start > begin and tokens.kinds[start - 1] != Kind.BREAK:
        start -= 1
    return start


def _text(tokens: Tokens, start: int, stop: int) -> str:
    return tokens.source[tokens.matches[start].start() : tokens.matches[stop].start()].strip() if start < stop else ""


def _doubt(tokens: Tokens, left: Found, right: Found, sign: int, *, tried: bool) -> str:
    """From how two sides stand to what is around them."""
    first, last = left.run.start, right.run.stop
    if last < len(tokens.kinds) and tokens.kinds[last] in _SIGNS and "," in tokens.texts[right.run.start]:
        return Doubt.COMMA  # 5*20=100,200-100=100
    if first and tokens.kinds[first - 1] in _SIGNS and "," in tokens.texts[first]:
        return Doubt.COMMA
    begin, end = tokens.matches[first].start(), tokens.matches[sign].end()  # units of the right side are words, too
    return Doubt.ASSERTED if tried and not is_asserted(tokens.source, begin, end) else ""


def _equation(tokens: Tokens, left: Found, right: Found, doubt: str) -> Equation:
    return Equation(
        left=_side(tokens, left),
        right=_side(tokens, right),
        about=right.about,
        doubt=left.doubt or right.doubt or doubt,
        obstacle=left.obstacle or right.obstacle,
    )


def _side(tokens: Tokens, found: Found) -> Side:
    run = found.run
    start = tokens.matches[run.start].start()
    while start and tokens.source[start - 1] in _MONEY:
        start -= 1
    stop = tokens.matches[run.stop - 1].end()
    stop += tokens.source[stop : stop + 1] == "\u00a2"
    number = tokens.texts[run.lone] if run.lone >= 0 else ""
    readings: tuple[Postfix, ...] = (run.postfix,) if run.postfix else ()
    if found.others:
        readings += tuple(other.postfix for other in found.others)
    return Side(
        text=tokens.source[start:stop].strip(),
        readings=readings,
        unlikely=(found.apart.postfix,) if found.apart else (),
        lone=run.lone >= 0,
        decimals=len(number) - number.index(".") - 1 if "." in number else 0,
        percent=bool(number) and run.postfix[-1] == "%",
    )
