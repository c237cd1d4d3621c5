"""Hard and soft estimation: the policies that say what rollouts from a step's end came to.

Why these defaults. `unknown_as="unknown"`: a rollout that was cut says nothing for certain, so a threshold
between the bounds gives an unknown mark; the papers count it as a failure, as do the views named after them.
`after_error=KEPT`: Math-Shepherd labels every step by its own rollouts. `gate_outcome=False`: a right answer
does not prove right steps. `ending=MEASURED`: rollouts from a finished solution, where somebody paid for
them, are evidence like any other.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from steplabel.labels.estimates import Ending, UnknownAs
from steplabel.labels.monte_carlo import MonteCarloRule, label_monte_carlo
from steplabel.labels.policy import check_options, check_share, joined, option_words
from steplabel.schemas import AfterError, LabelTarget
from steplabel.schemas.batches import EvidenceBatch, LabelBatch


@dataclass(frozen=True, slots=True, kw_only=True)
class _Estimation:
    """What the policies here have in common; `HardAny` says what the options mean."""

    version: ClassVar[str] = "1"
    base: ClassVar[str] = "hard"

    gate_outcome: bool = False
    after_error: AfterError = AfterError.KEPT
    unknown_as: UnknownAs = "unknown"
    ending: Ending = Ending.MEASURED
    name: str = ""

    def __post_init__(self) -> None:
        check_options(self.after_error, self.unknown_as, self.ending)
        above = self._above()
        check_share(above, field=f"{self.base} label threshold")
        derived = joined(
            self.base,
            f"above_{above:g}" if above else "",
            "gated" if self.gate_outcome else "",
            *option_words(self.after_error, self.unknown_as, self.ending),
        )
        object.__setattr__(self, "name", self.name or derived)

    def __call__(self, batch: EvidenceBatch) -> LabelBatch:
        """Label all steps of the batch."""
        rule = MonteCarloRule(
            threshold=self._above(),
            gate_outcome=self.gate_outcome,
            after_error=self.after_error,
            unknown_as=self.unknown_as,
            ending=self.ending,
        )
        return label_monte_carlo(batch, rule)

    def _above(self) -> float:
        """The share of correct rollouts that a step's must exceed."""
        return 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class HardAny(_Estimation):
    """Hard estimation: a step is "+" iff any rollout from it is correct (Math-Shepherd, section 3.3).

    Wang et al. 2024, arXiv:2312.08935.

    Claims `reachable`. `values` carry the share of correct rollouts that the marks came from.

    Attributes:
        gate_outcome: steps of a solution with a right final answer are all "+" (OmegaPRM, SCAN).
        after_error: what becomes of the steps after the first "-".
        unknown_as: what a rollout without an answer is.
        ending: who speaks about the last step.
        name: how rows call it; derived from the options if empty.

    Raises:
        ConfigError: `after_error`, `unknown_as` or `ending` is not one of its words.
    """

    target: ClassVar[LabelTarget] = LabelTarget.REACHABLE


@dataclass(frozen=True, slots=True, kw_only=True)
class HardAbove(_Estimation):
    """Hard estimation with a threshold: a step is "+" iff more than a share `threshold` of rollouts is correct.

    The Qwen "lessons" paper compares such thresholds with 0 (Zhang et al. 2025, arXiv:2501.07301) and
    finds 0 best: a higher one calls hard places wrong.

    Claims `reachable`, more often than the threshold. `values` carry the share. A threshold between the bounds
    [c/k, (c+u)/k] leaves the mark unknown. No mark is implied by later steps: a value may rise along a solution.

    Attributes:
        threshold: in [0, 1); at 0 it is `HardAny`.
        gate_outcome, after_error, unknown_as, ending, name: as in `HardAny`.

    Raises:
        ConfigError: an option is out of its range.
    """

    target: ClassVar[LabelTarget] = LabelTarget.REACHABLE

    threshold: float = 0.5

    def _above(self) -> float:
        return self.threshold


@dataclass(frozen=True, slots=True, kw_only=True)
class Soft(_Estimation):
    """Soft estimation: the value is the share of correct rollouts, c/k (Math-Shepherd, section 3.3).

    Wang et al. 2024, arXiv:2312.08935.

    Claims `value`. OmegaPRM found soft labels the best to train on, the Qwen "lessons" paper hard ones after
    filtering; marks come along: "+" iff the value is above `threshold`. Evidence of an annotator that stops
    asking at the first success over-states c/k: take hard labels from it.

    Attributes:
        threshold: in [0, 1). Above 0 no mark is implied by later steps: a value may rise along a solution.
        gate_outcome, after_error, unknown_as, ending, name: as in `HardAny`.

    Raises:
        ConfigError: an option is out of its range.
    """

    base: ClassVar[str] = "soft"
    target: ClassVar[LabelTarget] = LabelTarget.VALUE

    threshold: float = 0.0

    def _above(self) -> float:
        return self.threshold
