"""Which solutions `steplabel verify` reads, and what it knows of their first errors."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from steplabel.pipelines.verification.reading import MARKS, Marked, SolutionChoice, read_marked, reference_solution
from steplabel.pipelines.verification.tables import print_verification
from steplabel.pipelines.verification.verifying import VerifyOptions, verify_file
from steplabel.schemas import DataError, GoldAnswer, Problem, Reject
from steplabel.schemas.problem import AnswerType
from steplabel.schemas.segmentation import NewlineSteps
from steplabel.transforms.intake import READERS, Intake
from steplabel.transforms.io import read_rows
from steplabel.verifiers.arithmetic.verifier import ArithmeticVerifier

GSM8K = {"question": "Tom has 3 and 4?", "answer": "He has 3 + 4 = <<3+4=7>>7.\nThat is 7 - 0 = 7.\n#### 7"}
MATH = {"problem": "What is 3 + 4?", "solution": r"It is $3 + 4 = \boxed{7}$.", "level": "1"}
BOTH = {**GSM8K, "question": "And both?", "solutions": ["3 + 4 = 8", "3 + 4 = 7\n7 = 7"]}
ALONE = {"question": "Alone?", "answer": "7"}


@pytest.fixture
def file(tmp_path: Path) -> Callable[..., str]:
    """Write rows to a file."""

    def write(*rows: dict[str, Any]) -> str:
        path = tmp_path / "rows.jsonl"
        path.write_text("".join(json.dumps(row) + "\n" for row in rows))
        return str(path)

    return write


def read(path: str, which: SolutionChoice = SolutionChoice.AUTO) -> list[Marked]:
    found = list(read_marked(path, Intake(layout="auto", segmenter=NewlineSteps()), None, which))
    assert not [one for one in found if isinstance(one, Reject)]
    return [one for one in found if isinstance(one, Marked)]


def policies(path: str, which: SolutionChoice) -> list[list[str]]:
    return [[solution.policy for solution in one.evidence.solutions] for one in read(path, which)]


def test_gsm8k_reference(file: Callable[..., str]) -> None:
    """The worked lines are steps, the line with the answer is none, and the answer is the gold answer."""
    (one,) = read(file(GSM8K))
    (solution,) = one.evidence.solutions
    assert [step.text for step in solution.steps] == ["He has 3 + 4 = <<3+4=7>>7.\n", "That is 7 - 0 = 7."]
    assert (solution.final_answer, one.first_error) == ("7", None)


def test_math_reference(file: Callable[..., str]) -> None:
    """A field `solution` is a reference solution, as a whole."""
    (solution,) = read(file(MATH))[0].evidence.solutions
    assert (solution.text, solution.final_answer) == (MATH["solution"], "7")


@pytest.mark.parametrize("text", ["", "  \n", "#### 7"])
def test_no_reference(text: str) -> None:
    """What holds nothing but an answer is no solution."""
    gold = GoldAnswer(text="7", type=AnswerType.NUMBER)
    assert reference_solution(Problem(id="p", text="?", gold=gold, reference_solution=text), NewlineSteps()) is None


@pytest.mark.parametrize(
    ("which", "expected"),
    [
        (SolutionChoice.AUTO, [["reference"], ["", ""], []]),
        (SolutionChoice.GIVEN, [[], ["", ""], []]),
        (SolutionChoice.REFERENCE, [["reference"], ["reference"], []]),
    ],
)
def test_which(file: Callable[..., str], which: SolutionChoice, expected: list[list[str]]) -> None:
    """Solutions of the row come first; the reference stands in where there are none, or where it is asked for."""
    assert policies(file(GSM8K, BOTH, ALONE), which) == expected


def test_what_is_known_of_given_solutions_is_not_said_of_the_reference(file: Callable[..., str]) -> None:
    """Outcomes and marks are about solutions that are not read."""
    row = {
        "question": "3 + 4?",
        "ground_truth": "3 + 4 = 7\nA: 7",
        "model": {"is_correct": False, "solution": "3 + 4 = 8\nA: 8"},
    }
    given, referring = (read(file(row), which)[0].evidence for which in (SolutionChoice.AUTO, SolutionChoice.REFERENCE))
    assert len(given.outcomes) == 1
    assert (referring.outcomes, [s.policy for s in referring.solutions]) == ((), ["reference"])


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ((GSM8K,), "Steps of 1 reference solution"),
        ((GSM8K, BOTH), "Steps of 3 solutions, of which 1 reference solution"),
        ((BOTH,), "Steps of 2 solutions"),
    ],
    ids=["reference", "mixed", "given"],
)
def test_the_table_says_which(
    file: Callable[..., str], rows: tuple[dict[str, Any], ...], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """A reader sees whose solutions were judged."""
    print_verification(
        Console(width=120), verify_file(VerifyOptions(input=file(*rows), verifiers=(ArithmeticVerifier(),)))
    )
    assert capsys.readouterr().out.splitlines()[0].rstrip() == said


def test_reference_solutions_that_nobody_asked_for_are_pointed_at(file: Callable[..., str]) -> None:
    """A file without other solutions says how to take these."""
    options = VerifyOptions(input=file(GSM8K, ALONE), verifiers=(ArithmeticVerifier(),), solutions=SolutionChoice.GIVEN)
    with pytest.raises(DataError, match=r"problems alone \(2\); reference solutions \(1\), which --solutions"):
        verify_file(options)


def test_reference_solutions_that_are_none_are_not(file: Callable[..., str]) -> None:
    """An answer alone is no solution to point at."""
    row = {"question": "?", "answer": "#### 7"}
    with pytest.raises(DataError, match=r"problems alone \(1\)$"):
        verify_file(VerifyOptions(input=file(row), verifiers=(ArithmeticVerifier(),)))


def test_marks_are_of_layouts_that_are_read() -> None:
    """Whatever says where the first error is can be read."""
    assert MARKS.keys() <= READERS.keys()


@pytest.mark.data
def test_prm800k(data_dir: Path) -> None:
    """Rows are told by their fields, and people's ratings are what verdicts are held against."""
    path = str(data_dir / "prm800k" / "phase1_test.first53.jsonl")
    found = verify_file(VerifyOptions(input=path, verifiers=(ArithmeticVerifier(),)))
    marks = found.verifiers[0].marks
    assert marks is not None
    assert (marks.solutions, marks.errors, marks.false_alarms) == (47, 22, 0)
    assert found.rejects == {"intake: bad_row": 4, "intake: duplicate_id": 2}


@pytest.mark.data
def test_gsm8k_references(data_dir: Path) -> None:
    """Real rows need no option; nine in ten steps are decided, and hardly one fails."""
    path = str(data_dir / "gsm8k" / "train.jsonl")
    rows = sum(1 for row in read_rows(path) if row.data)
    assert rows == 7473
    found = verify_file(VerifyOptions(input=path, verifiers=(ArithmeticVerifier(),), limit=500))
    (said,) = found.verifiers
    assert (found.references, found.solutions, said.marks, said.answers) == (500, 500, None, None)
    assert said.decided >= 0.89 * said.steps
    assert said.fails <= 5
