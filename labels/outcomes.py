"""Whose word counts: of all that checkers said about a rollout or solution, the one outcome that labels use.

One subject may have outcomes from several checkers and versions (`relabel --recheck` adds new ones and keeps
the old). The newest version wins; versions compare number by number ("0.10" is newer than "0.9"), and between
checkers of equal version the name that sorts last wins. Versions of *different* checkers say nothing about
each other: name the `checker` where evidence holds more than one.
Two statements of one checker and version about one subject: a decided one wins over an unknown one (it was
asked again); if they contradict each other the outcome is unknown.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Hashable, Iterable
from dataclasses import replace
from functools import lru_cache
from typing import TypeVar

from steplabel.schemas import CheckedOutcome, Evidence, Outcome, Reason
from steplabel.schemas.batches import OUTCOME_CORRECT, OUTCOME_UNKNOWN, OUTCOME_WRONG

R = TypeVar("R")

CONTRADICTION = "contradiction"
"""Reason of an outcome that one version of one checker calls both correct and wrong."""

_NO_ANSWER_GIVEN = (Reason.LENGTH, Reason.NO_ANSWER)
_CODES = {
    Outcome.CORRECT: OUTCOME_CORRECT,
    Outcome.WRONG: OUTCOME_WRONG,
    Outcome.UNKNOWN: OUTCOME_UNKNOWN,
}


def newest_outcomes(evidence: Evidence, *, checker: str | None = None) -> dict[str, CheckedOutcome]:
    """By subject, the one outcome that counts. The rule stands at the head of this file."""
    chosen: dict[str, CheckedOutcome] = {}
    contested: dict[str, list[CheckedOutcome]] = {}
    for outcome in evidence.outcomes:
        if checker in (None, outcome.checker):
            first = chosen.setdefault(outcome.subject, outcome)
            if first is not outcome:  # nearly every subject has one outcome: only the others need the rule
                contested.setdefault(outcome.subject, [first]).append(outcome)
    for subject, outcomes in contested.items():
        chosen[subject] = _agreed(newest(outcomes, lambda o: (version_order(o.checker_version), o.checker)))
    return chosen


def outcome_code(checked: CheckedOutcome | None) -> int:
    """The outcome as batches write it; one that nobody checked is unknown."""
    return OUTCOME_UNKNOWN if checked is None else _CODES[checked.outcome]


def is_unanswered(checked: CheckedOutcome) -> bool:
    """Whether the text ended without an answer, which is the model's own doing and no checker's failure."""
    silent = checked.outcome is Outcome.UNKNOWN
    return silent and checked.reason.partition(":")[0].strip() in _NO_ANSWER_GIVEN


def newest(records: Iterable[R], rank: Callable[[R], tuple[Hashable, ...]]) -> list[R]:
    """All records of the highest rank, in their order."""
    ranked = [(rank(record), record) for record in records]
    highest = max(its_rank for its_rank, _ in ranked)
    return [record for its_rank, record in ranked if its_rank == highest]


@lru_cache(maxsize=1024)
def version_order(version: str) -> tuple[tuple[int, int, str], ...]:
    """Numbers compare as numbers and above words; as text, since int() refuses very long ones."""
    parts = re.findall(r"[0-9]+|[^0-9.]+", version)
    numbers = [part.lstrip("0") if part.isdigit() else None for part in parts]
    return tuple(
        (0, 0, part) if number is None else (1, len(number), number)
        for part, number in zip(parts, numbers, strict=True)
    )


def _agreed(outcomes: list[CheckedOutcome]) -> CheckedOutcome:
    """Of statements by one checker and version: the decided one, unknown if they contradict each other."""
    decided = [o for o in outcomes if o.outcome is not Outcome.UNKNOWN]
    if len({o.outcome for o in decided}) > 1:
        return replace(decided[0], outcome=Outcome.UNKNOWN, reason=CONTRADICTION, answer=None)
    return min(decided or outcomes, key=lambda o: (o.reason, o.answer or ""))
