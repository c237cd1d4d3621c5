"""The states of a chunk's solutions as numbers, and which of them rollouts and observations speak of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from steplabel.schemas import Problem, probe_key
from steplabel.schemas.arrow import from_table
from steplabel.schemas.batches import IntArray
from steplabel.schemas.columns import coded_words, key_words, strings
from steplabel.transforms.columnar.evidence import EvidenceColumns, Rows, numbers_of
from steplabel.transforms.columnar.numbering import run_heads

ELSEWHERE = -1
"""In place of a state's number: a state that is none of the solutions'."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Located:
    """Numbers of states.

    Attributes:
        steps: [S], the state that each step ends in, below `size`; the bare problem p is `size + p`.
        found: for each group of subjects the state that each one is, or `ELSEWHERE`.
    """

    steps: IntArray
    size: int
    found: Sequence[IntArray]


def locate(evidence: EvidenceColumns, *subjects: tuple[Any, IntArray], probe: str = "") -> Located:
    """Number the states, and find them among subjects: columns of keys, and the problem of each.

    With a probe they are not the states themselves that are numbered and found, but the question `probe` put
    behind each.
    """
    keys = _probed(evidence, probe) if probe else evidence.node_keys
    steps, *numbers = numbers_of([(keys, evidence.step_problem), *subjects])
    size = 1 + max((int(part.max(initial=-1)) for part in (steps, *numbers)), default=-1)
    known = np.zeros(size, dtype=np.bool_)
    known[steps] = True
    found = [np.where(known[part], part, ELSEWHERE) for part in numbers]
    for (column, problem), places in zip(subjects, found, strict=True):
        _find_roots(evidence, column, problem, places, size, probe)
    return Located(steps=steps, size=size, found=found)


def rollout_heads(rollouts: Rows) -> tuple[Any, IntArray, IntArray]:
    """Rollouts of one prefix lie beside each other: the prefixes, their problems, and [R] which one each begins at."""
    codes, words = coded_words(rollouts.column("node_key"))
    heads = run_heads(rollouts.problem, codes)
    return words.take(codes[heads]), rollouts.problem[heads], np.cumsum(heads) - 1


def _find_roots(
    evidence: EvidenceColumns, column: Any, problem: IntArray, places: IntArray, size: int, probe: str
) -> None:
    """Fill in bare problems. Their keys are computed, so only those are that something unknown may speak of."""
    lost = np.flatnonzero(places == ELSEWHERE)
    if not len(lost):
        return
    concerned, which = np.unique(problem[lost], return_inverse=True)
    asked = evidence.problems.select(["id", "text", "messages", "tools"]).take(concerned)
    roots = [one.root_key for one in from_table(asked, Problem)]
    keys = strings([probe_key(root, probe) for root in roots] if probe else roots)
    theirs, wanted = key_words([column.take(lost), keys])
    is_root = (theirs == wanted[which]).all(axis=1)
    places[lost[is_root]] = size + problem[lost[is_root]]


def _probed(evidence: EvidenceColumns, probe: str) -> Any:
    codes, words = coded_words(evidence.node_keys)
    return strings([probe_key(key, probe) for key in words.to_pylist()]).take(codes)
