"""Training batches, each a function of (seed, step) alone, so that a run can go on from any step.

Problems are drawn in pools of sixteen batches: sorted by length within the pool, so that little is padded,
then shuffled, so that lengths mix over time. A pool depends on the seed and its number; to resume at a step
its pool is drawn again, which takes a second.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import torch
from torch import Tensor

from steplabel.engines.bundled.slips import write_solution
from steplabel.engines.bundled.task import generate_problem, seeded
from steplabel.engines.bundled.tokenizer import BOS, EOS, PAD, encode

BATCHES_PER_POOL: Final = 16
IGNORED: Final = -100  # cross_entropy's own default


@dataclass(frozen=True, slots=True, kw_only=True)
class DataConfig:
    """What the batches of a run are made of.

    Attributes:
        tokens: most tokens in a batch, padding included.
        slip_rate: chance of an injected mistake per solution line.
        slip_masked: share of those lines that carry no loss.
    """

    seed: int = 0
    steps: int = 4000
    tokens: int = 6144
    slip_rate: float = 0.04
    slip_masked: float = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """Right-padded rows; a target is the next token, or IGNORED in prompt, padding and masked slips."""

    ids: Tensor
    targets: Tensor


@dataclass(frozen=True, slots=True, kw_only=True)
class _Row:
    content: str
    ids: list[int]
    targets: list[int]


def draw_length(rng: random.Random, progress: float) -> int:
    """Number of events at `progress` (0 to 1) of the run: short chains first, as the trial did.

    Without the first two stages the model needs several times the tokens to find out that keys are looked up.
    """
    if progress < 0.12:
        return rng.randint(1, 3)
    if progress < 0.25:
        return rng.randint(1, 5)
    return rng.randint(1, 3) if rng.random() < 0.15 else rng.randint(3, 10)


def make_batch(config: DataConfig, step: int) -> Batch:
    """The batch of `step`, 0-based."""
    rows = _draw_pool(config, step // BATCHES_PER_POOL)[step % BATCHES_PER_POOL]
    length = max(len(row.ids) for row in rows)
    ids = torch.full((len(rows), length), PAD)
    targets = torch.full((len(rows), length), IGNORED)
    for index, row in enumerate(rows):
        ids[index, : len(row.ids)] = torch.tensor(row.ids)
        targets[index, : len(row.targets)] = torch.tensor(row.targets)
    return Batch(ids=ids, targets=targets)


def trained_contents(config: DataConfig) -> Iterator[str]:
    """The content of every problem that a whole run trains on, for counting overlaps with held-out ones."""
    for number in range(-(-config.steps // BATCHES_PER_POOL)):
        for batch in _draw_pool(config, number):
            yield from (row.content for row in batch)


@lru_cache(maxsize=1)
def _draw_pool(config: DataConfig, number: int) -> list[list[_Row]]:
    rng = seeded("train", config.seed, number)
    progress = number * BATCHES_PER_POOL / config.steps
    rows: list[_Row] = []
    # Enough for seventeen batches, whatever the padding: the last one, part empty and noisy, is left out.
    while sum(len(row.ids) for row in rows) < (BATCHES_PER_POOL + 1) * config.tokens:
        rows += [_draw_row(config, rng, progress) for _ in range(64)]
    batches = _pack(sorted(rows, key=lambda row: len(row.ids), reverse=True), config.tokens)[:-1]
    rng.shuffle(batches)
    return batches[:BATCHES_PER_POOL]


def _draw_row(config: DataConfig, rng: random.Random, progress: float) -> _Row:
    problem = generate_problem(rng, draw_length(rng, progress))
    prompt = [BOS, *encode(problem.text)]
    solution: list[int] = []
    targets: list[int] = []
    lines = write_solution(problem, rng, slip_rate=config.slip_rate)
    for index, line in enumerate(lines):
        ids = encode(line.text + "\n") if index + 1 < len(lines) else [*encode(line.text), EOS]
        masked = line.slip and rng.random() < config.slip_masked
        solution += ids
        targets += [IGNORED] * len(ids) if masked else ids
    # The last prompt token predicts the first solution token; the end token predicts nothing.
    return _Row(
        content=problem.content,
        ids=prompt + solution[:-1],
        targets=[IGNORED] * (len(prompt) - 1) + targets,
    )


def _pack(rows: list[_Row], tokens: int) -> list[list[_Row]]:
    """Cut rows, longest first, into batches of at most `tokens` padded tokens (always at least one row)."""
    batches: list[list[_Row]] = [[]]
    for row in rows:
        batch = batches[-1]
        if batch and len(batch[0].ids) * (len(batch) + 1) > tokens:
            batches.append([row])
        else:
            batch.append(row)
    return batches
