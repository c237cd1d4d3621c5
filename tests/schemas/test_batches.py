"""Flat arrays keep to their offsets."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from steplabel.schemas import DataError
from steplabel.schemas.batches import Counts, EvidenceBatch


def _batch(lengths: list[int], **changes: Any) -> EvidenceBatch:
    offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
    steps = np.zeros(int(offsets[-1]), dtype=np.int64)
    solutions = np.zeros(len(lengths), dtype=np.int64)
    plain: dict[str, Any] = {
        "offsets": offsets,
        "labelable": steps.astype(np.bool_),
        "correct": steps,
        "wrong": steps,
        "unknown": steps,
        "outcome": solutions,
        "tokens": solutions,
        "siblings_correct": solutions,
        "siblings_total": solutions,
    }
    return EvidenceBatch(**{**plain, **changes})


@given(st.lists(st.integers(0, 5), max_size=6))
def test_owner_and_position(lengths: list[int]) -> None:
    """Each step knows its solution and its place in it, also where solutions have no steps."""
    batch = _batch(lengths)
    assert (batch.solutions, batch.steps) == (len(lengths), sum(lengths))
    assert batch.owner.tolist() == [i for i, n in enumerate(lengths) for _ in range(n)]
    assert batch.position.tolist() == [j for n in lengths for j in range(n)]


@pytest.mark.parametrize(
    "changes",
    [
        {"correct": np.zeros(2)},
        {"outcome": np.zeros(3)},
        {"verdicts": {"z3": np.zeros(4)}},
        {"scores": {"mcts": np.zeros(2)}},
        {"root_scores": {"mcts": np.zeros(3)}},
    ],
    ids=["steps", "solutions", "verdicts", "scores", "root scores"],
)
def test_lengths_must_agree(changes: dict[str, Any]) -> None:
    """An array of another length would label other steps: it is refused with both counts."""
    with pytest.raises(DataError, match="2 solutions and 3 steps"):
        _batch([1, 2], **changes)


def _counts(n: int) -> Counts:
    return Counts(correct=np.full(n, 2), wrong=np.full(n, 1), unknown=np.full(n, 4), unanswered=np.full(n, 3))


@pytest.mark.parametrize("changes", [{"root": _counts(3)}, {"root_asked": np.zeros(1)}], ids=["root", "asked"])
def test_the_bare_problem_has_one_entry_a_solution(changes: dict[str, Any]) -> None:
    """Counts at the bare problem are per solution, not per step."""
    with pytest.raises(DataError, match="2 solutions and 3 steps"):
        _batch([1, 2], **changes)


def test_counts_agree_with_themselves() -> None:
    """Counts of different lengths are refused; the total leaves no rollout out and counts none twice."""
    assert _counts(2).total.tolist() == [7, 7]
    with pytest.raises(DataError, match=r"\[2, 2, 2, 1\]"):
        Counts(correct=np.zeros(2), wrong=np.zeros(2), unknown=np.zeros(2), unanswered=np.zeros(1))


def test_counts_at_steps_and_root() -> None:
    """Without reasons all unknown rollouts are unanswered; without counts at the root there are zeros."""
    batch = _batch([1, 2], unknown=np.array([5, 0, 1]))
    assert batch.at_steps.unanswered.tolist() == [5, 0, 1]
    assert _batch([1, 2], unknown=np.array([5, 0, 1]), unanswered=np.zeros(3)).at_steps.unanswered.tolist() == [0] * 3
    assert batch.at_root.total.tolist() == [0, 0]
    assert _batch([1, 2], root=_counts(2)).at_root.correct.tolist() == [2, 2]


def test_a_source_that_never_spoke_has_no_scores() -> None:
    """Its columns are NaN, which is not 0, and of the batch's lengths; one that spoke has its own."""
    batch = _batch([1, 2], scores={"mcts": np.array([0.5, np.nan, 0.0])}, root_scores={"igpo": np.array([1.0, 0.0])})
    np.testing.assert_array_equal(batch.scores_of("mcts"), [0.5, np.nan, 0.0])
    np.testing.assert_array_equal(batch.scores_of("igpo"), [np.nan] * 3)
    np.testing.assert_array_equal(batch.root_scores_of("igpo"), [1.0, 0.0])
    np.testing.assert_array_equal(batch.root_scores_of("mcts"), [np.nan] * 2)
