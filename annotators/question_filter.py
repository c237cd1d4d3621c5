"""Which problems are worth rollouts: those the model solves sometimes, or those it is sure of.

Two gates, both on the outcomes of a problem's sampled solutions, and both fit for any annotator behind them:

    QuestionFilter()    OmegaPRM (arXiv:2406.06592, appendix), GenPRM: not all right and not all wrong. A problem whose
                        solutions are all right has no error to find; one whose solutions are all wrong gives
                        completions that fail whatever the prefix, so MC = 0 there says nothing about a step.
    SCAN_GATE           SCAN (arXiv:2509.16548): keep where self-confidence, the share of right solutions, is at least
                        .75. Where the model mostly fails, correct prefixes fail too, and MC puts the error too early.

SCAN takes 128 samples a question for its self-confidence, OmegaPRM's filter 32; here it is as many as a recipe samples
solutions, and four of them know only 0, .25, .5, .75 and 1. SCAN means the completer's confidence: where another model
wrote the solutions, the share is that model's.

A problem is never dropped for what is not known: only outcomes that say right or wrong count, and where fewer
than half of them do, the answer is "not decided", which keeps the problem unless `drop_undecided` is set.
Solutions without an answer are not right ones, so they keep a problem from being all right; but by themselves
they never make it all wrong, since a token limit set too low would then drop a whole data set in silence.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from steplabel.annotators.tally import Tally
from steplabel.schemas import CheckedOutcome, ConfigError, Reason

LOW_CONFIDENCE: Final = "low_confidence"
"""Reason for a problem of which some solutions are right, but too small a share."""
HIGH_CONFIDENCE: Final = "high_confidence"
"""Reason for a problem of which some solutions are not right, but too large a share is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class QuestionDecision:
    """Keep a problem or drop it. `reason` is empty for a plain keep."""

    keep: bool
    reason: str
    tally: Tally


@dataclass(frozen=True, slots=True, kw_only=True)
class QuestionFilter:
    """Keep a problem if its solutions' share of right answers lies within bounds, both inclusive.

    Attributes:
        min_correct, min_incorrect: solutions that must be right, and not right; 1 and 1 in OmegaPRM.
        min_share, max_share: of right ones among all that count.
        min_decided_share: of all solutions, how many must count before the problem can be dropped.
        drop_undecided: drop problems of which too little is known, with a reason of their own.
    """

    min_correct: int = 1
    min_incorrect: int = 1
    min_share: float = 0.0
    max_share: float = 1.0
    min_decided_share: float = 0.5
    drop_undecided: bool = False

    def __post_init__(self) -> None:
        if self.min_correct < 0 or self.min_incorrect < 0:
            raise ConfigError(
                f"min_correct={self.min_correct} and min_incorrect={self.min_incorrect} must be 0 or more"
            )
        if not 0.0 <= self.min_share <= self.max_share <= 1.0:
            raise ConfigError(f"need 0 <= min_share <= max_share <= 1, got {self.min_share} and {self.max_share}")
        if not 0.0 <= self.min_decided_share <= 1.0:
            raise ConfigError(f"min_decided_share={self.min_decided_share} must lie between 0 and 1")

    def decide(self, outcomes: Iterable[CheckedOutcome]) -> QuestionDecision:
        """Decide from the outcomes of one problem's sampled solutions."""
        tally = Tally.of(outcomes)
        reason = self._too_hard_or_easy(tally)
        drop = self.drop_undecided if reason == Reason.NONE_DECIDED else bool(reason)
        return QuestionDecision(keep=not drop, reason=reason, tally=tally)

    def reject_reason(self, outcomes: Iterable[CheckedOutcome]) -> str | None:
        """Why the problem is to be dropped, None if it is kept."""
        decision = self.decide(outcomes)
        return None if decision.keep else decision.reason

    def _too_hard_or_easy(self, tally: Tally) -> str:
        incorrect = tally.failed(silence_is_failure=True)
        counted = tally.correct + incorrect
        known = tally.correct + tally.wrong
        if known == 0 or counted < self.min_decided_share * (counted + tally.undecided):
            return Reason.NONE_DECIDED
        share = tally.correct / counted
        if tally.correct < self.min_correct or share < self.min_share:
            return LOW_CONFIDENCE if tally.correct else Reason.ALL_WRONG
        if incorrect < self.min_incorrect or share > self.max_share:
            return HIGH_CONFIDENCE if incorrect else Reason.ALL_RIGHT
        return ""


SCAN_GATE: Final = QuestionFilter(min_correct=0, min_incorrect=0, min_share=0.75)
"""Keep problems of a self-confidence of at least .75, those that are always solved among them.

Samples that could not be checked do not count here, since nothing is dropped for what is not known; SCAN's labels want
the gate to hold whatever they were. So a problem of 23 right and 7 wrong samples and 2 unchecked ones is kept and
searched, and has no labels until these two are checked (`relabel --recheck`).
"""
