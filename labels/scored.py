"""Policies over observed scores: a source that graded states itself speaks, rollouts are not counted.

Where the source is silent about a step, its mark and value are unknown: nothing is implied by later steps, and the
solution's own outcome is not asked. Scores come without bounds, so the labels have none.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from steplabel.labels.counting import ObservedScores
from steplabel.labels.estimates import Ending, Estimates, drafted, values_before
from steplabel.labels.policy import check_options, check_share, joined, option_words
from steplabel.labels.ragged import Draft, ends
from steplabel.schemas import AfterError, ConfigError, LabelTarget
from steplabel.schemas.batches import (
    MARK_NEGATIVE,
    MARK_POSITIVE,
    MARK_UNKNOWN,
    EvidenceBatch,
    FloatArray,
    IntArray,
    LabelBatch,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoredValue:
    """The source's score of the state after a step is the step's value; "+" iff it is above `threshold`.

    AlphaMath (Chen et al. 2024, arXiv:2405.03553), `mcts`: V of the node that a step leads to, as the search backed
    it up. Its values lie in [-1, 1], with 1 for a right and -1 for a wrong end: they are 2 V - 1.

    Claims `value`: how often a right answer is reached from there. At threshold 0, "+" says that the source saw a
    right answer behind the state, "-" that none of what its score is a mean of came out right: for
    V the rollouts and ends of the nodes below, which take the place of a node's own rollouts once it has children.
    A first error is known only where the source spoke of every step up to it.

    Deviations. AlphaMath has no marks; the sign of its values is `threshold=0.5`, which is also the one to take for
    scores of an external value function, since these are never quite 0. Hard labels keep the score as their value.

    Attributes:
        source: whose scores.
        threshold: in [0, 1).
        target: what the source's scores claim: `value`, `reachable` or `correct`.
        after_error, name: as in `HardAny`.

    Raises:
        ConfigError: an option is out of its range, or no source is named.
    """

    version: ClassVar[str] = "1"

    source: str
    threshold: float = 0.0
    target: LabelTarget = LabelTarget.VALUE
    after_error: AfterError = AfterError.KEPT
    name: str = ""

    def __post_init__(self) -> None:
        check_source(self.source)
        check_share(self.threshold, field="score threshold")
        check_options(self.after_error, "unknown", Ending.IGNORED)
        if self.target not in set(LabelTarget) - {LabelTarget.PROGRESS}:
            raise ConfigError(f"target={self.target!r} must be value, reachable or correct: a score is of a state")
        object.__setattr__(self, "name", self.name or self._derived_name())

    @property
    def counting(self) -> ObservedScores:
        """The source's observations."""
        return ObservedScores(source=self.source)

    def __call__(self, batch: EvidenceBatch) -> LabelBatch:
        """Label all steps of the batch."""
        scores = batch.scores_of(self.source)
        below = np.where(scores <= self.threshold, MARK_NEGATIVE, MARK_UNKNOWN)  # NaN is neither
        marks = np.where(scores > self.threshold, MARK_POSITIVE, below)
        return scored_draft(batch, marks, scores).finished(self.after_error)

    def _derived_name(self) -> str:
        return joined(
            "scored",
            self.source,
            "" if self.target == LabelTarget.VALUE else str(self.target),
            f"above_{self.threshold:g}" if self.threshold else "",
            *option_words(self.after_error, "unknown", Ending.MEASURED),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoredGain:
    """How much a step raised the source's score: that of the state after it less that of the state before.

    IGPO (Wang et al. 2025, arXiv:2510.14967): the information gain of a turn is the change of the gold answer's
    probability, exp(mean log p of its tokens), from the prefix before the turn to the one after.

    Claims `progress`, with values in [-1, 1]. A step is "+" if the score did not fall, "-" if it fell, unknown if
    either state has no score: for the first step that of the bare problem, for the last step its own, where the
    answer stands already and `GoldLogprob` does not ask.

    Deviations. Steps of a solution in place of an agent's turns. The paper gives the last turn the outcome
    reward, then normalises within a group of samples and adds up discounted; that is left to the training.

    Attributes:
        source: whose scores; `gold_logprob` asks for IGPO's.
        name: derived from the source if empty.

    Raises:
        ConfigError: no source is named.
    """

    version: ClassVar[str] = "1"
    target: ClassVar[LabelTarget] = LabelTarget.PROGRESS
    after_error: ClassVar[AfterError] = AfterError.KEPT

    source: str = "gold_logprob"
    name: str = ""

    def __post_init__(self) -> None:
        check_source(self.source)
        object.__setattr__(self, "name", self.name or joined("score_gain", self.source))

    @property
    def counting(self) -> ObservedScores:
        """The source's observations."""
        return ObservedScores(source=self.source)

    def __call__(self, batch: EvidenceBatch) -> LabelBatch:
        """Label all steps of the batch."""
        states = Estimates.exact(batch.scores_of(self.source))
        before = values_before(batch, states, Estimates.exact(batch.root_scores_of(self.source)))
        draft = drafted(batch, states.minus(before), 0.0)
        draft.lows[:] = draft.highs[:] = np.nan
        return draft.finished(self.after_error)


def check_source(source: str) -> None:
    """Raise ConfigError unless a source is named."""
    if not source:
        raise ConfigError(f"source={source!r} must name whose scores are meant, such as 'mcts'")


def scored_draft(batch: EvidenceBatch, marks: IntArray, values: FloatArray) -> Draft:
    """A draft with marks and values [S] at the labelable steps, unknown elsewhere, and no bounds."""
    return Draft(
        owner=batch.owner,
        position=batch.position,
        solutions=batch.solutions,
        labelable=batch.labelable,
        at_end=ends(batch),
        marks=np.where(batch.labelable, marks, MARK_UNKNOWN),
        values=np.where(batch.labelable, values, np.nan),
        lows=np.full(batch.steps, np.nan),
        highs=np.full(batch.steps, np.nan),
    )
