"""FoVer's rows: true means right, null means unknown, and nothing shifts on the way."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from steplabel.schemas import NO_ERROR, AfterError, DataError, LabelRow, Reason, Reject, StepMark
from steplabel.schemas.layouts import fover

Row = dict[str, Any]

ROW: Row = {
    "id": "processbench_gsm8k_0",
    "error_labels": [True, False, None],
    "base_dataset": "processbench_gsm8k",
    "problem": "How many?",
    "solution_steps": ["Two.", "So 6.\nHence 6.", "\\boxed{6}"],
}


def test_polarity() -> None:
    """Despite the name `error_labels`, true is a right step, false a wrong one, null an unknown one."""
    marked = fover.read_marked(ROW, line="l")
    assert marked.marks == (StepMark.POSITIVE, StepMark.NEGATIVE, StepMark.UNKNOWN)
    assert marked.first_error == 1
    assert marked.steps[1].startswith("So 6")


@pytest.mark.parametrize(
    ("labels", "first_error"),
    [
        ([True, True, True], NO_ERROR),
        ([False, True, True], 0),
        ([True, False, True], 1),
        ([None, False, True], None),
        ([True, None, True], None),
        ([None, None, None], None),
    ],
    ids=str,
)
def test_first_error(labels: list[bool | None], first_error: int | None) -> None:
    """The first false is the first error if nothing before it is unknown; right steps may follow it."""
    marked = fover.read_marked({**ROW, "error_labels": labels}, line="l")
    assert marked.first_error == first_error
    assert marked.gold_steps().first_error == first_error


def test_evidence() -> None:
    """Steps stay one for one, no gold answer is invented, and the marks do not leak into the evidence."""
    evidence = fover.evidence_of(fover.read_marked(ROW, line="l"))
    (solution,) = evidence.solutions
    assert [step.text for step in solution.steps] == ["Two.\n", "So 6.\nHence 6.\n", "\\boxed{6}"]
    assert evidence.problem.gold is None
    assert (evidence.observations, evidence.outcomes) == ((), ())
    assert evidence.problem.domain == ""


def test_formal_logic_rows_have_the_logic_domain() -> None:
    """So that the logic verifier is asked about them."""
    marked = fover.read_marked({**ROW, "base_dataset": "fldx2_symbol"}, line="l")
    assert fover.evidence_of(marked).problem.domain == "logic"


def test_a_row_without_an_id_gets_one_from_its_content() -> None:
    """Equal rows get equal ids, others others: FoVer's minimal form has none."""
    bare = {name: value for name, value in ROW.items() if name not in ("id", "base_dataset")}
    one, other = fover.read_marked(bare, line="l"), fover.read_marked({**bare, "problem": "Why?"}, line="l")
    assert one.id == fover.read_marked(bare, line="m").id != other.id


@given(
    st.lists(
        st.tuples(st.text("ab\n.", min_size=1).filter(str.strip), st.sampled_from([True, False, None])), min_size=1
    )
)
def test_round_trip(steps: list[tuple[str, bool | None]]) -> None:
    """Reading and writing is the identity."""
    row = {**ROW, "solution_steps": [text for text, _ in steps], "error_labels": [label for _, label in steps]}
    assert fover.write_marked(fover.read_marked(row, line="l")) == row


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"error_labels": [1, 0, None]}, "error_labels must be a list of true"),
        ({"error_labels": ["true", "false", None]}, "error_labels must be a list of true"),
        ({"error_labels": [True, False]}, "error_labels has 2 entries but solution_steps has 3"),
        ({"error_labels": None}, "error_labels must be"),
        ({"solution_steps": []}, "solution_steps must be"),
        ({"solution_steps": ["a", "", "b"]}, "solution_steps must be"),
        ({"solution_steps": "abc"}, "solution_steps must be"),
        ({"problem": " "}, "problem must be"),
        ({"id": 5}, "id and base_dataset must be"),
    ],
    ids=str,
)
def test_bad_rows(changes: Row, message: str) -> None:
    """A label whose polarity is not sure, or that could belong to another step, is refused with its line."""
    with pytest.raises(DataError, match=message) as caught:
        fover.read_marked({**ROW, **changes}, line="f:3")
    assert str(caught.value).startswith("f:3: ")


