"""Flat arrays over solutions: first, last and any, against plain loops."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from steplabel.labels.monte_carlo import MonteCarloRule, label_monte_carlo
from steplabel.labels.ragged import ABSENT, Draft, ends


def draft_of(lengths, labelable):
    owner = np.repeat(np.arange(len(lengths)), lengths)
    position = np.array([j for n in lengths for j in range(n)], dtype=np.int64)
    nothing = np.full(len(owner), np.nan)
    return Draft(
        owner=owner,
        position=position,
        solutions=len(lengths),
        labelable=labelable,
        at_end=labelable,
        marks=np.zeros(len(owner), dtype=np.int64),
        values=nothing,
        lows=nothing.copy(),
        highs=nothing.copy(),
    )


@given(st.lists(st.lists(st.booleans(), max_size=5), max_size=6))
def test_first_last_any(chosen):
    """Each solution's first and last chosen step, also where it has no steps or none is chosen."""
    steps = np.array([flag for flags in chosen for flag in flags], dtype=np.bool_)
    draft = draft_of([len(flags) for flags in chosen], steps)
    assert draft.first(steps).tolist() == [flags.index(True) if any(flags) else ABSENT for flags in chosen]
    assert draft.last(steps).tolist() == [max((j for j, f in enumerate(flags) if f), default=-1) for flags in chosen]
    assert draft.per_solution(steps).tolist() == [any(flags) for flags in chosen]


def test_ends(batch_of):
    """The last labelable step, before trailing observations; none where every step is an observation."""
    batch = batch_of([". . o", "o", ".", ""], ["open"] * 4)
    assert ends(batch).tolist() == [False, True, False, False, True]


def test_a_finished_draft_says_who_decided(batch_of):
    """`by_outcome` needs a mark: a solution without any was decided by nobody."""
    labels = label_monte_carlo(batch_of(["o", "."], ["right", "right"]), MonteCarloRule(gate_outcome=True))
    assert labels.by_outcome.tolist() == [False, True]
