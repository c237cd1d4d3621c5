"""Reading rows from every kind of file, and writing rows."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from pathlib import Path

import datasets
import pytest
import zstandard

from steplabel.schemas import ConfigError, DataError, Problem, codec
from steplabel.transforms.io import (
    count_tuples,
    count_values,
    fingerprint,
    input_files,
    read_arrow,
    read_records,
    read_rows,
    write_plain,
    write_rows,
)

ROWS = [{"id": str(i), "problem": f"{i}+1?", "answer": i + 1} for i in range(5)]


def save(path: Path, kind: str) -> Path:
    if kind == "jsonl":
        path = path / "rows.jsonl"
        path.write_text("".join(json.dumps(row) + "\n" for row in ROWS))
    elif kind == "jsonl.gz":
        path = path / "rows.jsonl.gz"
        path.write_bytes(gzip.compress("".join(json.dumps(row) + "\n" for row in ROWS).encode()))
    elif kind == "jsonl.zst":
        path = path / "rows.jsonl.zst"
        path.write_bytes(zstandard.compress("".join(json.dumps(row) + "\n" for row in ROWS).encode()))
    elif kind == "json":
        path = path / "rows.json"
        path.write_text(json.dumps(ROWS))
    elif kind == "parquet":
        path = path / "rows.parquet"
        write_rows(ROWS, str(path))
    elif kind == "folder":
        for i, row in enumerate(ROWS):
            (path / f"part-{i}.jsonl").write_text(json.dumps(row))
        (path / "README.md").write_text("not data")
        (path / "_hidden.jsonl").write_text("not data")
    else:
        path = path / "saved"
        datasets.Dataset.from_list(ROWS).save_to_disk(str(path))
    return path


@pytest.mark.parametrize("kind", ["jsonl", "jsonl.gz", "jsonl.zst", "json", "parquet", "folder", "saved"])
def test_reads_every_format(tmp_path: Path, kind: str) -> None:
    """The same rows come out of every kind of file."""
    assert [row.data for row in read_rows(str(save(tmp_path, kind)))] == ROWS


def test_a_folder_of_ours_is_read_by_its_problems(tmp_path: Path) -> None:
    """Nothing but data files of a folder are read, hidden ones left out."""
    save(tmp_path, "folder")
    assert len(input_files(str(tmp_path))) == len(ROWS)


@pytest.mark.parametrize(
    ("name", "words"),
    [("missing.jsonl", "does not exist"), ("notes.txt", "no known format"), ("empty", "holds no")],
)
def test_nothing_to_read_is_a_clear_error(tmp_path: Path, name: str, words: str) -> None:
    """The message says what was looked for."""
    (tmp_path / "notes.txt").write_text("x")
    (tmp_path / "empty").mkdir()
    with pytest.raises(ConfigError, match=words):
        list(read_rows(str(tmp_path / name)))


@pytest.mark.parametrize("name", ["rows.parquet", "rows.json"])
def test_a_file_that_is_not_what_its_name_says(tmp_path: Path, name: str) -> None:
    """It gives one row with an error, so the run can go on with the other files."""
    (tmp_path / name).write_bytes(b"\x00\x01 no such thing")
    (row,) = read_rows(str(tmp_path / name))
    assert row.data is None
    assert row.error.startswith("not ")


def test_fingerprint_depends_on_bytes_alone(tmp_path: Path) -> None:
    """Moved files have the same fingerprint, changed ones another."""
    for name in ("a", "b", "c"):
        (tmp_path / name).mkdir()
        save(tmp_path / name, "jsonl")
    (tmp_path / "c" / "rows.jsonl").write_text("{}\n")
    prints = [fingerprint(str(tmp_path / n / "rows.jsonl")) for n in ("a", "b", "c")]
    assert prints[0] == prints[1] != prints[2]


def test_counts_values_and_tuples(tmp_path: Path) -> None:
    """Lists are counted item by item, or as whole values."""
    path = tmp_path / "x.parquet"
    write_rows([{"a": ["x", "y"], "b": 1}, {"a": ["x"], "b": 1}], str(path))
    assert count_values([str(path)], "a") == {"x": 2, "y": 1}
    assert count_tuples([str(path)], "a", "b") == {(("x", "y"), 1): 1, (("x",), 1): 1}


def test_a_very_long_line_is_refused_unread(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A line past the limit is skipped, and the next one is read."""
    monkeypatch.setattr("steplabel.transforms.io.MAX_LINE_BYTES", 1000)
    path = tmp_path / "rows.jsonl"
    path.write_bytes(b'{"id": "' + b"x" * 5000 + b'"}\n{"id": "short"}\n')
    long, short = read_rows(str(path))
    assert "longer than" in long.error
    assert short.data == {"id": "short"}
    assert short.where == "rows.jsonl:2"


