r"""One claim decided: every link of its chain, under every reading.

A link holds if it does under one reading, and fails only if it does under all. A claim fails if a link fails, holds if
one holds and none that should be decidable is unknown. What keeps `fails` back, as unknown with its reason: words that
say that a formula is tried or denied; units that differ; a quotient printed without its remainder; `5 = 2 + 4`, where a
single number stands first and nothing before it (a definition or a substitution); a base or a modulus that words name,
where it could make the sides equal; units, also behind the chain, that may have been converted, see `measures.py`. In
letters, `freedom.py` says when what is no identity fails. Lenient (not strict) also: `slips.py`, and chains that begin
with a number among words, which may be a name (`Day 1 = 3 * 5 = 15`).

What keeps `holds` back: units that differ, a product that looks like a mixed number, a base that words name and that
has all digits printed, `29 = 17 \mod 12`, where neither side is a remainder.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

from steplabel.schemas import Reason, Verdict
from steplabel.verifiers.expressions.ast import (
    Apply,
    Constant,
    Name,
    Number,
    Operator,
    Relation,
    Term,
    is_literal,
    names_of,
    parts,
)
from steplabel.verifiers.expressions.decision import Decision, congruent, decide, refute
from steplabel.verifiers.expressions.exact import value_of
from steplabel.verifiers.expressions.limits import OutOfReachError
from steplabel.verifiers.expressions.printing import printed_whole
from steplabel.verifiers.expressions.reading import Side
from steplabel.verifiers.expressions.rounding import NEAR, about
from steplabel.verifiers.latex.claims import LatexClaim, is_decidable
from steplabel.verifiers.latex.measures import conversion_doubts, is_sum, unit_doubts
from steplabel.verifiers.latex.slips import is_estimate, is_label_and_dash, is_share, slips
from steplabel.verifiers.port import Finding
from steplabel.verifiers.text.systems import System

_ESTIMATE = Fraction(1, 10)
"""Integers closer than this may be an estimate."""
_HUNDRED = Number(Fraction(100))
_CONDITION = Decision(verdict=Verdict.UNKNOWN, reason=f"{Reason.UNDECIDED}: definition or condition")


def find(claim: LatexClaim, *, strict: bool) -> Finding:
    """Decide a claim. Never raises."""
    links = [_Link(claim, index, strict=strict) for index in range(len(claim.chain.relations))]
    decisions = [(link, link.decision()) for link in links]
    for verdict in (Verdict.FAILS, Verdict.UNKNOWN, Verdict.HOLDS):
        for link, decision in decisions:
            if decision.verdict is verdict and decision is not _CONDITION:
                return Finding(
                    verdict=verdict,
                    reason=decision.reason,
                    evidence=f"{link.shown()}: {decision.evidence}".rstrip(": "),
                )
    return Finding(verdict=_CONDITION.verdict, reason=_CONDITION.reason)


class _Link:
    """Two neighbours of a chain."""

    def __init__(self, claim: LatexClaim, index: int, *, strict: bool) -> None:
        chain = claim.chain
        self._relation = chain.relations[index]
        self._modulus = chain.modulus if chain.congruent[index] else None
        self._remainder = chain.remainder and index == len(chain.relations) - 1
        self._alone = len(chain.relations) == 1
        self._first = index == 0 or (index == 1 and isinstance(chain.readings[0][0].term, Name))
        self._behind = claim.behind if index == len(chain.relations) - 1 else ""
        self._prose = claim.prose
        self._asserted = claim.asserted
        self._free = index in claim.free_links
        self._system, self._other_pi = claim.system, claim.other_pi
        self._strict = strict
        self._sides = [(reading[index], reading[index + 1]) for reading in chain.readings]

    def shown(self) -> str:
        """The link for people, as first read."""
        for left, right in self._sides:
            if left.term is not None and right.term is not None:
                modulus = f" mod {printed_whole(self._modulus)}" if self._modulus is not None else ""
                shown = [
                    printed_whole(term) + _units_of(side) for side, term in ((left, left.term), (right, right.term))
                ]
                return f"{shown[0]} {self._relation} {shown[1]}{modulus}"
        return ""

    def decision(self) -> Decision:
        """The link decided under all readings."""
        decisions = [self._under(left, right) for left, right in dict.fromkeys(self._sides)]
        for verdict in (Verdict.HOLDS, Verdict.UNKNOWN):
            for decision in decisions:
                if decision.verdict is verdict:
                    return decision
        return decisions[0]

    def _under(self, left: Side, right: Side) -> Decision:
        if left.term is None or right.term is None or not is_decidable(left, right):
            return _CONDITION
        decision = self._compared(left.term, right.term)
        if names_of(left.term) and decision.verdict is Verdict.UNKNOWN:
            decision = self._rewritten(left.term, right.term)
        if decision.verdict is Verdict.UNKNOWN:
            return decision
        doubts = self._misread(left, right) if decision.verdict is Verdict.HOLDS else self._doubts(left, right)
        for doubt in doubts:
            return Decision(verdict=Verdict.UNKNOWN, reason=f"{Reason.UNDECIDED}: {doubt}", evidence=decision.evidence)
        return decision

    def _compared(self, left: Term, right: Term) -> Decision:
        if self._modulus is not None:
            return congruent(left, right, self._modulus)
        if self._relation is Relation.ABOUT:
            exact = not any(
                isinstance(part, Number) and part.decimals for side in (left, right) for part in parts(side)
            )
            return about(left, right, near=_ESTIMATE if exact else NEAR)
        return decide(self._relation, left, right)

    def _rewritten(self, left: Term, right: Term) -> Decision:
        """No identity: wrong if nothing is known of the letters, else a condition."""
        difference = refute(left, right) if self._free else ""
        if not difference:
            return _CONDITION
        return Decision(verdict=Verdict.FAILS, reason="not an identity", evidence=difference)

    def _doubts(self, left: Side, right: Side) -> Iterator[str]:
        """Why what does not hold as read may still not be wrong."""
        if not self._asserted:
            yield "tried or denied in words"
        yield from unit_doubts(left, right)
        yield from conversion_doubts(left, right, self._behind)
        yield from self._meanings(left, right)
        if left.term is None or right.term is None:
            return
        if self._alone and is_literal(left.term):
            yield "a number defined or substituted"
        if is_literal(left.term) and left.units and not right.units:
            yield "a unit converted"
        if self._relation is Relation.EQUAL and about(left.term, right.term).verdict is Verdict.HOLDS:
            yield "rounded to the printed digits"
        if self._relation is Relation.EQUAL and _is_whole_quotient(left.term, right.term):
            yield "a quotient without its remainder"
        if not self._strict and self._relation is Relation.EQUAL:
            yield from self._named(left.term, right.term)
            yield from slips(left.term, right.term)
            if "%" not in left.units | right.units and is_share(left.term, right.term):
                yield "a share of what is not said"
        if not self._strict and self._relation is Relation.ABOUT and is_estimate(left.term, right.term):
            yield "an estimate"

    def _named(self, left: Term, right: Term) -> Iterator[str]:
        """Where a number that begins a chain may be a name."""
        if not (self._first and self._prose):
            return
        if is_literal(left):
            yield "a number defined or named"
        if is_label_and_dash(left, right):
            yield "a dash behind a number"

    def _meanings(self, left: Side, right: Side) -> Iterator[str]:
        """What the words before, or a percentage, may say that the terms do not."""
        if left.term is None or right.term is None:
            return
        if self._modulus is None and not names_of(left.term) and _may_be_equal(self._system, left.term, right.term):
            yield "another arithmetic may be meant"
        if self._other_pi and any(part is Constant.PI for side in (left.term, right.term) for part in parts(side)):
            yield "another value of pi is given"
        if "%" in left.units ^ right.units and any(is_sum(side) for side in (left, right) if "%" in side.units):
            yield "a percentage of what stands before it"

    def _misread(self, left: Side, right: Side) -> Iterator[str]:
        """Why what holds as read may say something else."""
        yield from unit_doubts(left, right)
        if self._remainder and not (self._is_remainder(left) or self._is_remainder(right)):
            yield "no remainder"
        if left.unlikely or right.unlikely:
            yield "a forced reading"
        if self._modulus is None and self._system.may_differ(_printed(left, right)):
            yield "another base may be meant"
        for side, other in ((left, right), (right, left)):
            if side.bare_percent and "%" not in other.units and not _holds_hundred(other):
                yield "percent on one side"

    def _is_remainder(self, side: Side) -> bool:
        """Whether a side is one of 0, ..., n - 1."""
        if side.term is None or self._modulus is None:
            return False
        try:
            return 0 <= value_of(side.term) < value_of(self._modulus)
        except OutOfReachError:
            return False


def _holds_hundred(side: Side) -> bool:
    return side.term is not None and any(part == _HUNDRED for part in parts(side.term))


def _may_be_equal(system: System, left: Term, right: Term) -> bool:
    """Whether constants that differ may be equal in a system that words speak of."""
    try:
        return bool(system) and system.may_equate(value_of(left), value_of(right))
    except OutOfReachError:
        return bool(system)


def _printed(*sides: Side) -> str:
    """The digits of the integers of some sides; of fractions, more than was printed."""
    terms = (part for side in sides if side.term is not None for part in parts(side.term))
    return " ".join(str(part.value) for part in terms if isinstance(part, Number))


def _units_of(side: Side) -> str:
    """Units that the term leaves out, for people."""
    return f" [{', '.join(sorted(side.units))}]" if side.units else ""


def _is_whole_quotient(left: Term, right: Term) -> bool:
    """`410 / 333 = 1`: how often it goes in; the remainder is said beside it."""
    if not isinstance(left, Apply) or left.operator is not Operator.DIVIDE or not is_literal(right):
        return False
    if not all(is_literal(part) for part in left.terms):
        return False
    try:
        return value_of(Apply(Operator.FLOOR_DIVIDE, left.terms)) == value_of(right)
    except OutOfReachError:
        return False
