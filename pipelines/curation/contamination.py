"""`--contamination FILE`: problems that hold a part of a test set leave, with all their solutions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from steplabel.labels.curation import NgramIndex, build_index, find_contamination
from steplabel.labels.curation.contamination import NGRAM_WORDS
from steplabel.pipelines.curation.held_out import HeldOut, read_held_out
from steplabel.pipelines.curation.steps import Batch, Before, Dropped, Opened, RowKey, row_key, without
from steplabel.schemas import ConfigError
from steplabel.transforms.dataset import OutputFolder

CONTAMINATED = "contaminated"


@dataclass(frozen=True, slots=True, kw_only=True)
class Decontaminate:
    """Drop problems whose text shares `n` words in a row with a test item (`labels/curation/contamination.py`).

    Only what is asked is searched, not how it is solved. The index of the test sets is held in memory.
    """

    name: ClassVar[str] = "contamination"

    test_sets: tuple[HeldOut, ...]
    n: int = NGRAM_WORDS

    def open(self, source: OutputFolder, before: Before) -> Opened:  # noqa: ARG002 - the port gives them
        """Index the test sets. Raises ConfigError if one holds nothing that can be searched for."""
        items, notes = [], []
        for test_set in self.test_sets:
            found, without_text = read_held_out(test_set)
            items += found
            if without_text:
                notes.append(f"test set {test_set.name}: {without_text:,} rows hold no text and are not searched for")
        index = build_index(items, n=self.n)
        if short := len(index.not_searched):
            notes.append(f"{short:,} of {len(items):,} test items are too short to be searched for")
        if short == len(items):
            raise ConfigError(f"all {short:,} test items are shorter than 8 words: nothing can be searched for")
        return Opened(step=lambda batch: self._apply(batch, index), notes=tuple(notes))

    def _apply(self, batch: Batch, index: NgramIndex) -> Batch:
        texts = {row.problem_id: row.problem for row in batch.rows}
        verdicts = {id_: why for id_, text in texts.items() if (why := _verdict(text, index)) is not None}
        dropped: dict[RowKey, Dropped] = {
            row_key(row): verdicts[row.problem_id] for row in batch.rows if row.problem_id in verdicts
        }
        return without(batch, self.name, dropped)


def _verdict(text: str, index: NgramIndex) -> Dropped | None:
    hits = find_contamination(text, index)
    if not hits:
        return None
    worst = hits[0]
    return Dropped(
        reason=CONTAMINATED,
        detail=f"{worst.share:.0%} of {worst.test_set} {worst.item_id}: {worst.words!r}",
    )
