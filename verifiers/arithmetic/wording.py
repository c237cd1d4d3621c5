"""Words that stand among numbers and are no names of what is counted."""

from __future__ import annotations

from typing import Final


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


SIGNS: Final = {"x": "*", "X": "*", "**": "^", "\u00f7": "/"}
"""Operators that are written in several ways."""

OPERATORS: Final = {"times": "*", "plus": "+", "minus": "-"}
"""Words that are operators where an operand stands on both sides."""

_FRACTIONS: Final = _words(
    """
    half halves third thirds quarter quarters fourth fourths fifth fifths sixth sixths seventh sevenths eighth eighths
    ninth ninths tenth tenths twentieth hundredth hundredths thousandth thousandths
    """
)
_SCALES: Final = _words(
    """
    dozen dozens pair pairs score couple hundred hundreds thousand thousands million millions billion billions trillion
    k mil
    """
)
_FUNCTIONS: Final = _words(
    """
    square cube
    twice thrice double doubled triple tripled quadruple root sqrt log ln sin cos tan mod modulo max min gcd lcm average
    mean difference product quotient ratio times plus minus over than less
    """
)
_NUMBERED: Final = _words(
    """
    day days week weeks month months year years hour hours step steps part parts chapter chapters level levels round
    rounds game games number numbers page pages grade grades line lines question questions case cases phase stage
    """
)
_MONTHS: Final = _words(
    """
    january february march april may june july august september october november december jan feb mar apr aug sep oct
    nov dec
    """
)
_CHANGED: Final = _words("squared cubed factorial doubled tripled halved pi st nd rd th off discount")

CHANGING: Final = _words(
    """
    half halves third quarter fourth fifth sixth seventh eighth ninth tenth twice thrice double triple quadruple squared
    cubed square cube root sqrt log ln sin cos tan mod modulo factorial
    """
)
"""Words beside an expression that make it worth something else: half of 10 + 6 is not 16."""

BEFORE: Final = _FRACTIONS | _SCALES | _FUNCTIONS | _NUMBERED | _MONTHS
"""Words before a number that change what it is worth (half of 10, twice 5) or make it a name (day 1)."""

BEHIND: Final = _FRACTIONS | _SCALES | _CHANGED
"""Words behind a number that change what it is worth (5 dozen) or make it a name (the 5th)."""

SCALES: Final = _SCALES
"""Words that multiply the number before them."""

PARTS: Final = _words("half quarter quarters")
"""Fractions that "and" adds to what is before it: 1 and a half hours."""

FRACTIONS: Final = _FRACTIONS
"""Names of fractions, which may end a longer word: one-third."""

BETWEEN: Final = _words("of the a an his her their its as many much that this these those all")
"""What may stand between such a word and its number: half of the 10 + 5."""

CITING: Final = _words("from by adding subtracting combining using equation equations step steps eq eqs")
"""Words behind which (1) may be the name of an equation."""

COMMANDS: Final = _words("mod pmod bmod pi sqrt frac dfrac tfrac binom choose log ln sin cos tan pm mp circ")
"""Commands of LaTeX that change the number before them, or are multiplied with it."""

JOINING: Final = _words("of in at with to from by for")
"""What joins two quantities to one: 8 packs of 5 bags."""

LINKING: Final = _words(
    """
    because since so then therefore thus hence if when where which that means and or but is are was were has have had
    will would gives give giving gets get makes make making leaves leave leaving yields
    """
)
"""Words that are no part of a unit: what stands before them may be another clause."""

FILLERS: Final = _words("a an the total of only just exactly to")
"""What may stand between an equals sign and its number."""

ROUGHLY: Final = _words("about approximately around roughly nearly almost ~")
"""The same, where they say that the number is not exact."""

UNIT_LETTERS: Final = frozenset("mglhsL")
"""Letters that are rather a unit than a variable where a lone number is before them: = 80 m."""
