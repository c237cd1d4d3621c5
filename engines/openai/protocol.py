"""Answers of the OpenAI protocol: what must hold before a text is believed.

A text counts only if the right model wrote it and its end is known. What is decided where servers differ:

    fewer choices than asked for    those that came are kept, the caller asks for the rest
    more                            the first n by index
    an index twice, or below 0      the whole answer is refused: which text is which sample is not known
    text missing, unknown ending    that choice is as good as missing
    another model's name            refused; a dated snapshot (`name-2025-01-31`) is the model itself, and so is
                                    who gives no name: some servers never do
    an error beside the choices     refused: a gateway that lost its server in the middle of a text
    cut below the limit we sent     the server bounds every text: the run ends, for its labels would favour short ones
    content null, reasoning given   an empty text: a thinking model that stopped, or was cut, before its answer
    content null, refusal given     an empty text, filtered
    no usage                        tokens are counted where ids or log-probabilities show them, else one a byte,
                                    which is more than there are: a budget must end

A refused answer raises `Passing`: it is asked again.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

import msgspec

from steplabel.engines.openai.counting import check_length, tokens_each
from steplabel.engines.openai.retries import Passing
from steplabel.engines.openai.shapes import Body, Choice, PromptDetails, ServerError, Usage
from steplabel.engines.port import Completion
from steplabel.schemas import FinishReason

FINISH_REASONS: Final = {
    "stop": FinishReason.STOP,
    "length": FinishReason.LENGTH,
    "content_filter": FinishReason.FILTERED,
}
EXCERPT: Final = 300  # characters of a server's own words that an error repeats
_DATED: Final = re.compile(r"-\d{4}-?\d{2}-?\d{2}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What an answer must fit.

    Attributes:
        start, n: sample indices asked for; the server counts them from 0.
        max_tokens: most tokens of one sample, as sent.
        context: most tokens of prompt and sample together; 0 if not known.
        prompt_tokens: of the prompt sent, where it is known.
        add_stop: the stop text that the server names is to be put back at the end.
    """

    model: str
    start: int
    n: int
    max_tokens: int
    context: int = 0
    prompt_tokens: int = 0
    logprobs: bool = False
    prompt_logprobs: bool = False
    add_stop: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What was asked for and came.

    Attributes:
        samples: at least one, by index.
        completion_tokens: of all choices of the answer, those left out too: they were paid for.
    """

    samples: tuple[Completion, ...]
    prompt_tokens: int
    cached_tokens: int
    completion_tokens: int
    prompt_logprob: float | None

    @property
    def unused_tokens(self) -> int:
        """Of the choices that are no samples."""
        return self.completion_tokens - sum(sample.completion_tokens for sample in self.samples)


_DECODER: Final = msgspec.json.Decoder(Body)


def read_answer(raw: bytes, asked: Asked) -> Answer:
    """Parse and check the body of a successful answer.

    Raises:
        Passing: it cannot be believed: see the table above.
        ModelLoadError: the server cuts texts below the limit that was sent.
    """
    try:
        body = _DECODER.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Passing(f"the server's answer is not what the protocol says ({error}): {_excerpt(raw)}") from error
    _check_whole(body, asked)
    choices = body.choices or []
    usage = body.usage or Usage()
    prompt_tokens = asked.prompt_tokens if usage.prompt_tokens is None else usage.prompt_tokens
    room = asked.context - prompt_tokens if asked.context and prompt_tokens else None
    check_length(choices, usage, limit=asked.max_tokens, room=room)
    tokens = tokens_each(choices, usage, limit=asked.max_tokens)
    samples = [
        sample
        for choice, count in zip(choices, tokens, strict=True)
        if choice.index < asked.n and (sample := _sample(choice, count, asked)) is not None
    ]
    if not samples:
        raise Passing(f"no choice of the answer can be used: {_excerpt(raw)}")
    details = usage.prompt_tokens_details or PromptDetails()
    return Answer(
        samples=tuple(sorted(samples, key=lambda sample: sample.index)),
        prompt_tokens=prompt_tokens,
        cached_tokens=min(details.cached_tokens or 0, prompt_tokens),
        completion_tokens=sum(tokens),
        prompt_logprob=_prompt_logprob(body) if asked.prompt_logprobs else None,
    )


def server_message(raw: bytes) -> str:
    """What a server says in the body of an error, as well as can be told."""
    try:
        said = msgspec.json.decode(raw, type=dict[str, msgspec.Raw])
        error = msgspec.json.decode(said.get("error", raw), type=ServerError | str)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return _excerpt(raw)
    message = error if isinstance(error, str) else error.message
    return message[:EXCERPT] if message else _excerpt(raw)


def error_code(raw: bytes) -> str:
    """The word by which a server names the kind of an error; empty where it gives none."""
    try:
        error = msgspec.json.decode(raw, type=Body).error
    except (msgspec.DecodeError, UnicodeDecodeError):
        return ""
    return str(error.code or error.type or "") if isinstance(error, ServerError) else ""


def _check_whole(body: Body, asked: Asked) -> None:
    if body.error is not None:
        said = body.error if isinstance(body.error, str) else body.error.message
        raise Passing(f"the server answered with an error: {said}")
    if not body.choices:
        raise Passing("the answer holds no choices")
    if body.model and not _is_model(body.model, asked.model):
        raise Passing(
            f"model {asked.model!r} was asked, and {body.model!r} answered: set answers_as={body.model} if it is one"
        )
    indices = [choice.index for choice in body.choices]
    if len(set(indices)) < len(indices) or min(indices) < 0:
        raise Passing(f"the answer's choices have the indices {indices}: set max_n=1 if this server always does so")


def _is_model(answering: str, asked: str) -> bool:
    dated = answering.startswith(asked) and _DATED.fullmatch(answering[len(asked) :])
    return answering == asked or bool(dated)


def _sample(choice: Choice, tokens: int, asked: Asked) -> Completion | None:
    """The choice as a sample; None if it is not whole."""
    text, finish = choice.said, _finish(choice)
    if text is None or finish is None:
        return None
    logprobs = choice.logprobs.values() if choice.logprobs else None
    if asked.logprobs and logprobs is None:
        raise Passing("log-probabilities were asked for, the answer holds none")
    stop = choice.stop_reason or choice.matched_stop
    if asked.add_stop and finish is FinishReason.STOP and isinstance(stop, str):
        text += stop
    return Completion(
        index=asked.start + choice.index,
        text=text,
        finish_reason=finish,
        token_ids=_ids_of_text(choice, finish),
        completion_tokens=tokens,
        cumulative_logprob=sum(logprobs) if asked.logprobs and logprobs is not None else None,
    )


def _finish(choice: Choice) -> FinishReason | None:
    if choice.message is not None and choice.message.refusal and choice.message.content is None:
        return FinishReason.FILTERED
    return FINISH_REASONS.get(choice.finish_reason or "")


def _ids_of_text(choice: Choice, finish: FinishReason) -> tuple[int, ...]:
    """Generated ids without the end token: the last one, where neither length nor a stop text ended the sample."""
    ids = choice.token_ids or []
    ended = finish is FinishReason.STOP and not isinstance(choice.stop_reason, str)
    return tuple(ids[:-1] if ended else ids)


def _prompt_logprob(body: Body) -> float:
    """Sum over the prompt's tokens but the first, which nothing precedes."""
    choices = body.choices or []
    each = body.prompt_logprobs or next((c.prompt_logprobs for c in choices if c.prompt_logprobs), None)
    if each is None:
        raise Passing("log-probabilities of the prompt were asked for, the answer holds none")
    # vLLM puts the prompt's own token first, and likelier ones behind it.
    return sum(next(iter(tokens.values())).logprob for tokens in each if tokens)


def _excerpt(raw: bytes) -> str:
    text = raw[: 4 * EXCERPT].decode(errors="replace")
    return repr(text[:EXCERPT]) if text else "(empty)"
