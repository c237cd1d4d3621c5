"""FoVer's examples: a prefix of a solution, judged by its last step, as many that are right as wrong.

    prompt          the question
    completions     the steps of the prefix, the judged one last, as in TRL's layout
    label           whether it is right: true or false, never unknown
    final           whether it is the whole solution's last step; both kinds are balanced apart
    problem_id, solution_id, label_policy

Which examples stay is drawn over the whole dataset, before the first row is written: their ids are held, no texts.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from steplabel.labels.curation import balanced_examples, last_steps
from steplabel.labels.curation.balance import LastStep
from steplabel.pipelines.training_rows.layout import ExportOptions, Layout, Said, refused
from steplabel.schemas import LabelRow, Reason, StepMark
from steplabel.transforms.dataset import ChunkEntry, OutputFolder
from steplabel.transforms.evidence_files import read_labelled

UNBALANCED = "unbalanced"
"""An example that was left out so that right and wrong are as many."""


def balanced_last_steps(folder: OutputFolder, options: ExportOptions) -> Layout:
    """Draw the examples of a dataset."""
    chunks = folder.require_manifest().chunks
    kept = balanced_examples(
        (example for chunk in chunks for _, examples in _examples(folder, chunk) for example in examples),
        seed=options.seed,
    )

    def rows(chunk: ChunkEntry) -> Iterator[Said]:
        for row, examples in _examples(folder, chunk):
            yield from _rows(row, examples, kept)

    return rows


def _examples(folder: OutputFolder, chunk: ChunkEntry) -> Iterator[tuple[LabelRow, list[LastStep]]]:
    """Each row with its examples; a policy may have cut the row, so the solution tells which step is the last."""
    return ((row, list(last_steps(row, solution))) for row, solution in read_labelled(folder, chunk))


def _rows(row: LabelRow, examples: Sequence[LastStep], kept: frozenset[str]) -> Iterator[Said]:
    for i, mark in enumerate(row.labels):
        if row.labelable[i] and mark is StepMark.UNKNOWN:
            yield refused(row.solution_id, Reason.UNDECIDED_STEP, f"step {i}", kind="step")
    for example in examples:
        if example.id in kept:
            yield _row(row, example)
        else:
            yield refused(row.solution_id, UNBALANCED, f"step {example.steps - 1}", kind="step")


def _row(row: LabelRow, example: LastStep) -> dict[str, Any]:
    return {
        "prompt": row.problem,
        "completions": list(row.steps[: example.steps]),
        "label": example.mark is StepMark.POSITIVE,
        "final": example.final,
        "problem_id": row.problem_id,
        "solution_id": row.solution_id,
        "label_policy": f"{row.label_policy}@{row.label_policy_version}",
    }
