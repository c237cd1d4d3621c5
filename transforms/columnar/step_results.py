"""What steps come to, and the states that follow from it (GiGPO's anchor states), in columns."""

from __future__ import annotations

from typing import Any

import numpy as np

from steplabel.labels.step_results import (
    MAY_NOT_BE_PLAIN,
    last_number,
    lowest_terms,
    number_in,
    number_words,
    plain_text,
)
from steplabel.schemas.batches import IntArray
from steplabel.schemas.columns import coded_words, field_of, matching, replaced, text_bytes, texts_of
from steplabel.transforms.columnar.evidence import EvidenceColumns
from steplabel.transforms.columnar.numbering import in_ranges
from steplabel.transforms.columnar.states import States


def states_by_number(evidence: EvidenceColumns, states: States) -> tuple[IntArray, int]:
    """[S], below a size: steps of one problem that come to one number end in one state, others in their prefix's."""
    codes, names = last_numbers(field_of(evidence.steps, "text"))
    stated = np.array([name is not None for name in names])[codes]
    grouped, which = np.unique(evidence.step_problem * len(names) + codes, return_inverse=True)
    return np.where(stated, states.size + which, states.steps), states.size + len(grouped)


def last_numbers(texts: Any) -> tuple[IntArray, list[str | None]]:
    """`last_number` of every text: codes [len(texts)] of distinct results, and these.

    Arrays find the word in which each number stands. Few words differ, and only these are read one by one; so are
    texts that are not plain, and those where a word with digits holds no number.
    """
    shortened = matching(texts, MAY_NOT_BE_PLAIN)
    plain = replaced(texts, shortened, [plain_text(text) for text in texts.filter(shortened).to_pylist()])
    data, offsets = text_bytes(plain)
    places = number_words(data, offsets)
    lengths = places.ends - places.starts
    words = texts_of(data[in_ranges(places.starts, lengths)], np.concatenate([[0], np.cumsum(lengths)]))
    codes, distinct = coded_words(words)
    pairs, which = np.unique(codes * 2 + places.first, return_inverse=True)
    read = [number_in(distinct[pair // 2].as_py(), first=bool(pair % 2)) for pair in pairs.tolist()]
    results: list[str | None] = [None if number is None else lowest_terms(number) for number in read]
    hopeless = np.array([number is None for number in read], dtype=np.bool_)[which] & (lengths > 0)
    rows = np.flatnonzero(hopeless)
    results += [last_number(text) for text in texts.take(rows).to_pylist()]
    which[rows] = len(read) + np.arange(len(rows))
    known = {result: code for code, result in enumerate(dict.fromkeys(results))}
    return np.array([known[result] for result in results], dtype=np.int64)[which], list(known)
