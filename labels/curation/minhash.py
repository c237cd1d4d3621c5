"""MinHash with banding: which pairs of many sets may be similar, without comparing them all.

Broder 1997: under a random hash function, the smallest values of two sets are equal with a probability that
is the sets' Jaccard similarity s. With b bands of r values each, a pair agrees in a whole band, and becomes a
candidate, with probability 1 - (1 - s^r)^b. Candidates are compared exactly by the caller, so chance can
cost recall but never a wrong pair: with 32 bands of 4, a pair at s = .8 is missed with probability 5e-8, at
s = .6 with .01.

Forty lines on numpy rather than a package: `labels/` imports numpy alone, the well-kept package for this
(datasketch) brings scipy, and its signatures are not what is slow.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Grams: TypeAlias = NDArray[np.uint64]
"""A set: sorted, without repeats."""

BANDS, ROWS = 32, 4
_SEED = 0x5EED
_BLOCK = 4096
"""Set members hashed at once: 4 MB, whatever the size of the set."""


def _parameters() -> tuple[Grams, Grams]:
    """Odd multipliers and offsets: the multiply-shift family (Dietzfelbinger et al. 1997)."""
    rng = np.random.default_rng(_SEED)
    drawn = rng.integers(0, 2**64, size=(2, BANDS * ROWS), dtype=np.uint64)
    return drawn[0] | np.uint64(1), drawn[1]


_MULTIPLIERS, _OFFSETS = _parameters()


def signature(members: Grams) -> Grams:
    """[BANDS * ROWS], the smallest hash of the set's members under each function; the set is not empty."""
    smallest = np.full(BANDS * ROWS, np.iinfo(np.uint64).max, dtype=np.uint64)
    for start in range(0, len(members), _BLOCK):
        block = members[start : start + _BLOCK, None]
        # The low bits of a product are weak, the high half is not; arithmetic is modulo 2**64.
        hashed = (block * _MULTIPLIERS + _OFFSETS) >> np.uint64(32)
        smallest = np.minimum(smallest, hashed.min(axis=0))
    return smallest


def similarity(left: Grams, right: Grams) -> float:
    """Jaccard similarity of two sets; of two empty ones 1."""
    shared = len(np.intersect1d(left, right, assume_unique=True))
    union = len(left) + len(right) - shared
    return shared / union if union else 1.0


def candidate_buckets(signatures: Sequence[Grams]) -> Iterator[list[int]]:
    """Yield the indices of sets that agree in one band, two or more, rising; a pair may come up again."""
    for band in range(BANDS):
        buckets: dict[bytes, list[int]] = {}
        for index, signed in enumerate(signatures):
            buckets.setdefault(signed[band * ROWS : (band + 1) * ROWS].tobytes(), []).append(index)
        yield from (bucket for bucket in buckets.values() if len(bucket) > 1)
