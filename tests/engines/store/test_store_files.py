"""The store's file between processes: opened twice, killed, damaged, foreign, read by others meanwhile."""

from __future__ import annotations

import asyncio
import os
import signal
import sqlite3
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from steplabel.engines import GenerateRequest, RolloutStore, ScriptedEngine, clear_progress, read_progress
from steplabel.engines.store.progress import StoreProgress
from steplabel.schemas import StoreError

Ask = Callable[..., GenerateRequest]

WRITER = textwrap.dedent("""
    import asyncio, os, sys
    from steplabel.engines import GenerateRequest, Prompt, RolloutStore, ScriptedEngine

    def text(request, index, seed):
        return f"{os.getpid() if own else 0} {seed}"

    async def main(path, name, requests, own_keys):
        store = RolloutStore(ScriptedEngine(text), path, run_id="run")
        gate = asyncio.Semaphore(50)
        async def one(number):
            seed = number + (10**6 * int(name) if own_keys else 0)
            async with gate:
                answer = await store.generate(GenerateRequest(prompt=Prompt(text="q"), n=4, seed=seed))
            print(seed, *(sample.text.split()[1] for sample in answer.samples), flush=True)
            store.mark_finished(f"{name}-{number}", "problem")
        await asyncio.gather(*(one(number) for number in range(requests)))
        await store.close()

    path, name, requests, mode = sys.argv[1:]
    own = mode != "own"
    asyncio.run(main(path, name, int(requests), mode == "own"))
""")


def start(path: Path, name: str, requests: int, mode: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", WRITER, str(path), name, str(requests), mode],
        stdout=subprocess.PIPE,
        text=True,
    )


def rows(path: Path) -> int:
    with sqlite3.connect(path) as connection:
        (count,) = connection.execute("SELECT COUNT(*) FROM rollouts").fetchone()
    connection.close()
    return int(count)


@pytest.mark.slow
@pytest.mark.parametrize(("mode", "expected"), [("own", 4000), ("same", 2000)])
def test_two_processes_on_one_file(tmp_path: Path, mode: str, expected: int) -> None:
    """2 x 2,000 samples written at once: none lost, none doubled, and equal keys return equal texts."""
    path = tmp_path / "s.sqlite"
    writers = [start(path, name, 500, mode) for name in "12"]
    outputs = [writer.communicate(timeout=120)[0].splitlines() for writer in writers]
    assert [writer.returncode for writer in writers] == [0, 0]
    assert [len(lines) for lines in outputs] == [500, 500]
    assert rows(path) == expected
    if mode == "same":
        assert sorted(outputs[0]) == sorted(outputs[1])
    progress = read_progress(path, "run")
    assert progress.requests == 1000
    assert progress.finished == {"problem": 1000}
    assert progress.engine_samples + progress.stored_samples == 4000


def test_kill_loses_nothing_that_was_returned(tmp_path: Path, ask: Ask) -> None:
    """kill -9 in the middle of writing: the file opens, and every answer that was handed out is in it."""
    path = tmp_path / "s.sqlite"
    writer = start(path, "1", 20_000, "own")
    assert writer.stdout is not None
    lines = [writer.stdout.readline().split() for _ in range(300)]
    os.kill(writer.pid, signal.SIGKILL)
    lines += [line.split() for line in writer.communicate()[0].splitlines() if len(line.split()) == 5]
    engine = ScriptedEngine(lambda *_: "drawn again")
    engine._identity = ScriptedEngine(_named_like_the_writer()).identity

    async def run() -> None:
        store = RolloutStore(engine, path)
        requests = [ask("q", n=4, seed=int(line[0]), max_tokens=512) for line in lines]
        answers = await asyncio.gather(*(store.generate(request) for request in requests))
        said = [[sample.text.split()[1] for sample in answer.samples] for answer in answers]
        assert said == [line[1:] for line in lines]
        await store.close()

    asyncio.run(run())
    assert engine.calls == 0


def _named_like_the_writer() -> Any:
    def text(request: GenerateRequest, index: int, seed: int) -> str:
        return ""

    text.__module__, text.__qualname__ = "__main__", "text"
    return text


def make_store(path: Path, ask: Ask, samples: int = 200) -> None:
    async def run() -> None:
        store = RolloutStore(ScriptedEngine(lambda *_: "x" * 400), path, run_id="r")
        await store.generate(ask(n=samples))
        await store.close()

    asyncio.run(run())


def other_kind(path: Path, ask: Ask) -> None:
    path.write_bytes(b"PK\x03\x04 surely not a database" * 100)


def other_database(path: Path, ask: Ask) -> None:
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE mine (x)")
    connection.close()


def other_meta(path: Path, ask: Ask) -> None:
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE meta (name TEXT, value TEXT)")
    connection.close()


def other_version(path: Path, ask: Ask) -> None:
    make_store(path, ask, 1)
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE meta SET value = '99' WHERE name = 'version'")
    connection.close()


def folder(path: Path, ask: Ask) -> None:
    path.mkdir()


@pytest.mark.parametrize(
    ("prepare", "says"),
    [
        (other_kind, "another kind of file"),
        (other_database, "not a rollout store"),
        (other_meta, "not a rollout store"),
        (other_version, "version 99.*versions 1 to 2.*update steplabel"),
        (folder, "is a folder"),
    ],
    ids=["other kind", "other database", "other meta", "other version", "folder"],
)
def test_files_that_are_no_store(tmp_path: Path, ask: Ask, prepare: Any, says: str) -> None:
    """They are refused with what to do, and left exactly as they were."""
    path = tmp_path / "s.sqlite"
    prepare(path, ask)
    before = path.read_bytes() if path.is_file() else b""
    with pytest.raises(StoreError, match=says):
        RolloutStore(ScriptedEngine(lambda *_: ""), path)
    if path.is_file():
        assert path.read_bytes() == before


