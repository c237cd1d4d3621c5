"""Gold answers that nothing could ever equal are found before a rollout is spent on them."""

from __future__ import annotations

import pytest

from steplabel.schemas import AnswerType, GoldAnswer
from steplabel.verifiers import unreadable_gold


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("72", "number"),
        ("-3.5", "number"),
        ("1,000", "number"),
        ("$12", "number"),
        ("50%", "number"),
        ("3/4", "number"),
        (r"\frac{\pi}{2}", "number"),
        ("12 apples", "number"),
        (r"\pi", "number"),
        ("x^2+1", "expression"),
        (r"(3, \frac{\pi}{2})", "expression"),
        ("x", "expression"),
        ("Paris", "text"),
        ("B", "choice"),
        ("", "unit_tests"),
    ],
)
def test_readable(text: str, kind: str) -> None:
    """Ordinary golds pass."""
    assert unreadable_gold(GoldAnswer(text=text, type=AnswerType(kind))) == ""


@pytest.mark.parametrize("text", ["four", "no idea", "n/a", "?", "--", "\u202e12", "(" * 5000])
def test_unreadable(text: str) -> None:
    """A number that is none is refused, with the text in the message."""
    assert text[:2] in unreadable_gold(GoldAnswer(text=text, type=AnswerType.NUMBER)) or "\\u202e" in unreadable_gold(
        GoldAnswer(text=text, type=AnswerType.NUMBER)
    )
