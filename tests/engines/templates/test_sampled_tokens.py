"""A prefix whose tokens are known is sent with them, whatever the tokenizer would have made of its text."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from steplabel.engines import GenerateRequest, Prompt

Chat = Callable[..., GenerateRequest]
examples = settings(deadline=None, max_examples=80)
words = st.sampled_from(["The answer", " The", ". ", ".\n", "\n\n", "  ", "123", " 45", "café", "≤", "漢", "<think>"])


def apart(style: Any, text: str) -> tuple[int, ...]:
    return style.behind(GenerateRequest(prompt=Prompt(text="x"), prefix=text))


def as_sampled(style: Any) -> st.SearchStrategy[tuple[int, ...]]:
    """Ids as a model may sample them: each part is the tokenizer's own spelling, the whole mostly not."""
    parts = st.lists(st.one_of(words, words.map(lambda word: word[:2])), min_size=1, max_size=8)
    return parts.map(lambda texts: tuple(id_ for text in texts for id_ in apart(style, text)))


def broken(style: Any) -> st.SearchStrategy[tuple[int, ...]]:
    """Any ids: their bytes are hardly ever Unicode text."""
    plain = [id_ for id_ in range(len(style.tokenizer)) if id_ not in style.tokenizer.added_tokens_decoder]
    return st.lists(st.sampled_from(plain), min_size=1, max_size=16).map(tuple)


def lies_within(style: Any, ids: tuple[int, ...], prefix: str) -> int:
    """Most of the first ids that spell whole characters of the prefix, by trying all."""
    heads = [style.codec.decode(ids[:count]) for count in range(len(ids) + 1)]
    return max(n for n, head in enumerate(heads) if prefix.startswith(head) and not head.endswith("\ufffd"))


@examples
@given(data=st.data())
def test_cut_anywhere(style: Any, chat: Chat, data: st.DataObject) -> None:
    """Tokens that lie within the prefix stand as sampled; a token that its end cuts in two is spelt anew."""
    ids = data.draw(as_sampled(style))
    text = style.codec.decode(ids)
    cut = data.draw(st.integers(1, len(text)))
    sent = style.behind(chat("How many?", prefix=text[:cut], prefix_ids=ids))
    kept = lies_within(style, ids, text[:cut])
    assert sent[:kept] == ids[:kept]
    assert style.codec.decode(sent) == text[:cut]
    if style.codec.decode(ids[:kept]) == text[:cut]:
        assert sent == ids[:kept]


@pytest.mark.parametrize(
    ("cut", "kept", "anew"), [(3, 2, "."), (4, 2, ".\n"), (5, 3, ""), (6, 3, "S"), (7, 4, ""), (2, 2, ""), (1, 1, "")]
)
def test_a_step_that_ends_inside_a_token(
    family: Callable[[str], Any], chat: Chat, cut: int, kept: int, anew: str
) -> None:
    """`4`, `6`, `.` and two newlines, `So`: cut before the token that the step's end divides, the rest anew."""
    style = family("llama3")
    ids = tuple(style.tokenizer.convert_tokens_to_ids(["4", "6", ".ĊĊ", "So"]))
    assert style.codec.decode(ids) == "46.\n\nSo"
    sent = style.behind(chat("How many?", prefix="46.\n\nSo"[:cut], prefix_ids=ids))
    assert sent == (*ids[:kept], *(apart(style, anew) if anew else ()))


@examples
@given(data=st.data())
def test_whole_tokens(style: Any, chat: Chat, data: st.DataObject) -> None:
    """Exactly those, even where their bytes are no Unicode text: what the model saw, it sees again."""
    ids = data.draw(st.one_of(as_sampled(style), broken(style)))
    prefix = style.codec.decode(ids)
    assert style.behind(chat("How many?", prefix=prefix, prefix_ids=ids)) == ids


@examples
@given(parts=st.lists(words, min_size=1, max_size=8))
def test_own_spelling_needs_no_ids(style: Any, chat: Chat, parts: list[str]) -> None:
    """Where the sampled tokens are the tokenizer's own spelling, telling them changes nothing: answers are shared."""
    prefix = "".join(parts)
    ids = style.behind(chat("How many?", prefix=prefix))
    assert style.behind(chat("How many?", prefix=prefix, prefix_ids=ids)) == ids


def test_special_tokens_that_were_sampled(family: Callable[[str], Any], chat: Chat) -> None:
    """One within the prefix is sent again though the text does not show it; one behind the prefix is not."""
    style = family("chatml")
    odd = style.tokenizer.convert_tokens_to_ids("<|im_start|>")
    words = apart(style, "So")
    assert style.codec.decode((odd, *words, odd)) == "So"
    assert style.behind(chat("How many?", prefix="So", prefix_ids=(odd, *words, odd))) == (odd, *words)


@pytest.mark.parametrize("ids", [(1, 2, 3), (10**6,), (-1,), (0,) * 50], ids=["others", "too high", "negative", "many"])
def test_ids_of_another_text_are_ignored(style: Any, chat: Chat, ids: tuple[int, ...]) -> None:
    """Ids of another tokenizer, or of a text that was redacted, do no harm."""
    prefix = "So 12 + 34 = 46.\n"
    told = style.behind(chat("How many?", prefix=prefix, prefix_ids=ids))
    assert told == style.behind(chat("How many?", prefix=prefix))
