"""SCAN's published rows, made again by our view, as far as their inputs allow.

A row holds the question, the steps up to the error, and a score for each. It holds neither counts nor
self-confidence, neither the outcome nor what was cut.

Checked: every score. Of a row that ends in an error, the 0 stands at the last step alone, the steps before the
window of two are 1, and the scores of the window are min(1, MC/SC) for *one* self-confidence m/128 at or above
the gate and shares j/8 above 0: the counts are read off the scores, and from them the view makes the whole row
again, to the last bit of every score, and cuts a step that we add behind the error. Rows of ones come from the
outcome alone.
Not checked, for want of inputs: the self-confidence of rows without a weighed score, MC before the window, which
questions the gate left out, and whether the answers were judged rightly.
"""

from __future__ import annotations

import json
from itertools import product
from pathlib import Path

import pytest

from steplabel.labels.scan import Scan

SAMPLES, ROLLOUTS, GATE, WINDOW = 128, 8, 96, 2
FILES = ("dataset__SCAN-Base__train-100.jsonl", "dataset__SCAN-Pro__train-100.jsonl")

pytestmark = pytest.mark.data


@pytest.fixture(scope="module", params=FILES, ids=["base", "pro"])
def scores(request: pytest.FixtureRequest, data_dir: Path) -> list[list[float]]:
    """The scores of one file's rows."""
    path = data_dir / "scan" / request.param
    if not path.is_file():
        pytest.skip(f"reference data not present: {path.name}")
    return [json.loads(line)["scores"] for line in path.read_text(encoding="utf-8").splitlines()]


def counts_behind(row: list[float]) -> tuple[int, list[int]] | None:
    """Right samples of 128 and right rollouts of 8 at each step that give the row's weighed scores."""
    doubted = row[-WINDOW - 1 : -1]
    for solved, *right in product(range(GATE, SAMPLES + 1), *[range(1, ROLLOUTS + 1)] * len(doubted)):
        if doubted == [min(1, c / ROLLOUTS / (solved / SAMPLES)) for c in right]:
            return solved, [ROLLOUTS] * (len(row) - 1 - len(doubted)) + right
    return None


def test_rows_with_an_error(batch_of, scores):
    """From counts that explain its window, the view makes each such row again and cuts what follows."""
    rows = [row for row in scores if 0 in row]
    assert len(rows) == 55
    for row in rows:
        found = counts_behind(row)
        assert found is not None, f"no counts give {row}"
        solved, right = found
        line = " ".join([*(f"{c}/{ROLLOUTS}" for c in right), f"0/{ROLLOUTS}", "."])
        labels = Scan()(batch_of([line], ["wrong"], [f"{solved}/{SAMPLES}"]))
        assert labels.values[labels.kept].tolist() == row
        assert labels.first_error.tolist() == [len(row) - 1]


def test_rows_without_an_error(batch_of, scores):
    """All ones, for as many steps as the row has, with no rollout at all."""
    rows = [row for row in scores if 0 not in row]
    assert len(rows) == 45
    lines = [" ".join("." for _ in row) for row in rows]
    labels = Scan()(batch_of(lines, ["right"] * len(rows), [f"{GATE}/{SAMPLES}"] * len(rows)))
    assert labels.values.tolist() == [score for row in rows for score in row]
    assert labels.by_outcome.all()


def test_a_wider_or_narrower_window_would_not_do(scores):
    """The published window is two: with one or three steps doubted some rows come out differently."""
    rows = [row for row in scores if 0 in row and len(row) > WINDOW + 1]
    assert all(score == 1 for row in rows for score in row[: -WINDOW - 1])
    assert any(row[-WINDOW - 1] < 1 for row in rows)
