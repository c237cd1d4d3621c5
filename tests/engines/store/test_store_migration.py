"""A store that an older release wrote goes on being used: nothing in it is asked for again, and nothing is lost.

`data/rollouts-v1.sqlite` was written by the release that knew version 1, with `kept_sample` and `kept_requests` below.
"""

from __future__ import annotations

import asyncio
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest

from steplabel.engines import (
    Completion,
    Completions,
    GenerateRequest,
    Prompt,
    RolloutStore,
    ScriptedEngine,
    clear_progress,
    read_progress,
)
from steplabel.engines.store.exchange import Unreadable, exported_rollouts
from steplabel.engines.store.file import open_for_writing
from steplabel.engines.store.gc import GcSelection, collect_garbage
from steplabel.engines.store.stats import store_stats
from steplabel.engines.store.verify import verify
from steplabel.schemas import ConfigError, FinishReason, ModelIdentity, SamplingParams, StoreError

KEPT = Path(__file__).parent / "data" / "rollouts-v1.sqlite"


def kept_sample(request: GenerateRequest, index: int, seed: int) -> Completion:
    rng = random.Random(seed)
    return Completion(
        index=index,
        text=f"{request.prefix} é\0 {rng.random()}\n",
        finish_reason=list(FinishReason)[index % 3],
        token_ids=tuple(rng.choices(range(200_000), k=4)),
        completion_tokens=rng.randint(1, 9),
        cumulative_logprob=-rng.random() if request.logprobs else None,
    )


def kept_requests(run: str) -> list[GenerateRequest]:
    return [
        GenerateRequest(
            prompt=Prompt(text=f"Question {seed}?\n"),
            prefix="So far.\n" * (seed % 2),
            n=3,
            seed=seed,
            sampling=SamplingParams(temperature=0.5, max_tokens=20, stop=("\n\n",)),
            logprobs=1 if seed == 2 else None,
        )
        for seed in (range(4) if run == "first" else range(3, 6))
    ]


def kept_engine() -> ScriptedEngine:
    return ScriptedEngine(kept_sample, identity=ModelIdentity(name="kept", weights="v1", licence="MIT"))


@pytest.fixture
def old(tmp_path: Path) -> Path:
    """A copy of the kept store of version 1."""
    path = tmp_path / "s.sqlite"
    shutil.copy(KEPT, path)
    return path


def ask_all(path: Path, run: str, engine: ScriptedEngine) -> list[Completions]:
    async def go() -> list[Completions]:
        store = RolloutStore(engine, path, run_id=run)
        answers = [await store.generate(request) for request in kept_requests(run)]
        await store.close()
        return answers

    return asyncio.run(go())


@contextmanager
def looked_into(path: Path) -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(path)) as connection:
        yield connection


def version(path: Path) -> str:
    with looked_into(path) as connection:
        return str(connection.execute("SELECT value FROM meta WHERE name = 'version'").fetchone()[0])


