"""What is stored of a sample and of its request: keys, rows, and the checksums that tell damage from data.

SQLite notices a damaged page structure but not a flipped byte in a text, so every row carries a CRC of itself.
"""

from __future__ import annotations

import zlib
from array import array
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import count
from typing import Any, Final

from steplabel.engines.port import Completion, Completions, GenerateRequest, RenderedPrompt
from steplabel.engines.store.usage import Usage
from steplabel.schemas import EngineError, FinishReason, ModelIdentity, codec, content_id
from steplabel.schemas.exported_rollout import MAX_COUNT, MAX_TEXT_BYTES

COLUMNS: Final = (
    "key, text, finish_reason, token_ids, completion_tokens, prompt_tokens, cached_tokens, "
    "cumulative_logprob, prompt_logprob, request, sample, checksum"
)
REQUEST_COLUMNS: Final = "key, model, model_name, licence, prompt, sampling, seed, checksum"
Row = tuple[Any, ...]
"""In the order of COLUMNS or REQUEST_COLUMNS, the checksum last."""

REQUEST, SAMPLE = 9, 10  # places in a row of COLUMNS


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredSample:
    """A sample as stored. `prompt_*` and `cached_tokens` are those of the request that drew it."""

    key: str
    completion: Completion
    prompt_tokens: int
    cached_tokens: int
    prompt_logprob: float | None


def sample_keys(identity: ModelIdentity, rendered: RenderedPrompt, request: GenerateRequest) -> tuple[str, ...]:
    """Content key of each sample wanted, in order: who answers, what it reads, how it draws, which draw.

    The licence plays no part: it does not change the text.
    """
    asked = _asked(identity, rendered, request)
    return tuple(content_id("rollout", *asked, index) for index in range(request.start, request.start + request.n))


def request_key(identity: ModelIdentity, rendered: RenderedPrompt, request: GenerateRequest) -> bytes:
    """What the samples of one request share: their key without the index."""
    return bytes.fromhex(content_id("request", *_asked(identity, rendered, request)))


def _asked(identity: ModelIdentity, rendered: RenderedPrompt, request: GenerateRequest) -> tuple[Any, ...]:
    who = (
        identity.name,
        identity.weights,
        identity.dtype,
        identity.quantization,
        identity.adapter,
        identity.tokenizer,
    )
    what = rendered.token_ids or rendered.text
    # Only where asked for: a sample drawn without log-probabilities cannot answer a request for them.
    extras = (request.logprobs, request.prompt_logprobs)
    asked = () if extras == (None, None) else (extras,)
    return (who, what, request.sampling, request.seed, *asked)


def request_row(key: bytes, identity: ModelIdentity, prompt: str, request: GenerateRequest) -> Row:
    """What is known of a request besides its answers; `prompt` is all that the model read, as text.

    Raises:
        EngineError: the prompt has no UTF-8 form, or is longer than any store can keep.
    """
    return with_checksum(
        (
            key,
            identity.id,
            identity.name,
            identity.licence,
            _storable(prompt, "prompt"),
            codec.to_json(request.sampling).decode(),
            request.seed if abs(request.seed) <= MAX_COUNT else None,  # the key tells such seeds apart all the same
        )
    )


def spent(answer: Completions) -> Usage:
    """What an answer of the model cost.

    Raises:
        EngineError: a count is not one: it would spoil every later sum.
    """
    try:
        return Usage(
            engine_requests=answer.requests,
            engine_samples=len(answer.samples),
            prompt_tokens=_count(answer.prompt_tokens),
            completion_tokens=sum(_count(sample.completion_tokens) for sample in answer.samples)
            + _count(answer.unused_tokens),
            cached_tokens=_count(answer.cached_tokens),
            cost=real(answer.cost) or 0.0,
        )
    except (OverflowError, TypeError) as error:
        raise EngineError(f"the engine counts what cannot be: {error}") from error


def to_rows(keys: Iterable[str], answer: Completions, request: bytes, start: int) -> list[Row]:
    """Rows of one answer to the request of this key, its samples numbered from `start`, in the order of COLUMNS.

    Raises:
        EngineError: the answer holds what would not come back as it was: a text without UTF-8 form (lone
            surrogates) or too long, a token id past 31 bits, a count past 63.
    """
    try:
        samples = zip(keys, answer.samples, count(start), strict=False)
        return [_row(key, sample, answer, (request, index)) for key, sample, index in samples]
    except (OverflowError, TypeError) as error:
        raise EngineError(f"the engine returned what no store can keep: {error}") from error


def _row(key: str, sample: Completion, answer: Completions, place: tuple[bytes, int]) -> Row:
    return with_checksum(
        (
            bytes.fromhex(key),
            _storable(sample.text, "text"),
            sample.finish_reason.value,
            array("i", sample.token_ids).tobytes(),
            _count(sample.completion_tokens),
            _count(answer.prompt_tokens),
            _count(answer.cached_tokens),
            real(sample.cumulative_logprob),
            real(answer.prompt_logprob),
            place[0],
            _count(place[1]),
        )
    )


def _storable(text: str, what: str) -> str:
    try:
        size = len(text.encode())
    except UnicodeEncodeError as error:
        raise EngineError(f"the engine's {what} is no text that a store can keep: {error}") from error
    if size > MAX_TEXT_BYTES:
        raise EngineError(f"the engine's {what} has {size:,} bytes, a store keeps at most {MAX_TEXT_BYTES:,}")
    return str(text)


def _count(number: int) -> int:
    """A plain int: numpy's, and bools, would come back as another type than they went in."""
    if not 0 <= number <= MAX_COUNT:
        raise OverflowError(f"the count {number} is negative or has more than 63 bits")
    return int(number)


def real(number: float | None) -> float | None:
    """As SQLite gives it back: always a float, never the negative zero, and NaN as what it says: unknown."""
    return None if number is None or number != number else float(number) + 0.0  # noqa: PLR0124 - only NaN differs from itself


def from_row(row: Row, index: int) -> StoredSample:
    """Read an intact row; `index` is the sample index of its key. Raises ValueError for an unknown finish reason."""
    key, text, finish, ids, completion_tokens, prompt_tokens, cached, logprob, prompt_logprob, *_ = row
    completion = Completion(
        index=index,
        text=text,
        finish_reason=FinishReason(finish),
        token_ids=tuple(array("i", ids)),
        completion_tokens=completion_tokens,
        cumulative_logprob=logprob,
    )
    return StoredSample(
        key=key.hex(),
        completion=completion,
        prompt_tokens=prompt_tokens,
        cached_tokens=cached,
        prompt_logprob=prompt_logprob,
    )


def is_intact(row: Row) -> bool:
    """Whether a row of either table is what was written."""
    return bool(_checksum(row[:-1]) == row[-1])


def with_checksum(values: Sequence[Any]) -> Row:
    """A row of these values, its checksum at the end."""
    return (*values, _checksum(values))


def answering(row: Row, request: bytes | None, sample: int | None) -> Row:
    """An intact rollout's row that says which request it answers, and as which of its samples."""
    return with_checksum((*row[:REQUEST], request, sample))


def _checksum(values: Sequence[Any]) -> int:
    # Version 1 wrote no request: its rows keep the checksum they have.
    values = values[:REQUEST] if tuple(values[REQUEST:]) == (None, None) else values
    return zlib.crc32(repr(tuple(values)).encode())
