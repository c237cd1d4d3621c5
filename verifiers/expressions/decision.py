r"""Whether two terms stand in a relation: decided exactly, or unknown with a reason.

Covered: constants (rationals, roots, pi, complex numbers, values of sine and logarithm that are known), identities in
letters, rounding. Two ways: normal forms prove that sides are equal, and that they are not if no generator may hide a
relation; enclosures prove that they are not, and which is larger.
Not covered: nested roots that are equal but have different normal forms; inequalities in letters.

Equal letters on both sides do not make an equation an identity: `x^2 = 9` is a condition. `refute` shows values for
which the sides differ, and it is the caller who must know that they should not.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from typing import Final

from steplabel.schemas import Reason, Verdict
from steplabel.verifiers.expressions.ast import Constant, Relation, Term, names_of, parts
from steplabel.verifiers.expressions.enclosure import Bounds, enclose
from steplabel.verifiers.expressions.exact import value_of
from steplabel.verifiers.expressions.limits import OutOfReachError
from steplabel.verifiers.expressions.normal import Normaliser

_PRECISIONS: Final = (128, 512, 2_048)
_POINTS: Final = (2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37)
"""Values for letters: primes make accidental equality unlikely; chance plays no part in a refutation."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """A verdict on one comparison.

    Attributes:
        reason: how it was decided, or what stood in the way, a `Reason`.
        evidence: values of both sides, for people.
    """

    verdict: Verdict
    reason: str
    evidence: str = ""


@lru_cache(maxsize=8_192)
def decide(relation: Relation, left: Term, right: Term) -> Decision:
    """Decide a comparison of terms; with letters it holds if it is an identity, else it is unknown. Never raises."""
    try:
        if names_of(left) or names_of(right):
            return _identity(relation, left, right)
        return _constants(relation, left, right)
    except OutOfReachError as error:
        return Decision(verdict=Verdict.UNKNOWN, reason=error.reason)


def refute(left: Term, right: Term) -> str:
    """Values of the letters for which both sides are defined and differ; empty if none of a few does. Never raises."""
    names = sorted(names_of(left) | names_of(right))
    for values in _valuations(names):
        try:
            one, other = (enclose(side, _PRECISIONS[0], values) for side in (left, right))
        except OutOfReachError:
            continue
        if _apart(one, other):
            at = ", ".join(f"{name} = {value}" for name, value in values.items())
            return f"at {at}: {shown(one)} and {shown(other)}"
    return ""


def congruent(left: Term, right: Term, modulus: Term) -> Decision:
    """Decide a congruence of integers. Never raises."""
    try:
        one, other, divisor = value_of(left), value_of(right), value_of(modulus)
    except OutOfReachError as error:
        return Decision(verdict=Verdict.UNKNOWN, reason=error.reason)
    if any(value.denominator != 1 for value in (one, other, divisor)) or divisor <= 0:
        return Decision(verdict=Verdict.UNKNOWN, reason=f"{Reason.UNSUPPORTED}: congruence of what is no integer")
    return _decided((one - other) % divisor == 0, "exact", f"{one % divisor} and {other % divisor} mod {divisor}")


def shown(bounds: Bounds) -> str:
    """A value for people: exact if it is short, else some decimals."""
    if bounds.is_point() and len(text := str(bounds.low)) <= 40:
        return text
    return f"{_decimal(bounds.low)}..."


def _identity(relation: Relation, left: Term, right: Term) -> Decision:
    if relation is not Relation.EQUAL:
        return Decision(verdict=Verdict.UNKNOWN, reason=f"{Reason.UNSUPPORTED}: inequality in letters")
    if not Normaliser().difference(left, right):
        return Decision(verdict=Verdict.HOLDS, reason="identity")
    return Decision(verdict=Verdict.UNKNOWN, reason=f"{Reason.UNDECIDED}: not an identity; it may be a condition")


def _constants(relation: Relation, left: Term, right: Term) -> Decision:
    try:
        ends = value_of(left), value_of(right)
    except OutOfReachError:
        return _irrationals(relation, left, right)
    return _compared(relation, *(Bounds(end, end) for end in ends))


def _irrationals(relation: Relation, left: Term, right: Term) -> Decision:
    equal = _are_equal(left, right)
    evidence = ""
    if equal is not None and relation in (Relation.EQUAL, Relation.NOT_EQUAL):
        return _decided(equal is (relation is Relation.EQUAL), "normal form", _values(left, right))
    if equal:
        return _decided(relation in (Relation.AT_MOST, Relation.AT_LEAST), "normal form", _values(left, right))
    for precision in _PRECISIONS:
        one, other = enclose(left, precision), enclose(right, precision)
        if _apart(one, other):
            return _compared(relation, one, other)
        evidence = f"{shown(one)} and {shown(other)}"
    return Decision(verdict=Verdict.UNKNOWN, reason=f"{Reason.UNDECIDED}: too close to tell apart", evidence=evidence)


def _are_equal(left: Term, right: Term) -> bool | None:
    normaliser = Normaliser()
    try:
        difference = normaliser.difference(left, right)
    except OutOfReachError:
        return None
    if not difference:
        return True
    # e and pi may be related for all that is known; nothing else without letters is hidden.
    return None if normaliser.ring.opaque or _holds_e(left) or _holds_e(right) else False


def _holds_e(term: Term) -> bool:
    return any(part is Constant.E for part in parts(term))


def _compared(relation: Relation, one: Bounds, other: Bounds) -> Decision:
    """Bounds that do not overlap, or two points."""
    order = 0 if one == other else 1 if one.low > other.high else -1
    return _decided(_ORDERS[relation](order), "exact", f"{shown(one)} and {shown(other)}")


def _decided(holds: bool, reason: str, evidence: str) -> Decision:
    return Decision(verdict=Verdict.HOLDS if holds else Verdict.FAILS, reason=reason, evidence=evidence)


def _values(left: Term, right: Term) -> str:
    try:
        return " and ".join(shown(enclose(side, _PRECISIONS[0])) for side in (left, right))
    except OutOfReachError:
        return ""


def _apart(one: Bounds, other: Bounds) -> bool:
    return one.high < other.low or other.high < one.low


def _valuations(names: Sequence[str]) -> Iterator[Mapping[str, Fraction]]:
    if not names:
        yield {}
    elif len(names) <= len(_POINTS):
        for shift in range(3):
            rotated = (*_POINTS[shift:], *_POINTS[:shift])
            yield {name: Fraction(point) for name, point in zip(names, rotated, strict=False)}


def _decimal(value: Fraction) -> str:
    scaled = abs(value.numerator) * 10**6 // value.denominator
    text = str(scaled) if scaled.bit_length() < 400 else "0" * 7
    sign = "-" if value < 0 else ""
    return f"{sign}{text[:-6] or '0'}.{text[-6:].rjust(6, '0')}"


_ORDERS: Mapping[Relation, Callable[[int], bool]] = {
    Relation.EQUAL: lambda order: order == 0,
    Relation.NOT_EQUAL: lambda order: order != 0,
    Relation.LESS: lambda order: order < 0,
    Relation.AT_MOST: lambda order: order <= 0,
    Relation.GREATER: lambda order: order > 0,
    Relation.AT_LEAST: lambda order: order >= 0,
}
