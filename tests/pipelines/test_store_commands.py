"""`steplabel store`, as a user meets it: every command on the store of a real run."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import datasets
import pytest
from rich.console import Console
from typer.testing import CliRunner

from steplabel.engines.store.progress import read_progress
from steplabel.engines.store.verify import verify
from steplabel.pipelines import cli, store_commands
from steplabel.pipelines.run import RunResult
from steplabel.transforms.dataset import OutputFolder

Call = Callable[..., tuple[int, str]]
Label = Callable[..., RunResult]


@pytest.fixture
def store(capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Call:
    """Run `steplabel store ...` and return exit code and everything it printed."""
    monkeypatch.setattr(store_commands, "out", Console(width=200))
    monkeypatch.setattr(store_commands, "err", Console(stderr=True, width=200))
    monkeypatch.setattr(cli, "err", Console(stderr=True, width=200))

    def call(*arguments: object) -> tuple[int, str]:
        capfd.readouterr()
        code = cli.guarded(lambda: cli.app(["store", *map(str, arguments)]))
        printed = capfd.readouterr()
        return code, printed.out + printed.err

    return call


@pytest.fixture
def shared(tmp_path: Path, label: Label) -> Path:
    """A store that two runs share: `one` over ten problems, `two` over the first four of them."""
    path = tmp_path / "shared.sqlite"
    label("one", store=str(path), limit=10)
    label("two", store=str(path), limit=4)
    return path


def account(tmp_path: Path, name: str) -> str:
    return OutputFolder(str(tmp_path / name)).require_manifest().account


def label_files(folder: OutputFolder) -> list[bytes]:
    return [Path(folder.join(file.path)).read_bytes() for file in folder.require_manifest().files("labels")]


def damage(path: Path, rows: str) -> None:
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(f"UPDATE rollouts SET text = text || '!' WHERE rowid IN ({rows})")


@pytest.mark.parametrize("command", ["stats", "verify", "gc", "export", "import"])
def test_every_command_has_help(command: str) -> None:
    """--help explains each command."""
    result = CliRunner().invoke(cli.app, ["store", command, "--help"])
    assert result.exit_code == 0
    assert "STORE" in result.output


def test_a_published_run_is_replayed_from_the_file_alone(tmp_path: Path, label: Label, store: Call) -> None:
    """Run, export, import into an empty store, run again on it: no engine call, and byte-equal label files."""
    first = label("first")
    file, copy = tmp_path / "rollouts.parquet", tmp_path / "copy.sqlite"
    code, text = store("export", tmp_path / "first", file)
    assert code == 0
    assert f"{first.usage.rollouts:,} rollouts written" in text
    code, text = store("import", file, copy)
    assert code == 0
    assert text.split() == ["new", f"{first.usage.rollouts:,}", "already", "there", "0", "refused", "0"]
    again = label("again", store=str(copy))
    assert again.usage.engine_requests == again.usage.engine_samples == 0
    assert again.usage.cost == 0
    assert label_files(again.folder) == label_files(first.folder)
    assert len(label_files(first.folder)) > 0
    assert len(datasets.load_dataset("parquet", data_files=str(file), split="train")) == first.usage.rollouts


def test_stats(tmp_path: Path, shared: Path, store: Call) -> None:
    """Models and runs with their counts; as JSON the same, to the last number."""
    code, text = store("stats", shared)
    assert code == 0
    for word in ("scripted@", account(tmp_path, "one"), account(tmp_path, "two"), "version 2", "store verify"):
        assert word in text
    code, text = store("stats", shared, "--json")
    stats = json.loads(text)
    assert code == 0
    runs = {run["run_id"]: run for run in stats["runs"]}
    one, two = (runs[account(tmp_path, name)] for name in ("one", "two"))
    assert one["usage"]["engine_samples"] == stats["rollouts"] == stats["models"][0]["rollouts"]
    assert (two["usage"]["engine_samples"], two["usage"]["cost"]) == (0, 0.0)
    assert 0 < two["requests_used"] < one["requests_used"] == stats["requests"]
    assert stats["models"][0]["completion_tokens"] == one["usage"]["completion_tokens"]


def test_a_runs_own_store_is_named_by_its_folder(tmp_path: Path, label: Label, store: Call) -> None:
    """The output folder stands for the store in it; without one of its own the user is told where to look."""
    label("own", limit=3)
    code, text = store("stats", tmp_path / "own", "--json")
    assert code == 0
    assert json.loads(text)["path"].endswith("own/.steplabel/rollouts.sqlite")
    label("elsewhere", limit=3, store=str(tmp_path / "s.sqlite"))
    code, text = store("verify", tmp_path / "elsewhere")
    assert code == 2
    assert "--store" in text


def test_a_store_that_is_not_there(tmp_path: Path, store: Call) -> None:
    """No command but import makes a file; another kind of file is refused with its reason."""
    path = tmp_path / "none.sqlite"
    for command in (["stats", path], ["verify", path], ["gc", path], ["export", path, tmp_path / "x.parquet"]):
        code, text = store(*command)
        assert code == 2
        assert "no rollout store" in text
    assert not path.exists()
    path.write_text("some text that is surely no database" * 100)
    code, text = store("stats", path)
    assert code == 5
    assert "another kind of file" in text


def test_verify_tells_and_removes_damage(shared: Path, store: Call, label: Label) -> None:
    """Damage is exit code 5 with the keys; --remove-damaged takes it away, and a run draws that again and no more."""
    code, text = store("verify", shared)
    assert (code, "damaged" in text) == (0, True)
    before = read_progress(shared, "").rollouts
    damage(shared, "1, 20, 21")
    code, text = store("verify", shared)
    assert code == 5
    assert text.count("its checksum does not fit") == 3
    assert "--remove-damaged" in text
    code, text = store("verify", shared, "--remove-damaged")
    assert code == 0
    assert "removed" in text
    assert read_progress(shared, "").rollouts == before - 3
    assert store("verify", shared)[0] == 0
    assert label("again", store=str(shared), limit=10).usage.engine_samples == 3


def test_damage_is_never_exported_silently(tmp_path: Path, shared: Path, store: Call) -> None:
    """The file has every sound rollout, the damaged one is named, and the exit code is not 0."""
    total = read_progress(shared, "").rollouts
    damage(shared, "5")
    file = tmp_path / "rollouts.parquet"
    code, text = store("export", shared, file)
    assert code == 5
    assert "left out" in text
    assert "its checksum does not fit" in text
    assert len(datasets.load_dataset("parquet", data_files=str(file), split="train")) == total - 1


def test_a_run_that_meets_damage_stops_and_says_what_to_do(shared: Path, tmp_path: Path) -> None:
    """`steplabel run` ends with exit code 5 and the command that mends the store."""
    damage(shared, "1, 2, 3, 4, 5, 6, 7, 8")
    command = [sys.executable, "-m", "steplabel.pipelines.cli", "run", "omegaprm_locate", "--input"]
    options = ["--output", str(tmp_path / "new"), "--engine", "scripted:steplabel.engines.bundled.solver:sloppy"]
    child = subprocess.run(
        [*command, str(tmp_path / "problems.jsonl"), *options, "--limit", "10", "--store", str(shared)],
        check=False,
        capture_output=True,
        text=True,
    )
    assert child.returncode == 5, child.stderr
    assert f"store verify {shared} --remove-damaged" in child.stderr
    assert "Traceback" not in child.stderr


def test_export_of_one_run(tmp_path: Path, shared: Path, store: Call) -> None:
    """A run is named by its folder or by its id; one that is not known is refused."""
    sizes = []
    for run in (tmp_path / "two", account(tmp_path, "two"), tmp_path / "one"):
        file = tmp_path / "run.parquet"
        assert store("export", shared, file, "--run", run)[0] == 0
        sizes.append(len(datasets.load_dataset("parquet", data_files=str(file), split="train")))
    assert sizes[0] == sizes[1] < sizes[2] == read_progress(shared, "").rollouts
    code, text = store("export", shared, tmp_path / "x.parquet", "--run", "nobody")
    assert code == 2
    assert "knows no run 'nobody'" in text
    assert not (tmp_path / "x.parquet").exists()


def test_gc(tmp_path: Path, shared: Path, store: Call, label: Label) -> None:
    """A dry run tells what would go; what a kept run used stays; without a selection nothing is guessed."""
    total = read_progress(shared, "").rollouts
    code, text = store("gc", shared)
    assert code == 0
    assert "nothing was selected" in text
    assert read_progress(shared, "").rollouts == total
    code, text = store("gc", shared, "--keep-run", tmp_path / "two", "--dry-run")
    assert (code, "would go" in text) == (0, True)
    assert read_progress(shared, "").rollouts == total
    code, text = store("gc", shared, "--keep-run", tmp_path / "two")
    assert (code, "removed" in text) == (0, True)
    assert 0 < read_progress(shared, "").rollouts < total
    assert label("again", store=str(shared), limit=4).usage.engine_samples == 0
    for mistake in (["--drop-run", "nobody"], ["--model", "nobody"], ["--keep-run", "a", "--drop-run", "b"]):
        assert store("gc", shared, *mistake)[0] == 2
    model = json.loads(store("stats", shared, "--json")[1])["models"][0]["model"]
    assert store("gc", shared, "--model", model)[0] == 0
    assert read_progress(shared, "").rollouts == 0


def test_import_refuses_rows_and_says_so(tmp_path: Path, shared: Path, store: Call) -> None:
    """Good rows go in; what is no rollout is named with its place, and the exit code is not 0."""
    file = tmp_path / "rollouts.parquet"
    assert store("export", shared, file)[0] == 0
    lines = datasets.load_dataset("parquet", data_files=str(file), split="train")
    rows = [dict(row) for row in lines]
    rows[3]["key"] = "no [bold]key[/]"
    bad = tmp_path / "bad.jsonl"
    bad.write_text("\n".join(json.dumps(row) for row in rows))
    code, text = store("import", bad, tmp_path / "copy.sqlite")
    assert code == 3
    assert "bad.jsonl:4: " in text
    assert "no [bold]key[/]" in text
    assert verify(tmp_path / "copy.sqlite").intact == len(rows) - 1
    code, text = store("import", tmp_path / "nothing.parquet", tmp_path / "copy.sqlite")
    assert code == 2
    assert "does not exist" in text


def test_what_takes_long_shows_how_far_it_is(
    shared: Path, store: Call, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """On a terminal a bar appears once a command has taken a while, and is gone when it has ended."""
    monkeypatch.setattr(store_commands, "BAR_SECONDS", 0.0)
    monkeypatch.setattr(store_commands, "err", Console(stderr=True, width=100, force_terminal=True))
    code, text = store("verify", shared)
    assert code == 0
    assert "checking" in text
    monkeypatch.setattr(store_commands, "BAR_SECONDS", 60.0)
    assert "checking" not in store("verify", shared)[1]


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="mounts are POSIX")
def test_a_full_disk_ends_a_run_cleanly(tmp_path: Path, problems: Path) -> None:
    """Exit code 5 and what to do; with room again the same command finishes, and asks for nothing stored again."""
    allowed = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c"]
    (tmp_path / "small").mkdir()
    probe = [*allowed, 'mount -t tmpfs -o size=1m none "$0"', str(tmp_path / "small")]
    if shutil.which("unshare") is None or subprocess.run(probe, check=False, capture_output=True).returncode:
        pytest.skip("this machine lets nobody make a mount of their own")
    script = """
        mount -t tmpfs -o size=200k none "$1"
        shift
        "$@"
        echo "first exit code $?"
        mount -o remount,size=64m "$0"
        "$@"
        echo "second exit code $?"
        cp "$0"/s.sqlite* "$0/.."
    """
    run = [sys.executable, "-m", "steplabel.pipelines.cli", "run", "math_shepherd", "--input", str(problems)]
    options = ["--output", str(tmp_path / "out"), "--engine", "scripted:logged_solver:solve"]
    places = ["--store", str(tmp_path / "small" / "s.sqlite"), "--chunk", "10"]
    environment = os.environ | {
        "STEPLABEL_TEST_LOG": str(tmp_path / "log"),
        "PYTHONPATH": str(Path(__file__).parent),
    }
    child = subprocess.run(
        [*allowed, script, str(tmp_path / "small"), str(tmp_path / "small"), *run, *options, *places],
        check=False,
        capture_output=True,
        text=True,
        env=environment,
        timeout=500,
    )
    assert "first exit code 5" in child.stdout, child.stderr
    assert "free some space" in child.stderr
    assert "Traceback" not in child.stderr
    assert "second exit code 0" in child.stdout, child.stderr
    asked = [line.split()[0] for line in (tmp_path / "log").read_text().splitlines()]
    found = verify(tmp_path / "s.sqlite")
    assert found.sound
    assert found.intact == len(set(asked))
    in_flight = 200  # what was drawn for a commit that failed is asked for again, and no more
    assert len(asked) - len(set(asked)) <= in_flight
