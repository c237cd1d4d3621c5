"""PRM800K: which steps of a walk are read, what ratings mean, and what is refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from steplabel.schemas import AnswerType, DataError, content_problem_id
from steplabel.schemas.layouts.prm800k import GENERATOR, SOURCE, read_evidence, read_gold_steps


def offered(*ratings: int | None, chosen: int | None = 0, human: str = "") -> dict[str, Any]:
    """A position: completions `a`, `b`, ... with these ratings."""
    completions = [{"text": chr(97 + i), "rating": rating, "flagged": False} for i, rating in enumerate(ratings)]
    wrote = {"text": human, "rating": None, "source": "human", "flagged": False} if human else None
    return {"completions": completions or None, "human_completion": wrote, "chosen_completion": chosen}


def row(*steps: dict[str, Any], finish: str = "solution", answer: Any = "29") -> dict[str, Any]:
    return {
        "labeler": "someone",
        "question": {"problem": "What is 30 - 1?", "ground_truth_answer": answer},
        "label": {"steps": list(steps), "total_time": 1, "finish_reason": finish},
    }


RIGHT = offered(1)


@pytest.mark.parametrize(
    ("steps", "texts", "first_error"),
    [
        pytest.param((RIGHT, offered(-1, 1, chosen=1)), "ab", -1, id="the chosen one goes on"),
        pytest.param((RIGHT, offered(1, 0, chosen=1)), "ab", -1, id="neutral is no error"),
        pytest.param((RIGHT, offered(-1, 1, chosen=None)), "aa", 1, id="phase 2 ends at the first error"),
        pytest.param((offered(0, -1, chosen=None, human="x"), RIGHT), "b", 0, id="people went on themselves"),
        pytest.param((RIGHT, offered(0, 0, chosen=None, human="x"), RIGHT), "a", -1, id="none wrong, none chosen"),
        pytest.param((RIGHT, offered(-1), RIGHT), "aa", 1, id="a wrong one was chosen"),
        pytest.param((RIGHT, offered(None), offered(-1, chosen=None)), "aaa", None, id="behind an unrated step"),
        pytest.param((RIGHT, offered(chosen=None, human="x"), RIGHT), "a", -1, id="nothing was offered"),
    ],
)
def test_the_walk_and_its_first_error(steps: tuple[dict[str, Any], ...], texts: str, first_error: int | None) -> None:
    """Chosen completions, then the first wrong one where none was chosen; the error is the last step or none."""
    gold = read_gold_steps(row(*steps), line="l")
    assert ("".join(gold.steps), gold.first_error) == (texts, first_error)
    assert (gold.generator, gold.source, gold.final_answer_correct) == (GENERATOR, SOURCE, None)


def test_a_blank_completion_that_nobody_chose_is_no_harm() -> None:
    """It is left out like the others."""
    position = offered(1, 0, chosen=0)
    position["completions"][1]["text"] = ""
    assert read_gold_steps(row(position), line="l").steps == ("a",)


def test_evidence() -> None:
    """Steps one for one, the gold answer, the answer that the last step gives, and no mark."""
    last = {**RIGHT, "completions": [{"text": "So 29.\n\n# Answer\n\n29", "rating": 1}]}
    given = row(RIGHT, last)
    evidence = read_evidence(given, line="l")
    (solution,) = evidence.solutions
    assert [step.text for step in solution.steps] == ["a\n", "So 29.\n\n# Answer\n\n29"]
    assert (solution.final_answer, solution.policy) == ("29", GENERATOR)
    assert evidence.problem.gold is not None
    assert (evidence.problem.gold.text, evidence.problem.gold.type) == ("29", AnswerType.NUMBER)
    assert (evidence.observations, evidence.outcomes) == ((), ())
    assert evidence.problem.id == read_gold_steps(given, line="l").id


def test_what_is_not_stated_is_not_known() -> None:
    """Without a gold answer, or without one of the solution, there is none."""
    evidence = read_evidence(row(RIGHT, answer=None), line="l")
    assert evidence.problem.gold is None
    assert evidence.solutions[0].final_answer is None


def test_two_walks_of_one_question_are_two_problems_of_one_group() -> None:
    """As in ProcessBench: rows are told apart by their steps."""
    one, two = (read_evidence(row(RIGHT, step), line="l").problem for step in (RIGHT, offered(-1, chosen=None)))
    other = read_evidence(row(RIGHT, offered(0, 1, chosen=1)), line="l").problem
    assert one.group_id == two.group_id == other.group_id == content_problem_id("What is 30 - 1?")
    assert one.id == two.id  # the same text, whatever people said of it
    assert one.id != other.id


def changed(*path: Any, to: Any) -> dict[str, Any]:
    """A good row with another value somewhere."""
    given = row(offered(1), offered(1))
    found: Any = given
    for part in path[:-1]:
        found = found[part]
    found[path[-1]] = to
    return given


@pytest.mark.parametrize(
    ("given", "message"),
    [
        pytest.param(["no", "object"], "a row must be an object", id="list"),
        pytest.param(changed("question", to="30 - 1?"), "question must be an object", id="question"),
        pytest.param(changed("question", "problem", to=" "), "problem must be a text", id="problem"),
        pytest.param(changed("question", "ground_truth_answer", to=["a", "b"]), "gold answer must be", id="answer"),
        pytest.param(changed("label", to=[1]), "label must be an object", id="label"),
        pytest.param(changed("label", "finish_reason", to="bad_problem"), "found the problem wrong", id="bad problem"),
        pytest.param(changed("label", "steps", to="a"), "label.steps must be a list", id="steps"),
        pytest.param(changed("label", "steps", to=[]), "none is rated wrong", id="no steps"),
        pytest.param(changed("label", "steps", 1, to="a"), "must be an object", id="step"),
        pytest.param(changed("label", "steps", 1, "completions", to={"a": 1}), "must be a list", id="completions"),
        pytest.param(changed("label", "steps", 1, "completions", 0, to="a"), r"steps\[1\] must be an", id="completion"),
        pytest.param(changed("label", "steps", 1, "completions", 0, "text", to=""), "step 1", id="blank"),
        pytest.param(changed("label", "steps", 1, "completions", 0, "text", to=None), "must be a text", id="no text"),
        pytest.param(changed("label", "steps", 1, "completions", 0, "rating", to=True), "1, 0, -1 or null", id="true"),
        pytest.param(changed("label", "steps", 1, "completions", 0, "rating", to=2), "1, 0, -1 or null", id="rating"),
        pytest.param(changed("label", "steps", 1, "chosen_completion", to=1), "an index below 1", id="past the end"),
        pytest.param(changed("label", "steps", 1, "chosen_completion", to=-1), "an index below 1", id="from the end"),
        pytest.param(changed("label", "steps", 1, "chosen_completion", to=True), "an index below 1", id="no index"),
    ],
)
def test_rows_that_are_none(given: Any, message: str) -> None:
    """The error begins with the line and says which field is wrong."""
    with pytest.raises(DataError, match=f"^rows:3: .*{message}"):
        read_evidence(given, line="rows:3")


@pytest.mark.data
@pytest.mark.parametrize(
    ("name", "wrong", "right"),
    [("prm800k/phase1_test.first53.jsonl", 23, 26), ("openr/preprocess__tests__samples_prm800k.jsonl", 3, 3)],
    ids=["phase 1", "both phases"],
)
def test_real_rows(data_dir: Path, name: str, wrong: int, right: int) -> None:
    """A wrong step is the last one, and was rated so; all before it were chosen; the rest has nothing to read."""
    first_errors = []
    for line in (data_dir / name).read_text(encoding="utf-8").splitlines():
        positions = json.loads(line)["label"]["steps"]
        try:
            gold = read_gold_steps(json.loads(line), line="l")
        except DataError:
            assert positions[0]["chosen_completion"] is None
            assert not [c for c in positions[0]["completions"] or () if c["rating"] == -1]
            continue
        ratings = [
            {c["text"]: c["rating"] for c in position["completions"]}[text]
            for position, text in zip(positions, gold.steps, strict=False)
        ]
        assert all(rating in (0, 1) for rating in ratings[:-1])
        assert gold.first_error == (len(ratings) - 1 if ratings[-1] == -1 else -1)
        first_errors.append(gold.first_error)
    assert (len(first_errors) - first_errors.count(-1), first_errors.count(-1)) == (wrong, right)
