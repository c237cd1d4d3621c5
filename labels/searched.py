"""Labels at the steps that a search singled out.

A tree search looks at some states only, and its paper trains on some of these. The search's observations say *which*
steps count; what they are worth is counted from the rollouts at their ends, as everywhere. So the labels have bounds,
know what could not be checked, and follow the outcomes when answers are judged again.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from steplabel.labels.estimates import Ending, UnknownAs, ratio, state_values
from steplabel.labels.policy import check_options, check_share, joined, option_words
from steplabel.labels.ragged import Draft, ends
from steplabel.labels.scored import check_source
from steplabel.schemas import AfterError, ConfigError, LabelTarget
from steplabel.schemas.batches import MARK_NEGATIVE, MARK_POSITIVE, MARK_UNKNOWN, EvidenceBatch, LabelBatch


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchedEdges:
    """The share of right rollouts behind each step that the search observed, and nothing at the others.

    OmegaPRM (Luo et al. 2024, arXiv:2406.06592, section 3.4), `omegaprm`: the pointwise soft label, MC(s), on the
    edges of a single step; `omegaprm_hard` the pointwise hard one, "+" iff MC(s) > 0. Rollouts without an answer count
    as wrong there, as in the paper.

    Claims `value` or `reachable`. A step is "+" if the value is above `threshold` whatever the unknown rollouts were,
    "-" if it is not, unknown if they could tell. The last step of a path that was not asked is the path's own answer.
    Nothing is implied by later steps, so a first error is known only where every step up to it was observed.

    Deviation. A prefix that several cuts of a text end in is asked once, and its rollouts stand at the cut that was
    asked: at the others the step stays unknown. OmegaPRM's pairwise labels are made of these by `value_preferences`.

    Attributes:
        source: whose observations with a score say which steps count. The scores themselves are not read.
        threshold: in [0, 1).
        target: `value` or `reachable`.
        unknown_as, after_error, name: as in `HardAny`.

    Raises:
        ConfigError: an option is out of its range, or no source is named.
    """

    version: ClassVar[str] = "2"

    source: str = "omegaprm"
    threshold: float = 0.0
    target: LabelTarget = LabelTarget.VALUE
    unknown_as: UnknownAs = "wrong"
    after_error: AfterError = AfterError.KEPT
    name: str = ""

    def __post_init__(self) -> None:
        check_source(self.source)
        check_share(self.threshold, field="edge threshold")
        check_options(self.after_error, self.unknown_as, Ending.MEASURED)
        if self.target not in (LabelTarget.VALUE, LabelTarget.REACHABLE):
            raise ConfigError(f"target={self.target!r} must be value or reachable: rollouts know nothing else")
        object.__setattr__(self, "name", self.name or self._derived_name())

    def __call__(self, batch: EvidenceBatch) -> LabelBatch:
        """Label all steps of the batch."""
        own = state_values(batch, ratio, self.unknown_as, Ending.MEASURED)
        edges = batch.labelable & ~np.isnan(batch.scores_of(self.source))
        own = own.mapped(lambda column: np.where(edges, column, np.nan))
        below = np.where(own.ceilings <= self.threshold, MARK_NEGATIVE, MARK_UNKNOWN)  # NaN is neither
        draft = Draft(
            owner=batch.owner,
            position=batch.position,
            solutions=batch.solutions,
            labelable=batch.labelable,
            at_end=ends(batch),
            marks=np.where(own.floors > self.threshold, MARK_POSITIVE, below),
            values=own.values,
            lows=own.lows,
            highs=own.highs,
        )
        spoke = draft.per_solution(edges & (batch.at_steps.total > 0))
        return draft.finished(self.after_error, by_outcome=~spoke)

    def _derived_name(self) -> str:
        return joined(
            "edges",
            self.source,
            "" if self.target == LabelTarget.VALUE else str(self.target),
            f"above_{self.threshold:g}" if self.threshold else "",
            *option_words(self.after_error, self.unknown_as, Ending.MEASURED),
        )
