"""Who stands behind solutions' numbers: the names in evidence, whatever else evidence holds."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from steplabel.labels.counting import completer_in
from steplabel.schemas.columns import strings
from steplabel.transforms.columnar.completers import named
from steplabel.transforms.columnar.states import ELSEWHERE

_TEXTS = [
    *("", "x", "completer", '{"completer":"m"}', '{"completer":"m","change":0.5}', '{"completer":""}'),
    *('{"compl\\u0065ter":"m"}', '{"completer":"z","completer":"m"}', '{"a":{"completer":"m"}}', '["completer"]'),
    *('{"completer":"m"', '{"completer":7}', '{"completer":"ä, b"}\n', '{"completer":"m"}{"completer":"z"}'),
    "[" * 5000 + '"completer"',
]


@settings(deadline=None)
@given(st.lists(st.sampled_from(_TEXTS) | st.text(max_size=5), max_size=6))
def test_names_are_read_as_from_records(texts: list[str]) -> None:
    """Texts that are no JSON, or say something else, name nobody."""
    assert read(texts) == [completer_in(text) for text in texts]


@pytest.mark.parametrize("text", _TEXTS)
def test_a_text_beside_others(text: str) -> None:
    """One that cannot be read changes nothing for those beside it."""
    assert read(['{"completer":"m"}', text, '{"completer":"z"}']) == ["m", completer_in(text), "z"]


def read(texts: Sequence[str]) -> list[str]:
    """The name in each text; empty where there is none."""
    codes, names = named(strings(texts))
    assert len(set(names)) == len(names)
    assert np.isin(codes, [ELSEWHERE, *range(len(names))]).all()
    return ["" if code == ELSEWHERE else names[code] for code in codes.tolist()]
