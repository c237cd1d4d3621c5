"""Drawing tokens: the right distribution, the documented truncations, and draws that are a row's own."""

from __future__ import annotations

from itertools import islice
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from steplabel.engines.transformers.sampling import DrawRules, draw, log_probabilities, uniform_numbers
from steplabel.schemas import SamplingParams

CPU = torch.device("cpu")
LOGITS = torch.tensor([2.0, 1.0, 0.0, -1.0, 3.0, 0.5])


def shares(logits: torch.Tensor, draws: int = 40_000, **params: Any) -> torch.Tensor:
    """Share of each token among many draws from one row of logits."""
    rules = DrawRules.of([SamplingParams(**params)] * draws, CPU)
    uniforms = torch.tensor(list(islice(uniform_numbers(5), draws)), dtype=torch.float64)
    tokens = draw(logits.expand(draws, -1), rules, uniforms)
    return torch.bincount(tokens, minlength=len(logits)) / draws


@pytest.mark.parametrize("temperature", [0.5, 1.0, 1.7])
def test_draws_follow_softmax(temperature: float) -> None:
    """Chi-square of 40,000 draws against softmax(logits / T) stays below its 99.9 % point (5 degrees)."""
    expected = torch.softmax(LOGITS / temperature, -1)
    seen = shares(LOGITS, temperature=temperature)
    assert float(40_000 * ((seen - expected) ** 2 / expected).sum()) < 20.5


def manual(params: SamplingParams) -> torch.Tensor:
    """The documented truncations on one row, token by token in plain Python."""
    p = torch.softmax(LOGITS.double() / params.temperature, -1).tolist()
    p = [q if q >= params.min_p * max(p) else 0.0 for q in p]
    order = sorted(range(len(p)), key=lambda i: -p[i])
    if params.top_k:
        p = [q if i in order[: params.top_k] else 0.0 for i, q in enumerate(p)]
    total, mass, kept = sum(p), 0.0, [0.0] * len(p)
    for i in order:
        if mass < params.top_p * total:
            kept[i] = p[i]
        mass += p[i]
    return torch.tensor(kept, dtype=torch.float64) / sum(kept)


@pytest.mark.parametrize(
    "params",
    [
        {"top_k": 1},
        {"top_k": 3},
        {"top_k": 100},
        {"top_p": 0.5},
        {"top_p": 0.9},
        {"top_p": 1e-9},
        {"min_p": 0.2},
        {"min_p": 1.0},
        {"top_k": 4, "top_p": 0.8, "min_p": 0.05, "temperature": 1.3},
    ],
    ids=str,
)
def test_truncations(params: dict[str, Any]) -> None:
    """What top_k, top_p and min_p keep, and how it is weighted, is what the plain definition says."""
    seen, expected = shares(LOGITS, **params), manual(SamplingParams(**params))
    assert torch.equal(seen > 0, expected > 0)
    assert torch.allclose(seen.double(), expected, atol=0.01)


def test_rows_keep_their_own_parameters() -> None:
    """A greedy, a top-1, a hot and a penalised row side by side draw as they do alone."""
    params = [
        SamplingParams(temperature=0),
        SamplingParams(top_k=1),
        SamplingParams(temperature=5),
        SamplingParams(repetition_penalty=3.0),
        SamplingParams(top_p=0.6, min_p=0.1),
    ]
    uniforms = torch.tensor([0.1, 0.99, 0.7, 0.4, 0.5], dtype=torch.float64)
    seen = torch.zeros((5, 6), dtype=torch.bool)
    seen[:, 4] = True
    crowd = draw(LOGITS.expand(5, -1), DrawRules.of(params, CPU), uniforms, seen)
    alone = [
        int(draw(LOGITS[None], DrawRules.of([p], CPU), uniforms[i : i + 1], seen[i : i + 1]))
        for i, p in enumerate(params)
    ]
    assert crowd.tolist() == alone
    assert alone[:2] == [4, 4]


