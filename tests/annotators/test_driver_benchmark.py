"""The driver's benchmark runs, and the driver beats rounds even at a small size."""

from __future__ import annotations

import json
import subprocess
import sys


def test_benchmark_runs(repository):
    """A small run prints one JSON object in which the driver keeps more slots busy than rounds do."""
    sizes = ["--problems=150", "--baseline-problems=30", "--slots=32", "--mean-ms=10"]
    command = [sys.executable, "benchmarks/driver.py", "--json", *sizes]
    done = subprocess.run(command, cwd=repository, capture_output=True, text=True, timeout=120, check=True)
    result = json.loads(done.stdout)
    assert result["driver"]["busy"] > 1.5 * result["rounds"]["busy"]
    assert 0 < result["driver"]["ideal_s"] <= result["driver"]["wall_s"]
    assert result["driver"]["in_flight"] == 16
