"""Does a text hold part of a test set? Find n-grams of words that it shares with test items.

Brown et al. 2020 (GPT-3), arXiv:2005.14165, appendix C: a text is suspect if it shares 13 words in a row with
a test item, without regard to case and punctuation (`texts.words`). An item of fewer words than that is
searched for as a whole, down to 8 words, their lower limit; a shorter one cannot be told from common phrases
and is not searched for, and the index says so.

Deviations. GPT-3 chooses n for each test set, at the 5th percentile of its lengths, between 8 and 13; here n
is one number and short items are searched for whole. It leaves out n-grams that occur in more than ten
training documents; here a phrase that many items share names them all, and how many n-grams an item shares
tells a phrase from a copy.

The index is built once and is all the state there is: texts may stream past it, in any order, in any process.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from steplabel.labels.curation.texts import gram, words
from steplabel.schemas import ConfigError

NGRAM_WORDS = 13
SHORTEST_WORDS = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldOutItem:
    """One item of a test set: what must not be in the data."""

    test_set: str
    id: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Contamination:
    """A test item of which a text holds a part.

    Attributes:
        shared: how many different n-grams of the item the text holds.
        share: of the item's different n-grams, in (0, 1]; 1 is a copy of the whole item.
        words: the first shared n-gram in the text, as it was compared.
    """

    test_set: str
    item_id: str
    shared: int
    share: float
    words: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NgramIndex:
    """Test items by their n-grams; `build_index` makes it.

    Attributes:
        n: words in an n-gram.
        items: test set and id of each item.
        totals: different n-grams of each item; 0 where it is too short to be searched for.
        places: by length of n-gram, by n-gram, the items that hold it.
    """

    n: int
    items: tuple[tuple[str, str], ...]
    totals: tuple[int, ...]
    places: Mapping[int, Mapping[int, tuple[int, ...]]]

    @property
    def not_searched(self) -> tuple[tuple[str, str], ...]:
        """Test set and id of the items that are too short."""
        return tuple(item for item, total in zip(self.items, self.totals, strict=True) if not total)


def build_index(items: Iterable[HeldOutItem], *, n: int = NGRAM_WORDS, shortest: int = SHORTEST_WORDS) -> NgramIndex:
    """Index test items, in any order.

    Args:
        items: texts to search for: problems, and reference solutions where those must not leak either.
        n: words in a row that make a text suspect.
        shortest: items of fewer words are not searched for.

    Raises:
        ConfigError: not 1 <= shortest <= n.
    """
    if not 1 <= shortest <= n:
        raise ConfigError(f"n={n!r} and shortest={shortest!r} need 1 <= shortest <= n")
    ordered = sorted(items, key=lambda item: (item.test_set, item.id, item.text))
    places: dict[int, dict[int, list[int]]] = {}
    totals = []
    for number, item in enumerate(ordered):
        found = words(item.text)
        length = min(n, len(found))
        distinct = dict.fromkeys(_windows(found, length)) if length >= shortest else {}
        totals.append(len(distinct))
        for key in distinct:
            places.setdefault(length, {}).setdefault(key, []).append(number)
    return NgramIndex(
        n=n,
        items=tuple((item.test_set, item.id) for item in ordered),
        totals=tuple(totals),
        places={length: {key: tuple(at) for key, at in table.items()} for length, table in sorted(places.items())},
    )


def find_contamination(text: str, index: NgramIndex) -> tuple[Contamination, ...]:
    """Test items of which the text holds an n-gram: the one of which it holds the largest share first."""
    found = words(text)
    shared: Counter[int] = Counter()
    first: dict[int, tuple[int, int]] = {}
    for length, table in index.places.items():
        for key, at in _first_places(found, length).items():
            for number in table.get(key, ()):
                shared[number] += 1
                first[number] = min(first.get(number, (at, length)), (at, length))
    hits = [_contamination(index, number, shared[number], found, first[number]) for number in shared]
    return tuple(sorted(hits, key=lambda hit: (-hit.share, -hit.shared, hit.test_set, hit.item_id)))


def _contamination(
    index: NgramIndex, number: int, shared: int, found: list[str], place: tuple[int, int]
) -> Contamination:
    test_set, item_id = index.items[number]
    start, length = place
    return Contamination(
        test_set=test_set,
        item_id=item_id,
        shared=shared,
        share=shared / index.totals[number],
        words=" ".join(found[start : start + length]),
    )


def _windows(found: list[str], length: int) -> Iterable[int]:
    return (gram(found[i : i + length]) for i in range(len(found) - length + 1))


def _first_places(found: list[str], length: int) -> dict[int, int]:
    """By n-gram, where it first stands in the text."""
    places: dict[int, int] = {}
    for at, key in enumerate(_windows(found, length)):
        places.setdefault(key, at)
    return places
