"""A model run by vLLM in this process's charge: continuous batching, prefix caching, many GPUs, adapters.

Covered: text prompts and chat messages; n samples that share their prefix, each with a seed of its own;
log-probabilities of answers and prompts; one LoRA adapter; restart after the death of vLLM's processes.
Not covered: images; temperatures above 2 or between 0 and 0.01 (ConfigError).

The model is given exactly the token ids that `render` tells the store. On a CPU in float32 a sample does not
depend on what else is in the batch, but for the last bits of a logit; elsewhere it may.

vLLM counts cached tokens by sample and tells the count of the one that ended last: of several samples, those that
found the prompt where the first had just put it are taken for it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from vllm import CompletionOutput, RequestOutput
from vllm import SamplingParams as VLLMParams
from vllm.exceptions import VLLMClientError
from vllm.sampling_params import RequestOutputKind

from steplabel.engines.port import Completion, Completions, GenerateRequest, RenderedPrompt
from steplabel.engines.text.codec import TextCodec
from steplabel.engines.vllm.supervisor import Supervisor
from steplabel.schemas import ConfigError, EngineError, FinishReason, ModelIdentity, derive_seed

SMALLEST_TEMPERATURE: Final = 0.01  # vLLM silently raises smaller ones to it
_FINISH: Final = {"stop": FinishReason.STOP, "length": FinishReason.LENGTH}


class VLLMEngine:
    """Generates with vLLM. May be called from any number of event loops.

    Args:
        supervisor: a running vLLM; it belongs to the engine from then on.
        codec: the model's tokenizer.
        identity: who it is (`VLLMSpec` reads it from the model's files).
        clips: whether answers end where the context does. It must not be so where the context was made smaller
            than the model's own: the store does not know of it, and would hand cut samples on.
    """

    def __init__(
        self, supervisor: Supervisor, codec: TextCodec, *, identity: ModelIdentity, clips: bool = True
    ) -> None:
        self._supervisor = supervisor
        self._codec = codec
        self._identity = identity
        self._clips = clips

    @property
    def identity(self) -> ModelIdentity:
        """As given."""
        return self._identity

    def render(self, request: GenerateRequest) -> RenderedPrompt:
        """Text and token ids that the model reads. Raises ConfigError as `TextCodec.render` does."""
        return self._codec.render(request)

    async def generate(self, request: GenerateRequest) -> Completions:
        """Sample; a cancelled call takes its request out of vLLM's batch.

        Raises:
            ConfigError: the prompt fills the context, or vLLM refuses a parameter.
            EngineError: the model failed, or its process died more often than it is started again.
            EngineClosed: after `close`.
        """
        ids = self.render(request).token_ids
        params = _params(request, self._room(request, len(ids)), sorted(self._codec.end_ids))
        return _completions(request, await self._supervisor.generate(ids, params))

    async def reset_prefix_cache(self) -> None:
        """Forget every prefix: for measurements that must find none."""
        await self._supervisor.reset_prefix_cache()

    async def close(self) -> None:
        """End vLLM's processes."""
        await asyncio.to_thread(self._supervisor.close)

    def _room(self, request: GenerateRequest, prompt_tokens: int) -> int:
        """Tokens that an answer may have."""
        context, wanted = self._supervisor.max_model_len, request.sampling.max_tokens
        room = context - prompt_tokens
        if not prompt_tokens or room < 1:
            raise ConfigError(
                f"a prompt of {prompt_tokens} tokens leaves nothing to generate in a context of {context}"
            )
        if room < wanted and not self._clips:
            raise ConfigError(
                f"a prompt of {prompt_tokens} tokens and max_tokens={wanted} exceed max_model_len={context}: "
                "raise it, or lower max_tokens"
            )
        return min(wanted, room)


def first_seed(request: GenerateRequest) -> int:
    """Seed of the request's first sample.

    vLLM seeds sample i of a request with its seed + i, so sample i of all has the same whatever `start` is, and
    6 samples and then 2 more are what 8 are. 62 bits, so that counting up stays within vLLM's 63.
    """
    return (derive_seed("vllm", request.seed) >> 1) + request.start


def _params(request: GenerateRequest, max_tokens: int, end_ids: Sequence[int]) -> VLLMParams:
    """Every parameter said: a model's own generation config must not fill any in."""
    sampling = request.sampling
    if 0 < sampling.temperature < SMALLEST_TEMPERATURE:
        raise ConfigError(
            f"temperature={sampling.temperature}: vLLM samples at no less than {SMALLEST_TEMPERATURE}; 0 is greedy"
        )
    try:
        return VLLMParams(
            n=_drawn(request),
            seed=first_seed(request),
            temperature=sampling.temperature,
            top_p=sampling.top_p,
            top_k=sampling.top_k,
            min_p=sampling.min_p,
            repetition_penalty=sampling.repetition_penalty,
            presence_penalty=0.0,
            frequency_penalty=0.0,
            max_tokens=max_tokens,
            stop=list(sampling.stop),
            stop_token_ids=list(end_ids),  # a turn's end that the model's generation config forgets is still an end
            include_stop_str_in_output=sampling.include_stop,
            skip_special_tokens=True,
            # Only the sum is reported, which needs the drawn tokens' own alone.
            logprobs=None if request.logprobs is None else 0,
            prompt_logprobs=None if request.prompt_logprobs is None else 0,
            output_kind=RequestOutputKind.FINAL_ONLY,
        )
    except VLLMClientError as error:
        raise ConfigError(f"vLLM refuses the request: {error}") from error


def _drawn(request: GenerateRequest) -> int:
    """Samples to ask vLLM for: greedy ones are all the same, and it refuses to draw several."""
    return request.n if request.sampling.temperature > 0 else 1


def _completions(request: GenerateRequest, answer: RequestOutput) -> Completions:
    drawn = [_completion(output, request.start + output.index) for output in answer.outputs]
    if len(drawn) != _drawn(request):
        raise EngineError(f"vLLM returned {len(drawn)} samples, {_drawn(request)} were asked for")
    samples = (
        drawn if len(drawn) == request.n else [replace(drawn[0], index=request.start + i) for i in range(request.n)]
    )
    ids = answer.prompt_token_ids or []
    return Completions(
        samples=tuple(samples),
        prompt_tokens=len(ids),
        cached_tokens=answer.num_cached_tokens or 0,
        prompt_logprob=_prompt_logprob(ids, answer),
    )


def _completion(output: CompletionOutput, index: int) -> Completion:
    finish = _FINISH.get(output.finish_reason or "")
    if finish is None:
        raise EngineError(f"vLLM ended a sample with {output.finish_reason!r}")
    # Ended by a token, not by a text or for want of room: that token is no part of the answer.
    ended = finish is FinishReason.STOP and not isinstance(output.stop_reason, str)
    ids = tuple(output.token_ids)
    return Completion(
        index=index,
        text=output.text,
        finish_reason=finish,
        token_ids=ids[:-1] if ended else ids,
        completion_tokens=len(ids),
        cumulative_logprob=output.cumulative_logprob,
    )


def _prompt_logprob(ids: Sequence[int], answer: RequestOutput) -> float | None:
    """Sum over the prompt's tokens, but the first, which nothing precedes; None unless asked for."""
    if answer.prompt_logprobs is None:
        return None
    rows = zip(ids, answer.prompt_logprobs, strict=True)
    return float(sum(row[token].logprob for token, row in rows if row))
