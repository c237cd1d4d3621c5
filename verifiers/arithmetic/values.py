"""The exact value of an expression in postfix order, within bounds."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from fractions import Fraction
from typing import Final, TypeAlias

from steplabel.verifiers.arithmetic.runs import Item, Postfix

Value: TypeAlias = int | Fraction
MAX_EXPONENT = 64
MAX_BITS = 4_096
_LIMIT: Final = 1 << MAX_BITS


class NoValueError(Exception):
    """A division by zero, or a value past the bounds."""


def evaluate(postfix: Postfix) -> Value:
    """Compute exactly.

    Raises:
        NoValueError: something is divided by zero, or an exponent or value is out of bounds.
    """
    stack: list[Value] = []
    for item in postfix:
        _apply(stack, item)
    return stack[0]


def heads(postfix: Postfix) -> Iterator[Value]:
    """The values of all that an expression may begin with: of 3/4 * 80 these are 3, 3/4 and 60.

    Raises:
        NoValueError: as `evaluate`.
    """
    stack: list[Value] = []
    for item in postfix:
        _apply(stack, item)
        if len(stack) == 1:
            yield stack[0]


def arity(item: Item) -> int:
    """How many values more there are behind an item than before it."""
    return 1 if not isinstance(item, str) else 0 if item in ("neg", "%") else -1


def _apply(stack: list[Value], item: Item) -> None:
    if not isinstance(item, str):
        stack.append(item)
    elif item == "neg":
        stack[-1] = -stack[-1]
    elif item == "%":
        stack[-1] = Fraction(stack[-1], 100)
    else:
        right = stack.pop()
        stack[-1] = _BINARY[item](stack[-1], right)
        _check(stack[-1])


def _check(value: Value) -> None:
    if not -_LIMIT < value.numerator < _LIMIT or value.denominator > _LIMIT:
        raise NoValueError(f"more than {MAX_BITS} bits")


def _divide(left: Value, right: Value) -> Value:
    if not right:
        raise NoValueError("division by zero")
    if isinstance(left, int) and isinstance(right, int):
        quotient, rest = divmod(left, right)
        return Fraction(left, right) if rest else quotient
    return Fraction(left) / right


def _power(base: Value, exponent: Value) -> Value:
    power = exponent.numerator
    if exponent.denominator != 1 or not -MAX_EXPONENT <= power <= MAX_EXPONENT or (not base and power <= 0):
        raise NoValueError("an exponent out of bounds")
    if max(base.numerator.bit_length(), base.denominator.bit_length()) * abs(power) > MAX_BITS:
        raise NoValueError(f"more than {MAX_BITS} bits")
    return Fraction(base) ** power


_BINARY: Final[dict[str, Callable[[Value, Value], Value]]] = {
    "+": lambda left, right: left + right,
    "-": lambda left, right: left - right,
    "*": lambda left, right: left * right,
    "/": _divide,
    "^": _power,
}
