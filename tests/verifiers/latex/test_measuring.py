"""The benchmark's counting, on steps whose verdicts are known."""

from __future__ import annotations

import json
from importlib import import_module
from pathlib import Path
from types import ModuleType

import pytest


@pytest.fixture
def parts(repository: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The benchmark's measuring functions."""
    monkeypatch.syspath_prepend(str(repository / "benchmarks"))
    return import_module("verifier_parts.latex")


def test_counts(parts: ModuleType, tmp_path: Path) -> None:
    """Steps behind the first error count for nothing; a right step that fails is a false alarm."""
    steps = ["Let $x = 1$.", "$1+1=2$", "$2+2=5$", "$3+3=7$", "$4+4=9$"]
    row = {"id": "r", "generator": "g", "problem": "p", "steps": steps, "final_answer_correct": False, "label": 3}
    clean = {**row, "id": "c", "steps": steps[:2], "label": -1}
    path = tmp_path / "rows.json"
    path.write_text(json.dumps([row, clean]), encoding="utf-8")
    report = parts.measure_latex(parts.processbench_steps(path))
    assert (report.right_steps, report.first_errors, report.covered, report.holding) == (5, 1, 3, 2)
    assert [failure.step for failure in report.false_alarms] == ["r/2"]
    assert [failure.step for failure in report.caught] == ["r/3"]
    assert (report.coverage, report.false_alarm_rate, report.recall, report.precision) == (0.6, 0.2, 1.0, 0.5)


def test_what_stands_before_a_step_is_known(parts: ModuleType, tmp_path: Path) -> None:
    """The problem's equations are premises; completions after the first wrong position are left out."""
    row = {
        "question": {"problem": "Solve $2x + 3 = 7$."},
        "label": {
            "steps": [
                {"completions": [{"text": "$2x = 4$", "rating": 1}, {"text": "$2x = 5$", "rating": 0}]},
                {"completions": [{"text": "$x = 2$", "rating": 1}, {"text": "$1 + 1 = 3$", "rating": -1}]},
                {"completions": [{"text": "$1 + 1 = 2$", "rating": 1}]},
            ]
        },
    }
    path = tmp_path / "rows.jsonl"
    path.write_text(json.dumps(row) + "\n", encoding="utf-8")
    report = parts.measure_latex(parts.prm800k_steps(path))
    assert (report.right_steps, report.first_errors, report.covered) == (2, 1, 2)
    assert len(report.caught) == 1
