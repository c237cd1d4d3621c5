"""What a solution's own final answer claims, as an observation of source `outcome`."""

from __future__ import annotations

from steplabel.schemas import CheckedOutcome, Observation, Outcome, Verdict

OUTCOME_SOURCE = "outcome"
UNCHECKED = "unchecked"
"""Reason where no answer checker has spoken about the solution."""

_VERDICTS = {
    Outcome.CORRECT: Verdict.HOLDS,
    Outcome.WRONG: Verdict.FAILS,
    Outcome.UNKNOWN: Verdict.UNKNOWN,
}


def outcome_observation(subject: str, outcome: CheckedOutcome | None) -> Observation:
    """Say of a solution, or of the node that holds its final answer, what the answer checker said.

    `source_version` names the checker, so a second checker's word does not replace the first's.
    """
    if outcome is None:
        return Observation(subject=subject, source=OUTCOME_SOURCE, source_version="", reason=UNCHECKED)
    return Observation(
        subject=subject,
        source=OUTCOME_SOURCE,
        source_version=f"{outcome.checker}/{outcome.checker_version}",
        verdict=_VERDICTS[outcome.outcome],
        reason=outcome.reason,
        evidence=outcome.answer or "",
    )
