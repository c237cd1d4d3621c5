"""Advantages: how much a step raised somebody's chances, as rewards for reinforcement learning.

All claim `progress`, with values in [-1, 1]. A step is "+" if its bounds say that it lost nothing, "-" if they
say that it lost something, unknown where they hold 0 between them or where it, or the prefix it goes on from,
was not asked. Values of few rollouts scatter: with k = 8 the difference of two chances of one half is "-" four
times in ten. Train on the values; the marks are for reading.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from steplabel.labels.estimates import (
    Ending,
    Estimates,
    Rate,
    UnknownAs,
    best_of,
    drafted,
    ratio,
    state_values,
    values_before,
)
from steplabel.labels.policy import check_options, joined, option_words
from steplabel.schemas import AfterError, ConfigError, LabelTarget
from steplabel.schemas.batches import OUTCOME_UNKNOWN, EvidenceBatch, FloatArray, IntArray, LabelBatch


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessAdvantage:
    """A prover's advantage: its chances after the step less its chances before (PAV).

    Setlur et al. 2024, arXiv:2410.08146: A(s, a) = Q(s, a) - V(s) under a prover other than the policy
    that wrote the step; a good one is the best of K tries, Q_BoK = 1 - (1 - Q)^K, K = 4.

    Deviations. From k rollouts, c of them right, Q_BoK is estimated without bias, 1 - C(k-c, K) / C(k, K), where
    the paper's formula of an estimated Q is biased; it needs k >= K rollouts, else there is no value. Name the
    prover as the `completer` that is counted; without rollouts of the bare problem its V is that of the
    problem's sampled solutions.

    Attributes:
        best_of: K; 1 is the prover's own advantage.
        unknown_as, ending, name: as in `HardAny`.

    Raises:
        ConfigError: an option is out of its range.
    """

    version: ClassVar[str] = "1"
    target: ClassVar[LabelTarget] = LabelTarget.PROGRESS
    after_error: ClassVar[AfterError] = AfterError.KEPT

    best_of: int = 4
    unknown_as: UnknownAs = "unknown"
    ending: Ending = Ending.MEASURED
    name: str = ""

    def __post_init__(self) -> None:
        check_options(self.after_error, self.unknown_as, self.ending)
        if self.best_of < 1:
            raise ConfigError(f"best_of={self.best_of!r} must be at least 1")
        words = option_words(self.after_error, self.unknown_as, self.ending)
        tries = f"best_of_{self.best_of}" if self.best_of > 1 else ""
        object.__setattr__(self, "name", self.name or joined("advantage", tries, *words))

    def __call__(self, batch: EvidenceBatch) -> LabelBatch:
        """Label all steps of the batch."""
        gained = _gains(batch, best_of(self.best_of), self.unknown_as, self.ending)
        return drafted(batch, gained, 0.0).finished(self.after_error)


@dataclass(frozen=True, slots=True, kw_only=True)
class StepwiseReward:
    """The difference a step made, and for a step that made none a decayed share of the next one that did (VSRM).

    Yue et al. 2025, arXiv:2508.10293: with A the share of right forced answers behind each prefix, a step earns
    A_t - A_(t-1); where that is 0, it earns the first later difference within `lookahead` steps, times `decay` for
    each step in between. Constants of the released code: decay .7, lookahead 4.

    Made for counts of forced answers (`RolloutCounts(probe=...)`); it works on plain rollouts, too.

    Deviations. Steps are the data's, where the paper cuts thoughts at words such as "Wait". The first step has a
    reward only if the probe was asked at the bare problem. A difference that is not known stops the look ahead.
    A passed-on reward is exact only if its steps' bounds are: it carries those of the step it comes from.

    Attributes:
        decay: in [0, 1]; 0 leaves a step that made no difference at 0.
        lookahead: how many later steps are looked at.
        unknown_as, ending, name: as in `HardAny`.

    Raises:
        ConfigError: an option is out of its range.
    """

    version: ClassVar[str] = "1"
    target: ClassVar[LabelTarget] = LabelTarget.PROGRESS
    after_error: ClassVar[AfterError] = AfterError.KEPT

    decay: float = 0.7
    lookahead: int = 4
    unknown_as: UnknownAs = "unknown"
    ending: Ending = Ending.MEASURED
    name: str = ""

    def __post_init__(self) -> None:
        check_options(self.after_error, self.unknown_as, self.ending)
        if not 0.0 <= self.decay <= 1.0 or self.lookahead < 0:
            raise ConfigError(f"decay={self.decay!r} must lie in [0, 1] and lookahead={self.lookahead!r} be at least 0")
        object.__setattr__(self, "name", self.name or self._derived_name())

    def __call__(self, batch: EvidenceBatch) -> LabelBatch:
        """Label all steps of the batch."""
        gained = _gains(batch, ratio, self.unknown_as, self.ending)
        source, distance = _first_change(batch, gained.values, self.lookahead)
        passed = gained.mapped(lambda column: column[source] * self.decay**distance)
        return drafted(batch, passed, 0.0).finished(self.after_error)

    def _derived_name(self) -> str:
        usual = math.isclose(self.decay, 0.7) and self.lookahead == 4
        return joined(
            "stepwise_reward",
            "" if usual else f"decay_{self.decay:g}_within_{self.lookahead}",
            *option_words(self.after_error, self.unknown_as, self.ending),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupAdvantage:
    """The solution's own outcome less the mean outcome of all solutions that passed through the state before.

    The step-level half of GiGPO (Feng et al. 2025, arXiv:2505.10978): actions taken from one state are compared
    with one another by what became of them; F_norm = 1 and no discount. Made for the counts of `SiblingCounts`,
    where a state is a shared prefix or an equal result.

    Deviations. The episode-level half, which is the same for all steps, is left out. A state that one solution
    alone passed through says nothing: 0, as there.

    Attributes:
        unknown_as, name: as in `HardAny`.
    """

    version: ClassVar[str] = "1"
    target: ClassVar[LabelTarget] = LabelTarget.PROGRESS
    after_error: ClassVar[AfterError] = AfterError.KEPT

    unknown_as: UnknownAs = "unknown"
    name: str = ""

    def __post_init__(self) -> None:
        check_options(self.after_error, self.unknown_as, Ending.IGNORED)
        words = option_words(self.after_error, self.unknown_as, Ending.MEASURED)
        object.__setattr__(self, "name", self.name or joined("group_advantage", *words))

    def __call__(self, batch: EvidenceBatch) -> LabelBatch:
        """Label all steps of the batch."""
        states = state_values(batch, ratio, self.unknown_as, Ending.IGNORED)
        before = values_before(batch, states, Estimates.of(batch.at_root, ratio, self.unknown_as))
        outcome = np.where(batch.outcome == OUTCOME_UNKNOWN, np.nan, batch.outcome.astype(np.float64))
        earned = Estimates.exact(outcome[batch.owner])
        return drafted(batch, earned.minus(before), 0.0).finished(self.after_error)


def _gains(batch: EvidenceBatch, rate: Rate, unknown_as: UnknownAs, ending: Ending) -> Estimates:
    """[S], each step's value less that of the prefix it goes on from."""
    states = state_values(batch, rate, unknown_as, ending)
    return states.minus(values_before(batch, states, Estimates.of(batch.at_root, rate, unknown_as)))


def _first_change(batch: EvidenceBatch, gained: FloatArray, lookahead: int) -> tuple[IntArray, IntArray]:
    """[S] twice: the labelable step whose gain each step takes over, at most `lookahead` on, and how far on.

    A step takes its own gain unless that is 0; if no later one within reach differs from 0, it keeps its own.
    """
    ours = np.flatnonzero(batch.labelable)
    owner, gain = batch.owner[ours], gained[ours]
    chosen = np.arange(len(ours))
    waiting = np.isclose(gain, 0.0, atol=1e-5, rtol=0.0)
    for distance in range(1, lookahead + 1):
        later = np.minimum(np.arange(len(ours)) + distance, len(ours) - 1)
        waiting &= owner[later] == owner
        changed = waiting & ~np.isclose(gain[later], 0.0, atol=1e-5, rtol=0.0)
        chosen[changed & ~np.isnan(gain[later])] = later[changed & ~np.isnan(gain[later])]
        waiting &= ~changed
    source = np.arange(batch.steps)
    source[ours] = ours[chosen]
    distances = np.zeros(batch.steps, dtype=np.int64)
    distances[ours] = chosen - np.arange(len(ours))
    return source, distances
