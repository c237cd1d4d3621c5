"""First-error F1 against its published definition, computed by hand; intervals and differences."""

from __future__ import annotations

import math
import random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from steplabel.labels.metrics import first_error_difference, first_error_f1
from steplabel.schemas import ConfigError, DataError

BY_HAND = {
    # name: (predicted, truth, accuracy on erroneous, accuracy on clean, f1)
    "all right": ([2, 0, -1], [2, 0, -1], 1.0, 1.0, 1.0),
    "half and half": ([1, 3, -1, 0], [1, 2, -1, -1], 0.5, 0.5, 0.5),
    "harmonic, not arithmetic": ([1, 1, 1, 0, -1, 3], [1, 1, 1, 1, -1, -1], 0.75, 0.5, 0.6),
    "one of three and all clean": ([0, 1, 1, -1, -1], [0, 0, 0, -1, -1], 1 / 3, 1.0, 0.5),
    "near misses are misses": ([1, 1], [2, -1], 0.0, 0.0, 0.0),
    "always clean": ([-1, -1, -1], [4, 0, -1], 0.0, 1.0, 0.0),
    "never clean": ([4, 0, 0], [4, 0, -1], 1.0, 0.0, 0.0),
    "unknown is a miss in both": ([None, 1, None, -1], [1, 1, -1, -1], 0.5, 0.5, 0.5),
    "all unknown": ([None, None], [1, -1], 0.0, 0.0, 0.0),
}


@pytest.mark.parametrize("case", BY_HAND.values(), ids=BY_HAND.keys())
def test_definition(case):
    """F1 is the harmonic mean of exact-location accuracy and clean accuracy, as ProcessBench defines it."""
    predicted, truth, acc_error, acc_clean, f1 = case
    report = first_error_f1(predicted, truth, resamples=20)
    assert report.acc_error == pytest.approx(acc_error)
    assert report.acc_clean == pytest.approx(acc_clean)
    assert report.f1 == pytest.approx(f1)
    assert report.n_error == sum(t >= 0 for t in truth)
    assert report.n_clean == sum(t == -1 for t in truth)
    assert report.unknown == sum(p is None for p in predicted)


def test_the_published_formula():
    """On random data the number equals ProcessBench's own lines, written out in plain Python."""
    rng = random.Random(1)
    truth = [rng.choice([-1, 0, 1, 2]) for _ in range(200)]
    predicted = [rng.choice([t, t, -1, 1]) for t in truth]
    error = [p == t for p, t in zip(predicted, truth, strict=True) if t != -1]
    clean = [p == t for p, t in zip(predicted, truth, strict=True) if t == -1]
    acc1, acc2 = sum(error) / len(error), sum(clean) / len(clean)
    assert first_error_f1(predicted, truth).f1 == pytest.approx(2 * acc1 * acc2 / (acc1 + acc2))


@pytest.mark.parametrize(
    ("truth", "error", "clean"),
    [([1, 2], 1.0, math.nan), ([-1, -1], math.nan, 1.0), ([], math.nan, math.nan)],
    ids=["no clean", "no error", "nothing"],
)
def test_an_empty_class_has_no_f1(truth, error, clean):
    """Without one of the two classes F1 and its interval are NaN; the other accuracy stands."""
    report = first_error_f1(truth, truth)
    assert [report.f1, report.f1_low, report.f1_high] == pytest.approx([math.nan] * 3, nan_ok=True)
    assert [report.acc_error, report.acc_clean] == pytest.approx([error, clean], nan_ok=True)


def _simulated(seed: int, groups: int, size: int, spread: float):
    """Predictions whose hit rate is shared within groups: spread 0 makes solutions independent."""
    rng = np.random.default_rng(seed)
    rate = np.repeat(np.clip(0.6 + spread * rng.standard_normal(groups), 0, 1), size)
    truth = np.where(rng.random(groups * size) < 0.5, -1, 3)
    hit = rng.random(groups * size) < rate
    predicted = np.where(hit, truth, 1)
    return predicted.tolist(), truth.tolist(), np.repeat(np.arange(groups), size).tolist()


def test_interval_holds_the_number_and_widens_with_level():
    """The interval lies around the number, and a higher level gives a wider one."""
    predicted, truth, _ = _simulated(0, 100, 1, 0.0)
    narrow = first_error_f1(predicted, truth, level=0.5)
    wide = first_error_f1(predicted, truth, level=0.99)
    assert wide.f1_low < narrow.f1_low < narrow.f1 < narrow.f1_high < wide.f1_high
    assert narrow.f1 == wide.f1


def test_interval_matches_the_textbook():
    """For one accuracy held at 1 the interval agrees with the delta method within a tenth of its width."""
    n, hits = 400, 240
    truth = [0] * n + [-1] * n
    report = first_error_f1([0] * hits + [1] * (n - hits) + [-1] * n, truth, resamples=4000)
    a = hits / n
    error = math.sqrt(a * (1 - a) / n) * 2 / (1 + a) ** 2  # d f1 / d a with the other accuracy at 1
    # The number of erroneous solutions varies between resamples, which moves the width by a few percent.
    assert report.f1_high - report.f1_low == pytest.approx(2 * 1.96 * error, rel=0.1)