@pytest.mark.parametrize(("token", "logit"), [(4, 3.0 / 2), (3, -1.0 * 2), (2, 0.0)])
def test_repetition_penalty(token: int, logit: float) -> None:
    """A seen token's logit is divided if positive and multiplied if negative: always less likely."""
    seen = torch.zeros((1, 6), dtype=torch.bool)
    seen[0, token] = True
    changed = LOGITS.clone()
    changed[token] = logit
    grid = torch.linspace(0, 0.999, 500, dtype=torch.float64)
    rules = DrawRules.of([SamplingParams(repetition_penalty=2.0)] * 500, CPU)
    plain = DrawRules.of([SamplingParams()] * 500, CPU)
    penalised = draw(LOGITS.expand(500, -1), rules, grid, seen.expand(500, -1))
    assert torch.equal(penalised, draw(changed.expand(500, -1), plain, grid))


@given(
    logits=st.lists(st.floats(-1e4, 1e4, width=32), min_size=1, max_size=20),
    uniform=st.floats(0, 1, exclude_max=True),
    temperature=st.sampled_from([0.0, 1e-30, 1e-3, 1.0, 10.0]),
    top_k=st.integers(0, 5),
    top_p=st.floats(1e-6, 1),
    min_p=st.floats(0, 1),
)
def test_every_draw_is_a_likely_token(
    logits: list[float], uniform: float, temperature: float, top_k: int, top_p: float, min_p: float
) -> None:
    """Whatever the parameters, the drawn token exists and has a probability above 0."""
    params = SamplingParams(temperature=temperature, top_k=top_k, top_p=top_p, min_p=min_p)
    row = torch.tensor([logits])
    uniforms = torch.tensor([uniform], dtype=torch.float64)
    token = int(draw(row, DrawRules.of([params], CPU), uniforms))
    assert 0 <= token < len(logits)
    if temperature >= 1e-3:
        assert torch.softmax((row - row.max()) / temperature, -1)[0, token] > 0
    elif temperature == 0:
        assert token == int(row.argmax())


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
@pytest.mark.parametrize("temperature", [0.0, 1.0])
def test_logits_that_are_no_numbers(bad: float, temperature: float) -> None:
    """The row says -1; its neighbours draw as ever."""
    logits = torch.stack([LOGITS, LOGITS])
    logits[0, 2] = bad
    rules = DrawRules.of([SamplingParams(temperature=temperature)] * 2, CPU)
    assert draw(logits, rules, torch.tensor([0.5, 0.0], dtype=torch.float64)).tolist() in ([-1, 4], [-1, 0])


def test_masked_logits_are_fine() -> None:
    """Minus infinity is a probability of 0, not an error."""
    logits = torch.tensor([[-torch.inf, 0.0, -torch.inf]])
    tokens = [
        int(draw(logits, DrawRules.of([SamplingParams()], CPU), torch.tensor([u], dtype=torch.float64)))
        for u in (0.0, 0.5, 1 - 2**-53)
    ]
    assert tokens == [1, 1, 1]


def test_the_largest_uniform_number_never_falls_off() -> None:
    """Rounding up to the total would select a token behind the last likely one."""
    logits = torch.randn(200, 50, generator=torch.Generator().manual_seed(1))
    logits[:, 40:] = -torch.inf
    uniforms = torch.full((200,), 1 - 2**-53, dtype=torch.float64)
    assert int(draw(logits, DrawRules.of([SamplingParams()] * 200, CPU), uniforms).max()) < 40


def test_uniform_numbers_are_pinned() -> None:
    """Equal seeds give equal numbers, on any machine and in any release: stored samples depend on it."""
    assert list(islice(uniform_numbers(1), 200)) == list(islice(uniform_numbers(1), 200))
    assert (
        list(islice(uniform_numbers(12345), 2)) == np.random.Generator(np.random.Philox(key=12345)).random(2).tolist()
    )
    assert next(uniform_numbers(1)) != next(uniform_numbers(2))


def test_log_probabilities() -> None:
    """They are of the model itself: no temperature, no truncation."""
    rows = torch.stack([LOGITS, -LOGITS])
    expected = [LOGITS.log_softmax(-1)[4].item(), (-LOGITS).log_softmax(-1)[0].item()]
    assert log_probabilities(rows, torch.tensor([4, 0])).tolist() == pytest.approx(expected)
