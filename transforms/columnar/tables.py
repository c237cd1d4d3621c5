"""Evidence tables in, the label table out: what `derive_labels` does, many times as fast, for whole chunks.

Its rows are those of `derive_labels`, whatever the policy. Where only records can say what the labels are,
`NotColumnarError` says so, and the caller makes records.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import numpy as np

from steplabel.labels.apply import check_labels
from steplabel.labels.coded import count_coded
from steplabel.labels.counting import SiblingCounts, counting_of
from steplabel.labels.policy import LabelPolicy
from steplabel.schemas import DataError, Reject
from steplabel.schemas.batches import OUTCOME_UNKNOWN
from steplabel.transforms.columnar.counts import columnar, count_columns
from steplabel.transforms.columnar.evidence import COLUMNS, ROLLOUTS, evidence_columns
from steplabel.transforms.columnar.labels import Labelled, label_table
from steplabel.transforms.label import Labelling, undecided


def tables_wanted(policy: LabelPolicy) -> tuple[str, ...]:
    """The evidence tables that a policy's labels are derived from.

    Raises:
        NotColumnarError: its way of counting knows records only.
    """
    counting = columnar(counting_of(policy))
    return tuple(name for name in COLUMNS if name != ROLLOUTS or not isinstance(counting, SiblingCounts))


def label_tables(
    tables: Mapping[str, Any], how: Labelling, *, without: Collection[str] = ()
) -> tuple[Any, list[Reject]]:
    """An Arrow table of label rows, sorted by their ids, and a reject for every solution without a decided step.

    Args:
        tables: `read_tables`.
        how: as for `derive_labels`.
        without: ids of problems that get no labels.

    Raises:
        NotColumnarError: only records can say what the labels are.
        DataError: the policy returned what is no labels of these solutions.
    """
    labelled = _labelled(tables, how, without)
    if labelled is None:
        return None, []
    table = label_table(labelled, how.policy, how.run, completer_licence=how.completer_licence)
    return (table if len(table) else None), _rejects(labelled, how)


def _labelled(tables: Mapping[str, Any], how: Labelling, without: Collection[str]) -> Labelled | None:
    evidence = evidence_columns(tables, without=without)
    if not len(evidence.solutions):
        return None
    counting = columnar(counting_of(how.policy))
    counted = count_columns(evidence, counting, voice=how.checker)
    batch = count_coded(counted.coded)
    labels = how.policy(batch)
    check_labels(batch, labels, how.policy)
    labelled = Labelled(
        evidence=evidence,
        counted=counted,
        batch=batch,
        labels=labels,
        spoke=counting.spoke(batch) & ~labels.by_outcome,
        decided=(batch.outcome != OUTCOME_UNKNOWN) & counting.hears_outcome,
        source=counting.source,
    )
    _check_values(labelled, how.policy)
    return labelled


def _check_values(labelled: Labelled, policy: LabelPolicy) -> None:
    """What `StepLabels` checks of itself."""
    labels = labelled.labels
    if any(np.isinf(values).any() for values in (labels.values, labels.lows, labels.highs)):
        raise DataError(f"label policy {policy.name}: a value that is not finite")
    if (labels.first_error >= labelled.kept).any():
        raise DataError(f"label policy {policy.name}: a first error behind the last step that it keeps")


def _rejects(labelled: Labelled, how: Labelling) -> list[Reject]:
    rows = np.flatnonzero(~labelled.is_labelled)
    ids = labelled.evidence.solutions.column("id").take(rows).to_pylist()
    kept = labelled.kept[rows].tolist()
    return [undecided(solution_id, steps, how.policy) for solution_id, steps in zip(ids, kept, strict=True)]
