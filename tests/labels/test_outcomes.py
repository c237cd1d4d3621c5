"""Whose word counts where several checkers, versions or statements disagree."""

from __future__ import annotations

from dataclasses import replace

import pytest

from steplabel.labels.outcomes import newest_outcomes
from steplabel.schemas import Outcome

RECHECKS = {
    # name: (outcomes as (letter, checker, version), the checker asked for, what counts)
    "newer version": ([("w", "answer", "1"), ("c", "answer", "2")], None, "correct"),
    "newer version says unknown": ([("w", "answer", "1"), ("u", "answer", "2")], None, "unknown"),
    "versions are numbers": ([("w", "answer", "0.9.1"), ("c", "answer", "0.10")], None, "correct"),
    "longer version is newer": ([("w", "answer", "1"), ("c", "answer", "1.1")], None, "correct"),
    "numbers above words": ([("w", "answer", "dev"), ("c", "answer", "1")], None, "correct"),
    "no version is oldest": ([("w", "answer", ""), ("c", "answer", "dev")], None, "correct"),
    "enormous version": ([("w", "answer", "9"), ("c", "answer", "9" * 10_000)], None, "correct"),
    "checker asked for": ([("w", "answer", "2"), ("c", "strict", "1")], "strict", "correct"),
    "newest of the checker asked for": (
        [("w", "answer", "1"), ("c", "answer", "3"), ("w", "strict", "9")],
        "answer",
        "correct",
    ),
    "checker asked for is silent": ([("w", "answer", "1")], "strict", None),
    "asked again": ([("x", "answer", "1"), ("c", "answer", "1")], None, "correct"),
    "contradiction": ([("w", "answer", "1"), ("c", "answer", "1")], None, "unknown"),
    "contradiction settled by a newer one": (
        [("w", "answer", "1"), ("c", "answer", "1"), ("w", "answer", "2")],
        None,
        "wrong",
    ),
    "equal versions, last name": ([("w", "answer", "1"), ("c", "boxed", "1")], None, "correct"),
}


@pytest.mark.parametrize("reverse", [False, True], ids=["in order", "reversed"])
@pytest.mark.parametrize("case", RECHECKS.values(), ids=RECHECKS.keys())
def test_whose_word_counts(records, case, reverse):
    """Of many outcomes about one subject the newest version counts, whatever the order they came in."""
    said, checker, expected = case
    outcomes = [records.outcome("s", letter, checker=name, version=v) for letter, name, v in said]
    evidence = replace(records.evidence([]), outcomes=tuple(outcomes[::-1] if reverse else outcomes))
    found = newest_outcomes(evidence, checker=checker)
    assert (found["s"].outcome if found else None) == expected


def test_a_contradiction_has_no_answer(records):
    """An outcome that was called both correct and wrong is unknown with its own reason and no answer."""
    evidence = replace(records.evidence([]), outcomes=(records.outcome("s", "w"), records.outcome("s", "c")))
    found = newest_outcomes(evidence)["s"]
    assert (found.outcome, found.reason, found.answer) == (Outcome.UNKNOWN, "contradiction", None)
