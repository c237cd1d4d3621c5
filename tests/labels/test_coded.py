"""Counting on codes, against plain loops."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from steplabel.labels.coded import CORRECT, UNANSWERED, UNKNOWN, WRONG, CodedEvidence, count_coded

ints = np.int64
paths = st.lists(st.lists(st.integers(1, 5), max_size=4, unique=True), max_size=4)
began = st.lists(st.tuples(st.integers(0, 5), st.integers(0, 3), st.integers(0, 9)), max_size=12)


def coded(solutions, ends, costs=None):
    """All solutions begin in state 0."""
    n = len(solutions)
    table = np.array(ends, dtype=ints).reshape(-1, 3)
    return CodedEvidence(
        offsets=np.cumsum([0, *map(len, solutions)]).astype(ints),
        labelable=np.ones(sum(map(len, solutions)), dtype=np.bool_),
        states=np.array([state for path in solutions for state in path], dtype=ints),
        roots=np.zeros(n, dtype=ints),
        root_asked=np.zeros(n, dtype=np.bool_),
        outcome=np.zeros(n, dtype=ints),
        siblings_correct=np.zeros(n, dtype=ints),
        siblings_total=np.zeros(n, dtype=ints),
        costs=np.array(costs or [0] * n, dtype=ints),
        end_states=table[:, 0],
        ends=table[:, 1],
        end_tokens=table[:, 2],
    )


@given(paths, began)
def test_every_state_has_its_ends(solutions, ends):
    """Counts at a step, and at the root, are those of the ends that began there."""
    batch = count_coded(coded(solutions, ends))

    def tally(state):
        found = [end for where, end, _ in ends if where == state]
        counts = [found.count(kind) for kind in (CORRECT, WRONG, UNKNOWN, UNANSWERED)]
        return counts[0], counts[1], counts[2] + counts[3], counts[3]

    steps = (batch.correct, batch.wrong, batch.unknown, batch.unanswered)
    root = (batch.root.correct, batch.root.wrong, batch.root.unknown, batch.root.unanswered)
    states = [state for path in solutions for state in path]
    assert list(zip(*(column.tolist() for column in steps), strict=True)) == [tally(state) for state in states]
    assert list(zip(*(column.tolist() for column in root), strict=True)) == [tally(0)] * len(solutions)


@given(paths, began, st.data())
def test_tokens(solutions, ends, data):
    """A solution pays for all that began along its path, at the root, and its own costs; siblings pay again."""
    costs = [data.draw(st.integers(0, 5)) for _ in solutions]
    batch = count_coded(coded(solutions, ends, costs))
    expected = [
        cost + sum(tokens for where, _, tokens in ends if where in (0, *path))
        for path, cost in zip(solutions, costs, strict=True)
    ]
    assert batch.tokens.tolist() == expected


def test_nothing_at_all():
    """No solutions and no ends make an empty batch."""
    batch = count_coded(coded([], []))
    assert (batch.solutions, batch.steps, len(batch.root.correct)) == (0, 0, 0)


def test_large_token_counts_are_exact():
    """Tokens are added as integers: no cost is lost to rounding."""
    batch = count_coded(coded([[1]], [(1, CORRECT, 2**60), (1, WRONG, 1)]))
    assert batch.tokens.tolist() == [2**60 + 1]
