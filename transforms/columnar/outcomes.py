"""Outcomes in columns: of all that checkers said about a rollout or solution, the one that labels use.

The rule is that of `labels/outcomes.py` after `answers.in_one_voice`: the wanted checker before all others, then
the newest version, then the name that sorts last. What that leaves undecided (two statements of one checker and
version) is left to records, as it is rare: evidence is merged by these.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from steplabel.labels.coded import CORRECT, UNANSWERED, UNKNOWN, WRONG, EndArray
from steplabel.labels.outcomes import is_unanswered, version_order
from steplabel.schemas import CheckedOutcome, Outcome
from steplabel.schemas.batches import OUTCOME_CORRECT, OUTCOME_UNKNOWN, OUTCOME_WRONG, IntArray
from steplabel.schemas.columns import NotColumnarError, coded_words
from steplabel.transforms.columnar.evidence import Rows
from steplabel.transforms.columnar.numbering import are_distinct

_ENDS = {Outcome.CORRECT: CORRECT, Outcome.WRONG: WRONG, Outcome.UNKNOWN: UNKNOWN}


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """What was chosen for each of K subjects.

    Attributes:
        rows: [K], the outcome's row, -1 where nobody spoke.
        ends: [K], `CORRECT`, `WRONG`, `UNKNOWN` or `UNANSWERED` of `labels.coded`.
    """

    rows: IntArray
    ends: EndArray

    def outcomes(self, subjects: IntArray) -> IntArray:
        """Of some subjects, as batches write outcomes: 1 correct, 0 wrong, -1 unknown."""
        return _OUTCOMES[self.ends[subjects]]


_OUTCOMES = np.full(4, OUTCOME_UNKNOWN, dtype=np.int64)
_OUTCOMES[CORRECT], _OUTCOMES[WRONG] = OUTCOME_CORRECT, OUTCOME_WRONG


def choose_outcomes(outcomes: Rows, subjects: IntArray, *, size: int, voice: str) -> Chosen:
    """Apply the rule.

    Args:
        outcomes: all that was said.
        subjects: [len(outcomes)], the number of each one's subject, below `size`.
        size: how many subjects there are.
        voice: the checker that is heard before all others.

    Raises:
        NotColumnarError: two statements of the highest rank about one subject.
    """
    ends = _ends(outcomes)
    spoken = np.arange(len(outcomes))
    if not are_distinct(subjects):
        ranks = _ranks(outcomes, voice)
        best = np.full(size, -1, dtype=np.int64)
        np.maximum.at(best, subjects, ranks)
        spoken = np.flatnonzero(ranks == best[subjects])
        subjects, ends = subjects[spoken], ends[spoken]
        if not are_distinct(subjects):
            raise NotColumnarError("one checker and version made two statements about one subject")
    rows = np.full(size, -1, dtype=np.int64)
    rows[subjects] = spoken
    chosen = np.full(size, UNKNOWN, dtype=np.int8)
    chosen[subjects] = ends
    return Chosen(rows=rows, ends=chosen)


def _ranks(outcomes: Rows, voice: str) -> IntArray:
    checkers, names = coded_words(outcomes.column("checker"))
    versions, numbers = coded_words(outcomes.column("checker_version"))
    pairs, which = np.unique(checkers * len(numbers) + versions, return_inverse=True)
    keys: list[Any] = []
    for pair in pairs.tolist():
        name, number = names[pair // len(numbers)].as_py(), numbers[pair % len(numbers)].as_py()
        keys.append((name == voice, version_order(number), name))
    order = {key: rank for rank, key in enumerate(sorted(set(keys)))}
    return np.array([order[key] for key in keys], dtype=np.int64)[which]


def _ends(outcomes: Rows) -> EndArray:
    codes, words = coded_words(outcomes.column("outcome"))
    ends = np.array([_ENDS[Outcome(word)] for word in words.to_pylist()], dtype=np.int8)[codes]
    silent = np.flatnonzero(ends == UNKNOWN)
    if len(silent):
        codes, words = coded_words(outcomes.column("reason").take(silent))
        unanswered = np.array([_is_silence(word) for word in words.to_pylist()])
        ends[silent[unanswered[codes]]] = UNANSWERED
    return ends


def _is_silence(reason: str) -> bool:
    unknown = CheckedOutcome(subject="", checker="", checker_version="", outcome=Outcome.UNKNOWN, reason=reason)
    return is_unanswered(unknown)
