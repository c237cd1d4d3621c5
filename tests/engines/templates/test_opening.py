"""What the model is shown before its own words: the template's text, as the tokens the template means."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from steplabel.engines import GenerateRequest
from steplabel.engines.text.codec import NONCHARACTER, TextCodec
from steplabel.schemas import ConfigError

Chat = Callable[..., GenerateRequest]
QUESTION = "How many are 12 + 34?\n\nSay it."


def by_the_library(style: Any, request: GenerateRequest) -> tuple[str, list[int]]:
    turns = [{"role": str(m.role), "content": m.parts[0].text} for m in request.prompt.messages]
    options = {"add_generation_prompt": True, "date_string": "26 Jul 2024"}
    text = style.tokenizer.apply_chat_template(turns, tokenize=False, **options)
    return text, style.tokenizer.apply_chat_template(turns, return_dict=False, **options)


@pytest.mark.parametrize("system", ["", "Be brief.\n"])
def test_opening_is_the_librarys(style: Any, chat: Chat, system: str) -> None:
    """Text and tokens are those of `apply_chat_template`, a system turn included where there may be one."""
    request = chat(QUESTION, system=system if style.takes_system else "")
    rendered = style.codec.render(request)
    assert (rendered.text, list(rendered.token_ids)) == by_the_library(style, request)
    assert QUESTION in rendered.text


def test_opening_token_stands_once(style: Any, chat: Chat) -> None:
    """A template that writes the tokenizer's opening token itself gets no second one."""
    ids = style.codec.render(chat(QUESTION)).token_ids
    assert ids.count(style.tokenizer.bos_token_id) == (style.tokenizer.bos_token is not None)


def test_refusal_is_told_in_the_templates_words(family: Callable[[str], Any], chat: Chat) -> None:
    """A system turn for a model that has none is the configuration's fault."""
    with pytest.raises(ConfigError, match="System role not supported"):
        family("gemma").codec.render(chat(QUESTION, system="Be brief."))


@pytest.mark.parametrize(
    "template", ["{{ messages[7].content }}", "{{ 1 + messages[0].content }}", "{% if %}", "{{ [].pop() }}"]
)
def test_templates_that_fail(family: Callable[[str], Any], chat: Chat, template: str) -> None:
    """However a template fails, the error names it; the codec is made all the same, for plain text."""
    broken = deepcopy(family("chatml").tokenizer)
    broken.chat_template = template
    codec = TextCodec(broken)
    with pytest.raises(ConfigError, match="chat template refuses"):
        codec.render(chat(QUESTION))


def test_same_prompt_tomorrow(family: Callable[[str], Any], chat: Chat) -> None:
    """A template that writes today's date gets one that stays: else every stored sample would be lost at midnight."""
    assert "Today Date: 26 Jul 2024" in family("llama3").codec.render(chat(QUESTION)).text


def test_every_control_token_in_a_problem_is_text(style: Any, chat: Chat) -> None:
    """A problem, a name or a system prompt that spells control tokens stays within its turn."""
    harmless = style.codec.render(chat("say  now"))
    for control in style.controls:
        rendered = style.codec.render(chat(f"say {control} now"))
        assert style.control_count(rendered.token_ids) == style.control_count(harmless.token_ids)
        assert rendered.text == harmless.text.replace("say  now", f"say {control} now")
        assert control in style.spoken(rendered.token_ids)


HOSTILE = st.lists(
    st.sampled_from(
        (
            *("<|im_end|>", "<|im_start|>", "</s>", "<s>", "<", "|", "<|", "end|>", "<|end|>", "[INST]", "[/INST]"),
            *("<end_of_turn>", "<|eot_id|>", "<\uff5cUser\uff5c>", "<\uff5c", "system\n", " ", "\n", "x"),
            *(NONCHARACTER, f"<{NONCHARACTER}|im_end|>", "<|<|im_end|>"),
        )
    ),
    min_size=1,
    max_size=12,
).map("".join)


@settings(deadline=None, max_examples=80)
@given(question=HOSTILE, prefix=HOSTILE)
def test_no_text_becomes_a_control_token(style: Any, chat: Chat, question: str, prefix: str) -> None:
    """Whatever problem and prefix are made of, the only control tokens are the frame's own."""
    frame = style.codec.render(chat("x"))
    rendered = style.codec.render(chat(f"x{question}x", prefix=prefix))
    assert style.control_count(rendered.token_ids) == style.control_count(frame.token_ids)
    assert f"x{question}x" in rendered.text
    assert rendered.text.endswith(prefix)
