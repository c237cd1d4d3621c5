"""Records to Arrow and back, by a schema that one function derives from the dataclass; columns as arrays.

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
from itertools import chain
from types import NoneType
from typing import Any, NamedTuple, TypeVar, get_args, get_origin, get_type_hints

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

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
    with _misfits(record_type):
        # Faster than building columns in Python: this and what follows run in C.
        rows = [msgspec.to_builtins(record) for record in records]
    return rows_to_table(rows, record_type)


def rows_to_table(rows: Sequence[Mapping[str, Any]], record_type: type) -> pa.Table:
    """As `to_table`, of records in plain values (`codec.to_builtins`). Raises DataError as it does."""
    schema = arrow_schema(record_type)
    with _misfits(record_type):
        table = pa.Table.from_pylist(rows, schema=schema)
    for column in schema:
        if not column.nullable and table.column(column.name).null_count:
            raise DataError(f"{record_type.__name__}.{column.name} holds None where a value must be")
    return table


@contextmanager
def _misfits(record_type: type) -> Iterator[None]:
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


# Columns as numpy arrays, and back: for work on whole tables, where making records would cost more than the work.


def one_array(column: pa.ChunkedArray | pa.Array) -> pa.Array:
    """The column in one piece, its dictionary, if it has one, in one as well.

    Raises:
        DataError: it holds more text than one piece can (2 GiB).
    """
    if isinstance(column, pa.Array):
        return column
    whole = column.unify_dictionaries().combine_chunks()
    if isinstance(whole, pa.ChunkedArray):
        if whole.num_chunks > 1:
            raise DataError(f"a column of {len(whole):,} rows does not fit into one array")
        return whole.chunk(0)
    return whole


def coded_words(column: pa.ChunkedArray | pa.Array) -> tuple[NDArray[np.int64], pa.Array]:
    """Strings as codes [rows] of distinct words."""
    array = one_array(column)
    coded = array if pa.types.is_dictionary(array.type) else array.dictionary_encode()
    return coded.indices.to_numpy(zero_copy_only=False).astype(np.int64), coded.dictionary


def key_words(columns: Sequence[pa.ChunkedArray | pa.Array]) -> list[NDArray[np.uint64]]:
    """Strings as rows of integers, [len(column), w] each, w equal for all: equal strings have equal rows.

    Content ids are read as they lie, which costs nothing; other strings are numbered, which costs a hash table.
    """
    arrays = [array.dictionary_decode() if pa.types.is_dictionary(array.type) else array for array in columns]
    arrays = [one_array(array) for array in arrays]
    if all(_is_content_ids(array) for array in arrays):
        return [_bytes_of(array).view(np.uint64).reshape(-1, ID_HEX_DIGITS // 8) for array in arrays]
    numbered = pa.chunked_array(arrays, type=pa.string()).dictionary_encode()
    return [chunk.indices.to_numpy(zero_copy_only=False).astype(np.uint64)[:, None] for chunk in numbered.chunks]


def _is_content_ids(array: pa.Array) -> bool:
    return not array.null_count and bool((np.diff(_offsets_of(array)) == ID_HEX_DIGITS).all())


def _offsets_of(array: pa.Array) -> NDArray[np.int32]:
    if not len(array):  # its buffers may be missing
        return np.zeros(1, dtype=np.int32)
    offsets = np.frombuffer(array.buffers()[1], dtype=np.int32)
    return offsets[array.offset : array.offset + len(array) + 1]


def _bytes_of(array: pa.Array) -> NDArray[np.uint8]:
    if not len(array):
        return np.zeros(0, dtype=np.uint8)
    offsets = _offsets_of(array)
    return np.frombuffer(array.buffers()[2], dtype=np.uint8)[offsets[0] : offsets[-1]]


def list_parts(column: pa.ChunkedArray | pa.Array) -> tuple[NDArray[np.int64], pa.Array]:
    """A column of lists as offsets [rows + 1], from 0 on, and the elements of all lists."""
    array = one_array(column)
    offsets = array.offsets.to_numpy().astype(np.int64)
    return offsets - offsets[0], array.flatten()


def positions(words: pa.Array, among: pa.ChunkedArray | pa.Array) -> NDArray[np.int64]:
    """For each word its place among others, -1 where it is not there."""
    found = pc.fill_null(pc.index_in(words, value_set=one_array(among)), -1)
    return found.to_numpy(zero_copy_only=False).astype(np.int64)


def taken(column: pa.ChunkedArray | pa.Array, rows: NDArray[np.int64], default: str | None = None) -> pa.Array:
    """The values at some rows as plain strings; null, or the default, at row -1."""
    array = one_array(column)
    found = array.take(pa.array(rows, mask=rows < 0))
    plain = found.dictionary_decode() if pa.types.is_dictionary(found.type) else found
    return plain if default is None else pc.fill_null(plain, default)


def lists_of(offsets: NDArray[np.int64], elements: Any, kind: pa.DataType) -> pa.Array:
    """A column of lists; float elements that are NaN are null."""
    if isinstance(elements, np.ndarray) and elements.dtype == np.float64:
        elements = optional_floats(elements)
    values = elements if isinstance(elements, pa.Array) else pa.array(elements, type=kind.value_type)
    return pa.ListArray.from_arrays(pa.array(offsets, type=pa.int32()), values, type=kind)


def optional_floats(values: NDArray[np.float64]) -> pa.Array:
    """NaN becomes null."""
    return pa.array(values, mask=np.isnan(values))
