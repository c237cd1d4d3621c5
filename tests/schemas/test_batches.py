"""Flat arrays keep to their offsets."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from steplabel.schemas import DataError
from steplabel.schemas.batches import EvidenceBatch


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
    [{"correct": np.zeros(2)}, {"outcome": np.zeros(3)}, {"verdicts": {"z3": np.zeros(4)}}],
    ids=["steps", "solutions", "verdicts"],
)
def test_lengths_must_agree(changes: dict[str, Any]) -> None:
    """An array of another length would label other steps: it is refused with both counts."""
    with pytest.raises(DataError, match="2 solutions and 3 steps"):
        _batch([1, 2], **changes)
