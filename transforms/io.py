"""Rows in, tables out. Paths may be local or anything fsspec opens (`gs://`, `s3://`, `memory://`).

Reading streams: neither a row nor a file is kept once it was handed on. A row that cannot be read is handed on
too, with the reason in place of its data.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import lzma
import os
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from itertools import islice
from pathlib import PurePosixPath
from typing import IO, Any, cast

import datasets
import fsspec
import msgspec
import pyarrow as pa
import pyarrow.parquet as pq
from fsspec.compression import compr
from fsspec.utils import infer_compression

from steplabel.schemas import ConfigError, DataError
from steplabel.schemas.arrow import arrow_schema, from_table, rows_to_table, to_table
from steplabel.transforms.whole_file import whole_file

JSON_LINES = (".jsonl", ".ndjson")
COMPRESSED = (".gz", ".bz2", ".xz", ".zst")
MAX_LINE_BYTES = 64 * 2**20
"""A longer line is refused without being parsed: no row of text is that large, and parsing needs many times it."""
_EMPTY = "empty line"


@dataclass(frozen=True, slots=True, kw_only=True)
class RawRow:
    """One row as found.

    Attributes:
        where: `file:number`, 1-based, for messages.
        data: the row's fields; None if it could not be read, and `error` says why.
        excerpt: the start of an unreadable row, printable.
    """

    where: str
    data: Mapping[str, Any] | None = None
    error: str = ""
    excerpt: str = ""


def input_files(path: str) -> list[str]:
    """The data files behind `path`: itself, or a folder's files in order of their names.

    A folder may hold JSONL, JSON or Parquet files at any depth, or be a Hugging Face dataset made by
    `save_to_disk` (then it is its own only entry).

    Raises:
        ConfigError: nothing is there, or nothing of a known format.
    """
    fs, root = fsspec.core.url_to_fs(path)
    if not fs.exists(root):
        raise ConfigError(f"input {path!r} does not exist")
    if fs.isfile(root):
        if _kind(root) is None:
            raise ConfigError(f"input {path!r} is of no known format: wants .jsonl, .json or .parquet")
        return [path]
    if fs.exists(f"{root}/_MANIFEST.json"):
        raise ConfigError(
            f"input {path!r} is an output of steplabel: relabel it, or give the problems it was made from"
        )
    if fs.exists(f"{root}/state.json") or fs.exists(f"{root}/dataset_dict.json"):
        return [path]
    hidden = (".", "_")
    found = sorted(
        name
        for name in fs.find(root)
        if _kind(name) and not any(p.startswith(hidden) for p in PurePosixPath(name[len(root) :]).parts[1:])
    )
    if not found:
        raise ConfigError(f"input folder {path!r} holds no .jsonl, .json or .parquet file")
    return [fs.unstrip_protocol(name) for name in found]


def absolute(path: str) -> str:
    """A local path made absolute, since workers run in folders of their own; any other is left as it is."""
    path = path.removeprefix("file://").removeprefix("local://")
    return path if not path or "://" in path else os.path.abspath(path)


def read_rows(path: str) -> Iterator[RawRow]:
    """Stream the rows of every file behind `path`. Raises ConfigError as `input_files` does."""
    for file in input_files(path):
        try:
            yield from _READERS[_kind(file) or "saved"](file)
        except _BROKEN_FILE as error:
            yield RawRow(where=_label(file), error=f"the rest of the file cannot be read: {error}")


def read_whole(path: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """`RawRow.where` and fields of every row of what must not be read in part, as a test set. Empty lines are no rows.

    Raises:
        ConfigError: as `input_files` does.
        DataError: a row cannot be read; the message says which one, and why.
    """
    for row in read_rows(path):
        if row.data is not None:
            yield row.where, row.data
        elif row.error != _EMPTY:
            raise DataError(f"{row.where}: {row.error}")


_BROKEN_FILE = (EOFError, zlib.error, lzma.LZMAError, gzip.BadGzipFile, pa.ArrowException, UnicodeDecodeError)
"""What readers of compressed and columnar files raise in the middle of a damaged one."""


def fingerprint(path: str) -> str:
    """SHA-256 over the bytes of every file behind `path`: equal inputs give one run id, wherever they lie."""
    digest = hashlib.sha256()
    for file in input_files(path):
        fs, name = fsspec.core.url_to_fs(file)
        for part in sorted(fs.find(name)) if fs.isdir(name) else [name]:
            with fs.open(part, "rb") as handle:
                while block := handle.read(2**20):
                    digest.update(block)
    return digest.hexdigest()


def _kind(name: str) -> str | None:
    """`lines`, `json`, `parquet`, or None for what is no data file."""
    for suffix in COMPRESSED:
        name = name.removesuffix(suffix)
    if name.endswith(JSON_LINES):
        return "lines"
    if name.endswith(".json") and PurePosixPath(name).name not in ("dataset_info.json", "state.json"):
        return "json"
    return "parquet" if name.endswith(".parquet") else None


def _open(path: str) -> IO[bytes]:
    handle: IO[bytes] = fsspec.open(path, "rb", compression="infer").open()
    return cast("IO[bytes]", io.BufferedReader(handle)) if path.endswith(".zst") else handle  # its reader has no lines


def _label(path: str) -> str:
    """A file's name as it stands in ids and tables, which hold UTF-8 only."""
    return PurePosixPath(path).name.encode("utf-8", "backslashreplace").decode()


