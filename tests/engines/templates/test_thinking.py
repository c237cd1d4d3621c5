"""Models that think first: the thoughts stand in the prefix as they were thought, whatever templates do with them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from steplabel.engines import GenerateRequest, Prompt
from steplabel.engines.text.chat_template import ChatTemplate
from steplabel.schemas import ConfigError, ContentPart, Message, Role

Family = Callable[[str], Any]
Chat = Callable[..., GenerateRequest]
THOUGHT = "Let me think, hm...\n\nWait, that is wrong.\n</think>\n\nThe answer is 10."
MESSAGES = (Message(role=Role.USER, parts=(ContentPart(text="How many?"),)),)


def test_thoughts_are_opened_once(family: Family, chat: Chat) -> None:
    """Where the template opens the thoughts, the model's own words begin behind that: no second mark."""
    style = family("deepseek")
    rendered = style.codec.render(chat("How many?", prefix=THOUGHT))
    assert rendered.text.endswith(f"<think>\n{THOUGHT}")
    assert rendered.text.count("<think>") == 1
    mark = style.tokenizer.convert_tokens_to_ids("<think>")
    assert rendered.token_ids.count(mark) == 1


@pytest.mark.parametrize("name", ["deepseek", "qwen3"])
@pytest.mark.parametrize("cut", [5, 20, 40, 47, 50, len(THOUGHT)])
def test_no_thought_is_lost(family: Family, chat: Chat, name: str, cut: int) -> None:
    """These templates strip the thoughts of an assistant's turn: a prefix that went through them would lose its own."""
    style = family(name)
    prefix = f"<think>\n{THOUGHT}"[:cut] if name == "qwen3" else THOUGHT[:cut]
    request = chat("How many?", prefix=prefix)
    assert style.codec.render(request).text == style.codec.render(chat("How many?")).text + prefix
    assert style.codec.decode(style.behind(request)) == prefix


def test_templates_would_lose_it(family: Family) -> None:
    """Why the prefix does not go through the template."""
    turns = [{"role": "user", "content": "?"}, {"role": "assistant", "content": f"<think>\n{THOUGHT}"}]
    for name in ("deepseek", "qwen3"):
        assert "Wait" not in family(name).tokenizer.apply_chat_template(turns, tokenize=False)


@pytest.mark.parametrize("mark", ["<think>", "</think>"])
@pytest.mark.parametrize("name", ["deepseek", "qwen3"])
def test_marks_of_thought_are_tokens(family: Family, chat: Chat, name: str, mark: str) -> None:
    """A model writes them as one token each and shows them in its text: in a prefix they are that token again."""
    style = family(name)
    token = style.tokenizer.convert_tokens_to_ids(mark)
    assert style.codec.decode((token,)) == mark
    assert token in style.behind(chat("How many?", prefix=f"{mark}\n\nSo"))


def test_switch(family: Family) -> None:
    """True, False and unset: Qwen 3 thinks unless it is told not to, and is told by an empty thought."""
    template = ChatTemplate(family("qwen3").tokenizer)
    on, off, unset = (template.opening(MESSAGES, thinking=switch) for switch in (True, False, None))
    assert on == unset
    assert off == f"{on}<think>\n\n</think>\n\n"


@pytest.mark.parametrize("switch", [True, False])
def test_no_switch(family: Family, switch: bool) -> None:
    """A template without a switch cannot be told: an error, never a run that thinks it was."""
    with pytest.raises(ConfigError, match=rf"no switch for thinking \(prompt\.thinking={switch}\)"):
        ChatTemplate(family("chatml").tokenizer).opening(MESSAGES, thinking=switch)


@pytest.mark.parametrize("name", ["enable_thinking", "thinking"])
def test_either_name_of_the_switch(family: Family, name: str) -> None:
    """Qwen 3 calls it `enable_thinking`, DeepSeek 3.1 and Granite `thinking`."""

    class Tokenizer:
        chat_template = "{{ messages[0].content }}{% if " + name + " %}<think>{% endif %}"
        apply_chat_template = family("chatml").tokenizer.apply_chat_template

    assert ChatTemplate(Tokenizer()).opening(MESSAGES, thinking=True) == "How many?<think>"


# --- with port.py's Prompt.thinking and Prompt.data
@pytest.mark.parametrize(("switch", "ending"), [(True, "assistant\n"), (None, "assistant\n"), (False, "</think>\n\n")])
def test_prompt_says_whether_to_think(family: Family, switch: bool | None, ending: str) -> None:
    """The prompt carries the switch to the template."""
    request = GenerateRequest(prompt=Prompt(messages=MESSAGES, thinking=switch))
    assert family("qwen3").codec.render(request).text.endswith(ending)
