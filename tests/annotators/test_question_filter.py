"""Question filters and the counts they rest on."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from steplabel.annotators import SCAN_GATE, QuestionFilter, Tally
from steplabel.annotators.question_filter import HIGH_CONFIDENCE, LOW_CONFIDENCE
from steplabel.schemas import ConfigError, Reason

KEEP = None


@pytest.mark.parametrize(
    ("letters", "expected"),
    [
        ("rrrr", Reason.ALL_RIGHT),
        ("wwww", Reason.ALL_WRONG),
        ("rwww", KEEP),
        ("rrrw", KEEP),
        ("rrrs", KEEP),
        ("rssl", KEEP),
        ("wssl", Reason.ALL_WRONG),
        ("ssll", KEEP),
        ("cccc", KEEP),
        ("", KEEP),
        ("rrrc", Reason.ALL_RIGHT),
        ("wwcc", Reason.ALL_WRONG),
        ("wccc", KEEP),
        ("rccc", KEEP),
    ],
)
def test_table(outcomes, letters, expected):
    """Right, wrong, silent, (l)ength-cut and crashed outcomes under the paper's thresholds."""
    assert QuestionFilter().reject_reason(outcomes(letters)) == expected


@pytest.mark.parametrize(
    ("letters", "expected"),
    [
        ("rrrw", KEEP),
        ("rrrr", KEEP),
        ("rrrs", KEEP),
        ("r", KEEP),
        ("rrww", LOW_CONFIDENCE),
        ("rrrsw", LOW_CONFIDENCE),
        ("rwww", LOW_CONFIDENCE),
        ("wwww", Reason.ALL_WRONG),
        ("rrrc", KEEP),
        ("cccr", KEEP),
        ("r" * 96 + "w" * 32, KEEP),
        ("r" * 95 + "w" * 33, LOW_CONFIDENCE),
    ],
)
def test_scan_gate(outcomes, letters, expected):
    """SCAN keeps what is right at least three times in four, 96 of its 128, all-right problems among them."""
    assert SCAN_GATE.reject_reason(outcomes(letters)) == expected


@pytest.mark.parametrize(("letters", "expected"), [("rrrw", HIGH_CONFIDENCE), ("rrrr", Reason.ALL_RIGHT), ("rw", KEEP)])
def test_an_upper_bound_says_what_it_is(outcomes, letters, expected):
    """A problem that is mostly solved is not called all right."""
    assert QuestionFilter(max_share=0.6).reject_reason(outcomes(letters)) == expected


def test_undecided_problems_are_dropped_only_when_told(outcomes):
    """`drop_undecided` drops with a reason of its own, never as wrong."""
    told = QuestionFilter(drop_undecided=True)
    assert told.reject_reason(outcomes("cccw")) == Reason.NONE_DECIDED
    kept = QuestionFilter().decide(outcomes("cccw"))
    assert (kept.keep, kept.reason) == (True, Reason.NONE_DECIDED)
    assert kept.tally == Tally(wrong=1, undecided=3)


@given(st.text("slc", max_size=40), st.floats(0, 1), st.floats(0, 1))
def test_never_dropped_for_unknowns_alone(outcomes, letters, low, decided):
    """Without one outcome that says right or wrong, no thresholds drop a problem."""
    question_filter = QuestionFilter(min_share=low, min_decided_share=decided)
    assert question_filter.reject_reason(outcomes(letters)) is None


@given(st.text("rwslc", max_size=40))
def test_counts_add_up_in_any_order(outcomes, letters):
    """Every outcome is counted once, and the decision does not depend on their order."""
    tally = Tally.of(outcomes(letters))
    assert tally.correct + tally.wrong + tally.silent + tally.undecided == len(letters)
    assert QuestionFilter().decide(outcomes(letters)) == QuestionFilter().decide(outcomes(letters[::-1]))


@given(st.text("rws", min_size=1, max_size=20))
def test_one_more_right_solution_never_makes_it_too_hard(outcomes, letters):
    """Evidence for solvability cannot drop a problem as all wrong."""
    assert QuestionFilter().reject_reason(outcomes(letters + "r")) != Reason.ALL_WRONG


@pytest.mark.parametrize(
    "options",
    [
        {"min_share": 0.9, "max_share": 0.1},
        {"max_share": 1.5},
        {"min_share": float("nan")},
        {"min_correct": -1},
        {"min_incorrect": -1},
        {"min_decided_share": 2.0},
    ],
    ids=str,
)
def test_refused(options):
    """Thresholds that contradict each other raise ConfigError with the values."""
    with pytest.raises(ConfigError):
        QuestionFilter(**options)


def test_what_was_not_checked_does_not_close_scans_gate(outcomes):
    """23 of 30 pass, .767, though the two that are missing could make it 23 of 32, .719."""
    assert SCAN_GATE.decide(outcomes("r" * 23 + "w" * 7 + "c" * 2)).keep
    assert not SCAN_GATE.decide(outcomes("r" * 23 + "w" * 9)).keep