def _read_lines(path: str) -> Iterator[RawRow]:
    with _open(path) as handle:
        number = 0
        while line := handle.readline(MAX_LINE_BYTES):
            number += 1
            where = f"{_label(path)}:{number}"
            if len(line) == MAX_LINE_BYTES and not line.endswith(b"\n"):
                _skip_line(handle)
                yield RawRow(where=where, error=f"line longer than {MAX_LINE_BYTES:,} bytes", excerpt=_excerpt(line))
                continue
            yield _parsed(line.removeprefix(b"\xef\xbb\xbf") if number == 1 else line, where)


def _skip_line(handle: IO[bytes]) -> None:
    while (rest := handle.readline(MAX_LINE_BYTES)) and not rest.endswith(b"\n"):
        pass


def _parsed(line: bytes, where: str) -> RawRow:
    if not line.strip():
        return RawRow(where=where, error=_EMPTY)
    try:
        data = msgspec.json.decode(line)
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        return RawRow(where=where, error=f"not JSON: {error}", excerpt=_excerpt(line))
    return _row(data, where)


def _row(data: Any, where: str) -> RawRow:
    if not isinstance(data, Mapping):
        return RawRow(where=where, error=f"not an object but {type(data).__name__}", excerpt=repr(data)[:120])
    return RawRow(where=where, data=data)


def _read_json(path: str) -> Iterator[RawRow]:
    """A JSON file that holds one list of rows."""
    with _open(path) as handle:
        try:
            rows = msgspec.json.decode(handle.read())
        except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
            yield RawRow(where=_label(path), error=f"not JSON: {error}")
            return
    if not isinstance(rows, list):
        yield RawRow(where=_label(path), error="the file holds no list of rows")
        return
    for number, row in enumerate(rows, start=1):
        yield _row(row, f"{_label(path)}:{number}")


def _read_parquet(path: str) -> Iterator[RawRow]:
    try:
        with _open(path) as handle:
            # A group at a time: one iterator over all of them keeps every byte it has read until the end.
            file = pq.ParquetFile(handle, page_checksum_verification=True)
            batches = (batch for group in range(file.num_row_groups) for batch in file.iter_batches(1024, [group]))
            number = 0
            for number, row in enumerate((row for batch in batches for row in batch.to_pylist()), start=1):
                yield _row(row, f"{_label(path)}:{number}")
            if number != file.metadata.num_rows:
                wanted = file.metadata.num_rows
                yield RawRow(
                    where=_label(path), error=f"damaged: {number:,} rows instead of the {wanted:,} it promises"
                )
    except (pa.ArrowInvalid, OSError) as error:
        yield RawRow(where=_label(path), error=f"not Parquet: {error}")


def _read_saved(path: str) -> Iterator[RawRow]:
    """A folder written by `datasets`' own `save_to_disk`."""
    loaded = datasets.load_from_disk(path)
    parts = loaded.items() if isinstance(loaded, datasets.DatasetDict) else [("", loaded)]
    for split, part in parts:
        for number, row in enumerate(part, start=1):
            yield _row({"split": split, **row} if split else row, f"{_label(path)}/{split}:{number}")


_READERS = {"lines": _read_lines, "json": _read_json, "parquet": _read_parquet, "saved": _read_saved}


def _excerpt(line: bytes) -> str:
    return line[:120].decode("utf-8", errors="backslashreplace").encode("unicode_escape").decode("ascii")


def write_plain(rows: Sequence[Mapping[str, Any]], record: type, path: str) -> tuple[int, str]:
    """Write records in plain values to one Parquet file; return its size in bytes and the SHA-256 of its bytes."""
    return write_arrow(rows_to_table(rows, record), path)


def write_arrow(table: pa.Table, path: str) -> tuple[int, str]:
    """As `write_plain`, of a table: equal rows give equal bytes, however the table was made."""
    sink = pa.BufferOutputStream()
    pq.write_table(table, sink, compression="zstd")
    data = sink.getvalue()
    with fsspec.open(path, "wb") as handle:
        handle.write(data)
    return data.size, hashlib.sha256(data).hexdigest()


def write_groups(groups: Iterable[Sequence[Any]], record: type, path: str) -> int:
    """Write one Parquet file with a row group for each of `groups`, and return how many records it holds.

    Only one group is held at a time, and the file appears under its name when it is whole. Pages carry checksums.
    """
    options = {"compression": "zstd", "write_page_checksum": True}
    with whole_file(path) as handle, pq.ParquetWriter(handle, arrow_schema(record), **options) as writer:
        return sum(_write_group(writer, to_table(group, record)) for group in groups)


