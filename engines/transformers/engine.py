"""A transformers model in this process, on CPU or GPU, with continuous batching.

Covered: causal language models with text prompts or chat messages; many callers share one batch, samples of
one prefix share its prefill, each sample has its own seed. Models with plain full attention take rows in
while others run; sliding windows and recurrent layers are decoded in whole batches.
Not covered: images, adapters, more than one device; of log-probabilities there are sums, of answers and of prompts,
but no lists of likely tokens.

With float32 on a CPU a sample does not depend on what else is in the batch, but for the last bits of a logit,
which change a token about once in a million. In half precision, and on GPUs, it may.
"""

from __future__ import annotations

import asyncio
import os
from typing import Any, Final, TypeVar

import torch

from steplabel.engines.port import Completions, GenerateRequest, RenderedPrompt
from steplabel.engines.text.codec import TextCodec
from steplabel.engines.transformers.decoding import Decoder, Row
from steplabel.engines.transformers.scheduler import Job, Scheduler
from steplabel.schemas import ConfigError, ModelIdentity

T = TypeVar("T")
# Measured with 1.8M parameters and 90 tokens a sample, tokens per processor second on a busy machine, in two
# runs: 64 rows 3,200 and 3,400, 128 rows 3,900 and 3,500. benchmarks/engines.py measures it elsewhere.
MAX_ROWS_CPU: Final = 128
MAX_ROWS_GPU: Final = 256
SMALL_PARAMETERS: Final = 50_000_000
CACHE_SHARE: Final = 0.5  # of the memory that is free once the weights are loaded; the rest is for activations
CACHE_BYTES_CPU: Final = 4 * 2**30  # most that the cache takes of a CPU's memory, which others use too


class TransformersEngine:
    """Generates with a loaded model. May be called from any number of event loops.

    Args:
        model: a transformers causal LM; it is put in eval mode and belongs to the engine from then on.
        tokenizer: its tokenizer, or a codec made of it.
        identity: who it is (`TransformersSpec` reads it from the model's files).
        max_rows: samples decoded together; by default 128 on a CPU, 256 on a GPU.
        token_budget: rows times tokens of the longest that the cache may hold; by default what fits into half
            of the free memory.
        threads: CPU threads; by default one for a small model, torch's own choice for others. It holds for
            all of torch in this process.
    """

    def __init__(
        self,
        model: Any,
        tokenizer: Any,
        *,
        identity: ModelIdentity,
        max_rows: int | None = None,
        token_budget: int | None = None,
        threads: int | None = None,
    ) -> None:
        self._codec = tokenizer if isinstance(tokenizer, TextCodec) else TextCodec(tokenizer)
        self._identity = identity
        self._context = _context(model)
        on_gpu = model.device.type != "cpu"
        self._scheduler = Scheduler(
            Decoder(model.eval(), self._codec, _end_ids(model) | self._codec.end_ids),
            max_rows=_given(max_rows, MAX_ROWS_GPU if on_gpu else MAX_ROWS_CPU),
            token_budget=_given(token_budget, _fitting_tokens(model)),
            threads=_given(threads, _fitting_threads(model)),
        )

    @property
    def identity(self) -> ModelIdentity:
        """As given."""
        return self._identity

    def render(self, request: GenerateRequest) -> RenderedPrompt:
        """Text and token ids that the model reads. Raises ConfigError as `TextCodec.render` does."""
        return self._codec.render(request)

    async def generate(self, request: GenerateRequest) -> Completions:
        """Sample; a cancelled call gives its rows free at the next step.

        Raises:
            ConfigError: the prompt fills the model's context, or the request wants what is not covered.
            EngineError: the model failed while this request was aboard.
            EngineClosed: after `close`.
        """
        loop = asyncio.get_running_loop()
        job = Job(self._rows(request), loop, loop.create_future())
        self._scheduler.submit(job)
        try:
            return await job.future
        except asyncio.CancelledError:
            job.cancelled = True
            raise

    async def close(self) -> None:
        """End the decoding thread after its current step."""
        await asyncio.to_thread(self._scheduler.close)

    def _rows(self, request: GenerateRequest) -> list[Row]:
        ids = self.render(request).token_ids
        room = self._context - len(ids)
        if not ids or room < 1:
            raise ConfigError(
                f"a prompt of {len(ids)} tokens leaves nothing to generate in a context of {self._context}"
            )
        return [
            Row(
                prompt_ids=ids,
                index=index,
                sampling=request.sampling,
                seed=request.seed,
                max_tokens=min(request.sampling.max_tokens, room),
                want_logprob=request.logprobs is not None,
                want_prompt_logprob=request.prompt_logprobs is not None,
            )
            for index in range(request.start, request.start + request.n)
        ]


def _given(value: int | None, default: T) -> int | T:
    return default if value is None else value


def _fitting_threads(model: Any) -> int | None:
    """One CPU thread for a small model, whose operations are too short to be split.

    Measured on two cores, one of them kept busy by another process: a 1.8M-parameter model made 3,400
    tokens/s with one thread and 300 with two: in each operation one waited for the other to be scheduled.
    """
    small = model.device.type == "cpu" and model.num_parameters() < SMALL_PARAMETERS
    return 1 if small else None


def _context(model: Any) -> int:
    """Most tokens the model can hold, as its config says."""
    limit = getattr(model.config.get_text_config(decoder=True), "max_position_embeddings", None)
    return int(limit) if limit else 2**31


def _end_ids(model: Any) -> frozenset[int]:
    """Ids that end a text by the model's own generation config."""
    end = model.generation_config.eos_token_id if model.generation_config else None
    if end is None:
        return frozenset()
    return frozenset(end) if isinstance(end, list) else frozenset([int(end)])


def _fitting_tokens(model: Any) -> int:
    """Tokens whose keys and values, of every layer and in the model's own dtype, fit into memory."""
    config = model.config.get_text_config(decoder=True)
    heads = getattr(config, "num_key_value_heads", None) or config.num_attention_heads
    width = getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads
    per_token = 2 * config.num_hidden_layers * heads * width * model.dtype.itemsize
    # Buffers are laid out half as wide again as they need be (kv_cache.SPARE_COLUMNS).
    return max(1, int(_free_bytes(model.device) * CACHE_SHARE / 1.5 / per_token))


def _free_bytes(device: torch.device) -> int:
    if device.type == "cuda":
        return int(torch.cuda.mem_get_info(device)[0])
    free = os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return min(free, int(CACHE_BYTES_CPU / CACHE_SHARE))
