"""How a program ends whose questions got no answer."""

from __future__ import annotations

from steplabel.annotators.annotation import AnnotationStatus
from steplabel.annotators.ending import ending, failure_reason, status_of
from steplabel.schemas import BudgetExhausted, EngineClosed, EngineError, Reason


def test_what_stopped_it() -> None:
    """A spent budget and a failed engine are different ends."""
    assert status_of(BudgetExhausted("spent")) is AnnotationStatus.STOPPED_BY_BUDGET
    for error in (EngineError("gone"), EngineClosed("closed")):
        assert status_of(error) is AnnotationStatus.ENGINE_FAILED


def test_many_questions() -> None:
    """The budget is told before the engine: a user can mend it first; without an error nothing is open."""
    assert ending([None, None]) == (AnnotationStatus.COMPLETE, "")
    status, detail = ending([None, EngineError("gone"), BudgetExhausted("spent")])
    assert status is AnnotationStatus.STOPPED_BY_BUDGET
    assert detail == "2 of 3 prefixes got no answer: spent"
    assert ending([EngineError("gone")])[0] is AnnotationStatus.ENGINE_FAILED


def test_reasons() -> None:
    """The reason that evidence carries."""
    told = [failure_reason(error) for error in (None, EngineError("gone"), BudgetExhausted("spent"))]
    assert told == ["", Reason.ENGINE_ERROR, Reason.BUDGET]