def _write_group(writer: pq.ParquetWriter, table: pa.Table) -> int:
    writer.write_table(table)
    return int(table.num_rows)


def read_records(paths: Iterable[str], record: type) -> Iterator[Any]:
    """Stream the records of Parquet files written by `write_plain`, a row group at a time.

    Raises:
        DataError: a file is missing or damaged.
    """
    for path in paths:
        with _own(path) as handle:
            file = pq.ParquetFile(handle)
            for group in range(file.num_row_groups):
                yield from from_table(file.read_row_group(group), record)


@contextmanager
def _own(path: str) -> Iterator[IO[bytes]]:
    """A Parquet file of ours, open for reading; what goes wrong inside says which file it was."""
    try:
        with _open(path) as handle:
            yield handle
    except (pa.ArrowException, OSError) as error:
        words = " ".join(str(error).split())
        raise DataError(
            f"{path!r} cannot be read, although it was written whole: {words}. Bring it back from a copy, or make "
            f"the dataset again with another --output; a run with the same --store asks for no rollout twice"
        ) from error


def read_arrow(paths: Sequence[str], record: type, columns: Sequence[str]) -> pa.Table:
    """Some columns of Parquet files written by `write_plain`; without files, an empty table.

    Strings that repeat stay codes of words, as the file has them: most of what is asked of them is whether they
    are equal.

    Raises:
        DataError: a file is missing or damaged.
    """
    schema = arrow_schema(record)
    strings = [name for name in columns if schema.field(name).type == pa.string() and name not in _HARDLY_REPEATED]
    tables = []
    for path in paths:
        with _own(path) as handle:
            tables.append(pq.ParquetFile(handle, read_dictionary=strings).read(columns=list(columns)))
    empty = pa.schema([schema.field(name) for name in columns]).empty_table()
    return pa.concat_tables(tables) if tables else empty


_HARDLY_REPEATED = frozenset({"id", "key", "subject", "text", "source_row", "final_answer", "answer", "evidence"})


def copy_file(source: str, target: str) -> str:
    """Copy a file as it is, a block at a time; return the SHA-256 of its bytes."""
    digest = hashlib.sha256()
    with fsspec.open(source, "rb") as given, fsspec.open(target, "wb") as taken:
        while block := given.read(2**20):
            digest.update(block)
            taken.write(block)
    return digest.hexdigest()


def count_values(paths: Iterable[str], column: str) -> Counter[Any]:
    """How often each value stands in one column; the items of lists are counted one by one."""
    counts: Counter[Any] = Counter()
    for batch in _columns(paths, [column]):
        values = batch.column(0)
        flat = values.flatten() if pa.types.is_list(values.type) else values
        counts.update({e["values"]: e["counts"] for e in flat.value_counts().to_pylist()})
    return counts


def count_tuples(paths: Iterable[str], *columns: str) -> Counter[tuple[Any, ...]]:
    """How often each combination of values stands in some columns; lists are values as a whole."""
    counts: Counter[tuple[Any, ...]] = Counter()
    for batch in _columns(paths, list(columns)):
        rows = zip(*(batch.column(name).to_pylist() for name in columns), strict=True)
        counts.update(tuple(tuple(v) if isinstance(v, list) else v for v in row) for row in rows)
    return counts


def _columns(paths: Iterable[str], columns: list[str]) -> Iterator[pa.RecordBatch]:
    for path in paths:
        with _own(path) as handle:
            yield from pq.ParquetFile(handle).iter_batches(65_536, columns=columns)


def write_rows(rows: Iterable[Mapping[str, Any]], path: str) -> int:
    """Write plain rows as JSONL or Parquet, by the path's suffix, a batch at a time; return how many.

    The file is seen whole or not at all.

    Raises:
        ConfigError: another suffix.
    """
    kind = _kind(path)
    if kind not in ("lines", "parquet"):
        raise ConfigError(f"output {path!r}: wants a name that ends in .jsonl or .parquet")
    with whole_file(path) as file, _compressed(file, path) as handle:
        return _write_lines(rows, handle) if kind == "lines" else _write_parquet(rows, handle)


def _compressed(file: IO[bytes], path: str) -> AbstractContextManager[IO[bytes]]:
    """What is written here arrives in the file as its name's suffix asks."""
    kind = infer_compression(path)
    return nullcontext(file) if kind is None else compr[kind](file, mode="wb")


def _write_lines(rows: Iterable[Mapping[str, Any]], handle: IO[bytes]) -> int:
    count = 0
    for row in rows:
        handle.write(msgspec.json.encode(row) + b"\n")
        count += 1
    return count


def _write_parquet(rows: Iterable[Mapping[str, Any]], handle: IO[bytes]) -> int:
    count, writer = 0, None
    remaining = iter(rows)
    while batch := list(islice(remaining, 10_000)):
        table = pa.Table.from_pylist(batch, schema=writer.schema if writer else None)
        writer = writer or pq.ParquetWriter(handle, table.schema, compression="zstd")
        writer.write_table(table)
        count += len(batch)
    if writer is not None:
        writer.close()
    return count
