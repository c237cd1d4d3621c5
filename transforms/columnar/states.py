"""The states of a chunk's solutions as numbers, and which of them rollouts and observations speak of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from steplabel.schemas import Problem, content_id
from steplabel.schemas.arrow import from_table
from steplabel.schemas.batches import IntArray
from steplabel.schemas.columns import key_words, lengths, strings
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


def locate(evidence: EvidenceColumns, asked: Sequence[tuple[Any, IntArray]]) -> tuple[States, list[IntArray]]:
    """Steps of one problem with equal keys end in one state: number these, and look for others' keys among them.

    Args:
        evidence: whose steps.
        asked: keys, Arrow strings, with the problem that each is of.

    Returns:
        The states, and for each of `asked` [len(keys)] a state, a bare problem, or `ELSEWHERE`.
    """
    steps, *wanted = numbers_of([(evidence.node_keys, evidence.step_problem), *asked])
    heads = np.flatnonzero(firsts(steps))
    place = np.full(1 + max(int(part.max(initial=-1)) for part in (steps, *wanted)), ELSEWHERE)
    place[steps[heads]] = np.arange(len(heads))
    states = States(steps=place[steps], heads=heads)
    return states, [
        _with_roots(evidence, states, place[numbers], keys, problem)
        for numbers, (keys, problem) in zip(wanted, asked, strict=True)
    ]


def _with_roots(evidence: EvidenceColumns, states: States, found: IntArray, keys: Any, problem: IntArray) -> IntArray:
    """The bare problems' keys are computed, so only where something unknown was found."""
    lost = np.flatnonzero(found == ELSEWHERE)
    is_root = _are_roots(evidence, keys.take(lost), problem[lost])
    found[lost[is_root]] = states.size + problem[lost[is_root]]
    return found


def _are_roots(evidence: EvidenceColumns, keys: Any, problem: IntArray) -> Any:
    """Whether keys are those of the bare problems."""
    if not len(problem):
        return np.zeros(0, dtype=np.bool_)
    concerned, which = np.unique(problem, return_inverse=True)
    roots = _root_keys(evidence.problems.select(["id", "text", "messages", "tools"]).take(concerned))
    theirs, wanted = key_words([keys, roots])
    return (theirs == wanted[which]).all(axis=1)


def _root_keys(problems: Any) -> Any:
    """As `Problem.root_key` makes them. Most are asked as a text alone: only the others are made records."""
    keys = [content_id("root", text, (), ()) for text in problems.column("text").to_pylist()]
    more = np.flatnonzero(lengths(problems.column("messages")) + lengths(problems.column("tools")))
    if not len(more):
        return strings(keys)
    records = from_table(problems.take(more), Problem)
    known = dict(zip(more.tolist(), (record.root_key for record in records), strict=True))
    return strings([known.get(row, key) for row, key in enumerate(keys)])
