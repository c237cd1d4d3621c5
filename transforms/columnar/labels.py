"""Labels to the table that people train on, column by column: what `labels/rows.py` writes row by row."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from steplabel.labels.apply import OUTCOME
from steplabel.labels.policy import LabelPolicy
from steplabel.schemas import LabelRow, Outcome, RunInfo, StepMark
from steplabel.schemas.batches import FIRST_ERROR_UNKNOWN, BoolArray, EvidenceBatch, IntArray, LabelBatch
from steplabel.schemas.columns import (
    coded_words,
    field_of,
    filled,
    lists_of,
    optional_floats,
    optional_ints,
    sorted_by,
    strings,
    table_of,
    taken,
)
from steplabel.transforms.columnar.counts import CountedColumns
from steplabel.transforms.columnar.evidence import EvidenceColumns
from steplabel.transforms.columnar.numbering import in_ranges

_MARKS = (StepMark.NEGATIVE, StepMark.UNKNOWN, StepMark.POSITIVE)
"""By mark + 1, as `LabelBatch` writes marks."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Labelled:
    """Evidence, what was counted in it, and what a policy made of that.

    Attributes:
        spoke: [n], whether the way of counting has a say in a solution's labels; `decided`: its own outcome.
        source: the way's word for itself.
    """

    evidence: EvidenceColumns
    counted: CountedColumns
    batch: EvidenceBatch
    labels: LabelBatch
    spoke: BoolArray
    decided: BoolArray
    source: str

    @property
    def kept(self) -> IntArray:
        """[n], how many steps of each solution the policy did not cut."""
        return np.bincount(self.batch.owner[self.labels.kept], minlength=self.batch.solutions)

    @property
    def is_labelled(self) -> BoolArray:
        """[n], whether at least one kept step is "+" or "-"."""
        marked = self.labels.kept & (self.labels.marks != 0)
        return np.asarray(np.bincount(self.batch.owner[marked], minlength=self.batch.solutions) > 0)


def label_table(labelled: Labelled, policy: LabelPolicy, run: RunInfo, *, completer_licence: str) -> Any:
    """An Arrow table of `LabelRow`: the labelled solutions, sorted by the ids of problem and solution.

    Raises:
        DataError: a value does not fit its column.
    """
    wanted = np.flatnonzero(labelled.is_labelled)
    evidence = labelled.evidence
    problem_ids = _of_problems(evidence, "id", wanted)
    solution_ids = taken(evidence.solutions.column("id"), wanted)
    order = sorted_by(problem_ids, solution_ids)
    rows = wanted[order]
    columns = {
        "problem_id": problem_ids.take(order),
        "solution_id": solution_ids.take(order),
        **dict(_problem_columns(evidence, rows)),
        **_step_columns(labelled, rows),
        **_solution_columns(labelled, rows, completer_licence),
        **_outcome_columns(labelled, rows),
        "label_policy": policy.name,
        "label_policy_version": policy.version,
        "label_target": str(policy.target),
        "after_error": str(policy.after_error),
        "run_id": run.run_id,
        "recipe": run.recipe,
        "code_version": run.code_version,
        "config_hash": run.config_hash,
    }
    return table_of(columns, LabelRow, rows=len(rows))


def _of_problems(evidence: EvidenceColumns, name: str, rows: IntArray) -> Any:
    return taken(evidence.problems.column(name), evidence.solutions.problem[rows])


def _problem_columns(evidence: EvidenceColumns, rows: IntArray) -> Iterator[tuple[str, Any]]:
    for name in ("group_id", "domain", "split", "source", "licence", "source_row"):
        yield name, _of_problems(evidence, name, rows)
    yield "problem", _of_problems(evidence, "text", rows)
    gold = evidence.problems.column("gold")
    problem = evidence.solutions.problem[rows]
    yield "gold_answer", taken(field_of(gold, "text"), problem, default="")
    yield "answer_type", taken(field_of(gold, "type"), problem, default="")


