"""Terms and formulas as JSON, for structured formalisations that a program or a model writes.

    {"op": "<=", "args": [{"name": "x"}, "3/4"]}
    {"op": "and", "args": [{"op": "=", "args": [{"name": "y"}, 2]}, {"name": "p"}, true]}

A term is a number as a string ("12", "-3/4", "0.5") or a JSON integer, {"name": ...}, {"constant": "pi" | "e" | "i"},
or an operator of `ast.Operator` with its terms. A formula is a comparison of `ast.Relation`, a connective of
`ast.Connective` with formulas, {"name": ...} for a proposition, or a JSON boolean. JSON floats are refused: they are
not what was written. Read within bounds; no text is evaluated.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import StrEnum
from fractions import Fraction
from typing import Any, Final, TypeVar

from steplabel.schemas import DataError
from steplabel.verifiers.expressions.ast import (
    ARITY,
    MANY,
    Apply,
    Comparison,
    Connected,
    Connective,
    Constant,
    Formula,
    Name,
    Number,
    Operator,
    Relation,
    Term,
)

MAX_DEPTH: Final = 60
MAX_ARGUMENTS: Final = 1_000
_NUMBER = re.compile(r"(-?)(\d{1,400})(?:\.(\d{1,400})|/(\d{1,400}))?", re.ASCII)
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_']{0,63}", re.ASCII)
_CONNECTIVE_ARITY = {
    Connective.NOT: 1,
    Connective.AND: MANY,
    Connective.OR: MANY,
    Connective.IMPLIES: 2,
    Connective.IF_AND_ONLY_IF: 2,
}

Symbol = TypeVar("Symbol", bound=StrEnum)


def term_from_json(value: Any, *, where: str = "term") -> Term:
    """Read a term.

    Args:
        where: how errors call its place, such as "assumptions[2]".

    Raises:
        DataError: it is not one, or passes the bounds; the message says where and what was expected.
    """
    return _term(value, where, 0)


def formula_from_json(value: Any, *, where: str = "formula") -> Formula:
    """Read a formula.

    Raises:
        DataError: as `term_from_json`.
    """
    return _formula(value, where, 0)


def term_to_json(term: Term) -> Any:
    """The JSON form that `term_from_json` reads back as the same term."""
    if isinstance(term, Number):
        return printed_number(term)
    if isinstance(term, Name):
        return {"name": term.name}
    if isinstance(term, Constant):
        return {"constant": str(term)}
    return {"op": str(term.operator), "args": [term_to_json(part) for part in term.terms]}


def formula_to_json(formula: Formula) -> Any:
    """The JSON form that `formula_from_json` reads back as the same formula."""
    if isinstance(formula, bool):
        return formula
    if isinstance(formula, Name):
        return {"name": formula.name}
    if isinstance(formula, Comparison):
        return {"op": str(formula.relation), "args": [term_to_json(formula.left), term_to_json(formula.right)]}
    return {"op": str(formula.connective), "args": [formula_to_json(part) for part in formula.formulas]}


def printed_number(number: Number) -> str:
    """A number as it was printed; what was computed as a fraction."""
    if number.decimals is None:
        return str(number.value)
    digits = abs(number.value.numerator) * 10**number.decimals // number.value.denominator
    text = str(digits).rjust(number.decimals + 1, "0")
    sign = "-" if number.value < 0 else ""
    return f"{sign}{text[: -number.decimals]}.{text[-number.decimals :]}" if number.decimals else f"{sign}{text}"


def _term(value: Any, where: str, depth: int) -> Term:
    if isinstance(value, str) or (isinstance(value, int) and not isinstance(value, bool)):
        return _number(value, where)
    fields = _object(value, where, depth)
    if "name" in fields:
        return _name(fields, where)
    if "constant" in fields:
        return _symbol(Constant, _only(fields, "constant", where), where)
    operator = _symbol(Operator, _operation(fields, where), where)
    arguments = _arguments(fields, where, ARITY[operator], str(operator))
    return Apply(operator, tuple(_term(part, f"{where}.args[{i}]", depth + 1) for i, part in enumerate(arguments)))


def _formula(value: Any, where: str, depth: int) -> Formula:
    if isinstance(value, bool):
        return value
    fields = _object(value, where, depth)
    if "name" in fields:
        return _name(fields, where)
    operation = _operation(fields, where)
    if operation in list(Relation):
        left, right = _arguments(fields, where, 2, operation)
        terms = _term(left, f"{where}.args[0]", depth + 1), _term(right, f"{where}.args[1]", depth + 1)
        return Comparison(Relation(operation), *terms)
    connective = _symbol(Connective, operation, where)
    arguments = _arguments(fields, where, _CONNECTIVE_ARITY[connective], operation)
    formulas = (_formula(part, f"{where}.args[{i}]", depth + 1) for i, part in enumerate(arguments))
    return Connected(connective, tuple(formulas))


def _number(value: str | int, where: str) -> Number:
    if isinstance(value, int):
        if value.bit_length() > 1_300:
            raise DataError(f"{where}: an integer of {value.bit_length()} bits; at most 1300")
        return Number(Fraction(value))
    match = _NUMBER.fullmatch(value)
    if match is None:
        raise DataError(f'{where}: {value[:40]!r} is no number such as "12", "-3/4" or "0.5" (names: {{"name": ...}})')
    sign, whole, part, bottom = match.groups()
    if bottom is not None and int(bottom) == 0:
        raise DataError(f"{where}: {value[:40]!r} divides by zero")
    exact = Fraction(int(whole + (part or "")), int(bottom) if bottom else 10 ** len(part or ""))
    return Number(-exact if sign else exact, len(part) if part else None)


def _object(value: Any, where: str, depth: int) -> Mapping[str, Any]:
    if depth > MAX_DEPTH:
        raise DataError(f"{where[:80]}: nested deeper than {MAX_DEPTH}")
    if not isinstance(value, Mapping):
        raise DataError(f"{where}: expected an object or a number as a string, got {type(value).__name__}")
    return value


def _name(fields: Mapping[str, Any], where: str) -> Name:
    name = _only(fields, "name", where)
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise DataError(f"{where}.name: must be a letter and at most 63 letters, digits, _ or ', got {name!r:.60}")
    return Name(name)


def _only(fields: Mapping[str, Any], key: str, where: str) -> Any:
    if len(fields) != 1:
        raise DataError(f"{where}: {key!r} must stand alone, got also {sorted(map(str, set(fields) - {key}))!r:.80}")
    return fields[key]


def _operation(fields: Mapping[str, Any], where: str) -> str:
    if set(fields) != {"op", "args"} or not isinstance(fields["op"], str):
        raise DataError(f"{where}: expected the fields op (text) and args (list), got {sorted(map(str, fields))!r:.80}")
    operation: str = fields["op"]
    return operation


def _symbol(kind: type[Symbol], text: Any, where: str) -> Symbol:
    if text not in list(kind):
        raise DataError(f"{where}: {text!r:.40} is none of {', '.join(kind)}")
    return kind(text)


def _arguments(fields: Mapping[str, Any], where: str, arity: int, operation: str) -> list[Any]:
    arguments = fields["args"]
    if not isinstance(arguments, list) or len(arguments) > MAX_ARGUMENTS:
        raise DataError(f"{where}.args: must be a list of at most {MAX_ARGUMENTS}")
    if len(arguments) < 2 if arity == MANY else len(arguments) != arity:
        expected = "two or more" if arity == MANY else str(arity)
        raise DataError(f"{where}: {operation!r} takes {expected} arguments, got {len(arguments)}")
    return arguments
