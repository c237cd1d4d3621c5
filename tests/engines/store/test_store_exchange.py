"""Rollouts leave a store as records and enter another as what they were; nothing that enters is believed."""

from __future__ import annotations

import asyncio
import math
import random
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from steplabel.engines import Completion, GenerateRequest, RolloutStore, ScriptedEngine
from steplabel.engines.store.exchange import exported_rollouts, import_rollouts
from steplabel.engines.store.rows import COLUMNS, with_checksum
from steplabel.engines.store.verify import verify
from steplabel.schemas import ExportedRollout, FinishReason, StoreError

Ask = Callable[..., GenerateRequest]


def story(request: GenerateRequest, index: int, seed: int) -> Completion:
    rng = random.Random(seed)
    return Completion(
        index=index,
        text=f"{request.prefix}é\0{index} {rng.random()}\n",
        finish_reason=rng.choice(list(FinishReason)),
        token_ids=tuple(rng.choices(range(-5, 200_000), k=5)),
        completion_tokens=rng.randint(1, 9),
        cumulative_logprob=rng.choice([None, -rng.random(), -math.inf]),
    )


def fill(path: Path, requests: list[GenerateRequest]) -> int:
    engine = ScriptedEngine(story)

    async def run() -> None:
        store = RolloutStore(engine, path, run_id="r")
        for request in requests:
            answer = await store.generate(request)
            assert answer.samples == (await ScriptedEngine(story).generate(request)).samples
        await store.close()

    asyncio.run(run())
    return engine.samples


def everything(path: Path) -> list[ExportedRollout]:
    found = list(exported_rollouts(path))
    return [one for one in found if isinstance(one, ExportedRollout)]


@pytest.fixture
def requests(ask: Ask) -> list[GenerateRequest]:
    return [ask("q", prefix="p" * (i % 3), n=1 + i % 4, seed=i, stop=("x",) * (i % 2)) for i in range(40)]


def test_out_and_in_is_the_identity(tmp_path: Path, requests: list[GenerateRequest]) -> None:
    """An import into an empty store serves every sample, and exports the very same records."""
    source, target = tmp_path / "s.sqlite", tmp_path / "t.sqlite"
    fill(source, requests)
    rollouts = everything(source)
    assert sum(new for new, _ in import_rollouts(target, rollouts)) == len(rollouts) == 100
    assert verify(target).sound
    assert everything(target) == rollouts
    assert fill(target, requests) == 0


def test_an_import_twice_is_an_import_once(tmp_path: Path, requests: list[GenerateRequest]) -> None:
    """What is there is kept, whatever comes later under its key; doubles in the import count once."""
    source, target = tmp_path / "s.sqlite", tmp_path / "t.sqlite"
    fill(source, requests)
    rollouts = everything(source)
    list(import_rollouts(target, rollouts[:30]))
    other = [replace(rollout, text="another text") for rollout in rollouts[:30]]
    assert list(import_rollouts(target, other)) == [(0, 30)]
    assert list(import_rollouts(target, [*rollouts[25:], *rollouts])) == [(70, 105)]
    assert everything(target) == rollouts
    assert list(import_rollouts(target, rollouts)) == [(0, 100)]
    assert everything(target) == rollouts


def test_rollouts_that_name_no_request(tmp_path: Path) -> None:
    """They are taken in and handed out as they are."""
    path = tmp_path / "t.sqlite"
    rollout = ExportedRollout(key="0f" * 16, text="", finish_reason=FinishReason.STOP, cumulative_logprob=-0.5).sealed()
    assert list(import_rollouts(path, [rollout])) == [(1, 0)]
    assert everything(path) == [rollout]


def test_imports_go_in_transactions(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was told to be in the store is there, though the import breaks off later."""
    path = tmp_path / "t.sqlite"
    monkeypatch.setattr("steplabel.engines.store.exchange.BATCH", 3)

    def some() -> list[ExportedRollout]:
        return [ExportedRollout(key=f"{i:032x}", text=str(i), finish_reason=FinishReason.STOP) for i in range(10)]

    told = 0
    for new, _ in import_rollouts(path, some()):
        told += new
        if told == 6:
            break
    assert [rollout.text for rollout in everything(path)] == list("012345")
    assert verify(path).sound


def test_an_export_beside_a_writer(tmp_path: Path, requests: list[GenerateRequest]) -> None:
    """A store that is being written exports what it holds; what comes meanwhile is there whole or not at all."""
    path = tmp_path / "s.sqlite"
    fill(path, requests[:20])
    stream = exported_rollouts(path)
    first = next(stream)
    fill(path, requests)
    rest = list(stream)
    assert len({rollout.key for rollout in [first, *rest] if isinstance(rollout, ExportedRollout)}) == 100


def test_rows_that_no_record_can_hold_are_told(tmp_path: Path) -> None:
    """A row with a good checksum and a value of a later release is told, and ends neither export nor store."""
    path = tmp_path / "s.sqlite"
    good = ExportedRollout(key="1" * 32, text="good", finish_reason=FinishReason.STOP).sealed()
    list(import_rollouts(path, [good]))
    row = with_checksum((b"\2" * 16, "bad", "exploded", b"", 1, 1, 0, None, None, None, None))
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(f"INSERT INTO rollouts ({COLUMNS}) VALUES ({','.join('?' * 12)})", row)
    one, two = exported_rollouts(path)
    assert one == good
    assert "exploded" in getattr(two, "problem", "")


def test_a_finish_reason_of_a_later_release_is_not_guessed(tmp_path: Path, ask: Ask) -> None:
    """A rollout that ended in a way unknown here is a StoreError, not a crash and not another reason."""
    path = tmp_path / "s.sqlite"
    fill(path, [ask()])
    with closing(sqlite3.connect(path)) as connection, connection:
        (row,) = connection.execute(f"SELECT {COLUMNS} FROM rollouts").fetchall()
        changed = with_checksum((*row[:2], "exploded", *row[3:-1]))
        connection.execute("UPDATE rollouts SET finish_reason = ?, checksum = ?", (changed[2], changed[-1]))
    with pytest.raises(StoreError, match="update steplabel"):
        fill(path, [ask()])
