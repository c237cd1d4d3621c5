"""What counts as the same text, and chance that belongs to a record."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from steplabel.labels.curation.draws import uniform
from steplabel.labels.curation.texts import gram, grams, squeezed, tokens, words


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("The Answer, is: 42!", ["the", "answer", "is", "42"]),
        ("x+1 = 2", ["x", "1", "2"]),
        ("\\frac{1}{2}", ["frac", "1", "2"]),
        ("\uff21\uff22 \ufb01ne", ["ab", "fine"]),
        ("Straße", ["strasse"]),
        ("  \n\t", []),
        ("+-*/", []),
    ],
)
def test_words_by_hand(text, said):
    """Case, punctuation and the width of letters make no difference to words."""
    assert words(text) == said


def test_tokens_keep_signs():
    """2+3 and 2-3 are different solutions with the same words."""
    assert tokens("2+3 = 5") == ["2", "+", "3", "=", "5"]
    assert tokens("2-3") != tokens("2+3")
    assert words("2-3") == words("2+3")


def test_squeezed():
    """White space is one space; nothing else changes."""
    assert squeezed("  a\n\n b\t+ C ") == "a b + C"


def test_grams_by_hand():
    """n neighbours each; a shorter sequence is one gram, an empty one has none."""
    assert grams(["a", "b", "c"], 2) == [gram(["a", "b"]), gram(["b", "c"])]
    assert grams(["a", "b"], 5) == [gram(["a", "b"])]
    assert grams([], 5) == []
    assert gram(["ab", "c"]) != gram(["a", "bc"])


def test_grams_are_the_same_everywhere():
    """The number is pinned: an index made on one machine is read on another."""
    assert gram(["two", "words"]) == 14727076500890504880
    assert 0 <= gram(["\ud800"]) < 2**64


@settings(deadline=None)
@given(st.text())
def test_words_are_stable(text):
    """Words of words are those words."""
    assert words(" ".join(words(text))) == words(text)


@settings(deadline=None)
@given(st.integers(0, 2**62), st.text(max_size=5))
def test_draws_lie_between_0_and_1(seed, part):
    """A draw is a number in [0, 1] that is the same each time."""
    assert 0.0 <= uniform(seed, part) == uniform(seed, part) <= 1.0


def test_draws_are_spread():
    """Over many ids a tenth falls into each tenth; seed and every part matter."""
    drawn = [uniform(0, "s", i) for i in range(2000)]
    for tenth in range(10):
        assert sum(tenth / 10 <= d < (tenth + 1) / 10 for d in drawn) == pytest.approx(200, abs=60)
    assert len({uniform(0, "a"), uniform(1, "a"), uniform(0, "b"), uniform(0, "a", 0)}) == 4
