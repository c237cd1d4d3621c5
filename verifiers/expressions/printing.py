"""Terms as plain text, for evidence that people read: fully bracketed where precedence could mislead."""

from __future__ import annotations

from collections.abc import Mapping

from steplabel.verifiers.expressions.ast import Apply, Constant, Name, Number, Operator, Term
from steplabel.verifiers.expressions.json_form import printed_number

_INFIX: Mapping[Operator, str] = {
    Operator.ADD: " + ",
    Operator.SUBTRACT: " - ",
    Operator.MULTIPLY: " * ",
    Operator.DIVIDE: " / ",
    Operator.POWER: "^",
    Operator.FLOOR_DIVIDE: " // ",
    Operator.MODULO: " mod ",
}


def printed(term: Term) -> str:
    """A term as text. Sums, products and powers read back as the same term; other operators look like calls."""
    if isinstance(term, Number):
        text = printed_number(term)
        return f"({text})" if text[0] == "-" or "/" in text else text
    if isinstance(term, Name):
        return term.name
    if isinstance(term, Constant):
        return str(term)
    return _applied(term)


def _applied(term: Apply) -> str:
    parts = [printed(part) for part in term.terms]
    if term.operator in _INFIX:
        return f"({_INFIX[term.operator].join(parts)})"
    if term.operator is Operator.NEGATE:
        return f"(-{parts[0]})"
    if term.operator is Operator.FACTORIAL:
        return f"({parts[0]})!"
    return f"{term.operator}({', '.join(parts)})"


def printed_whole(term: Term) -> str:
    """As `printed`, without the brackets around everything."""
    text = printed(term)
    outer = isinstance(term, Apply) and (term.operator in _INFIX or term.operator is Operator.NEGATE)
    return text[1:-1] if outer else text
