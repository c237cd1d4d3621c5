"""A model's own chat template: messages to the text that opens its answer, and the token that ends the answer.

What the model has already said is never sent through the template as an assistant's turn: templates trim such
turns, take the reasoning out of them and close them. It stands behind the opening, as the model said it.

Covered: turns of text, and the switch for thinking that many templates have. Not covered: tools, documents.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import date
from typing import Any, Final

from jinja2 import TemplateError

from steplabel.schemas import ConfigError, Message, PartKind

TODAY: Final = date(2024, 7, 26)
"""What a template is told that asks for the date (Llama 3.1's own falls back to this one). With the true date the
same question would be another prompt tomorrow, and every stored sample would be asked for again."""

_DIRECTIVES: Final = ("%-d", "%-m", *(f"%{letter}" for letter in "aAbBdHIjmMpSyY"))
# The library takes no function from outside, but a macro of the same name comes before its own.
_FIXED_DATE: Final = (
    "{% macro strftime_now(format) %}{{ format"
    + "".join(f" | replace('{directive}', '{TODAY.strftime(directive)}')" for directive in _DIRECTIVES)
    + " }}{% endmacro %}{{ '' }}"
)

# A template is a program, made for the messages its author thought of: it may fail in any way a program does.
FAILURES: Final = (TemplateError, ArithmeticError, AttributeError, LookupError, TypeError, ValueError)

PROBE: Final = "steplabel"
SWITCHES: Final = ("enable_thinking", "thinking")
"""Names under which templates look for the switch for thinking; one they do not know does nothing."""


class ChatTemplate:
    """The chat template of a tokenizer. Thread-safe."""

    def __init__(self, tokenizer: Any) -> None:
        self._tokenizer = tokenizer
        self._template = _default_template(tokenizer.chat_template)

    def opening(
        self, messages: Iterable[Message], *, thinking: bool | None = None, escape: Callable[[str], str] = str
    ) -> str:
        """Text up to where the model's answer begins, the start of its thoughts included where they are opened.

        Args:
            thinking: whether the model is to think first; None leaves it to the template.
            escape: applied to every text of the messages, before the template sees it.

        Raises:
            ConfigError: no template, or one that refuses these messages or has no switch for thinking; parts
                that are not text.
        """
        turns = [_turn(message, escape) for message in messages]
        if not self._template:
            raise ConfigError(
                "this model has no chat template: send plain text (prompt.chat=false), "
                "or put a chat_template.jinja beside its tokenizer"
            )
        try:
            text = self._rendered(turns, thinking)
            switched = thinking is None or text != self._rendered(turns, not thinking)
        except FAILURES as error:
            raise ConfigError(f"the model's chat template refuses these messages: {error}") from error
        if not switched:
            raise ConfigError(
                f"the model's chat template has no switch for thinking (prompt.thinking={thinking}): leave it unset"
            )
        return text

    def end_of_turn(self) -> int | None:
        """Id of the token that the template writes behind an assistant's words; None where there is none.

        Generation configs forget it, as those of many models tuned from a base model do; the model would then
        go on to ask itself the next question.
        """
        chat = [{"role": "user", "content": "?"}, {"role": "assistant", "content": PROBE}]
        if not self._template:
            return None
        try:
            closed = self._rendered(chat, answer=False)
        except FAILURES:
            return None  # a template that refuses even this is told of when it is used
        _, probe, behind = closed.rpartition(PROBE)
        tokens = {token.content: id_ for id_, token in self._tokenizer.added_tokens_decoder.items()}
        texts = [text for text in tokens if text.strip() and behind.lstrip().startswith(text)]
        return tokens[max(texts, key=len)] if probe and texts else None

    def _rendered(self, turns: Sequence[dict[str, Any]], thinking: bool | None = None, *, answer: bool = True) -> str:
        # Templates call the switch by either name.
        switch = {} if thinking is None else dict.fromkeys(SWITCHES, thinking)
        text: str = self._tokenizer.apply_chat_template(
            turns, chat_template=self._template, tokenize=False, add_generation_prompt=answer, **switch
        )
        return text


def _default_template(template: str | dict[str, str] | None) -> str:
    """The template for plain chats, with a date that stays; empty where there is none."""
    chosen = template.get("default", "") if isinstance(template, dict) else template or ""
    return _FIXED_DATE + chosen if "strftime_now" in chosen else chosen


def _turn(message: Message, escape: Callable[[str], str]) -> dict[str, Any]:
    for part in message.parts:
        if part.kind is not PartKind.TEXT:
            raise ConfigError(f"this engine reads text only, the prompt holds a part of kind {part.kind!r}")
    turn: dict[str, Any] = {
        "role": str(message.role),
        "content": escape("".join(part.text for part in message.parts)),
    }
    if message.name:
        turn["name"] = escape(message.name)
    if message.tool_call_id:
        turn["tool_call_id"] = escape(message.tool_call_id)
    return turn
