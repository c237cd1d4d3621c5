"""`--duplicates exact|near`: of the solutions of one question that say the same, one stays.

What is compared is what a row holds, so two solutions that a policy cut to the same beginning are duplicates.
Solutions of one problem lie in one chunk and are compared there. Where several problems ask the same, their solutions
are compared too, wherever they lie: of these alone something is held for the whole dataset, a hash each for `exact`,
their texts for `near`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar

from steplabel.labels.curation import Duplicates, exact_duplicates, near_duplicates
from steplabel.labels.curation.duplicates import SIMILARITY
from steplabel.labels.curation.texts import squeezed
from steplabel.pipelines.curation.steps import Batch, Before, Dropped, Opened, RowKey, row_key, without
from steplabel.schemas import LabelRow, content_id
from steplabel.transforms.dataset import OutputFolder

_BETWEEN = "\t"
"""Between the ids of solution and problem; ids of solutions hold hex digits alone."""


class Likeness(StrEnum):
    """When two solutions say the same."""

    EXACT = "exact"
    """They are equal up to white space."""
    NEAR = "near"
    """They share most of their neighbouring tokens."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Deduplicate:
    """Keep the solution with the smallest id of each group of duplicates (`labels/curation/duplicates.py`).

    Attributes:
        threshold: least similarity of near duplicates.
    """

    name: ClassVar[str] = "duplicates"

    likeness: Likeness
    threshold: float = SIMILARITY

    def open(self, source: OutputFolder, before: Before) -> Opened:
        """Look for problems that ask the same, and for duplicates among all their solutions."""
        shared = _shared_questions(source)
        dropped = self._among_questions(before, shared) if shared else {}
        return Opened(step=lambda batch: self._apply(batch, shared, dropped))

    def _among_questions(self, before: Before, shared: Mapping[str, str]) -> dict[RowKey, Dropped]:
        texts: dict[str, dict[str, str]] = {}
        for batch in before():
            for row in batch.rows:
                if (question := shared.get(row.problem_id)) is not None:
                    texts.setdefault(question, {})[_id(row)] = self._compared(row)
        return _dropped(map(self._find, texts.values()))

    def _apply(self, batch: Batch, shared: Mapping[str, str], among: Mapping[RowKey, Dropped]) -> Batch:
        texts: dict[str, dict[str, str]] = {}
        for row in batch.rows:
            if row.problem_id not in shared:
                texts.setdefault(row.problem_id, {})[_id(row)] = self._compared(row)
        here = _dropped(map(self._find, texts.values()))
        there = {key: among[key] for key in map(row_key, batch.rows) if key in among}
        return without(batch, self.name, here | there)

    def _compared(self, row: LabelRow) -> str:
        text = "".join(row.steps)
        return text if self.likeness is Likeness.NEAR else content_id("text", squeezed(text))

    def _find(self, texts: Mapping[str, str]) -> Duplicates:
        if self.likeness is Likeness.NEAR:
            return near_duplicates(texts, threshold=self.threshold)
        return exact_duplicates(texts)


def _shared_questions(source: OutputFolder) -> dict[str, str]:
    """By id of each problem that asks what another one asks, too: the key of the question."""
    counts = Counter(problem.root_key for problem in source.read("problems"))
    repeated = {key for key, count in counts.items() if count > 1}
    if not repeated:
        return {}
    return {p.id: p.root_key for p in source.read("problems") if p.root_key in repeated}


def _id(row: LabelRow) -> str:
    return f"{row.solution_id}{_BETWEEN}{row.problem_id}"


def _key(id_: str) -> RowKey:
    solution, _, problem = id_.partition(_BETWEEN)
    return problem, solution


def _dropped(found: Iterable[Duplicates]) -> dict[RowKey, Dropped]:
    return {
        _key(id_): Dropped(
            reason="duplicate" if group.exact else "near_duplicate",
            detail=f"of solution {_key(group.kept)[1]} of problem {_key(group.kept)[0]}, which is kept",
        )
        for duplicates in found
        for group in duplicates.groups
        for id_ in group.removed
    }
