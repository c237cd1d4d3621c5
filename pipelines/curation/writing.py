"""The steps one after the other over a whole dataset, chunk by chunk, and what they leave as a dataset of its own.

Killed at any moment, the same command goes on: committed chunks are not done again. What a step has to see of the
whole dataset it sees anew.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace

from steplabel.pipelines.card import write_card
from steplabel.pipelines.curation.agreement import dataset_content
from steplabel.pipelines.curation.steps import Batch, CurationStep, Step
from steplabel.pipelines.recipe import describe
from steplabel.pipelines.worksite import locked, require_apart, table_schemas
from steplabel.schemas import ConfigError, RunInfo, codec, content_id
from steplabel.transforms.columnar.evidence import COLUMNS
from steplabel.transforms.dataset import ChunkEntry, FileEntry, Manifest, OutputFolder
from steplabel.transforms.evidence_files import read_table
from steplabel.transforms.write import TableRow, copy_table, evidence_records, table_row, write_table
from steplabel.version import __version__


@dataclass(frozen=True, slots=True, kw_only=True)
class Curation:
    """What is done to a dataset: the steps, in the order in which they are applied."""

    steps: tuple[CurationStep, ...]

    def __post_init__(self) -> None:
        if not self.steps:
            raise ConfigError("nothing to do: give at least one of the options that drop or merge")


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenedCuration:
    """Steps that are ready for one dataset, and what they had to say about it."""

    how: Curation
    source: OutputFolder
    steps: tuple[Step, ...]
    notes: tuple[str, ...]


def open_curation(source: OutputFolder, how: Curation) -> OpenedCuration:
    """Open step after step; each may look at what those before it leave of the whole dataset.

    Raises:
        ConfigError: the folder is no dataset, or a step cannot work on it.
    """
    source.require_manifest()
    ready: list[Step] = []
    notes: list[str] = []
    for step in how.steps:
        done = tuple(ready)
        opened = step.open(source, lambda done=done: _batches(source, done))  # type: ignore[misc]
        ready.append(opened.step)
        notes += opened.notes
    return OpenedCuration(how=how, source=source, steps=tuple(ready), notes=tuple(notes))


def curate(opened: OpenedCuration, target: OutputFolder) -> Iterator[ChunkEntry]:
    """Write the curated dataset; yields each chunk of the source as it is committed, or was before.

    Raises:
        ConfigError: the target holds something else.
        DataError: a file of the source is damaged.
    """
    require_own(opened, target)
    with locked(target) if target.is_local else nullcontext():
        yield from _curate(opened, target)


def _curate(opened: OpenedCuration, target: OutputFolder) -> Iterator[ChunkEntry]:
    source = opened.source
    chunks = source.require_manifest().chunks
    manifest = _begin(opened, target)
    for chunk in chunks:
        held = manifest.chunk(chunk.name.index)
        if held is None or held.name != chunk.name:
            target.stage(chunk.name.index)
            batch = _applied(_batch(source, chunk), opened.steps)
            staged = tuple(_write(batch, source, target, manifest.run))
            manifest = target.commit(manifest, chunk.name, staged, complete=chunk.complete)
        yield chunk
    write_card(target)
    target.set_success(all(chunk.complete for chunk in chunks) and manifest.rows()["labels"] > 0)


def require_own(opened: OpenedCuration, target: OutputFolder) -> None:
    """Raise ConfigError if the target holds anything but a part or the whole of this very curation, or the source."""
    require_apart(opened.source, target)
    target.require_free()
    held, mine = target.manifest(), _manifest(opened)
    if held is not None and held.run.run_id != mine.run.run_id:
        raise ConfigError(
            f"{target.path!r} holds run {held.run.run_id} ({held.run.recipe}), this command makes {mine.run.run_id}: "
            f"the dataset or an option differs. Choose another --output, or delete the folder"
        )


def _manifest(opened: OpenedCuration) -> Manifest:
    """Of the new dataset, before its first chunk."""
    old = opened.source.require_manifest()
    config = {
        "curated": old.run.run_id,
        "content": dataset_content(opened.source),
        "how": describe(opened.how, speed=False),
        "config": old.config,
    }
    hashed = content_id("config", config)
    run = RunInfo(
        run_id=content_id("curate", old.run.run_id, hashed)[:16],
        recipe=old.run.recipe,
        code_version=__version__,
        config_hash=hashed,
    )
    return replace(old, run=run, config=codec.to_json(config).decode(), schemas=_schemas(opened, old), chunks=())


def _begin(opened: OpenedCuration, target: OutputFolder) -> Manifest:
    require_own(opened, target)
    manifest = target.manifest() or _manifest(opened)
    target.set_success(False)
    target.write_manifest(manifest)
    target.sweep(manifest)
    return manifest


def _schemas(opened: OpenedCuration, old: Manifest) -> dict[str, str]:
    """Evidence that is copied keeps the schema that it was written under."""
    current = table_schemas()
    if any(step.name == "compress" for step in opened.how.steps):
        return current
    return current | {table: old.schemas[table] for table in COLUMNS if table in old.schemas}


def _batch(source: OutputFolder, chunk: ChunkEntry) -> Batch:
    return Batch(chunk=chunk, rows=tuple(read_table(source, chunk, "labels")))


def _batches(source: OutputFolder, steps: Sequence[Step]) -> Iterator[Batch]:
    for chunk in source.require_manifest().chunks:
        yield _applied(_batch(source, chunk), steps)


def _applied(batch: Batch, steps: Sequence[Step]) -> Batch:
    for step in steps:
        batch = step(batch)
    return batch


def _write(batch: Batch, source: OutputFolder, target: OutputFolder, run: RunInfo) -> Iterator[FileEntry]:
    index = batch.chunk.name.index
    tables: dict[str, list[bytes]] = {}
    for table, data in _records(batch, source, run):
        tables.setdefault(table, []).append(data)
    for table, records in sorted(tables.items()):
        yield write_table(table, records, target, index)
    if batch.evidence is None:
        for file in batch.chunk.files:
            if file.table in COLUMNS:
                yield copy_table(file, source, target, index)


def _records(batch: Batch, source: OutputFolder, run: RunInfo) -> Iterator[TableRow]:
    for one in batch.evidence or ():
        yield from evidence_records(one)
    for reject in (*read_table(source, batch.chunk, "rejects"), *batch.rejects):
        yield table_row(reject, "rejects")
    for row in batch.rows:
        mine = replace(row, run_id=run.run_id, code_version=run.code_version, config_hash=run.config_hash)
        yield table_row(mine, "labels")
