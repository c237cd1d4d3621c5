"""What a continuation reads: the prompt's tokens as they were, then the prefix, exactly, with nothing in between."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from steplabel.engines import GenerateRequest, Prompt
from steplabel.engines.text.codec import TextCodec
from steplabel.schemas import DataError

Chat = Callable[..., GenerateRequest]
FRAGMENTS = (
    *(
        "The answer",
        " The",
        "First",
        ", add",
        ".",
        ".\n",
        "\n",
        "\n\n",
        "\n\n\n",
        " ",
        "   ",
        "\t",
        "\r\n",
        "12",
        " 34",
    ),
    *("= 46", "\\boxed{46}", "Step 2:", "    return x", "é", " café", "≤", "𝄞", "漢字", "<think>", "</think>\n"),
    *("<|im_end|>", "</s>", "[/INST]", "assistant\n", "model\n", "'s", "x"),
)
# `▁` is how some of these tokenizers write a space: they cannot tell the two apart.
texts = st.one_of(
    st.lists(st.sampled_from(FRAGMENTS), min_size=1, max_size=12).map("".join),
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="▁"), min_size=1, max_size=12),
)
examples = settings(deadline=None, max_examples=80)


@examples
@given(prefix=texts)
def test_prefix_is_read_exactly(style: Any, chat: Chat, prefix: str) -> None:
    """The prompt keeps the tokens it had; the prefix's tokens read as the prefix, no space more or less."""
    request = chat("How many?", prefix=prefix)
    ids = style.behind(request)
    assert style.codec.decode(ids) == prefix
    opening = style.codec.render(chat("How many?"))
    assert style.spoken((*opening.token_ids, *ids)) == style.spoken(opening.token_ids) + prefix
    assert style.codec.render(request).text == opening.text + prefix
    assert not style.control_count(ids)


@examples
@given(prompt=texts, prefix=texts)
def test_plain_prompts_too(style: Any, prompt: str, prefix: str) -> None:
    """Wherever the border between prompt and prefix lies, within a word or a run of newlines."""
    request = GenerateRequest(prompt=Prompt(text=prompt), prefix=prefix)
    assert style.codec.decode(style.behind(request)) == prefix


@pytest.mark.parametrize(
    ("name", "prefix", "across"),
    [("chatml", "\n\nThe", "\n\n\n"), ("llama3", "\nThe", "\n\n\n"), ("gemma", "\n\nThe", "\n\n\n")],
)
def test_no_token_reaches_across_the_border(
    family: Callable[[str], Any], chat: Chat, name: str, prefix: str, across: str
) -> None:
    """The template ends with newlines and the model begins with some: as one text, they would be one token."""
    style = family(name)
    request = chat("How many?", prefix=prefix)
    rendered = style.codec.render(request)
    assert across in rendered.text
    as_one = style.tokenizer(rendered.text, add_special_tokens=False)["input_ids"]
    alone = style.codec.render(chat("How many?")).token_ids
    assert tuple(as_one[: len(alone)]) != alone
    assert rendered.token_ids[: len(alone)] == alone


@pytest.mark.parametrize("prefix", ["The answer", " The answer", "  The answer", "nswer", "dd"])
@pytest.mark.parametrize("name", ["llama2", "mistral"])
def test_a_tokenizer_that_adds_spaces(family: Callable[[str], Any], chat: Chat, name: str, prefix: str) -> None:
    """Tokenised apart, a fragment gets a space in front: here it has as many as it had."""
    style = family(name)
    pieces = style.tokenizer.convert_ids_to_tokens(style.behind(chat("How many?", prefix=prefix)))
    assert "".join(pieces).replace("▁", " ") == prefix


def test_template_would_continue_so_too(style: Any, chat: Chat) -> None:
    """Where a template can leave the last turn open, it gives what we give; where it trims the turn, it cannot."""
    prefix = "First, add.\n\nSo 12" if style.name != "llama2" else " First, add.\n\nSo 12"
    turns = [{"role": "user", "content": "How many?"}, {"role": "assistant", "content": prefix}]
    ours = style.codec.render(chat("How many?", prefix=prefix)).text
    options = {"tokenize": False, "continue_final_message": True, "date_string": "26 Jul 2024"}
    theirs = style.tokenizer.apply_chat_template(turns, **options)
    assert (ours == theirs) is style.continues


def test_lone_surrogates_are_refused(style: Any, chat: Chat) -> None:
    """In the prefix as in the prompt: no model reads them."""
    plain = GenerateRequest(prompt=Prompt(text="How \udfff many?"))
    for request in (chat("How many?", prefix="a\ud800"), plain):
        with pytest.raises(DataError, match="not Unicode"):
            style.codec.render(request)


@pytest.mark.parametrize("unit", ["a", " ", "\n", "So 12 + 34 = 46. ", "<|eot_id|>"])
def test_megabytes(family: Callable[[str], Any], unit: str) -> None:
    """What no model can hold is rendered all the same, for the engine to refuse; two of it are not remembered."""
    codec = family("llama3").codec
    text = unit * (500_000 // len(unit))
    rendered = codec.render(GenerateRequest(prompt=Prompt(text=text), prefix=text))
    assert rendered.text == text + text
    assert len(rendered.token_ids) > 10_000


def test_from_many_threads(style: Any, chat: Chat) -> None:
    """Rendering and decoding at once give what they give alone."""
    requests = [chat(f"{i} {style.controls[i % 2]}", prefix=f"So {i}.\n" * (i % 7)) for i in range(60)]
    alone = [TextCodec(style.tokenizer).render(request) for request in requests]
    fresh = TextCodec(style.tokenizer)

    def work(i: int) -> bool:
        at = i % len(requests)
        spoken = fresh.decode(fresh.render(requests[at]).token_ids)
        return fresh.render(requests[at]) == alone[at] and spoken.endswith(requests[at].prefix)

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(work, range(240)))
