"""The model is the Llama of `transformers`, with and without its cache."""

from __future__ import annotations

import pytest
import torch

from steplabel.engines.bundled.model import CacheView, CompactLlama, LayerCache, ModelConfig
from steplabel.engines.bundled.tokenizer import vocabulary


def random_ids(rows: int, length: int) -> torch.Tensor:
    return torch.randint(4, len(vocabulary()), (rows, length), generator=torch.Generator().manual_seed(1))


def empty_cache(model: CompactLlama, rows: int, capacity: int) -> list[LayerCache]:
    shape = (rows, model.config.heads, capacity, model.config.head_width)
    return [LayerCache(keys=torch.zeros(shape), values=torch.zeros(shape)) for _ in model.layers]


def test_default_size() -> None:
    """The shipped shape has 1.8 million parameters."""
    model = CompactLlama(ModelConfig(vocabulary=len(vocabulary())))
    assert 1.7e6 < sum(parameter.numel() for parameter in model.parameters()) < 1.9e6


def test_layers_begin_as_the_identity() -> None:
    """At first every residual branch adds nothing: hidden states are the normed embeddings."""
    model = CompactLlama(ModelConfig(vocabulary=20, width=32, layers=2, heads=2, hidden=64))
    ids = torch.arange(10)[None]
    assert torch.equal(model(ids), model.norm(model.embed_tokens(ids)))


def test_initial_weights_are_seeded() -> None:
    """The same seed gives the same weights."""
    config = ModelConfig(vocabulary=20, width=32, layers=2, heads=2, hidden=64)
    states = []
    for _ in range(2):
        torch.manual_seed(7)
        states.append(CompactLlama(config).state_dict())
    assert all(torch.equal(states[0][name], states[1][name]) for name in states[0])


def test_later_tokens_do_not_matter(tiny_model: CompactLlama) -> None:
    """Attention is causal: right padding changes nothing before it."""
    ids = random_ids(2, 12)
    changed = ids.clone()
    changed[:, 8:] = 0
    torch.testing.assert_close(tiny_model(ids)[:, :8], tiny_model(changed)[:, :8])


def test_earlier_tokens_matter(tiny_model: CompactLlama) -> None:
    """And it does attend: another first token changes the last state."""
    ids = random_ids(1, 12)
    changed = ids.clone()
    changed[0, 0] = 4 if ids[0, 0] != 4 else 5
    assert not torch.allclose(tiny_model(ids)[0, -1], tiny_model(changed)[0, -1])


@pytest.mark.parametrize("first", [1, 5, 11])
@torch.inference_mode()
def test_cache_changes_nothing(tiny_model: CompactLlama, first: int) -> None:
    """Reading a text in two parts, then token by token, gives the states of reading it at once."""
    ids = random_ids(3, 12)
    cache = empty_cache(tiny_model, 3, 12)
    positions = torch.arange(12).expand(3, -1)
    causal = torch.ones(first, first, dtype=torch.bool).tril()
    view = CacheView(layers=cache, start=0, mask=causal)
    parts = [tiny_model.forward_cached(ids[:, :first], positions[:, :first], view)]
    for at in range(first, 12):
        view = CacheView(layers=cache, start=at, mask=None)
        parts.append(tiny_model.forward_cached(ids[:, at : at + 1], positions[:, at : at + 1], view))
    torch.testing.assert_close(torch.cat(parts, dim=1), tiny_model(ids), rtol=1e-4, atol=1e-4)


def test_cache_rows_can_be_taken() -> None:
    """Rows are kept by a mask and repeated by indices."""
    cache = LayerCache(keys=torch.arange(3.0).view(3, 1, 1, 1), values=torch.zeros(3, 1, 1, 1))
    assert cache.take(torch.tensor([True, False, True])).keys.flatten().tolist() == [0.0, 2.0]
    assert cache.take(torch.tensor([1, 1, 0])).keys.flatten().tolist() == [1.0, 1.0, 0.0]


def test_logits_are_float32(tiny_model: CompactLlama) -> None:
    """The loss is computed in float32 whatever the passes ran in."""
    with torch.autocast("cpu", torch.bfloat16):
        assert tiny_model.logits(tiny_model(random_ids(1, 4))).dtype is torch.float32
