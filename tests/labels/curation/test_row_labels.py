"""Rows back as labels."""

from __future__ import annotations

from dataclasses import replace

from steplabel.labels.apply import label_evidence
from steplabel.labels.curation import has_own_steps, merge_same_sign, row_labels
from steplabel.labels.estimation import HardAny
from steplabel.labels.rows import label_rows
from steplabel.schemas import AfterError, RunInfo

RUN = RunInfo(run_id="r", recipe="test", code_version="0", config_hash="c")


def test_there_and_back(records):
    """A row's labels are those it was made of, whether the policy cut steps or not."""
    solution = records.solution("one ", "two ", "three")
    one, two, _ = solution.node_keys
    evidence = records.evidence([solution], {one: "ccw", two: "www"}, "w")
    for policy in (HardAny(), HardAny(after_error=AfterError.CUT)):
        (said,) = label_evidence([evidence], policy)
        (row,) = label_rows(evidence, [said], RUN)
        assert row_labels(row) == said
        assert has_own_steps(row, solution)


def test_joined_steps_are_not_the_solutions(records):
    """Two steps in one are no step of the solution, nor are more steps than it has."""
    solution = records.solution("one ", "two ", "three")
    one, two, _ = solution.node_keys
    evidence = records.evidence([solution], {one: "ccc", two: "ccc"}, "c")
    (row,) = label_rows(evidence, label_evidence([evidence], HardAny()), RUN)
    joined = merge_same_sign(row)
    assert len(joined.steps) == 1
    assert not has_own_steps(joined, solution)
    assert not has_own_steps(replace(row, steps=(*row.steps, "four")), solution)
