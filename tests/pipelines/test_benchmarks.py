"""The benchmarks run and print what they promise; what they measure is for people to read."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.slow
SOLVER = "scripted:steplabel.engines.bundled.solver:sloppy"


def output_of(repository: Path, *arguments: str) -> dict[str, object]:
    command = [sys.executable, *arguments]
    done = subprocess.run(command, cwd=repository, check=True, capture_output=True, text=True)
    printed: dict[str, object] = json.loads(done.stdout)
    return printed


def test_label_quality_rows(repository: Path) -> None:
    """One row a method, with F1, its interval and its cost; the binary search is cheaper."""
    printed = output_of(repository, "benchmarks/label_quality.py", "--json", "--problems", "60", "--engine", SOLVER)
    rows = printed["rows"]
    assert isinstance(rows, list)
    assert [row["method"] for row in rows] == ["math_shepherd", "omegaprm_locate"]
    for row in rows:
        assert 0 < row["f1_low"] <= row["f1"] <= row["f1_high"] <= 1
        assert 0 <= row["acc_error"] <= 1
        assert 0 <= row["acc_clean"] <= 1
    assert rows[1]["tokens_per_solution"] < rows[0]["tokens_per_solution"] / 2
    assert rows[1]["rollouts_per_solution"] < rows[0]["rollouts_per_solution"] / 2


def test_scale_rows(repository: Path) -> None:
    """Both sizes are run and their peaks compared."""
    printed = output_of(repository, "benchmarks/scale.py", "--small", "20", "--large", "40", "--json")
    assert printed["peak_ratio"]
    assert [row["problems"] for row in printed["rows"]] == [20, 40]  # type: ignore[attr-defined]


def test_engine_rows(repository: Path) -> None:
    """Every part that needs no vLLM runs, small; a replay asks the model nothing."""
    small = ["--problems", "4", "--pairs", "1", "--requests", "300", "--prompts", "4"]
    engines = ["--engine", "transformers", "server"]
    printed: dict[str, Any] = output_of(repository, "benchmarks/engines.py", "--json", *small, *engines)
    assert set(printed) == {"pipeline", "schedule", "faults", "store", "replay", "prefix_cache"}
    assert [row["engine"] for row in printed["pipeline"]] == ["transformers", "server"]
    assert all(row["rollouts"] > 0 and row["ratio"] > 0 for row in printed["pipeline"])
    assert printed["schedule"]["requests"] == 300
    assert printed["schedule"]["ratio_to_ideal"] >= 1
    assert printed["faults"]["programs_that_failed"] == 0
    assert printed["faults"]["same_samples_and_outcomes"] is True
    assert printed["replay"]["engine_calls_first"] > printed["replay"]["engine_calls_replay"] == 0
    assert [row["engine"] for row in printed["prefix_cache"]] == ["transformers"]


def test_engine_agreement_rows(repository: Path) -> None:
    """Each engine's F1, and the interval of each pair's difference around it."""
    engines = ["--engine", SOLVER, "--engine", "bundled"]
    printed: dict[str, Any] = output_of(
        repository, "benchmarks/engine_agreement.py", "--json", "--problems", "20", *engines
    )
    first, second = printed["rows"]
    (pair,) = printed["pairs"]
    assert pair["f1_difference"] == pytest.approx(first["f1"] - second["f1"])
    assert pair["low"] < pair["f1_difference"] < pair["high"]
