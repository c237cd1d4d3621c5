"""What verifiers said, counted: coverage, and how right they are where the file knows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar

import pytest
from rich.console import Console

from steplabel.pipelines.verification.coverage import CoverageCounter
from steplabel.pipelines.verification.tables import print_verification
from steplabel.pipelines.verification.verifying import VerifyOptions, verify_file
from steplabel.schemas import Evidence, Observation, Problem, Reason, Solution
from steplabel.transforms.dataset import OutputFolder
from steplabel.verifiers.tasks.multistep_arithmetic import MultistepArithmetic
from steplabel.verifiers.tasks.word_sorting import WordSorting
from tests.pipelines.verification.words import ROWS, Words, marked, words


def test_coverage(rows: Callable[..., str]) -> None:
    """Every step is counted once: without a claim, decided, or unknown by its reason."""
    (found,) = words(rows(*ROWS)).verifiers
    assert (found.solutions, found.steps, found.claimed) == (5, 13, 11)
    assert (found.holds, found.fails, found.unknown, found.scored) == (4, 5, {Reason.TIMEOUT: 2}, 0)
    assert found.claimed == found.decided + sum(found.unknown.values())


def test_against_marks(rows: Callable[..., str]) -> None:
    """Steps behind a marked error count nowhere; the first failing step is the location."""
    marks = words(rows(*ROWS)).verifiers[0].marks
    assert marks is not None
    assert (marks.solutions, marks.errors, marks.found) == (5, 3, 1)
    assert (marks.right_steps, marks.right_decided, marks.false_alarms) == (1 + 1 + 2 + 2 + 2, 4, 2)
    assert (marks.precision, marks.recall) == (1 / 3, 1 / 3)
    assert marks.accuracy == 2 / 5  # the first row, and the third, in which nothing fails


def test_against_answers(rows: Callable[..., str]) -> None:
    """A failing step foretells a wrong answer, or does not."""
    answers = words(rows(*ROWS)).verifiers[0].answers
    assert answers is not None
    assert (answers.solutions, answers.wrong, answers.failing, answers.failing_wrong) == (5, 3, 3, 2)
    assert (answers.precision, answers.recall) == (2 / 3, 2 / 3)


def test_what_is_not_known_is_not_compared(rows: Callable[..., str]) -> None:
    """Without marks and answers there are no counts against them, rather than zeros."""
    path = rows({"question": "?", "answer": "1", "solutions": ["holds\nfails", "fails\nholds"]})
    found = words(path)
    assert found.solutions == 2
    assert found.verifiers[0].marks is None
    assert found.verifiers[0].answers is None
    assert (found.verifiers[0].holds, found.verifiers[0].fails) == (2, 2)


def test_a_solution_that_two_models_wrote_counts_twice(rows: Callable[..., str]) -> None:
    """Both have its nodes: what is said of them is said of both."""
    both = [{"text": "holds\nfails", "model": model} for model in "ab"]
    (found,) = words(rows({"question": "?", "answer": "1", "solutions": both})).verifiers
    assert (found.solutions, found.steps, found.claimed, found.holds, found.fails) == (2, 4, 4, 2, 2)


def test_only_its_own_version_is_counted(rows: Callable[..., str], tmp_path: Path) -> None:
    """What another version said stands in the evidence, and is not this one's word."""
    words(rows(*ROWS), output=str(tmp_path / "out"))
    folder = OutputFolder(str(tmp_path / "out"))
    evidence = Evidence(
        problem=next(folder.read("problems")),
        solutions=tuple(folder.read("solutions")),
        observations=tuple(folder.read("observations")),
    )
    counter = CoverageCounter(Words(version="2"))
    counter.add(evidence, None)
    assert (counter.said().steps, counter.said().claimed) == (13, 0)


@dataclass(frozen=True)
class Grades:
    """Compares solutions, and never decides."""

    name: ClassVar[str] = "grades"
    version: ClassVar[str] = "1"
    domains: ClassVar[frozenset[str]] = frozenset()

    def compare(self, problem: Problem, solutions: Sequence[Solution]) -> tuple[Observation, ...]:
        keys = [key for solution in solutions for key in solution.node_keys]
        return tuple(Observation(subject=key, source=self.name, source_version="1", score=0.5) for key in keys)


def test_who_only_grades_has_missed_no_error(rows: Callable[..., str], capsys: pytest.CaptureFixture[str]) -> None:
    """Such a source has its line in the table of coverage, and none in those that count what was found."""
    found = verify_file(VerifyOptions(input=rows(*ROWS), verifiers=(Words(), Grades())))
    assert (found.verifiers[1].scored, found.verifiers[1].decided) == (13, 0)
    print_verification(Console(width=120), found)
    coverage, _, compared = capsys.readouterr().out.partition("First errors")
    assert "13 graded" in coverage
    assert "words" in compared
    assert "grades" not in compared
    print_verification(Console(width=120), replace(found, verifiers=found.verifiers[1:]))
    assert "First errors" not in capsys.readouterr().out


def test_tables(rows: Callable[..., str], capsys: pytest.CaptureFixture[str]) -> None:
    """Coverage, marks, answers, rejects and where the dataset is; verifiers that were not asked are named."""
    path = rows(*ROWS, "{broken", marked("boom", label=0))
    found = verify_file(VerifyOptions(input=path, verifiers=(Words(), WordSorting())))
    print_verification(Console(width=120), replace(found, output="there"))
    text = capsys.readouterr().out
    for word in (
        "Steps of 6 solutions",
        "2 timeout",
        "33.3%",
        "1 refused: verify: crash, the first: ",
        "dataset: there",
    ):
        assert word in text
    assert "made for none of these problems: word_sorting" in text


def test_a_narrow_terminal_breaks_reasons_and_no_numbers(
    rows: Callable[..., str], capsys: pytest.CaptureFixture[str]
) -> None:
    """Every count stands whole on its verifier's line."""
    found = verify_file(VerifyOptions(input=rows(*ROWS), verifiers=(Words(),)))
    (said,) = found.verifiers
    crowded = replace(said, unknown={"inconsistent_context": 1_000, "new_assumption": 2_000})
    print_verification(Console(width=60), replace(found, verifiers=(crowded,)))
    text = capsys.readouterr().out
    lines = [line.split() for line in text.splitlines() if line.startswith("words")]
    assert lines[0][:6] == ["words", "13", "84.6%", "69.2%", "4", "5"]
    assert lines[1][:3] == ["words", "5", "33.3%"]
    assert "\N{HORIZONTAL ELLIPSIS}" not in text


@pytest.mark.data
@pytest.mark.parametrize(
    ("name", "verifier", "floor"),
    [("multistep_arithmetic.jsonl", MultistepArithmetic(), 0.97), ("word_sorting.first150.jsonl", WordSorting(), 0.85)],
    ids=["multistep_arithmetic", "word_sorting"],
)
def test_bigbench_mistake(data_dir: Path, name: str, verifier: Any, floor: float) -> None:
    """The first errors of real traces are located without a model, and no row is lost."""
    found = verify_file(VerifyOptions(input=str(data_dir / "bigbench_mistake" / name), verifiers=(verifier,)))
    marks = found.verifiers[0].marks
    assert marks is not None
    assert found.rejects == {}
    assert marks.accuracy is not None
    assert marks.accuracy >= floor