def shape(path: Path) -> dict[str, list[tuple[Any, ...]]]:
    """Columns of every table: name, type, not null, default, place in the primary key."""
    with looked_into(path) as connection:
        tables = [n for (n,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")]
        return {t: [row[1:] for row in connection.execute(f"PRAGMA table_info({t})")] for t in tables}


@pytest.mark.parametrize("run", ["first", "second"])
def test_everything_of_version_1_is_served(old: Path, run: str) -> None:
    """After migration each kept sample comes from the store, as it was drawn, and the engine is never called."""
    engine = kept_engine()
    answers = ask_all(old, run, engine)
    assert engine.calls == 0
    assert version(old) == "2"

    async def drawn() -> list[Completions]:
        return [await kept_engine().generate(request) for request in kept_requests(run)]

    assert [answer.samples for answer in answers] == [answer.samples for answer in asyncio.run(drawn())]
    assert [answer.stored for answer in answers] == [3] * len(answers)


def test_counts_of_version_1_are_kept(old: Path) -> None:
    """Usage and finished units of earlier runs stand as they stood; what version 1 did not count is 0."""
    before = read_progress(old, "first")
    open_for_writing(old).close()
    assert read_progress(old, "first") == before
    assert (before.requests, before.engine_samples, before.rollouts) == (4, 12, 18)
    assert (before.finished, before.cached_tokens, before.cost) == ({"problem": 4}, 0, 0.0)


def test_a_migrated_store_has_the_shape_of_a_new_one(old: Path, tmp_path: Path) -> None:
    """Equal tables and columns, whichever way a store came to this version."""
    open_for_writing(old).close()
    open_for_writing(tmp_path / "new.sqlite").close()
    assert shape(old) == shape(tmp_path / "new.sqlite")


def test_reading_leaves_an_old_store_as_it_is(old: Path) -> None:
    """Progress, statistics, a check, a dry run and an export read version 1 as it lies there, byte for byte."""
    assert read_progress(old, "second").stored_samples == 3
    found = store_stats(old)
    assert (found.version, found.rollouts, found.requests, found.unattributed) == (1, 18, 0, 18)
    assert [run.run_id for run in found.runs] == ["first", "second"]
    assert verify(old).intact == 18
    assert verify(old).sound
    assert collect_garbage(old, GcSelection(unattributed=True), dry_run=True).rollouts == 18
    rollouts = list(exported_rollouts(old))
    assert len(rollouts) == 18
    assert not any(isinstance(rollout, Unreadable) or rollout.request or rollout.sampling for rollout in rollouts)
    assert old.read_bytes() == KEPT.read_bytes()


def test_old_rollouts_learn_their_request_when_a_run_asks(old: Path) -> None:
    """A replay calls no engine, and from then on the rollouts can be understood alone."""
    ask_all(old, "first", kept_engine())
    found = store_stats(old)
    assert (found.unattributed, found.requests) == (6, 4)
    assert verify(old).sound
    rollouts = [r for r in exported_rollouts(old, "first") if not isinstance(r, Unreadable)]
    assert len(rollouts) == 12
    asked = kept_requests("first")
    for rollout in rollouts:
        assert rollout.seed is not None
        request = asked[rollout.seed]
        assert rollout.prompt == request.prompt.text + request.prefix
        assert rollout.sampling == request.sampling
        assert (rollout.model_name, rollout.model_licence) == ("kept", "MIT")
    assert sorted((r.seed, r.index) for r in rollouts) == [(seed, index) for seed in range(4) for index in range(3)]
    engine = kept_engine()
    ask_all(old, "first", engine)
    assert engine.calls == 0


def test_runs_of_version_1_are_never_guessed(old: Path) -> None:
    """What they used is not known: a clean-up that would need it, and an export, are refused with what to do."""
    open_for_writing(old).close()
    with pytest.raises(ConfigError, match="does not know what run 'first' used"):
        collect_garbage(old, GcSelection(keep_runs=("first",)))
    with pytest.raises(ConfigError, match="does not know what run 'first' used"):
        list(exported_rollouts(old, "first"))
    assert collect_garbage(old, GcSelection(drop_runs=("first",))).rollouts == 0
    assert read_progress(old, "first").requests == 0
    ask_all(old, "second", kept_engine())
    assert collect_garbage(old, GcSelection(keep_runs=("second",))).rollouts == 0
    assert collect_garbage(old, GcSelection(unattributed=True)).rollouts == 9
    engine = kept_engine()
    ask_all(old, "second", engine)
    assert engine.calls == 0


def test_clearing_progress_migrates(old: Path) -> None:
    """Whatever writes brings the store up to this version, and takes no rollout."""
    clear_progress(old, "first")
    assert version(old) == "2"
    assert read_progress(old, "first").rollouts == 18


@pytest.mark.parametrize("written", ["3", "99", "1.5", "", "two"])
def test_versions_that_nobody_here_knows(old: Path, written: str) -> None:
    """They are refused for reading and writing, with what to do, and left as they were."""
    with looked_into(old) as connection, connection:
        connection.execute("UPDATE meta SET value = ? WHERE name = 'version'", (written,))
    before = old.read_bytes()
    for action in (open_for_writing, store_stats, lambda path: read_progress(path, "r")):
        with pytest.raises(StoreError, match=f"has version {written}, .*update steplabel"):
            action(old)
    assert old.read_bytes() == before


MIGRATE = textwrap.dedent("""
    import os, signal, sqlite3, sys
    from pathlib import Path
    from steplabel.engines.store.file import open_for_writing

    path, last = Path(sys.argv[1]), int(sys.argv[2])
    done = 0

    class Dying(sqlite3.Connection):
        def execute(self, *arguments):
            global done
            if done == last:
                os.kill(os.getpid(), signal.SIGKILL)
            done += 1
            return super().execute(*arguments)

    connect = sqlite3.connect
    sqlite3.connect = lambda *arguments, **options: connect(*arguments, factory=Dying, **options)
    open_for_writing(path)
    print("done")
""")


@pytest.mark.slow
def test_a_kill_at_any_statement_of_the_migration(tmp_path: Path) -> None:
    """kill -9 before each statement in turn: the file is of one version or the other, and serves every sample."""
    versions, statement, finished = [], 0, False
    while not finished:
        path = tmp_path / f"{statement}.sqlite"
        shutil.copy(KEPT, path)
        child = subprocess.run(
            [sys.executable, "-c", MIGRATE, str(path), str(statement)], check=False, capture_output=True
        )
        finished = child.returncode == 0
        assert child.returncode in (0, -signal.SIGKILL), child.stderr
        versions.append(version(path))
        engine = kept_engine()
        ask_all(path, "first", engine)
        assert engine.calls == 0
        assert verify(path).sound
        statement += 1
    assert versions == sorted(versions)
    assert set(versions) == {"1", "2"}
    assert statement > 10


TWO = textwrap.dedent("""
    import sys, time
    from pathlib import Path
    from steplabel.engines.store.file import open_for_writing

    sys.stdin.readline()
    open_for_writing(Path(sys.argv[1])).close()
""")


@pytest.mark.slow
def test_two_processes_migrate_one_store_at_once(tmp_path: Path) -> None:
    """Whoever comes second finds it done: both succeed, every time."""
    children = []
    for number in range(6):
        path = tmp_path / f"{number // 2}.sqlite"
        if number % 2 == 0:
            shutil.copy(KEPT, path)
        children.append(
            subprocess.Popen([sys.executable, "-c", TWO, str(path)], stdin=subprocess.PIPE, stderr=subprocess.PIPE)
        )
    for child in children:
        assert child.stdin is not None
        child.stdin.write(b"go\n")
        child.stdin.flush()
    errors = [child.communicate(timeout=120)[1] for child in children]
    assert [child.returncode for child in children] == [0] * 6, errors
    for number in range(3):
        assert version(tmp_path / f"{number}.sqlite") == "2"
        assert verify(tmp_path / f"{number}.sqlite").intact == 18


def test_an_old_release_that_is_still_at_work_stops_cleanly(old: Path) -> None:
    """A process of the release before, with the store open while it is migrated, can commit no more; nothing mixes."""
    with closing(sqlite3.connect(old, isolation_level=None)) as connection:
        open_for_writing(old).close()
        connection.execute("BEGIN IMMEDIATE")
        with pytest.raises(sqlite3.OperationalError, match="10 columns but 8 values"):
            connection.execute("INSERT OR REPLACE INTO usage VALUES (?, ?, ?, ?, ?, ?, ?, ?)", ("r", "p", *[0] * 6))
        connection.execute("ROLLBACK")
    assert verify(old).sound


@pytest.mark.skipif(os.name != "posix", reason="mounts and permissions are POSIX")
def test_an_old_store_on_a_medium_that_cannot_be_written(tmp_path: Path) -> None:
    """It is read, without a log or locks beside it; opening it for writing says that it cannot be written."""
    code = textwrap.dedent("""
        import sys
        from pathlib import Path
        from steplabel.engines import read_progress
        from steplabel.engines.store.file import open_for_writing
        from steplabel.engines.store.verify import verify
        from steplabel.schemas import StoreError

        path = Path(sys.argv[1])
        print(read_progress(path, "first").rollouts, verify(path).intact)
        try:
            open_for_writing(path)
        except StoreError as error:
            print(error)
    """)
    folder = tmp_path / "medium"
    folder.mkdir()
    shutil.copy(KEPT, folder / "s.sqlite")
    script = 'mount --bind "$1" "$1" && mount -o remount,ro,bind "$1" && exec "$2" -c "$3" "$1/s.sqlite"'
    unshare = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c", script, "sh"]
    allowed = [*unshare[:4], "true"]
    if shutil.which("unshare") is None or subprocess.run(allowed, check=False, capture_output=True).returncode:
        pytest.skip("this machine lets nobody make a mount of their own")
    command = [*unshare, str(folder), sys.executable, code]
    child = subprocess.run(command, check=False, capture_output=True, text=True)
    assert child.returncode == 0, child.stderr
    counts, error = child.stdout.splitlines()
    assert counts == "18 18"
    assert "writable" in error
    assert sorted(file.name for file in folder.iterdir()) == ["s.sqlite"]
