"""Min-form credit: a solution is as good as its worst step, so that step gets nearly all the credit."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from typing import ClassVar

import numpy as np

from steplabel.labels.counting import check_uncounted
from steplabel.labels.estimation import Soft
from steplabel.labels.policy import LabelPolicy, joined
from steplabel.schemas import AfterError, ConfigError, LabelTarget
from steplabel.schemas.batches import EvidenceBatch, FloatArray, IntArray, LabelBatch


@dataclass(frozen=True, slots=True, kw_only=True)
class MinForm:
    """Values turned into credits that add up to about their minimum (PURE).

    Cheng et al. 2025, arXiv:2504.15275: the step's reward r_i becomes w_i r_i, with w the softmax of
    -r / T over the solution's steps, T = 0.1. The smallest rewards get the weight, so that one bad step cannot be
    bought off by many good ones.

    Claims `progress`, loosely: a value is the step's part in the solution's worth, no chance of anything. Marks
    and the first error are those of `values_of`.

    Deviations. Rewards are the values of another policy in place of a trained model's, so they lie in [0, 1]: a
    step of value 0 earns 0, not less. Weights depend on every step: a solution with a
    labelable step that is kept and has no value has no credits. There are no bounds, since a credit does not
    grow with its step's value.

    Attributes:
        values_of: the policy whose values are rewards.
        temperature: T, above 0; towards 0 the worst step takes all.
        name: derived from the options if empty.

    Raises:
        ConfigError: the temperature is not above 0, or the inner policy is a `Counted` one.
    """

    version: ClassVar[str] = "1"
    target: ClassVar[LabelTarget] = LabelTarget.PROGRESS

    values_of: LabelPolicy = field(default_factory=Soft)
    temperature: float = 0.1
    name: str = ""

    def __post_init__(self) -> None:
        check_uncounted(self.values_of)
        if not (math.isfinite(self.temperature) and self.temperature > 0):
            raise ConfigError(f"min-form temperature={self.temperature!r} must be above 0")
        warm = "" if self.temperature == 0.1 else f"at_{self.temperature:g}"
        object.__setattr__(self, "name", self.name or joined("min_form", self.values_of.name, warm))

    @property
    def after_error(self) -> AfterError:
        """As the inner policy."""
        return self.values_of.after_error

    def __call__(self, batch: EvidenceBatch) -> LabelBatch:
        """Label all steps of the batch."""
        labels = self.values_of(batch)
        counted = batch.labelable & labels.kept
        unvalued = np.bincount(batch.owner[counted & np.isnan(labels.values)], minlength=batch.solutions)
        valued = counted & (unvalued == 0)[batch.owner]
        earned = np.full(batch.steps, np.nan)
        earned[valued] = _credits(labels.values[valued], batch.owner[valued], batch.solutions, self.temperature)
        nothing = np.full(batch.steps, np.nan)
        return replace(labels, values=earned, lows=nothing, highs=nothing.copy())


def _credits(rewards: FloatArray, owner: IntArray, solutions: int, temperature: float) -> FloatArray:
    least = np.full(solutions, np.inf)
    np.minimum.at(least, owner, rewards)
    weights = np.exp((least[owner] - rewards) / temperature)  # the largest exponent is 0: nothing overflows
    total = np.bincount(owner, weights=weights, minlength=solutions)
    earned: FloatArray = rewards * weights / total[owner]
    return earned