def test_groups_widen_the_interval():
    """Solutions of one problem stay together: with shared luck the honest interval is far wider."""
    predicted, truth, groups = _simulated(3, 40, 25, 0.4)
    alone = first_error_f1(predicted, truth)
    together = first_error_f1(predicted, truth, groups=groups)
    assert together.f1 == alone.f1
    assert together.f1_high - together.f1_low > 1.8 * (alone.f1_high - alone.f1_low)


def test_one_group_has_no_spread():
    """A single group can only be drawn whole."""
    report = first_error_f1([1, 0, -1, 0], [1, 1, -1, -1], groups=["p"] * 4)
    assert report.f1_low == report.f1 == report.f1_high == 0.5


@pytest.mark.slow
def test_coverage():
    """Of 300 simulated studies with grouped solutions, the 90 % interval holds the truth in 84 to 96 %."""
    big = first_error_f1(*_simulated(10**6, 40_000, 5, 0.2)[:2], resamples=0).f1
    held = 0
    for seed in range(300):
        predicted, truth, groups = _simulated(seed, 80, 5, 0.2)
        report = first_error_f1(predicted, truth, groups=groups, resamples=400, level=0.9)
        held += report.f1_low <= big <= report.f1_high
    assert 0.84 <= held / 300 <= 0.96


@given(st.lists(st.tuples(st.integers(-1, 3) | st.none(), st.integers(-1, 3), st.integers(0, 3))), st.randoms())
def test_order_plays_no_part(items, rng):
    """Shuffling solutions, or renaming groups, changes no number of the report."""
    before = _report(items)
    shuffled = items[:]
    rng.shuffle(shuffled)
    after = _report([(p, t, f"g{g}") for p, t, g in shuffled])
    assert before == pytest.approx(after, nan_ok=True)


def _report(items):
    predicted, truth, groups = ([item[i] for item in items] for i in range(3))
    report = first_error_f1(predicted, truth, groups=groups, resamples=50)
    return [report.f1, report.f1_low, report.f1_high, report.acc_error, report.acc_clean, report.unknown]


def test_the_seed_decides():
    """The same seed gives the same interval; another one a slightly different one."""
    predicted, truth, _ = _simulated(5, 60, 1, 0.0)
    assert first_error_f1(predicted, truth, seed=1) == first_error_f1(predicted, truth, seed=1)
    assert first_error_f1(predicted, truth, seed=1) != first_error_f1(predicted, truth, seed=2)


def test_no_resamples_no_interval():
    """With zero resamples the number stands and its interval is NaN."""
    report = first_error_f1([1, -1], [1, -1], resamples=0)
    assert report.f1 == 1.0
    assert math.isnan(report.f1_low)
    assert math.isnan(report.f1_high)


def test_a_method_does_not_differ_from_itself():
    """The paired difference of a method and itself is exactly zero, with no width and even odds."""
    predicted, truth, groups = _simulated(7, 30, 4, 0.2)
    same = first_error_difference(predicted, predicted, truth, groups=groups)
    assert (same.difference, same.low, same.high, same.share_above) == (0.0, 0.0, 0.0, 0.5)


def test_paired_difference():
    """The difference is that of the F1, changes sign with the order, and sees what only pairing shows."""
    predicted, truth, groups = _simulated(8, 60, 5, 0.4)
    better = [t if i % 9 == 0 else p for i, (p, t) in enumerate(zip(predicted, truth, strict=True))]
    forward = first_error_difference(better, predicted, truth, groups=groups)
    backward = first_error_difference(predicted, better, truth, groups=groups)
    ours, theirs = (first_error_f1(x, truth, groups=groups) for x in (better, predicted))
    assert forward.difference == pytest.approx(ours.f1 - theirs.f1)
    assert (forward.difference, forward.low, forward.high) == pytest.approx(
        (-backward.difference, -backward.high, -backward.low), abs=0.005
    )
    assert forward.low > 0
    assert forward.share_above > 0.99
    assert theirs.f1_high > ours.f1_low, "unpaired, the two intervals would overlap"


def test_difference_without_a_class_is_nan():
    """Where F1 is not defined, neither is a difference."""
    found = first_error_difference([1], [0], [1])
    assert all(math.isnan(x) for x in (found.difference, found.low, found.high, found.share_above))


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (([1], [1, 2]), DataError),
        (([-2], [1]), DataError),
        (([1], [-5]), DataError),
        (([1.5], [1]), TypeError),
        (([1], [None]), TypeError),
    ],
    ids=["lengths", "code for unknown", "truth below -1", "not an index", "truth unknown"],
)
def test_bad_input(arguments, error):
    """Misaligned or meaningless indices are refused, never scored."""
    with pytest.raises(error):
        first_error_f1(*arguments)


@pytest.mark.parametrize("options", [{"resamples": -1}, {"level": 0.0}, {"level": 1.0}, {"level": math.nan}], ids=str)
def test_bad_options(options):
    """Options that cannot give an interval are refused."""
    with pytest.raises(ConfigError):
        first_error_f1([1], [1], **options)


def test_groups_must_fit():
    """One group id a solution."""
    with pytest.raises(DataError, match="2 group ids for 1"):
        first_error_f1([1], [1], groups=["a", "b"])


def test_many_solutions_fit_in_memory():
    """100,000 ungrouped solutions are four kinds of solution: 2,000 resamples of them are cheap."""
    predicted, truth, _ = _simulated(9, 100_000, 1, 0.0)
    report = first_error_f1(predicted, truth)
    assert report.f1_high - report.f1_low < 0.01
