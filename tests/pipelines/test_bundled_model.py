"""The bundled model through whole runs: real sampling, killed, resumed, spread over workers."""

from __future__ import annotations

import json
import math
import os
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from steplabel.engines.store.progress import read_progress
from steplabel.pipelines.evaluation import evaluate, exact_truth
from steplabel.pipelines.generated import write_problems
from steplabel.transforms.dataset import PRIVATE, SUCCESS, OutputFolder
from tests.processes import wait_until

pytestmark = pytest.mark.slow
PROBLEMS = 24


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("bundled") / "problems.jsonl"
    write_problems(path, count=PROBLEMS, seed=3, events=(4, 8))
    return path


def command(source: Path, folder: Path, *extra: str) -> list[str]:
    arguments = ["--input", str(source), "--output", str(folder), "--chunk", "8"]
    return [sys.executable, "-m", "steplabel.pipelines.cli", "run", "omegaprm_locate", *arguments, *extra]


def samples(folder: Path) -> int:
    """Samples that the model has drawn so far."""
    manifest = OutputFolder(str(folder)).manifest()
    return read_progress(folder / PRIVATE / "rollouts.sqlite", manifest.account).engine_samples if manifest else 0


@pytest.fixture(scope="module")
def whole(source: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An uninterrupted run in one process."""
    folder = tmp_path_factory.mktemp("whole") / "out"
    subprocess.run(command(source, folder), check=True, capture_output=True)
    return folder


def test_a_run_finds_most_errors(whole: Path) -> None:
    """Labels of a real model beat naming any one step: F1 against exact truth is far from chance."""
    found = evaluate(OutputFolder(str(whole)), exact_truth())
    assert found.unmatched == 0
    assert found.report.f1 > 0.5
    assert found.report.acc_clean > 0.9


def test_a_replay_draws_no_sample(source: Path, whole: Path, tmp_path: Path) -> None:
    """The same run over the same store asks the model nothing and gives the same labels."""
    again = tmp_path / "again"
    store = whole / PRIVATE / "rollouts.sqlite"
    subprocess.run(command(source, again, "--store", str(store)), check=True, capture_output=True)
    digests = [[f.sha256 for f in OutputFolder(str(p)).require_manifest().files("rollouts")] for p in (whole, again)]
    assert digests[0] == digests[1]
    manifest = OutputFolder(str(again)).require_manifest()
    assert read_progress(store, manifest.account).engine_samples == 0


def test_killed_and_resumed_labels_agree_within_noise(source: Path, whole: Path, tmp_path: Path) -> None:
    """kill -9 of two workers: label shares and F1 agree with the uninterrupted run within two standard errors.

    Real sampling depends a little on what else is in the batch, so rows may differ; shares may not.
    """
    folder, extra = tmp_path / "killed", ("--workers", "2")
    process = subprocess.Popen(
        command(source, folder, *extra),
        start_new_session=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    wait_until(lambda: samples(folder) >= 150 or process.poll() is not None, "the run did not get anywhere")
    assert process.poll() is None, "the run ended before it was killed"
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    subprocess.run(command(source, folder, *extra), check=True, capture_output=True)
    assert (folder / SUCCESS).exists()
    first, second = (list(OutputFolder(str(p)).read("labels")) for p in (whole, folder))
    for mark in ("+", "-"):
        assert abs(difference_of_shares(first, second, mark)) <= 2
    scores = [evaluate(OutputFolder(str(p)), exact_truth()).report for p in (whole, folder)]
    error = math.hypot(*((s.f1_high - s.f1_low) / 3.92 for s in scores))
    assert abs(scores[0].f1 - scores[1].f1) <= 2 * error


def difference_of_shares(first: list[object], second: list[object], mark: str) -> float:
    """Difference of a mark's share between two runs, in standard errors (solutions are the independent units)."""
    counts = [Counter(str(m) for row in rows for m in row.labels) for rows in (first, second)]  # type: ignore[attr-defined]
    totals = [c.total() for c in counts]
    shares = [c[mark] / n for c, n in zip(counts, totals, strict=True)]
    pooled = sum(c[mark] for c in counts) / sum(totals)
    error = math.sqrt(pooled * (1 - pooled) * sum(1 / len(rows) for rows in (first, second)))
    return (shares[0] - shares[1]) / error


def test_the_demo_runs(tmp_path: Path, repository: Path) -> None:
    """`make demo`'s script, with few problems, prints both methods' F1 and says how to load the data."""
    text = (repository / "examples" / "demo.py").read_text().replace("PROBLEMS = 90", "PROBLEMS = 16")
    script = tmp_path / "demo.py"
    script.write_text(text)
    done = subprocess.run(
        [sys.executable, str(script), "demo-output"], cwd=tmp_path, check=False, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
    for words in ("First-error F1", "omegaprm_locate", "math_shepherd", "load_dataset"):
        assert words in done.stdout
    rows = json.loads((tmp_path / "demo-output/omegaprm_locate/_MANIFEST.json").read_text())
    assert rows["completer"].startswith("bundled")
