"""What columns of steps come to is what each step comes to by itself, whatever stands in it."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from steplabel.labels.step_results import last_number
from steplabel.schemas.columns import strings
from steplabel.transforms.columnar import step_results
from steplabel.transforms.columnar.step_results import last_numbers

_SCRAPS = [
    *("1", "23", "4,567", "8.50", "3/4", "1/0", "50%", r"\%", "-", "=", ",", ".", "/", " ", "\n", "$", "(", ")", "{"),
    *("x", "x2", "é", "٣", "\u2013", "v1.2.3", "Step 3:", "Step 3 -", "## Step 4", "Step", "<<2*3=6>>", "<<", ">>"),
    *(r"\frac{1}{2}", r"\dfrac{6}{4}", r"\frac{", "}", "\u2028", "\x00", "7" * 41),
]
TEXTS = st.lists(st.sampled_from(_SCRAPS), max_size=12).map("".join) | st.text(max_size=20)


@settings(deadline=None)
@given(st.lists(TEXTS, max_size=8))
@example(["Step 3 -5 apples", "<<1=2>>7", "10-7", "x2 = y", "3 = x2", "a = 1/0", "5 = ", "", "no number"])
def test_every_text_comes_to_what_it_comes_to_alone(texts: list[str]) -> None:
    """Numbers, words that only look like some, markers, marks, and what no kernel can tell."""
    assert read(texts) == [last_number(text) for text in texts]


def read(texts: Sequence[str]) -> list[str | None]:
    """The results, one a text."""
    codes, results = last_numbers(strings(texts))
    assert len(set(results)) == len(results)
    return [results[code] for code in codes.tolist()]


def test_a_part_of_a_longer_column() -> None:
    """Arrow slices share their bytes with the whole."""
    codes, results = last_numbers(strings(["a = 1", "b = 2", "c = 3"])[1:])
    assert [results[code] for code in codes.tolist()] == ["2", "3"]


def test_plain_texts_are_not_read_one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only those are that the arrays cannot decide: a word with a digit that holds no number."""
    asked: list[str] = []

    def counted(text: str) -> str | None:
        asked.append(text)
        return last_number(text)

    monkeypatch.setattr(step_results, "last_number", counted)
    texts = [f"so {a} + {b} = {a + b} apples\n" for a in range(10) for b in range(10)]
    assert read([*texts, "x2 or 7 or x3"]) == [*(last_number(text) for text in texts), "7"]
    assert asked == ["x2 or 7 or x3"]
