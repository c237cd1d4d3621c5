"""The states of a chunk's solutions as numbers, and which of them rollouts and observations speak of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from steplabel.schemas import Problem
from steplabel.schemas.arrow import from_table
from steplabel.schemas.batches import IntArray
from steplabel.schemas.columns import content_ids, key_words, lengths, strings
from steplabel.transforms.columnar.evidence import EvidenceColumns, numbers_of
from steplabel.transforms.columnar.numbering import firsts

ELSEWHERE = -1
"""In place of a state's number: a state that is none of the solutions'."""


@dataclass(frozen=True, slots=True, kw_only=True)
class States:
    """The distinct prefixes that steps end, one problem's after the other's.

    Attributes:
        steps: [S], the state that each step ends in, below `size`; the bare problem p is `size + p`.
        heads: [size], the first step that ends in each state.
    """

    steps: IntArray
    heads: IntArray

    @property
    def size(self) -> int:
        """How many there are."""
        return len(self.heads)


def number_states(evidence: EvidenceColumns) -> States:
    """Steps of one problem with equal keys end in one state."""
    (numbers,) = numbers_of([(evidence.node_keys, evidence.step_problem)])
    heads = np.flatnonzero(firsts(numbers))
    rank = np.empty(len(numbers), dtype=np.int64)
    rank[numbers[heads]] = np.arange(len(heads))
    return States(steps=rank[numbers], heads=heads)


def find(evidence: EvidenceColumns, states: States, keys: Any, problem: IntArray, *, probe: str = "") -> IntArray:
    """[len(keys)], the state or bare problem that each key of a problem means, or `ELSEWHERE`.

    With a probe the keys are not those of the states themselves, but of the question `probe` put behind each.
    """
    if not len(problem):
        return np.zeros(0, dtype=np.int64)
    theirs = evidence.node_keys.take(states.heads)
    if probe:
        theirs = content_ids("probe", theirs, probe)
    known, wanted = numbers_of([(theirs, evidence.step_problem[states.heads]), (keys, problem)])
    place = np.full(1 + max(int(known.max()), int(wanted.max())), ELSEWHERE)
    place[known] = np.arange(states.size)
    found = place[wanted]
    lost = np.flatnonzero(found == ELSEWHERE)
    is_root = _are_roots(evidence, keys.take(lost), problem[lost], probe)
    found[lost[is_root]] = states.size + problem[lost[is_root]]
    return found


def _are_roots(evidence: EvidenceColumns, keys: Any, problem: IntArray, probe: str) -> Any:
    """Whether keys are those of the bare problems. These are computed, so only where something unknown was found."""
    if not len(problem):
        return np.zeros(0, dtype=np.bool_)
    concerned, which = np.unique(problem, return_inverse=True)
    roots = _root_keys(evidence.problems.select(["id", "text", "messages", "tools"]).take(concerned))
    theirs, wanted = key_words([keys, content_ids("probe", roots, probe) if probe else roots])
    return (theirs == wanted[which]).all(axis=1)


def _root_keys(problems: Any) -> Any:
    """As `Problem.root_key` makes them. Most are asked as a text alone: only the others are made records."""
    keys = content_ids("root", problems.column("text"), (), ())
    more = np.flatnonzero(lengths(problems.column("messages")) + lengths(problems.column("tools")))
    if not len(more):
        return keys
    records = from_table(problems.take(more), Problem)
    known = dict(zip(more.tolist(), (record.root_key for record in records), strict=True))
    return strings([known.get(row, key) for row, key in enumerate(keys.to_pylist())])
