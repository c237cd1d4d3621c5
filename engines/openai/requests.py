"""Requests of the OpenAI protocol: what the model will read, and the bodies that ask for it.

In completions mode prompt and prefix are one text, so the model continues exactly the prefix. In chat mode the
server's template has the last word: some templates trim a message's white space, and a prefix that ends in a line
break is then continued without it. Rollouts should use completions.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import msgspec
from msgspec import UNSET, UnsetType

from steplabel.engines.openai.dialects import RULES, Dialect, Mode, PrefixStyle, PromptAs, extensions
from steplabel.engines.openai.protocol import Asked
from steplabel.engines.port import GenerateRequest, Prompt, RenderedPrompt
from steplabel.engines.text.chat_template import SWITCHES
from steplabel.schemas import (
    ConfigError,
    ContentPart,
    DataError,
    EngineError,
    Message,
    PartKind,
    Role,
    SamplingParams,
    derive_seed,
)

if TYPE_CHECKING:
    from steplabel.engines.text.codec import TextCodec

SEED_BITS: Final = 30  # base + index stays below 2^31, which llama.cpp's and SGLang's seeds must


class Turn(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """A chat message as it is sent."""

    role: str
    content: str
    name: str = ""
    tool_call_id: str = ""


class Chat(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """All that decides what a chat's model reads."""

    messages: tuple[Turn, ...]
    continue_final_message: bool | UnsetType = UNSET
    add_generation_prompt: bool | UnsetType = UNSET
    chat_template_kwargs: dict[str, bool] | UnsetType = UNSET


class _Sampling(msgspec.Struct, omit_defaults=True, kw_only=True):
    """What both endpoints take. Unset fields are extensions that the server does not have."""

    model: str
    n: int
    seed: int
    temperature: float
    top_p: float
    max_tokens: int | UnsetType = UNSET
    max_completion_tokens: int | UnsetType = UNSET
    stop: tuple[str, ...] | UnsetType = UNSET
    top_k: int | UnsetType = UNSET
    min_p: float | UnsetType = UNSET
    repetition_penalty: float | UnsetType = UNSET
    repeat_penalty: float | UnsetType = UNSET
    include_stop_str_in_output: bool | UnsetType = UNSET
    return_token_ids: bool | UnsetType = UNSET
    stop_token_ids: tuple[int, ...] | UnsetType = UNSET
    prompt_logprobs: int | UnsetType = UNSET


class CompletionBody(_Sampling, omit_defaults=True, kw_only=True):
    """Body of POST /completions."""

    prompt: str | tuple[int, ...]
    logprobs: int | UnsetType = UNSET
    add_special_tokens: bool | UnsetType = UNSET


class ChatBody(_Sampling, omit_defaults=True, kw_only=True):
    """Body of POST /chat/completions."""

    messages: tuple[Turn, ...]
    logprobs: bool | UnsetType = UNSET
    continue_final_message: bool | UnsetType = UNSET
    add_generation_prompt: bool | UnsetType = UNSET
    chat_template_kwargs: dict[str, bool] | UnsetType = UNSET


