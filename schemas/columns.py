"""Columns of tables as numpy arrays, and back: for whole tables, where records would cost more than the work."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from steplabel.schemas.arrow import arrow_schema, check_nulls, misfits
from steplabel.schemas.ids import ID_HEX_DIGITS


class NotColumnarError(Exception):
    """What only records can say: no fault, but the reason why something is done row by row."""


def one_array(column: pa.ChunkedArray | pa.Array) -> pa.Array:
    """The column in one piece, its dictionary, if it has one, in one as well.

    Raises:
        NotColumnarError: it holds more text than one piece can (2 GiB).
    """
    if isinstance(column, pa.Array):
        return column
    if column.num_chunks == 1:
        return column.chunk(0)
    whole = column.unify_dictionaries().combine_chunks()
    if isinstance(whole, pa.ChunkedArray):
        if whole.num_chunks > 1:
            raise NotColumnarError(f"a column of {len(whole):,} rows does not fit into one array")
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
    arrays = [_plain(one_array(column)) for column in columns]
    if all(_is_content_ids(array) for array in arrays):
        return [_bytes_of(array).view(np.uint64).reshape(-1, ID_HEX_DIGITS // 8) for array in arrays]
    numbers = pa.concat_arrays(arrays).dictionary_encode().indices.to_numpy(zero_copy_only=False)
    ends = np.cumsum([len(array) for array in arrays])
    return np.split(numbers.astype(np.uint64)[:, None], ends[:-1])


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


def text_bytes(column: pa.ChunkedArray | pa.Array) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Texts in UTF-8, one behind the other, and [rows + 1] where each begins."""
    texts = _plain(one_array(column))
    offsets = _offsets_of(texts).astype(np.int64)
    return _bytes_of(texts), offsets - offsets[0]


def texts_of(data: NDArray[np.uint8], offsets: NDArray[np.int64]) -> pa.Array:
    """The inverse of `text_bytes`."""
    buffers = [pa.py_buffer(offsets.astype(np.int32)), pa.py_buffer(data)]
    return pa.StringArray.from_buffers(len(offsets) - 1, *buffers)


def replaced(column: pa.ChunkedArray | pa.Array, rows: NDArray[np.bool_], texts: Sequence[str]) -> pa.Array:
    """The column with other texts in some of its rows."""
    return pc.replace_with_mask(_plain(one_array(column)), pa.array(rows), strings(texts))


def lengths(column: pa.ChunkedArray | pa.Array) -> NDArray[np.int64]:
    """[rows], how many elements each list has."""
    return numbers_in(pc.list_value_length(one_array(column)), np.int64)


def positions(words: pa.Array, among: pa.ChunkedArray | pa.Array) -> NDArray[np.int64]:
    """For each word its place among others, -1 where it is not there."""
    found = pc.fill_null(pc.index_in(words, value_set=one_array(among)), -1)
    return np.asarray(found.to_numpy(zero_copy_only=False), dtype=np.int64)


def matching(column: pa.ChunkedArray | pa.Array, pattern: str) -> NDArray[np.bool_]:
    """[rows], whether an RE2 expression is found in each text."""
    return numbers_in(pc.match_substring_regex(one_array(column), pattern), np.bool_)


def hold_any(column: pa.ChunkedArray | pa.Array, parts: Sequence[bytes]) -> bool:
    """Whether any of some bytes stand in any of the texts: one look at all of them takes a fraction of `matching`.

    Bytes that only two neighbours hold together count as well.
    """
    data = text_bytes(column)[0].tobytes()
    return any(part in data for part in parts)


def taken(column: pa.ChunkedArray | pa.Array, rows: NDArray[np.int64], default: str | None = None) -> pa.Array:
    """The values at some rows as plain strings; null, or the default, at row -1."""
    array = one_array(column)
    found = array.take(pa.array(rows, mask=rows < 0))
    return _plain(found) if default is None else pc.fill_null(_plain(found), default)


def _plain(array: pa.Array) -> pa.Array:
    return array.dictionary_decode() if pa.types.is_dictionary(array.type) else array


def lists_of(offsets: NDArray[np.int64], elements: Any, record_type: type, name: str) -> pa.Array:
    """The elements as lists, in the type of a record's column."""
    kind = arrow_schema(record_type).field(name).type
    values = elements if isinstance(elements, pa.Array) else pa.array(elements, type=kind.value_type)
    return pa.ListArray.from_arrays(pa.array(offsets, type=pa.int32()), values, type=kind)


def optional_floats(values: NDArray[np.float64]) -> pa.Array:
    """NaN becomes null."""
    return pa.array(values, mask=np.isnan(values))


def optional_ints(values: NDArray[np.int64], absent: NDArray[np.bool_]) -> pa.Array:
    """Whole numbers, null where they are absent."""
    return pa.array(values, mask=absent)


def filled(column: pa.Array, other: pa.Array) -> pa.Array:
    """The column, and where it is null the other one."""
    return pc.coalesce(column, other)


def field_of(structs: pa.Array, name: str) -> pa.Array:
    """One field of structs; null where the struct is."""
    return pc.struct_field(one_array(structs), name)


def numbers_in(column: pa.ChunkedArray | pa.Array, kind: type[np.generic]) -> NDArray[Any]:
    """A column of numbers or truth values; where null may be, it is NaN."""
    return np.asarray(one_array(column).to_numpy(zero_copy_only=False), dtype=kind)


def strings(words: Sequence[str]) -> pa.Array:
    """Words as a column."""
    return pa.array(words, type=pa.string())


def table_of(columns: Mapping[str, Any], record_type: type, *, rows: int) -> pa.Table:
    """A table of columns: Arrow or numpy arrays, or one text that stands in every row.

    Raises:
        DataError: a column is of another type or length, or holds null where a value must be.
    """
    schema = arrow_schema(record_type)
    with misfits(record_type):
        table = pa.Table.from_arrays(
            [_column(columns[field.name], field.type, rows) for field in schema], schema=schema
        )
        table.validate()
    check_nulls(table, record_type)
    return table


def _column(given: Any, kind: pa.DataType, rows: int) -> pa.Array:
    if isinstance(given, str):
        return pa.repeat(pa.scalar(given, type=kind), rows)
    return given if isinstance(given, pa.Array) else pa.array(given, type=kind)


def sorted_by(*keys: pa.Array) -> NDArray[np.int64]:
    """The order of rows by these keys, strings by their code points; equal rows stay as they stand."""
    table = pa.table({str(i): key for i, key in enumerate(keys)})
    order = pc.sort_indices(table, sort_keys=[(name, "ascending") for name in table.column_names])
    return np.asarray(order.to_numpy(), dtype=np.int64)
