"""How a program ends whose questions may have got no answer."""

from __future__ import annotations

from collections.abc import Sequence

from steplabel.annotators.annotation import AnnotationStatus
from steplabel.schemas import BudgetExhausted, EngineError, Reason


def ending(errors: Sequence[EngineError | BudgetExhausted | None]) -> tuple[AnnotationStatus, str]:
    """Status and detail, from one entry a question: what kept its answer from coming, None if nothing did.

    If both engine and budget failed, the budget is what a user can mend first.
    """
    failed = [error for error in errors if error is not None]
    if not failed:
        return AnnotationStatus.COMPLETE, ""
    told = next((error for error in failed if isinstance(error, BudgetExhausted)), failed[0])
    return status_of(told), f"{len(failed)} of {len(errors)} prefixes got no answer: {told}"


def status_of(error: EngineError | BudgetExhausted) -> AnnotationStatus:
    """How a program ends that was stopped by `error`."""
    spent = isinstance(error, BudgetExhausted)
    return AnnotationStatus.STOPPED_BY_BUDGET if spent else AnnotationStatus.ENGINE_FAILED


def failure_reason(error: EngineError | BudgetExhausted | None) -> str:
    """The `Reason` of a question without a complete answer; empty without an error."""
    if error is None:
        return ""
    return Reason.BUDGET if isinstance(error, BudgetExhausted) else Reason.ENGINE_ERROR
