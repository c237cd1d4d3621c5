"""Units that can be converted into one another."""

from __future__ import annotations

import pytest

from steplabel.verifiers.text.dimensions import is_measured, names_two_units, without_rates

UNITS = {
    "$ and cents": ("$1/2 = 50 cents", True),
    "hours and minutes": ("2 hours = 120 minutes", True),
    "feet and inches": ("3 feet 12 inches", True),
    "hours and dollars": ("$7 for 2 hours", False),
    "dollars and $": ("$5 dollars", False),
    "apples and pears": ("5 apples 3 pears", False),
}


@pytest.mark.parametrize(("text", "two"), UNITS.values(), ids=UNITS.keys())
def test_two_units(text: str, two: bool) -> None:
    """Two units of one dimension ask for a conversion; other words do not."""
    assert names_two_units(text) is two


MEASURED = ["x = 50 cents", "x = 5 (hours)", "x = 3 m", "x = 4 square feet", "x = 2 gallons"]
UNMEASURED = ["x = 5 in all", "x = 5", "x = 3 apples", "x = 2 s"]


@pytest.mark.parametrize(("text", "expected"), [*((t, True) for t in MEASURED), *((t, False) for t in UNMEASURED)])
def test_measured(text: str, expected: bool) -> None:
    """A unit right behind the number; words that are more often something else are none."""
    number = next(place for place in range(len(text), 0, -1) if text[place - 1].isdigit())
    assert is_measured(text, number) is expected


def test_without_rates() -> None:
    """Of a rate only what is counted is kept."""
    assert not names_two_units(without_rates("8 minutes/day + 3 minutes per hour"))
    assert names_two_units(without_rates("8 minutes + 3 hours"))
