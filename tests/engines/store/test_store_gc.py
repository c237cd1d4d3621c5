"""What a clean-up takes away is what was selected and what hangs in the air, and never a guess; and what is counted."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from steplabel.engines import GenerateRequest, RolloutStore, ScriptedEngine, read_progress
from steplabel.engines.store.exchange import exported_rollouts, import_rollouts
from steplabel.engines.store.gc import GcReport, GcSelection, collect_garbage
from steplabel.engines.store.progress import StoreProgress
from steplabel.engines.store.stats import ModelStats, RunStats, store_stats
from steplabel.engines.store.verify import verify
from steplabel.schemas import ConfigError, ExportedRollout, FinishReason, ModelIdentity, StoreError

Ask = Callable[..., GenerateRequest]

ALONE = ExportedRollout(key="a" * 32, text="alone", finish_reason=FinishReason.LENGTH, completion_tokens=7)


def word(request: GenerateRequest, index: int, seed: int) -> str:
    return f"{index} {seed} " * 50


def run(path: Path, run_id: str, requests: list[GenerateRequest], model: str = "small") -> int:
    """Ask; returns how many samples the model drew."""
    engine = ScriptedEngine(word, identity=ModelIdentity(name=model, licence="mit"))

    async def go() -> None:
        store = RolloutStore(engine, path, run_id=run_id)
        for number, request in enumerate(requests):
            await store.generate(request)
            store.mark_finished(f"unit {number}", "problem")
        await store.close()

    asyncio.run(go())
    return engine.samples


def wanted(ask: Ask, seeds: range) -> list[GenerateRequest]:
    return [ask(seed=seed, n=2) for seed in seeds]


@pytest.fixture
def path(tmp_path: Path, ask: Ask) -> Path:
    """Run a used requests 0-5, run b 4-9, run c the same as b of a larger model; one rollout names no request."""
    path = tmp_path / "s.sqlite"
    run(path, "a", wanted(ask, range(6)))
    run(path, "b", wanted(ask, range(4, 10)))
    run(path, "c", wanted(ask, range(4, 10)), model="large")
    list(import_rollouts(path, [ALONE]))
    return path


def contents(path: Path) -> list[tuple[str, int | None]]:
    """Model name and seed of each rollout that is left."""
    found = [one for one in exported_rollouts(path) if isinstance(one, ExportedRollout)]
    return sorted({(one.model_name, one.seed) for one in found}, key=str)


def small(*seeds: range) -> list[tuple[str, int | None]]:
    return [("small", seed) for some in seeds for seed in some]


LARGE: list[tuple[str, int | None]] = [("large", seed) for seed in range(4, 10)]
NOBODY: list[tuple[str, int | None]] = [("", None)]


@pytest.mark.parametrize(
    ("selection", "left", "runs"),
    [
        (GcSelection(), NOBODY + LARGE + small(range(10)), ["a", "b", "c"]),
        (GcSelection(drop_runs=("a",)), NOBODY + LARGE + small(range(4, 10)), ["b", "c"]),
        (GcSelection(drop_runs=("a", "b")), NOBODY + LARGE, ["c"]),
        (GcSelection(drop_runs=("a", "b", "c")), NOBODY, []),
        (GcSelection(keep_runs=("a",)), NOBODY + small(range(6)), ["a"]),
        (GcSelection(keep_runs=("a", "c")), NOBODY + LARGE + small(range(6)), ["a", "c"]),
        (GcSelection(models=("large",)), NOBODY + small(range(10)), ["a", "b", "c"]),
        (GcSelection(models=(ModelIdentity(name="small").id,)), NOBODY + LARGE, ["a", "b", "c"]),
        (GcSelection(unattributed=True), LARGE + small(range(10)), ["a", "b", "c"]),
        (GcSelection(keep_runs=("b",), unattributed=True), small(range(4, 10)), ["b"]),
    ],
    ids=["nothing", "drop a", "drop a b", "drop all", "keep a", "keep a c", "large", "small's id", "nobody's", "both"],
)
def test_selections(path: Path, selection: GcSelection, left: list[tuple[str, int | None]], runs: list[str]) -> None:
    """What is left is what the selection says; a dry run told the same and changed nothing."""
    before, size = contents(path), path.stat().st_size
    would = collect_garbage(path, selection, dry_run=True)
    assert contents(path) == before
    report = collect_garbage(path, selection)
    assert (
        GcReport(**{name: getattr(report, name) for name in GcReport.__dataclass_fields__ if name != "bytes"}) == would
    )
    assert contents(path) == sorted(left, key=str)
    stats = store_stats(path)
    assert [known.run_id for known in stats.runs] == runs
    assert stats.rollouts == 33 - report.rollouts
    assert verify(path).sound
    assert path.stat().st_size == size - report.bytes
    again = collect_garbage(path, GcSelection())
    assert again == GcReport(rollouts=0, requests=0, uses=0, usage=0, finished=0)


def test_what_was_kept_is_served_and_what_went_is_drawn_again(path: Path, ask: Ask) -> None:
    """A clean-up costs exactly the rollouts it took."""
    collect_garbage(path, GcSelection(keep_runs=("b",)))
    assert run(path, "b", wanted(ask, range(4, 10))) == 0
    assert run(path, "a", wanted(ask, range(6))) == 8


def test_runs_keep_their_counts_when_a_model_goes(path: Path) -> None:
    """What a run cost stays known, and still counts against its budget, though its rollouts are gone."""
    before = read_progress(path, "c")
    collect_garbage(path, GcSelection(models=("large",)))
    after = read_progress(path, "c")
    assert (after.engine_samples, after.completion_tokens) == (before.engine_samples, before.completion_tokens)


def test_what_hangs_in_the_air_goes_by_itself(path: Path) -> None:
    """Requests without a rollout and their uses, marks of runs without counts.

    Uses of requests that are gone stay while some rollouts name no request, and go with the last of these.
    """
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("DELETE FROM rollouts WHERE request = (SELECT key FROM requests WHERE rowid = 1)")
        connection.execute("UPDATE meta SET value = value - 2 WHERE name = 'rollouts'")
        connection.execute("INSERT INTO uses VALUES ('a', x'00')")
        connection.execute("INSERT INTO finished VALUES ('gone', 'unit', 'problem')")
    report = collect_garbage(path, GcSelection())
    assert (report.rollouts, report.requests, report.uses, report.usage, report.finished) == (0, 1, 1, 0, 1)
    for dry_run in (True, False):
        report = collect_garbage(path, GcSelection(unattributed=True), dry_run=dry_run)
        assert (report.rollouts, report.uses) == (1, 1)


def test_a_name_that_is_not_there_is_no_selection(path: Path) -> None:
    """A mistyped run or model would remove everything or nothing: it is refused, and nothing is touched."""
    before = contents(path)
    for selection in (GcSelection(keep_runs=("A",)), GcSelection(drop_runs=("a", "x")), GcSelection(models=("tiny",))):
        for dry_run in (True, False):
            with pytest.raises(ConfigError, match="store stats"):
                collect_garbage(path, selection, dry_run=dry_run)
    assert contents(path) == before
    with pytest.raises(ConfigError, match="only one of the three"):
        GcSelection(keep_runs=("a",), drop_runs=("b",))


def test_imported_rollouts_are_nobodys_until_they_are_used(path: Path, tmp_path: Path, ask: Ask) -> None:
    """Dropping a run leaves them; keeping a run takes those that it did not use."""
    target = tmp_path / "t.sqlite"
    rollouts = [one for one in exported_rollouts(path, "a") if isinstance(one, ExportedRollout)]
    list(import_rollouts(target, rollouts))
    assert run(target, "mine", wanted(ask, range(2))) == 0
    assert run(target, "other", wanted(ask, range(2, 3))) == 0
    collect_garbage(target, GcSelection(drop_runs=("other",)))
    assert contents(target) == small(range(2), range(3, 6))
    collect_garbage(target, GcSelection(keep_runs=("mine",)))
    assert contents(target) == small(range(2))


def test_there_must_be_a_store(tmp_path: Path) -> None:
    """No file is made where there was none."""
    for action in (
        lambda path: collect_garbage(path, GcSelection()),
        store_stats,
        verify,
        lambda path: list(exported_rollouts(path)),
    ):
        with pytest.raises(StoreError, match="no rollout store"):
            action(tmp_path / "none.sqlite")
    assert not list(tmp_path.iterdir())


def test_stats(path: Path) -> None:
    """Rollouts, tokens and finish reasons by model, and what each run asked."""
    stats = store_stats(path)
    assert (stats.version, stats.rollouts, stats.requests, stats.unattributed) == (2, 33, 16, 1)
    assert stats.bytes >= path.stat().st_size
    assert stats.models == (
        ModelStats(
            model=ModelIdentity(name="small").id,
            name="small",
            licence="mit",
            requests=10,
            rollouts=20,
            completion_tokens=2000,
            finish_reasons={"stop": 20},
        ),
        ModelStats(
            model=ModelIdentity(name="large").id,
            name="large",
            licence="mit",
            requests=6,
            rollouts=12,
            completion_tokens=1200,
            finish_reasons={"stop": 12},
        ),
        ModelStats(
            model="",
            name="",
            licence="",
            requests=0,
            rollouts=1,
            completion_tokens=7,
            finish_reasons={"length": 1},
        ),
    )
    assert stats.runs[1] == RunStats(
        run_id="b",
        requests_used=6,
        usage=StoreProgress(
            finished={"problem": 6},
            requests=6,
            engine_requests=4,
            engine_samples=8,
            stored_samples=4,
            prompt_tokens=4,
            completion_tokens=800,
            rollouts=33,
        ),
    )
