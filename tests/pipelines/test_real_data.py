"""Real solutions of real models through reading, segmenting, answer checking, evidence and the terminal."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from steplabel.pipelines.inspection import chosen_rows, print_row
from steplabel.pipelines.run import RunResult
from steplabel.schemas import Evidence
from steplabel.schemas.segmentation import NewlineSteps
from steplabel.transforms.answers import check_answers
from steplabel.transforms.intake import Intake
from steplabel.transforms.io import read_rows
from steplabel.verifiers import AnswerChecker

pytestmark = [pytest.mark.data, pytest.mark.slow]
FILES = {
    "gsm8k": ("gsm8k/example_model_solutions.first660.jsonl", 660, 2640),
    "processbench gsm8k": ("processbench/gsm8k.json", 400, 400),
    "processbench math": ("processbench/math.first500.json", 500, 500),
}


@pytest.mark.parametrize(("name", "problems", "solutions"), FILES.values(), ids=FILES)
def test_every_row_is_read_and_checked(data_dir: Path, name: str, problems: int, solutions: int) -> None:
    """No row is refused, steps join to their solution, and the data set's own verdict is kept beside ours."""
    rows = list(Intake(layout="auto", segmenter=NewlineSteps()).read(read_rows(str(data_dir / name))))
    assert len(rows) == problems
    checked = [check_answers(row, AnswerChecker()) for row in rows if isinstance(row, Evidence)]
    assert sum(len(e.solutions) for e in checked) == solutions
    for evidence in checked:
        subjects = Counter(o.subject for o in evidence.outcomes)
        assert subjects.keys() == {s.id for s in evidence.solutions}


def test_they_run_through_a_recipe_and_can_be_looked_at(data_dir: Path, label: Callable[..., RunResult]) -> None:
    """Solutions without a gold answer are labelled as far as their outcome goes; nothing is asked of a model."""
    result = label("pb", input=str(data_dir / "processbench/gsm8k.json"), limit=50)
    assert result.usage.engine_requests == 0
    rows = list(chosen_rows(result.folder, problem=None, errors_only=False, limit=5))
    assert rows
    screen = Console(file=StringIO(), width=100)
    for row in rows:
        print_row(screen, row)
        assert row.problem_id in screen.file.getvalue()  # type: ignore[attr-defined]
