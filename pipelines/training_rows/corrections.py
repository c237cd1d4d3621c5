"""Corrections of wrong solutions: GLoRe's refinements and InT's prefixes, from rollouts that are there.

`refinements`, for a model that mends a draft once it is told where it goes wrong:

    prompt          the question
    draft           a wrong solution; its first `error_start` characters are right
    error_step      0-based index of its first wrong step
    completion      the whole corrected solution: the draft's right steps and a rollout to the right answer

`prefixes`, for fine-tuning on what was right and the one step that keeps it so:

    prompt          the question
    completion      the right steps and the intervention; nothing behind it
    prefix, intervention, wrong_step, continuation      its parts, what it replaces, what came after it

Both name `problem_id`, `solution_id`, the `rollout` and the `completer` that wrote it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, TypeAlias

from steplabel.labels.curation import (
    InterventionPrefix,
    Refinements,
    RefinementTriple,
    intervention_prefixes,
    refinement_triples,
)
from steplabel.pipelines.curation.origins import segmenter_of
from steplabel.pipelines.training_rows.layout import (
    ExportOptions,
    Layout,
    Said,
    joined_rejects,
    labelled_problems,
    refused,
)
from steplabel.schemas import Evidence, Segmenter
from steplabel.transforms.dataset import ChunkEntry, OutputFolder

_Write: TypeAlias = Callable[[Refinements, Evidence], Iterator[Said]]


def refinements(folder: OutputFolder, options: ExportOptions) -> Layout:
    """GLoRe: draft, place of the error, corrected solution; `limit` of them a solution."""
    return _layout(folder, _refinement_rows, limit=options.limit, seed=options.seed)


def prefixes(folder: OutputFolder, options: ExportOptions) -> Layout:
    """InT: right steps and the step that replaces the first wrong one; at most `limit` a solution.

    A step is what the run's own segmenter takes for one.

    Raises:
        ConfigError: its segmenter cannot cut a rollout.
    """
    write = partial(_prefix_rows, segmenter=segmenter_of(folder), limit=options.limit)
    # Several corrections may begin with one step: the limit is that of different steps, so all are looked at.
    return _layout(folder, write, limit=None, seed=options.seed)


def _layout(folder: OutputFolder, write: _Write, *, limit: int | None, seed: int) -> Layout:
    def rows(chunk: ChunkEntry) -> Iterator[Said]:
        for problem in labelled_problems(folder, chunk):
            yield from joined_rejects(problem)
            found = refinement_triples(problem.evidence, problem.labels, limit=limit, seed=seed)
            yield from (refused(id_, str(reason)) for id_, reason in found.without)
            yield from write(found, problem.evidence)

    return rows


def _refinement_rows(found: Refinements, _: Evidence) -> Iterator[Said]:
    yield from map(_refinement, found.triples)


def _prefix_rows(found: Refinements, evidence: Evidence, *, segmenter: Segmenter, limit: int) -> Iterator[Said]:
    made = intervention_prefixes(found.triples, evidence, segmenter=segmenter, limit=limit)
    yield from made.rejects
    yield from map(_prefix, made.prefixes)


def _refinement(triple: RefinementTriple) -> dict[str, Any]:
    return {
        "prompt": triple.problem,
        "draft": triple.draft,
        "error_step": triple.error_step,
        "error_start": triple.error_start,
        "completion": triple.corrected,
        "problem_id": triple.problem_id,
        "solution_id": triple.solution_id,
        "rollout": triple.rollout,
        "completer": triple.completer,
    }


def _prefix(found: InterventionPrefix) -> dict[str, Any]:
    return {
        "prompt": found.problem,
        "completion": found.prefix + found.intervention,
        "prefix": found.prefix,
        "intervention": found.intervention,
        "wrong_step": found.wrong_step,
        "continuation": found.continuation,
        "problem_id": found.problem_id,
        "solution_id": found.solution_id,
        "rollout": found.rollout,
        "completer": found.completer,
    }
