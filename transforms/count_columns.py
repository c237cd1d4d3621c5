"""Counts from evidence in columns: what `labels/counts.py` and `labels/siblings.py` count from records.

Not every way of counting goes this way. One that knows its numbers only from records (`ObservedScores`, a result
of steps other than `LastNumber`, ways that others add) is refused, and so is told to make records.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from steplabel.labels.coded import UNKNOWN, CodedEvidence
from steplabel.labels.counting import Counting, RolloutCounts, SiblingCounts
from steplabel.labels.step_results import LastNumber, last_number
from steplabel.schemas import Problem, SolutionSource, probe_key
from steplabel.schemas.arrow import coded_words, from_table, key_words, step_field, strings
from steplabel.schemas.batches import OUTCOME_CORRECT, BoolArray, IntArray
from steplabel.transforms.claim_columns import claims_at, paid_once
from steplabel.transforms.evidence_columns import EvidenceColumns, NotColumnarError, Rows, numbers_of
from steplabel.transforms.numbering import firsts, in_ranges, run_heads
from steplabel.transforms.outcome_columns import Chosen, choose_outcomes


@dataclass(frozen=True, slots=True, kw_only=True)
class CountedColumns:
    """What was counted, and whose rollouts and outcomes it was.

    Attributes:
        coded: for `labels.coded.count_coded`.
        outcome_rows: [n], the row in the outcomes of what was said of each solution, -1 where nobody spoke.
        completers: [n], the ids of those whose rollouts start at each solution's steps, with ", " between them.
    """

    coded: CodedEvidence
    outcome_rows: IntArray
    completers: Sequence[str]


def wants_rollouts(counting: Counting) -> bool:
    """Whether rollouts are read at all."""
    return not isinstance(counting, SiblingCounts)


def check_columnar(counting: Counting) -> None:
    """Raise NotColumnarError for a way of counting that knows records only."""
    by_number = isinstance(counting, SiblingCounts) and isinstance(counting.result, (LastNumber, type(None)))
    if not (type(counting) is RolloutCounts or by_number):
        raise NotColumnarError(f"{type(counting).__name__} counts records")


def count_columns(evidence: EvidenceColumns, counting: Counting, *, voice: str) -> CountedColumns:
    """Count.

    Args:
        evidence: of a chunk.
        counting: a way that `check_columnar` allows.
        voice: the checker that is heard before all others.

    Raises:
        NotColumnarError: as `check_columnar` and `choose_outcomes` do.
    """
    check_columnar(counting)
    asked = evidence.rollouts if isinstance(counting, RolloutCounts) else evidence.rollouts.where(
        np.zeros(len(evidence.rollouts), dtype=np.bool_)
    )
    subjects = _Subjects(evidence, asked)
    chosen = choose_outcomes(evidence.outcomes, subjects.outcomes, size=subjects.size, voice=voice)
    nodes = _Nodes(evidence)
    basis = _basis(evidence, subjects, chosen, nodes)
    if isinstance(counting, RolloutCounts):
        return _count_rollouts(evidence, basis, counting.probe)
    return _count_siblings(evidence, basis, by_number=isinstance(counting, SiblingCounts) and bool(counting.result))
