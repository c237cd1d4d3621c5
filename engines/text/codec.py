"""A tokenizer as the engines need it: prompts to the ids that the model reads, ids to text, and stop strings.

What a continuation reads. The prompt's ids are those the answer was begun with: no token reaches across the place
where the model began to speak. The prefix follows token by token as it was sampled, where its ids are known, and
else in the tokenizer's own way. A step that ends inside a sampled token is cut before that token, and the
characters up to the step's end are tokenised anew; so the model always reads exactly the prefix's text.

What problems and prefixes say is data: the text of a control token in them (`<|im_end|>`) is read as plain text.
In the words of a prompt's own frame it is a control token. Where a template marks turns with plain text, as
Llama 2's `[INST]`, no tokenizer can tell one from the other.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import lru_cache, partial
from itertools import chain, pairwise
from pathlib import Path
from typing import Any, Final

from transformers import AutoTokenizer

from steplabel.engines.port import GenerateRequest, Prompt, RenderedPrompt
from steplabel.engines.text.chat_template import ChatTemplate
from steplabel.engines.text.pieces import PieceTokenizer
from steplabel.schemas import ConfigError, DataError

REMEMBERED: Final = 1024  # renderings kept: the store and the engine behind it ask for the same one in turn
REMEMBERED_CHARS: Final = 32_768  # longer ones are made again: a thousand of them would fill the memory
NONCHARACTER: Final = "\ufdd0"  # Unicode reserves it for a program's own use: no template trims or tests for it


class TextCodec:
    """Encodes and decodes with a Hugging Face tokenizer. Thread-safe: callers encode while rows decode."""

    def __init__(self, tokenizer: Any) -> None:
        self._pieces = PieceTokenizer(tokenizer)
        self._template = ChatTemplate(tokenizer)
        turn_end = self._template.end_of_turn()
        self.end_ids = frozenset(int(end) for end in (tokenizer.eos_token_id, turn_end) if end is not None)
        """Ids that end a text: the tokenizer's own end, and what the chat template puts behind an answer."""
        self._inside_control = _inside(self._pieces.texts_of(self._pieces.special_ids | self.end_ids))
        self._opened = lru_cache(maxsize=REMEMBERED)(self._open)
        self._remembered = lru_cache(maxsize=REMEMBERED)(self._render)

    def render(self, request: GenerateRequest) -> RenderedPrompt:
        """Text and ids of prompt and prefix.

        Raises:
            ConfigError: messages, but no chat template, or one that refuses them; parts that are not text.
            DataError: the text holds lone surrogates.
        """
        long = _size(request.prompt) + len(request.prefix) > REMEMBERED_CHARS
        render = self._render if long else self._remembered
        return render(request.prompt, request.prefix, request.prefix_ids)

    def decode(self, ids: Sequence[int]) -> str:
        """Text of generated ids as it stands behind the prompt, special tokens left out."""
        return self._pieces.text(ids)

    def _render(self, prompt: Prompt, prefix: str, sampled: tuple[int, ...]) -> RenderedPrompt:
        opened = (self._open if _size(prompt) > REMEMBERED_CHARS else self._opened)(prompt)
        if not prefix:
            return opened
        _check_unicode(prefix)
        kept = self._pieces.spelling(sampled, prefix)
        rest = prefix[len(self._pieces.text(kept)) :] if kept else prefix
        anew = self._following(self._inside_control.split(rest)) if rest else ()
        return RenderedPrompt(text=opened.text + prefix, token_ids=(*opened.token_ids, *kept, *anew))

    def _open(self, prompt: Prompt) -> RenderedPrompt:
        """The prompt alone: all that the model sees before it begins to speak."""
        mark = NONCHARACTER
        while any(mark in text for text in _texts(prompt)):
            mark += NONCHARACTER
        first, *more = self._marked(prompt, partial(self._inside_control.sub, mark)).split(mark)
        text = "".join((first, *more))
        _check_unicode(text)
        ids = self._pieces.whole(first)
        # A chat template writes its own opening token; plain text gets the tokenizer's, unless it begins with it.
        if prompt.text and ids[: len(self._pieces.opening)] != self._pieces.opening:
            ids = self._pieces.opening + ids
        return RenderedPrompt(text=text, token_ids=(*ids, *self._following(more)))

    def _following(self, pieces: Iterable[str]) -> Iterator[int]:
        return chain.from_iterable(map(self._pieces.following, pieces))

    def _marked(self, prompt: Prompt, escape: Callable[[str], str]) -> str:
        """The prompt's text, with all that is data in it escaped."""
        if prompt.messages:
            return self._template.opening(prompt.messages, thinking=prompt.thinking, escape=escape)
        borders = [0, *(border for span in prompt.data for border in span), len(prompt.text)]
        texts = [prompt.text[a:b] for a, b in pairwise(borders)]
        return "".join(escape(text) if odd % 2 else text for odd, text in enumerate(texts))


@lru_cache(maxsize=4)  # a preview and the engine that follows it share one
def load_codec(folder: Path, files_hash: str) -> TextCodec:  # noqa: ARG001 - part of the cache's key
    """The codec of a model folder whose tokenizer files have this hash.

    Raises:
        ConfigError: the tokenizer cannot be loaded.
    """
    try:
        return TextCodec(AutoTokenizer.from_pretrained(folder, local_files_only=True))
    except (OSError, ValueError, KeyError) as error:
        raise ConfigError(f"cannot load the tokenizer in {folder}: {error}") from error


def stop_position(text: str, stops: Sequence[str], *, include: bool) -> int | None:
    """Where to cut `text`: at the earliest stop, before it or (`include`) behind it; None without one."""
    found = [(at, at + len(stop)) for stop in stops if (at := text.find(stop)) >= 0]
    if not found:
        return None
    begin, end = min(found)
    return end if include else begin


def stop_window(stops: Sequence[str]) -> int:
    """How many of the last tokens must be read to see a stop that ends in the newest one.

    Each token holds at least one byte of text and a character at most four, and a few more tokens keep clear
    of decoders that trim the first one.
    """
    return 4 * max(map(len, stops), default=0) + 4


def _inside(controls: Iterable[str]) -> re.Pattern[str]:
    """Matches, without a character, behind the first character of each control token's text: cut there, it is
    none. transformers itself escapes them from 5.23 on, which is later than the version vLLM stands on.
    """
    texts = [re.escape(text) for text in controls if len(text) > 1]
    return re.compile(f"(?<=(?={'|'.join(texts)}).)" if texts else r"(?!)", re.DOTALL)


def _texts(prompt: Prompt) -> Iterator[str]:
    yield prompt.text
    for message in prompt.messages:
        yield from (message.name, message.tool_call_id, *(part.text for part in message.parts))


def _size(prompt: Prompt) -> int:
    return sum(map(len, _texts(prompt)))


def _check_unicode(text: str) -> None:
    # Nothing more is asked of it: a prefix may hold whatever a model has written.
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise DataError(f"the prompt is not Unicode text: {error}") from error
