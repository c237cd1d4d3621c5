"""Equal rows get equal numbers: how keys of several tables are joined without making one string of them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from steplabel.schemas.batches import BoolArray, IntArray

KeyRows = NDArray[np.uint64]
"""[n, w]: keys as rows of integers, equal for equal keys (`schemas.arrow.key_words`)."""

# Odd constants of large order: the multipliers of xxHash (Collet) and splitmix64's increment.
_MULTIPLIERS = (0x9E3779B185EBCA87, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9, 0x85EBCA77C2B2AE63, 0x9E3779B97F4A7C15)


def numbered(parts: Sequence[tuple[KeyRows, IntArray]]) -> list[IntArray]:
    """Number the pairs of key and scope over all parts: two pairs have one number if and only if they are equal.

    Numbers run from 0 without gaps. Sorting 64-bit sums of the rows is ten times as fast as a hash table of
    strings; that equal sums are equal rows is checked, so that no answer rests on luck.

    Args:
        parts: keys [n, w] and scopes [n] each, with one w for all: a scope is the problem that a key belongs to.
    """
    rows = [np.column_stack([keys, scopes.astype(np.uint64)]) for keys, scopes in parts]
    everything = np.concatenate(rows)
    numbers = _by_sums(everything)
    if numbers is None:
        numbers = np.unique(everything, axis=0, return_inverse=True)[1].reshape(-1)
    return np.split(numbers, np.cumsum([len(part) for part in rows])[:-1])


def _by_sums(rows: KeyRows, multipliers: Sequence[int] = _MULTIPLIERS) -> IntArray | None:
    """Numbers by sorted sums; None if two different rows have one sum."""
    sums = np.zeros(len(rows), dtype=np.uint64)
    for column, multiplier in zip(rows.T, multipliers, strict=False):
        sums ^= column * np.uint64(multiplier)
        sums ^= sums >> np.uint64(29)
    order = np.argsort(sums)
    fresh = np.ones(len(rows), dtype=np.bool_)
    in_order = sums[order]
    fresh[1:] = in_order[1:] != in_order[:-1]
    again = np.flatnonzero(~fresh)
    if not np.array_equal(rows[order[again]], rows[order[again - 1]]):
        return None
    numbers = np.empty(len(rows), dtype=np.int64)
    numbers[order] = np.cumsum(fresh) - 1
    return numbers


def firsts(numbers: IntArray) -> BoolArray:
    """[n], whether a number stands here for the first time."""
    places = np.arange(len(numbers))
    first = np.empty(1 + int(numbers.max(initial=-1)), dtype=np.int64)
    first[numbers[::-1]] = places[::-1]  # of equal ones, what is assigned last stays
    return np.asarray(first[numbers] == places)


def run_heads(*columns: IntArray) -> BoolArray:
    """[n], where a run of rows that are equal in all columns begins."""
    heads = np.ones(len(columns[0]), dtype=np.bool_)
    heads[1:] = False
    for column in columns:
        heads[1:] |= column[1:] != column[:-1]
    return heads


def in_ranges(starts: IntArray, lengths: IntArray) -> IntArray:
    """The numbers starts[i], starts[i] + 1, ... (lengths[i] of them), one range after the other."""
    ends = np.cumsum(lengths)
    return np.arange(int(lengths.sum())) + np.repeat(starts - (ends - lengths), lengths)
