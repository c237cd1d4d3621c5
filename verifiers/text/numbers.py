r"""Numbers as models and data sets print them, read as exact rationals by a bounded parser of our own.

Covered: integers, decimals, thousands separators, currency, percent, units after the number, `a/b`, `\frac{a}{b}`,
mixed numbers, scientific notation, and arithmetic of these with + - * / ^ and brackets.
Not covered (None): roots, pi, letters that stand for something, factorials; digits, depth, exponents and bits past the
bounds below. Nothing here evaluates Python, calls `Fraction(str)` or `float(str)`, or recurses deeper than 20.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction

from steplabel.verifiers.text.units import NO_UNIT, Unit, read_unit

MAX_DIGITS = 1_500
"""Digits in one literal: models do write 1.2727... for a thousand digits. Converting takes microseconds."""
MAX_EXPONENT = 400
MAX_BITS = 4_096
MAX_DEPTH = 20

_SIMPLE = re.compile(r"[-+]?[0-9]{1,15}")
_TOKEN = re.compile(
    r"\s*(?:(?P<number>(?:\d{1,3}(?:,\d{3})+(?!\d)|\d+)(?:\.\d*)?|\.\d+)(?P<exponent>[eE][-+]?\d{1,4}(?!\d))?"
    r"|(?P<frac>\\frac(?![a-zA-Z]))|(?P<times>\\cdot(?![a-zA-Z])|\\times(?![a-zA-Z])|\*)"
    r"|(?P<over>\\div(?![a-zA-Z])|/)|(?P<sign>[-+])|(?P<power>\^)|(?P<open>[({])|(?P<close>[)}]))",
    re.ASCII,
)
# French and model style thousands, "80 000" and "10, 000"; "3 100/200" is a mixed number instead.
_SPACED = re.compile(r"(?<![\d.,/])\d{1,3}(?:,? \d{3})+(?![\d/])", re.ASCII)
_ABOUT = re.compile(r"(?:\\approx|~|about|approximately|roughly|around|only|exactly)\s*", re.IGNORECASE)
_CURRENCY = {"$": "dollar", "\u20ac": "euro", "\u00a3": "pound sterling", "\u00a5": "yen"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Number:
    """A rational as it was printed.

    Attributes:
        value: exact; of "44%" it is 44.
        decimals: digits after the point if it was one decimal literal, None for integers, fractions,
            arithmetic.
        percent: whether a percent sign or word followed.
        unit: what was counted or measured; `NO_UNIT` if nothing was said.
    """

    value: Fraction
    decimals: int | None = None
    percent: bool = False
    unit: Unit = NO_UNIT


class _NotANumberError(Exception):
    """The text is not a number within our bounds."""


def read_number(text: str, *, loose: bool = True) -> Number | None:
    """Read `text` (in plain notation) as one number, None if it is not one.

    Args:
        loose: the gold answer is known to be a number, so "80 000" is one and "5 m" is five metres, not 5*m.
    """
    if _SIMPLE.fullmatch(text):
        return Number(value=Fraction(int(text)))
    try:
        return _read(text, loose=loose)
    except _NotANumberError:
        return None


def _read(text: str, *, loose: bool) -> Number:
    text, currency = _without_currency(text)
    if about := _ABOUT.match(text):
        text = text[about.end() :]
    if loose:
        text = _SPACED.sub(lambda match: match[0].replace(",", "").replace(" ", ""), text)
    reader = _Reader(text)
    value = reader.sum(0)
    tail = read_unit(text[reader.position :], loose=loose)
    if tail is None:
        raise _NotANumberError
    value *= tail.factor
    unit = Unit(word=currency, measure=True) if currency and not tail.unit.measure else tail.unit
    return Number(value=value, decimals=reader.decimals(), percent=tail.percent, unit=unit)


def _without_currency(text: str) -> tuple[str, str]:
    for sign, word in _CURRENCY.items():
        if sign in text:
            return text.replace(sign, "").strip(), word
    return text, ""


class _Reader:
    """Recursive descent over one text. `position` is where reading stopped: what follows should be a unit."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.position = 0
        self._literals: list[int | None] = []
        self._operations = 0
        self._read_token()

    def decimals(self) -> int | None:
        """Digits after the point, if all there was is one decimal literal."""
        return self._literals[0] if len(self._literals) == 1 and not self._operations else None

    def sum(self, depth: int) -> Fraction:
        """Terms joined by + and -."""
        if depth > MAX_DEPTH:
            raise _NotANumberError
        value = self._product(depth)
        while self._kind == "sign":
            minus = self._take() == "-"
            term = self._product(depth)
            value = self._bounded(value - term if minus else value + term)
        return value

    def _product(self, depth: int) -> Fraction:
        value = self._signed(depth)
        while self._kind in ("times", "over"):
            over = self._kind == "over"
            self._take()
            factor = self._signed(depth)
            value = self._bounded(_divided(value, factor) if over else value * factor)
        return value

    def _signed(self, depth: int) -> Fraction:
        if self._kind != "sign":
            return self._power(depth)
        minus = self._take() == "-"
        value = self._power(depth)
        return -value if minus else value

    def _power(self, depth: int) -> Fraction:
        base = self._atom(depth)
        if self._kind != "power":
            return base
        self._take()
        minus = self._kind == "sign" and self._take() == "-"
        exponent = self._atom(depth)
        if self._kind == "power" or exponent.denominator != 1:
            raise _NotANumberError
        return self._raised(base, -int(exponent) if minus else int(exponent))

    def _raised(self, base: Fraction, exponent: int) -> Fraction:
        self._operations += 1
        if _bits(base) * abs(exponent) > MAX_BITS or (base == 0 and exponent <= 0):
            raise _NotANumberError
        return Fraction(base**exponent)

    def _atom(self, depth: int) -> Fraction:
        if self._kind == "number":
            return self._literal(depth)
        if self._kind == "frac":
            return self._fraction(depth)
        if self._kind == "open":
            self._operations += self._take() == "{"
            value = self.sum(depth + 1)
            self._expect("close")
            return value
        raise _NotANumberError

    def _literal(self, depth: int) -> Fraction:
        match = self._match
        value, decimals = _literal(match["number"], match["exponent"])
        self._literals.append(decimals)
        end = match.end()
        self._take()
        whole = decimals is None and match["exponent"] is None
        if self._kind == "frac" and whole:
            return self._mixed(value, self._fraction(depth))
        if self._kind == "number":
            if not whole or not self.text[end : end + 1].isspace():
                raise _NotANumberError
            return self._mixed(value, self._slashed())
        return value

    def _mixed(self, whole: Fraction, part: Fraction) -> Fraction:
        """3 1/2 is 3.5; 2 5/3 is nothing that anybody means."""
        self._operations += 1
        if not 0 < part < 1:
            raise _NotANumberError
        return whole + part

    def _slashed(self) -> Fraction:
        top = self._integer(self._expect("number"))
        self._expect("over")
        return _divided(Fraction(top), Fraction(self._integer(self._expect("number"))))

    def _integer(self, text: str) -> int:
        if not text.strip().isdigit():
            raise _NotANumberError
        return int(text)

    def _fraction(self, depth: int) -> Fraction:
        self._operations += 1
        self._take()
        top = self._argument(depth)
        return _divided(top, self._argument(depth))

    def _argument(self, depth: int) -> Fraction:
        r"""A braced sum, or one digit as LaTeX takes it: \frac12 is 1/2, \frac1{72} is 1/72."""
        if self._kind == "open" and self._take() == "{":
            value = self.sum(depth + 1)
            self._expect("close")
            return value
        if self._kind == "number":
            start = self._match.start("number")
            if self.text[start].isdigit():
                self.position = start + 1
                self._read_token()
                return Fraction(int(self.text[start]))
        raise _NotANumberError

    def _bounded(self, value: Fraction) -> Fraction:
        self._operations += 1
        if _bits(value) > MAX_BITS:
            raise _NotANumberError
        return value

    def _expect(self, kind: str) -> str:
        if self._kind != kind:
            raise _NotANumberError
        return self._take()

    def _take(self) -> str:
        text = self._match[0].strip()
        self.position = self._match.end()
        self._read_token()
        return text

    def _read_token(self) -> None:
        match = _TOKEN.match(self.text, self.position)
        self._kind = match.lastgroup if match else None
        if self._kind == "exponent":
            self._kind = "number"
        if match:
            self._match = match


def _literal(digits: str, exponent: str | None) -> tuple[Fraction, int | None]:
    whole, point, part = digits.replace(",", "").partition(".")
    power = int(exponent[1:]) if exponent else 0
    if len(whole) + len(part) > MAX_DIGITS or abs(power) > MAX_EXPONENT:
        raise _NotANumberError
    value = Fraction(int(whole + part or "0"), 10 ** len(part)) * Fraction(10) ** power
    return value, len(part) if point and part and not exponent else None


def _divided(top: Fraction, bottom: Fraction) -> Fraction:
    if bottom == 0:
        raise _NotANumberError
    return top / bottom


def _bits(value: Fraction) -> int:
    return max(value.numerator.bit_length(), value.denominator.bit_length())
