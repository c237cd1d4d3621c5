"""A tokenizer as the engines need it: prompts to the ids that the model reads, ids to text, and stop strings.

Prompt and prefix are tokenised together, as one text. A prefix cut from an earlier sample may thus be split
into other tokens than the sample had (a boundary inside a token is healed), and the model sees the text as it
would see it in any other place. The ids of the earlier sample are not needed.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

from jinja2 import TemplateError
from transformers import AutoTokenizer

from steplabel.engines.port import GenerateRequest, Prompt, RenderedPrompt
from steplabel.schemas import ConfigError, DataError, Message, PartKind

REMEMBERED = 1024  # renderings kept: the store and the engine behind it ask for the same one in turn


class TextCodec:
    """Encodes and decodes with a Hugging Face tokenizer. Thread-safe: callers encode while rows decode."""

    def __init__(self, tokenizer: Any) -> None:
        self._tokenizer = tokenizer
        # A fast tokenizer refuses to be used while another thread changes its padding settings.
        self._lock = threading.Lock()
        self._remembered = lru_cache(maxsize=REMEMBERED)(self._render)

    @property
    def end_ids(self) -> frozenset[int]:
        """Ids that end a text, as far as the tokenizer knows."""
        end = self._tokenizer.eos_token_id
        return frozenset() if end is None else frozenset([int(end)])

    def render(self, request: GenerateRequest) -> RenderedPrompt:
        """Text and ids of prompt and prefix.

        Raises:
            ConfigError: messages, but no chat template, or one that refuses them; parts that are not text.
            DataError: the text holds lone surrogates.
        """
        return self._remembered(request.prompt, request.prefix)

    def decode(self, ids: Sequence[int]) -> str:
        """Text of generated ids, special tokens left out."""
        with self._lock:
            text: str = self._tokenizer.decode(ids, skip_special_tokens=True, clean_up_tokenization_spaces=False)
        return text

    def _render(self, prompt: Prompt, prefix: str) -> RenderedPrompt:
        with self._lock:
            text = (prompt.text or self._through_template(prompt.messages)) + prefix
            _check_unicode(text)
            # A chat template writes its own opening token; plain text gets the tokenizer's. Too long a prompt
            # is the engine's to refuse: the tokenizer only logs it.
            encoded = self._tokenizer(text, add_special_tokens=bool(prompt.text), verbose=False)
        ids = encoded["input_ids"]
        # A tokenizer that closes every text would have the model go on after its end.
        if prompt.text and len(ids) > 1 and ids[-1] in self.end_ids and not self._ends_so(text):
            ids = ids[:-1]
        return RenderedPrompt(text=text, token_ids=tuple(ids))

    def _ends_so(self, text: str) -> bool:
        return text.endswith(self._tokenizer.eos_token)

    def _through_template(self, messages: Iterable[Message]) -> str:
        if not self._tokenizer.chat_template:
            raise ConfigError("this model has no chat template: send plain text (prompt.chat=false)")
        turns = [_turn(message) for message in messages]
        try:
            text: str = self._tokenizer.apply_chat_template(turns, tokenize=False, add_generation_prompt=True)
        except TemplateError as error:
            raise ConfigError(f"the model's chat template refuses these messages: {error}") from error
        return text


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


def _check_unicode(text: str) -> None:
    # Nothing more is asked of it: a prefix may hold whatever a model has written.
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise DataError(f"the prompt is not Unicode text: {error}") from error


def _turn(message: Message) -> dict[str, Any]:
    for part in message.parts:
        if part.kind is not PartKind.TEXT:
            raise ConfigError(f"this engine reads text only, the prompt holds a part of kind {part.kind!r}")
    turn: dict[str, Any] = {
        "role": str(message.role),
        "content": "".join(part.text for part in message.parts),
    }
    if message.name:
        turn["name"] = message.name
    if message.tool_call_id:
        turn["tool_call_id"] = message.tool_call_id
    return turn
