"""What a step comes to, as a table."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from steplabel.labels.step_results import LastNumber, last_number
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
