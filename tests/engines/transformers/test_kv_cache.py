"""Slots against the plain meaning of a cache: whatever joins and leaves, each row shows its own keys."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from transformers import LlamaConfig, MistralConfig
from transformers.cache_utils import DynamicCache

from steplabel.engines.transformers.decoding import Row as DecodedRow
from steplabel.engines.transformers.decoding import _compacted, _prefill_batches
from steplabel.engines.transformers.kv_cache import SlotCache, is_plain
from steplabel.schemas import SamplingParams

LAYERS, HEADS, WIDTH = 2, 2, 3


@dataclass
class Tracked:
    """What a row's columns should hold: one number a column."""

    values: list[float]


def prefilled(prompts: list[list[float]]) -> DynamicCache:
    """A left-padded cache whose every entry tells the column's number; padding holds 1e6."""
    width = max(map(len, prompts))
    table = torch.tensor([[1e6] * (width - len(p)) + p for p in prompts])
    states = table[:, None, :, None].expand(-1, HEADS, -1, WIDTH)
    cache = DynamicCache()
    for layer in range(LAYERS):
        cache.update(states + layer, states - layer, layer)
    return cache


def check(cache: SlotCache, rows: list[Tracked]) -> None:
    for layer in range(LAYERS):
        keys = cache.past.layers[layer].keys
        window = cache._window
        for place, row in enumerate(rows):
            held = keys[place, 1, window.end - len(row.values) : window.end, 2]
            assert held.tolist() == [value + layer for value in row.values]
    assert cache.columns == max((len(row.values) for row in rows), default=0)


def step(cache: SlotCache, rows: list[Tracked], number: float) -> None:
    new = torch.tensor([number + place for place in range(len(rows))])
    states = new[:, None, None, None].expand(-1, HEADS, 1, WIDTH)
    for layer in range(LAYERS):
        keys, values = cache.past.update(states + layer, states - layer, layer)
        assert keys.shape == values.shape == (len(rows), HEADS, cache.columns + 1, WIDTH)
        assert torch.isfinite(keys).all()
    cache.advance()
    for place, row in enumerate(rows):
        row.values.append(number + place)


action = st.one_of(
    st.tuples(st.just("step"), st.integers(1, 40)),
    st.tuples(st.just("add"), st.lists(st.integers(1, 90), min_size=1, max_size=4)),
    st.tuples(st.just("leave"), st.integers(0, 2**16)),
)


@settings(max_examples=60, deadline=None)
@given(st.lists(action, min_size=1, max_size=12))
def test_rows_keep_their_columns(actions: list[tuple[str, object]]) -> None:
    """Any order of joining, stepping and leaving: every row still holds exactly what was written for it."""
    cache, rows, number = SlotCache(LAYERS), [], 0.0
    for kind, detail in actions:
        if kind == "add":
            prompts = [[number + 100 * i + j for j in range(n)] for i, n in enumerate(detail)]
            number += 1000
            sources = [i for i in range(len(prompts)) for _ in range(1 + i % 2)]
            cache.add(prefilled(prompts), torch.tensor(sources))
            rows += [Tracked(list(prompts[i])) for i in sources]
        elif kind == "step" and rows:
            for _ in range(detail):
                step(cache, rows, number)
                number += 10
        elif kind == "leave":
            stays = [bool((detail >> place) & 1) for place in range(len(rows))]
            order = _compacted(stays)
            rows = [rows[old] for old in order]
            cache.keep(order, max((len(row.values) for row in rows), default=0))
        check(cache, rows)


@given(st.lists(st.booleans(), max_size=40))
def test_compaction_moves_only_into_holes(stays: list[bool]) -> None:
    """All that stay are there once, and none moves whose place is within the new size."""
    order = _compacted(stays)
    assert sorted(order) == [place for place, stay in enumerate(stays) if stay]
    assert all(old == new or not stays[new] for new, old in enumerate(order))


@given(st.lists(st.tuples(st.integers(1, 5000), st.integers(1, 4)), min_size=1, max_size=30))
def test_prefill_batches_are_bounded(sizes: list[tuple[int, int]]) -> None:
    """Each row is in one batch; no batch of several prompts pads to more than the limit."""
    rows = [
        DecodedRow(prompt_ids=prompt, index=i, sampling=SamplingParams(), seed=0, max_tokens=1)
        for length, copies in sizes
        for prompt in [tuple(range(length))]
        for i in range(copies)
    ]
    batches = _prefill_batches(rows)
    assert sorted(map(id, (row for batch in batches for row in batch))) == sorted(map(id, rows))
    for batch in batches:
        prompts = {id(row.prompt_ids): len(row.prompt_ids) for row in batch}
        assert len(prompts) == 1 or len(prompts) * max(prompts.values()) <= 8192


def test_which_models_are_plain() -> None:
    """Full attention is; one sliding layer is enough not to be."""
    assert is_plain(LlamaConfig(num_hidden_layers=2))
    assert not is_plain(MistralConfig(num_hidden_layers=2, sliding_window=16))
    assert is_plain(MistralConfig(num_hidden_layers=2, sliding_window=None))
