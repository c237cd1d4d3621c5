"""Whether an equation holds, and what a false one may be instead of wrong.

An equation **holds** if its sides are equal, or if the right one is the left one rounded to the decimals printed. If
that is so only where a mixed number is taken apart (`in week 1 1/2 * 4 = 2`), beside a word that multiplies or raises
(`half of 10 + 6 = 16`), or in decimal numbers where another base is spoken of, it is unknown. A false one **fails**
unless there is another way to account for it:

- always *unknown*: the reader had doubts; `5 = 2 * 3` (what has no operator on its left defines something); a whole
  number less than one from a left side that is none (rounded up or down for a reason that we cannot see); decimals
  cut off; a proper fraction that "equals" a count; a share against its percentage; units to be converted ($ and cents);
  `2010-2020 = 10` (a range); `$5 - $8 = ($3)`; dates (`12/25/2020`); what may be equal in a number system spoken of; a
  sum of two units, scales or a number and a percentage, even if true;
- *unknown* in lenient mode, *fails* in strict mode: less than one per cent apart; apart by a factor between units (60,
  100, 12, ...); a running total (`5 * 60 = 300 + 58 = 358`); the power of a negative number without its brackets
  (`-3^2 = 9`); numbers that may be spelled otherwise (`1.000 + 500 = 1.500`, `3-1/2 = 3.5`); a dash that only
  separates (`Store 1 - 4 * $5 = $20`); `30 - 1/3 = 20`; a name below a number (`12/8 = 9/EF`); sides that count
  different things (`2 adults + 3 kids = $35`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import product
from typing import Final

from steplabel.schemas import Reason, Verdict
from steplabel.verifiers.arithmetic.equations import Equation, Side
from steplabel.verifiers.arithmetic.naming import divides_by_name, speaks_of_others
from steplabel.verifiers.arithmetic.rereading import behind_dash, respelled, with_signs_inside
from steplabel.verifiers.arithmetic.runs import Doubt, Postfix
from steplabel.verifiers.arithmetic.scales import has_mixed_scales
from steplabel.verifiers.arithmetic.values import NoValueError, Value, evaluate, heads
from steplabel.verifiers.port import Finding
from steplabel.verifiers.text.dimensions import names_two_units, without_rates

NEAR = Fraction(1, 100)
ABOUT = Fraction(1, 200)
"""How far the right side may be from the left one, of which the text says "about"."""
FLOAT_DECIMALS = 10
FLOAT_NOISE = Fraction(1, 10**12)
"""80 / 3 = 26.666666666666668, as programs print it."""
HOURS: Final = 12
"""On the face of a clock."""
FACTORS: Final = frozenset(
    {7, 12, 16, 24, 30, 36, 52, 60, 100, 144, 168, 365, 1000, 1440, 1728, 1760, 2000, 3600, 5280, 8760, 10080, 86400}
)
"""Between units of time, length, weight, money, and a share and its percentage."""


class Soft:
    """Stable words for what a false equation may be instead of wrong."""

    NEAR = "near"
    FACTOR = "a factor between units"
    RUNNING = "a running total"
    DEFINITION = "a definition"
    PERCENT = "a share and its percentage"
    UNITS = "units to be converted"
    CUT = "decimals cut off"
    RANGE = "from one to the other"
    BRACKETS = "a negative number in brackets"
    WHOLE = "rounded to a whole number"
    DATE = "a date"
    SIGNED = "a power of a negative number"
    SPELLED = "numbers that may be spelled otherwise"
    OTHERS = "something else counted"
    NAME = "a name below a number"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Judged:
    """One pair of readings."""

    verdict: Verdict
    reason: str
    evidence: str = ""


def judge(equation: Equation, *, strict: bool) -> Finding:
    """Decide an equation; it fails only if each pair of its readings does."""
    if equation.obstacle:
        return Finding(verdict=Verdict.UNKNOWN, reason=equation.obstacle)
    best: _Judged | None = None
    for judged in _pairs(equation, strict=strict):
        if best is None or _ORDER.index(judged.verdict) < _ORDER.index(best.verdict):
            best = judged
        if best.verdict is Verdict.HOLDS:
            break
    assert best is not None  # noqa: S101 - without an obstacle each side has a reading
    return Finding(verdict=best.verdict, reason=best.reason, evidence=best.evidence)


_ORDER: Final = (Verdict.HOLDS, Verdict.UNKNOWN, Verdict.FAILS)


def _pairs(equation: Equation, *, strict: bool) -> Iterator[_Judged]:
    likely, right_likely = equation.left.readings, equation.right.readings
    for left, right in product(likely, right_likely):
        yield _safely_judged(equation, left, right, strict=strict)
    if equation.left.unlikely or equation.right.unlikely:
        for left, right in product(likely + equation.left.unlikely, right_likely + equation.right.unlikely):
            judged = _safely_judged(equation, left, right, strict=strict)
            if judged.verdict is not Verdict.FAILS:  # the likely readings did not hold
                yield _Judged(
                    verdict=Verdict.UNKNOWN, reason=f"{Reason.UNDECIDED}: {Doubt.NUMBER}", evidence=judged.evidence
                )


def _safely_judged(equation: Equation, left: Postfix, right: Postfix, *, strict: bool) -> _Judged:
    try:
        return _judged(equation, left, right, strict=strict)
    except NoValueError as error:
        return _Judged(verdict=Verdict.UNKNOWN, reason=f"{Reason.UNSUPPORTED}: {error}")


def _judged(equation: Equation, left: Postfix, right: Postfix, *, strict: bool) -> _Judged:
    a, b = evaluate(left), evaluate(right)
    evidence = f"left {a}, right {b}"
    sides = _Sides(equation=equation, left=left, right=right, a=Fraction(a), b=Fraction(b))
    if why := sides.unsure():
        return _Judged(verdict=Verdict.UNKNOWN, reason=f"{Reason.UNDECIDED}: {why}", evidence=evidence)
    if how := "exact" if a == b else sides.holds():
        if equation.system.may_differ(equation.quote):
            return _Judged(verdict=Verdict.UNKNOWN, reason=f"{Reason.UNDECIDED}: {Doubt.SYSTEM}", evidence=evidence)
        return _Judged(verdict=Verdict.HOLDS, reason=how, evidence=evidence)
    why = (
        Doubt.SYSTEM
        if equation.system.may_equate(a, b)
        else sides.first(_OPEN) or ("" if strict else sides.first(_SOFT))
    )
    if why:
        return _Judged(verdict=Verdict.UNKNOWN, reason=f"{Reason.UNDECIDED}: {why}", evidence=evidence)
    return _Judged(verdict=Verdict.FAILS, reason="unequal", evidence=evidence)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sides:
    """An equation whose sides are not equal in one pair of readings: `left` is worth `a`, `right` is worth `b`."""

    equation: Equation
    left: Postfix
    right: Postfix
    a: Fraction
    b: Fraction

    def holds(self) -> str:
        """How it holds all the same, empty if it does not."""
        side = self.equation.right
        if side.lone and side.percent and self._may_be_percentage() and self.a == self.b * 100:
            return "percent"
        whole = side.percent and not side.decimals and self._may_be_percentage()
        if side.lone and (side.decimals or whole) and self._is_rounded(side):
            return "rounded"
        return "about" if self.equation.about and self._gap() <= abs(self.a) * ABOUT else ""

    def _may_be_percentage(self) -> bool:
        """10/50 = 20%, but not 10 + 10 = 20%."""
        return "%" not in self.left and ("/" in self.left or 100 in self.left)

    def unsure(self) -> str:
        """Why numbers that fit may say something else."""
        doubt = self.equation.doubt
        if doubt == Doubt.CHANGED or self.equation.left.lone:  # 10 = 10, behind half of it
            return doubt
        return self._is_mixed_sum()

    def _is_mixed_sum(self) -> str:
        """Why a sum is none of plain numbers, even if its numbers fit: 2 hours + 30 minutes = 32 minutes."""
        if not {"+", "-"} & set(self.left) or {"*", "/"} & set(self.left):
            return ""
        if names_two_units(without_rates(self.equation.left.text)):
            return Soft.UNITS
        if has_mixed_scales(self.equation.left.text):
            return Doubt.WORDING
        return Doubt.PERCENT if self.equation.doubt == Doubt.PERCENT and self.left[0] != 1 else ""

    def is_range(self) -> bool:
        """2010-2020 = 10 years; 9-5 = 8 hours."""
        if len(self.left) != 3 or self.left[2] != "-" or self.b <= 0:
            return False
        m, n = Fraction(self.left[0]), Fraction(self.left[1])
        return m < n or (m <= HOURS and self.b == n - m + HOURS)

    def is_negative_in_brackets(self) -> bool:
        """$5 - $8 = ($3), as accounts have it."""
        return self.a == -self.b and self.equation.right.text.lstrip("$ ").startswith("(")

    def _gap(self) -> Fraction:
        return abs(self.a - self.b)

    def _is_rounded(self, side: Side) -> bool:
        half = Fraction(1, 2 * 10**side.decimals)
        if side.decimals > FLOAT_DECIMALS:
            half = max(half, abs(self.a) * FLOAT_NOISE)
        if not side.percent:
            return self._gap() <= half
        return self._gap() * 100 <= half or abs(self.a - self.b * 100) <= half

    def first(self, explanations: tuple[tuple[Callable[[_Sides], bool], str], ...]) -> str:
        """The first explanation that applies."""
        return self.equation.doubt or next((word for applies, word in explanations if applies(self)), "")

    def is_definition(self) -> bool:
        """Nothing is computed on the left: 1 bedroom = 11 * 11."""
        return self.equation.left.lone

    def is_about(self) -> bool:
        """The text says that it is not exact, and it is not far: 45 * 35 \u2248 50 * 40 has rounded operands."""
        right = self.equation.right
        nearest = "nearest" in right.text  # 34 + 21 = 60 (to the nearest ten)
        reach = 10 if right.lone and not nearest else 2
        return (self.equation.about or nearest) and self._gap() * reach <= abs(self.a)

    def is_percentage(self) -> bool:
        """A share stands against its percentage: 9 / 21 * 100% = 42.857."""
        if "%" not in self.left and "%" not in self.right:
            return False
        return any(abs(one - 100 * other) < NEAR * abs(one) for one, other in ((self.a, self.b), (self.b, self.a)))

    def is_conversion(self) -> bool:
        """$1/2 = 50 cents; 4 pounds - 6 ounces = 58 ounces."""
        left, right = self.equation.left.text, self.equation.right.text
        if any(
            not {"+", "-"}.isdisjoint(p) and names_two_units(t) for p, t in ((self.left, left), (self.right, right))
        ):
            return True
        return self.is_by_factor() and names_two_units(f"{left} {right}")

    def is_whole(self) -> bool:
        """17 / 4 = 4 or 5, as the story wants; but 1 / 2 = 1 is wrong."""
        whole = self.b.denominator == 1 and self.a.denominator != 1
        return whole and self._gap() < 1 and (abs(self.a) >= 1 or not self.b)

    def is_cut(self) -> bool:
        """2 / 3 = 0.66; 2 / 3 = 66%."""
        side = self.equation.right
        last_place = Fraction(1, 10 ** (side.decimals + 2 * side.percent))
        return side.decimals + side.percent > 0 and 0 < abs(self.a) - abs(self.b) < last_place

    def is_share(self) -> bool:
        """1/3 = 5 apples: the third part of something that is not said."""
        if len(self.left) != 3 or self.left[2] != "/":
            return False
        return 0 < self.a < 1 <= abs(self.b)

    def is_near(self) -> bool:
        """Operands may have been rounded before."""
        return self._gap() <= NEAR * max(abs(self.a), abs(self.b))

    def is_by_factor(self) -> bool:
        """One side may be in another unit."""
        return bool(self.a and self.b) and (abs(self.a / self.b) in FACTORS or abs(self.b / self.a) in FACTORS)

    def is_date(self) -> bool:
        """12/25/2020 - 5 = 7."""
        return _DATE.search(self.equation.left.text) is not None

    def is_signed_power(self) -> bool:
        """-3^2 = 9: the power may be meant of -3."""
        return with_signs_inside(self.left) == self.b or self.a == with_signs_inside(self.right)

    def is_respelled(self) -> bool:
        """1.000 + 500 = 1.500; 3-1/2 = 3.5."""
        pairs = respelled(self.equation.left.text, self.equation.right.text)
        return any(abs(a - b) <= NEAR * abs(a) for a, b in pairs)

    def is_separated(self) -> bool:
        """Store 1 - 4 * $5 = $20: the dash is no minus."""
        return behind_dash(self.left) == self.b

    def is_share_of_itself(self) -> bool:
        """30 - 1/3 = 20: a third of the 30."""
        if len(self.left) != 5 or self.left[3] != "/" or self.left[4] not in ("+", "-"):
            return False
        whole = evaluate(self.left[:1])
        return self.b - whole == whole * (self.a - whole)

    def is_cited(self) -> bool:
        """(1) + (2) = 15 + 10."""
        return _CITED.fullmatch(self.equation.left.text) is not None

    def is_of_others(self) -> bool:
        """3 apples + 2 oranges = $7."""
        return speaks_of_others(
            self.equation.left.text,
            self.equation.right.text,
            sums=not {"+", "-"}.isdisjoint(self.left),
            multiplies=not {"*", "/"}.isdisjoint(self.left),
            lone=self.equation.right.lone,
        )

    def is_divided_by_name(self) -> bool:
        """12/8 = 9/EF."""
        return divides_by_name(self.equation.left.text) or divides_by_name(self.equation.right.text)

    def is_running(self) -> bool:
        """5 * 60 = 300 + 58 = 358; 50/3 = 16.67 * 2: the equals sign passes a result on, perhaps a rounded one."""
        return any(self._may_be_rounded(head) for head in heads(self.right)) and len(self.right) > 1

    def _may_be_rounded(self, value: Value) -> bool:
        gap = abs(self.a - value)
        return (
            gap < NEAR * abs(self.a)
            or not gap
            or (value.denominator == 1 != self.a.denominator and gap <= Fraction(1, 2))
        )


_DATE: Final = re.compile(r"(?<![0-9/])[0-9]{1,2}/[0-9]{1,2}/(?:19|20)[0-9]{2}(?![0-9/])")
_CITED: Final = re.compile(r"\([0-9]{1,2}\)(?:\s?[-+]\s?\([0-9]{1,2}\))+")
_OPEN: Final = (
    (_Sides.is_definition, Soft.DEFINITION),
    (_Sides.is_about, Soft.NEAR),
    (_Sides.is_percentage, Soft.PERCENT),
    (_Sides.is_conversion, Soft.UNITS),
    (_Sides.is_whole, Soft.WHOLE),
    (_Sides.is_cut, Soft.CUT),
    (_Sides.is_share, Doubt.SHARE),
    (_Sides.is_range, Soft.RANGE),
    (_Sides.is_negative_in_brackets, Soft.BRACKETS),
    (_Sides.is_date, Soft.DATE),
)
_SOFT: Final = (
    (_Sides.is_near, Soft.NEAR),
    (_Sides.is_by_factor, Soft.FACTOR),
    (_Sides.is_running, Soft.RUNNING),
    (_Sides.is_signed_power, Soft.SIGNED),
    (_Sides.is_respelled, Soft.SPELLED),
    (_Sides.is_separated, Doubt.SIGN),
    (_Sides.is_share_of_itself, Doubt.OF),
    (_Sides.is_cited, Doubt.CITED),
    (_Sides.is_of_others, Soft.OTHERS),
    (_Sides.is_divided_by_name, Soft.NAME),
)
