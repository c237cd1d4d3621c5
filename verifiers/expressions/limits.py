"""Why a computation stopped, and the bounds that all of them share."""

from __future__ import annotations

from fractions import Fraction
from typing import Final

from steplabel.schemas import Reason

MAX_BITS: Final = 4_096
"""Of a numerator or denominator."""
MAX_TERM_DEPTH: Final = 200
"""The reader makes at most about 150; deeper terms would meet the interpreter's own bound."""


class OutOfReachError(Exception):
    """What was asked cannot be computed here. It says nothing about right or wrong.

    Attributes:
        reason: a `Reason`, with what stood in the way after a colon.
    """

    def __init__(self, reason: str, detail: str = "") -> None:
        self.reason = f"{reason}: {detail}" if detail else reason
        super().__init__(self.reason)


def bits(value: Fraction) -> int:
    """Length of the longer of numerator and denominator."""
    return max(value.numerator.bit_length(), value.denominator.bit_length())


def bounded(value: Fraction) -> Fraction:
    """The value, if it is within `MAX_BITS`.

    Raises:
        OutOfReachError: it is not.
    """
    if bits(value) > MAX_BITS:
        raise OutOfReachError(Reason.BUDGET, f"more than {MAX_BITS} bits")
    return value


def undefined(what: str) -> OutOfReachError:
    """The error for a term without a value: division by zero is not wrong, it is nothing."""
    return OutOfReachError(Reason.UNSUPPORTED, f"undefined: {what}")
