"""Noise by the number of steps."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from steplabel.labels.curation import Difference, noise_by_length
from steplabel.labels.curation.noise_by_length import LENGTHS, difference, length_bin
from steplabel.schemas import ConfigError, DataError


@pytest.mark.parametrize(
    ("predicted", "reference", "kind"),
    [
        (2, 2, "same"),
        (-1, -1, "same"),
        (1, 2, "early"),
        (3, 2, "late"),
        (-1, 2, "missed"),
        (2, -1, "false_alarm"),
        (None, 2, "unknown"),
        (2, None, "unknown"),
        (None, None, "unknown"),
    ],
)
def test_differences(predicted, reference, kind):
    """Two first errors lie to each other in one of six ways."""
    assert difference(predicted, reference) is Difference(kind)


def test_bins_by_hand():
    """Three short solutions, one wrong; two long ones, one unknown; an empty bin between."""
    report = noise_by_length(
        predicted=[0, -1, 1, 5, None],
        reference=[0, -1, -1, 7, 2],
        steps=[1, 2, 3, 9, 30],
        lengths=(1, 4, 8),
    )
    short, middle, long = report
    assert (short.shortest, short.longest, short.solutions, short.wrong, short.false_alarms) == (1, 3, 3, 1, 1)
    assert short.share == pytest.approx(1 / 3)
    assert (middle.shortest, middle.longest, middle.solutions) == (4, 7, 0)
    assert (middle.share, middle.low, middle.high) == (None, None, None)
    assert (long.longest, long.solutions, long.unknown, long.wrong, long.early, long.share) == (None, 2, 1, 1, 1, 1.0)


def test_wilson_by_hand():
    """1 of 10 at 95 %: .018 to .404 (Wilson 1927; Agresti & Coull give the same figures)."""
    (only,) = noise_by_length([1] * 9 + [0], [1] * 10, [2] * 10, lengths=(1,))
    assert (only.share, only.low, only.high) == (0.1, pytest.approx(0.0179, abs=1e-4), pytest.approx(0.4042, abs=1e-4))


CASES = st.lists(
    st.integers(1, 25).flatmap(
        lambda n: st.tuples(st.none() | st.integers(-1, n - 1), st.none() | st.integers(-1, n - 1), st.just(n))
    ),
    max_size=30,
)


@settings(deadline=None)
@given(CASES, st.randoms(use_true_random=False))
def test_every_solution_is_in_one_bin(cases, random):
    """Nothing vanishes, kinds of noise add up, shares lie within their bounds, order makes no difference."""
    report = noise_by_length(*_columns(cases))
    assert sum(found.solutions for found in report) == len(cases)
    for found in report:
        assert found.wrong == found.early + found.late + found.missed + found.false_alarms
        assert found.wrong <= found.solutions - found.unknown
        if found.share is not None:
            assert 0.0 <= found.low <= found.share + 1e-12
            assert found.share <= found.high + 1e-12 <= 1.0 + 1e-12
    random.shuffle(cases)
    assert noise_by_length(*_columns(cases)) == report


def _columns(cases):
    return [list(column) for column in zip(*cases, strict=True)] or [[], [], []]


def test_all_unknown():
    """Unknown is neither right nor wrong: no share."""
    (only,) = noise_by_length([None, 1], [0, None], [2, 2], lengths=(1,))
    assert (only.solutions, only.unknown, only.wrong, only.share) == (2, 2, 0, None)


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (([0], [0, 1], [3]), DataError),
        (([3], [0], [3]), DataError),
        (([0], [-2], [3]), DataError),
        (([-1], [-1], [0]), DataError),
    ],
    ids=["lengths", "past the end", "minus two", "no steps"],
)
def test_refused_data(arguments, error):
    """Columns that do not fit together are refused."""
    with pytest.raises(error):
        noise_by_length(*arguments)


@pytest.mark.parametrize("options", [{"lengths": ()}, {"lengths": (2, 4)}, {"lengths": (1, 4, 4)}, {"level": 1.0}])
def test_refused_options(options):
    """Bins rise from 1, and no interval covers everything."""
    with pytest.raises(ConfigError):
        noise_by_length([], [], [], **options)


@pytest.mark.parametrize(("steps", "place"), [(1, 0), (3, 0), (4, 1), (6, 1), (19, 4), (20, 5), (10**6, 5)])
def test_a_bin_begins_with_its_own_length(steps: int, place: int) -> None:
    """And ends before the next one's; the last has no end."""
    assert length_bin(steps) == place
    assert LENGTHS[place] <= steps
    assert length_bin(steps, (1,)) == 0
