"""One store and several processes: nothing lost, nothing doubled, and a kill at any moment leaves a sound store."""

from __future__ import annotations

import asyncio
import json
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

from steplabel.engines import GenerateRequest, Prompt, RolloutStore, ScriptedEngine, read_progress
from steplabel.engines.store.exchange import exported_rollouts, import_rollouts
from steplabel.engines.store.gc import GcSelection, collect_garbage
from steplabel.engines.store.stats import store_stats
from steplabel.engines.store.verify import remove_damaged, verify
from steplabel.schemas import ExportedRollout, FinishReason, StoreError

pytestmark = pytest.mark.slow

SEEDS, SAMPLES = 2500, 8

# Every sample in windows that overlap, in an order of this process's own; a text says which process drew it.
ASKER = textwrap.dedent("""
    import asyncio, json, os, random, sys
    from steplabel.engines import GenerateRequest, Prompt, RolloutStore, ScriptedEngine

    def text(request, index, seed):
        return f"{os.getpid()} {seed}"

    async def main(path, name, seeds, samples):
        rng, got, gate = random.Random(name), {}, asyncio.Semaphore(64)
        store = RolloutStore(ScriptedEngine(text), path, run_id=name)

        async def ask(seed, start, count):
            request = GenerateRequest(prompt=Prompt(text="q"), seed=seed, start=start, n=count)
            async with gate:
                answer = await store.generate(request)
            for key, sample in zip(answer.keys, answer.samples):
                if got.setdefault(key, sample.text) != sample.text:
                    raise SystemExit(f"{key} was {got[key]!r} and then {sample.text!r}")

        windows = []
        for seed in range(seeds):
            cut = rng.randint(1, samples - 1)
            windows += [(seed, 0, cut), (seed, max(0, cut - 2), samples - max(0, cut - 2))]
        rng.shuffle(windows)
        await asyncio.gather(*(ask(*window) for window in windows))
        await store.close()
        print(json.dumps(got))

    path, name, seeds, samples = sys.argv[1:]
    asyncio.run(main(path, name, int(seeds), int(samples)))
""")


def test_twenty_thousand_rollouts_of_two_processes(tmp_path: Path) -> None:
    """Two processes ask overlapping requests: 20,000 keys, equal in both, 20,000 rows, every one readable."""
    path = tmp_path / "s.sqlite"
    command = [sys.executable, "-c", ASKER, str(path)]
    askers = [
        subprocess.Popen([*command, name, str(SEEDS), str(SAMPLES)], stdout=subprocess.PIPE, text=True)
        for name in ("one", "two")
    ]
    outputs = [asker.communicate(timeout=500)[0] for asker in askers]
    assert [asker.returncode for asker in askers] == [0, 0]
    one, two = (json.loads(output) for output in outputs)
    assert len(one) == SEEDS * SAMPLES == 20_000
    assert one == two
    assert len({text.split()[0] for text in one.values()}) == 2, "both processes drew some"
    found = verify(path)
    assert found.sound
    assert found.intact == 20_000
    rows = [rollout for rollout in exported_rollouts(path) if isinstance(rollout, ExportedRollout)]
    assert len(rows) == 20_000
    assert {rollout.key: rollout.text for rollout in rows} == one
    stats = store_stats(path)
    assert (stats.rollouts, stats.requests) == (20_000, SEEDS)
    assert [run.requests_used for run in stats.runs] == [SEEDS, SEEDS]


def word(request: GenerateRequest, index: int, seed: int) -> str:
    return f"{index} {seed} " * 20


def fill(path: Path, run_id: str, seeds: range) -> None:
    async def run() -> None:
        store = RolloutStore(ScriptedEngine(word), path, run_id=run_id)
        calls = [store.generate(GenerateRequest(prompt=Prompt(text="q"), n=4, seed=seed)) for seed in seeds]
        await asyncio.gather(*calls)
        await store.close()

    asyncio.run(run())


def replayed(path: Path, seeds: range) -> int:
    """Samples that the model must draw for these requests; all answers are what it says."""
    engine = ScriptedEngine(word)

    async def run() -> None:
        store = RolloutStore(engine, path)
        for seed in seeds:
            request = GenerateRequest(prompt=Prompt(text="q"), n=4, seed=seed)
            answer = await store.generate(request)
            assert answer.samples == (await ScriptedEngine(word).generate(request)).samples
        await store.close()

    asyncio.run(run())
    return engine.samples


