"""The benchmark of `relabel` runs and prints what it promises; what it measures is for people to read."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.slow
def test_relabel_rows(repository: Path) -> None:
    """Every view each way, the same solutions; records are measured on one chunk."""
    size = ["--solutions", "16", "--chunk-problems", "2", "--rollouts", "2"]
    command = [sys.executable, "benchmarks/relabel.py", "--json", *size, "--views", "soft", "tempo"]
    done = subprocess.run(command, cwd=repository, check=True, capture_output=True, text=True)
    printed = json.loads(done.stdout)
    assert [(row["view"], row["way"], row["solutions"]) for row in printed["rows"]] == [
        (view, way, solutions)
        for view in ("soft", "tempo")
        for way, solutions in (("columns", 16), ("records", 8), ("command", 16))
    ]
    assert all(row["per_cpu_second"] > 0 and row["peak_mib"] > 0 for row in printed["rows"])
