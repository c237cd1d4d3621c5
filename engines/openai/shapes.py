"""The shapes of answers of the OpenAI protocol, as far as they are read: all fields may be missing."""

from __future__ import annotations

from typing import Annotated

import msgspec

Count = Annotated[int, msgspec.Meta(ge=0, le=2**53)]
TokenId = Annotated[int, msgspec.Meta(ge=0, le=2**31 - 1)]


class ServerError(msgspec.Struct):
    """What a server says went wrong."""

    message: str | None = None
    type: str | None = None
    code: str | int | None = None


class PromptDetails(msgspec.Struct):
    """`usage.prompt_tokens_details`."""

    cached_tokens: Count | None = None


class Usage(msgspec.Struct):
    """Tokens of one HTTP answer; `completion_tokens` of all its choices together."""

    prompt_tokens: Count | None = None
    completion_tokens: Count | None = None
    prompt_tokens_details: PromptDetails | None = None


class TokenLogprob(msgspec.Struct):
    """One token's log-probability."""

    logprob: float


class Logprobs(msgspec.Struct):
    """Of the generated tokens: `token_logprobs` in completions, `content` in chats."""

    token_logprobs: list[float | None] | None = None
    content: list[TokenLogprob] | None = None

    def values(self) -> list[float] | None:
        """One number a token, None where the server left any out."""
        if self.content is not None:
            return [token.logprob for token in self.content]
        numbers = [number for number in self.token_logprobs or () if number is not None]
        return numbers if self.token_logprobs is not None and len(numbers) == len(self.token_logprobs) else None


class ChatMessage(msgspec.Struct):
    """The assistant's turn."""

    content: str | None = None
    refusal: str | None = None
    reasoning: str | None = None
    reasoning_content: str | None = None


class Choice(msgspec.Struct):
    """One sample: `text` in completions, `message` in chats. The last four are extensions of vLLM and SGLang."""

    index: int = 0
    text: str | None = None
    message: ChatMessage | None = None
    finish_reason: str | None = None
    logprobs: Logprobs | None = None
    stop_reason: int | str | None = None
    matched_stop: int | str | None = None
    token_ids: list[TokenId] | None = None
    prompt_logprobs: list[dict[str, TokenLogprob] | None] | None = None

    @property
    def said(self) -> str | None:
        """The text; of a chat without one, the empty text where there was a thought or a refusal. None: missing."""
        message = self.message
        if message is None:
            return self.text
        thought = message.reasoning or message.reasoning_content
        return "" if message.content is None and (thought or message.refusal) else message.content


class Body(msgspec.Struct):
    """An answer as it came."""

    choices: list[Choice] | None = None
    model: str | None = None
    usage: Usage | None = None
    error: ServerError | str | None = None
    prompt_logprobs: list[dict[str, TokenLogprob] | None] | None = None