# Runs the rest of its arguments' work, and kills itself before statement number `last`.
DYING = textwrap.dedent("""
    import os, signal, sqlite3, sys
    from pathlib import Path

    work, path, other, last = sys.argv[1:]
    done = 0

    def count():
        global done
        if done == int(last):
            os.kill(os.getpid(), signal.SIGKILL)
        done += 1

    class Dying(sqlite3.Connection):
        def execute(self, *arguments):
            count()
            return super().execute(*arguments)

        def executemany(self, *arguments):
            count()
            return super().executemany(*arguments)

    from steplabel.engines.store import exchange, gc, verify
    readable = list(exchange.exported_rollouts(Path(other)))
    connect = sqlite3.connect
    sqlite3.connect = lambda *arguments, **options: connect(*arguments, factory=Dying, **options)
    if work == "gc":
        gc.collect_garbage(Path(path), gc.GcSelection(drop_runs=("b",)))
    elif work == "import":
        exchange.BATCH = 20
        list(exchange.import_rollouts(Path(path), readable))
    else:
        verify.remove_damaged(Path(path))
""")


def kills(work: str, source: Path, other: Path) -> list[Path]:
    """Copies of a store, each left behind by a kill before another statement of the work; the last one was finished."""
    left: list[Path] = []
    while True:
        path = source.with_name(f"{work}-{len(left)}.sqlite")
        shutil.copy(source, path)
        command = [sys.executable, "-c", DYING, work, str(path), str(other), str(len(left))]
        child = subprocess.run(command, check=False, capture_output=True)
        assert child.returncode in (0, -signal.SIGKILL), child.stderr
        left.append(path)
        if child.returncode == 0:
            return left


def test_a_kill_at_any_statement_of_a_clean_up(tmp_path: Path) -> None:
    """The store is as before or as after, what the kept run used is served, and the clean-up can be repeated."""
    source = tmp_path / "s.sqlite"
    fill(source, "a", range(30))
    fill(source, "b", range(20, 60))
    counts = []
    for path in kills("gc", source, source):
        found = verify(path)
        assert found.sound
        counts.append(found.intact)
        assert read_progress(path, "a").rollouts == found.intact
        collect_garbage(path, GcSelection(keep_runs=("a",)))
        assert read_progress(path, "a").rollouts == 120
        assert replayed(path, range(30)) == 0
    assert sorted(counts, reverse=True) == counts
    assert set(counts) == {240, 120}


def test_a_kill_at_any_statement_of_an_import(tmp_path: Path) -> None:
    """Whole transactions are there, and the same import once more brings the rest, each rollout once."""
    source, target = tmp_path / "s.sqlite", tmp_path / "t.sqlite"
    fill(source, "a", range(30))
    fill(target, "b", range(3))
    whole = [rollout for rollout in exported_rollouts(source) if isinstance(rollout, ExportedRollout)]
    counts = []
    for path in kills("import", target, source):
        found = verify(path)
        assert found.sound
        counts.append(found.intact)
        new = sum(new for new, _ in import_rollouts(path, whole))
        assert found.intact + new == 120
        assert replayed(path, range(30)) == 0
    assert counts == sorted(counts)
    assert (counts[0], counts[-1]) == (12, 120)
    assert len(set(counts)) > 3


def test_a_kill_at_any_statement_of_a_removal(tmp_path: Path) -> None:
    """Taking damage away may be killed too: it is there or not, and no good rollout goes."""
    source = tmp_path / "s.sqlite"
    fill(source, "a", range(10))
    with sqlite3.connect(source) as connection:
        connection.execute("UPDATE rollouts SET text = 'x' WHERE rowid IN (2, 17)")
        connection.execute("UPDATE requests SET prompt = 'x' WHERE rowid = 9")
    connection.close()
    for path in kills("verify", source, source):
        found = verify(path)
        assert (found.damaged, found.intact) in ((3, 38), (0, 38))
        assert remove_damaged(path).sound
        assert replayed(path, range(10)) == 2


