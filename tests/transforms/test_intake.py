"""Where outside data enters: every bad row leaves with a reason, no good one is lost."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from steplabel.schemas import Evidence, Reason, Reject
from steplabel.schemas.segmentation import NewlineSteps
from steplabel.transforms.intake import Intake, printable
from steplabel.transforms.io import read_rows

GOOD = {"id": "good", "problem": "What is 2+2?", "answer": "4"}

BAD_LINES: list[tuple[str, bytes, str]] = [
    ("empty line", b"", "empty line"),
    ("spaces", b"   ", "empty line"),
    ("not JSON", b"{id: 1}", "not JSON"),
    ("cut JSON", b'{"id": "a", "problem": "x', "not JSON"),
    ("two objects", b'{"id": "a"} {"id": "b"}', "not JSON"),
    ("a list", b"[1, 2]", "not an object"),
    ("a number", b"7", "not an object"),
    ("null", b"null", "not an object"),
    ("invalid UTF-8", b'{"id": "a", "problem": "\xff\xfe", "answer": "4"}', "not JSON"),
    ("lone surrogate", b'{"id": "a", "problem": "x \\ud800 y", "answer": "4"}', ""),
    ("NUL", b'{"id": "a", "problem": "x \\u0000 y", "answer": "4"}', "U+0000"),
    ("control character", b'{"id": "a", "problem": "x \\u0007 y", "answer": "4"}', "U+0007"),
    ("no problem", b'{"id": "a", "answer": "4"}', "no question"),
    ("empty problem", b'{"id": "a", "problem": "  ", "answer": "4"}', "problem"),
    ("no answer", b'{"id": "a", "problem": "x"}', "answer"),
    ("empty answer", b'{"id": "a", "problem": "x", "answer": ""}', "answer"),
    ("problem is a number", b'{"id": "a", "problem": 12, "answer": "4"}', "question"),
    ("answer is a list", b'{"id": "a", "problem": "x", "answer": [1, 2]}', "answer"),
    ("id is a list", b'{"id": [1], "problem": "x", "answer": "4"}', "id"),
    (
        "unknown answer type",
        b'{"id": "a", "problem": "x", "answer": "4", "answer_type": "colour"}',
        "answer_type",
    ),
    (
        "number gold that is none",
        b'{"id": "a", "problem": "x", "answer": "four", "answer_type": "number"}',
        "answer",
    ),
    ("huge text", json.dumps({"id": "a", "problem": "x" * 5_000_000, "answer": "4"}).encode(), "5,000,000"),
    ("solutions no list", b'{"id": "a", "problem": "x", "answer": "4", "solutions": 5}', "solutions"),
    ("deep nesting", b'{"id":' + b"[" * 100_000 + b"]" * 100_000 + b"}", ""),
]


def read(path: Path) -> list[Evidence | Reject]:
    return list(Intake(layout="auto", segmenter=NewlineSteps()).read(read_rows(str(path))))


@pytest.mark.parametrize(("line", "words"), [pytest.param(b, w, id=i) for i, b, w in BAD_LINES])
def test_a_bad_row_leaves_with_its_reason(tmp_path: Path, line: bytes, words: str) -> None:
    """The row is refused with a reason that names the fault; the rows around it are read."""
    path = tmp_path / "rows.jsonl"
    after = GOOD | {"id": "after"}
    path.write_bytes(b"\n".join([json.dumps(GOOD).encode(), line, json.dumps(after).encode()]) + b"\n")
    before_row, refused, after_row = read(path)
    assert isinstance(before_row, Evidence)
    assert isinstance(after_row, Evidence)
    assert isinstance(refused, Reject)
    assert refused.reason == Reason.BAD_ROW
    assert refused.record_id == "rows.jsonl:2"
    assert words.lower() in refused.detail.lower()
    json.dumps([refused.detail, refused.excerpt]).encode("utf-8")  # safe to store


def test_the_second_of_two_equal_ids_is_refused(tmp_path: Path) -> None:
    """The first row of an id counts, whatever the others say."""
    path = tmp_path / "rows.jsonl"
    rows = [GOOD, GOOD | {"problem": "other?"}, GOOD | {"id": "other"}]
    path.write_text("\n".join(map(json.dumps, rows)))
    first, second, third = read(path)
    assert isinstance(first, Evidence)
    assert isinstance(second, Reject)
    assert second.reason == Reason.DUPLICATE_ID
    assert second.record_id == "good"
    assert isinstance(third, Evidence)


def test_ids_are_made_where_there_are_none(tmp_path: Path) -> None:
    """Rows without an id get one from their content; equal content is a duplicate."""
    path = tmp_path / "rows.jsonl"
    bare = {"problem": "What is 2+2?", "answer": "4"}
    path.write_text("\n".join(map(json.dumps, [bare, bare, bare | {"problem": "3+3?"}])))
    kinds = [type(r) for r in read(path)]
    assert kinds == [Evidence, Reject, Evidence]


def test_a_byte_order_mark_is_no_fault(tmp_path: Path) -> None:
    """Files from Windows tools begin with one."""
    path = tmp_path / "rows.jsonl"
    path.write_bytes(b"\xef\xbb\xbf" + json.dumps(GOOD).encode())
    assert isinstance(read(path)[0], Evidence)


@pytest.mark.parametrize("text", ["a\x00b", "\ud800", "tab\there", "plain", "\u202eabc", "x" * 1000])
def test_printable_is_safe(text: str) -> None:
    """What is shown of a bad row can be stored and printed anywhere."""
    shown = printable(text)
    assert shown.isprintable()
    assert len(shown) <= 160 * 8
    shown.encode("utf-8")
