"""What the solver says of a question, before anyone trusts it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Status(StrEnum):
    """How a question ended."""

    HOLDS = "holds"
    """The assumptions cannot be true and the claim false."""
    REFUTED = "refuted"
    """The assumptions and the claim cannot be true together, and the assumptions can by themselves."""
    NOT_ENTAILED = "not_entailed"
    """The claim may be true and may be false; the model shows a case in which it is false."""
    UNDEFINED = "undefined"
    """The claim divides by what may be zero, or takes an even root of what may be negative; the model shows where."""
    INCONSISTENT = "inconsistent_context"
    """The assumptions contradict one another, so they entail everything."""
    EXHAUSTED = "timeout"
    """The solver's budget ended first."""
    UNDECIDED = "undecided"
    """The solver gave up before its budget ended: its methods do not reach that far."""
    UNSUPPORTED = "unsupported"
    """Something in it is not put to the solver."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Assigned:
    """What a model gives to a name: a rational, a truth value, or something that neither of these can write.

    Attributes:
        value: numerator and denominator; a truth value as 1/1 or 0/1; None of an irrational or an immense number.
        shown: for people; ends with "?" where it is cut short.
    """

    name: str
    value: tuple[int, int] | None
    shown: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """One question's end.

    Attributes:
        used: labels of assumptions that suffice for it, none of which can be left out; where it holds, is refuted or
            inconsistent.
        model: a case in which the assumptions are true and the claim is false or undefined.
        detail: what stood in the way.
        spent: Z3's resource units, where the question had a context of its own; equal for equal questions.
    """

    status: Status
    used: tuple[str, ...] = ()
    model: tuple[Assigned, ...] = ()
    detail: str = ""
    spent: int | None = None
