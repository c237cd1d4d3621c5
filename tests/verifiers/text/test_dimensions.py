"""Units that can be converted into one another."""

from __future__ import annotations

import pytest

from steplabel.verifiers.text.dimensions import names_two_units, without_rates

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


def test_without_rates() -> None:
    """Of a rate only what is counted is kept."""
    assert not names_two_units(without_rates("8 minutes/day + 3 minutes per hour"))
    assert names_two_units(without_rates("8 minutes + 3 hours"))
