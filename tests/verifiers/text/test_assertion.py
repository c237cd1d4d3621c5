"""Words that keep what stands among them from being asserted, in plain sentences and among formulas."""

from __future__ import annotations

from types import ModuleType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from steplabel.verifiers.arithmetic import context as plain
from steplabel.verifiers.latex import context as formulas
from steplabel.verifiers.text.assertion import doubting, is_denied

NOT_ASSERTED = {
    "supposed": "Suppose |5+5=11|.",
    "guessed": "My guess is |5+5=11|.",
    "false": "It is false: |5+5=11|",
    "wrong behind": "|5+5=11| is wrong.",
    "asked": "Is |5+5=11|?",
    "rejected in the next sentence": "We get |5+5=11|. No.",
    "rejected by a remark": "We get |5+5=11|. This is impossible.",
    "a contradiction in the next sentence": "We get |5+5=11|. So we have a contradiction.",
    "not possible": "We get |5+5=11|. This is not possible.",
    "cannot be": "We get |5+5=11|. But this cannot be.",
    "crossed": "|5+5=11| \u2717",
    "estimated before": "That is about |31*3=90|",
    "estimated behind": "|31*3=90| approximately",
    "rounded behind": "|31*3=90| (rounded to the nearest ten)",
    "said in the Chinese of mistakes": "|5+5=11| \u662f\u9519\u8bef\u7684",
    "supposed in Chinese": "\u5047\u8bbe |5+5=11|",
    "tempting": "It is tempting to write |5+5=11|.",
    "somebody's claim": "Jack claims that |5+5=11|.",
    "according to somebody": "According to Anna |5+5=11|",
    "what one might think": "One might think that |5+5=11|.",
    "written before": "I first wrote |5+5=11|",
    "otherwise": "k is not 2, for otherwise |5+5=11|.",
    "instead of": "Instead of |5+5=11| we take 10.",
    "struck out": "~~|5+5=11|~~ 10",
    "rejected case": "|5+5=11|, so we reject this case.",
    "ruled out": "|5+5=11|, which rules that out.",
    "extraneous": "|5+5=11| (extraneous)",
    "no solution": "|5+5=11| so there are no solutions.",
    "no": "|5+5=11| (no)",
    "a false mark": "|5+5=11| (F)",
    "too large": "|5+5=11|. Too large.",
    "corrected at once": "|5+5=11|. Wait, 5+5=10.",
    "actually": "|5+5=11|, actually 10",
    "should be": "|5+5=11| (should be 10)",
    "contradiction alone": "|5+5=11|. Contradiction.",
    "an assumption refuted": "|5+5=11|. So our assumption is false.",
    "nothing of the kind": "|5+5=11|. Hence no such number exists.",
    "unequal in the next sentence": "|5+5=11|. But $10 \\ne 11$.",
    "behind i.e.": "It is false that 0=1, i.e. |5+5=11|",
}
ASSERTED = {
    "plainly": "We have |5+5=11| as wanted.",
    "a denial a sentence before": "That was wrong. Now |5+5=11|.",
    "a denial two sentences behind": "Now |5+5=11|. He eats one. That is wrong.",
    "another's error in the next sentence": "Now |5+5=11|. The wrong ones are thrown away.",
    "about something else": "He thinks about eggs and |5+5=11|",
    "a round table": "Around the table, there are |5+5=11| people",
    "a next sentence about it that denies nothing": "Now |5+5=11|. This is what he has.",
    "nobody": "|5+5=11|, nobody else came",
    "first": "First we compute |5+5=11|.",
    "waiting": "Initially |5+5=11| people wait there.",
    "not equal before": "Now 2 is not equal to 3. |5+5=11|",
    "something else is rejected": "|5+5=11|. He goes on. Some are rejected.",
}


def parted(text: str) -> tuple[str, int, int]:
    start, end = text.index("|"), text.rindex("|") - 1
    return text.replace("|", ""), start, end


@pytest.mark.parametrize("context", [plain, formulas], ids=["plain", "formulas"])
@pytest.mark.parametrize("text", NOT_ASSERTED.values(), ids=NOT_ASSERTED)
def test_not_asserted(text: str, context: ModuleType) -> None:
    """What is said to be tried, estimated, denied or asked is not asserted, in any kind of text."""
    assert not context.is_asserted(*parted(text))


@pytest.mark.parametrize("context", [plain, formulas], ids=["plain", "formulas"])
@pytest.mark.parametrize("text", ASSERTED.values(), ids=ASSERTED)
def test_asserted(text: str, context: ModuleType) -> None:
    """The same words in other sentences, or about other things, keep nothing back."""
    assert context.is_asserted(*parted(text))


def test_a_row_of_a_table_that_says_no() -> None:
    """A mark stands behind bars and blanks."""
    assert not plain.is_asserted("| 2 | 5+5=11 | no |", 6, 11)


def test_each_kind_of_text_has_words_of_its_own() -> None:
    """A plain "not" speaks of formulas, and in plain text of what it stands before."""
    text, start, end = parted("The apples that are not red are |10-4=7|")
    assert plain.is_asserted(text, start, end)
    assert not formulas.is_asserted(text, start, end)


WORDS = """
    if not now wrong This is 5+5=11 . ? no about said but need wait wait, too low rejected (F) actually \u2260 since
    should be or otherwise i thought ruled out isn't = ~~ tempting claims else sorry
"""
TEXTS = st.lists(st.sampled_from(["\n", "let me redo", *WORDS.split()]), max_size=20).map(" ".join)


@given(TEXTS, st.integers(0, 60), st.integers(0, 20))
def test_hints_miss_nothing(text: str, start: int, length: int) -> None:
    """Where no word of doubt may stand, everything is asserted."""
    if not plain.may_be_denied(text):
        assert plain.is_asserted(text, start, start + length)


DENIED = {
    "not both": ("It is not true that both |x=1| and y=2.", True),
    "asked": ("Is |x=1| possible?", True),
    "denied behind": ("|x=1| cannot be.", True),
    "instead": ("We take |x=1| instead.", True),
    "the sentence before": ("That was not so. |x=1|", False),
    "the line behind": ("|x=1|\nThis is not y.", False),
    "plain": ("Now |x=1| holds.", False),
}


@pytest.mark.parametrize(("text", "expected"), DENIED.values(), ids=DENIED)
def test_what_is_denied_is_nothing_to_rest_on(text: str, expected: bool) -> None:
    """Any word of denial in its own sentence, on either side."""
    assert is_denied(*parted(text)) is expected


def test_further_words() -> None:
    """A verifier adds words of its own to the common ones."""
    mine = doubting(before=r"\bperhaps\b", behind=r"\bmaybe\b", stop=r"[.!?]", hints="perhaps maybe")
    assert not mine.is_asserted("perhaps 1=2", 8, 11)
    assert not mine.is_asserted("1=2 maybe", 0, 3)
    assert not mine.is_asserted("suppose 1=2", 8, 11)
    assert mine.is_asserted("surely 1=2", 7, 10)
    assert mine.may_doubt("Perhaps 1=2")
    assert not mine.may_doubt("1=2")
