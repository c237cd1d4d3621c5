"""What servers of the OpenAI protocol have in common, and where they differ, as a table.

The standard says nothing of top-k, min-p, repetition penalties, or the stop text's place in the answer, so each
server has its own names, and other defaults (vLLM takes them from the model's generation_config.json). So they are
all sent, by the server's names; what a server cannot express is refused, never dropped.

Read from the sources of vLLM 0.32, SGLang (2026) and llama.cpp (2026); of these, vLLM is tested against.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from steplabel.schemas import ConfigError, SamplingParams


class Dialect(StrEnum):
    """Whose extensions of the protocol the server understands."""

    VLLM = "vllm"
    SGLANG = "sglang"
    LLAMA_CPP = "llama_cpp"
    OPENAI = "openai"
    """The published standard and nothing else."""


OWNERS: Final[Mapping[str, Dialect]] = {
    "vllm": Dialect.VLLM,
    "sglang": Dialect.SGLANG,
    "llamacpp": Dialect.LLAMA_CPP,
}
"""What servers write into `owned_by` of a model, by the program that they are."""


class Mode(StrEnum):
    """Which of the two endpoints is used."""

    COMPLETIONS = "completions"
    """Prompt and prefix are one text or one list of ids: the model goes on exactly where the prefix ends."""
    CHAT = "chat"
    """The server renders the messages with its own template."""


class PromptAs(StrEnum):
    """How a rendered prompt is sent."""

    TOKENS = "tokens"
    TEXT = "text"


class PrefixStyle(StrEnum):
    """How a chat is told that the assistant has begun to speak."""

    CONTINUE_FINAL_MESSAGE = "continue_final_message"
    ASSISTANT_PREFILL = "assistant_prefill"
    """A last message of the assistant is continued without being asked."""
    REFUSE = "refuse"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """One server's ways.

    Attributes:
        top_k_off: value of `top_k` that switches it off; None: it has none, nor `min_p`.
        repetition_penalty: the parameter's name; empty: it has none.
        include_stop: name of the flag that keeps the stop text; empty: it has none.
        names_stop: whether the answer names the stop text that ended it, so that it can be put back.
        max_n: most samples of one HTTP request; None for no bound. 1 where the i-th of n samples is not drawn
            with seed + i (SGLang draws all n with the same seed), or n is bounded by the server's slots.
        add_special_tokens: whether a text prompt can be kept from getting a second opening token.
        token_ids, prompt_logprobs: whether the answer can hold them.
        stop_token_ids: whether a request can name tokens that end a text.
        template_arguments: whether a chat can set variables of the template (`chat_template_kwargs`).
        chat_max_tokens: name of `max_tokens` in chats.
        smallest_temperature: above 0, at which the server samples; it silently raises lower ones.
        prefix: how a chat's prefix is sent unless the user says otherwise.
    """

    top_k_off: int | None
    repetition_penalty: str
    include_stop: str = ""
    names_stop: bool = False
    max_n: int | None
    add_special_tokens: bool = False
    token_ids: bool = False
    prompt_logprobs: bool = False
    stop_token_ids: bool = False
    template_arguments: bool = False
    chat_max_tokens: str = "max_tokens"
    smallest_temperature: float = 0.0
    prefix: PrefixStyle


RULES: Final[Mapping[Dialect, Rules]] = {
    Dialect.VLLM: Rules(
        top_k_off=-1,  # newer ones take 0 as well
        repetition_penalty="repetition_penalty",
        include_stop="include_stop_str_in_output",
        max_n=None,
        add_special_tokens=True,
        token_ids=True,
        prompt_logprobs=True,
        stop_token_ids=True,
        template_arguments=True,
        smallest_temperature=0.01,
        prefix=PrefixStyle.CONTINUE_FINAL_MESSAGE,
    ),
    Dialect.SGLANG: Rules(
        top_k_off=-1,
        repetition_penalty="repetition_penalty",
        names_stop=True,
        max_n=1,
        stop_token_ids=True,
        template_arguments=True,
        prefix=PrefixStyle.CONTINUE_FINAL_MESSAGE,
    ),
    Dialect.LLAMA_CPP: Rules(
        top_k_off=0,
        repetition_penalty="repeat_penalty",
        max_n=1,
        prefix=PrefixStyle.ASSISTANT_PREFILL,
    ),
    Dialect.OPENAI: Rules(
        top_k_off=None,
        repetition_penalty="",
        max_n=None,
        chat_max_tokens="max_completion_tokens",
        prefix=PrefixStyle.REFUSE,
    ),
}


def choose_dialect(said: Dialect | None, owner: str | None, *, base: str) -> Dialect:
    """The dialect of the server at `base`: what the user said, or where that is None, what the server itself says.

    Asked in another's words a server drops what it does not know, and answers all the same.

    Args:
        owner: `owned_by` of the model.

    Raises:
        ConfigError: neither says it, or the two contradict each other.
    """
    own = OWNERS.get(owner or "")
    dialect = said or own
    if dialect is None:
        *some, last = Dialect
        raise ConfigError(
            f"{base} does not say which program it is (owned_by={owner!r}): set dialect={', '.join(some)} or {last}, "
            "which sends nothing but the published standard"
        )
    if own not in (None, dialect):
        raise ConfigError(
            f"{base} says that it is {owner}, and dialect={dialect} was set: it would read other parameters than were "
            "meant; leave dialect out"
        )
    return dialect


def extensions(sampling: SamplingParams, dialect: Dialect) -> dict[str, Any]:
    """The sampling parameters that are not in the standard, by the server's names.

    Raises:
        ConfigError: a parameter that is in use has no name there, or is changed there.
    """
    rules = RULES[dialect]
    if 0 < sampling.temperature < rules.smallest_temperature:
        raise ConfigError(
            f"temperature={sampling.temperature}: servers of dialect {dialect} sample at no less than "
            f"{rules.smallest_temperature}; 0 is greedy"
        )
    fields: dict[str, Any] = {}
    if rules.top_k_off is not None:
        fields |= {"top_k": sampling.top_k or rules.top_k_off, "min_p": sampling.min_p}
    elif sampling.top_k or sampling.min_p:
        raise _unknown(dialect, f"top_k={sampling.top_k}, min_p={sampling.min_p}")
    if rules.repetition_penalty:
        fields[rules.repetition_penalty] = sampling.repetition_penalty
    elif sampling.repetition_penalty != 1:
        raise _unknown(dialect, f"repetition_penalty={sampling.repetition_penalty}")
    if rules.include_stop:
        fields[rules.include_stop] = sampling.include_stop
    elif sampling.include_stop and sampling.stop and not rules.names_stop:
        # A text that ended with a stop text cannot be told from one that ended by itself.
        raise _unknown(dialect, "include_stop=True")
    return fields


def _unknown(dialect: Dialect, what: str) -> ConfigError:
    return ConfigError(f"servers of dialect {dialect} cannot express {what}: leave it at its default, or set dialect")
