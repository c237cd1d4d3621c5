"""Count outcomes with three answers: right, not right, and not known.

The papers count every completion that is not right as a failure. That is sound where the model itself gave no
right answer (it was cut by its token limit, or stopped without one) and wrong where *we* failed to find out
(a crashed checker, a lost request): those say nothing about the prefix and are never counted against it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from steplabel.schemas import CheckedOutcome, Outcome, Reason

SILENCE = (Reason.LENGTH, Reason.NO_ANSWER)
"""Reasons for `unknown` that are the model's own doing: it gave no answer."""


def is_silent(outcome: CheckedOutcome) -> bool:
    """Whether the outcome is unknown because the model gave no answer, not because we failed to check it."""
    return outcome.outcome is Outcome.UNKNOWN and outcome.reason.partition(":")[0].strip() in SILENCE


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """How some outcomes of one prefix or problem fell. `silent` and `undecided` are both unknown outcomes."""

    correct: int = 0
    wrong: int = 0
    silent: int = 0
    undecided: int = 0

    @classmethod
    def of(cls, outcomes: Iterable[CheckedOutcome]) -> Tally:
        """Count."""
        correct = wrong = silent = undecided = 0
        for outcome in outcomes:
            correct += outcome.outcome is Outcome.CORRECT
            wrong += outcome.outcome is Outcome.WRONG
            silent += (quiet := is_silent(outcome))
            undecided += outcome.outcome is Outcome.UNKNOWN and not quiet
        return cls(correct=correct, wrong=wrong, silent=silent, undecided=undecided)

    def failed(self, *, silence_is_failure: bool) -> int:
        """How many count against the prefix under the given treatment of silence."""
        return self.wrong + (self.silent if silence_is_failure else 0)
