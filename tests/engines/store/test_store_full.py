"""A full disk stops a store cleanly: what was answered is in the file, and with room again the same store goes on."""

from __future__ import annotations

import json
import os
import resource
import shutil
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import pytest

from steplabel.engines.store.verify import verify

pytestmark = pytest.mark.skipif(os.name != "posix", reason="mounts and limits on files are POSIX")

# Asks until the disk is full, makes room, goes on with the same store object, and then opens the file anew.
FILL = textwrap.dedent("""
    import asyncio, json, os, random, resource, subprocess, sys
    from steplabel.engines import Completion, GenerateRequest, Prompt, RolloutStore, ScriptedEngine
    from steplabel.schemas import StoreError

    path, way, room = sys.argv[1:]
    drawn = 0

    def say(request, index, seed):
        global drawn
        drawn += 1
        return "".join(random.Random(seed).choices("abcdef ", k=2000))

    def make_room():
        if way == "mount":
            subprocess.run(["mount", "-o", f"remount,size={room}", os.path.dirname(path)], check=True)
        else:
            resource.setrlimit(resource.RLIMIT_FSIZE, (int(room), resource.RLIM_INFINITY))

    def ask(store, seed):
        return store.generate(GenerateRequest(prompt=Prompt(text="q"), n=4, seed=seed))

    async def main():
        store = RolloutStore(ScriptedEngine(say), path, run_id="r")
        answers, errors = [], []
        while not errors:
            calls = [ask(store, len(answers) + i) for i in range(8)]
            for answer in await asyncio.gather(*calls, return_exceptions=True):
                (errors if isinstance(answer, Exception) else answers).append(answer)
            if errors:
                answers = answers[: len(answers) // 8 * 8]
        store.mark_finished("while it is full", "problem")
        fitted, full, seed = {}, [], 10_000  # a smaller write may still fit where a larger one did not
        while len(full) < 3:
            seed += 1
            try:
                fitted[seed] = await ask(store, seed)
            except StoreError as error:
                full.append(error)
        stored = await ask(store, 0)
        make_room()
        drawn_before = drawn
        answers, asked = [*answers, *fitted.values()], [*range(len(answers)), *fitted]
        again = [await ask(store, seed) for seed in asked]
        redrawn = drawn - drawn_before
        later = [await ask(store, 20_000 + seed) for seed in range(50)]
        await store.close()
        drawn_before = drawn
        store = RolloutStore(ScriptedEngine(say), path, run_id="r")
        reopened = [await ask(store, seed) for seed in (*asked, *range(20_000, 20_050))]
        await store.close()
        print(json.dumps({
            "answered": len(answers),
            "errors": [f"{type(error).__name__}: {error}" for error in errors + full],
            "stored_while_full": stored.stored,
            "same": [a.samples for a in again] == [a.samples for a in answers],
            "redrawn": redrawn,
            "drawn_after_opening": drawn - drawn_before,
            "reopened_same": [a.samples for a in reopened] == [a.samples for a in answers + later],
        }))

    asyncio.run(main())
""")


def run(command: list[str], **options: Any) -> dict[str, Any]:
    child = subprocess.run(command, check=False, capture_output=True, text=True, timeout=240, **options)
    assert child.returncode == 0, child.stderr
    told: dict[str, Any] = json.loads(child.stdout)
    return told


def check(told: dict[str, Any]) -> None:
    assert told["answered"] >= 16
    assert len(told["errors"]) >= 4
    assert [error for error in told["errors"] if not error.startswith("StoreError: rollout store")] == []
    assert told["stored_while_full"] == 4, "what is in the file can be read while the disk is full"
    assert told["same"]
    assert told["redrawn"] == 0, "nothing that was answered is lost"
    assert told["reopened_same"]
    assert told["drawn_after_opening"] == 0


@pytest.mark.slow
def test_a_full_file_system(tmp_path: Path) -> None:
    """On a file system of 1 MiB: clean errors that say what to do, and with more room everything goes on."""
    script = 'mount -t tmpfs -o size=1m none "$1" && "$2" -c "$3" "$1/s.sqlite" mount 64m && cp "$1"/s.sqlite* "$4"'
    unshare = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c"]
    allowed = [*unshare, 'mount -t tmpfs -o size=1m none "$0"', str(tmp_path)]
    if shutil.which("unshare") is None or subprocess.run(allowed, check=False, capture_output=True).returncode:
        pytest.skip("this machine lets nobody make a mount of their own")
    (tmp_path / "small").mkdir()
    told = run([*unshare, script, "sh", str(tmp_path / "small"), sys.executable, FILL, str(tmp_path)])
    check(told)
    assert all("free some space" in error for error in told["errors"])
    assert verify(tmp_path / "s.sqlite").sound


@pytest.mark.slow
def test_a_limit_on_the_size_of_files(tmp_path: Path) -> None:
    """Where a file may not grow past 1 MB (a quota fails in the same way), all is as on a full disk."""
    size = 1_000_000

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))

    told = run([sys.executable, "-c", FILL, str(tmp_path / "s.sqlite"), "limit", str(2**30)], preexec_fn=limit)
    check(told)
    assert all("quota" in error for error in told["errors"])
    assert verify(tmp_path / "s.sqlite").sound
