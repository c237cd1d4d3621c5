"""Evidence to label records: count, let the policy speak, write down who said what."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from steplabel.labels.counting import Counting, counting_of
from steplabel.labels.policy import LabelPolicy
from steplabel.schemas import DataError, Evidence, Solution, StepLabels, StepMark
from steplabel.schemas.batches import (
    FIRST_ERROR_UNKNOWN,
    MARK_NEGATIVE,
    MARK_POSITIVE,
    MARK_UNKNOWN,
    OUTCOME_UNKNOWN,
    BoolArray,
    EvidenceBatch,
    FloatArray,
    LabelBatch,
)

OUTCOME = "outcome"
"""The word in `StepLabels.sources` for the solution's own final answer; `Counting.source` has the others."""

_MARKS = {
    MARK_POSITIVE: StepMark.POSITIVE,
    MARK_NEGATIVE: StepMark.NEGATIVE,
    MARK_UNKNOWN: StepMark.UNKNOWN,
}


def label_evidence(
    evidence: Sequence[Evidence],
    policy: LabelPolicy,
    *,
    completer: str | None = None,
    checker: str | None = None,
) -> list[StepLabels]:
    """Label all solutions of the records, in the order of `count_evidence`.

    A solution about which nothing is known gets its record, too: unknown throughout (`is_labelled` is false).
    Steps that the policy cuts are missing from the end of every tuple. `completer` joins the ids with ", "
    where several completers were pooled; it is empty where the final answer alone decided.

    Args:
        evidence: one record a problem.
        policy: how counts become labels; one that `SaysCounting` says how they are counted, too.
        completer, checker: whose rollouts and whose outcomes count, as in `count_evidence`.

    Raises:
        DataError: the policy cut steps that are not at a solution's end, or returned arrays of other lengths.
    """
    counting = counting_of(policy)
    batch = counting.count(evidence, completer=completer, checker=checker)
    labels = policy(batch)
    check_labels(batch, labels, policy)
    columns = _Columns(batch, labels, counting)
    solutions = (solution for record in evidence for solution in record.solutions)
    names = (name for record in evidence for name in counting.completers(record, completer=completer))
    pairs = enumerate(zip(solutions, names, strict=True))
    return [columns.record(i, solution, name, policy) for i, (solution, name) in pairs]


def is_labelled(labels: StepLabels) -> bool:
    """Whether at least one step is "+" or "-"."""
    return any(mark is not StepMark.UNKNOWN for mark in labels.marks)


class _Columns:
    """Both batches as lists: slicing a list is many times faster than reading arrays entry by entry."""

    def __init__(self, batch: EvidenceBatch, labels: LabelBatch, counting: Counting) -> None:
        self.source = counting.source
        self.spoke = (counting.spoke(batch) & ~labels.by_outcome).tolist()
        self.decided = ((batch.outcome != OUTCOME_UNKNOWN) & counting.hears_outcome).tolist()
        self.starts = batch.offsets.tolist()
        self.kept = np.bincount(batch.owner[labels.kept], minlength=batch.solutions).tolist()
        self.marks = [_MARKS[mark] for mark in labels.marks.tolist()]
        self.values, self.lows, self.highs = map(_optional, (labels.values, labels.lows, labels.highs))
        self.rollouts = (batch.correct + batch.wrong + batch.unknown).tolist()
        self.successes = batch.correct.tolist()
        self.unknowns = batch.unknown.tolist()
        self.first_error = labels.first_error.tolist()
        self.confidence = _optional(labels.confidence)
        self.tokens = batch.tokens.tolist()

    def record(self, i: int, solution: Solution, completers: str, policy: LabelPolicy) -> StepLabels:
        """Labels of the batch's i-th solution."""
        start = self.starts[i]
        steps = slice(start, start + self.kept[i])
        spoke = self.spoke[i]
        first_error = self.first_error[i]
        sources = (self.source,) * spoke + (OUTCOME,) * self.decided[i]
        return StepLabels(
            solution_id=solution.id,
            policy=policy.name,
            policy_version=policy.version,
            target=policy.target,
            marks=tuple(self.marks[steps]),
            values=tuple(self.values[steps]),
            lows=tuple(self.lows[steps]),
            highs=tuple(self.highs[steps]),
            first_error=None if first_error == FIRST_ERROR_UNKNOWN else first_error,
            after_error=policy.after_error,
            confidence=self.confidence[i],
            completer=completers if spoke else "",
            sources=sources,
            rollouts=tuple(self.rollouts[steps]),
            successes=tuple(self.successes[steps]),
            unknowns=tuple(self.unknowns[steps]),
            tokens=self.tokens[i],
        )


def _optional(column: FloatArray) -> list[float | None]:
    """NaN becomes None."""
    return [None if math.isnan(value) else value for value in column.tolist()]


def check_labels(batch: EvidenceBatch, labels: LabelBatch, policy: LabelPolicy) -> None:
    """Raise DataError if a policy returned arrays of other lengths, or cut steps that are not at a solution's end."""
    per_step = (labels.marks, labels.values, labels.lows, labels.highs, labels.kept)
    per_solution = (labels.first_error, labels.confidence, labels.by_outcome)
    if any(len(a) != batch.steps for a in per_step) or any(len(a) != batch.solutions for a in per_solution):
        raise DataError(
            f"label policy {policy.name}: arrays of {[len(a) for a in per_step]} steps and "
            f"{[len(a) for a in per_solution]} solutions for evidence of {batch.steps} and {batch.solutions}"
        )
    if len(holes := np.flatnonzero(_restarts(labels.kept, batch))):
        raise DataError(f"label policy {policy.name}: keeps step {holes[0]} of the batch but cuts the one before it")


def _restarts(kept: BoolArray, batch: EvidenceBatch) -> BoolArray:
    """[S], steps that are kept although the step before them in the same solution is cut."""
    restarts = kept & (batch.position > 0)
    restarts[1:] &= ~kept[:-1]
    return restarts
