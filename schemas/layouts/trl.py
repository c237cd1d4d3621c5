"""TRL's stepwise supervision rows, as `PRMTrainer` of trl 1.13.0 reads them (the last release that has it).

    {"prompt": str, "completions": [str], "labels": [bool]}

Traps: the trainer casts labels with int(), so a soft 0.97 would become 0 and only booleans go out; it has no
unknown, so an undecided step must never become False; it puts its own separator after each completion, so
step texts go out without theirs; the trainer's `max_length` cuts labels silently, which no row can prevent.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from steplabel.schemas.evidence import Reason, Reject
from steplabel.schemas.labels import NO_ERROR, AfterError, LabelRow, StepMark

STAGE = "trl"


class UndecidedSteps(StrEnum):
    """What happens to a solution with a step that has no label."""

    CUT = "cut"
    """The row ends before the first such step."""
    DROP = "drop"
    """The solution is refused."""


def export_row(row: LabelRow, *, undecided: UndecidedSteps = UndecidedSteps.CUT) -> dict[str, Any] | Reject:
    """A labelled solution as a TRL row, or a Reject if no step with a label is left.

    Steps after the first error go as the label policy says: kept, negative, or (cut, unknown) not at all.
    What the policy model did not write (tool output) has no label; its text opens the next completion.
    """
    completions: list[str] = []
    labels: list[bool] = []
    context = ""
    for text, mark, labelable in _told(row):
        if not labelable:
            context += text
            continue
        if mark is StepMark.UNKNOWN:
            if undecided is UndecidedSteps.DROP:
                return _reject(row, Reason.UNDECIDED_STEP, f"step {len(labels)} has no label")
            break
        completions.append(_bare(context + text))
        labels.append(mark is StepMark.POSITIVE)
        context = ""
    if not labels:
        return _reject(row, Reason.NONE_DECIDED, "no step has a label")
    return {"prompt": row.problem, "completions": completions, "labels": labels}


def _told(row: LabelRow) -> list[tuple[str, StepMark, bool]]:
    """The steps the policy speaks about: all, or those up to the first error."""
    told = list(zip(row.steps, row.labels, row.labelable, strict=True))
    silent_after = row.after_error in (AfterError.CUT, AfterError.UNKNOWN)
    if silent_after and row.first_error is not None and row.first_error != NO_ERROR:
        return told[: row.first_error + 1]
    return told


def _bare(text: str) -> str:
    """Without the separators around it; indentation of the first line stays, code needs it."""
    return text.rstrip().lstrip("\r\n")


def _reject(row: LabelRow, reason: str, detail: str) -> Reject:
    return Reject(record_id=row.solution_id, kind="solution", stage=STAGE, reason=reason, detail=detail)
