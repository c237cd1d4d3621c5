"""Exact and near duplicates among texts: solutions of one problem, or the problems themselves.

Near duplicates share at least `threshold` of their shingles (Jaccard similarity of the sets of `n` neighbouring
tokens): Lee et al. 2022, "Deduplicating Training Data Makes Language Models Better", arXiv:2107.06499, who
take words in fives and .8. Candidates come from MinHash and are compared exactly. Groups are what hangs
together: if a is near b and b near c, one group holds all three, whatever a and c have in common.

Deviations. Tokens are words and signs, so 2+3 and 2-3 differ. Lee et al. confirm a candidate by edit
distance of at least .8; here by the shingles themselves. A text shorter than `n` tokens is one shingle: it is
near to its equals alone.

Solutions of different problems may well be alike: call this once a problem for solutions (two dozen lines
that differ in one number are near, and differ in what matters: choose `threshold` 1 to remove equals only).
Costs some microseconds a token, 8 bytes a shingle and 1 KB a text, and for texts made from one template, which
are all candidates, the square of their number.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from steplabel.labels.curation.minhash import Grams, candidate_buckets, signature, similarity
from steplabel.labels.curation.texts import grams, squeezed, tokens
from steplabel.schemas import ConfigError

SHINGLE_TOKENS = 5
SIMILARITY = 0.8


@dataclass(frozen=True, slots=True, kw_only=True)
class DuplicateGroup:
    """Texts that say the same.

    Attributes:
        kept: id of the one to keep: the smallest.
        removed: ids of the others, sorted.
        exact: whether all are equal up to white space.
    """

    kept: str
    removed: tuple[str, ...]
    exact: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Duplicates:
    """What was found among some texts.

    Attributes:
        texts: how many were looked at.
        groups: of two or more, by their kept id.
    """

    texts: int
    groups: tuple[DuplicateGroup, ...]

    @property
    def removed(self) -> frozenset[str]:
        """Ids to leave out."""
        return frozenset(id_ for group in self.groups for id_ in group.removed)


def exact_duplicates(texts: Mapping[str, str]) -> Duplicates:
    """Texts that are equal up to white space, by id. The order of the mapping makes no difference."""
    return _found(texts, _equal_texts(texts))


def near_duplicates(texts: Mapping[str, str], *, threshold: float = SIMILARITY, n: int = SHINGLE_TOKENS) -> Duplicates:
    """Texts that are equal, or similar by their shingles, by id. The mapping's order makes no difference.

    Args:
        texts: by id.
        threshold: least Jaccard similarity, in (0, 1]; below .5 candidates are missed more and more often.
        n: tokens a shingle.

    Raises:
        ConfigError: `threshold` or `n` out of range.
    """
    if not 0.0 < threshold <= 1.0 or n < 1:
        raise ConfigError(f"threshold={threshold!r} must lie in (0, 1] and n={n!r} be at least 1")
    # Equal texts first: a thousand copies are one candidate, not half a million pairs.
    equal = _equal_texts(texts)
    shingles = [_shingles(texts[ids[0]], n) for ids in equal]
    parents = list(range(len(equal)))
    for bucket in candidate_buckets([signature(s) if len(s) else s for s in shingles]):
        _unite_similar(bucket, shingles, parents, threshold)
    groups: dict[int, list[str]] = {}
    for index, ids in enumerate(equal):
        groups.setdefault(_root(parents, index), []).extend(ids)
    return _found(texts, [sorted(ids) for ids in groups.values()])


def _equal_texts(texts: Mapping[str, str]) -> list[list[str]]:
    """Sorted ids of each distinct text, by their first id."""
    groups: dict[str, list[str]] = {}
    for id_ in sorted(texts):
        groups.setdefault(squeezed(texts[id_]), []).append(id_)
    return list(groups.values())


def _shingles(text: str, n: int) -> Grams:
    return np.unique(np.array(grams(tokens(text), n), dtype=np.uint64))


def _unite_similar(bucket: Sequence[int], shingles: Sequence[Grams], parents: list[int], threshold: float) -> None:
    for place, left in enumerate(bucket):
        for right in bucket[place + 1 :]:
            a, b = _root(parents, left), _root(parents, right)
            # Those that hang together already need no comparison; two empty texts are equal, found before.
            if a != b and len(shingles[left]) and similarity(shingles[left], shingles[right]) >= threshold:
                parents[max(a, b)] = min(a, b)


def _root(parents: list[int], index: int) -> int:
    while parents[index] != index:
        parents[index] = parents[parents[index]]
        index = parents[index]
    return index


def _found(texts: Mapping[str, str], groups: Sequence[list[str]]) -> Duplicates:
    several = sorted((ids for ids in groups if len(ids) > 1), key=lambda ids: ids[0])
    return Duplicates(texts=len(texts), groups=tuple(_group(texts, ids) for ids in several))


def _group(texts: Mapping[str, str], ids: Sequence[str]) -> DuplicateGroup:
    exact = len({squeezed(texts[id_]) for id_ in ids}) == 1
    return DuplicateGroup(kept=ids[0], removed=tuple(ids[1:]), exact=exact)
