"""Relative progress: what a step did to the completer's chances, as a share of what they were."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar, Literal, TypeAlias, get_args

from steplabel.labels.estimates import (
    Ending,
    Estimates,
    UnknownAs,
    drafted,
    ratio,
    state_values,
    values_before,
)
from steplabel.labels.policy import check_options, joined, option_words
from steplabel.labels.ragged import Draft
from steplabel.schemas import AfterError, ConfigError, LabelTarget
from steplabel.schemas.batches import MARK_NEGATIVE, EvidenceBatch, LabelBatch

Form: TypeAlias = Literal["ratio", "difference"]

_THRESHOLDS: dict[Form, float] = {"ratio": 0.8, "difference": -0.2}


@dataclass(frozen=True, slots=True, kw_only=True)
class RelativeProgress:
    """Relative progress estimation: a step is "+" iff it keeps most of the chances it found.

    GenPRM (Zhao et al. 2025, arXiv:2504.00891): P_t = MC(s_t, a_t) / MC(s_t), "+" iff P_t >= .8; from the first
    step with MC = 0 on, all are "-" with value 0. The difference MC(s_t, a_t) - MC(s_t) asks the same in points.

    Claims `progress`. Values of the ratio lie in [0, inf), of the difference in [-1, 1].

    Deviations. What the first step is compared with is the bare problem (`EvidenceBatch.root`), by rollouts or
    else by the solutions sampled for it. A step has no progress, and an unknown mark, where it or the prefix
    before it was not asked; a ratio over MC = 0 has no value, and "+" if the step was reached by a success.
    The difference's threshold is ours: what .8 says of a prefix that always succeeds.

    Attributes:
        form: `ratio` or `difference`.
        threshold: "+" at or above it; None takes .8 for the ratio and -.2 for the difference.
        after_error, unknown_as, ending, name: as in `HardAny`.

    Raises:
        ConfigError: an option is out of its range.
    """

    version: ClassVar[str] = "1"
    target: ClassVar[LabelTarget] = LabelTarget.PROGRESS

    form: Form = "ratio"
    threshold: float | None = None
    after_error: AfterError = AfterError.KEPT
    unknown_as: UnknownAs = "unknown"
    ending: Ending = Ending.MEASURED
    name: str = ""

    def __post_init__(self) -> None:
        check_options(self.after_error, self.unknown_as, self.ending)
        if self.form not in get_args(Form):
            raise ConfigError(f"form={self.form!r} must be one of {', '.join(get_args(Form))}")
        if self.threshold is not None and not math.isfinite(self.threshold):
            raise ConfigError(f"progress threshold={self.threshold!r} must be a number")
        object.__setattr__(self, "name", self.name or self._derived_name())

    def __call__(self, batch: EvidenceBatch) -> LabelBatch:
        """Label all steps of the batch."""
        states = state_values(batch, ratio, self.unknown_as, self.ending)
        before = values_before(batch, states, Estimates.of(batch.at_root, ratio, self.unknown_as))
        progress = states.over(before) if self.form == "ratio" else states.minus(before)
        draft = drafted(batch, progress, self._threshold)
        _end_at_zero(draft, states)
        return draft.finished(self.after_error)

    @property
    def _threshold(self) -> float:
        return _THRESHOLDS[self.form] if self.threshold is None else self.threshold

    def _derived_name(self) -> str:
        usual = self._threshold == _THRESHOLDS[self.form]
        return joined(
            "progress",
            self.form,
            "" if usual else f"from_{self._threshold:g}",
            *option_words(self.after_error, self.unknown_as, self.ending),
        )


def _end_at_zero(draft: Draft, states: Estimates) -> None:
    """From the first step on whose rollouts all failed, labelable steps are "-" with value 0."""
    dead = draft.labelable & (states.ceilings == 0)
    draft.settle(draft.labelable & (draft.position >= draft.first(dead)[draft.owner]), MARK_NEGATIVE, 0.0)
