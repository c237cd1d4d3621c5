"""Exact and near duplicates."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from steplabel.labels.curation import exact_duplicates, near_duplicates
from steplabel.labels.curation.minhash import candidate_buckets, signature, similarity
from steplabel.labels.curation.texts import grams, tokens
from steplabel.schemas import ConfigError

LINES = [f"In month {i} she earns {7 * i} coins and spends {3 * i} of them." for i in range(12)]
STORY = "\n".join(LINES)


def groups(found):
    return [(g.kept, *g.removed) for g in found.groups]


def test_exact_by_hand():
    """Equal up to white space; signs, case and numbers make another text."""
    texts = {"a": "2 + 3\n= 5", "b": " 2 + 3 = 5", "c": "2 - 3 = 5", "d": "x", "e": "X", "f": "x", "g": ""}
    found = exact_duplicates(texts)
    assert groups(found) == [("a", "b"), ("d", "f")]
    assert found.removed == {"b", "f"}
    assert found.texts == 7
    assert all(group.exact for group in found.groups)


def test_near_by_hand():
    """One line of twelve said otherwise is near; half of them is not."""
    changed = "\n".join([*LINES[:-1], "Nobody knows what happened then."])
    half = "\n".join([*LINES[:6], *(f"Then {i} ships sail to port number {i * i}, far away" for i in range(6))])
    found = near_duplicates({"one": STORY, "two": changed, "three": half, "four": STORY.upper()}, threshold=0.7)
    assert groups(found) == [("four", "one", "two")]
    assert not found.groups[0].exact


def test_groups_hang_together():
    """a is near b and b near c: one group, although a and c are not near."""
    a, b, c = "\n".join(LINES[:10]), "\n".join(LINES[1:11]), "\n".join(LINES[2:])
    sets = [np.unique(np.array(grams(tokens(t), 5), dtype=np.uint64)) for t in (a, b, c)]
    near, far = similarity(sets[0], sets[1]), similarity(sets[0], sets[2])
    assert far < 0.75 < near
    assert groups(near_duplicates({"a": a, "b": b, "c": c}, threshold=0.75)) == [("a", "b", "c")]
    assert groups(near_duplicates({"a": a, "c": c}, threshold=0.75)) == []


def test_threshold_1_finds_the_same_shingles():
    """At 1 only texts of the same shingles are near: case and white space apart, a sign is enough."""
    texts = {"a": "A b c d e f", "b": "a b\nC d e f", "c": "a b c d e - f", "d": "a b c d e + f"}
    assert groups(near_duplicates(texts, threshold=1.0)) == [("a", "b")]


@pytest.mark.parametrize("n", [1, 5, 50])
def test_short_texts(n):
    """Texts shorter than a shingle are near to their equals alone; blank ones are equal."""
    texts = {"a": "7", "b": "7 ", "c": "8", "d": "", "e": " \n", "f": "+"}
    assert groups(near_duplicates(texts, n=n)) == [("a", "b"), ("d", "e")]


def test_no_texts():
    """Nothing in, nothing out."""
    assert near_duplicates({}).groups == exact_duplicates({}).groups == ()


TEXTS = st.dictionaries(
    st.text("abc", min_size=1, max_size=3),
    st.lists(st.sampled_from(["a", "b", "+", " ", "\n", "c d e f"]), max_size=12).map("".join),
    max_size=8,
)


@settings(deadline=None)
@given(TEXTS, st.sampled_from([0.5, 0.8, 1.0]), st.randoms(use_true_random=False))
def test_order_changes_nothing(texts, threshold, random):
    """Groups, and which of a group is kept, belong to the texts and ids."""
    items = list(texts.items())
    random.shuffle(items)
    assert near_duplicates(dict(items), threshold=threshold) == near_duplicates(texts, threshold=threshold)


@settings(deadline=None)
@given(TEXTS, st.sampled_from([0.8, 1.0]))
def test_as_comparing_every_pair(texts, threshold):
    """The groups are those that hang together when every pair is compared, equal texts included."""
    ids = sorted(texts)
    sets = {i: np.unique(np.array(grams(tokens(texts[i]), 5), dtype=np.uint64)) for i in ids}
    part = {i: {i} for i in ids}
    for i in ids:
        for j in ids:
            if similarity(sets[i], sets[j]) >= threshold and part[i] is not part[j]:
                part[i] |= part[j]
                for k in part[j]:
                    part[k] = part[i]
    expected = sorted({tuple(sorted(found)) for found in part.values() if len(found) > 1})
    assert groups(near_duplicates(texts, threshold=threshold)) == expected


def test_many_copies_and_a_huge_text():
    """Three thousand copies are one candidate; a text of 200,000 tokens passes in bounded memory."""
    copies = {f"{i:04}": STORY + " " * i for i in range(3000)}
    (group,) = near_duplicates(copies).groups
    assert (len(group.removed), group.kept, group.exact) == (2999, "0000", True)
    huge = " ".join(str(i) for i in range(200_000))
    assert groups(near_duplicates({"a": huge, "b": huge + " 0", "c": "other"})) == [("a", "b")]


def test_signatures_estimate_similarity():
    """The share of equal signature values is near the Jaccard similarity: the hashes are random enough."""
    rng = np.random.default_rng(0)
    for shared in (20, 100, 180):
        members = np.unique(rng.integers(0, 2**64, size=400, dtype=np.uint64))
        left = np.sort(members[:200])
        right = np.sort(members[200 - shared : 400 - shared])
        equal = np.mean([np.mean(signature(left ^ k) == signature(right ^ k)) for k in np.arange(20, dtype=np.uint64)])
        assert equal == pytest.approx(similarity(left, right), abs=0.05)


def test_small_neighbouring_numbers_are_hashed_apart():
    """Sets of consecutive numbers share no signature values unless they share members."""
    left, right = np.arange(0, 100, dtype=np.uint64), np.arange(100, 200, dtype=np.uint64)
    assert np.mean(signature(left) == signature(right)) < 0.05


def test_buckets_by_hand():
    """Sets that agree in a whole band come together; those that do not, do not."""
    same, other = np.zeros(128, dtype=np.uint64), np.arange(1, 129, dtype=np.uint64)
    half = np.concatenate([same[:4], other[4:]])
    assert list(candidate_buckets([same, other])) == []
    found = list(candidate_buckets([same, other, half]))
    assert [0, 2] in found
    assert [1, 2] in found
    assert all(0 not in bucket or 1 not in bucket for bucket in found)


@pytest.mark.parametrize(("threshold", "n"), [(0.0, 5), (1.1, 5), (float("nan"), 5), (0.8, 0)])
def test_refused(threshold, n):
    """Thresholds and sizes out of range are refused, in numbers."""
    with pytest.raises(ConfigError, match="threshold="):
        near_duplicates({}, threshold=threshold, n=n)
