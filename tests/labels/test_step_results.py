"""What a step comes to, as a table."""

from __future__ import annotations

import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from steplabel.labels.step_results import MAY_NOT_BE_PLAIN, LastNumber, last_number, number_words, plain_text
from steplabel.schemas import Step

CASES = {
    "She has 48 + 24 = 72 clips.": "72",
    "= 12 apples for 3 people": "12",
    "So 3 people share 12 apples": "12",
    "x = y": None,
    "x = y, as 4 > 3": "4",
    "5 apples, so x = y": "5",
    "It costs $1,234.50.": "2469/2",
    "0.50": "1/2",
    "2/4": "1/2",
    r"\frac{6}{8}": "3/4",
    r"\boxed{\dfrac{1}{2}}": "1/2",
    "3/4.": "3/4",
    "x = -3": "-3",
    "10-7": "7",
    "half of it, 50%": "50%",
    r"50\%": "50%",
    "1/0": None,
    "Step 3: they all go home.": None,
    "## Step 12\nAll 7 go home.": "7",
    "He has 4 <<2*2=4>> and then some": "4",
    "Nothing <<2*2=4>>": None,
    "v1.2.3": None,
    "007": "7",
    "1,000,000": "1000000",
    "1,00": "1",
    "": None,
    "words only": None,
    "٣ apples": None,
    "7" * 41: None,
    "9" * 40: "9" * 40,
}


@pytest.mark.parametrize(("text", "result"), CASES.items())
def test_table(text, result):
    """Equal numbers, however they are written, are one word; where none is asserted there is none."""
    assert last_number(text) == result


@given(st.integers(-(10**12), 10**12))
def test_ways_to_write_a_number(n):
    """Commas, decimals and fractions do not change the result."""
    ways = (f"{n}", f"{n:,}", f"{n}.0", f"{n}/1", f"it is = {n:,}.00 in all")
    assert {last_number(way) for way in ways} == {str(n)}


@given(st.text(max_size=200))
def test_any_text_will_do(text):
    """No text breaks it, and the result never depends on trailing blanks."""
    assert last_number(text + "  \n") == last_number(text)


def test_hostile_text():
    """Long runs of digits, commas and signs are read in linear time and never made into a number."""
    for text in ("9" * 200_000, "1," * 100_000, "-" * 200_000, "<<" * 100_000, "=" * 200_000, "1/" * 100_000):
        assert last_number(text) in (None, "1")


def test_of_a_step():
    """The ready result reads the step's text."""
    assert LastNumber()(Step(text="so 2 + 2 = 4\n")) == "4"


@given(
    st.lists(st.sampled_from(["Step 3:", "\n", " ", "5", "<<2=2>>", "<", "\\frac{1}{2}", "frac{1}", "x"])).map("".join)
)
def test_what_is_not_plain_can_be_told(text):
    """A text without any of the signs is not changed."""
    if plain_text(text) != text:
        assert re.search(MAY_NOT_BE_PLAIN, text)


@pytest.mark.parametrize(
    ("text", "word", "first"),
    [
        pytest.param("so 2 + 2 = $4.50, or 5", "4.50,", True, id="the first behind the last sign"),
        pytest.param("4 = x", "4", False, id="none behind it: the text's last"),
        pytest.param("12 of -3/4é!", "-3/4é", False, id="a word is whole"),
        pytest.param("nothing", "", False, id="no digit"),
        pytest.param("", "", False, id="no text"),
    ],
)
def test_words_with_digits(text, word, first):
    """They are found between other texts as they are alone."""
    texts = [part.encode() for part in ("= 1", text, "2 =")]
    offsets = np.cumsum([0, *map(len, texts)])
    found = number_words(np.frombuffer(b"".join(texts), dtype=np.uint8), offsets)
    assert b"".join(texts)[found.starts[1] : found.ends[1]].decode() == word
    assert found.first.tolist() == [True, first, False]