@pytest.mark.parametrize("row", [None, [], "text"], ids=str)
def test_rows_must_be_objects(row: Any) -> None:
    """A line that is no object is refused with its place."""
    with pytest.raises(DataError, match="f:3: a row must be an object"):
        fover.read_marked(row, line="f:3")


def test_export(label_row: Callable[..., LabelRow]) -> None:
    """A labelled row goes out in the same polarity, and reads back with the same marks."""
    row = label_row(after_error=AfterError.KEPT)
    out = fover.export_row(row)
    assert isinstance(out, dict)
    marks = fover.read_marked(out, line="l").marks
    assert marks == tuple(
        mark if can else StepMark.UNKNOWN for mark, can in zip(row.labels, row.labelable, strict=True)
    )
    assert [step.strip() for step in row.steps] == out["solution_steps"]


@pytest.mark.parametrize("base", ["fldx2_symbol", "fld_steplabel", "processbench_gsm8k"])
def test_export_keeps_the_domain(label_row: Callable[..., LabelRow], base: str) -> None:
    """A row of FoVer's that was imported, labelled and exported is imported with its own word and domain."""
    evidence = fover.evidence_of(fover.read_marked({**ROW, "base_dataset": base}, line="l"))
    problem, (solution,) = evidence.problem, evidence.solutions
    out = fover.export_row(label_row(source=problem.source, domain=problem.domain, policy_model=solution.policy))
    assert isinstance(out, dict)
    assert out["base_dataset"] == base
    assert fover.evidence_of(fover.read_marked(out, line="l")).problem.domain == problem.domain


@pytest.mark.parametrize(
    ("source", "policy", "domain", "base"),
    [
        ("steplabel-logic", "some-model", "logic", "fld_steplabel-logic"),
        ("fover", "some-model", "logic", "fld_some-model"),
        ("fover", "", "", "fover"),
        ("gsm8k", "some-model", "maths", "gsm8k"),
    ],
)
def test_export_marks_logic(
    label_row: Callable[..., LabelRow], source: str, policy: str, domain: str, base: str
) -> None:
    """Logic of any source is told by the beginning of `base_dataset`; what else it says is the source."""
    out = fover.export_row(label_row(source=source, policy_model=policy, domain=domain))
    assert isinstance(out, dict)
    assert out["base_dataset"] == base


@pytest.mark.parametrize("after", [AfterError.CUT, AfterError.UNKNOWN])
def test_export_says_nothing_after_the_first_error(label_row: Callable[..., LabelRow], after: AfterError) -> None:
    """Where the policy is silent, the labels are null."""
    out = fover.export_row(label_row(first_error=0, after_error=after))
    assert isinstance(out, dict)
    assert out["error_labels"][1:] == [None] * (len(out["error_labels"]) - 1)


def test_a_row_without_any_label_is_refused(label_row: Callable[..., LabelRow]) -> None:
    """Nobody can learn from a row of nulls."""
    row = label_row()
    refused = fover.export_row(label_row(labels=(StepMark.UNKNOWN,) * len(row.steps)))
    assert isinstance(refused, Reject)
    assert refused.reason == Reason.NONE_DECIDED


@pytest.mark.data
def test_real_rows(data_dir: Path) -> None:
    """Every real row goes in and out unchanged; its marks follow the file's own pattern: right, wrong, then null."""
    for number, line in enumerate((data_dir / "fover" / "test.jsonl").read_text("utf-8").splitlines()):
        row = json.loads(line)
        marked = fover.read_marked(row, line=str(number))
        assert fover.write_marked(marked) == row
        assert marked.first_error == (row["error_labels"].index(False) if False in row["error_labels"] else NO_ERROR)
        assert len(fover.evidence_of(marked).solutions[0].steps) == len(row["solution_steps"])
