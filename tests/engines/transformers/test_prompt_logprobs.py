"""Log-probabilities of prompts, against a plain forward pass of the same model."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import Any

import pytest
import torch
from transformers import LlamaForCausalLM, MistralConfig, MistralForCausalLM, PreTrainedTokenizerFast

from steplabel.engines import Completions, GenerateRequest
from steplabel.engines.transformers import decoding
from steplabel.engines.transformers.engine import TransformersEngine
from steplabel.schemas import EngineError

Opened = Callable[..., AbstractAsyncContextManager[TransformersEngine]]
Ask = Callable[..., GenerateRequest]
PROMPTS = ["a", "hello world", "12+34=46.\n", "z" * 40, "ab ba", "x = 7\ny = 8\n", "a" * 200]


def answers(opened: Opened, requests: list[GenerateRequest], used: Any = None, **options: Any) -> list[Completions]:
    """All requests at once, on an engine of their own."""

    async def run() -> list[Completions]:
        async with opened(used, **options) as engine:
            return await asyncio.gather(*(engine.generate(request) for request in requests))

    return asyncio.run(run())


def reference(model: Any, tokenizer: PreTrainedTokenizerFast, text: str) -> float:
    """Sum over the tokens but the first, by one forward pass over this text alone."""
    ids = tokenizer(text)["input_ids"]
    with torch.inference_mode():
        table = model(torch.tensor([ids])).logits[0].double().log_softmax(-1)
    return sum(table[at - 1, ids[at]].item() for at in range(1, len(ids)))


@pytest.mark.parametrize("max_rows", [1, 3, 64])
def test_equals_a_plain_forward_pass(
    opened: Opened, ask: Ask, model: LlamaForCausalLM, tokenizer: PreTrainedTokenizerFast, max_rows: int
) -> None:
    """Ragged prompts, padded beside each other or alone: each sum is that of its own prompt."""
    requests = [ask(text, prompt_logprobs=0, max_tokens=3) for text in PROMPTS]
    for text, answer in zip(PROMPTS, answers(opened, requests, max_rows=max_rows), strict=True):
        assert answer.prompt_logprob == pytest.approx(reference(model, tokenizer, text), abs=1e-3)


def test_a_cache_of_another_kind(opened: Opened, ask: Ask, tokenizer: PreTrainedTokenizerFast) -> None:
    """Models with sliding windows, which are read in whole batches, give the same as their plain forward pass."""
    torch.manual_seed(1)
    config = MistralConfig(
        vocab_size=len(tokenizer),
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=256,
        sliding_window=8,
        initializer_range=0.3,
        bos_token_id=1,
        eos_token_id=2,
        pad_token_id=0,
    )
    model = MistralForCausalLM(config).eval()
    requests = [ask(text, prompt_logprobs=0, max_tokens=2) for text in PROMPTS]
    for text, answer in zip(PROMPTS, answers(opened, requests, model), strict=True):
        assert answer.prompt_logprob == pytest.approx(reference(model, tokenizer, text), abs=1e-3)


def test_samples_do_not_change(opened: Opened, ask: Ask) -> None:
    """Asking for it leaves the samples as they are, in a batch with requests that do not ask."""
    plain = [ask(text, n=2, max_tokens=8) for text in PROMPTS]
    asking = [ask(text, n=2, max_tokens=8, prompt_logprobs=1) for text in PROMPTS]
    alone = answers(opened, plain)
    mixed = answers(opened, [*plain, *asking])
    assert [answer.samples for answer in mixed] == [answer.samples for answer in (*alone, *alone)]
    assert [answer.prompt_logprob is None for answer in mixed] == [True] * len(plain) + [False] * len(asking)


def test_a_request_that_comes_in_parts(
    opened: Opened, ask: Ask, model: LlamaForCausalLM, tokenizer: PreTrainedTokenizerFast
) -> None:
    """More samples than rows: the prompt is read more than once and said once."""
    (answer,) = answers(opened, [ask("hello", n=9, max_tokens=4, prompt_logprobs=0)], max_rows=2)
    assert len(answer.samples) == 9
    assert answer.prompt_logprob == pytest.approx(reference(model, tokenizer, "hello"), abs=1e-3)


def test_small_batches_where_all_logits_are_kept(
    opened: Opened,
    ask: Ask,
    model: LlamaForCausalLM,
    tokenizer: PreTrainedTokenizerFast,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The bound on kept logits is kept by smaller batches, whatever the number of rows, and changes no number."""
    monkeypatch.setattr(decoding, "PREFILL_LOGITS", 50 * model.config.vocab_size)
    widths: list[tuple[int, ...]] = []
    forward = model.forward

    def watched(**options: Any) -> Any:
        output = forward(**options)
        widths.append(tuple(output.logits.shape))
        return output

    monkeypatch.setattr(model, "forward", watched)
    requests = [ask(text, prompt_logprobs=0, max_tokens=1) for text in PROMPTS]
    found = answers(opened, requests)
    assert all(rows * width <= 50 or rows == 1 for rows, width, _ in widths)
    monkeypatch.undo()
    for text, answer in zip(PROMPTS, found, strict=True):
        assert answer.prompt_logprob == pytest.approx(reference(model, tokenizer, text), abs=1e-3)


def test_logits_that_are_no_numbers(opened: Opened, ask: Ask, model: LlamaForCausalLM) -> None:
    """A model that overflows fails the request; it does not give a log-probability of NaN."""
    broken = LlamaForCausalLM(model.config).eval()
    with torch.no_grad():
        broken.lm_head.weight.fill_(float("nan"))
    with pytest.raises(EngineError, match="not numbers"):
        answers(opened, [ask("hello", prompt_logprobs=0)], broken)
