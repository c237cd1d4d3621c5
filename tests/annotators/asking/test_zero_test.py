"""The sequential test of MC = 0: its constants by hand, its error rate by simulation."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from steplabel.annotators import ZeroTest, answer_by, samples_with
from steplabel.annotators.asking.prefix import ask, prefix_question
from steplabel.schemas import ConfigError, Outcome


@pytest.fixture
def asked(world):
    """Asks the root with completions given as letters (r, w, s: silent, c: crashed); how many were drawn."""
    w = world(steps=2)
    table = {"r": Outcome.CORRECT, "w": Outcome.WRONG, "s": Outcome.UNKNOWN, "c": Outcome.UNKNOWN}

    def run(letters, *, k, chunk=1, test=None, **options):
        portions = []

        def oracle(effect):
            portions.append(effect.n)
            part = letters[effect.start : effect.start + effect.n]
            return samples_with(effect, [table[c] for c in part], reason="crash" if "c" in letters else "no_answer")

        question = prefix_question(w.problem, w.solution, 0, sampling=None, seed=1)
        answer = answer_by(ask(question, 0, k=k, chunk=chunk, zero_test=test, **options), oracle)
        assert len(answer.rollouts) == sum(portions)
        return portions

    return run


@pytest.mark.parametrize(
    ("p0", "alpha", "failures"),
    [(0.2, 0.05, 14), (0.5, 0.25, 2), (0.5, 0.05, 5), (0.3, 0.05, 9), (0.1, 0.1, 22), (0.9, 0.5, 1), (0.9, 0.1, 1)],
)
def test_failures_needed(p0, alpha, failures):
    """The least n with (1 - p0)^n <= alpha, by hand: .8^13 = .0550 and .8^14 = .0440."""
    assert ZeroTest(p0=p0, alpha=alpha).failures == failures


@given(st.floats(0.001, 0.999), st.floats(0.001, 0.999))
def test_it_is_the_least_number(p0, alpha):
    """So many failures keep the error rate, one fewer does not; up to rounding where they meet it exactly."""
    test = ZeroTest(p0=p0, alpha=alpha)
    assert test.error_rate(test.failures) <= alpha * (1 + 1e-6)
    assert test.failures == 1 or test.error_rate(test.failures - 1) > alpha * (1 - 1e-6)


def test_none_of_eight_as_a_test():
    """The papers' "none of 8 right" tells MC = 0 from .31 at alpha = .05, as the docstring says."""
    assert ZeroTest(p0=0.313, alpha=0.05).failures == 8
    assert ZeroTest(p0=0.312, alpha=0.05).failures == 9
    assert ZeroTest(p0=0.2).error_rate(8) == pytest.approx(0.8**8)


@pytest.mark.parametrize(
    ("letters", "k", "chunk", "portions"),
    [
        ("wwwwwwww", 8, 1, [1, 1, 1, 1, 1]),
        ("wwwwwwww", 8, 2, [2, 2, 1]),
        ("wwwwwwww", 8, 8, [5]),
        ("wwrwwwww", 8, 2, [2, 2]),
        ("wwwwwwww", 3, 2, [2, 1]),
        ("cwcwcwwwwwww", 12, 2, [2, 2, 2, 2]),
        ("cccccccc", 8, 2, [2, 2, 2, 2]),
    ],
    ids=["one by one", "in pairs", "at once", "a success", "truncated", "crashed ones do not count", "none counts"],
)
def test_when_it_stops(asked, letters, k, chunk, portions):
    """p0=.5, alpha=.05 needs 5 failures; no more is asked than that still takes, nor than k."""
    assert asked(letters, k=k, chunk=chunk, test=ZeroTest(p0=0.5)) == portions


def test_silence_counts_as_told(asked):
    """Completions without an answer are failures, unless they are taken as unknown."""
    assert asked("ssssssss", k=8, test=ZeroTest(p0=0.5)) == [1] * 5
    assert asked("ssssssss", k=8, test=ZeroTest(p0=0.5), silence_is_failure=False) == [1] * 8


def drawn(p: float, *, k: int, runs: int, seed: int) -> tuple[float, float]:
    """Share of prefixes of value p that fail k times in a row, and completions asked for each of all."""
    dice = np.random.Generator(np.random.Philox(key=seed))
    right = dice.random((runs, k)) < p
    first = np.where(right.any(axis=1), right.argmax(axis=1) + 1, k + 1)
    return float((first > k).mean()), float(np.minimum(first, k).mean())


@pytest.mark.parametrize("p0", [0.1, 0.2, 0.4])
@pytest.mark.parametrize("alpha", [0.01, 0.05, 0.2])
def test_error_rate_by_simulation(p0, alpha):
    """Of prefixes worth p0 at most alpha are called zero, within five standard errors."""
    test, runs = ZeroTest(p0=p0, alpha=alpha), 40_000
    share, cost = drawn(p0, k=test.failures, runs=runs, seed=7)
    exact = (1 - p0) ** test.failures
    assert exact <= alpha
    assert abs(share - exact) < 5 * math.sqrt(exact * (1 - exact) / runs)
    # A success ends it: (1 - (1-p)^n) / p completions on average.
    assert cost == pytest.approx((1 - exact) / p0, rel=0.05)


def test_error_rate_of_the_program(asked):
    """The program itself, one completion at a time: of 3,000 prefixes worth .3, as many are called zero as stated."""
    test, dice, runs = ZeroTest(p0=0.3, alpha=0.2), np.random.Generator(np.random.Philox(key=3)), 3000
    assert test.failures == 5
    zero = 0
    for _ in range(runs):
        letters = "".join("r" if right else "w" for right in dice.random(12) < 0.3)
        portions = asked(letters, k=12, test=test)
        zero += "r" not in letters[: len(portions)]
    exact = 0.7**5
    assert abs(zero / runs - exact) < 5 * math.sqrt(exact * (1 - exact) / runs)
    assert zero / runs < 0.2


@pytest.mark.parametrize("options", [{"p0": 0.0}, {"p0": 1.0}, {"alpha": 0.0}, {"alpha": 1.5}, {"p0": math.nan}])
def test_refused(options):
    """Rates outside (0, 1) raise ConfigError with the value."""
    with pytest.raises(ConfigError, match="zero_test"):
        ZeroTest(**options)
