"""The output folder: what is committed, what is swept away, what a crash may leave."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from steplabel.schemas import ConfigError, DataError, Evidence, RunInfo
from steplabel.transforms.dataset import MANIFEST, ChunkName, FileEntry, Manifest, OutputFolder
from steplabel.transforms.evidence_files import read_evidence
from steplabel.transforms.write import evidence_records, write_table

INFO = RunInfo(run_id="r", recipe="x", code_version="0", config_hash="h")
MANIFEST_OF_R = Manifest(run=INFO, config="{}", schemas={}, licences={}, completer="", account="", chunk_size=10)
CHUNK = ChunkName(index=0, key="k", rows=1)
Make = Callable[..., Evidence]


@pytest.fixture
def folder(tmp_path: Path) -> OutputFolder:
    folder = OutputFolder(str(tmp_path / "out"))
    folder.write_manifest(MANIFEST_OF_R)
    return folder


def stage(folder: OutputFolder, evidence: Evidence, chunk: int = 0) -> tuple[FileEntry, ...]:
    folder.stage(chunk)
    tables: dict[str, list[bytes]] = {}
    for table, data in evidence_records(evidence):
        tables.setdefault(table, []).append(data)
    return tuple(write_table(t, rows, folder, chunk) for t, rows in tables.items())


def test_paths_are_those_of_committed_files(folder: OutputFolder, evidence: Make) -> None:
    """Of one table, in full; what is only staged is none, and a folder without a manifest has none to give."""
    staged = stage(folder, evidence())
    assert folder.paths("solutions") == []
    folder.commit(MANIFEST_OF_R, CHUNK, staged, complete=True)
    (path,) = folder.paths("solutions")
    assert Path(path).is_file()
    assert Path(path).parent == Path(folder.path) / "solutions"
    with pytest.raises(ConfigError, match="no steplabel output"):
        OutputFolder(folder.path + "x").paths("solutions")


def test_what_was_committed_is_read_back(folder: OutputFolder, evidence: Make) -> None:
    """Evidence survives writing, committing and joining the tables again."""
    one = evidence()
    manifest = folder.commit(MANIFEST_OF_R, CHUNK, stage(folder, one), complete=True)
    assert list(folder.read("problems")) == [one.problem]
    (back,) = read_evidence(folder, manifest.chunks[0])
    assert set(back.outcomes) == {replace(outcome, problem_id="p") for outcome in one.outcomes}
    assert back.solutions == one.solutions
    assert back.rollouts == one.rollouts


def test_staged_files_are_invisible(folder: OutputFolder, evidence: Make) -> None:
    """Before the commit a reader sees nothing."""
    stage(folder, evidence())
    assert list(folder.read("problems")) == []


def test_committing_twice_is_committing_once(folder: OutputFolder, evidence: Make) -> None:
    """A retried commit finds its files in their places and changes nothing."""
    staged = stage(folder, evidence())
    once = folder.commit(MANIFEST_OF_R, CHUNK, staged, complete=True)
    assert folder.commit(once, CHUNK, staged, complete=True) == once
    assert folder.manifest() == once


def test_a_file_that_is_nowhere_is_an_error(folder: OutputFolder) -> None:
    """A commit never names a file that does not exist."""
    lost = FileEntry(table="labels", path=".steplabel/staging/x", rows=1, bytes=1, sha256="0" * 64)
    with pytest.raises(DataError, match="run the chunk again"):
        folder.commit(MANIFEST_OF_R, CHUNK, (lost,), complete=True)
    assert folder.manifest() == MANIFEST_OF_R


def test_a_chunk_done_again_replaces_its_files(folder: OutputFolder, evidence: Make) -> None:
    """The old files go after the manifest has stopped naming them; equal ones stay."""
    first = folder.commit(MANIFEST_OF_R, CHUNK, stage(folder, evidence("a")), complete=False)
    second = folder.commit(first, CHUNK, stage(folder, evidence("b")), complete=True)
    assert [p.id for p in folder.read("problems")] == ["b"]
    for file in first.files():
        assert Path(folder.join(file.path)).exists() == (file.path in {f.path for f in second.files()})


def test_sweep_removes_what_no_manifest_names(folder: OutputFolder, evidence: Make) -> None:
    """Orphans of a killed commit go, committed files stay."""
    manifest = folder.commit(MANIFEST_OF_R, CHUNK, stage(folder, evidence()), complete=True)
    orphan = Path(folder.join("labels"), "chunk-00001-0123456789ab.parquet")
    orphan.parent.mkdir(exist_ok=True)
    orphan.write_bytes(b"")
    stage(folder, evidence("b"), chunk=1)
    folder.sweep(manifest)
    assert not orphan.exists()
    assert [p.id for p in folder.read("problems")] == ["p"]


@pytest.mark.parametrize("text", ["", "{", "[]", '{"run": 1}'], ids=["empty", "cut", "a list", "other fields"])
def test_a_damaged_manifest_is_a_clear_error(folder: OutputFolder, text: str) -> None:
    """A manifest that cannot be read is never taken for an empty folder."""
    Path(folder.join(MANIFEST)).write_text(text)
    with pytest.raises(DataError, match="Manifest"):
        folder.manifest()


def test_a_newer_format_is_refused(folder: OutputFolder) -> None:
    """A folder of a later major format is not guessed at."""
    path = Path(folder.join(MANIFEST))
    path.write_text(path.read_text().replace('"format_version": 1', '"format_version": 2'))
    with pytest.raises(DataError, match="format 2"):
        folder.manifest()


def test_no_dataset(tmp_path: Path) -> None:
    """A folder without a manifest says what is missing."""
    with pytest.raises(ConfigError, match=MANIFEST):
        OutputFolder(str(tmp_path)).require_manifest()


def test_folders_travel(folder: OutputFolder) -> None:
    """An output folder is pickled into Beam graphs."""
    assert pickle.loads(pickle.dumps(folder)).manifest() == folder.manifest()


def test_a_folder_in_memory(evidence: Make) -> None:
    """Any fsspec file system will do."""
    folder = OutputFolder("memory://some/out")
    folder.write_manifest(MANIFEST_OF_R)
    folder.commit(MANIFEST_OF_R, CHUNK, stage(folder, evidence()), complete=True)
    assert [p.id for p in folder.read("problems")] == ["p"]


def test_equal_rows_give_equal_bytes(folder: OutputFolder, evidence: Make) -> None:
    """Whatever the order in which records arrive, the file is the same."""
    rows = [data for name in ("a", "b", "c") for table, data in evidence_records(evidence(name)) if table == "problems"]
    folder.stage(0)
    digests = {write_table("problems", order, folder, 0).sha256 for order in (rows, rows[::-1])}
    assert len(digests) == 1


def test_problems_that_ask_the_same_keep_their_own_evidence(folder: OutputFolder, evidence: Make) -> None:
    """Equal texts share node and rollout keys; each problem still gets back what was said of it, against its gold."""
    twins = [evidence("a", gold="8"), evidence("b", gold="9")]
    same = [replace(e, problem=replace(e.problem, text="The same?")) for e in twins]
    folder.stage(0)
    tables: dict[str, list[bytes]] = {}
    for one in same:
        for table, data in evidence_records(one):
            tables.setdefault(table, []).append(data)
    staged = tuple(write_table(t, rows, folder, 0) for t, rows in tables.items())
    manifest = folder.commit(MANIFEST_OF_R, CHUNK, staged, complete=True)
    back = read_evidence(folder, manifest.chunks[0])
    assert [len(e.outcomes) for e in back] == [2, 2]
    assert [len(e.rollouts) for e in back] == [1, 1]


@pytest.mark.parametrize("name", ["labels/mine.csv", "problems/train.jsonl", "README.md"])
def test_a_folder_that_is_not_ours_is_left_alone(tmp_path: Path, name: str) -> None:
    """A run never writes into, or sweeps, a folder that holds the user's own files under names it would use."""
    mine = tmp_path / "user" / name
    mine.parent.mkdir(parents=True)
    mine.write_text("precious")
    with pytest.raises(ConfigError, match="choose another folder"):
        OutputFolder(str(tmp_path / "user")).require_free()
    assert mine.read_text() == "precious"


def test_sweep_spares_names_that_are_not_ours(folder: OutputFolder) -> None:
    """Files that no run writes stay where they are."""
    mine = Path(folder.join("labels"), "notes.txt")
    mine.parent.mkdir()
    mine.write_text("precious")
    folder.sweep(MANIFEST_OF_R)
    assert mine.read_text() == "precious"