def test_damaged_pages_are_a_store_error(tmp_path: Path, ask: Ask) -> None:
    """Wherever the damage shows first, opening or reading, it is said; nothing wrong is returned."""
    path = tmp_path / "s.sqlite"
    make_store(path, ask)
    data = bytearray(path.read_bytes())
    data[4096 * 6 :] = os.urandom(len(data) - 4096 * 6)
    path.write_bytes(data)

    async def run() -> None:
        store = RolloutStore(ScriptedEngine(lambda *_: "x" * 400), path)
        try:
            await store.generate(ask(n=200))
        finally:
            await store.close()

    with pytest.raises(StoreError, match=r"damaged|malformed"):
        asyncio.run(run())


@pytest.mark.parametrize("place", ["/proc/none/s.sqlite", "{file}/s.sqlite"])
def test_places_that_cannot_be_written(tmp_path: Path, place: str) -> None:
    """A path that cannot be created is a StoreError that names it."""
    (tmp_path / "file").write_text("")
    path = place.format(file=tmp_path / "file")
    with pytest.raises(StoreError, match=r"s\.sqlite"):
        RolloutStore(ScriptedEngine(lambda *_: ""), path)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_read_only_folder(tmp_path: Path, ask: Ask) -> None:
    """A store that may only be read is refused with the reason."""
    path = tmp_path / "s.sqlite"
    make_store(path, ask)
    path.chmod(0o444)
    tmp_path.chmod(0o555)
    try:
        with pytest.raises(StoreError, match="writable"):
            RolloutStore(ScriptedEngine(lambda *_: ""), path)
    finally:
        tmp_path.chmod(0o755)


def test_names_that_need_quoting(tmp_path: Path, ask: Ask) -> None:
    """Spaces, question marks, percent signs and hashes in a path are just letters."""
    path = tmp_path / "a b?c=d#e%20.sqlite"
    make_store(path, ask, 2)
    assert path.exists()
    assert read_progress(path, "r").rollouts == 2


def test_progress_counts(tmp_path: Path, ask: Ask) -> None:
    """Each run has its own counts; the model's tokens count once, and stored samples cost none."""
    path = tmp_path / "s.sqlite"

    async def run(run_id: str) -> None:
        store = RolloutStore(ScriptedEngine(lambda *_: "two words"), path, run_id=run_id)
        await store.generate(ask("three words here", n=3))
        await store.generate(ask("three words here", n=5))
        for unit, kind in (("a", "problem"), ("b", "problem"), ("b", "reject"), ("c", "problem")):
            store.mark_finished(unit, kind)
        await store.close()

    assert read_progress(path, "r1") == StoreProgress()
    asyncio.run(run("r1"))
    expected = StoreProgress(
        finished={"problem": 2, "reject": 1},
        requests=2,
        engine_requests=2,
        engine_samples=5,
        stored_samples=3,
        prompt_tokens=6,
        completion_tokens=10,
        rollouts=5,
    )
    assert read_progress(path, "r1") == expected
    asyncio.run(run("r2"))
    again = read_progress(path, "r2")
    assert (again.engine_samples, again.stored_samples, again.completion_tokens) == (0, 8, 0)
    assert read_progress(path, "r1") == expected
    clear_progress(path, "r1")
    assert read_progress(path, "r1") == StoreProgress(rollouts=5)
    assert read_progress(path, "r2") == again


def test_progress_is_live(tmp_path: Path, ask: Ask) -> None:
    """Counts are there while the run goes on: within a moment of the mark, without any rollout written."""
    path = tmp_path / "s.sqlite"

    async def run() -> None:
        store = RolloutStore(ScriptedEngine(lambda *_: "x"), path, run_id="r")
        store.mark_finished("a", "problem")
        deadline = time.monotonic() + 5
        while not read_progress(path, "r").finished:
            assert time.monotonic() < deadline
            await asyncio.sleep(0.01)
        await store.close()

    asyncio.run(run())


def test_progress_from_another_process(tmp_path: Path, ask: Ask) -> None:
    """A spawned process reads while the store is open here."""
    path = tmp_path / "s.sqlite"

    async def run() -> int:
        store = RolloutStore(ScriptedEngine(lambda *_: "x"), path, run_id="r")
        await store.generate(ask(n=7))
        code = "import sys, steplabel.engines as e; print(e.read_progress(sys.argv[1], 'r').rollouts)"
        child = await asyncio.create_subprocess_exec(
            sys.executable, "-c", code, str(path), stdout=asyncio.subprocess.PIPE
        )
        out, _ = await child.communicate()
        await store.close()
        return int(out)

    assert asyncio.run(run()) == 7


def test_progress_of_a_foreign_file(tmp_path: Path, ask: Ask) -> None:
    """Reading is as strict as writing; clearing what is not there does nothing."""
    path = tmp_path / "s.sqlite"
    clear_progress(path, "r")
    assert not path.exists()
    other_database(path, ask)
    for action in (read_progress, clear_progress):
        with pytest.raises(StoreError, match="not a rollout store"):
            action(path, "r")


def test_many_open_at_once(tmp_path: Path) -> None:
    """Four processes that create one store at the same moment all succeed."""
    path = tmp_path / "s.sqlite"
    children = [start(path, str(i), 2, "own") for i in range(4)]
    for child in children:
        child.communicate(timeout=60)
    assert [child.returncode for child in children] == [0] * 4
    assert rows(path) == 4 * 2 * 4
