"""`steplabel verify` as a process that is stopped in the middle."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from steplabel.transforms.dataset import OutputFolder
from tests.processes import listen_to_ctrl_c, wait_until

SLOW = """
import time
from steplabel.schemas import Verdict
from steplabel.verifiers import Claim, Finding

class Slow:
    name, version, domains = "slow", "1", frozenset()

    def claims(self, problem, solution):
        return [Claim(subject=key, body=step.text) for key, step in zip(solution.node_keys, solution.steps)]

    def verify(self, claim):
        time.sleep(0.02)
        return Finding(verdict=Verdict.FAILS if "wrong" in claim.body else Verdict.HOLDS)
"""
PROBLEMS = 60


@pytest.fixture
def command(tmp_path: Path) -> list[str]:
    """The command line but for its output, over a verifier that takes its time."""
    (tmp_path / "slow_verifier.py").write_text(SLOW)
    rows = [{"question": f"{i}?", "solutions": [f"right\n{'wrong' if i % 3 else 'right'}"]} for i in range(PROBLEMS)]
    path = tmp_path / "rows.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    start = [sys.executable, "-m", "steplabel.pipelines.cli", "verify", str(path)]
    return [*start, "--verifier", "slow_verifier:Slow", "--chunk", "5", "--json"]


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")])}


def result(command: list[str], environment: dict[str, str]) -> dict[str, Any]:
    done = subprocess.run(command, env=environment, check=True, capture_output=True, text=True)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@pytest.mark.slow
def test_ctrl_c_and_the_same_command_again(command: list[str], environment: dict[str, str], tmp_path: Path) -> None:
    """It ends at once and says how to go on; what was committed stays, and the end is that of one go."""
    folder = OutputFolder(str(tmp_path / "out"))
    stopped = [*command, "--output", folder.path]

    def committed() -> bool:
        manifest = folder.manifest()
        return manifest is not None and bool(manifest.chunks)

    with subprocess.Popen(
        stopped,
        env=environment,
        stderr=subprocess.PIPE,
        stdout=subprocess.PIPE,
        preexec_fn=listen_to_ctrl_c,  # noqa: PLW1509 - it takes no lock
    ) as process:
        wait_until(lambda: process.poll() is not None or committed(), "nothing was committed")
        process.send_signal(signal.SIGINT)
        output, error = process.communicate()
    assert (process.returncode, output) == (130, b"")
    assert b"goes on where it stopped" in error
    kept = folder.require_manifest().rows()["problems"]
    assert 0 < kept < PROBLEMS
    again = result(stopped, environment)
    whole = result([*command, "--output", str(tmp_path / "whole")], environment)
    assert again["kept"] == kept
    assert {**again, "kept": 0, "output": ""} == {**whole, "output": ""}
    assert folder.require_manifest() == OutputFolder(str(tmp_path / "whole")).require_manifest()
