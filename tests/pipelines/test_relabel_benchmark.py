"""The benchmark of `relabel` runs and prints what it promises; what it measures is for people to read."""

from __future__ import annotations

import json
import runpy
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from steplabel.labels.counting import counting_of
from steplabel.labels.policies import POLICIES, PROBE
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


@pytest.fixture(scope="module")
def benchmark(repository: Path) -> dict[str, Any]:
    """The script's own functions."""
    return runpy.run_path(str(repository / "benchmarks" / "relabel.py"))


def test_every_view_is_labelled_by_the_evidence_it_gets(benchmark: dict[str, Any], tmp_path: Path) -> None:
    """No view is measured on evidence that says nothing to it."""
    for view in POLICIES:
        size = benchmark["evidence_of"](sized(benchmark), view)
        folder = tmp_path / str(size)
        if not folder.exists():
            benchmark["build"](str(folder), size)
        (chunk,) = (output := OutputFolder(str(folder))).require_manifest().chunks
        how = Labelling(policy=POLICIES[view], run=benchmark["RUN"])
        rows, _ = label_tables(read_tables(output, chunk, tables_wanted(how.policy)), how)
        heard = {word for sources in rows["label_sources"].to_pylist() for word in sources}
        assert counting_of(POLICIES[view]).source in heard, view


def sized(benchmark: dict[str, Any], *, probes: int = 0) -> Any:
    return benchmark["Size"](solutions=64, rollouts=4, probes=probes, chunk_problems=16)


FORCED = {"vsrm", "anytime"}


@pytest.mark.parametrize("view", POLICIES)
@pytest.mark.parametrize("more", [0, 2])
def test_the_evidence_is_what_the_views_own_recipe_collects(benchmark: dict[str, Any], view: str, more: int) -> None:
    """Forced answers where they are read, and rollouts elsewhere; answers on top of that only where asked for."""
    size = benchmark["evidence_of"](sized(benchmark, probes=more), view)
    asked = (0, 0) if view == "igpo" else (0, 4) if view in FORCED else (4, 0)
    assert (size.rollouts, size.probes) == (asked[0], asked[1] + more)


@pytest.mark.parametrize(("view", "probes"), [("vsrm", 4), ("soft", 0)])
def test_as_many_are_asked_at_every_prefix(benchmark: dict[str, Any], tmp_path: Path, view: str, probes: int) -> None:
    """At the end of every step but the last, of one kind."""
    benchmark["build"](str(tmp_path / "x"), benchmark["evidence_of"](sized(benchmark), view))
    output = OutputFolder(str(tmp_path / "x"))
    asked = Counter((one.problem_id, one.node_key) for one in output.read("rollouts"))
    prefixes = sum(len(solution.steps) - 1 for solution in output.read("solutions"))
    assert len(asked) == prefixes
    assert set(asked.values()) == {4}
    assert {one.probe for one in output.read("rollouts")} == {PROBE if probes else ""}
