"""`--prof DROP`: PROF's filter, problem by problem."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from steplabel.labels.curation import ScoredSolution, filter_group
from steplabel.pipelines.curation.steps import Batch, Before, Dropped, Opened, RowKey, without
from steplabel.schemas import ConfigError, LabelRow, LabelTarget, Outcome
from steplabel.transforms.dataset import OutputFolder
from steplabel.transforms.io import count_tuples


@dataclass(frozen=True, slots=True, kw_only=True)
class Prof:
    """Drop the `drop` least consistent solutions of each problem (`labels/curation/process_consistency.py`)."""

    name: ClassVar[str] = "prof"

    drop: int

    def __post_init__(self) -> None:
        if self.drop < 1:
            raise ConfigError(f"--prof {self.drop}: at least one solution of a problem must go")

    def open(self, source: OutputFolder, before: Before) -> Opened:  # noqa: ARG002 - the port gives it
        """All solutions of a problem lie in one chunk, so there is nothing to get ready.

        Raises:
            ConfigError: values are no chances.
        """
        _require_chances(source)
        return Opened(step=self._apply)

    def _apply(self, batch: Batch) -> Batch:
        groups: dict[str, list[LabelRow]] = {}
        for row in batch.rows:
            groups.setdefault(row.problem_id, []).append(row)
        dropped: dict[RowKey, Dropped] = {}
        for problem, rows in groups.items():
            left = filter_group(_scored(rows), drop=self.drop).dropped
            dropped |= {(problem, id_): Dropped(reason=str(reason)) for id_, reason in left}
        return without(batch, self.name, dropped)


def _require_chances(source: OutputFolder) -> None:
    for policy, target in sorted(count_tuples(source.paths("labels"), "label_policy", "label_target")):
        if LabelTarget(target) is LabelTarget.PROGRESS:
            raise ConfigError(
                f"--prof wants chances as values, {policy} says progress: relabel with --policy soft first"
            )


def _scored(rows: Sequence[LabelRow]) -> list[ScoredSolution]:
    return [ScoredSolution(id=row.solution_id, outcome=Outcome(row.outcome), values=_values(row)) for row in rows]


def _values(row: LabelRow) -> tuple[float | None, ...]:
    return tuple(value for value, labelable in zip(row.values, row.labelable, strict=True) if labelable)
