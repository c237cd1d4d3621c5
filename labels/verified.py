"""A policy over verdicts: what verifiers said of the steps themselves, rollouts and answers apart."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from steplabel.labels.counting import ObservedVerdicts
from steplabel.labels.estimates import Ending
from steplabel.labels.policy import check_options, joined, option_words
from steplabel.labels.scored import scored_draft
from steplabel.schemas import AfterError, ConfigError, LabelTarget
from steplabel.schemas.batches import MARK_NEGATIVE, MARK_POSITIVE, MARK_UNKNOWN, EvidenceBatch, LabelBatch


@dataclass(frozen=True, slots=True, kw_only=True)
class Verified:
    """ "-" where a verifier says that the step fails; "+" where one says that it holds, if that proves the step.

    FoVer (Kamoi et al. 2025, arXiv:2505.15960): a step of a formal proof is right if and only if it follows from what
    it cites, so `proves=True`. For verifiers that check a part of what a step says (arithmetic, entailment of
    equations) a claim that holds leaves open whether it was the right thing to compute: `proves=False`, and such
    steps stay unknown.

    Claims `correct`: the step itself is valid, taking the earlier ones for granted. Steps are judged one by one, so a
    "+" may follow a "-". The first error is known only where every step before it is "+".

    Attributes:
        sources: names of verifiers. Where they disagree, "fails" is what counts: they read different claims.
        proves: whether a step that holds is right.
        after_error, name: as in `HardAny`.

    Raises:
        ConfigError: an option is out of its range, or no source is named.
    """

    version: ClassVar[str] = "1"
    target: ClassVar[LabelTarget] = LabelTarget.CORRECT

    sources: tuple[str, ...]
    proves: bool = False
    after_error: AfterError = AfterError.KEPT
    name: str = ""

    def __post_init__(self) -> None:
        if not self.sources or not all(self.sources):
            raise ConfigError(f"sources={self.sources!r} must name whose verdicts are meant, such as 'logic'")
        check_options(self.after_error, "unknown", Ending.IGNORED)
        words = ("proved" if self.proves else "refuted", *self.sources)
        derived = joined(*words, *option_words(self.after_error, "unknown", Ending.MEASURED))
        object.__setattr__(self, "name", self.name or derived)

    @property
    def counting(self) -> ObservedVerdicts:
        """The verifiers' observations."""
        return ObservedVerdicts(sources=self.sources)

    def __call__(self, batch: EvidenceBatch) -> LabelBatch:
        """Label all steps of the batch."""
        said = np.array([batch.verdicts_of(source) for source in self.sources])
        fails, holds = (said < 0).any(axis=0), (said > 0).any(axis=0)
        marks = np.where(fails, MARK_NEGATIVE, np.where(holds & self.proves, MARK_POSITIVE, MARK_UNKNOWN))
        values = np.where(marks == MARK_UNKNOWN, np.nan, (marks == MARK_POSITIVE).astype(np.float64))
        return scored_draft(batch, marks, values).finished(self.after_error)
