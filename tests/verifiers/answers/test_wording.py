"""Multiple choice and free text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from steplabel.schemas import AnswerType, GoldAnswer, Outcome
from steplabel.verifiers import AnswerChecker
from steplabel.verifiers.answers.wording import compare_choices, compare_texts, fold

CORRECT, WRONG, UNKNOWN = Outcome.CORRECT, Outcome.WRONG, Outcome.UNKNOWN

CHOICES = [
    ("B", "B", CORRECT),
    ("B", "(B)", CORRECT),
    ("B", "[b]", CORRECT),
    ("B", "b.", CORRECT),
    ("(B)", "B)", CORRECT),
    ("B", "option B", CORRECT),
    ("B", "Choice (B)", CORRECT),
    ("B", r"\text{(B)}", CORRECT),
    ("B", r"\textbf{(B) } 12", CORRECT),
    ("B", "B) Paris", CORRECT),
    ("B", "B, since it is larger", CORRECT),
    ("B", "B because it is larger", CORRECT),
    ("B", "**B**", CORRECT),
    ("B", "A is wrong, so B", UNKNOWN),
    ("B", "A is not it", UNKNOWN),
    ("B", "B is the largest", CORRECT),
    ("B", "A", WRONG),
    ("B", "(C) Paris", WRONG),
    ("B", "A dog", UNKNOWN),
    ("B", "Paris", UNKNOWN),
    ("B", "I think so", UNKNOWN),
    ("B", "A or B", UNKNOWN),
    ("B", "A and C", WRONG),
    ("A, C", "C and A", CORRECT),
    ("A,C", "(A), (C)", CORRECT),
    ("A,C", "A", WRONG),
    ("A,C", "A, B, C", UNKNOWN),
    ("B) Paris", "Paris", CORRECT),
    ("B) Paris", "B", CORRECT),
    ("B) Paris", "(b) PARIS.", CORRECT),
    ("B) Paris", "C) London", WRONG),
    ("B) Paris", "London", UNKNOWN),
    ("Paris", "paris", CORRECT),
    ("Paris", "B) Paris", CORRECT),
    ("Paris", "B", UNKNOWN),
    ("B", "", UNKNOWN),
]
TEXTS = [
    ("Paris", "paris.", CORRECT),
    ("Paris", "  The   Paris ", CORRECT),
    ("New York", "new-york", UNKNOWN),
    ("New York", "NEW YORK!", CORRECT),
    ("don't know", "dont know", CORRECT),
    ("caf\u00e9", "cafe\u0301", CORRECT),
    ("Paris", "London", WRONG),
    ("Friday", r"\text{Monday}", WRONG),
    ("cat", "cats", UNKNOWN),
    ("colour", "color", UNKNOWN),
    ("Paris", "Paris, France", UNKNOWN),
    ("New York", "London", UNKNOWN),
    ("yes", "Yes.", CORRECT),
    ("yes", "no", WRONG),
    ("no", "Yes, it is", WRONG),
    ("yes", "Yes, it is", CORRECT),
    ("yes", "yes and no", UNKNOWN),
    ("yes", "yes or no?", UNKNOWN),
    ("yes", "No doubt, yes", UNKNOWN),
    ("no", "No, although he says yes", UNKNOWN),
    ("yes", "Yes, no one can", CORRECT),
    ("yes", "true", UNKNOWN),
    ("true", "False", WRONG),
    ("no", "nothing", UNKNOWN),
    ("listen", "silent", WRONG),
    ("dog bites man", "man bites dog", UNKNOWN),
    ("18 eggs", "18 eggs", CORRECT),
    ("...", "!!!", UNKNOWN),
]


@pytest.mark.parametrize(("gold", "answer", "outcome"), CHOICES, ids=[f"{g}~{a}" for g, a, _ in CHOICES])
def test_choices(gold: str, answer: str, outcome: Outcome) -> None:
    """Letters decide against letters and texts against texts; nothing else is sure."""
    assert compare_choices(gold, answer)[0] is outcome


@pytest.mark.parametrize(("gold", "answer", "outcome"), TEXTS, ids=[f"{g}~{a}" for g, a, _ in TEXTS])
def test_texts(gold: str, answer: str, outcome: Outcome) -> None:
    """Formatting is folded; only yes against no and one word against another are wrong."""
    assert compare_texts(gold, answer)[0] is outcome


@given(st.text(alphabet=st.characters(categories=["L", "N", "P", "Zs"]), max_size=40))
def test_fold_is_idempotent_and_case_blind(text: str) -> None:
    """Folding twice is folding once."""
    assert fold(fold(text)) == fold(text)


@given(st.from_regex(r"[A-Za-z]{1,12}( [A-Za-z]{1,12}){0,3}", fullmatch=True))
def test_a_text_is_itself_however_formatted(text: str) -> None:
    """No formatting of a text makes it wrong or unknown."""
    gold = GoldAnswer(text=text, type=AnswerType.TEXT)
    checker = AnswerChecker(use_worker=False)
    for written in (
        text.upper(),
        f"**{text}**",
        f'"{text}"',
        f"Answer: {text}.",
        rf"\boxed{{\text{{{text}}}}}",
    ):
        assert checker.check(written, gold).outcome is CORRECT, written


@given(st.sampled_from("ABCDEFGHIJ"), st.sampled_from("ABCDEFGHIJ"))
def test_letters_decide(gold: str, given_letter: str) -> None:
    """A letter is right if it is the gold letter, in every way to write one."""
    checker = AnswerChecker(use_worker=False)
    target = GoldAnswer(text=gold, type=AnswerType.CHOICE, chance=0.1)
    for form in (
        "{}",
        "({})",
        "The answer is ({}).",
        "Answer: {}",
        r"\boxed{{{}}}",
        r"\boxed{{\text{{{}}}}}",
        "{}) this",
    ):
        outcome = checker.check(form.format(given_letter), target).outcome
        assert outcome is (CORRECT if gold == given_letter else WRONG), form
