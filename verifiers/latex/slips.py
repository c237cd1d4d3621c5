r"""What a lenient reader lets pass: sides that differ, where a way of writing that is common explains it.

Covered: roundings that nobody mentions, an equals sign that runs on (`5 + 3 = 8 * 2 = 16`), `-3^2 = 9`, a share of what
is not said (`\frac{2}{5} = 12`), a dot for a product (`8.7 = 56`), a dash behind a label (`1 - 5 * 3 = 15`).
"""

from __future__ import annotations

from collections.abc import Iterator

from steplabel.schemas import Verdict
from steplabel.verifiers.expressions.ast import Apply, Number, Operator, Relation, Term, is_literal, joined, negated
from steplabel.verifiers.expressions.decision import decide
from steplabel.verifiers.expressions.exact import value_of
from steplabel.verifiers.expressions.limits import OutOfReachError
from steplabel.verifiers.expressions.rounding import may_be_rounded


def slips(left: Term, right: Term) -> Iterator[str]:
    """What a reader who wants to understand lets pass."""
    if may_be_rounded(left, right):
        yield "may be rounded"
    if _runs_on(left, right):
        yield "the equals sign runs on"
    if _equal_with_signs_inside(left, right):
        yield "a power of a negative number"
    if _equal_with_dots_as_times(left, right):
        yield "a dot for a product"


def _equal_with_signs_inside(left: Term, right: Term) -> bool:
    """`-3^2 = 9`: the power may be meant of -3."""
    pairs = ((_with_signs_inside(left), right), (left, _with_signs_inside(right)))
    return any(_are_equal(*pair) for pair in pairs if pair != (left, right))


def _with_signs_inside(term: Term) -> Term:
    """Each sign before a power of a number as the number's own. Depth is bounded where terms are read."""
    if not isinstance(term, Apply):
        return term
    inner = term.terms[0]
    if term.operator is Operator.NEGATE and isinstance(inner, Apply) and inner.operator is Operator.POWER:
        base, exponent = inner.terms
        if isinstance(base, Number):
            return Apply(Operator.POWER, (negated(base), exponent))
    return Apply(term.operator, tuple(map(_with_signs_inside, term.terms)))


def _runs_on(left: Term, right: Term) -> bool:
    """`5 + 3 = 8 * 2`, `6/8 = 3/4 * 20`: the right side goes on from the left one's value. A root may be negative."""
    if not isinstance(right, Apply) or not (is_literal(right.terms[0]) or _is_fraction(right.terms[0])):
        return False
    if right.operator is Operator.NEGATE and not (isinstance(left, Apply) and left.operator is Operator.ROOT):
        return False
    try:
        return value_of(left) == value_of(right.terms[0])
    except OutOfReachError:
        return False


def is_label_and_dash(left: Term, right: Term) -> bool:
    """`Step 1 - 5 * 3 = 15`: without the number and the dash the sides are equal."""
    if not isinstance(left, Apply) or left.operator is not Operator.ADD or not isinstance(left.terms[0], Number):
        return False
    second = left.terms[1]
    if not isinstance(second, Apply) or second.operator is not Operator.NEGATE:
        return False
    return _are_equal(joined(Operator.ADD, [second.terms[0], *left.terms[2:]]), right)


def _is_fraction(term: Term) -> bool:
    return isinstance(term, Apply) and term.operator is Operator.DIVIDE and all(map(is_literal, term.terms))


def is_share(part: Term, amount: Term) -> bool:
    r"""`\frac{2}{5} = 12`: a proper fraction, of something that is not said."""
    if not _is_fraction(part) or not is_literal(amount):
        return False
    try:
        return 0 < value_of(part) < 1 <= value_of(amount)
    except OutOfReachError:
        return False


def _equal_with_dots_as_times(left: Term, right: Term) -> bool:
    r"""`\frac{8.7}{2} = 28`: a dot that stands low is often a sign of multiplication."""
    sides = _with_dots_as_times(left), _with_dots_as_times(right)
    pairs = ((sides[0], right), (left, sides[1]), sides)
    return any(_are_equal(*pair) for pair in pairs if pair != (left, right))


def _with_dots_as_times(term: Term) -> Term:
    """Each decimal as the product of what stands on both sides of its point; `0.5` stays. Depth: as above."""
    if isinstance(term, Number) and term.decimals and term.value >= 1:
        whole, part = divmod(term.value, 1)
        return Apply(Operator.MULTIPLY, (Number(whole), Number(part * 10**term.decimals)))
    if not isinstance(term, Apply):
        return term
    terms = tuple(map(_with_dots_as_times, term.terms))
    exponent = terms[-1]
    if term.operator is Operator.POWER and exponent != term.terms[-1] and isinstance(exponent, Apply):  # 10^2.3
        return Apply(Operator.MULTIPLY, (Apply(Operator.POWER, (terms[0], exponent.terms[0])), *exponent.terms[1:]))
    return Apply(term.operator, terms)


def _are_equal(left: Term, right: Term) -> bool:
    return decide(Relation.EQUAL, left, right).verdict is Verdict.HOLDS
