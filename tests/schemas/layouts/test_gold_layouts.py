"""GSM8K's model solutions and ProcessBench: polarity, offsets and what the files do not say."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from steplabel.schemas import (
    DataError,
    GoldSteps,
    LabelRow,
    Outcome,
    Reason,
    Reject,
    SentenceSteps,
    content_problem_id,
)
from steplabel.schemas.layouts import gsm8k_solutions, processbench
from steplabel.schemas.layouts.problems import read_problem

Row = dict[str, Any]

MODELS: Row = {
    "question": "How many?",
    "ground_truth": "Two and three.\nThat is <<2+3=5>>5.\nA: 5",
    "small": {"is_correct": False, "solution": "2 + 3 = 6\nA: 6"},
    "large": {"is_correct": True, "solution": "2 + 3 = 5\nSo five.\nA: 5"},
    "cut": {"is_correct": False, "solution": "Let us see. Two"},
}
MARKED: Row = {
    "id": "gsm8k-0",
    "generator": "m",
    "problem": "How many?",
    "steps": ["Two.", "So 6.\nHence 6.", "\\boxed{6}"],
    "final_answer_correct": False,
    "label": 1,
}


def test_model_solutions() -> None:
    """One problem, one solution a model in the file's order, and the file's own verdict as an outcome."""
    evidence = gsm8k_solutions.read_model_solutions(MODELS, line="l")
    assert evidence.problem.gold is not None
    assert evidence.problem.gold.text == "5"
    assert [s.policy for s in evidence.solutions] == ["small", "large", "cut"]
    assert [len(s.steps) for s in evidence.solutions] == [2, 3, 1]
    assert [s.final_answer for s in evidence.solutions] == ["6", "5", None]
    assert [o.outcome for o in evidence.outcomes] == [Outcome.WRONG, Outcome.CORRECT, Outcome.WRONG]
    assert [o.subject for o in evidence.outcomes] == [s.id for s in evidence.solutions]
    assert {o.checker for o in evidence.outcomes} == {gsm8k_solutions.CHECKER}


def test_model_solutions_by_sentence() -> None:
    """The caller chooses the segmenter."""
    evidence = gsm8k_solutions.read_model_solutions(MODELS, line="l", segmenter=SentenceSteps())
    assert [s.text for s in evidence.solutions[2].steps] == ["Let us see. ", "Two"]


def test_same_question_same_problem() -> None:
    """The same question has one root key in every layout, so evidence about it is found, and one group."""
    one = gsm8k_solutions.read_model_solutions(MODELS, line="l").problem
    two = processbench.evidence_of(processbench.read_gold_steps(MARKED, line="l")).problem
    three = read_problem({"question": "How many?"}, line="l")
    assert one.id == three.id == content_problem_id("How many?")
    assert two.group_id == one.id
    assert one.root_key == two.root_key == three.root_key
    assert one.root_key == two.root_key == three.root_key


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"question": None}, "must be texts"),
        ({"ground_truth": "no mark"}, "A: <answer>"),
        ({"ground_truth": "x\nA: "}, "gold answer"),
        ({"small": {"is_correct": 0, "solution": "a"}}, "small must be"),
        ({"small": {"is_correct": True}}, "small must be"),
        ({"small": {"is_correct": True, "solution": " "}}, "is empty"),
        ({"small": 1, "large": 1, "cut": 1}, "no model"),
    ],
    ids=str,
)
def test_bad_model_solutions(changes: Row, message: str) -> None:
    """A truthy 0 or 1 is no verdict, and nothing half-read gets through."""
    with pytest.raises(DataError, match=message) as caught:
        gsm8k_solutions.read_model_solutions({**MODELS, **changes}, line="f:3")
    assert str(caught.value).startswith("f:3: ")


def test_processbench_polarity() -> None:
    """Label 1 is the second step, -1 is none; nothing shifts on the way."""
    gold = processbench.read_gold_steps(MARKED, line="l")
    assert gold.first_error == 1
    assert gold.steps[gold.first_error].startswith("So 6")
    assert processbench.read_gold_steps({**MARKED, "label": -1}, line="l").first_error == -1
    assert processbench.read_gold_steps({**MARKED, "label": 0}, line="l").first_error == 0


def test_a_right_answer_may_follow_a_wrong_step() -> None:
    """The mark and the outcome are two facts: neither is derived from the other."""
    gold = processbench.read_gold_steps({**MARKED, "final_answer_correct": True}, line="l")
    assert (gold.first_error, gold.final_answer_correct) == (1, True)
    assert processbench.evidence_of(gold).outcomes[0].outcome is Outcome.CORRECT


def test_processbench_evidence() -> None:
    """Steps stay one for one, no gold answer is invented, and the mark does not leak into the evidence."""
    evidence = processbench.evidence_of(processbench.read_gold_steps(MARKED, line="l"))
    (solution,) = evidence.solutions
    assert [s.text for s in solution.steps] == ["Two.\n\n", "So 6.\nHence 6.\n\n", "\\boxed{6}"]
    assert evidence.problem.gold is None
    assert evidence.observations == ()
    assert evidence.outcomes[0].outcome is Outcome.WRONG


def test_unknown_outcome() -> None:
    """Where the data set says nothing about the answer, the outcome is unknown, for want of a gold answer."""
    gold = GoldSteps(id="g", problem="q", steps=("a",), first_error=None)
    outcome = processbench.evidence_of(gold).outcomes[0]
    assert (outcome.outcome, outcome.reason) == (Outcome.UNKNOWN, Reason.NO_GOLD)
    with pytest.raises(DataError, match="unknown"):
        processbench.write_gold_steps(gold)


@given(
    steps=st.lists(st.text("ab\n.", min_size=1).filter(str.strip), min_size=1, max_size=5),
    data=st.data(),
    correct=st.booleans(),
)
def test_processbench_round_trip(steps: list[str], data: st.DataObject, correct: bool) -> None:
    """Reading and writing is the identity, whatever the label."""
    label = data.draw(st.integers(-1, len(steps) - 1))
    row = {**MARKED, "steps": steps, "label": label, "final_answer_correct": correct}
    assert processbench.write_gold_steps(processbench.read_gold_steps(row, line="l")) == row
    assert list(processbench.write_gold_steps(processbench.read_gold_steps(row, line="l"))) == list(row)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"label": 3}, "first error 3 of 3 steps"),
        ({"label": -2}, "-1 for none"),
        ({"label": True}, "label must be int"),
        ({"label": None}, "label must be int"),
        ({"label": 1.0}, "label must be int"),
        ({"final_answer_correct": 1}, "final_answer_correct must be bool"),
        ({"steps": []}, "no steps"),
        ({"steps": ["a", ""]}, "step 1: is empty"),
        ({"steps": ["a", 5]}, "step 1: expected text"),
        ({"steps": "ab"}, "steps must be list"),
        ({"problem": ""}, "problem: is empty"),
        ({"id": None}, "id must be str"),
    ],
    ids=str,
)
def test_bad_processbench(changes: Row, message: str) -> None:
    """A label that could mean another step, or no boolean where one must be, is refused with its line."""
    with pytest.raises(DataError, match=message) as caught:
        processbench.read_gold_steps({**MARKED, **changes}, line="f:3")
    assert str(caught.value).startswith("f:3: ")


def test_export(label_row: Callable[..., LabelRow]) -> None:
    """A labelled row goes out with its first error where it was, and reads back as a gold row would."""
    row = processbench.export_row(label_row())
    assert isinstance(row, dict)
    assert (row["label"], row["final_answer_correct"], row["generator"]) == (2, False, "policy@1")
    assert row["steps"] == ["Take 2.", "Add 3.", "That is 6."]
    assert processbench.write_gold_steps(processbench.read_gold_steps(row, line="l")) == row


@pytest.mark.parametrize(
    ("changes", "reason"),
    [({"first_error": None}, Reason.UNDECIDED_STEP), ({"outcome": "unknown"}, Reason.NONE_DECIDED)],
    ids=["first error", "outcome"],
)
def test_export_has_no_unknown(label_row: Callable[..., LabelRow], changes: Row, reason: str) -> None:
    """The layout cannot say unknown, so such a row is refused with its reason."""
    refused = processbench.export_row(label_row(**changes))
    assert isinstance(refused, Reject)
    assert (refused.record_id, refused.reason) == ("s1", reason)


@pytest.mark.parametrize("row", [None, [], "text"], ids=str)
def test_rows_must_be_objects(row: Any) -> None:
    """A line that is no object is refused with its place."""
    for read in (processbench.read_gold_steps, gsm8k_solutions.read_model_solutions):
        with pytest.raises(DataError, match="f:3: a row must be an object"):
            read(row, line="f:3")


@pytest.mark.data
def test_real_model_solutions(data_dir: Path) -> None:
    """In all 2,640 real solutions the answer after `A:` is the gold number iff the file says correct."""
    path = data_dir / "gsm8k" / "example_model_solutions.first660.jsonl"
    counts = {Outcome.CORRECT: 0, Outcome.WRONG: 0}
    with path.open(encoding="utf-8") as lines:
        for number, line in enumerate(lines):
            evidence = gsm8k_solutions.read_model_solutions(json.loads(line), line=str(number))
            assert evidence.problem.gold is not None
            gold = evidence.problem.gold.text.replace(",", "")
            for solution, outcome in zip(evidence.solutions, evidence.outcomes, strict=True):
                same = (solution.final_answer or "").replace(",", "") == gold
                assert same is (outcome.outcome is Outcome.CORRECT)
                counts[outcome.outcome] += 1
    assert counts == {Outcome.CORRECT: 1008, Outcome.WRONG: 1632}


@pytest.mark.data
@pytest.mark.parametrize("name", ["gsm8k.json", "math.first500.json"])
def test_real_processbench(data_dir: Path, name: str) -> None:
    """Every real row goes in and out unchanged, and its evidence has exactly its steps."""
    rows = json.loads((data_dir / "processbench" / name).read_text("utf-8"))
    for row in rows:
        gold = processbench.read_gold_steps(row, line=row["id"])
        assert processbench.write_gold_steps(gold) == row
        (solution,) = processbench.evidence_of(gold).solutions
        assert [s.text.removesuffix("\n\n") for s in solution.steps[:-1]] == row["steps"][:-1]
        assert len(solution.steps) == len(row["steps"])
