"""How near two terms are that are said to be about equal."""

from __future__ import annotations

from fractions import Fraction

from steplabel.verifiers.expressions.ast import Comparison, Number

MAX_DECIMALS = 64


def tolerance(comparison: Comparison) -> Fraction | None:
    """Half a unit of the last digit that one side was printed with; None if no side is a number that says so."""
    printed = [side for side in (comparison.right, comparison.left) if isinstance(side, Number)]
    if not printed or (printed[0].decimals or 0) > MAX_DECIMALS:
        return None
    return Fraction(1, 2 * 10 ** (printed[0].decimals or 0))
