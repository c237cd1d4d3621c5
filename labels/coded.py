"""Evidence as integers, and its counts: the one place where counting happens, whatever the evidence was read from.

Keys are hashes, so all that counting wants to know of two of them is whether they are equal. Records are coded
by `columns.py`; who has evidence in columns (Arrow's dictionary codes) can code it without making records.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from steplabel.schemas.batches import BoolArray, Counts, EvidenceBatch, FloatArray, IntArray

CORRECT, WRONG, UNKNOWN, UNANSWERED = 0, 1, 2, 3
"""How something ended: `UNANSWERED` is unknown because there was no answer, `UNKNOWN` for another reason."""
EndArray = NDArray[np.int8]
"""Such codes. There is one for every rollout, and a byte of each instead of eight is felt."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CodedEvidence:
    """What counting needs of n solutions with S steps, of m states and of R ends.

    Attributes:
        offsets: [n + 1], first step of each solution, and S at the end.
        labelable: [S].
        states: [S], the state that each step ends in, below m; equal states have equal codes, and those of
            different problems differ.
        roots: [n], the state before the first step; `root_asked` whether rollouts start there.
        outcome, siblings_correct, siblings_total: [n], as in `EvidenceBatch`.
        costs: [n], tokens that the ends do not hold.
        end_states, ends, end_tokens: [R], where each rollout began, how it ended, and its tokens.
        verdicts, scores, root_scores: as in `EvidenceBatch`.
    """

    offsets: IntArray
    labelable: BoolArray
    states: IntArray
    roots: IntArray
    root_asked: BoolArray
    outcome: IntArray
    siblings_correct: IntArray
    siblings_total: IntArray
    costs: IntArray
    end_states: IntArray
    ends: EndArray
    end_tokens: IntArray
    verdicts: Mapping[str, IntArray] = field(default_factory=dict)
    scores: Mapping[str, FloatArray] = field(default_factory=dict)
    root_scores: Mapping[str, FloatArray] = field(default_factory=dict)


def count_coded(coded: CodedEvidence) -> EvidenceBatch:
    """Count the ends at every step and root. A solution's tokens are those of its states, root and costs."""
    codes = (coded.states, coded.roots, coded.end_states)
    size = 1 + max((int(code.max()) for code in codes if len(code)), default=0)
    table = np.bincount(coded.end_states * 4 + coded.ends, minlength=size * 4).reshape(size, 4)
    spent = np.zeros(size, dtype=np.int64)
    np.add.at(spent, coded.end_states, coded.end_tokens)
    along = np.concatenate([[0], np.cumsum(spent[coded.states])])
    steps = _counts(table[coded.states])
    return EvidenceBatch(
        offsets=coded.offsets,
        labelable=coded.labelable,
        correct=steps.correct,
        wrong=steps.wrong,
        unknown=steps.unknown,
        unanswered=steps.unanswered,
        outcome=coded.outcome,
        tokens=along[coded.offsets[1:]] - along[coded.offsets[:-1]] + spent[coded.roots] + coded.costs,
        siblings_correct=coded.siblings_correct,
        siblings_total=coded.siblings_total,
        verdicts=coded.verdicts,
        root=_counts(table[coded.roots]),
        root_asked=coded.root_asked,
        scores=coded.scores,
        root_scores=coded.root_scores,
    )


def _counts(table: IntArray) -> Counts:
    """Counts of the rows [m, 4] of a table of ends."""
    unanswered = table[:, UNANSWERED].copy()
    return Counts(
        correct=table[:, CORRECT].copy(),
        wrong=table[:, WRONG].copy(),
        unknown=table[:, UNKNOWN] + unanswered,
        unanswered=unanswered,
    )
