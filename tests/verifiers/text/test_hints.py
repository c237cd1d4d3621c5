"""Small texts that are looked for before a pattern is."""

from __future__ import annotations

from steplabel.verifiers.text.hints import holds_any


def test_holds_any() -> None:
    """One hint is enough, in any case of letters and inside a word."""
    assert holds_any("He KNOWS it", ["base", "no"])
    assert not holds_any("He sees it", ["base", "no"])
    assert not holds_any("", ["base"])
