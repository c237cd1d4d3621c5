"""The outcome gate: a step's reward counts only if the whole solution came out right."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np

from steplabel.labels.counting import check_uncounted
from steplabel.labels.estimation import Soft
from steplabel.labels.policy import LabelPolicy, joined
from steplabel.schemas import AfterError, LabelTarget
from steplabel.schemas.batches import (
    FIRST_ERROR_UNKNOWN,
    MARK_UNKNOWN,
    OUTCOME_CORRECT,
    OUTCOME_WRONG,
    EvidenceBatch,
    FloatArray,
    LabelBatch,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class OutcomeGated:
    """Another policy's labels where the final answer is right, nothing where it is wrong (G-RA).

    Gated reward accumulation (Sun et al. 2025, arXiv:2508.10548): immediate rewards are added up only if the reward
    of the outcome reaches a threshold, so that a policy cannot live on good-looking steps of failed attempts.

    Claims what the inner policy claims. Where the answer is wrong, values and bounds are 0 (nothing is earned)
    and every mark is unknown: earning nothing is not being wrong. Such solutions leave a dataset as undecided,
    which is what a gate does. Where the outcome is unknown, so is everything.

    Deviations. The outcome here is right or wrong, so there is one threshold.

    Attributes:
        labels_of: the policy behind the gate.
        name: derived from it if empty.

    Raises:
        ConfigError: the inner policy is a `Counted` one, which must stand outside.
    """

    version: ClassVar[str] = "1"

    labels_of: LabelPolicy = field(default_factory=Soft)
    name: str = ""

    def __post_init__(self) -> None:
        check_uncounted(self.labels_of)
        object.__setattr__(self, "name", self.name or joined("if_right", self.labels_of.name))

    @property
    def target(self) -> LabelTarget:
        """As the inner policy."""
        return self.labels_of.target

    @property
    def after_error(self) -> AfterError:
        """As the inner policy."""
        return self.labels_of.after_error

    def __call__(self, batch: EvidenceBatch) -> LabelBatch:
        """Label all steps of the batch."""
        labels = self.labels_of(batch)
        open_, shut = batch.outcome == OUTCOME_CORRECT, batch.outcome == OUTCOME_WRONG
        passes, zero = open_[batch.owner], shut[batch.owner] & batch.labelable

        def column(values: FloatArray) -> FloatArray:
            return np.where(passes, values, np.where(zero, 0.0, np.nan))

        return LabelBatch(
            marks=np.where(passes, labels.marks, MARK_UNKNOWN),
            values=column(labels.values),
            lows=column(labels.lows),
            highs=column(labels.highs),
            first_error=np.where(open_, labels.first_error, FIRST_ERROR_UNKNOWN),
            confidence=np.where(open_, labels.confidence, np.nan),
            kept=labels.kept | ~passes,
            by_outcome=labels.by_outcome & open_,
        )
