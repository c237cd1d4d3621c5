"""Solutions that a file brings along, and beside them, since marks are no evidence, the first errors people marked."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice, tee
from typing import Any, TypeAlias

from steplabel.schemas import Evidence, GoldSteps, Reject
from steplabel.schemas.layouts import bigbench_mistake, fover, prm800k, processbench
from steplabel.transforms.intake import Intake, detect_format
from steplabel.transforms.io import RawRow, read_rows

Markings: TypeAlias = GoldSteps | fover.MarkedSolution
"""What knows a solution's first error."""

MARKS: Mapping[str, Callable[..., Markings]] = {
    "processbench": processbench.read_gold_steps,
    "bigbench_mistake": bigbench_mistake.read_gold_steps,
    "fover": fover.read_marked,
    "prm800k": prm800k.read_gold_steps,
}
"""By layout of `transforms.intake.READERS`, how a row says where its one solution's first error is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Marked:
    """A problem with its solutions.

    Attributes:
        first_error: of its only solution, as people marked it: 0-based, -1 none; None if it is not known.
    """

    evidence: Evidence
    first_error: int | None = None


def read_marked(path: str, intake: Intake, limit: int | None) -> Iterator[Marked | Reject]:
    """A problem or a reject for every row, in order. Raises ConfigError if there is no such file."""
    rows, again = tee(islice(read_rows(path), limit))
    for row, record in zip(rows, intake.read(again), strict=True):
        yield record if isinstance(record, Reject) else Marked(evidence=record, first_error=_mark(row, intake.layout))


def _mark(row: RawRow, layout: str) -> int | None:
    """What a row marks that was read without an error."""
    data: Mapping[str, Any] = row.data or {}
    read = MARKS.get(detect_format(data) if layout == "auto" else layout)
    return read(data, line=row.where).first_error if read else None