_ENCODER: Final = msgspec.json.Encoder()


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestWriter:
    """Turns our requests into the server's.

    Attributes:
        codec: the model's tokenizer, for completions; None sends plain text.
        prompt_as: how rendered prompts are sent where there is a tokenizer.
        prefix: None takes the dialect's own way.
        context: most tokens of prompt and answer together; 0 if not known.
        token_ids: ask for generated ids where the dialect can.
        answers_as: model name that the server puts in its answers.
    """

    model: str
    answers_as: str
    mode: Mode
    dialect: Dialect
    codec: TextCodec | None
    prompt_as: PromptAs
    prefix: PrefixStyle | None
    context: int
    token_ids: bool
    max_n: int | None

    @property
    def path(self) -> str:
        """The endpoint, below the base address."""
        return "chat/completions" if self.mode is Mode.CHAT else "completions"

    def render(self, request: GenerateRequest) -> RenderedPrompt:
        """What the model reads: ids where ids are sent, else the text, and of a chat its messages as JSON.

        Raises:
            ConfigError: messages in completions mode without a tokenizer; a prefix that cannot be sent; parts
                that are not text.
            DataError: the text holds lone surrogates.
        """
        if self.mode is Mode.CHAT:
            return RenderedPrompt(text=_encoded(self._chat(request)).decode())
        if self.codec is not None:
            rendered = self.codec.render(request)
            # As text it is the server that makes ids of it, perhaps others.
            return rendered if self.prompt_as is PromptAs.TOKENS else RenderedPrompt(text=rendered.text)
        if request.prompt.messages:
            raise ConfigError(
                "chat messages need the model's template: set tokenizer=FOLDER_OR_NAME, or mode=chat, or send plain "
                "text (prompt.chat=false)"
            )
        text = request.prompt.text + request.prefix
        _encoded(text)
        return RenderedPrompt(text=text)

    def check(self, request: GenerateRequest) -> None:
        """Refuse what can never be asked of this server.

        Raises:
            ConfigError: as `render`; sampling parameters, log-probabilities or a length that it cannot do.
            EngineError: with this prefix, the prompt fills the context: what follows it is unknown.
        """
        rules = RULES[self.dialect]
        extensions(request.sampling, self.dialect)
        if request.prompt_logprobs is not None and not rules.prompt_logprobs:
            raise ConfigError(f"servers of dialect {self.dialect} give no log-probabilities of prompts")
        ids = self.render(request).token_ids
        if self.context and len(ids) >= self.context:
            # Of a problem nothing can ever be known; of a solution's last prefixes nothing, of its first ones much.
            kind = EngineError if request.prefix else ConfigError
            raise kind(
                f"a prompt of {len(ids)} tokens leaves nothing to generate in the server's context of {self.context}"
            )
        templated = self.codec is not None and bool(request.prompt.messages)
        if templated and self.prompt_as is PromptAs.TEXT and not rules.add_special_tokens:
            raise ConfigError(
                f"a chat rendered as text gets a second opening token from servers of dialect {self.dialect}: "
                f"set prompt_as=tokens"
            )

    def width(self, request: GenerateRequest) -> int:
        """Most samples to ask for in one HTTP request."""
        if request.sampling.temperature == 0:
            return 1  # vLLM refuses several greedy samples in one request
        bounds = (request.n, self.max_n, RULES[self.dialect].max_n)  # the user's may lower the dialect's, not lift it
        return min(bound for bound in bounds if bound)

    def body(self, request: GenerateRequest, start: int, n: int) -> bytes:
        """The HTTP body that asks for samples `start .. start + n - 1`.

        Sample i is drawn with seed base + i: servers draw the i-th of n with the request's seed + i.
        """
        rules = RULES[self.dialect]
        fields = extensions(request.sampling, self.dialect) | _standard(request.sampling)
        fields |= {"model": self.model, "n": n, "seed": seed_of(request.seed, start)}
        if self.token_ids and rules.token_ids:
            fields["return_token_ids"] = True
        if request.prompt_logprobs is not None and start == request.start:
            fields["prompt_logprobs"] = 1  # its own tokens come in any case; parts of vLLM take 0 for none
        if self.mode is Mode.CHAT:
            return self._chat_body(request, fields)
        return self._completion_body(request, fields)

    def asked(self, request: GenerateRequest, start: int, n: int) -> Asked:
        """What the answer to `body` must fit."""
        rules, prompt_tokens = RULES[self.dialect], len(self.render(request).token_ids)
        return Asked(
            model=self.answers_as or self.model,
            start=start,
            n=n,
            max_tokens=self._room(request.sampling.max_tokens, prompt_tokens),
            context=self.context,
            prompt_tokens=prompt_tokens,
            logprobs=request.logprobs is not None,
            prompt_logprobs=request.prompt_logprobs is not None and start == request.start,
            add_stop=request.sampling.include_stop and rules.names_stop,
        )

    def _completion_body(self, request: GenerateRequest, fields: dict[str, Any]) -> bytes:
        rendered = self.render(request)
        if request.logprobs is not None:
            fields["logprobs"] = 1  # 0 is the chosen token alone in vLLM, and none at all in llama.cpp
        if not rendered.token_ids and RULES[self.dialect].add_special_tokens:
            # A template writes its own opening token; plain text gets the tokenizer's.
            fields["add_special_tokens"] = bool(request.prompt.text)
        if self.codec is not None and RULES[self.dialect].stop_token_ids:
            # A turn's end that the model's generation config forgets is still an end.
            fields["stop_token_ids"] = tuple(sorted(self.codec.end_ids))
        fields["max_tokens"] = self._room(request.sampling.max_tokens, len(rendered.token_ids))
        return _encoded(CompletionBody(prompt=rendered.token_ids or rendered.text, **fields))

    def _chat_body(self, request: GenerateRequest, fields: dict[str, Any]) -> bytes:
        chat = self._chat(request)
        if request.logprobs is not None:
            fields["logprobs"] = True
        fields[RULES[self.dialect].chat_max_tokens] = self._room(request.sampling.max_tokens)
        return _encoded(
            ChatBody(
                messages=chat.messages,
                continue_final_message=chat.continue_final_message,
                add_generation_prompt=chat.add_generation_prompt,
                chat_template_kwargs=chat.chat_template_kwargs,
                **fields,
            )
        )

    def _room(self, max_tokens: int, used: int = 0) -> int:
        """`max_tokens`, or what the context leaves: vLLM refuses a request that can never fit."""
        return min(max_tokens, self.context - used) if self.context else max_tokens

    def _chat(self, request: GenerateRequest) -> Chat:
        turns = tuple(map(_turn, request.prompt.messages or (_user(request.prompt),)))
        switch = self._thinking(request.prompt)
        if not request.prefix:
            return Chat(messages=turns, chat_template_kwargs=switch)
        style = self.prefix or RULES[self.dialect].prefix
        if style is PrefixStyle.REFUSE:
            raise ConfigError(
                "this server's chats cannot continue a prefix: use mode=completions, or set prefix="
                f"{PrefixStyle.CONTINUE_FINAL_MESSAGE} or {PrefixStyle.ASSISTANT_PREFILL} if it can"
            )
        turns = (*turns, Turn(role=Role.ASSISTANT, content=request.prefix))
        if style is PrefixStyle.ASSISTANT_PREFILL:
            return Chat(messages=turns, chat_template_kwargs=switch)
        return Chat(
            messages=turns, continue_final_message=True, add_generation_prompt=False, chat_template_kwargs=switch
        )

    def _thinking(self, prompt: Prompt) -> dict[str, bool] | UnsetType:
        """The template's switch, by the names it goes by; a template without one lets them pass."""
        if prompt.thinking is None:
            return UNSET
        if not RULES[self.dialect].template_arguments:
            raise ConfigError(
                f"chats of dialect {self.dialect} have no switch for thinking: leave prompt.thinking unset, or give "
                "tokenizer=FOLDER_OR_NAME, so that the template is rendered here"
            )
        return dict.fromkeys(SWITCHES, prompt.thinking)


def seed_of(seed: int, index: int) -> int:
    """The server's seed of sample `index`."""
    return derive_seed("openai", seed) % (1 << SEED_BITS) + index


def _standard(sampling: SamplingParams) -> dict[str, Any]:
    fields: dict[str, Any] = {"temperature": sampling.temperature, "top_p": sampling.top_p}
    return fields | ({"stop": sampling.stop} if sampling.stop else {})


def _encoded(value: Any) -> bytes:
    try:
        return _ENCODER.encode(value)
    except UnicodeEncodeError as error:
        raise DataError(f"the prompt is not Unicode text: {error}") from error


def _user(prompt: Prompt) -> Message:
    return Message(role=Role.USER, parts=(ContentPart(text=prompt.text),))


def _turn(message: Message) -> Turn:
    for part in message.parts:
        if part.kind is not PartKind.TEXT:
            raise ConfigError(f"this engine sends text only, the prompt holds a part of kind {part.kind!r}")
    return Turn(
        role=message.role,
        content="".join(part.text for part in message.parts),
        name=message.name,
        tool_call_id=message.tool_call_id,
    )
