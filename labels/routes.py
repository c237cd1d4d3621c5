"""Values by the way to a right answer (ReST-MCTS*): how far along it a step is, or that it left it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from steplabel.labels.counting import ObservedScores
from steplabel.labels.policy import joined
from steplabel.labels.ragged import ends, last_position
from steplabel.labels.scored import check_source, scored_draft
from steplabel.schemas import AfterError, LabelTarget
from steplabel.schemas.batches import (
    MARK_NEGATIVE,
    MARK_POSITIVE,
    MARK_UNKNOWN,
    OUTCOME_CORRECT,
    BoolArray,
    EvidenceBatch,
    FloatArray,
    LabelBatch,
)

_ROUNDING = 1e-9
"""d / T * (d - 1) / d and (d - 1) / T differ by less than this, two unequal route values by more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RouteValue:
    """Route values: t/T for the t-th step of a right answer of T steps, less for a step beside it (ReST-MCTS*).

    Zhang et al. 2024, arXiv:2406.03816: v_t = max(v_(t-1) + w_t, 0), where w_t = 1/T for a right step and -1/T for a
    step that leaves the way behind t - 1 right ones: it ends with value max((t - 2) / T, 0).

    Claims `value`, loosely: the value is how far along the way to a right answer one is, no chance of anything.

    A step is "+" if it is on such a way: its value is above that of a step beside the way, or the source speaks of
    a later step of the solution, as it does only behind steps on the way. It is "-" if its value is no higher:
    the search found no right answer behind it. Where one is there all the same, by a rollout from this step or a
    later one or because the solution's own answer is right, it is unknown. What follows a step beside the way is
    not spoken of, and unknown.

    Deviations. The paper has no marks, but takes steps beside the way as wrong ones in the formula above. For
    solutions that are no path of the search's own tree a "-" may be one more thing: a step on a way that is longer
    than the shortest one here by the factor t / (t - 2) or more, behind which this solution leaves the tree and
    goes wrong.

    Attributes:
        source: whose route values.
        name: derived from the source if empty.

    Raises:
        ConfigError: no source is named.
    """

    version: ClassVar[str] = "1"
    target: ClassVar[LabelTarget] = LabelTarget.VALUE
    after_error: ClassVar[AfterError] = AfterError.KEPT

    source: str = "mcts_route"
    name: str = ""

    def __post_init__(self) -> None:
        check_source(self.source)
        object.__setattr__(self, "name", self.name or joined("route_value", self.source))

    @property
    def counting(self) -> ObservedScores:
        """The source's observations."""
        return ObservedScores(source=self.source)

    def __call__(self, batch: EvidenceBatch) -> LabelBatch:
        """Label all steps of the batch."""
        values = batch.scores_of(self.source)
        spoken = batch.labelable & ~np.isnan(values)
        last = last_position(batch.owner, batch.position, batch.solutions, spoken)[batch.owner]
        beside = _value_beside(batch, values) + _ROUNDING
        on_way = spoken & ((batch.position < last) | (values > beside))
        left = (values <= beside) & ~on_way & ~_reached(batch)
        marks = np.where(on_way, MARK_POSITIVE, np.where(left, MARK_NEGATIVE, MARK_UNKNOWN))
        return scored_draft(batch, marks, values).finished(self.after_error)


def _reached(batch: EvidenceBatch) -> BoolArray:
    """[S], states from which somebody came to a right answer, whatever the search found."""
    solved = ends(batch) & (batch.outcome == OUTCOME_CORRECT)[batch.owner]
    last = last_position(batch.owner, batch.position, batch.solutions, solved | (batch.correct > 0))
    reached: BoolArray = batch.position <= last[batch.owner]
    return reached


def _value_beside(batch: EvidenceBatch, values: FloatArray) -> FloatArray:
    """[S], what each step would have if it left the way: behind d steps of value d/T it is (d - 1)/T, and never < 0."""
    behind = batch.position
    before = np.concatenate([[np.nan], values[:-1]])[: batch.steps]
    share = np.divide(behind - 1, behind, out=np.zeros(batch.steps), where=behind > 0)
    beside: FloatArray = np.where(behind > 0, before * share, 0.0)
    return beside
