"""From logits to tokens, for a batch whose rows each have their own sampling parameters and random numbers.

A row's draw depends on its own logits and its own uniform number only: inverse CDF, no global generator. So a
sample is the same alone and in a crowd, as far as the model's logits are.

Order and meaning are vLLM's: repetition penalty, temperature, min_p, top_k, top_p (on what the others leave).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from steplabel.schemas import SamplingParams

UNIFORM_BLOCK = 64  # numbers drawn at once: few calls, little waste at the end of a row


def uniform_numbers(seed: int) -> Iterator[float]:
    """Endless uniform numbers in [0, 1), the n-th for a row's n-th token. Philox: equal on every machine."""
    generator = np.random.Generator(np.random.Philox(key=seed))
    while True:
        yield from generator.random(UNIFORM_BLOCK).tolist()


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class DrawRules:
    """Sampling parameters of R rows as tensors [R, 1], None where no row uses one."""

    temperature: Tensor
    greedy: Tensor
    all_greedy: bool
    min_p: Tensor | None
    top_k: Tensor | None
    top_p: Tensor | None
    penalty: Tensor | None

    @staticmethod
    def of(params: Sequence[SamplingParams], device: torch.device) -> DrawRules:
        """Gather the rows' parameters."""

        def column(values: list[float]) -> Tensor:
            return torch.tensor(values, device=device)[:, None]

        def unless(off: float, values: list[float]) -> Tensor | None:
            return None if all(value == off for value in values) else column(values)

        truncated = any(p.top_k or p.top_p < 1 for p in params)
        greedy = [p.temperature == 0 for p in params]
        return DrawRules(
            temperature=column([p.temperature or 1.0 for p in params]),
            greedy=torch.tensor(greedy, device=device),
            all_greedy=all(greedy),
            min_p=unless(0, [p.min_p for p in params]),
            # Off is told by a bound that nothing reaches.
            top_k=column([float(p.top_k or torch.inf) for p in params]) if truncated else None,
            top_p=column([p.top_p if p.top_p < 1 else torch.inf for p in params]) if truncated else None,
            penalty=unless(1, [p.repetition_penalty for p in params]),
        )


def draw(logits: Tensor, rules: DrawRules, uniforms: Tensor, seen: Tensor | None = None) -> Tensor:
    """Draw one token for each row.

    Args:
        logits: [R, V], float32.
        uniforms: [R], float64, in [0, 1).
        seen: [R, V], whether a token stands in the row's prompt or answer; needed with a repetition penalty.

    Returns:
        [R], int64. Where a row's logits are not numbers, -1.
    """
    if rules.penalty is not None and seen is not None:
        logits = _penalised(logits, rules.penalty, seen)
    peak, best = logits.max(dim=-1)
    if rules.all_greedy:
        return best.where(peak.isfinite(), -1)
    # The peak goes first, so that a temperature near 0 cannot overflow.
    probabilities = torch.softmax((logits - peak[:, None]) / rules.temperature, dim=-1)
    if rules.min_p is not None:
        floor = rules.min_p * probabilities.amax(dim=-1, keepdim=True)
        probabilities = probabilities.where(probabilities >= floor, 0.0)
    if rules.top_k is not None and rules.top_p is not None:
        probabilities = _truncated(probabilities, rules.top_k, rules.top_p)
    drawn = _inverse_cdf(probabilities, uniforms)
    return best.where(rules.greedy, drawn).where(peak.isfinite(), -1)


def log_probabilities(logits: Tensor, tokens: Tensor) -> Tensor:
    """[R], log-probability of each row's token under the model itself, before temperature and truncation."""
    return torch.log_softmax(logits, dim=-1).gather(1, tokens.clamp(min=0)[:, None])[:, 0]


def _penalised(logits: Tensor, penalty: Tensor, seen: Tensor) -> Tensor:
    """Make seen tokens less likely, whatever their logit's sign (CTRL, Keskar et al. 2019, section 4.1)."""
    lowered = torch.where(logits > 0, logits / penalty, logits * penalty)
    return lowered.where(seen, logits)


def _truncated(probabilities: Tensor, top_k: Tensor, top_p: Tensor) -> Tensor:
    """Keep the k likeliest, and of these the fewest whose mass reaches top_p of what they hold together."""
    ranked, order = probabilities.sort(dim=-1, descending=True, stable=True)
    rank = torch.arange(ranked.shape[1], device=ranked.device)
    ranked = ranked.where(rank < top_k, 0.0)
    mass = ranked.cumsum(dim=-1)
    before = mass - ranked
    kept = ranked.where((before < top_p * mass[:, -1:]) | (rank == 0), 0.0)
    return torch.zeros_like(probabilities).scatter(1, order, kept)


def _inverse_cdf(probabilities: Tensor, uniforms: Tensor) -> Tensor:
    # Float64: over a vocabulary of 10^5 tokens, float32 sums lose the rare ones.
    cdf = probabilities.double().cumsum(dim=-1)
    total = cdf[:, -1]
    # The largest uniform number times the total may round up to the total, behind the last token.
    target = torch.minimum(uniforms * total, torch.nextafter(total, torch.zeros_like(total)))
    # right=True: the first token whose sum exceeds the target, so never one of probability 0.
    return torch.searchsorted(cdf, target[:, None], right=True)[:, 0].clamp(max=cdf.shape[1] - 1)
