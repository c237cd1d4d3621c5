"""What observations say of the solutions' states, and what they cost, in columns.

A source that speaks once of a state is read as it stands. Where it spoke more than once, those few observations
are made records and the rule of `labels/claims.py` is asked.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from steplabel.labels.claims import Claim, claims_by_subject
from steplabel.schemas import Observation, Verdict
from steplabel.schemas.arrow import from_table
from steplabel.schemas.batches import FloatArray, IntArray
from steplabel.schemas.columns import coded_words, one_array
from steplabel.transforms.columnar.evidence import Rows, numbers_of
from steplabel.transforms.columnar.numbering import firsts

_VERDICTS = {Verdict.HOLDS: 1, Verdict.FAILS: -1, Verdict.UNKNOWN: 0}


@dataclass(slots=True)
class SourceColumns:
    """By source, what it says of each state; of states that it is silent about 0 and NaN."""

    verdicts: dict[str, IntArray] = field(default_factory=dict)
    scores: dict[str, FloatArray] = field(default_factory=dict)


def claims_at(observations: Rows, states: IntArray, size: int) -> SourceColumns:
    """The verdict and the score of every source at every state, arrays [size]; of sources that speak of any.

    Args:
        observations: all of them.
        states: [len(observations)], the state below `size` that each speaks of; others are left out.
        size: how many states there are.
    """
    here = (states >= 0) & (states < size)
    observations, states = observations.where(here), states[here]
    columns = SourceColumns()
    if not len(states):
        return columns
    sources, words = coded_words(observations.column("source"))
    spoken = _statements(observations, states, sources)
    for code in np.unique(sources).tolist():
        mine = sources == code
        columns.verdicts[words[code].as_py()] = _spread(spoken.verdicts[mine], states[mine], size)
        graded = mine & ~np.isnan(spoken.scores)
        if graded.any():
            columns.scores[words[code].as_py()] = _spread(spoken.scores[graded], states[graded], size, np.nan)
    return columns


@dataclass(frozen=True, slots=True, kw_only=True)
class _Statements:
    """For each observation what its source says of its state, by all of the source's statements about it."""

    verdicts: IntArray
    scores: FloatArray


def _statements(observations: Rows, states: IntArray, sources: IntArray) -> _Statements:
    codes, words = coded_words(observations.column("verdict"))
    verdicts = np.array([_VERDICTS[Verdict(word)] for word in words.to_pylist()], dtype=np.int64)[codes]
    scores = np.array(one_array(observations.column("score")).to_numpy(zero_copy_only=False), dtype=np.float64)
    _, slots, counts = np.unique(states * (int(sources.max()) + 1) + sources, return_inverse=True, return_counts=True)
    several = np.flatnonzero(counts[slots] > 1)
    for row, claim in zip(several.tolist(), _agreed(observations, several), strict=True):
        verdicts[row] = claim.verdict
        scores[row] = np.nan if claim.score is None else claim.score
    return _Statements(verdicts=verdicts, scores=scores)


def _agreed(observations: Rows, rows: IntArray) -> Iterator[Claim]:
    """For each of these observations what its source claims in the end."""
    records: list[Observation] = from_table(observations.table.take(rows), Observation)
    problems = observations.problem[rows].tolist()
    by_problem: dict[int, list[Observation]] = {}
    for problem, record in zip(problems, records, strict=True):
        by_problem.setdefault(problem, []).append(record)
    claims = {problem: claims_by_subject(said) for problem, said in by_problem.items()}
    for problem, record in zip(problems, records, strict=True):
        yield claims[problem][record.subject][record.source]


def _spread(values: Any, states: IntArray, size: int, silence: float = 0) -> Any:
    column = np.full(size, silence, dtype=values.dtype)
    column[states] = values
    return column


def paid_once(observations: Rows) -> Rows:
    """The observations that cost tokens, each once: equal subject, source, version and evidence are one."""
    paid = observations.where(observations.ints("cost_tokens") != 0)
    scope = paid.problem
    for name in ("subject", "source", "source_version", "evidence"):
        (scope,) = numbers_of([(paid.column(name), scope)])
    return paid.where(firsts(scope)) if len(paid) else paid
