"""Equal rows get equal numbers: how keys of several tables are joined without making one string of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from steplabel.schemas.batches import BoolArray, IntArray

KeyRows = NDArray[np.uint64]
"""[n, w]: keys as rows of integers, equal for equal keys (`schemas.columns.key_words`)."""

# Odd constants of large order: the multipliers of xxHash (Collet), and splitmix64's increment for the scope.
_MULTIPLIERS = np.array(
    [0x9E3779B185EBCA87, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9, 0x85EBCA77C2B2AE63], dtype=np.uint64
)
_OF_SCOPE = np.uint64(0x9E3779B97F4A7C15)

_BLOCK = 2**15
"""Rows that are numbered at once, about: some arrays of this length fit into a core's second-level cache."""
_ROUNDS = 16
"""In each round about one in six of the rows that are left meet another's place: more are left only by design."""


def numbered(parts: Sequence[tuple[KeyRows, IntArray]]) -> list[IntArray]:
    """Number the pairs of key and scope over all parts: two pairs have one number if and only if they are equal.

    Numbers lie below the number of all rows, with gaps. Hashing 64-bit sums of the rows, all rows at once, takes a
    twentieth of the time of a hash table of strings; that equal sums are equal rows is checked, so that no answer
    rests on luck.

    Args:
        parts: keys [n, w] and scopes [n] each, with one w of at most 4 for all: a scope is the problem that a key
            belongs to.
    """
    if any((scopes[1:] < scopes[:-1]).any() for _, scopes in parts):
        return _numbered(parts)
    # Tables lie in the order of their problems: a range of scopes at a time stays in the processor's cache.
    blocks = 1 + sum(len(scopes) for _, scopes in parts) // _BLOCK
    edges = np.linspace(0, 1 + max(int(scopes.max(initial=0)) for _, scopes in parts), blocks + 1).astype(np.int64)
    cuts = [np.searchsorted(scopes, edges).tolist() for _, scopes in parts]
    found = [np.empty(len(scopes), dtype=np.int64) for _, scopes in parts]
    used = 0
    for i in range(blocks):
        ranges = [slice(cut[i], cut[i + 1]) for cut in cuts]
        pieces = _numbered([(keys[its], scopes[its]) for (keys, scopes), its in zip(parts, ranges, strict=True)])
        for numbers, its, piece in zip(found, ranges, pieces, strict=True):
            np.add(piece, used, out=numbers[its])
        used += sum(len(piece) for piece in pieces)
    return found


def _numbered(parts: Sequence[tuple[KeyRows, IntArray]]) -> list[IntArray]:
    keys = np.concatenate([keys for keys, _ in parts])
    scopes = np.concatenate([scopes for _, scopes in parts])
    sums = scopes.view(np.uint64) * _OF_SCOPE
    for word, multiplier in zip(keys.T, _MULTIPLIERS, strict=False):
        sums += word * multiplier
    numbers = _by_sums(sums)
    if numbers is None or not _are_equal(keys, scopes, numbers):
        rows = np.column_stack([keys, scopes.view(np.uint64)])
        numbers = np.unique(rows, axis=0, return_inverse=True)[1].reshape(-1)
    return np.split(numbers, np.cumsum([len(part) for part, _ in parts])[:-1])


def _by_sums(sums: NDArray[np.uint64]) -> IntArray | None:
    """For each sum a row with an equal one, the same for all of these; None if they meet too often.

    Every row writes itself to its sum's place in a table. Who stands there in the end gives its number to the rows
    with its sum; the others take part in the next round, with other places.
    """
    bits = (2 * len(sums)).bit_length()
    table = np.empty(1 << bits, dtype=np.int64)
    rows = numbers = np.arange(len(sums))
    left = mixed = sums
    for _ in range(_ROUNDS):
        places = (mixed >> np.uint64(64 - bits)).view(np.int64)
        table[places] = rows
        stands = table[places]
        same = sums[stands] == left
        if len(rows) == len(numbers):
            numbers = np.where(same, stands, rows)
        else:
            numbers[rows[same]] = stands[same]
        missed = np.flatnonzero(~same)
        if not len(missed):
            return numbers
        rows, left, mixed = rows[missed], left[missed], mixed[missed] * _OF_SCOPE
    return None


def _are_equal(keys: KeyRows, scopes: IntArray, numbers: IntArray) -> bool:
    """Whether every row equals the row that gave it its number."""
    return np.array_equal(scopes[numbers], scopes) and np.array_equal(keys.take(numbers, axis=0), keys)


def are_distinct(numbers: IntArray) -> bool:
    """Whether no number stands there twice."""
    seen = np.zeros(1 + int(numbers.max(initial=-1)), dtype=np.bool_)
    seen[numbers] = True
    return int(np.count_nonzero(seen)) == len(numbers)


def firsts(numbers: IntArray) -> BoolArray:
    """[n], whether a number stands here for the first time."""
    if are_distinct(numbers):
        return np.ones(len(numbers), dtype=np.bool_)
    places = np.arange(len(numbers))
    first = np.empty(1 + int(numbers.max(initial=-1)), dtype=np.int64)
    first[numbers[::-1]] = places[::-1]
    return np.asarray(first[numbers] == places)


def run_heads(*columns: NDArray[Any]) -> BoolArray:
    """[n], where a run of rows that are equal in all columns begins."""
    heads = np.ones(len(columns[0]), dtype=np.bool_)
    heads[1:] = False
    for column in columns:
        heads[1:] |= column[1:] != column[:-1]
    return heads


def in_ranges(starts: IntArray, lengths: IntArray) -> IntArray:
    """The numbers starts[i], starts[i] + 1, ... (lengths[i] of them), one range after the other."""
    ends = np.cumsum(lengths)
    return np.asarray(np.arange(int(lengths.sum())) + np.repeat(starts - (ends - lengths), lengths))
