"""Files as they come: bad rows, none at all, damage; nothing vanishes, and errors say why."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from steplabel.pipelines.verification.verifying import VerifyOptions, verify_file
from steplabel.schemas import ConfigError, DataError
from steplabel.verifiers.tasks.multistep_arithmetic import MultistepArithmetic
from steplabel.verifiers.tasks.word_sorting import WordSorting
from tests.pipelines.verification.words import ROWS, Words, marked, words

TASKS = (MultistepArithmetic(), WordSorting())


def test_nothing_vanishes(rows: Callable[..., str]) -> None:
    """Bad rows, equal ids and what a verifier raised are counted by stage and reason."""
    path = rows(*ROWS, ROWS[0], "{broken", marked("holds", label=7), marked("boom", label=0))
    found = words(path)
    assert found.rejects == {"intake: bad_row": 2, "intake: duplicate_id": 1, "verify: crash": 1}
    assert found.problems == len(ROWS) + 1
    assert found.first_rejects.keys() == found.rejects.keys()
    assert found.first_rejects["intake: bad_row"].startswith("rows.jsonl:7: not JSON")
    assert found.first_rejects["verify: crash"].endswith(": words v1 raised RuntimeError: boom")


def test_no_gold_answer_is_needed(rows: Callable[..., str]) -> None:
    """Steps can be judged without knowing where they should lead."""
    found = words(rows({"question": "?", "solutions": ["holds\nfails"]}))
    assert (found.rejects, found.solutions, found.verifiers[0].decided) == ({}, 1, 2)


def test_progress_reaches_all_rows(rows: Callable[..., str], tmp_path: Path) -> None:
    """Refused rows, done ones and those of chunks that were there add up to the rows of the file."""
    path = rows(*ROWS, "{broken", ROWS[0])
    for _ in range(2):
        seen: list[int] = []
        options = VerifyOptions(input=path, verifiers=(Words(),), output=str(tmp_path / "out"), chunk=2)
        verify_file(options, seen.append)
        assert sum(seen) == len(ROWS) + 2


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        pytest.param(("{broken", "x"), r"refused rows \(2\), the first: rows.jsonl:1: not", id="nothing readable"),
        pytest.param(
            ({"question": "?", "answer": "1"},), r"no solution along: problems alone \(1\)$", id="no solution"
        ),
        pytest.param(
            ({"question": "?", "answer": "1"}, "x"), r"problems alone \(1\); refused rows \(1\)", id="and a bad row"
        ),
        pytest.param((), "holds no rows", id="empty"),
    ],
)
def test_a_file_without_solutions(rows: Callable[..., str], lines: tuple[Any, ...], message: str) -> None:
    """An error that says why, never an empty table."""
    with pytest.raises(DataError, match=message):
        words(rows(*lines))


def test_a_file_of_other_domains(rows: Callable[..., str]) -> None:
    """Verifiers of one task are silent on all others: that is said, too."""
    with pytest.raises(DataError, match="made for: multistep_arithmetic, word_sorting"):
        verify_file(VerifyOptions(input=rows(*ROWS), verifiers=TASKS))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"verifiers": ()}, "at least one"),
        ({"verifiers": (Words(), Words(version="2"))}, "each once"),
        ({"layout": "xml"}, "there are auto, problems"),
        ({"limit": 0}, "--limit 0: must be at least 1"),
        ({"chunk": 0}, "--chunk 0: must be at least 1"),
        ({"input": "/no/such/file"}, "does not exist"),
    ],
)
def test_what_cannot_work(rows: Callable[..., str], options: dict[str, Any], message: str) -> None:
    """An error before anything is done."""
    chosen = {"input": rows(*ROWS), "verifiers": (Words(),), **options}
    with pytest.raises(ConfigError, match=message):
        verify_file(VerifyOptions(**chosen))


def test_a_damaged_file(tmp_path: Path) -> None:
    """What was read before the damage counts; the rest is a reject."""
    path = tmp_path / "rows.jsonl.gz"
    data = gzip.compress("\n".join(json.dumps({**r, "pad": str(i) * 999}) for i, r in enumerate(ROWS * 90)).encode(), 0)
    path.write_bytes(data[: len(data) // 2])
    found = words(str(path))
    assert found.problems == len(ROWS)
    assert found.rejects["intake: bad_row"] == 1
