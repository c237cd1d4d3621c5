"""Sample many continuations at once from the bundled model's own module.

Used by training's look at itself and by the held-out evaluation, where tens of thousands of short rollouts
are wanted and a general engine's bookkeeping would cost more than the model. Rows that have ended are dropped
from the batch, and samples of one prefix share its prefill.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import torch
from torch import Tensor

from steplabel.engines.bundled.model import CacheView, CompactLlama, LayerCache
from steplabel.engines.bundled.tokenizer import BOS, EOS, PAD, decode, encode

# Dropping ended rows copies the cache, so it waits until a quarter of them have ended.
_KEPT: Final = 0.75


@dataclass(slots=True, kw_only=True)
class _Rows:
    """The rows in the batch: which they are, which still run, their padding on the left, and their cache."""

    numbers: Tensor
    running: Tensor
    padding: Tensor
    cache: list[LayerCache]

    def take(self, rows: Tensor) -> _Rows:
        return _Rows(
            numbers=self.numbers[rows],
            running=self.running[rows],
            padding=self.padding[rows],
            cache=[layer.take(rows) for layer in self.cache],
        )

    def mask(self, filled: int) -> Tensor | None:
        """What a new token may look at: everything but the padding."""
        if not bool(self.padding.any()):
            return None
        slots = torch.arange(filled, device=self.padding.device)
        return (slots >= self.padding[:, None])[:, None, None]


@torch.inference_mode()
def sample_texts(
    model: CompactLlama,
    prompts: Sequence[str],
    *,
    temperature: float,
    seed: int,
    samples: int = 1,
    max_tokens: int = 160,
    batch: int = 256,
) -> list[list[str]]:
    """Continue each prompt `samples` times; temperature 0 takes the likeliest token.

    Prompts are run in batches of similar length, so what is drawn depends on all of them and the seed
    together. A sample cut by `max_tokens` is returned as far as it got.
    """
    generator = torch.Generator(device=model.cos.device).manual_seed(seed)
    encoded = [[BOS, *encode(prompt)] for prompt in prompts]
    order = sorted(range(len(prompts)), key=lambda index: len(encoded[index]))
    texts: list[list[str]] = [[] for _ in prompts]
    at_once = max(1, batch // samples)
    for begin in range(0, len(order), at_once):
        indices = order[begin : begin + at_once]
        chosen = [encoded[i] for i in indices]
        rows = _sample_batch(model, chosen, temperature, generator, samples=samples, max_tokens=max_tokens)
        for place, row in enumerate(rows):
            texts[indices[place // samples]].append(decode(row))
    return texts


def _sample_batch(
    model: CompactLlama,
    prompts: list[list[int]],
    temperature: float,
    generator: torch.Generator,
    *,
    samples: int,
    max_tokens: int,
) -> list[list[int]]:
    length = max(map(len, prompts))
    capacity = min(model.config.positions, length + max_tokens)
    rows, hidden = _prefill(model, prompts, capacity)
    repeat = torch.arange(len(prompts), device=hidden.device).repeat_interleave(samples)
    rows, hidden = rows.take(repeat), hidden[repeat]
    rows.numbers = torch.arange(len(repeat), device=hidden.device)
    outputs: list[list[int]] = [[] for _ in range(len(repeat))]
    for filled in range(length, capacity):
        drawn = _draw(model.logits(hidden), temperature, generator)
        rows.running = rows.running & (drawn != EOS)
        chosen = rows.numbers[rows.running].tolist()
        for number, token in zip(chosen, drawn[rows.running].tolist(), strict=True):
            outputs[number].append(token)
        if filled + 1 == capacity or not chosen:
            break
        if len(chosen) < _KEPT * len(drawn):
            drawn, rows = drawn[rows.running], rows.take(rows.running)
        view = CacheView(layers=rows.cache, start=filled, mask=rows.mask(filled + 1))
        hidden = model.forward_cached(drawn[:, None], (filled - rows.padding)[:, None], view)[:, -1]
    return outputs


def _prefill(model: CompactLlama, prompts: list[list[int]], capacity: int) -> tuple[_Rows, Tensor]:
    """Read left-padded prompts; returns the rows and the hidden state after each prompt's last token."""
    device, config = model.cos.device, model.config
    length = max(map(len, prompts))
    ids = torch.tensor([[PAD] * (length - len(p)) + p for p in prompts], device=device)
    padding = torch.tensor([length - len(p) for p in prompts], device=device)
    slots = torch.arange(length, device=device)
    shape = (len(prompts), config.heads, capacity, config.head_width)
    kind = model.embed_tokens.weight.dtype
    cache = [
        LayerCache(
            keys=torch.zeros(shape, device=device, dtype=kind),
            values=torch.zeros(shape, device=device, dtype=kind),
        )
        for _ in range(config.layers)
    ]
    visible = (slots[None] >= padding[:, None])[:, None, None] & (slots[:, None] >= slots)[None, None]
    # A padding token that may look at nothing would turn into NaN: let each look at itself.
    visible = visible | torch.eye(length, dtype=torch.bool, device=device)
    view = CacheView(layers=cache, start=0, mask=visible)
    hidden = model.forward_cached(ids, (slots[None] - padding[:, None]).clamp(min=0), view)[:, -1]
    numbers = torch.arange(len(prompts), device=device)
    running = torch.ones_like(numbers, dtype=torch.bool)
    return _Rows(numbers=numbers, running=running, padding=padding, cache=cache), hidden


def _draw(logits: Tensor, temperature: float, generator: torch.Generator) -> Tensor:
    if temperature == 0:
        return logits.argmax(-1)
    chances = (logits / temperature).softmax(-1)
    return torch.multinomial(chances, 1, generator=generator)[:, 0]
