"""From a problem to what the model is shown, and what becomes of the blanks at a prefix's end."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from steplabel.engines import Prompt
from steplabel.schemas import ConfigError, ContentPart, Message, Problem, Role
from steplabel.transforms.prompts import PromptTemplate, hold_back_blanks, without_blanks


def turn(role: Role, text: str) -> Message:
    return Message(role=role, parts=(ContentPart(text=text),))


def test_plain_text_is_put_around_the_problem() -> None:
    """Braces of the problem are left alone, and the prompt says which of its words are the problem's."""
    prompt = PromptTemplate(text="Q {a}: {problem}\nA:").prompt(Problem(id="p", text="what is {problem}?"))
    assert prompt.text == "Q {a}: what is {problem}?\nA:"
    ((start, end),) = prompt.data
    assert prompt.text[start:end] == "what is {problem}?"


def test_chat_is_a_user_turn_behind_the_system_turn() -> None:
    """And says whether to think."""
    template = PromptTemplate(text="{problem} Think.", chat=True, system="Be brief.", thinking=False)
    assert template.prompt(Problem(id="p", text="2+2?")) == Prompt(
        messages=(turn(Role.SYSTEM, "Be brief."), turn(Role.USER, "2+2? Think.")), thinking=False
    )


@pytest.mark.parametrize("chat", [True, False])
def test_a_problem_of_messages_is_sent_as_it_is(chat: bool) -> None:
    """Whatever the template's words: only the system turn is put in front."""
    problem = Problem(
        id="p", text="", messages=(turn(Role.USER, "2+2?"), turn(Role.ASSISTANT, "4"), turn(Role.USER, "?"))
    )
    template = PromptTemplate(text="x {problem}", chat=chat, system="Be brief." if chat else "")
    front = (turn(Role.SYSTEM, "Be brief."),) if chat else ()
    assert template.prompt(problem) == Prompt(messages=(*front, *problem.messages))


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"text": "no place"}, "exactly once"),
        ({"text": "{problem} {problem}"}, "exactly once"),
        ({"system": "Be brief."}, r"prompt\.chat=true"),
        ({"thinking": True}, r"thinking=True needs a chat template: set prompt\.chat=true"),
        ({"thinking": False}, r"prompt\.chat=true"),
    ],
)
def test_templates_that_cannot_work(options: dict[str, object], says: str) -> None:
    """They are refused when they are written, with what to do."""
    with pytest.raises(ConfigError, match=says):
        PromptTemplate(**options)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("prefix", "sent"),
    [("One. ", "One."), ("One.\n", "One.\n"), ("One.\n\n  ", "One.\n\n"), ("One.\t \t", "One."), ("x", "x"), ("", "")],
)
def test_blanks_are_held_back(prefix: str, sent: str) -> None:
    """Spaces and tabs, which belong to the next token; line ends are tokens of their own."""
    assert hold_back_blanks(prefix) == (sent, prefix[len(sent) :])


@given(st.text(alphabet=" \t\nab", max_size=8), st.text(alphabet=" \t\nab", max_size=8))
def test_prefix_and_answer_read_on(prefix: str, answer: str) -> None:
    """A model that goes on as the prefix did writes the blanks itself: they stand once."""
    sent, blanks = hold_back_blanks(prefix)
    assert sent + blanks == prefix
    assert prefix + without_blanks(blanks, blanks + answer) == prefix + answer
    assert not answer.startswith(blanks) or prefix + without_blanks(blanks, answer) == sent + answer