def test_a_cut_archive_gives_its_good_rows_and_an_error(tmp_path: Path) -> None:
    """What can be read of a truncated file is read, and the rest is told."""
    path = tmp_path / "rows.jsonl.gz"
    whole = gzip.compress("".join(json.dumps({"id": i, "noise": str(i) * 50}) + "\n" for i in range(5000)).encode())
    path.write_bytes(whole[: len(whole) // 2])
    rows = list(read_rows(str(path)))
    assert "cannot be read" in rows[-1].error
    assert all(row.data for row in rows[:-2])


def test_an_output_of_ours_is_no_input(tmp_path: Path) -> None:
    """Whoever gives an output folder as input is told what to do instead."""
    (tmp_path / "_MANIFEST.json").write_text("{}")
    with pytest.raises(ConfigError, match="relabel"):
        input_files(str(tmp_path))


def test_file_names_that_are_not_utf8(tmp_path: Path) -> None:
    """Such names are shown with escapes, so that they can be stored."""
    path = bytes(tmp_path) + b"/rows-\xff.jsonl"
    with open(path, "w") as handle:
        handle.write('{"id": "a"}\nnot json\n')
    for row in read_rows(str(tmp_path)):
        row.where.encode("utf-8")


@pytest.mark.parametrize("name", ["a.jsonl", "a.jsonl.gz", "a.parquet"])
def test_rows_are_written_whole_or_not_at_all(tmp_path: Path, name: str) -> None:
    """What ends in the middle leaves the file that was there before, and nothing beside it."""

    def broken() -> Iterator[dict[str, int]]:
        yield {"a": 2}
        raise RuntimeError("the disk")

    path = tmp_path / name
    write_rows([{"a": 1}], str(path))
    before = path.read_bytes()
    with pytest.raises(RuntimeError, match="the disk"):
        write_rows(broken(), str(path))
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("what", ["missing", "cut", "empty", "flipped", "folder"])
def test_a_damaged_file_of_ours_is_named(tmp_path: Path, what: str) -> None:
    """Whichever way it is read: the error is one of data, with the path and what can be done."""
    path = tmp_path / "part.parquet"
    problems = [Problem(id=f"p{i}", text=f"{i}+1?" * 50) for i in range(400)]
    write_plain([codec.to_builtins(problem) for problem in problems], Problem, str(path))
    assert list(read_records([str(path)], Problem)) == problems
    assert read_arrow([str(path)], Problem, ["id"]).num_rows == len(problems)
    data = path.read_bytes()
    path.unlink()
    if what == "folder":
        path.mkdir()
    elif what != "missing":
        damaged = {"cut": data[: len(data) // 2], "empty": b"", "flipped": bytes(len(data) - 4) + data[-4:]}
        path.write_bytes(damaged[what])
    readers = (
        lambda: list(read_records([str(path)], Problem)),
        lambda: read_arrow([str(path)], Problem, ["id"]),
        lambda: count_values([str(path)], "id"),
        lambda: count_tuples([str(path)], "id", "text"),
    )
    for read in readers:
        with pytest.raises(DataError, match=r"part\.parquet' cannot be read.*--output"):
            read()
