r"""What a lenient reader lets pass: sides that differ, where a way of writing that is common explains it.

Covered: roundings that nobody mentions, estimates (`45 \cdot 35 \approx 50 \cdot 40`), an equals sign that runs on
(`5 + 3 = 8 * 2 = 16`), `-3^2 = 9`, a share of what is not said (`\frac{2}{5} = 12`), a dot for a product or between
thousands, a dash behind a label (`1 - 5 * 3 = 15`) or in a range, `7!=3` for "not equal".
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from fractions import Fraction

from steplabel.schemas import Verdict
from steplabel.verifiers.expressions.ast import (
    Apply,
    Number,
    Operator,
    Relation,
    Term,
    is_literal,
    joined,
    negated,
    parts,
)
from steplabel.verifiers.expressions.decision import decide
from steplabel.verifiers.expressions.exact import value_of
from steplabel.verifiers.expressions.limits import OutOfReachError
from steplabel.verifiers.expressions.rounding import about, may_be_rounded

_FAR = 100


def slips(left: Term, right: Term) -> Iterator[str]:
    """What a reader who wants to understand lets pass."""
    if may_be_rounded(left, right):
        yield "may be rounded"
    if _runs_on(left, right):
        yield "the equals sign runs on"
    if _equal_with_signs_inside(left, right):
        yield "a power of a negative number"
    for meant, reading in _DOTS:
        if _equal_with(reading, left, right):
            yield meant
    if _is_range(left, right):
        yield "a range, and how many there are"
    if _is_reduced(left, right):
        yield "a fraction of what stands before it"
    if _is_sign_of_difference(left, right):
        yield "not equal"


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


def _runs_on(left: Term, right: Term, *, rounded: bool = False) -> bool:
    """`5 + 3 = 8 * 2`, `6/8 = 3/4 * 20`: the right side goes on from the left one's value. A root may be negative."""
    if not isinstance(right, Apply) or not (is_literal(right.terms[0]) or _is_fraction(right.terms[0])):
        return False
    if right.operator is Operator.NEGATE and not (isinstance(left, Apply) and left.operator is Operator.ROOT):
        return False
    try:
        return value_of(left) == value_of(right.terms[0]) or _is_rounding(left, right.terms[0], rounded=rounded)
    except OutOfReachError:
        return False


def _is_rounding(value: Term, printed: Term, *, rounded: bool) -> bool:
    """Whether a number is a value rounded to the decimals that are printed; to an integer only if that is said."""
    decimals = any(isinstance(part, Number) and part.decimals for part in parts(printed))
    return (decimals or rounded) and about(value, printed).verdict is Verdict.HOLDS


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
    rest = isinstance(part, Apply) and part.operator is Operator.ADD and part.terms[0] == Number(Fraction(1))
    if not (_is_fraction(part) or rest):
        return False
    try:
        whole = value_of(amount)
        return 0 < value_of(part) < 1 <= whole and whole.denominator == 1
    except OutOfReachError:
        return False


def _is_range(left: Term, right: Term) -> bool:
    """`10-99 = 90`: from 10 to 99."""
    ends = _numbers_of_difference(left)
    return ends is not None and ends[0] < ends[1] and _are_equal(Number(ends[1] - ends[0] + 1), right)


def _is_reduced(left: Term, right: Term) -> bool:
    r"""`30 - \frac13 = 20`: less a third of it."""
    ends = _numbers_of_difference(left)
    return ends is not None and 0 < ends[1] < 1 and _are_equal(Number(ends[0] * (1 - ends[1])), right)


def _numbers_of_difference(term: Term) -> tuple[Fraction, Fraction] | None:
    """a and b of a - b, where both are printed numbers or fractions of such."""
    if not isinstance(term, Apply) or term.operator is not Operator.ADD or len(term.terms) != 2:
        return None
    first, second = term.terms
    if not isinstance(second, Apply) or second.operator is not Operator.NEGATE:
        return None
    if not all(is_literal(part) or _is_fraction(part) for part in (first, second.terms[0])):
        return None
    try:
        return value_of(first), value_of(second.terms[0])
    except OutOfReachError:
        return None


def _is_sign_of_difference(left: Term, right: Term) -> bool:
    """`9+16!=36`: what would be a factorial is far larger than the other side."""
    if not any(isinstance(part, Apply) and part.operator is Operator.FACTORIAL for part in parts(left)):
        return False
    try:
        return abs(value_of(left)) > _FAR * max(abs(value_of(right)), Fraction(1))
    except OutOfReachError:
        return False


def is_estimate(left: Term, right: Term) -> bool:
    r"""`45 \cdot 35 \approx 50 \cdot 40`: each number rounded on its own; or what runs on from a rounded value."""
    if _runs_on(left, right, rounded=True):
        return True
    if not isinstance(left, Apply) or not isinstance(right, Apply) or left.operator is not right.operator:
        return False
    pairs = list(zip(left.terms, right.terms, strict=False))
    if len(left.terms) != len(right.terms) or not all(is_literal(term) for pair in pairs for term in pair):
        return False
    return all(abs(value_of(one) - value_of(other)) < _rounded_to(value_of(other)) for one, other in pairs)


def _rounded_to(value: Fraction) -> int:
    """The power of ten that an integer was rounded to, by its zeros; 1 for others."""
    digits = str(value)
    return 10 ** (len(digits) - len(digits.rstrip("0"))) if value and value.denominator == 1 else 1


def _equal_with(reading: Callable[[Number], Term], left: Term, right: Term) -> bool:
    """Whether the sides are equal if the decimals of one, or of both, are read in another way."""
    sides = _reread(reading, left), _reread(reading, right)
    pairs = ((sides[0], right), (left, sides[1]), sides)
    return any(_are_equal(*pair) for pair in pairs if pair != (left, right))


def _reread(reading: Callable[[Number], Term], term: Term) -> Term:
    """A term with its decimals from 1 on in another reading. Depth is bounded where terms are read."""
    if isinstance(term, Number):
        return reading(term) if term.decimals and term.value >= 1 else term
    if not isinstance(term, Apply):
        return term
    terms = tuple(_reread(reading, part) for part in term.terms)
    exponent = terms[-1]
    if term.operator is Operator.POWER and exponent != term.terms[-1] and isinstance(exponent, Apply):  # 10^2.3
        return Apply(Operator.MULTIPLY, (Apply(Operator.POWER, (terms[0], exponent.terms[0])), *exponent.terms[1:]))
    return Apply(term.operator, terms)


def _as_product(number: Number) -> Term:
    r"""`8.7` for `8 \cdot 7`."""
    whole = Fraction(number.value // 1)
    part = (number.value - whole) * 10 ** (number.decimals or 0)
    return Apply(Operator.MULTIPLY, (Number(whole), Number(part)))


def _as_thousands(number: Number) -> Term:
    """`1.250` for `1,250`."""
    return Number(number.value * 1000) if number.decimals == 3 else number


def _are_equal(left: Term, right: Term) -> bool:
    return decide(Relation.EQUAL, left, right).verdict is Verdict.HOLDS


_DOTS = (("a dot for a product", _as_product), ("a dot between thousands", _as_thousands))
