"""The sampler: greedy text does not depend on company, and temperature one is the model's own law."""

from __future__ import annotations

import pytest
import torch
from torch.nn import functional as F  # noqa: N812 - torch's own name for it

from steplabel.engines.bundled.model import CompactLlama
from steplabel.engines.bundled.sampler import _sample_batch, sample_texts
from steplabel.engines.bundled.task import generate_problem, seeded
from steplabel.engines.bundled.tokenizer import BOS, EOS, SPECIAL_TOKENS, decode, encode


@pytest.fixture(scope="module")
def prompts() -> list[str]:
    rng = seeded("prompts")
    return [generate_problem(rng, 1 + index % 5).text for index in range(12)]


@torch.inference_mode()
def greedy(model: CompactLlama, prompt: str, tokens: int) -> str:
    """The likeliest continuation, one full pass per token."""
    ids = [BOS, *encode(prompt)]
    start = len(ids)
    while len(ids) - start < tokens:
        drawn = int(model.logits(model(torch.tensor([ids])))[0, -1].argmax())
        if drawn == EOS:
            break
        ids.append(drawn)
    return decode(ids[start:])


def test_greedy_equals_full_passes(tiny_model: CompactLlama, prompts: list[str]) -> None:
    """With the cache, padding and dropped rows, temperature 0 says what full passes say."""
    texts = sample_texts(tiny_model, prompts[:6], temperature=0, seed=0, max_tokens=10, batch=4)
    assert [text for (text,) in texts] == [greedy(tiny_model, prompt, 10) for prompt in prompts[:6]]


@pytest.mark.parametrize("batch", [1, 3, 100])
def test_greedy_does_not_depend_on_the_batch(tiny_model: CompactLlama, prompts: list[str], batch: int) -> None:
    """How many prompts run together changes no greedy text."""
    alone = sample_texts(tiny_model, prompts, temperature=0, seed=0, max_tokens=15, batch=1)
    assert sample_texts(tiny_model, prompts, temperature=0, seed=0, max_tokens=15, batch=batch) == alone


def test_samples_are_seeded(tiny_model: CompactLlama, prompts: list[str]) -> None:
    """The same seed draws the same texts, another one others."""
    first = sample_texts(tiny_model, prompts, temperature=1, seed=5, max_tokens=15)
    assert sample_texts(tiny_model, prompts, temperature=1, seed=5, max_tokens=15) == first
    assert sample_texts(tiny_model, prompts, temperature=1, seed=6, max_tokens=15) != first


def test_every_prompt_gets_its_samples(tiny_model: CompactLlama, prompts: list[str]) -> None:
    """The answer has one list per prompt, in order, of as many texts as asked."""
    texts = sample_texts(tiny_model, prompts, temperature=1, seed=0, samples=3, max_tokens=5, batch=7)
    assert [len(samples) for samples in texts] == [3] * len(prompts)


def test_no_prompts(tiny_model: CompactLlama) -> None:
    """Nothing asked, nothing sampled."""
    assert sample_texts(tiny_model, [], temperature=1, seed=0) == []


def test_temperature_one_is_the_model_law(tiny_model: CompactLlama, prompts: list[str]) -> None:
    """First tokens of many samples are distributed as the model's probabilities say (chi-squared)."""
    count = 4000
    (texts,) = sample_texts(tiny_model, prompts[:1], temperature=1, seed=1, samples=count, max_tokens=1, batch=count)
    with torch.no_grad():
        hidden = tiny_model(torch.tensor([[BOS, *encode(prompts[0])]]))[:, -1]
        chances = F.softmax(tiny_model.logits(hidden)[0], dim=-1)
    for index in chances.topk(5).indices.tolist():
        if index < len(SPECIAL_TOKENS):
            continue  # special tokens leave no text to count
        expected = float(chances[index])
        seen = sum(text == decode([index]) for text in texts) / count
        assert seen == pytest.approx(expected, abs=4 * (expected * (1 - expected) / count) ** 0.5)


def token_counts(model: CompactLlama, prompts: list[list[int]], tokens: int) -> list[int]:
    generator = torch.Generator().manual_seed(0)
    outputs = _sample_batch(model, prompts, 1.0, generator, samples=1, max_tokens=tokens)
    return [len(output) for output in outputs]


@pytest.mark.parametrize("tokens", [1, 2, 7])
@torch.inference_mode()
def test_long_texts_are_cut(tiny_model: CompactLlama, tokens: int) -> None:
    """No sample is longer than asked, and one that does not end by itself is exactly as long."""
    counts = token_counts(tiny_model, [[BOS, 5, 6], [BOS, 7]] * 20, tokens)
    assert max(counts) == tokens


@pytest.mark.parametrize(("length", "room"), [(511, 1), (505, 7), (512, 0)])
@torch.inference_mode()
def test_positions_bound_everything(tiny_model: CompactLlama, length: int, room: int) -> None:
    """Prompt and sample together never pass the model's positions."""
    assert max(token_counts(tiny_model, [[BOS] * length] * 8, 50)) == room
