r"""The tokens of one expression and a place among them: the way that all of the descent moves.

Not covered: any grammar. `Cursor` knows what stands next, and remembers where a text could be read in two ways.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum, auto

from steplabel.verifiers.expressions.tokens import Kind, Token


class Choice(Enum):
    """Where a text can be read in two ways. Without it: as the first named."""

    TIGHT = auto()
    """1/2x: half of x, or 1/(2x)."""
    MIXED = auto()
    r"""2\frac{1}{2}: one, or two and a half; with an improper fraction too, where one is carried."""
    BARE_PERCENT = auto()
    """25%: a quarter, or 25 of a hundred."""
    IMAGINARY = auto()
    """i: a letter, or the root of -1."""
    LISTED = auto()
    """= 100,200 - 100: one number, or the end of a list and what comes next, which is not read."""
    REPEATING = auto()
    """0.8(3): a product, or 0.8333..."""
    GREATEST_INTEGER = auto()
    """[3.7]: a bracket, or 3."""
    COUNTING = auto()
    r"""\pi(10): a product, or the count of primes, which is not read."""


class UnreadableError(Exception):
    """The tokens are not one term within our bounds."""


class Cursor:
    r"""A place among the tokens of one expression, under one way of reading.

    Attributes:
        units: words and signs that stood behind numbers.
        choices: where another way would have read something else.
        unlikely: whether something was read as it is seldom meant: 2\frac12 as a product, 2\frac32 as none, [3.7] as 3.
        bare_percent: whether a percent sign was read as a unit of the number before it.
    """

    def __init__(self, tokens: Sequence[Token], chosen: frozenset[Choice]) -> None:
        self._tokens = list(tokens)
        self._chosen = chosen
        self._at = 0
        self._bars = 0
        self._angles = 0
        self.units: set[str] = set()
        self.choices: set[Choice] = set()
        self.unlikely = False
        self.bare_percent = False

    @property
    def _next(self) -> Token:
        return self._tokens[self._at]

    def _take(self) -> Token:
        token = self._tokens[self._at]
        if token.kind is Kind.END:
            raise UnreadableError
        self._at += 1
        return token

    def _is(self, *texts: str) -> bool:
        return self._next.kind in (Kind.SIGN, Kind.COMMAND) and self._next.text in texts

    def _took(self, *texts: str) -> bool:
        found = self._is(*texts)
        self._at += found
        return found

    def _expect(self, text: str) -> None:
        if not self._took(text):
            raise UnreadableError

    def _choose(self, choice: Choice) -> bool:
        self.choices.add(choice)
        return choice in self._chosen
