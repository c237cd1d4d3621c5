"""Hypothesis strategies and a tiny model that the bundled model's tests share."""

from __future__ import annotations

import pytest
import torch
from hypothesis import strategies as st

from steplabel.engines.bundled.model import CompactLlama, ModelConfig
from steplabel.engines.bundled.task import ChainProblem, generate_problem, parse_problem, seeded
from steplabel.engines.bundled.tokenizer import vocabulary


@st.composite
def _generated(draw: st.DrawFn) -> ChainProblem:
    seed, size = draw(st.integers(0, 2**32)), draw(st.integers(1, 10))
    return generate_problem(seeded(seed), size, held_out=draw(st.booleans()))


@pytest.fixture(scope="session")
def generated_problems() -> st.SearchStrategy[ChainProblem]:
    """Whatever the generator draws."""
    return _generated()


@pytest.fixture(scope="session")
def diary() -> ChainProblem:
    """62 cards; one in 3 kept: 20; 76 more: 96; twice as many: 192."""
    return parse_problem(
        "Uma has 62 cards.\n"
        "May: keeps one in 3.\n"
        "June: gets 76 as a gift.\n"
        "July: now has 2 times as many.\n"
        "How many cards are left?\n"
    )


@pytest.fixture
def tiny_model() -> CompactLlama:
    """A random model that runs in a millisecond; its residual branches are not zero, so everything matters."""
    torch.manual_seed(0)
    model = CompactLlama(ModelConfig(vocabulary=len(vocabulary()), width=32, layers=2, heads=2, hidden=64))
    for parameter in model.parameters():
        torch.nn.init.normal_(parameter, std=0.2)
    return model.eval()
