"""One stored sample: its key, its row, and the checksum that tells damage from data.

SQLite notices a damaged page structure but not a flipped byte in a text, so every row carries a CRC of
itself.
"""

from __future__ import annotations

import zlib
from array import array
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from steplabel.engines.port import Completion, Completions, GenerateRequest, RenderedPrompt
from steplabel.schemas import EngineError, FinishReason, ModelIdentity, StoreError, content_id

COLUMNS: Final = (
    "key, text, finish_reason, token_ids, completion_tokens, prompt_tokens, cached_tokens, "
    "cumulative_logprob, prompt_logprob, checksum"
)
Row = tuple[Any, ...]


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
    how = (request.sampling, request.seed, *asked)
    return tuple(
        content_id("rollout", who, what, *how, index) for index in range(request.start, request.start + request.n)
    )


def to_rows(keys: Iterable[str], answer: Completions) -> list[Row]:
    """Rows of one answer, in the order of COLUMNS.

    Raises:
        EngineError: a text has no UTF-8 form (lone surrogates), or a token id more than 31 bits.
    """
    try:
        for sample in answer.samples:
            sample.text.encode()
        return [_row(key, sample, answer) for key, sample in zip(keys, answer.samples, strict=True)]
    except (UnicodeEncodeError, OverflowError) as error:
        raise EngineError(f"the engine returned what no store can keep: {error}") from error


def _row(key: str, sample: Completion, answer: Completions) -> Row:
    row = (
        bytes.fromhex(key),
        sample.text,
        sample.finish_reason.value,
        array("i", sample.token_ids).tobytes(),
        sample.completion_tokens,
        answer.prompt_tokens,
        answer.cached_tokens,
        sample.cumulative_logprob,
        answer.prompt_logprob,
    )
    return (*row, _checksum(row))


def from_row(row: Row, index: int) -> StoredSample:
    """Read a row; `index` is the sample index of its key.

    Raises:
        StoreError: the row is not what was written.
    """
    if _checksum(row[:-1]) != row[-1]:
        raise StoreError(
            f"rollout {row[0].hex()} in the store is damaged: restore a copy of the store, or start a new one"
        )
    key, text, finish, ids, completion_tokens, prompt_tokens, cached, logprob, prompt_logprob, _ = row
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


def _checksum(values: Sequence[Any]) -> int:
    return zlib.crc32(repr(tuple(values)).encode())
