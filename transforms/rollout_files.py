"""Rollouts of a store as one Parquet file, to be published, and back into a store.

Both ways stream: what is held in memory does not grow with the file.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from steplabel.engines.store.exchange import Unreadable, exported_rollouts, import_rollouts
from steplabel.schemas import ConfigError, DataError, ExportedRollout, codec
from steplabel.transforms.io import RawRow, read_rows, write_groups

GROUP_ROWS: Final = 10_000
GROUP_BYTES: Final = 16 * 2**20
"""A row group ends at so many rollouts or bytes of text, whichever comes first: what a reader has to hold at once."""
MOST_TOLD: Final = 20
Tick = Callable[[int], None]
"""Told how many rollouts were handled so far."""


@dataclass(slots=True)
class ExportReport:
    """What was written, and what could not be: all of that counted, the first few told."""

    written: int = 0
    unreadable: int = 0
    told: list[str] = field(default_factory=list)


@dataclass(slots=True)
class ImportReport:
    """What was new, what the store had already, and rows that were refused: counted, the first few told with why."""

    new: int = 0
    already_there: int = 0
    refused: int = 0
    told: list[str] = field(default_factory=list)


def export_store(store: Path, output: str, *, run_id: str | None = None, tick: Tick = lambda _: None) -> ExportReport:
    """Write the rollouts of a store, or those that one run used, as `ExportedRollout` rows.

    What is damaged is left out and reported; the file appears under its name when it is whole.

    Raises:
        ConfigError: the output does not end in `.parquet`, or the store does not know what the run used.
        StoreError: there is no store, or it cannot be read at all.
    """
    if not output.endswith(".parquet"):
        raise ConfigError(f"output {output!r}: wants a name that ends in .parquet")
    report = ExportReport()
    readable = _readable(exported_rollouts(store, run_id), report)
    report.written = write_groups(_groups(readable, tick), ExportedRollout, output)
    return report


def import_file(file: str, store: Path, *, tick: Tick = lambda _: None) -> ImportReport:
    """Put the rollouts of a file, or of a folder of such files, into a store, which is created where there is none.

    Every row is checked on its own, its checksum too. A row that is no rollout is refused, and a key that the store
    has keeps its rollout; so doing it twice, or again after a kill, is doing it once.

    Raises:
        ConfigError: there is no such file, or it is of no known format.
        StoreError: the store cannot be written; what was reported before stays in it.
    """
    report = ImportReport()
    for new, already_there in import_rollouts(store, _accepted(read_rows(file), report)):
        report.new += new
        report.already_there += already_there
        tick(report.new + report.already_there)
    return report


def _readable(found: Iterator[ExportedRollout | Unreadable], report: ExportReport) -> Iterator[ExportedRollout]:
    for rollout in found:
        if isinstance(rollout, ExportedRollout):
            yield rollout
        else:
            report.unreadable += 1
            if len(report.told) < MOST_TOLD:
                report.told.append(f"{rollout.name}: {rollout.problem}")


def _groups(rollouts: Iterator[ExportedRollout], tick: Tick) -> Iterator[list[ExportedRollout]]:
    group: list[ExportedRollout] = []
    size = done = 0
    for rollout in rollouts:
        group.append(rollout)
        size += len(rollout.text) + len(rollout.prompt)
        if size >= GROUP_BYTES or len(group) >= GROUP_ROWS:
            done += len(group)
            yield group
            tick(done)
            group, size = [], 0
    if group:
        yield group


def _accepted(rows: Iterator[RawRow], report: ImportReport) -> Iterator[ExportedRollout]:
    for row in rows:
        try:
            yield _rollout(row)
        except (DataError, ConfigError) as error:
            report.refused += 1
            if len(report.told) < MOST_TOLD:
                report.told.append(f"{row.where}: {error}")


def _rollout(row: RawRow) -> ExportedRollout:
    if row.data is None:
        raise DataError(row.error)
    # A column that other files have and this one lacks reads as null: the field's default holds then.
    present: dict[str, Any] = {name: value for name, value in row.data.items() if value is not None}
    rollout = codec.from_builtins(present, ExportedRollout)
    if not rollout.is_sealed:
        raise DataError(f"rollout {rollout.key}: its checksum does not fit, it was damaged or changed")
    return rollout