def _step_columns(labelled: Labelled, rows: IntArray) -> dict[str, Any]:
    """Columns of lists, an entry a kept step."""
    batch, labels, steps = labelled.batch, labelled.labels, labelled.evidence.steps
    lengths = labelled.kept[rows]
    at = in_ranges(batch.offsets[rows], lengths)
    entries = {
        "steps": taken(field_of(steps, "text"), at),
        "step_kinds": taken(field_of(steps, "kind"), at),
        "labelable": batch.labelable[at],
        "labels": strings(_MARKS).take(labels.marks[at] + 1),
        "values": optional_floats(labels.values[at]),
        "value_lows": optional_floats(labels.lows[at]),
        "value_highs": optional_floats(labels.highs[at]),
        "rollouts": batch.at_steps.total[at],
        "successes": batch.correct[at],
        "unknowns": batch.unknown[at],
    }
    offsets = np.concatenate([[0], np.cumsum(lengths)])
    return {name: lists_of(offsets, column, LabelRow, name) for name, column in entries.items()}


def _solution_columns(labelled: Labelled, rows: IntArray, completer_licence: str) -> dict[str, Any]:
    solutions, labels = labelled.evidence.solutions, labelled.labels
    spoke, decided = labelled.spoke[rows], labelled.decided[rows]
    names = [*labelled.counted.completers, ""]
    heard = np.where(spoke, labelled.counted.heard[rows], len(names) - 1)
    named = np.array([bool(name) for name in names])[heard]
    licences, words = coded_words(solutions.column("policy_licence"))
    # By code * 2 + whether a completer spoke: few, however many rows there are.
    model_licences = [
        tuple(dict.fromkeys(licence for licence in (word, other) if licence))
        for word in words.to_pylist()
        for other in ("", completer_licence)
    ]
    sources = [(labelled.source,) * by_count + (OUTCOME,) * by_outcome for by_count in (0, 1) for by_outcome in (0, 1)]
    first_error = labels.first_error[rows]
    return {
        "first_error": optional_ints(first_error, first_error == FIRST_ERROR_UNKNOWN),
        "confidence": optional_floats(labels.confidence[rows]),
        "tokens": labelled.batch.tokens[rows],
        "label_sources": _few(sources, "label_sources", spoke * 2 + decided),
        "solution_source": taken(solutions.column("source"), rows),
        "policy_model": taken(solutions.column("policy"), rows),
        "completer_model": strings(names).take(heard),
        "model_licences": _few(model_licences, "model_licences", licences[rows] * 2 + named),
    }


def _few(lists: list[tuple[str, ...]], name: str, which: IntArray) -> Any:
    """One of a few lists of words for each row."""
    offsets = np.cumsum([0, *map(len, lists)])
    flat = strings([word for words in lists for word in words])
    return lists_of(offsets, flat, LabelRow, name).take(which)


def _outcome_columns(labelled: Labelled, rows: IntArray) -> dict[str, Any]:
    outcomes, spoken = labelled.evidence.outcomes, labelled.counted.outcome_rows[rows]
    codes, names = coded_words(taken(outcomes.column("checker"), spoken, default=""))
    versions, numbers = coded_words(taken(outcomes.column("checker_version"), spoken, default=""))
    pairs, which = np.unique(codes * max(1, len(numbers)) + versions, return_inverse=True)
    named = [(names[pair // len(numbers)].as_py(), numbers[pair % len(numbers)].as_py()) for pair in pairs.tolist()]
    words = strings(["", *(f"{name}@{number}" for name, number in named)])
    return {
        "final_answer": filled(
            taken(labelled.evidence.solutions.column("final_answer"), rows), taken(outcomes.column("answer"), spoken)
        ),
        "outcome": taken(outcomes.column("outcome"), spoken, default=str(Outcome.UNKNOWN)),
        "outcome_reason": taken(outcomes.column("reason"), spoken, default=""),
        "checker": words.take(np.where(spoken >= 0, which + 1, 0)),
    }
