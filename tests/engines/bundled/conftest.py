"""What the bundled model's tests share: a problem, a tiny model, and settings for busy machines."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import torch
from hypothesis import settings

from steplabel.engines.bundled.model import CompactLlama, ModelConfig
from steplabel.engines.bundled.task import ChainProblem, parse_problem
from steplabel.engines.bundled.tokenizer import vocabulary

# A deadline on one example fails on a busy machine, not on slow code.
settings.register_profile("no deadline", deadline=None)
settings.load_profile("no deadline")


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    """Two threads that wait for each other on a busy core make a tiny model a hundred times slower."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


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
