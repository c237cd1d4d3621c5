"""`steplabel export`: the labels in the layout of a training library."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, fields
from itertools import chain
from typing import Any

from steplabel.pipelines.training_rows.corrections import prefixes, refinements
from steplabel.pipelines.training_rows.last_steps import balanced_last_steps
from steplabel.pipelines.training_rows.layout import ExportOptions, Layout, MakeLayout
from steplabel.pipelines.training_rows.pairs import mark_pairs, value_pairs
from steplabel.schemas import ConfigError, LabelRow, Reject
from steplabel.schemas.layouts import fover, trl
from steplabel.transforms.dataset import ChunkEntry, OutputFolder
from steplabel.transforms.evidence_files import read_table
from steplabel.transforms.io import write_rows


def _by_row(export_row: Callable[[LabelRow], dict[str, Any] | Reject]) -> MakeLayout:
    """Row by row: nothing but the labels is asked for."""

    def make(folder: OutputFolder, options: ExportOptions) -> Layout:  # noqa: ARG001 - the port gives them
        return lambda chunk: map(export_row, read_table(folder, chunk, "labels"))

    return make


@dataclass(frozen=True, slots=True, kw_only=True)
class Exporter:
    """A layout, and which fields of `ExportOptions` it heeds."""

    make: MakeLayout
    options: tuple[str, ...] = ()


EXPORTERS: Mapping[str, Exporter] = {
    "trl": Exporter(make=_by_row(trl.export_row)),
    "fover": Exporter(make=_by_row(fover.export_row)),
    "pairs": Exporter(make=mark_pairs),
    "value_pairs": Exporter(make=value_pairs, options=("min_margin",)),
    "refinements": Exporter(make=refinements, options=("limit", "seed")),
    "prefixes": Exporter(make=prefixes, options=("limit", "seed")),
    "last_steps": Exporter(make=balanced_last_steps, options=("seed",)),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Exported:
    """How many rows were written.

    Attributes:
        refused: what was left out, by kind (problem, solution, step) and reason.
    """

    written: int
    refused: Mapping[tuple[str, str], int]


def export_dataset(
    folder: OutputFolder,
    layout: str,
    path: str,
    options: ExportOptions = ExportOptions(),  # noqa: B008 - frozen
    *,
    chunks: Iterable[ChunkEntry] | None = None,
) -> Exported:
    """Write everything that the layout can say without lying; count the rest by reason.

    Args:
        folder: a dataset.
        layout: one of `EXPORTERS`.
        path: .jsonl or .parquet.
        options: for layouts that can be told something; those that it does not have stand at their defaults.
        chunks: those of the manifest, as the caller wants to see them go by; None for all.

    Raises:
        ConfigError: the file's suffix is unknown, the layout does not have an option, or there is nothing to write:
            then nothing is.
    """
    _check_options(layout, options)
    wanted = folder.require_manifest().chunks if chunks is None else chunks
    said = EXPORTERS[layout].make(folder, options)
    refused: Counter[tuple[str, str]] = Counter()

    def rows() -> Iterator[dict[str, Any]]:
        for chunk in wanted:
            for one in said(chunk):
                if isinstance(one, Reject):
                    refused[one.kind, one.reason] += 1
                else:
                    yield one

    found = rows()
    first = next(found, None)
    if first is None:
        told = ", ".join(f"{n:,} {kind}s {reason}" for (kind, reason), n in refused.most_common())
        raise ConfigError(f"nothing of {folder.path!r} can be said in layout {layout}: {told or 'it holds no labels'}")
    written = write_rows(chain([first], found), path)
    return Exported(written=written, refused=dict(refused))


def _check_options(layout: str, options: ExportOptions) -> None:
    has = EXPORTERS[layout].options
    for field in fields(options):
        if field.name not in has and getattr(options, field.name) != field.default:
            told = ", ".join(map(_flag, has)) or "none"
            raise ConfigError(f"layout {layout} has no option {_flag(field.name)}: it has {told}")


def _flag(name: str) -> str:
    return f"--{name.replace('_', '-')}"
