"""From a problem to what the model is shown."""

from __future__ import annotations

from dataclasses import dataclass

from steplabel.engines.port import Prompt
from steplabel.schemas import ConfigError, ContentPart, Message, Problem, Role

PLACEHOLDER = "{problem}"


@dataclass(frozen=True, slots=True, kw_only=True)
class PromptTemplate:
    """How a problem is put to the model.

    Attributes:
        text: the words around the problem; must hold `{problem}` once. Other braces are left alone.
        chat: send it as a user turn through the model's chat template, instead of as plain text.
        system: system turn in front, chat only.
        thinking: whether the model is to think before it answers, where its chat template has a switch for it;
            None leaves it to the template. Chat only.
    """

    text: str = "{problem}\n"
    chat: bool = False
    system: str = ""
    thinking: bool | None = None

    def __post_init__(self) -> None:
        if self.text.count(PLACEHOLDER) != 1:
            raise ConfigError(f"prompt template {self.text!r} must hold {PLACEHOLDER} exactly once")
        if self.system and not self.chat:
            raise ConfigError("a system prompt needs a chat template: set prompt.chat=true")
        if self.thinking is not None and not self.chat:
            raise ConfigError(f"thinking={self.thinking} needs a chat template: set prompt.chat=true")

    def prompt(self, problem: Problem) -> Prompt:
        """What the policy and the completer see before the solution."""
        turns = problem.messages
        before, _, after = self.text.partition(PLACEHOLDER)
        text = before + problem.text + after
        if not self.chat and not turns:
            return Prompt(text=text, data=((len(before), len(before) + len(problem.text)),))
        if not turns:
            turns = (_turn(Role.USER, text),)
        if self.system:
            turns = (_turn(Role.SYSTEM, self.system), *turns)
        return Prompt(messages=turns, thinking=self.thinking)


def hold_back_blanks(prefix: str) -> tuple[str, str]:
    """Take the blanks off a prefix's end: what is sent, and what is held back.

    Nearly every tokenizer joins a space to the word behind it. A prefix that ends with the space ends inside that
    token; sent as it is, it ends with a space of its own, which the model has hardly ever seen before a word.
    """
    sent = prefix.rstrip(" \t")
    return sent, prefix[len(sent) :]


def without_blanks(blanks: str, text: str) -> str:
    """What was generated behind a prefix whose `blanks` were held back, without them: prefix + text reads on."""
    return text.removeprefix(blanks)


def _turn(role: Role, text: str) -> Message:
    return Message(role=role, parts=(ContentPart(text=text),))
