"""BIG-Bench-Mistake: polarity, what null means, and which task a row is of."""

from __future__ import annotations

from typing import Any

import pytest

from steplabel.schemas import AnswerType, DataError, Outcome, content_problem_id
from steplabel.schemas.layouts.bigbench_mistake import SOURCE, read_evidence, read_gold_steps

ROW: dict[str, Any] = {
    "input": "((1 + 2) * 3) =",
    "steps": ["A = (1 + 2) = 3.", "Then A * 3 = 8. So the answer is 8"],
    "target": "9",
    "answer": "8",
    "mistake_index": 1,
}


def test_polarity() -> None:
    """The index is 0-based: it stays what it is."""
    gold = read_gold_steps(ROW, line="l")
    assert gold.first_error == 1
    assert gold.steps[1].startswith("Then")
    assert (gold.final_answer_correct, gold.source) == (False, SOURCE)
    assert read_gold_steps({**ROW, "mistake_index": 0}, line="l").first_error == 0


@pytest.mark.parametrize(("answer", "first_error"), [("9", -1), (" 9", -1), ("8", None), (None, None)], ids=repr)
def test_null(answer: str | None, first_error: int | None) -> None:
    """No mistake, where the answer is right; where it is not, somebody overlooked one: it is not known."""
    row = {**ROW, "mistake_index": None, "answer": answer}
    assert read_gold_steps(row, line="l").first_error == first_error


@pytest.mark.parametrize(
    ("question", "target", "domain", "kind"),
    [
        ("((1 + 2) * 3) =", "9", "multistep_arithmetic", AnswerType.NUMBER),
        ("tar ion isle", "ion isle tar", "word_sorting", AnswerType.TEXT),
        ("[ { [", "] } ]", "", AnswerType.TEXT),
        ("Alice has a ball. Who?", "(A)", "", AnswerType.TEXT),
        ("word", "word", "", AnswerType.TEXT),
    ],
)
def test_tasks_are_told_by_the_question(question: str, target: str, domain: str, kind: AnswerType) -> None:
    """A row does not say its task; one that no verifier can follow has no domain."""
    problem = read_evidence({**ROW, "input": question, "target": target}, line="l").problem
    assert problem.gold is not None
    assert (problem.domain, problem.gold.type, problem.gold.text) == (domain, kind, target)


def test_evidence() -> None:
    """Steps one for one, the file's word on the answer, and no mark."""
    evidence = read_evidence(ROW, line="l")
    (solution,) = evidence.solutions
    assert [step.text for step in solution.steps] == ["A = (1 + 2) = 3.\n", "Then A * 3 = 8. So the answer is 8"]
    assert (solution.final_answer, evidence.outcomes[0].outcome) == ("8", Outcome.WRONG)
    assert evidence.observations == ()
    assert evidence.problem.group_id == content_problem_id(ROW["input"])
    assert evidence.problem.id == read_gold_steps(ROW, line="l").id


def test_two_traces_of_one_question_are_two_problems_of_one_group() -> None:
    """As in ProcessBench: rows are told apart by their trace."""
    one, two = (read_evidence({**ROW, "steps": [*ROW["steps"], end]}, line="l").problem for end in ("a", "b"))
    assert one.id != two.id
    assert one.group_id == two.group_id


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"mistake_index": True}, "mistake_index must be"),
        ({"mistake_index": -1}, "mistake_index must be"),
        ({"mistake_index": 2}, "first error 2 of 2 steps"),
        ({"mistake_index": "1"}, "mistake_index must be"),
        ({"steps": "A = 3"}, "steps must be texts"),
        ({"steps": ["a", None]}, "steps must be texts"),
        ({"steps": []}, "no steps"),
        ({"steps": ["a", " "]}, "is empty"),
        ({"input": None}, "input must be a text"),
        ({"target": 9}, "target must be a text"),
        ({"answer": 9}, "answer must be a text"),
    ],
    ids=str,
)
def test_bad_rows(changes: dict[str, Any], message: str) -> None:
    """Nothing half-read gets through, and the error says where."""
    with pytest.raises(DataError, match=message) as caught:
        read_evidence({**ROW, **changes}, line="f:3")
    assert str(caught.value).startswith("f:3: ")


def test_a_missing_index_is_not_null() -> None:
    """Null says something; its absence does not."""
    with pytest.raises(DataError, match="mistake_index is missing"):
        read_gold_steps({k: v for k, v in ROW.items() if k != "mistake_index"}, line="l")


@pytest.mark.parametrize("row", [None, [], "x"])
def test_no_row(row: Any) -> None:
    """Not an object at all."""
    with pytest.raises(DataError, match="must be an object"):
        read_gold_steps(row, line="l")
