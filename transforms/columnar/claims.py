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
from steplabel.schemas.batches import BoolArray, FloatArray, IntArray
from steplabel.schemas.columns import coded_words, numbers_in
from steplabel.transforms.columnar.evidence import Rows, numbers_of
from steplabel.transforms.columnar.numbering import firsts
from steplabel.transforms.columnar.states import ELSEWHERE, States

_VERDICTS = {Verdict.HOLDS: 1, Verdict.FAILS: -1, Verdict.UNKNOWN: 0}


@dataclass(frozen=True, slots=True, kw_only=True)
class Claims:
    """What each source says of S steps and of the bare problems of n solutions, as in `EvidenceBatch`."""

    verdicts: dict[str, IntArray] = field(default_factory=dict)
    scores: dict[str, FloatArray] = field(default_factory=dict)
    root_scores: dict[str, FloatArray] = field(default_factory=dict)


def claims_of(observations: Rows, places: IntArray, states: States, problem: IntArray) -> Claims:
    """By source, in the order of their names; of sources that speak of any.

    Args:
        observations: all of them.
        places: [len(observations)], the state or bare problem that each speaks of.
        states: of the steps.
        problem: [n], that of each solution.
    """
    claims = Claims()
    rows = np.flatnonzero(places != ELSEWHERE)
    if not len(rows):
        return claims
    codes, words = coded_words(observations.column("source"))
    places, sources = places[rows], codes[rows]
    spoken = _statements(observations, rows, places, sources)
    roots, graded = states.size + problem, ~np.isnan(spoken.scores)
    size = 1 + max(int(places.max()), int(roots.max()))
    for name, code in sorted((word, code) for code, word in enumerate(words.to_pylist())):
        mine = sources == code
        of_states = mine & (places < states.size)
        if of_states.any():
            claims.verdicts[name] = _spread(spoken.verdicts, of_states, places, size)[states.steps]
        if (of_states & graded).any():
            claims.scores[name] = _spread(spoken.scores, of_states, places, size, np.nan)[states.steps]
        of_roots = _spread(spoken.scores, mine & ~of_states, places, size, np.nan)[roots]
        if not np.isnan(of_roots).all():
            claims.root_scores[name] = of_roots
    return claims


@dataclass(frozen=True, slots=True, kw_only=True)
class _Statements:
    """For each observation what its source says of its place, by all of the source's statements about it."""

    verdicts: IntArray
    scores: FloatArray


def _statements(observations: Rows, rows: IntArray, places: IntArray, sources: IntArray) -> _Statements:
    """Of some rows: their places, and by whom they are."""
    codes, words = coded_words(observations.column("verdict"))
    verdicts = np.array([_VERDICTS[Verdict(word)] for word in words.to_pylist()], dtype=np.int64)[codes[rows]]
    scores = numbers_in(observations.column("score"), np.float64)[rows]
    slots = places * (int(sources.max()) + 1) + sources
    several = np.flatnonzero(np.bincount(slots)[slots] > 1)
    for at, claim in zip(several.tolist(), _agreed(observations, rows[several]), strict=True):
        verdicts[at] = claim.verdict
        scores[at] = np.nan if claim.score is None else claim.score
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


def _spread(values: Any, which: BoolArray, places: IntArray, size: int, silence: float = 0) -> Any:
    """[size], some of the values at their places."""
    column = np.full(size, silence, dtype=values.dtype)
    column[places[which]] = values[which]
    return column


def paid_once(observations: Rows) -> IntArray:
    """Rows of observations that cost tokens, each once: equal subject, source, version and evidence are one."""
    rows = np.flatnonzero(observations.ints("cost_tokens"))
    paid = observations.take(rows)
    scope = paid.problem
    for name in ("subject", "source", "source_version", "evidence"):
        (scope,) = numbers_of([(paid.column(name), scope)])
    return rows[firsts(scope)]
