"""`steplabel export`: the labels in the layout of a training library."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from steplabel.schemas import ConfigError, LabelRow, Reject
from steplabel.schemas.layouts.trl import export_row
from steplabel.transforms.dataset import OutputFolder
from steplabel.transforms.io import write_rows

Exporter = Callable[[LabelRow], "dict[str, Any] | Reject"]

EXPORTERS: Mapping[str, Exporter] = {"trl": export_row}


@dataclass(frozen=True, slots=True, kw_only=True)
class Exported:
    """How many rows were written, and why the others were not."""

    written: int
    refused: Mapping[str, int]


def export_dataset(folder: OutputFolder, layout: str, path: str) -> Exported:
    """Write every label row that the layout can say without lying; count the others by reason.

    Raises:
        ConfigError: the file's suffix is unknown, or not one row could be written.
    """
    refused: Counter[str] = Counter()

    def rows() -> Iterator[dict[str, Any]]:
        for row in folder.read("labels"):
            exported = EXPORTERS[layout](row)
            if isinstance(exported, Reject):
                refused[exported.reason] += 1
            else:
                yield exported

    written = write_rows(rows(), path)
    if not written:
        raise ConfigError(f"no row of {folder.path!r} can be said in layout {layout}: {dict(refused)}")
    return Exported(written=written, refused=dict(refused))
