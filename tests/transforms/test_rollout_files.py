"""Rollouts as Parquet: whole files, bounded memory, and an import that believes nothing."""

from __future__ import annotations

import asyncio
import random
import signal
import sqlite3
import subprocess
import sys
import textwrap
from contextlib import closing
from pathlib import Path
from typing import Any

import datasets
import fsspec
import msgspec
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from steplabel.engines import GenerateRequest, Prompt, RolloutStore, ScriptedEngine
from steplabel.engines.store.exchange import exported_rollouts, import_rollouts
from steplabel.engines.store.verify import verify
from steplabel.schemas import ConfigError, ExportedRollout, FinishReason, SamplingParams, StoreError
from steplabel.schemas.arrow import arrow_schema
from steplabel.transforms.rollout_files import export_store, import_file
from steplabel.transforms.whole_file import whole_file


def word(request: GenerateRequest, index: int, seed: int) -> str:
    return f"é\0{index} {seed}"


def fill(path: Path, seeds: range, run_id: str = "r") -> int:
    engine = ScriptedEngine(word)

    async def run() -> None:
        store = RolloutStore(engine, path, run_id=run_id)
        for seed in seeds:
            await store.generate(GenerateRequest(prompt=Prompt(text="question"), n=4, seed=seed))
        await store.close()

    asyncio.run(run())
    return engine.samples


@pytest.fixture
def store(tmp_path: Path) -> Path:
    """40 rollouts of run r, the last 20 of which run s used too."""
    path = tmp_path / "s.sqlite"
    fill(path, range(10))
    fill(path, range(5, 10), "s")
    return path


@pytest.fixture
def file(store: Path, tmp_path: Path) -> str:
    path = str(tmp_path / "rollouts.parquet")
    assert export_store(store, path).written == 40
    return path


def test_the_file_is_understood_alone(file: str) -> None:
    """pyarrow and datasets read the pinned columns; every row tells model, prompt, sampling and seed."""
    assert pq.read_schema(file).equals(arrow_schema(ExportedRollout))
    rows = list(datasets.load_dataset("parquet", data_files=file, split="train"))
    assert len(rows) == 40
    assert {(row["seed"], row["index"]) for row in rows} == {(seed, i) for seed in range(10) for i in range(4)}
    for row in rows:
        assert row["model_name"] == "scripted"
        assert row["prompt"] == "question"
        assert row["sampling"]["max_tokens"] == SamplingParams().max_tokens
        assert row["text"].startswith(f"é\0{row['index']} ")


def test_only_what_a_run_used(store: Path, tmp_path: Path) -> None:
    """`run_id` takes the requests of that run, whoever drew them."""
    path = str(tmp_path / "s.parquet")
    assert export_store(store, path, run_id="s").written == 20
    assert set(pq.read_table(path).column("seed").to_pylist()) == set(range(5, 10))
    with pytest.raises(ConfigError, match="no run 'x'"):
        export_store(store, str(tmp_path / "x.parquet"), run_id="x")
    assert not (tmp_path / "x.parquet").exists()


def test_an_empty_store_is_an_empty_file(tmp_path: Path) -> None:
    """With all its columns."""
    fill(tmp_path / "s.sqlite", range(0))
    path = str(tmp_path / "deep" / "er.parquet")
    assert export_store(tmp_path / "s.sqlite", path).written == 0
    assert pq.read_schema(path).equals(arrow_schema(ExportedRollout))
    assert import_file(path, tmp_path / "t.sqlite").new == 0


def test_import_serves_everything_and_repeats_for_nothing(file: str, tmp_path: Path) -> None:
    """An empty store with the file imported asks the model for nothing; importing again changes nothing."""
    target = tmp_path / "t.sqlite"
    report = import_file(file, target)
    assert (report.new, report.already_there, report.refused) == (40, 0, 0)
    again = import_file(file, target)
    assert (again.new, again.already_there, again.refused) == (0, 40, 0)
    assert fill(target, range(10)) == 0
    assert verify(target).sound


