"""SCAN: trust the completer only on problems it can solve, and doubt the steps just before the error."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from steplabel.labels.estimates import Ending, Estimates, UnknownAs, ratio
from steplabel.labels.monte_carlo import MonteCarloRule, label_monte_carlo
from steplabel.labels.policy import check_options, check_share, joined
from steplabel.schemas import AfterError, ConfigError, LabelTarget
from steplabel.schemas.batches import (
    FIRST_ERROR_UNKNOWN,
    MARK_POSITIVE,
    MARK_UNKNOWN,
    BoolArray,
    EvidenceBatch,
    FloatArray,
    LabelBatch,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scan:
    """Self-denoising Monte-Carlo labels: gate, tolerance window, re-weighting by self-confidence.

    SCAN (Ding et al. 2025, arXiv:2509.16548, robust learning). SC, the self-confidence, is the share of right answers
    when the completer solves the bare problem (128 samples there). Below `min_confidence` a problem's labels
    are not believed: its solutions stay unlabelled. All steps of a right solution are 1. In a wrong one the
    first step with MC = 0 is the error and gets 0; the `window` steps before it get min(1, MC/SC), since
    completers place errors too late; the steps before the window get 1; what follows is cut.

    Claims `value`, at the steps of the window; the others are set, not measured. Constants: SC >= .75, d = 2.

    Deviations. SC comes from rollouts of the bare problem, else from the solutions sampled for it
    (`EvidenceBatch.root`), however many there are. Where SC may lie on either side of the gate, or the
    error is not located, the solution stays unlabelled, which a full scan by the paper cannot see. A window
    step that nobody asked (a binary search) is "+" without a value. If no step fails and the answer is wrong,
    the last one is the error.

    Attributes:
        min_confidence: the gate, in [0, 1).
        window: d, how many steps before the error are doubted.
        unknown_as: what a rollout without an answer is, in MC and SC.
        name: derived from the options if empty.

    Raises:
        ConfigError: an option is out of its range.
    """

    version: ClassVar[str] = "1"
    target: ClassVar[LabelTarget] = LabelTarget.VALUE
    after_error: ClassVar[AfterError] = AfterError.CUT

    min_confidence: float = 0.75
    window: int = 2
    unknown_as: UnknownAs = "wrong"
    name: str = ""

    def __post_init__(self) -> None:
        check_options(self.after_error, self.unknown_as, Ending.MEASURED)
        check_share(self.min_confidence, field="SCAN min_confidence")
        if self.window < 0:
            raise ConfigError(f"SCAN window={self.window!r} must be at least 0")
        object.__setattr__(self, "name", self.name or self._derived_name())

    def __call__(self, batch: EvidenceBatch) -> LabelBatch:
        """Label all steps of the batch."""
        rule = MonteCarloRule(gate_outcome=True, after_error=self.after_error, unknown_as=self.unknown_as)
        labels = label_monte_carlo(batch, rule)
        confidence = Estimates.of(batch.at_root, ratio, self.unknown_as)
        believed = (confidence.floors >= self.min_confidence) & (labels.first_error != FIRST_ERROR_UNKNOWN)
        shown = believed[batch.owner]
        doubted = shown & _before_error(batch, labels, self.window)

        def column(measured: FloatArray, own_confidence: FloatArray) -> FloatArray:
            # SC is 0 or absent where nobody is believed: those columns are not shown.
            with np.errstate(divide="ignore", invalid="ignore"):
                weighed = np.minimum(1.0, measured / own_confidence[batch.owner])
            set_by_rule = np.where(labels.marks == MARK_POSITIVE, 1.0, 0.0)
            values = np.where(doubted, weighed, set_by_rule)
            return np.where(shown & (labels.marks != MARK_UNKNOWN), values, np.nan)

        return LabelBatch(
            marks=np.where(shown, labels.marks, MARK_UNKNOWN),
            values=column(labels.values, confidence.values),
            lows=column(labels.lows, confidence.highs),
            highs=column(labels.highs, confidence.lows),
            first_error=np.where(believed, labels.first_error, FIRST_ERROR_UNKNOWN),
            confidence=labels.confidence,
            kept=labels.kept | ~shown,
            by_outcome=labels.by_outcome & believed,
        )

    def _derived_name(self) -> str:
        unanswered = "" if self.unknown_as == "wrong" else "unanswered_unknown"
        gate = "" if self.min_confidence == 0.75 else f"confidence_{self.min_confidence:g}"
        return joined("scan", gate, "" if self.window == 2 else f"window_{self.window}", unanswered)


def _before_error(batch: EvidenceBatch, labels: LabelBatch, window: int) -> BoolArray:
    """[S], the last `window` labelable steps before each solution's first error."""
    before = batch.labelable & (batch.position < labels.first_error[batch.owner])
    count = np.concatenate([[0], np.cumsum(before)])
    following = count[batch.offsets[1:]][batch.owner] - count[1:]
    doubted: BoolArray = before & (following < window)
    return doubted
