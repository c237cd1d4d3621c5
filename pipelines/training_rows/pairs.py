"""Step preferences: of two steps that go on from one prefix, the better and the worse one.

    {"prompt": str, "chosen": str, "rejected": str}      what DPO trainers read, TRL's among them
    problem, prefix                                      the prompt's two parts, for chat templates
    chosen_value, rejected_value, margin                 as labelled; NaN (null in JSON) where there is no value
    problem_id, label_policy                             where the pair comes from; `_compressed` where any of the
                                                         problem's steps were merged

`prompt` is the question, a blank line and the steps before. Steps keep the separators that end them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any, TypeAlias

from steplabel.labels.preferences import StepPreference, mark_preferences, value_preferences
from steplabel.pipelines.curation.steps import COMPRESSED
from steplabel.pipelines.training_rows.layout import (
    ExportOptions,
    Labelled,
    Layout,
    Said,
    before_step,
    joined_rejects,
    labelled_problems,
    number,
    refused,
)
from steplabel.schemas import Evidence, StepLabels
from steplabel.transforms.dataset import ChunkEntry, OutputFolder

NO_PAIR = "no_pair"
"""No two siblings of the problem differ: there is no fork, or the labels see none better."""

Prefer: TypeAlias = Callable[[Evidence, Sequence[StepLabels]], list[StepPreference]]


def mark_pairs(folder: OutputFolder, options: ExportOptions) -> Layout:  # noqa: ARG001 - the port gives them
    """Step-DPO: each first error against every right sibling of it."""
    return _layout(folder, mark_preferences)


def value_pairs(folder: OutputFolder, options: ExportOptions) -> Layout:
    """Step-Q: every two siblings whose values differ by more than the margin."""
    return _layout(folder, lambda *given: value_preferences(*given, min_margin=options.min_margin))


def _layout(folder: OutputFolder, prefer: Prefer) -> Layout:
    def rows(chunk: ChunkEntry) -> Iterator[Said]:
        for problem in labelled_problems(folder, chunk):
            yield from joined_rejects(problem)
            yield from _rows(problem, prefer)

    return rows


def _rows(problem: Labelled, prefer: Prefer) -> Iterator[Said]:
    asked = problem.evidence.problem
    pairs = prefer(problem.evidence, _of_one_tree(problem.labels))
    if problem.labels and not pairs:
        yield refused(asked.id, NO_PAIR, kind="problem")
    for pair in pairs:
        yield _row(asked.text, pair)


def _of_one_tree(labels: Sequence[StepLabels]) -> Sequence[StepLabels]:
    """HNC names the solutions whose steps it merged, but one policy has labelled all of the tree: one name for it."""
    suffix = f"_{COMPRESSED}"
    if not any(said.policy.endswith(suffix) for said in labels):
        return labels
    return [replace(said, policy=said.policy.removesuffix(suffix) + suffix) for said in labels]


def _row(problem: str, pair: StepPreference) -> dict[str, Any]:
    return {
        "prompt": before_step(problem, pair.prefix),
        "chosen": pair.chosen,
        "rejected": pair.rejected,
        "problem": problem,
        "prefix": pair.prefix,
        "chosen_value": number(pair.chosen_value),
        "rejected_value": number(pair.rejected_value),
        "margin": number(pair.margin),
        "problem_id": pair.problem_id,
        "label_policy": pair.policy,
    }
