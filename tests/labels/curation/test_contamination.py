"""N-grams shared with test items."""

from __future__ import annotations

import pickle

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from steplabel.labels.curation import HeldOutItem, build_index, find_contamination
from steplabel.schemas import ConfigError


def numbered(count, start=0):
    return " ".join(f"w{i}" for i in range(start, start + count))


def item(text, id_="1", test_set="math"):
    return HeldOutItem(test_set=test_set, id=id_, text=text)


def test_thirteen_words_in_a_row():
    """13 words of a test item are found, 12 are not; the report names the item and quotes the words."""
    index = build_index([item(numbered(20))])
    assert find_contamination(f"Say {numbered(12, 3)} now.", index) == ()
    (hit,) = find_contamination(f"Say {numbered(13, 3)} now.", index)
    assert (hit.test_set, hit.item_id, hit.shared, hit.share) == ("math", "1", 1, 1 / 8)
    assert hit.words == numbered(13, 3)
    (hit,) = find_contamination(numbered(20), index)
    assert (hit.shared, hit.share, hit.words) == (8, 1.0, numbered(13))


def test_case_and_punctuation_make_no_difference():
    """A copy in other dress is a copy."""
    text = "If Ann has five apples, and gives two of them to Bob: how many are left?"
    index = build_index([item(text)])
    assert len(find_contamination(text.upper().replace(",", " --"), index)) == 1
    assert find_contamination(text.replace("two", "three"), index) == ()


@pytest.mark.parametrize(("size", "searched"), [(7, False), (8, True), (12, True), (13, True)])
def test_short_items_are_searched_for_whole(size, searched):
    """Down to 8 words an item is searched for as a whole; a shorter one is named as not searched."""
    index = build_index([item(numbered(size))])
    assert index.not_searched == (() if searched else (("math", "1"),))
    assert len(find_contamination(f"x {numbered(size)} y", index)) == searched
    assert find_contamination(numbered(size - 1), index) == ()


def test_other_sizes():
    """n and the lower limit are the caller's."""
    index = build_index([item(numbered(6)), item(numbered(2, 50), "2")], n=3, shortest=2)
    assert [h.item_id for h in find_contamination(f"{numbered(3)} {numbered(2, 50)}", index)] == ["2", "1"]


def test_the_largest_share_comes_first():
    """Of several items the one that is held most comes first; equal ones go by name."""
    index = build_index(
        [
            item(numbered(13), "part", "b"),
            item(numbered(30), "whole", "a"),
            item(numbered(13), "part", "a"),
        ]
    )
    hits = find_contamination(numbered(20), index)
    assert [(h.test_set, h.item_id, h.shared) for h in hits] == [("a", "part", 1), ("b", "part", 1), ("a", "whole", 8)]


def test_repeats_count_once():
    """A phrase said twice, in item or text, is one n-gram."""
    text = f"{numbered(13)} x {numbered(13)}"
    (hit,) = find_contamination(text + " y " + text, build_index([item(text)]))
    assert hit.share == 1.0
    assert hit.shared == len({tuple(text.split()[i : i + 13]) for i in range(len(text.split()) - 12)})


def test_empty_and_hostile():
    """No items, blank texts, signs alone, lone surrogates and a million characters are survived."""
    index = build_index([item(""), item("+ - *", "2"), item(numbered(13), "3")])
    assert index.not_searched == (("math", "1"), ("math", "2"))
    for text in ("", " \n", "+" * 1_000_000, "\ud800 " * 20, "a" * 1_000_000):
        assert find_contamination(text, index) == ()
    assert find_contamination(numbered(50), build_index([])) == ()
    (hit,) = find_contamination("x " * 100_000 + numbered(13), index)
    assert hit.item_id == "3"


ITEMS = st.lists(
    st.builds(
        item,
        st.lists(st.sampled_from("abc"), max_size=8).map(" ".join),
        st.sampled_from("123"),
        st.sampled_from(["m", "n"]),
    ),
    max_size=5,
)


@settings(deadline=None)
@given(ITEMS, st.lists(st.sampled_from("abc"), max_size=10), st.randoms(use_true_random=False))
def test_order_of_items_changes_nothing(items, said, random):
    """The index, and what is found, belong to the set of items."""
    shuffled = list(items)
    random.shuffle(shuffled)
    one, other = (build_index(found, n=4, shortest=2) for found in (items, shuffled))
    assert find_contamination(" ".join(said), one) == find_contamination(" ".join(said), other)
    assert one == other


@settings(deadline=None)
@given(ITEMS, st.lists(st.sampled_from("abc"), max_size=10))
def test_as_looking_for_each_item(items, said):
    """An item is found iff the text holds one of its n-grams, or all of it where it is short."""
    index = build_index(items, n=4, shortest=2)
    found = {(h.test_set, h.item_id) for h in find_contamination(" ".join(said), index)}
    expected = set()
    for it in items:
        words = it.text.split()
        size = min(4, len(words))
        windows = {tuple(words[i : i + size]) for i in range(len(words) - size + 1)} if size >= 2 else set()
        if windows & {tuple(said[i : i + size]) for i in range(len(said) - size + 1)}:
            expected.add((it.test_set, it.id))
    assert found == expected


def test_an_index_travels():
    """Built once, sent to every worker."""
    index = build_index([item(numbered(20))])
    copy = pickle.loads(pickle.dumps(index))
    assert copy == index
    assert find_contamination(numbered(15), copy) == find_contamination(numbered(15), index)


@pytest.mark.parametrize(("n", "shortest"), [(13, 14), (0, 0), (13, 0)])
def test_refused(n, shortest):
    """Sizes that cannot work are refused."""
    with pytest.raises(ConfigError, match=f"n={n} and shortest={shortest}"):
        build_index([], n=n, shortest=shortest)