def test_a_kill_at_any_moment_of_a_large_clean_up(tmp_path: Path) -> None:
    """kill -9 at random times, in the middle of a deletion or of giving space back: the store is sound."""
    source = tmp_path / "s.sqlite"
    fill(source, "a", range(50))
    whole = [r for r in exported_rollouts(source) if isinstance(r, ExportedRollout)]
    many = (
        ExportedRollout(key=f"{number:032x}", text=f"{number} " * 300, finish_reason=FinishReason.STOP)
        for number in range(20_000)
    )
    list(import_rollouts(source, many))
    code = (
        "import sys; from pathlib import Path; from steplabel.engines.store.gc import *\n"
        "print('ready', flush=True); sys.stdin.readline()\n"
        "collect_garbage(Path(sys.argv[1]), GcSelection(unattributed=True))"
    )
    rng = random.Random(1)
    ended = 0
    for number in range(6):
        path = tmp_path / f"{number}.sqlite"
        shutil.copy(source, path)
        child = subprocess.Popen(
            [sys.executable, "-c", code, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert child.stdout is not None
        assert child.stdin is not None
        child.stdout.readline()
        child.stdin.write("go\n")
        child.stdin.flush()
        time.sleep(rng.uniform(0, 0.8))
        child.kill()
        child.communicate()
        ended += child.returncode == 0
        found = verify(path)
        assert found.sound
        assert found.intact in (20_200, 200)
        assert read_progress(path, "a").rollouts == found.intact
        assert replayed(path, range(50)) == 0
        path.unlink()
    assert ended < 6
    assert len(whole) == 200


def test_a_clean_up_leaves_a_run_at_work_alone(tmp_path: Path) -> None:
    """While any process has the store open, a clean-up is refused; a dry run, a check and statistics are not."""
    path = tmp_path / "s.sqlite"
    fill(path, "a", range(3))

    async def run() -> None:
        store = RolloutStore(ScriptedEngine(word), path, run_id="b")
        code = "import sys; from pathlib import Path; from steplabel.engines.store.gc import *\n"
        code += "collect_garbage(Path(sys.argv[1]), GcSelection(drop_runs=('a',)))"
        child = await asyncio.create_subprocess_exec(
            sys.executable, "-c", code, str(path), stderr=asyncio.subprocess.PIPE
        )
        answers = 0
        while child.returncode is None:
            await store.generate(GenerateRequest(prompt=Prompt(text="q"), n=2, seed=1000 + answers))
            answers += 1
            await asyncio.sleep(0.01)
        assert child.stderr is not None
        error = (await child.stderr.read()).decode()
        assert child.returncode == 1
        assert "StoreError" in error
        assert "wait for that process or end it" in error
        assert collect_garbage(path, GcSelection(drop_runs=("a",)), dry_run=True).rollouts == 12
        assert verify(path).sound
        assert store_stats(path).rollouts == 12 + 2 * answers
        await store.close()

    asyncio.run(run())
    assert collect_garbage(path, GcSelection(drop_runs=("a",))).rollouts == 12


def test_a_run_that_comes_during_a_clean_up_waits(tmp_path: Path) -> None:
    """It is the store's turn once the clean-up has ended; what the run asks for then is right."""
    path = tmp_path / "s.sqlite"
    fill(path, "a", range(3))
    holder = (
        "import sys, time; from pathlib import Path; from steplabel.engines.store.file import alone\n"
        "with alone(Path(sys.argv[1])): print('held', flush=True); sys.stdin.readline()"
    )
    child = subprocess.Popen(
        [sys.executable, "-c", holder, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert child.stdout is not None
    assert child.stdout.readline() == "held\n"
    comer = subprocess.Popen([sys.executable, "-c", ASKER, str(path), "late", "2", "3"], stdout=subprocess.PIPE)
    time.sleep(2)
    assert comer.poll() is None
    child.communicate("go\n")
    output, _ = comer.communicate(timeout=60)
    assert comer.returncode == 0
    assert len(json.loads(output)) == 6
    assert verify(path).intact == 12 + 6


def test_locked_by_somebody_who_never_ends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A store that stays locked is an error that says so, for whoever wants to write."""
    path = tmp_path / "s.sqlite"
    fill(path, "a", range(1))
    monkeypatch.setattr("steplabel.engines.store.file.BUSY_SECONDS", 0.2)
    monkeypatch.setattr("steplabel.engines.store.file.ALONE_SECONDS", 0.2)
    holder = sqlite3.connect(path, isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    rollout = ExportedRollout(key="0" * 32, text="", finish_reason=FinishReason.STOP)
    for action in (
        lambda: list(import_rollouts(path, [rollout])),
        lambda: collect_garbage(path, GcSelection()),
        lambda: remove_damaged(path),
    ):
        with pytest.raises(StoreError, match="locked"):
            action()
    holder.close()
    assert os.path.exists(path)
    assert verify(path).intact == 4
