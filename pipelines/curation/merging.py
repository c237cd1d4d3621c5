"""`--merge same-sign|random`: neighbouring steps of a row become one. The evidence keeps the steps as they were."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

from steplabel.labels.curation import merge_random_steps, merge_same_sign
from steplabel.labels.curation.step_merging import FOVER_PROBABILITY
from steplabel.pipelines.curation.steps import Batch, Before, Opened
from steplabel.transforms.dataset import OutputFolder


@dataclass(frozen=True, slots=True, kw_only=True)
class MergeSameSign:
    """TP-GRPO: contiguous steps that are all right, or all wrong, are one (`labels/curation/step_merging.py`)."""

    name: ClassVar[str] = "merge"

    def open(self, source: OutputFolder, before: Before) -> Opened:  # noqa: ARG002 - the port gives them
        """Nothing to get ready."""
        return Opened(step=_each_merged)


@dataclass(frozen=True, slots=True, kw_only=True)
class MergeRandom:
    """FoVer: two neighbours become one with a probability (`labels/curation/step_merging.py`)."""

    name: ClassVar[str] = "merge"

    probability: float = FOVER_PROBABILITY
    seed: int = 0

    def open(self, source: OutputFolder, before: Before) -> Opened:  # noqa: ARG002 - the port gives them
        """Nothing to get ready."""
        return Opened(step=self._apply)

    def _apply(self, batch: Batch) -> Batch:
        rows = (merge_random_steps(row, probability=self.probability, seed=self.seed) for row in batch.rows)
        return replace(batch, rows=tuple(rows))


def _each_merged(batch: Batch) -> Batch:
    return replace(batch, rows=tuple(map(merge_same_sign, batch.rows)))
