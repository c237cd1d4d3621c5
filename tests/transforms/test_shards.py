"""How many shards a chunk is cut into."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from steplabel.transforms.shards import shard_count


@pytest.mark.parametrize(
    ("problems", "workers", "budget", "shards"),
    [
        (1000, 1, None, 1),
        (1000, 4, None, 4),
        (1000, 1, 10_000, 100),
        (1000, 1, 999, 1000),
        (3, 4, 1, 4),
        (0, 2, 10, 2),
        (10, 2, 10**9, 2),
    ],
)
def test_shards(problems: int, workers: int, budget: int | None, shards: int) -> None:
    """One for each worker, more where a shard of problems at 1,000 tokens would exceed the budget."""
    assert shard_count(problems, workers=workers, tokens_each=1000, budget=budget) == shards


@given(
    problems=st.integers(1, 5000), workers=st.integers(1, 64), each=st.integers(1, 10**6), budget=st.integers(1, 10**9)
)
def test_a_shard_keeps_to_its_budget(problems: int, workers: int, each: int, budget: int) -> None:
    """No shard of equal shares costs more than the budget, unless it is a single problem."""
    shards = shard_count(problems, workers=workers, tokens_each=each, budget=budget)
    assert shards >= workers
    assert problems / shards * each <= budget or shards >= problems
