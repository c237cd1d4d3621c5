"""Batches: a function of seed and step, with loss on solutions alone."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from steplabel.engines.bundled.batches import (
    BATCHES_PER_POOL,
    IGNORED,
    Batch,
    DataConfig,
    _draw_pool,
    draw_length,
    make_batch,
    trained_contents,
)
from steplabel.engines.bundled.task import parse_problem, seeded, solve
from steplabel.engines.bundled.tokenizer import BOS, EOS, PAD, decode
from steplabel.engines.bundled.truth import check_solution, first_wrong, split_lines

SMALL = DataConfig(seed=3, steps=64, tokens=600)


def same(one: Batch, other: Batch) -> bool:
    return torch.equal(one.ids, other.ids) and torch.equal(one.targets, other.targets)


def test_a_step_has_one_batch() -> None:
    """Whatever was drawn before, a step's batch is the same: a run can go on from anywhere."""
    before = [make_batch(SMALL, step) for step in (20, 5, 63)]
    _draw_pool.cache_clear()
    after = [make_batch(SMALL, step) for step in (20, 5, 63)]
    assert all(same(one, other) for one, other in zip(before, after, strict=True))


def test_seeds_and_steps_differ() -> None:
    """Other seeds and other steps give other problems."""
    assert not same(make_batch(SMALL, 0), make_batch(SMALL, 1))
    assert not same(make_batch(SMALL, 0), make_batch(SMALL, BATCHES_PER_POOL))
    assert not same(make_batch(SMALL, 0), make_batch(replace(SMALL, seed=4), 0))


@pytest.mark.parametrize("step", [0, 17, 63])
@pytest.mark.parametrize("tokens", [300, 600, 6144])
def test_batches_are_full_but_not_too_full(step: int, tokens: int) -> None:
    """A batch holds no more tokens than asked, padding included, and not much less."""
    batch = make_batch(replace(SMALL, tokens=tokens), step)
    assert batch.ids.shape == batch.targets.shape
    assert batch.ids.numel() <= tokens
    assert batch.ids.numel() > tokens - 2 * batch.ids.shape[1]


def test_a_row_longer_than_a_batch_goes_alone() -> None:
    """Even a budget below one problem gives batches."""
    assert make_batch(replace(SMALL, tokens=20), 60).ids.shape[0] == 1


def rows(batch: Batch) -> list[tuple[str, list[int], list[int]]]:
    """(text, ids, targets) of each row, without padding."""
    found = []
    for ids, targets in zip(batch.ids.tolist(), batch.targets.tolist(), strict=True):
        length = len(ids) - ids[::-1].index(next(i for i in ids[::-1] if i != PAD))
        found.append((decode(ids), ids[:length], targets[:length]))
    return found


@pytest.mark.parametrize("step", [0, 20, 60])
def test_rows_are_problems_with_solutions(step: int) -> None:
    """A row is `<s>`, a training problem and its solution; the end token is only ever a target."""
    for text, ids, targets in rows(make_batch(replace(SMALL, slip_rate=0.0), step)):
        head, mark, solution = text.partition("?\n") if "?\n" in text else text.partition("end.\n")
        problem = parse_problem(head + mark)
        assert not problem.held_out
        assert split_lines(solution) == solve(problem)
        assert (ids[0], targets[-1]) == (BOS, EOS)
        assert EOS not in ids


@pytest.mark.parametrize("step", [0, 20, 60])
def test_loss_is_on_the_solution_alone(step: int) -> None:
    """Each target is the token after it, or ignored throughout the prompt and the padding."""
    batch = make_batch(replace(SMALL, slip_rate=0.0), step)
    for _, ids, targets in rows(batch):
        learned = [index for index, target in enumerate(targets) if target != IGNORED]
        assert learned == list(range(learned[0], len(targets)))
        assert [targets[index] for index in learned[:-1]] == ids[learned[0] + 1 :]
        assert decode(ids[: learned[0] + 1]).endswith(("?\n", "end.\n"))
    assert torch.all(batch.targets[batch.ids == PAD] == IGNORED)


@pytest.mark.parametrize(("masked", "expected"), [(0.0, 0), (1.0, 1)])
def test_slips_are_masked_as_asked(masked: float, expected: int) -> None:
    """A masked slip line carries no loss at all; an unmasked one carries all of it."""
    config = replace(SMALL, slip_rate=0.3, slip_masked=masked)
    seen = 0
    for text, ids, targets in rows(make_batch(config, 60)):
        head, mark, solution = text.partition("?\n") if "?\n" in text else text.partition("end.\n")
        first = first_wrong(check_solution(parse_problem(head + mark), split_lines(solution)))
        seen += first >= 0
        start = next(index for index, target in enumerate(targets) if target != IGNORED)
        holes = IGNORED in targets[start:] or not decode(ids[: start + 1]).endswith(("?\n", "end.\n"))
        assert holes is (first >= 0 and bool(expected))
    assert seen > 0


@given(progress=st.floats(0, 1), seed=st.integers(0, 1000))
def test_curriculum_grows(progress: float, seed: int) -> None:
    """Chains are short at first and of every length in the end."""
    longest = 3 if progress < 0.12 else 5 if progress < 0.25 else 10
    assert 1 <= draw_length(seeded(seed), progress) <= longest


def test_curriculum_reaches_every_length() -> None:
    """After the first quarter all lengths are drawn."""
    rng = seeded("lengths")
    assert {draw_length(rng, 0.5) for _ in range(500)} == set(range(1, 11))


def test_trained_contents_are_those_of_the_batches() -> None:
    """What is compared with held-out problems is what the steps really train on."""
    contents = list(trained_contents(SMALL))
    trained = []
    for step in range(SMALL.steps):
        for text, _, _ in rows(make_batch(SMALL, step)):
            head, mark, _ = text.partition("?\n") if "?\n" in text else text.partition("end.\n")
            trained.append(parse_problem(head + mark).content)
    assert sorted(contents) == sorted(trained)
