"""Equal pairs of key and scope have equal numbers, others have not: whatever the keys look like."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from steplabel.schemas.batches import IntArray
from steplabel.transforms.columnar import numbering
from steplabel.transforms.columnar.numbering import KeyRows, are_distinct, firsts, in_ranges, numbered, run_heads

PAIRS = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 2**64 - 1) | st.integers(0, 3), st.integers(0, 2)))


def part(pairs: Sequence[tuple[int, int, int]]) -> tuple[KeyRows, IntArray]:
    keys = np.array([[a, b] for a, b, _ in pairs], dtype=np.uint64).reshape(-1, 2)
    return keys, np.array([scope for _, _, scope in pairs], dtype=np.int64)


@settings(deadline=None)
@given(PAIRS, PAIRS)
def test_numbers_are_equal_where_pairs_are(left: list[tuple[int, int, int]], right: list[tuple[int, int, int]]) -> None:
    """Over both parts."""
    check(left, right)


def check(left: list[tuple[int, int, int]], right: list[tuple[int, int, int]]) -> None:
    """The two parts' numbers."""
    numbers = np.concatenate(numbered([part(left), part(right)])).tolist()
    pairs = [*left, *right]
    assert len(set(zip(numbers, pairs, strict=True))) == len(set(numbers)) == len(set(pairs))
    assert all(0 <= number < len(pairs) for number in numbers)


@pytest.mark.parametrize("broken", [("_OF_SCOPE",), ("_MULTIPLIERS",), ("_OF_SCOPE", "_MULTIPLIERS")], ids=str)
def test_equal_sums_of_different_pairs_are_found_out(monkeypatch: pytest.MonkeyPatch, broken: tuple[str, ...]) -> None:
    """Sums that say nothing about the scope, the key or either cost time, and change no number."""
    for name in broken:
        monkeypatch.setattr(numbering, name, np.zeros_like(getattr(numbering, name)))
    pairs = [(1, 2, 0), (1, 2, 1), (2, 1, 0), (1, 2, 0)]
    (numbers,) = numbered([part(pairs)])
    assert len(set(numbers.tolist())) == 3
    assert numbers[0] == numbers[3]


@settings(deadline=None)
@given(PAIRS, PAIRS)
def test_a_range_of_scopes_at_a_time(left: list[tuple[int, int, int]], right: list[tuple[int, int, int]]) -> None:
    """Parts in the order of their scopes are numbered piece by piece, and numbers are as equal as ever."""
    left, right = (sorted(part, key=lambda pair: pair[2]) for part in (left, right))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(numbering, "_BLOCK", 2)
        check(left, right)


def test_parts_keep_their_lengths() -> None:
    """Empty ones, too."""
    assert [len(n) for n in numbered([part([]), part([(1, 2, 3)]), part([])])] == [0, 1, 0]
    assert [len(n) for n in numbered([part([])])] == [0]


@given(st.lists(st.integers(0, 5)))
def test_the_first_of_each_number(numbers: list[int]) -> None:
    """As a walk from the left finds them."""
    walked = [number not in numbers[:i] for i, number in enumerate(numbers)]
    assert firsts(np.array(numbers, dtype=np.int64)).tolist() == walked
    assert are_distinct(np.array(numbers, dtype=np.int64)) == all(walked)


@given(st.lists(st.tuples(st.integers(0, 1), st.integers(0, 1))))
def test_runs_begin_where_a_row_differs_from_the_one_before(rows: list[tuple[int, int]]) -> None:
    """In any of its columns."""
    columns = np.array(rows, dtype=np.int64).reshape(-1, 2).T
    assert run_heads(*columns).tolist() == [i == 0 or rows[i - 1] != row for i, row in enumerate(rows)]


@given(st.lists(st.tuples(st.integers(0, 50), st.integers(0, 4))))
def test_ranges_follow_each_other(ranges: list[tuple[int, int]]) -> None:
    """Empty ones leave no trace."""
    starts, lengths = np.array(ranges, dtype=np.int64).reshape(-1, 2).T
    expected = [i for start, length in ranges for i in range(start, start + length)]
    assert in_ranges(starts, lengths).tolist() == expected