def test_a_copy_by_datasets_imports_too(file: str, tmp_path: Path) -> None:
    """Published and loaded again, written by another library, as JSON lines, or split into a folder of files."""
    loaded = datasets.load_dataset("parquet", data_files=file, split="train")
    loaded.to_parquet(str(tmp_path / "again.parquet"))
    loaded.to_json(str(tmp_path / "again.jsonl"))
    folder = tmp_path / "folder"
    folder.mkdir()
    for half in range(2):
        loaded.shard(2, half).to_parquet(str(folder / f"{half}.parquet"))
    for number, name in enumerate(("again.parquet", "again.jsonl", "folder")):
        report = import_file(str(tmp_path / name), tmp_path / f"{number}.sqlite")
        assert (report.new, report.refused) == (40, 0)
        assert fill(tmp_path / f"{number}.sqlite", range(10)) == 0


def test_columns_of_others_are_ignored_and_empty_ones_not_missed(file: str, tmp_path: Path) -> None:
    """A file may have gained columns, and lost those that were empty all through."""
    table = pq.read_table(file).drop_columns(["token_ids", "prompt_logprob", "model_licence"])
    pq.write_table(table.append_column("mine", pa.array([1] * 40)), tmp_path / "few.parquet")
    assert import_file(str(tmp_path / "few.parquet"), tmp_path / "t.sqlite").new == 40
    assert fill(tmp_path / "t.sqlite", range(10)) == 0


@pytest.mark.parametrize("column", ["text", "prompt", "checksum"])
def test_changed_rows_are_refused(file: str, tmp_path: Path, column: str) -> None:
    """A text, a prompt or a checksum that somebody changed fits the others no longer, and neither does one left out."""
    table = pq.read_table(file)
    position = table.schema.get_field_index(column)
    values = [f"changed {value}" if number % 2 else value for number, value in enumerate(table[column].to_pylist())]
    pq.write_table(table.set_column(position, column, pa.array(values)), tmp_path / "changed.parquet")
    report = import_file(str(tmp_path / "changed.parquet"), tmp_path / "t.sqlite")
    assert (report.new, report.refused) == (20, 20)
    assert "its checksum does not fit" in report.told[0]
    pq.write_table(table.drop_columns([column]), tmp_path / "without.parquet")
    assert import_file(str(tmp_path / "without.parquet"), tmp_path / "t.sqlite").refused == 40


