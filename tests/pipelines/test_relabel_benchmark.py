"""The benchmark of `relabel` runs and prints what it promises; what it measures is for people to read."""

from __future__ import annotations

import json
import runpy
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from steplabel.labels.counting import counting_of
from steplabel.labels.policies import POLICIES
from steplabel.transforms.columnar.evidence import read_tables
from steplabel.transforms.columnar.tables import label_tables, tables_wanted
from steplabel.transforms.dataset import OutputFolder
from steplabel.transforms.label import Labelling


@pytest.mark.slow
def test_relabel_rows(repository: Path) -> None:
    """Every view each way, the same solutions; records are measured on one chunk."""
    rows = measured(repository, "--policy", "soft", "igpo")
    assert [(row["view"], row["way"], row["solutions"]) for row in rows] == [
        (view, way, solutions)
        for view in ("soft", "igpo")
        for way, solutions in (("columns", 16), ("records", 8), ("command", 16))
    ]
    assert all(row["per_cpu_second"] > 0 and row["peak_mib"] >= row["first_peak_mib"] > 0 for row in rows)


def measured(repository: Path, *options: str) -> list[dict[str, Any]]:
    """What the benchmark prints of a small dataset."""
    size = ["--solutions", "16", "--chunk-problems", "2", "--rollouts", "2"]
    command = [sys.executable, "benchmarks/relabel.py", "--json", *size, *options]
    done = subprocess.run(command, cwd=repository, check=True, capture_output=True, text=True)
    rows: list[dict[str, Any]] = json.loads(done.stdout)["rows"]
    return rows


def test_every_view_is_labelled_by_the_evidence_it_gets(repository: Path, tmp_path: Path) -> None:
    """No view is measured on evidence that says nothing to it."""
    benchmark = runpy.run_path(str(repository / "benchmarks" / "relabel.py"))
    for view in POLICIES:
        source = benchmark["source_read"](view)
        folder = tmp_path / (source or "rollouts")
        if not folder.exists():
            size = benchmark["Size"](solutions=64, rollouts=4, probes=1, chunk_problems=16)
            benchmark["build"](str(folder), benchmark["evidence_of"](size, source))
        (chunk,) = (output := OutputFolder(str(folder))).require_manifest().chunks
        how = Labelling(policy=POLICIES[view], run=benchmark["RUN"])
        rows, _ = label_tables(read_tables(output, chunk, tables_wanted(how.policy)), how)
        heard = {word for sources in rows["label_sources"].to_pylist() for word in sources}
        assert counting_of(POLICIES[view]).source in heard, view
