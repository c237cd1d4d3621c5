"""Records to Arrow and back, by a schema that one function derives from the dataclass.

    str -> string        int -> int64       float -> double      bool -> bool
    StrEnum -> string    tuple[T, ...] -> list<T>                dataclass -> struct
    T | None -> nullable; everything else is not

The schema grows only by addition within a major version: a reader fills
columns that an older file lacks from the field's default, and ignores columns that it does not know.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import MISSING, fields, is_dataclass
from enum import StrEnum
from functools import cache
from itertools import chain
from types import NoneType
from typing import Any, NamedTuple, TypeVar, get_args, get_origin, get_type_hints

import msgspec
import pyarrow as pa

from steplabel.schemas.errors import DataError
from steplabel.schemas.evidence import CheckedOutcome, Observation, Reject, Rollout
from steplabel.schemas.ids import content_id
from steplabel.schemas.labels import LabelRow
from steplabel.schemas.problem import Problem
from steplabel.schemas.solution import Solution

T = TypeVar("T")

TABLES: Mapping[str, type] = {
    "labels": LabelRow,
    "problems": Problem,
    "solutions": Solution,
    "rollouts": Rollout,
    "outcomes": CheckedOutcome,
    "observations": Observation,
    "rejects": Reject,
}
"""The tables of an output dataset and the record each row is."""

_SCALARS: Mapping[type, pa.DataType] = {
    str: pa.string(),
    int: pa.int64(),
    float: pa.float64(),
    bool: pa.bool_(),
}


class _Hint(NamedTuple):
    """A field's type with its `| None` taken off."""

    name: str
    type: Any
    nullable: bool
    required: bool = True


@cache
def arrow_schema(record: type) -> pa.Schema:
    """Return the Arrow schema of a dataclass.

    Raises:
        TypeError: a field has a type that has no one column type (a union, a dict, a tuple of fixed length).
    """
    return pa.schema([_field(hint) for hint in _hints(record)])


def schema_text(record_type: type) -> str:
    """The schema as text, one line a leaf: what golden files pin and the fingerprint is taken of."""
    return "\n".join(chain.from_iterable(_lines(field, "") for field in arrow_schema(record_type))) + "\n"


def schema_fingerprint(record_type: type) -> str:
    """32 hex digits that change whenever the record's Arrow schema does."""
    return content_id("arrow-schema", schema_text(record_type))


def to_table(records: Sequence[Any], record_type: type) -> pa.Table:
    """Build a table of the records, [len(records)] rows, with exactly `arrow_schema(record_type)`.

    Raises:
        DataError: a value does not fit its column: None where none may be, an integer past 64 bits.
    """
    with misfits(record_type):
        # Faster than building columns in Python: this and what follows run in C.
        rows = [msgspec.to_builtins(record) for record in records]
    return rows_to_table(rows, record_type)


def rows_to_table(rows: Sequence[Mapping[str, Any]], record_type: type) -> pa.Table:
    """As `to_table`, of records in plain values (`codec.to_builtins`). Raises DataError as it does."""
    schema = arrow_schema(record_type)
    with misfits(record_type):
        table = pa.Table.from_pylist(rows, schema=schema)
    check_nulls(table, record_type)
    return table


def check_nulls(table: pa.Table, record_type: type) -> None:
    """Raise DataError if a column holds null where the record allows none."""
    for column in table.schema:
        if not column.nullable and table.column(column.name).null_count:
            raise DataError(f"{record_type.__name__}.{column.name} holds None where a value must be")


@contextmanager
def misfits(record_type: type) -> Iterator[None]:
    """Say which records they were that a column refused."""
    try:
        yield
    except (pa.ArrowException, OverflowError, TypeError, UnicodeError) as error:
        raise DataError(f"not {record_type.__name__} rows: {error}") from error


def from_table(table: pa.Table, record_type: type[T]) -> list[T]:
    """Read the records of a table that `to_table`, Parquet or `datasets` holds.

    Columns the record does not know are ignored. A column that is missing, or null where the record allows no
    null (a newer column in a union of old and new files), takes the field's default.

    Raises:
        DataError: a column without default is missing, or a value is of the wrong type or refused.
    """
    known = [hint for hint in _hints(record_type) if hint.name in table.column_names]
    rows = table.select([hint.name for hint in known]).to_pylist()
    for hint in known:
        if not hint.nullable and not hint.required and table.column(hint.name).null_count:
            _drop_nulls(rows, hint.name)
    try:
        return msgspec.convert(rows, list[record_type])  # type: ignore[valid-type]
    except msgspec.ValidationError as error:
        raise DataError(f"table does not hold {record_type.__name__} rows: {error}") from error


def _drop_nulls(rows: list[dict[str, Any]], name: str) -> None:
    for row in rows:
        if row[name] is None:
            del row[name]


def _hints(record: Any) -> tuple[_Hint, ...]:
    types = get_type_hints(record)
    return tuple(
        _hint(f.name, types[f.name], required=f.default is MISSING and f.default_factory is MISSING)
        for f in fields(record)
    )


def _hint(name: str, annotation: Any, *, required: bool = True) -> _Hint:
    options = get_args(annotation)
    if NoneType not in options:
        return _Hint(name, annotation, nullable=False, required=required)
    rest = [option for option in options if option is not NoneType]
    if len(rest) != 1:
        raise TypeError(f"{name}: {annotation} has no one column type")
    return _Hint(name, rest[0], nullable=True, required=required)


def _field(hint: _Hint) -> pa.Field:
    return pa.field(hint.name, _type(hint), nullable=hint.nullable)


def _type(hint: _Hint) -> pa.DataType:
    if hint.type in _SCALARS:
        return _SCALARS[hint.type]
    if isinstance(hint.type, type) and issubclass(hint.type, StrEnum):
        return pa.string()
    if is_dataclass(hint.type):
        return pa.struct([_field(inner) for inner in _hints(hint.type)])
    return pa.list_(_field(_item(hint)))


def _item(hint: _Hint) -> _Hint:
    """The element of a list; `element` is the name Parquet gives it, so that a file reads back as it was."""
    options = get_args(hint.type)
    if get_origin(hint.type) is not tuple or len(options) != 2 or options[1] is not Ellipsis:
        raise TypeError(f"{hint.name}: {hint.type} has no one column type; write tuple[T, ...] for a list")
    return _hint("element", options[0])


def _lines(field: pa.Field, prefix: str) -> list[str]:
    """`path: type`, `?` after what may be null, `[]` for the elements of a list."""
    path = f"{prefix}{field.name}{'?' if field.nullable else ''}"
    if pa.types.is_struct(field.type):
        return list(chain.from_iterable(_lines(child, f"{path}.") for child in field.type))
    if pa.types.is_list(field.type):
        element = field.type.value_field
        inner = pa.field("[]", element.type, nullable=element.nullable)
        return _lines(inner, path)
    return [f"{path}: {field.type}"]
