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
    """

    text: str = "{problem}\n"
    chat: bool = False
    system: str = ""

    def __post_init__(self) -> None:
        if self.text.count(PLACEHOLDER) != 1:
            raise ConfigError(f"prompt template {self.text!r} must hold {PLACEHOLDER} exactly once")
        if self.system and not self.chat:
            raise ConfigError("a system prompt needs a chat template: set prompt.chat=true")

    def prompt(self, problem: Problem) -> Prompt:
        """What the policy and the completer see before the solution."""
        turns = problem.messages
        if not self.chat and not turns:
            return Prompt(text=self.text.replace(PLACEHOLDER, problem.text))
        if not turns:
            turns = (_turn(Role.USER, self.text.replace(PLACEHOLDER, problem.text)),)
        if self.system:
            turns = (_turn(Role.SYSTEM, self.system), *turns)
        return Prompt(messages=turns)


def _turn(role: Role, text: str) -> Message:
    return Message(role=role, parts=(ContentPart(text=text),))
