"""WriteDataset: records of a chunk to one staged Parquet file a table, and the list of files to commit."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from operator import itemgetter
from typing import Any

import apache_beam as beam

from steplabel.schemas import DataError, Evidence, codec
from steplabel.schemas.arrow import TABLES
from steplabel.transforms.dataset import PRIVATE, FileEntry, OutputFolder
from steplabel.transforms.io import copy_file, write_arrow, write_plain

TableRow = tuple[str, bytes]
"""A table's name and one of its records as MessagePack."""


def table_row(record: Any, table: str) -> TableRow:
    """A record on its way to the table it belongs to."""
    return table, codec.to_msgpack(record)


def evidence_records(evidence: Evidence) -> Iterator[TableRow]:
    """The rows of every evidence table that one problem fills."""
    yield table_row(evidence.problem, "problems")
    for table in ("solutions", "rollouts", "outcomes", "observations"):
        for record in getattr(evidence, table):
            # Two problems that ask the same share node and rollout keys: what belongs to which must be said.
            owned = record if record.problem_id else replace(record, problem_id=evidence.problem.id)
            yield table_row(owned, table)


_SORT_KEYS = {
    "labels": itemgetter("problem_id", "solution_id"),
    "problems": itemgetter("id"),
    "solutions": itemgetter("problem_id", "index", "id"),
    "rollouts": itemgetter("problem_id", "node_key", "index", "key"),
    "outcomes": itemgetter("problem_id", "subject", "checker", "checker_version"),
    "observations": itemgetter("problem_id", "subject", "source", "source_version", "evidence"),
    "rejects": itemgetter("stage", "reason", "record_id", "detail", "excerpt"),
}


def write_table(table: str, records: Iterable[bytes], folder: OutputFolder, chunk: int) -> FileEntry:
    """Write one staged file. Rows are sorted by their ids: equal rows give equal bytes in whatever order they came."""
    rows = sorted(map(codec.plain_from_msgpack, records), key=_SORT_KEYS[table])
    name = _staged(table, chunk)
    size, digest = write_plain(rows, TABLES[table], folder.join(name))
    return FileEntry(table=table, path=name, rows=len(rows), bytes=size, sha256=digest)


def write_arrow_table(table: str, rows: Any, folder: OutputFolder, chunk: int) -> FileEntry:
    """As `write_table`, of an Arrow table that is sorted as it is to be written: the same bytes of the same rows."""
    name = _staged(table, chunk)
    size, digest = write_arrow(rows, folder.join(name))
    return FileEntry(table=table, path=name, rows=rows.num_rows, bytes=size, sha256=digest)


def copy_table(file: FileEntry, source: OutputFolder, target: OutputFolder, chunk: int) -> FileEntry:
    """Stage a committed file of one dataset for another.

    Raises:
        DataError: its bytes are not those that were committed.
    """
    name = _staged(file.table, chunk)
    if (found := copy_file(source.join(file.path), target.join(name))) != file.sha256:
        raise DataError(f"{source.join(file.path)} is damaged: its SHA-256 is {found}, {file.sha256} was committed")
    return replace(file, path=name)


def _staged(table: str, chunk: int) -> str:
    return f"{PRIVATE}/staging/chunk-{chunk:05d}/{table}.parquet"


class WriteDataset(beam.PTransform):  # type: ignore[misc]
    """(evidence, rows, rejects) -> one list of `FileEntry`, staged but not committed.

    Evidence and rejects come as tuples of collections: several stages produce them.
    """

    def __init__(self, folder: OutputFolder, chunk: int) -> None:
        super().__init__()
        self.folder, self.chunk = folder, chunk

    def expand(self, inputs: dict[str, Any]) -> beam.PCollection:
        """Key every record by its table, write each table once."""
        evidence = inputs["evidence"] | "Evidence" >> beam.Flatten()
        rejects = inputs["rejects"] | "Rejects" >> beam.Flatten()
        keyed = (
            evidence | "Records" >> beam.FlatMap(evidence_records).with_output_types(TableRow),
            inputs["labels"] | "Rows" >> beam.Map(table_row, "labels").with_output_types(TableRow),
            rejects | "Refused" >> beam.Map(table_row, "rejects").with_output_types(TableRow),
        )
        return (
            keyed
            | "All" >> beam.Flatten()
            | "ByTable" >> beam.GroupByKey()
            | "Write" >> beam.Map(_write, self.folder, self.chunk).with_output_types(FileEntry)
        )


def _write(item: tuple[str, Iterable[bytes]], folder: OutputFolder, chunk: int) -> FileEntry:
    table, records = item
    return write_table(table, records, folder, chunk)
