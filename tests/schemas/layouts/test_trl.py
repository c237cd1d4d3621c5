"""TRL rows: booleans only, and nothing undecided ever becomes False."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import datasets
import pytest
from hypothesis import given
from hypothesis import strategies as st

from steplabel.schemas import AfterError, LabelRow, Reason, Reject, StepMark
from steplabel.schemas.layouts.trl import UndecidedSteps, export_row

Make = Callable[..., LabelRow]
MARKS = {"+": StepMark.POSITIVE, "-": StepMark.NEGATIVE, "?": StepMark.UNKNOWN}


def _row(make: Make, marks: str, **changes: Any) -> LabelRow:
    labels = tuple(MARKS[m] for m in marks)
    first = marks.index("-") if "-" in marks else None
    plain: dict[str, Any] = {
        "steps": tuple(f"step {i}\n" for i in range(len(marks))),
        "labels": labels,
        "labelable": (True,) * len(marks),
        "first_error": first,
        "after_error": AfterError.KEPT,
    }
    return make(**{**plain, **changes})


def _labels(row: LabelRow, **options: Any) -> list[bool]:
    exported = export_row(row, **options)
    assert isinstance(exported, dict)
    return list(exported["labels"])


def test_row(label_row: Make) -> None:
    """Exactly the three columns the trainer reads; steps without separators, code keeps its indentation."""
    assert export_row(label_row()) == {
        "prompt": "What is 2 + 3?",
        "completions": ["Take 2.", "  Add 3.", "That is 6."],
        "labels": [True, True, False],
    }


@pytest.mark.parametrize(
    ("marks", "after", "expected"),
    [
        ("++-", AfterError.CUT, [True, True, False]),
        ("+-+", AfterError.KEPT, [True, False, True]),
        ("+--", AfterError.NEGATIVE, [True, False, False]),
        ("+-?", AfterError.CUT, [True, False]),
        ("+-?", AfterError.UNKNOWN, [True, False]),
        ("+-+", AfterError.CUT, [True, False]),
        ("+--", AfterError.UNKNOWN, [True, False]),
        ("+?-", AfterError.KEPT, [True]),
        ("+++", AfterError.CUT, [True, True, True]),
        ("++?", AfterError.KEPT, [True, True]),
    ],
    ids=str,
)
def test_after_the_first_error(label_row: Make, marks: str, after: AfterError, expected: list[bool]) -> None:
    """What follows the first error goes as the policy says, and the row ends before an undecided step."""
    assert _labels(_row(label_row, marks, after_error=after)) == expected


@pytest.mark.parametrize(("marks", "reason"), [("???", Reason.NONE_DECIDED), ("?++", Reason.NONE_DECIDED)])
def test_nothing_left(label_row: Make, marks: str, reason: str) -> None:
    """A row whose first step is undecided is refused with its reason."""
    refused = export_row(_row(label_row, marks))
    assert isinstance(refused, Reject)
    assert (refused.record_id, refused.stage, refused.reason) == ("s1", "trl", reason)


def test_drop(label_row: Make) -> None:
    """On request a solution with any undecided step is refused; steps the policy cut do not count as such."""
    refused = export_row(_row(label_row, "++?"), undecided=UndecidedSteps.DROP)
    assert isinstance(refused, Reject)
    assert refused.reason == Reason.UNDECIDED_STEP
    cut = _row(label_row, "+-?", after_error=AfterError.CUT)
    assert _labels(cut, undecided=UndecidedSteps.DROP) == [True, False]


def test_tool_output_has_no_label(label_row: Make) -> None:
    """What the policy did not write opens the next completion; at the end it falls away."""
    row = _row(label_row, "+?+?", labelable=(True, False, True, False))
    assert export_row(row) == {
        "prompt": "What is 2 + 3?",
        "completions": ["step 0", "step 1\nstep 2"],
        "labels": [True, True],
    }


@given(data=st.data())
def test_never_silently_false(label_row: Make, data: st.DataObject) -> None:
    """Every False stands for a step marked `-`, every True for `+`, in order, as long as the completions."""
    marks = data.draw(st.text("+-?", min_size=1, max_size=8))
    labelable = tuple(data.draw(st.booleans()) for _ in marks)
    after = data.draw(st.sampled_from(AfterError))
    row = _row(label_row, marks, labelable=labelable, after_error=after)
    exported = export_row(row)
    if isinstance(exported, Reject):
        return
    told = [mark for mark, own in zip(marks, labelable, strict=True) if own]
    assert len(exported["completions"]) == len(exported["labels"])
    assert all(type(label) is bool for label in exported["labels"])
    assert ["+" if label else "-" for label in exported["labels"]] == told[: len(exported["labels"])]


def test_types_in_datasets(label_row: Make) -> None:
    """`datasets` sees a text, texts and booleans: nothing that int() could bend."""
    table = datasets.Dataset.from_list([export_row(label_row()), export_row(_row(label_row, "+"))])
    assert table.features["labels"] == datasets.List(datasets.Value("bool"))
    assert table.features["completions"] == datasets.List(datasets.Value("string"))
    assert [int(label) for label in table[0]["labels"]] == [1, 1, 0]


def test_the_trainers_reading(label_row: Make, tmp_path: Path) -> None:
    """Read back from JSONL, as the trainer joins them, each label stands at the end of its own step.

    `PRMTrainer.tokenize_row` of trl 1.13: completion + separator, and the label on the last of these tokens.
    """
    path = tmp_path / "train.jsonl"
    datasets.Dataset.from_list([export_row(label_row())]).to_json(path)
    row = datasets.load_dataset("json", data_files=str(path), split="train", cache_dir=str(tmp_path / "c"))[0]
    text, ends = "", []
    for completion, label in zip(row["completions"], row["labels"], strict=True):
        text += completion + "\n"
        ends.append((len(text) - 1, int(label)))
    assert [text[:end].splitlines()[-1] for end, _ in ends] == ["Take 2.", "  Add 3.", "That is 6."]
    assert [label for _, label in ends] == [1, 1, 0]
