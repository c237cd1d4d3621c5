"""Traces that sort words letter by letter."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from steplabel.schemas import Observation, Problem, Verdict, make_solution
from steplabel.schemas.segmentation import GivenSteps
from steplabel.verifiers import Verifier, observe
from steplabel.verifiers.tasks.word_sorting import WordSorting

HOLDS, FAILS = Verdict.HOLDS, Verdict.FAILS
WORDS = "isle tar ion toe"
TRACE = (
    'I should start by looking at the first letter of the words in the list. The first letter: "isle": "i" (9). '
    '"tar": "t" (20). "ion": "i" (9). "toe": "t" (20).',
    'We now have: (9) ["isle" ? "ion"] < (20) ["tar" ? "toe"].',
    'Now let\'s sort this subpart ["isle" ? "ion"] by looking at their second letters. The second letter: "isle": "s" '
    '(19). "ion": "o" (15).',
    'We now have: (15) "ion" < (19) "isle" for the subpart. Hence, we have "ion" < "isle" < ["tar" ? "toe"].',
    'Now let\'s sort this subpart ["tar" ? "toe"] by looking at their second letters. The second letter: "tar": "a" '
    '(1). "toe": "o" (15).',
    'We now have: (1) "tar" < (15) "toe" for the subpart. Hence, we have "ion" < "isle" < "tar" < "toe".',
    "I have now sorted all the words. The answer is ion isle tar toe",
)


def observed(*steps: str, words: str = WORDS) -> list[Observation | None]:
    """What is said of each step; None for nothing."""
    problem = Problem(id="p", text=words)
    solution = make_solution(problem, GivenSteps(separator="\n").join(steps))
    said = {one.subject: one for one in observe(WordSorting(), problem, solution)}
    return [said.get(key) for key in solution.node_keys]


def verdicts(*steps: str, words: str = WORDS) -> list[Verdict | None]:
    return [one.verdict if one else None for one in observed(*steps, words=words)]


def changed(step: int, old: str, new: str) -> list[str]:
    """The right trace with one text in one step replaced."""
    assert old in TRACE[step]
    return [text.replace(old, new) if i == step else text for i, text in enumerate(TRACE)]


def test_a_right_trace_holds() -> None:
    """Every step is what is due after those before it."""
    assert verdicts(*TRACE) == [HOLDS] * len(TRACE)
    assert isinstance(WordSorting(), Verifier)


@pytest.mark.parametrize(
    ("step", "old", "new", "about"),
    [
        pytest.param(0, '"tar": "t" (20). ', "", "letters", id="a word left out"),
        pytest.param(0, '"i" (9). "tar"', '"i" (8). "tar"', "letters", id="another number"),
        pytest.param(1, '"isle" ? "ion"', '"isle"', "order", id="a word lost"),
        pytest.param(1, "(9)", "(8)", "order", id="a number that no word has"),
        pytest.param(2, "second", "third", "place", id="a letter left out"),
        pytest.param(2, '"ion": "o"', '"ion": "n"', "letters", id="another letter"),
        pytest.param(3, '(15) "ion" < (19) "isle"', '(15) "isle" < (19) "ion"', "order", id="the wrong way round"),
        pytest.param(3, '["tar" ? "toe"]', '"tar" < "toe"', "whole order", id="sorted without looking"),
        pytest.param(4, '["tar" ? "toe"]', '["isle" ? "ion"]', "subpart", id="sorted before"),
        pytest.param(6, "ion isle", "isle ion", "answer", id="another order in the answer"),
    ],
)
def test_mistakes(step: int, old: str, new: str, about: str) -> None:
    """The first failing step is the changed one, and says what is wrong with it."""
    said = observed(*changed(step, old, new))
    assert [one is not None and one.verdict is FAILS for one in said].index(True) == step
    assert said[step].reason == about  # type: ignore[union-attr]
    assert "due" in said[step].evidence  # type: ignore[union-attr]


def test_an_answer_before_all_is_sorted() -> None:
    """Even in the right order: nothing has shown it."""
    assert verdicts(*TRACE[:4], TRACE[6])[-1] is FAILS


def test_another_subpart_than_the_first() -> None:
    """The procedure sorts from the front, and goes on with what is not told apart yet."""
    assert verdicts(TRACE[0], TRACE[1], TRACE[4]) == [HOLDS, HOLDS, FAILS]


def test_numbers_may_be_left_out() -> None:
    """An order without them is held against its words alone."""
    assert verdicts(TRACE[0], 'We now have: ["isle" ? "ion"] < ["tar" ? "toe"].') == [HOLDS, HOLDS]


def test_signs_have_no_number_of_their_own() -> None:
    """Of an apostrophe the trace may say what it likes, if it goes by that."""
    first = 'The first letter: "isn\'t": "i" (9). "isle": "i" (9).'
    order = 'We now have: (9) ["isle" ? "isn\'t"].'
    assert verdicts(first, order, words="isn't isle") == [HOLDS, HOLDS]


@pytest.mark.parametrize(
    "text",
    [
        "Let me look at each letter: this takes a while.",
        "We now have: a good start.",
        "The answer is in the list.",
        "Words are easy.",
    ],
)
def test_other_words_are_no_claims(text: str) -> None:
    """What cannot be read is not wrong."""
    assert verdicts(text) == [None]


@pytest.mark.parametrize(
    "around", ["{}", 'The first letter: "{}": "a" (1).', "We now have: (1) [{}] < {}.", "The answer is {}"]
)
def test_hostile_texts(hostile: str, around: str) -> None:
    """None of them takes a second, wherever it stands."""
    text = around.replace("{}", "".join(c for c in hostile if c not in "\0\ud800") or "x")
    start = time.process_time()
    verdicts(*TRACE[:2], text, *TRACE[2:])
    assert time.process_time() - start < 1


def test_an_order_does_not_grow_by_itself() -> None:
    """A group that a trace repeats is put in its place once: many such steps cost what they say, not a power of it."""
    group = '["isle" ? "ion"]'
    looked = (
        f'Now let\'s sort this subpart {group} by looking at their second letters. The second letter: "isle": "s" (19).'
    )
    again = f"We now have: {' < '.join([group] * 300)} for the subpart."
    start = time.process_time()
    verdicts(*TRACE[:2], *[looked, again] * 12)
    assert time.process_time() - start < 5


@given(st.lists(st.sampled_from([*TRACE, TRACE[0][:70], TRACE[1][15:], "..."]), max_size=8))
def test_steps_in_any_order_do_not_raise(steps: list[str]) -> None:
    """A trace may begin anywhere and go back."""
    verdicts(*steps, "end")
