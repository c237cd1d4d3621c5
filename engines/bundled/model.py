"""The bundled model: a small Llama, written out so that two CPU cores can train it within the hour.

Same architecture and weight names as `transformers.LlamaForCausalLM` (RMSNorm, rotary positions, SwiGLU, tied
embeddings), so that what is trained here loads there and in vLLM; a test holds both to the same logits.
Written anew rather than taken from transformers, because the plain module compiles and steps faster and the
sampler needs a cache that drops finished rows.

Covered: training forward pass, forward pass with a cache. Not covered: grouped-query attention, biases,
dropout.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812 - torch's own name for it


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelConfig:
    """Shape of the model; the defaults give 1.8 million parameters."""

    vocabulary: int
    width: int = 192
    layers: int = 4
    heads: int = 6
    hidden: int = 512
    positions: int = 512
    rope_base: float = 10_000.0
    epsilon: float = 1e-5

    @property
    def head_width(self) -> int:
        """Width of one attention head."""
        return self.width // self.heads


@dataclass(slots=True, kw_only=True)
class LayerCache:
    """Keys and values of one layer, (rows, heads, capacity, head width), filled from the left."""

    keys: Tensor
    values: Tensor

    def extend(self, keys: Tensor, values: Tensor, start: int) -> tuple[Tensor, Tensor]:
        """Store the keys and values of positions `start ...` and return all that are filled."""
        end = start + keys.shape[2]
        self.keys[:, :, start:end] = keys
        self.values[:, :, start:end] = values
        return self.keys[:, :, :end], self.values[:, :, :end]

    def take(self, rows: Tensor) -> LayerCache:
        """The cache of some rows: a mask keeps them, indices may also repeat them."""
        return LayerCache(keys=self.keys[rows], values=self.values[rows])


@dataclass(frozen=True, slots=True, kw_only=True)
class CacheView:
    """How one forward pass uses the cache: where its tokens go and what they may look at.

    Attributes:
        start: cache slot of the pass's first token.
        mask: additive or boolean attention mask over (tokens, filled slots); None where all is visible.
    """

    layers: list[LayerCache]
    start: int
    mask: Tensor | None


class RMSNorm(nn.Module):
    """Root-mean-square norm with a learned scale."""

    def __init__(self, width: int, epsilon: float) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(width))
        self.epsilon = epsilon

    def forward(self, x: Tensor) -> Tensor:
        """Normalise the last dimension."""
        return F.rms_norm(x, (x.shape[-1],), self.weight, self.epsilon)


class Attention(nn.Module):
    """Causal multi-head attention with rotary positions."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.heads = config.heads
        self.q_proj = nn.Linear(config.width, config.width, bias=False)
        self.k_proj = nn.Linear(config.width, config.width, bias=False)
        self.v_proj = nn.Linear(config.width, config.width, bias=False)
        self.o_proj = nn.Linear(config.width, config.width, bias=False)

    def forward(self, x: Tensor, cos: Tensor, sin: Tensor, view: CacheView | None, layer: int) -> Tensor:
        """Attend within `x`, or over the cache that `view` shows."""
        query = rotate(self._split(self.q_proj(x)), cos, sin)
        keys = rotate(self._split(self.k_proj(x)), cos, sin)
        values = self._split(self.v_proj(x))
        if view is None:
            mixed = F.scaled_dot_product_attention(query, keys, values, is_causal=True)
        else:
            keys, values = view.layers[layer].extend(keys, values, view.start)
            mixed = F.scaled_dot_product_attention(query, keys, values, attn_mask=view.mask)
        projected: Tensor = self.o_proj(mixed.transpose(1, 2).reshape(x.shape))
        return projected

    def _split(self, x: Tensor) -> Tensor:
        rows, length, width = x.shape
        return x.view(rows, length, self.heads, width // self.heads).transpose(1, 2)


def rotate(x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    """Apply rotary positions in the half-split layout that Llama weights use."""
    half = x.shape[-1] // 2
    return x * cos + torch.cat((-x[..., half:], x[..., :half]), dim=-1) * sin


class MLP(nn.Module):
    """SwiGLU feed-forward layer."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.gate_proj = nn.Linear(config.width, config.hidden, bias=False)
        self.up_proj = nn.Linear(config.width, config.hidden, bias=False)
        self.down_proj = nn.Linear(config.hidden, config.width, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """Map each position by itself."""
        mapped: Tensor = self.down_proj(F.silu(self.gate_proj(x)) * self.up_proj(x))
        return mapped


class Block(nn.Module):
    """One pre-norm transformer layer."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.input_layernorm = RMSNorm(config.width, config.epsilon)
        self.self_attn = Attention(config)
        self.post_attention_layernorm = RMSNorm(config.width, config.epsilon)
        self.mlp = MLP(config)

    def forward(self, x: Tensor, cos: Tensor, sin: Tensor, view: CacheView | None, layer: int) -> Tensor:
        """Add attention, then the feed-forward layer."""
        x = x + self.self_attn(self.input_layernorm(x), cos, sin, view, layer)
        mapped: Tensor = x + self.mlp(self.post_attention_layernorm(x))
        return mapped


class CompactLlama(nn.Module):
    """Token ids in, hidden states out; `logits` maps those through the tied embedding.

    Matrices begin at normal(0, .5/sqrt(fan-in)), the last of each residual branch at zero, so that every
    layer starts as the identity (as in modded-nanogpt, where the Muon settings used here come from).
    """

    cos: Tensor
    sin: Tensor

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.config = config
        self.embed_tokens = nn.Embedding(config.vocabulary, config.width)
        self.layers = nn.ModuleList(Block(config) for _ in range(config.layers))
        self.norm = RMSNorm(config.width, config.epsilon)
        frequencies = config.rope_base ** (-torch.arange(0, config.head_width, 2).float() / config.head_width)
        angles = torch.outer(torch.arange(config.positions).float(), frequencies).repeat(1, 2)
        self.register_buffer("cos", angles.cos(), persistent=False)
        self.register_buffer("sin", angles.sin(), persistent=False)
        for name, parameter in self.named_parameters():
            _initialise(name, parameter)

    def forward(self, ids: Tensor) -> Tensor:
        """Hidden states (rows, length, width) of right-padded rows."""
        length = ids.shape[1]
        return self._run(ids, self.cos[:length], self.sin[:length], None)

    def forward_cached(self, ids: Tensor, positions: Tensor, view: CacheView) -> Tensor:
        """Hidden states of new tokens at `positions` (same shape as `ids`), extending the cache."""
        return self._run(ids, self.cos[positions][:, None], self.sin[positions][:, None], view)

    def logits(self, hidden: Tensor) -> Tensor:
        """Next-token logits in float32."""
        return F.linear(hidden, self.embed_tokens.weight).float()

    def _run(self, ids: Tensor, cos: Tensor, sin: Tensor, view: CacheView | None) -> Tensor:
        x = self.embed_tokens(ids)
        for index, layer in enumerate(self.layers):
            x = layer(x, cos, sin, view, index)
        normed: Tensor = self.norm(x)
        return normed


def _initialise(name: str, parameter: nn.Parameter) -> None:
    if name.endswith(("o_proj.weight", "down_proj.weight")):
        nn.init.zeros_(parameter)
    elif parameter.ndim == 2:
        nn.init.normal_(parameter, std=0.02 if "embed" in name else 0.5 / parameter.shape[1] ** 0.5)
