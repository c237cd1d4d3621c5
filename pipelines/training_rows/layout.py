"""What a layout is: a dataset's chunk to plain rows, with a reject for whatever it cannot say."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, TypeAlias

from steplabel.labels.curation import has_own_steps, row_labels
from steplabel.schemas import ConfigError, Evidence, LabelRow, Reject, StepLabels
from steplabel.transforms.answers import in_one_voice
from steplabel.transforms.dataset import ChunkEntry, OutputFolder
from steplabel.transforms.evidence_files import read_evidence, read_table
from steplabel.verifiers import AnswerChecker

STAGE = "export"
JOINED_STEPS = "joined_steps"
"""The labelled steps are no longer those of the evidence: they were merged (`steplabel curate --merge`)."""

Said: TypeAlias = "dict[str, Any] | Reject"
Layout: TypeAlias = Callable[[ChunkEntry], Iterator[Said]]
"""The rows of one chunk, in order."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportOptions:
    """What some layouts can be told.

    Attributes:
        min_margin: least difference of values in a pair (`value_pairs`).
        limit: corrections a solution (`refinements`, `prefixes`).
        seed: of draws.
    """

    min_margin: float = 0.0
    limit: int = 1
    seed: int = 0

    def __post_init__(self) -> None:
        if not self.min_margin >= 0 or self.limit < 1:
            raise ConfigError(f"--min-margin {self.min_margin} must be 0 or more, --limit {self.limit} 1 or more")


MakeLayout: TypeAlias = Callable[[OutputFolder, ExportOptions], Layout]


@dataclass(frozen=True, slots=True, kw_only=True)
class Labelled:
    """The labels of one problem beside its evidence.

    Attributes:
        labels: of solutions whose steps are still those of the evidence.
        joined: rows whose steps are not.
    """

    evidence: Evidence
    labels: tuple[StepLabels, ...]
    joined: tuple[LabelRow, ...]


def labelled_problems(folder: OutputFolder, chunk: ChunkEntry) -> Iterator[Labelled]:
    """Problems with labels, in the order of the problems' table; the answer checker's word is the one that counts."""
    rows: dict[str, list[LabelRow]] = {}
    for row in read_table(folder, chunk, "labels"):
        rows.setdefault(row.problem_id, []).append(row)
    for evidence in read_evidence(folder, chunk):
        if mine := rows.get(evidence.problem.id):
            solutions = {solution.id: solution for solution in evidence.solutions}
            whole = [row for row in mine if has_own_steps(row, solutions[row.solution_id])]
            yield Labelled(
                evidence=in_one_voice(evidence, AnswerChecker.name),
                labels=tuple(map(row_labels, whole)),
                joined=tuple(row for row in mine if row not in whole),
            )


def joined_rejects(problem: Labelled) -> Iterator[Reject]:
    """Rows that cannot be laid beside the evidence."""
    for row in problem.joined:
        yield refused(row.solution_id, JOINED_STEPS, f"labelled as {row.label_policy}")


def refused(id_: str, reason: str, detail: str = "", *, kind: str = "solution") -> Reject:
    """Something that the layout cannot say."""
    return Reject(record_id=id_, kind=kind, stage=STAGE, reason=reason, detail=detail)


def before_step(problem: str, prefix: str) -> str:
    """The text that a step goes on from: the question, a blank line, and the steps so far as they were written."""
    return f"{problem}\n\n{prefix}"


def number(value: float | None) -> float:
    """A column of numbers stays one where a label gives none: NaN in Parquet, null in JSON."""
    return float("nan") if value is None else value
