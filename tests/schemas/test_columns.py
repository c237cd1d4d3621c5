"""Columns are what records would be, value by value."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from steplabel.schemas.columns import hold_any, replaced, strings, text_bytes, texts_of

TEXTS = st.lists(st.text(max_size=8))


@given(TEXTS, st.integers(0, 3))
def test_texts_and_their_bytes(texts: list[str], start: int) -> None:
    """There and back, of a slice as well."""
    data, offsets = text_bytes(strings(texts)[start:])
    assert bytes(data).decode() == "".join(texts[start:])
    assert texts_of(data, offsets).to_pylist() == texts[start:]


@given(st.lists(st.tuples(st.text(max_size=3), st.booleans())))
def test_some_texts_are_replaced(rows: list[tuple[str, bool]]) -> None:
    """The others stay."""
    texts, wanted = [text for text, _ in rows], np.array([flag for _, flag in rows], dtype=np.bool_)
    found = replaced(strings(texts), wanted, [f"new {text}" for text, flag in rows if flag])
    assert found.to_pylist() == [f"new {text}" if flag else text for text, flag in rows]


@given(TEXTS, st.text(min_size=1, max_size=3), st.integers(0, 2))
def test_what_a_text_holds_is_seen(texts: list[str], part: str, start: int) -> None:
    """Of a slice as well; only what two neighbours hold together may be seen besides."""
    seen = hold_any(strings(texts)[start:], [part.encode()])
    assert seen == (part in "".join(texts[start:]))
