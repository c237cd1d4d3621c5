"""What a run prints at its end: every line says what was counted, and lines without anything to say stay away."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console

from steplabel.engines import StoreProgress
from steplabel.pipelines.report import DatasetCounts, print_summary
from steplabel.pipelines.run import RunResult
from steplabel.schemas import StepMark
from steplabel.transforms.dataset import OutputFolder

COUNTS = DatasetCounts(
    rows={"problems": 2, "solutions": 8, "labels": 5, "rollouts": 1234, "rejects": 3},
    marks={StepMark.POSITIVE: 30, StepMark.NEGATIVE: 10, StepMark.UNKNOWN: 2},
    by_outcome=4,
    rejects={"undecided": 3},
)
USAGE = StoreProgress(engine_requests=40, engine_samples=320, stored_samples=8, completion_tokens=12_000)


def summary(usage: StoreProgress, counts: DatasetCounts, folder: Path) -> dict[str, str]:
    """The printed table: what stands right of each name."""
    printed = io.StringIO()
    result = RunResult(folder=OutputFolder(str(folder)), complete=True, seconds=61.25, usage=usage)
    print_summary(Console(file=printed, width=120), result, counts)
    lines = (line.split("  ", 1) for line in map(str.strip, printed.getvalue().splitlines()) if line)
    return {name: text.strip() for name, text in lines}


def test_counts_and_costs(tmp_path: Path) -> None:
    """Rows, marks, what the model did, tokens for each step that is labelled + or -."""
    lines = summary(USAGE, COUNTS, tmp_path)
    assert lines["solutions"] == "8, labelled 5 (4 by outcome alone)"
    assert lines["steps"] == "30 right, 10 wrong, 2 unknown"
    assert lines["rollouts kept"] == "1,234"
    assert lines["left out"] == "3 undecided"
    assert lines["model"] == "40 requests, 320 samples, 12,000 tokens"
    assert lines["from the store"] == "8 samples"
    assert lines["wall"] == "61.2 s"
    assert lines["tokens per labelled step"] == "300.0"


@pytest.mark.parametrize(
    ("fields", "name", "says"),
    [
        ({"prompt_tokens": 9000, "cached_tokens": 6750}, "prompt tokens", "9,000, 75% of them cached"),
        ({"cost": 1234.567}, "cost", "1,234.57"),
        ({"cost": 0.0012}, "cost", "0.0012"),
    ],
)
def test_what_only_some_engines_count(tmp_path: Path, fields: dict[str, float], name: str, says: str) -> None:
    """Cached prompt tokens and money are told where the engine counts them, and not as 0 where it does not."""
    assert summary(replace(USAGE, **fields), COUNTS, tmp_path)[name] == says
    assert name not in summary(USAGE, COUNTS, tmp_path)


def test_nothing_decided(tmp_path: Path) -> None:
    """Without a decided step there is no price of one."""
    nothing = replace(COUNTS, marks={StepMark.UNKNOWN: 7}, rejects={})
    lines = summary(USAGE, nothing, tmp_path)
    assert "verifiers raised" not in lines
    assert "tokens per labelled step" not in lines
    assert lines["left out"] == "nothing"


def test_what_verifiers_raised_is_not_left_out(tmp_path: Path) -> None:
    """A verifier's bug costs its word, not the solution: it has a line of its own."""
    lines = summary(USAGE, replace(COUNTS, silenced=12), tmp_path)
    assert lines["left out"] == "3 undecided"
    assert lines["verifiers raised"] == "12 times, see rejects of stage verify"