REFUSED: dict[str, tuple[str, Any, str]] = {
    "key": ("key", "no key", "32 hex digits"),
    "missing key": ("key", None, "missing required field `key`"),
    "key of another type": ("key", 12, "Expected `str`"),
    "finish reason": ("finish_reason", "bored", "bored"),
    "text of another type": ("text", 1.5, "Expected `str`"),
    "count": ("completion_tokens", -3, "completion_tokens"),
    "count of another type": ("completion_tokens", "three", "Expected `int`"),
    "token ids": ("token_ids", [2**40], "token id"),
    "sampling": ("sampling", {"temperature": -1.0}, "temperature"),
    "stop": ("sampling", {"stop": [""]}, "stop"),
    "half a request": ("index", None, "names its request"),
    "request": ("request", "ff", "32 hex digits"),
    "seed": ("seed", 2**64, "seed"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_rows_that_are_refused(file: str, tmp_path: Path, name: str) -> None:
    """One bad row of forty is refused with its place and reason; the others are in the store."""
    column, value, says = REFUSED[name]
    rows = pq.read_table(file).to_pylist()
    rows[7][column] = value
    path = tmp_path / "bad.jsonl"
    path.write_bytes(b"\n".join(msgspec.json.encode(row) for row in rows))
    report = import_file(str(path), tmp_path / "t.sqlite")
    assert (report.new, report.refused) == (39, 1)
    assert report.told[0].startswith("bad.jsonl:8: ")
    assert says in report.told[0]
    assert verify(tmp_path / "t.sqlite").intact == 39


def test_files_that_hold_no_rollouts(tmp_path: Path) -> None:
    """Every row of another table is refused, the first twenty by name; what is no file of rows at all, too."""
    pq.write_table(pa.table({"a": range(50)}), tmp_path / "other.parquet")
    report = import_file(str(tmp_path / "other.parquet"), tmp_path / "t.sqlite")
    assert (report.new, report.refused, len(report.told)) == (0, 50, 20)
    (tmp_path / "cut.parquet").write_bytes((tmp_path / "other.parquet").read_bytes()[:-20])
    report = import_file(str(tmp_path / "cut.parquet"), tmp_path / "t.sqlite")
    assert (report.new, report.refused) == (0, 1)
    assert "not Parquet" in report.told[0]
    for name in ("none.parquet", "other.txt"):
        with pytest.raises(ConfigError, match=name):
            import_file(str(tmp_path / name), tmp_path / "new" / "t.sqlite")
    assert not (tmp_path / "new").exists()


def test_text_that_is_no_unicode(file: str, tmp_path: Path) -> None:
    """A file that claims bytes to be text is refused from there on, not believed and not a crash."""
    table = pq.read_table(file)
    texts = pa.array([b"ok"] * 20 + [b"\xff\xfe"] * 20, pa.binary()).view(pa.string())
    position = table.schema.get_field_index("text")
    table = table.set_column(position, table.schema.field("text"), texts)
    pq.write_table(table, tmp_path / "bad.parquet")
    report = import_file(str(tmp_path / "bad.parquet"), tmp_path / "t.sqlite")
    assert report.refused >= 1
    assert "cannot be read" in report.told[0]


@pytest.mark.parametrize("batch", range(3))
def test_flipped_bytes_in_the_file(file: str, store: Path, tmp_path: Path, batch: int) -> None:
    """A damaged file is refused in part or whole: what is taken in is what was written out."""
    rng = random.Random(batch)
    truth = {one.key: one for one in exported_rollouts(store) if isinstance(one, ExportedRollout)}
    good = Path(file).read_bytes()
    for number in range(100):
        data = bytearray(good)
        data[rng.randrange(len(data))] ^= rng.randrange(1, 256)
        path, target = tmp_path / f"{number}.parquet", tmp_path / f"{number}.sqlite"
        path.write_bytes(data)
        report = import_file(str(path), target)
        assert report.new + report.refused >= 1
        if report.new:
            assert verify(target).sound
            for one in exported_rollouts(target):
                assert isinstance(one, ExportedRollout)
                assert one == truth[one.key]


def test_damaged_rollouts_are_left_out_and_told(store: Path, tmp_path: Path) -> None:
    """Nothing damaged is published: the report has the key, and the file has the rest."""
    with closing(sqlite3.connect(store)) as connection, connection:
        connection.execute("UPDATE rollouts SET text = 'x' WHERE rowid = 3")
        (key,) = connection.execute("SELECT key FROM rollouts WHERE rowid = 3").fetchone()
    path = str(tmp_path / "d.parquet")
    report = export_store(store, path)
    assert (report.written, report.unreadable) == (39, 1)
    assert report.told == [f"{key.hex()}: its checksum does not fit"]
    assert key.hex() not in pq.read_table(path).column("key").to_pylist()


def test_memory_is_bounded_by_row_groups(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Row groups end by their size; ticks tell how far it is; groups are written as they come."""
    monkeypatch.setattr("steplabel.transforms.rollout_files.GROUP_BYTES", 10_000)
    monkeypatch.setattr("steplabel.transforms.rollout_files.GROUP_ROWS", 30)
    small = [ExportedRollout(key=f"{i:032x}", text="", finish_reason=FinishReason.STOP) for i in range(70)]
    large = [ExportedRollout(key=f"{i:032x}", text="x" * 4000, finish_reason=FinishReason.STOP) for i in range(70, 77)]
    list(import_rollouts(tmp_path / "s.sqlite", small + large))
    ticks: list[int] = []
    path = str(tmp_path / "g.parquet")
    assert export_store(tmp_path / "s.sqlite", path, tick=ticks.append).written == 77
    file = pq.ParquetFile(path)
    assert [file.metadata.row_group(i).num_rows for i in range(file.num_row_groups)] == [30, 30, 13, 3, 1]
    assert ticks == [30, 60, 73, 76]


@pytest.mark.slow
def test_a_large_store_fits_in_little_memory(tmp_path: Path) -> None:
    """300 MB of texts go out and in with less than 250 MB above what the program needs anyway."""
    code = textwrap.dedent("""
        import random, resource, sys
        from pathlib import Path
        from steplabel.engines.store.exchange import import_rollouts
        from steplabel.schemas import ExportedRollout, FinishReason
        from steplabel.transforms.rollout_files import export_store, import_file

        store, file, copy = sys.argv[1:]
        rng = random.Random(0)
        rollouts = (
            ExportedRollout(key=f"{i:032x}", text=rng.randbytes(15_000).hex(), finish_reason=FinishReason.STOP)
            for i in range(10_000)
        )
        for _ in import_rollouts(Path(store), rollouts):
            pass
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        assert export_store(Path(store), file).written == 10_000
        assert import_file(file, Path(copy)).new == 10_000
        print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024)
    """)
    paths = [str(tmp_path / name) for name in ("s.sqlite", "f.parquet", "t.sqlite")]
    child = subprocess.run([sys.executable, "-c", code, *paths], check=True, capture_output=True, text=True)
    assert int(child.stdout) < 250


def test_another_name_than_parquet(store: Path, tmp_path: Path) -> None:
    """A file that would be taken for something else later is not written."""
    with pytest.raises(ConfigError, match=r"ends in \.parquet"):
        export_store(store, str(tmp_path / "rollouts.json"))


def write_half(file: str) -> None:
    with whole_file(file) as handle:
        handle.write(b"half")
        raise RuntimeError("stop")


def test_an_export_that_breaks_off_leaves_the_old_file(store: Path, file: str, tmp_path: Path) -> None:
    """An error in the middle leaves what was there before, and nothing beside it."""
    before = Path(file).read_bytes()
    with pytest.raises(StoreError):
        export_store(tmp_path / "none.sqlite", file)
    with pytest.raises(RuntimeError, match="stop"):
        write_half(file)
    assert Path(file).read_bytes() == before
    assert sorted(p.name for p in tmp_path.iterdir() if "parquet" in p.name) == ["rollouts.parquet"]


@pytest.mark.slow
def test_a_killed_export_leaves_the_old_file(store: Path, file: str) -> None:
    """kill -9 while the new file is written: the old one is still there, whole."""
    before = Path(file).read_bytes()
    code = textwrap.dedent("""
        import os, signal, sys
        from pathlib import Path
        from steplabel.transforms.rollout_files import export_store
        import steplabel.transforms.rollout_files as rollout_files

        rollout_files.GROUP_ROWS = 10
        export_store(Path(sys.argv[1]), sys.argv[2], tick=lambda done: os.kill(os.getpid(), signal.SIGKILL))
    """)
    child = subprocess.run([sys.executable, "-c", code, str(store), file], check=False, capture_output=True)
    assert child.returncode == -signal.SIGKILL
    assert Path(file).read_bytes() == before


def test_whole_files_in_other_places() -> None:
    """Any file system that fsspec knows: the file is there when the block has ended, and not before."""
    fs = fsspec.filesystem("memory")
    with whole_file("memory://folder/a.bin") as handle:
        handle.write(b"data")
        assert not fs.exists("/folder/a.bin")
    assert fs.cat_file("/folder/a.bin") == b"data"
    assert [name.rpartition("/")[2] for name in fs.ls("/folder", detail=False)] == ["a.bin"]
