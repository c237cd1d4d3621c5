"""Prompts to ids, ids to text, and where a stop cuts."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import processors
from transformers import PreTrainedTokenizerFast

from steplabel.engines import GenerateRequest, Prompt
from steplabel.engines.text.codec import REMEMBERED_CHARS, TextCodec, stop_position, stop_window
from steplabel.schemas import ConfigError, ContentPart, DataError, Message, PartKind, Role

TEMPLATE = (
    "{% for m in messages %}{% if m.role == 'tool' %}{{ raise_exception('no tools') }}{% endif %}"
    "<s>{{ m.role[0] }} {{ m.content }}\n{% endfor %}{% if add_generation_prompt %}a {% endif %}"
)


def chat(*turns: tuple[Role, str], prefix: str = "") -> GenerateRequest:
    messages = tuple(Message(role=role, parts=(ContentPart(text=text),)) for role, text in turns)
    return GenerateRequest(prompt=Prompt(messages=messages), prefix=prefix)


@pytest.fixture
def chatty(tokenizer: PreTrainedTokenizerFast) -> TextCodec:
    copy = deepcopy(tokenizer)
    copy.chat_template = TEMPLATE
    return TextCodec(copy)


def test_plain_text_gets_the_opening_token(tokenizer: PreTrainedTokenizerFast, ask: Callable[..., Any]) -> None:
    """Prompt and prefix in one text, with the tokenizer's own special tokens in front."""
    rendered = TextCodec(tokenizer).render(ask("ab", prefix="c"))
    assert rendered.text == "abc"
    assert rendered.token_ids == (1, *(tokenizer.convert_tokens_to_ids(c) for c in "abc"))


def test_closing_token_is_taken_off(tokenizer: PreTrainedTokenizerFast, ask: Callable[..., Any]) -> None:
    """A tokenizer that ends every text would have the model go on after the end."""
    closing = deepcopy(tokenizer)
    closing.backend_tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", special_tokens=[("<s>", 1), ("</s>", 2)]
    )
    for text in ("ab", "ab</s>"):
        assert TextCodec(closing).render(ask(text)) == TextCodec(tokenizer).render(ask(text))
    assert TextCodec(closing).render(ask("ab</s>")).token_ids[-1] == 2


def test_opening_token_is_not_put_twice(tokenizer: PreTrainedTokenizerFast, ask: Callable[..., Any]) -> None:
    """A plain prompt that writes the opening token itself gets no other."""
    assert TextCodec(tokenizer).render(ask("<s>ab")).token_ids == TextCodec(tokenizer).render(ask("ab")).token_ids


def test_control_tokens_in_a_plain_prompt(tokenizer: PreTrainedTokenizerFast) -> None:
    """The prompt's own words may hold control tokens; the problem between them may not, nor the model's answer."""
    text, problem = "q</s>{problem}</s>a", "<s>12</s>+3"
    start = text.index("{")
    request = GenerateRequest(
        prompt=Prompt(text=text.replace("{problem}", problem), data=((start, start + len(problem)),)),
        prefix="4</s>",
    )
    ids = TextCodec(tokenizer).render(request).token_ids
    assert [place for place, id_ in enumerate(ids) if id_ < 3] == [0, 2, 14]


def test_messages_go_through_the_template(chatty: TextCodec) -> None:
    """The template's text, the assistant's opening, the prefix; no second opening token."""
    rendered = chatty.render(chat((Role.SYSTEM, "be"), (Role.USER, "hi"), prefix="yes"))
    assert rendered.text == "<s>s be\n<s>u hi\na yes"
    assert rendered.token_ids[0] == 1
    assert rendered.token_ids[1] != 1


@pytest.mark.parametrize(
    ("request_", "says"),
    [
        (chat((Role.TOOL, "x")), "no tools"),
        (
            GenerateRequest(
                prompt=Prompt(
                    messages=(
                        Message(
                            role=Role.USER,
                            parts=(ContentPart(kind=PartKind.IMAGE, sha256="0" * 64),),
                        ),
                    )
                )
            ),
            "image",
        ),
    ],
    ids=["template refuses", "image"],
)
def test_messages_that_cannot_be_read(chatty: TextCodec, request_: GenerateRequest, says: str) -> None:
    """They are the configuration's fault."""
    with pytest.raises(ConfigError, match=says):
        chatty.render(request_)


def test_text_that_no_model_reads(tokenizer: PreTrainedTokenizerFast, ask: Callable[..., Any]) -> None:
    """A lone surrogate is the data's fault, and said before the tokenizer trips over it."""
    with pytest.raises(DataError, match="not Unicode"):
        TextCodec(tokenizer).render(ask("a", prefix="\ud800"))


def test_no_template(tokenizer: PreTrainedTokenizerFast) -> None:
    """A base model cannot be sent messages, and the message says what to do."""
    with pytest.raises(ConfigError, match=r"prompt\.chat=false.*chat_template\.jinja"):
        TextCodec(tokenizer).render(chat((Role.USER, "hi")))


@pytest.mark.parametrize(
    ("text", "stops", "without", "included"),
    [
        ("one\ntwo", ("\n",), 3, 4),
        ("a--b==c", ("==", "--"), 1, 3),
        ("aXYb", ("XY", "X"), 1, 2),
        ("nothing", ("\n",), None, None),
        ("nothing", (), None, None),
        ("\nx", ("\n",), 0, 1),
    ],
    ids=["one", "earliest", "shortest of two at one place", "none", "no stops", "at once"],
)
def test_stop_position(text: str, stops: tuple[str, ...], without: int | None, included: int | None) -> None:
    """The earliest stop cuts, before it or behind it."""
    assert stop_position(text, stops, include=False) == without
    assert stop_position(text, stops, include=True) == included


@given(st.text(max_size=30), st.lists(st.text(min_size=1, max_size=4), max_size=4))
def test_nothing_before_the_cut_holds_a_stop(text: str, stops: list[str]) -> None:
    """What remains ends before any stop ends."""
    at = stop_position(text, stops, include=False)
    kept = text if at is None else text[:at]
    assert not any(stop in kept for stop in stops)


def test_stop_window_sees_bytes() -> None:
    """A stop of n characters may take 4n tokens of one byte each."""
    assert stop_window(("é", "abc")) >= 12


def test_equal_requests_are_rendered_once(tokenizer: PreTrainedTokenizerFast, ask: Callable[..., Any]) -> None:
    """The store and the engine behind it ask for the same rendering: it is the same object, unless it is huge."""
    codec = TextCodec(tokenizer)
    assert codec.render(ask("ab", prefix="c")) is codec.render(ask("ab", prefix="c", n=3))
    huge = "a" * (REMEMBERED_CHARS + 1)
    assert codec.render(ask(huge)) == codec.render(ask(huge))
    assert codec.render(ask(huge)) is not codec.render(ask(huge))
