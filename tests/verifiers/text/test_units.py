"""Words behind numbers: which only name what is counted."""

from __future__ import annotations

import pytest

from steplabel.verifiers.text.units import only_names

NAMES = ["", "cm", "cups of flour", "units squared", "in", "miles per hour", "red and blue marbles"]
REACHING = ["remainder", "of", "times", "less", "R", "choose", "to", "or", "more than", "the", "if"]


@pytest.mark.parametrize(("text", "expected"), [*((w, True) for w in NAMES), *((w, False) for w in REACHING)])
def test_only_names(text: str, expected: bool) -> None:
    """A unit may have several words; one that reaches for the next number is none."""
    assert only_names(text) is expected
