"""Damage is found and said: what a store hands out is what was written, or it is a StoreError."""

from __future__ import annotations

import asyncio
import random
import shutil
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from steplabel.engines import (
    Completion,
    Completions,
    GenerateRequest,
    Prompt,
    RolloutStore,
    ScriptedEngine,
    read_progress,
)
from steplabel.engines.store.exchange import Unreadable, exported_rollouts, import_rollouts
from steplabel.engines.store.gc import GcSelection, collect_garbage
from steplabel.engines.store.stats import store_stats
from steplabel.engines.store.verify import remove_damaged, verify
from steplabel.schemas import ExportedRollout, FinishReason, ModelIdentity, SamplingParams, StoreError

Ask = Callable[..., GenerateRequest]
REQUESTS = 40
SAMPLES = 4


def tell(request: GenerateRequest, index: int, seed: int) -> Completion:
    rng = random.Random(seed)
    return Completion(
        index=index,
        text="".join(rng.choices("abcdefg é\n", k=rng.choice((3, 200, 9000 if request.seed % 10 == 0 else 100)))),
        finish_reason=rng.choice(list(FinishReason)),
        token_ids=tuple(rng.choices(range(60_000), k=6)),
        completion_tokens=rng.randint(1, 500),
        cumulative_logprob=-rng.random(),
    )


def engine() -> ScriptedEngine:
    return ScriptedEngine(tell, identity=ModelIdentity(name="teller"))


def asked_for(seed: int) -> GenerateRequest:
    return GenerateRequest(
        prompt=Prompt(text=f"Question {seed}\n"), n=SAMPLES, seed=seed, sampling=SamplingParams(max_tokens=9)
    )


async def _ask_all(path: Path, model: ScriptedEngine, run_id: str) -> list[Completions | StoreError]:
    store = RolloutStore(model, path, run_id=run_id)
    answers: list[Completions | StoreError] = []
    for seed in range(REQUESTS):
        try:
            answers.append(await store.generate(asked_for(seed)))
        except StoreError as error:
            answers.append(error)
    await store.close()
    return answers


def ask_all(path: Path, model: ScriptedEngine, run_id: str = "r") -> list[Completions | StoreError]:
    """Ask for everything; a StoreError takes the place of an answer, or of all of them."""
    try:
        return asyncio.run(_ask_all(path, model, run_id))
    except StoreError as error:
        return [error]


async def _truth() -> list[Completions]:
    model = engine()
    return [await model.generate(asked_for(seed)) for seed in range(REQUESTS)]


@pytest.fixture(scope="module")
def truth() -> list[Completions]:
    """What the model says."""
    return asyncio.run(_truth())


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A sound store of 160 rollouts, some of which fill pages of their own."""
    path = tmp_path_factory.mktemp("whole") / "s.sqlite"
    assert not any(isinstance(answer, StoreError) for answer in ask_all(path, engine()))
    assert not path.with_name("s.sqlite-wal").exists()
    return path


@pytest.fixture
def path(whole: Path, tmp_path: Path) -> Path:
    """A copy of it, to be damaged."""
    return Path(shutil.copy(whole, tmp_path / "s.sqlite"))


@contextmanager
def changing(path: Path) -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(path)) as connection, connection:
        yield connection


def damage(path: Path, rng: random.Random) -> None:
    """Flip bits of one byte, of a few bytes in a row, or of a whole sector, anywhere in the file."""
    data = bytearray(path.read_bytes())
    length = rng.choice((1, 1, 4, 512))
    start = rng.randrange(len(data) - length)
    for place in range(start, start + length):
        data[place] ^= rng.randrange(1, 256)
    path.write_bytes(data)


@pytest.mark.slow
@pytest.mark.parametrize("batch", range(3))
def test_flipped_bytes_anywhere(whole: Path, tmp_path: Path, truth: list[Completions], batch: int) -> None:
    """60 x 6 damaged files: every answer is what the model says or a StoreError, and an export never lies."""
    rng = random.Random(batch)
    said = {(seed, s.index): s for seed, answer in enumerate(truth) for s in answer.samples}
    for number in range(60):
        path = tmp_path / f"{number}.sqlite"
        shutil.copy(whole, path)
        damage(path, rng)
        try:
            found = [one for one in exported_rollouts(path) if isinstance(one, ExportedRollout)]
        except StoreError:
            found = []
        for one in found:
            assert one.seed is not None
            assert one.index is not None
            expected = said[one.seed, one.index]
            assert (one.text, one.finish_reason, one.token_ids, one.completion_tokens, one.cumulative_logprob) == (
                expected.text,
                expected.finish_reason,
                expected.token_ids,
                expected.completion_tokens,
                expected.cumulative_logprob,
            )
            assert one.prompt == f"Question {one.seed}\n"
        for answer, expected_answer in zip(ask_all(path, engine()), truth, strict=False):
            assert isinstance(answer, StoreError) or answer.samples == expected_answer.samples
        path.unlink()


@pytest.mark.slow
@pytest.mark.parametrize("batch", range(3))
def test_what_can_be_read_is_never_lost(whole: Path, tmp_path: Path, truth: list[Completions], batch: int) -> None:
    """After damage, either removal makes the store sound, or export and import do: then everything is served again."""
    rng = random.Random(100 + batch)
    ways: Counter[str] = Counter()
    for number in range(40):
        path, saved = tmp_path / f"{number}.sqlite", tmp_path / f"{number}-saved.sqlite"
        shutil.copy(whole, path)
        damage(path, rng)
        try:
            assert remove_damaged(path).sound
            ways["removed"] += 1
        except (StoreError, AssertionError):
            try:
                readable = [one for one in exported_rollouts(path) if isinstance(one, ExportedRollout)]
            except StoreError:
                ways["lost"] += 1
                continue
            assert sum(new for new, _ in import_rollouts(saved, readable)) > REQUESTS * SAMPLES / 2
            ways["saved"] += 1
            path = saved
        assert verify(path).sound
        model = engine()
        answers = ask_all(path, model)
        assert [a.samples for a in answers if isinstance(a, Completions)] == [a.samples for a in truth]
        assert model.samples < REQUESTS * SAMPLES / 2
    assert ways["removed"] > ways["saved"] + ways["lost"]
    assert ways["lost"] <= 4, "only damage to the file's first page may cost everything"


def test_a_sound_store(path: Path) -> None:
    """Every rollout is counted as intact, nothing is told, and nothing is changed."""
    before = path.read_bytes()
    found = verify(path)
    assert found.sound
    assert (found.intact, found.damaged, found.told, found.structure) == (REQUESTS * SAMPLES, 0, (), ())
    assert path.read_bytes() == before
    assert remove_damaged(path).sound


def test_damaged_rollouts_are_told_removed_and_drawn_again(path: Path, truth: list[Completions]) -> None:
    """verify names them; reading one is an error that says what to do; after removal only they are asked for."""
    with changing(path) as connection:
        connection.execute("UPDATE rollouts SET text = text || '!' WHERE rowid IN (3, 50)")
        connection.execute("UPDATE rollouts SET completion_tokens = completion_tokens + 1 WHERE rowid = 51")
        keys = [k.hex() for (k,) in connection.execute("SELECT key FROM rollouts WHERE rowid IN (3, 50, 51)")]
    found = verify(path)
    assert not found.sound
    assert (found.intact, found.damaged) == (REQUESTS * SAMPLES - 3, 3)
    assert [line.split()[1].rstrip(":") for line in found.told] == keys
    errors = [answer for answer in ask_all(path, engine()) if isinstance(answer, StoreError)]
    assert len(errors) == 2
    assert all("store verify" in str(error) and "--remove-damaged" in str(error) for error in errors)
    ticks: list[tuple[int, int]] = []
    removed = remove_damaged(path, lambda read, total: ticks.append((read, total)))
    assert removed.sound
    assert (removed.removed, removed.damaged, removed.intact) == (3, 3, REQUESTS * SAMPLES - 3)
    assert ticks[-1] == (REQUESTS * SAMPLES - 3,) * 2
    assert read_progress(path, "r").rollouts == REQUESTS * SAMPLES - 3
    model = engine()
    answers = ask_all(path, model)
    assert [a.samples for a in answers if isinstance(a, Completions)] == [a.samples for a in truth]
    assert model.samples == 3


def test_only_the_first_damaged_are_named(path: Path) -> None:
    """All are counted; what is named fits a terminal."""
    with changing(path) as connection:
        connection.execute("UPDATE rollouts SET checksum = checksum + 1")
    found = verify(path)
    assert (found.intact, found.damaged, len(found.told)) == (0, REQUESTS * SAMPLES, 20)
    assert remove_damaged(path).removed == REQUESTS * SAMPLES
    assert verify(path).sound


def test_a_damaged_request(path: Path) -> None:
    """Its rollouts are served, but not published; removal forgets the request, and the next run tells it again."""
    with changing(path) as connection:
        connection.execute("UPDATE requests SET prompt = 'another question' WHERE rowid = 7")
    assert verify(path).damaged == 1
    unreadable = [one for one in exported_rollouts(path) if isinstance(one, Unreadable)]
    assert [one.problem for one in unreadable] == ["its request is damaged"] * SAMPLES
    removed = remove_damaged(path)
    assert removed.sound
    assert removed.intact == REQUESTS * SAMPLES
    assert store_stats(path).unattributed == SAMPLES
    model = engine()
    ask_all(path, model)
    assert model.calls == 0
    assert store_stats(path).unattributed == 0
    assert verify(path).sound


@pytest.mark.parametrize("cleaned", [False, True], ids=["mended", "mended and cleaned"])
def test_who_used_a_damaged_request_is_not_forgotten(path: Path, *, cleaned: bool) -> None:
    """Another run asks for it and is dropped later: the rollouts stay, for the run that used them first."""
    with changing(path) as connection:
        connection.execute("UPDATE requests SET prompt = 'another question' WHERE rowid = 7")
    assert remove_damaged(path).sound
    if cleaned:
        collect_garbage(path, GcSelection())
    model = engine()
    ask_all(path, model, run_id="later")
    assert collect_garbage(path, GcSelection(drop_runs=("later",))).rollouts == 0
    ask_all(path, model)
    assert model.calls == 0


def test_what_is_damaged_while_it_is_mended_gets_no_new_checksum(path: Path) -> None:
    """A rollout whose request is lost is written anew; one that does not say any more what it said stays damaged."""
    with changing(path) as connection:
        connection.execute("DELETE FROM requests WHERE rowid = 7")
        (key,) = connection.execute(
            "SELECT key FROM rollouts WHERE request NOT IN (SELECT key FROM requests) LIMIT 1"
        ).fetchone()

    def spoil(read: int, total: int) -> None:
        if read == total:  # all were read, nothing is mended yet
            with changing(path) as connection:
                connection.execute("UPDATE rollouts SET text = 'something else' WHERE key = ?", (key,))

    assert not remove_damaged(path, spoil).sound
    assert verify(path).damaged == 1
    assert remove_damaged(path).removed == 1
    assert verify(path).intact == REQUESTS * SAMPLES - 1


def test_a_lost_request(path: Path) -> None:
    """Rollouts that name a request which is not there are damage too: nobody could understand them."""
    with changing(path) as connection:
        connection.execute("DELETE FROM requests WHERE rowid = 7")
    found = verify(path)
    assert found.damaged == SAMPLES
    assert "its request is missing" in found.told[0]
    assert remove_damaged(path).sound
    assert store_stats(path).unattributed == SAMPLES


@pytest.mark.parametrize("change", ["request = NULL", "sample = NULL", "sample = sample + 1", "request = key"])
def test_what_a_rollout_answers_is_covered(path: Path, change: str) -> None:
    """A rollout cannot be made to answer another request, another index, or none, without being noticed."""
    with changing(path) as connection:
        connection.execute(f"UPDATE rollouts SET {change} WHERE rowid = 9")
    assert verify(path).damaged == 1


def test_text_that_is_no_unicode(path: Path) -> None:
    """Bytes that are no UTF-8 are damage of their row, and of no other."""
    with changing(path) as connection:
        connection.execute("UPDATE rollouts SET text = CAST(x'ff41' AS TEXT) WHERE rowid = 9")
    assert verify(path).damaged == 1
    answers = ask_all(path, engine())
    (error,) = [answer for answer in answers if isinstance(answer, StoreError)]
    assert "store verify" in str(error)
    assert remove_damaged(path).sound


def test_a_damaged_index_costs_nothing(path: Path, truth: list[Completions]) -> None:
    """An index is made anew from the rows: removal removes no rollout, and the model is not asked."""
    with closing(sqlite3.connect(path)) as connection:
        (root,) = connection.execute(
            "SELECT rootpage FROM sqlite_master WHERE name LIKE '%autoindex_rollouts%'"
        ).fetchone()
    data = bytearray(path.read_bytes())
    at = (root - 1) * 4096
    data[at + 3000 : at + 3010] = bytes(10)
    path.write_bytes(data)
    assert verify(path).structure
    found = remove_damaged(path)
    assert found.sound
    assert (found.intact, found.removed) == (REQUESTS * SAMPLES, 0)
    model = engine()
    answers = ask_all(path, model)
    assert [a.samples for a in answers if isinstance(a, Completions)] == [a.samples for a in truth]
    assert model.calls == 0


def test_a_damaged_page_costs_its_rows_only(path: Path, tmp_path: Path) -> None:
    """Rows of a page that cannot be read are told as a stretch; all behind it are read and can be saved."""
    with closing(sqlite3.connect(path)) as connection:
        query = "SELECT text FROM rollouts WHERE rowid > 80 AND length(text) = 100 LIMIT 1"
        (text,) = connection.execute(query).fetchone()
    data = bytearray(path.read_bytes())
    page = data.find(text.encode()) // 4096 * 4096
    data[page : page + 100] = random.Random(0).randbytes(100)
    path.write_bytes(data)
    found = verify(path)
    assert found.structure
    assert found.damaged >= 1
    assert REQUESTS * SAMPLES * 0.8 < found.intact < REQUESTS * SAMPLES
    assert any("cannot be read" in line for line in found.told)
    with pytest.raises(StoreError, match="store export"):
        remove_damaged(path)
    with pytest.raises(StoreError, match="store verify"):
        collect_garbage(path, GcSelection())
    exported = list(exported_rollouts(path))
    assert any(isinstance(one, Unreadable) for one in exported)
    saved = tmp_path / "saved.sqlite"
    readable = [one for one in exported if isinstance(one, ExportedRollout)]
    assert sum(new for new, _ in import_rollouts(saved, readable)) == found.intact
    assert verify(saved).sound


def test_a_log_that_was_damaged(whole: Path, tmp_path: Path, ask: Ask) -> None:
    """SQLite drops what it cannot trust in a log: those samples are drawn again, and none is wrong."""
    path = tmp_path / "s.sqlite"

    async def run() -> None:
        store = RolloutStore(ScriptedEngine(tell), path)
        for seed in range(20):
            await store.generate(ask(n=2, seed=seed))
        shutil.copy(path, tmp_path / "copy.sqlite")
        data = bytearray(path.with_name("s.sqlite-wal").read_bytes())
        data[len(data) // 2] ^= 0xFF
        (tmp_path / "copy.sqlite-wal").write_bytes(data)
        expected = [await store.generate(ask(n=2, seed=seed)) for seed in range(20)]
        await store.close()
        model = ScriptedEngine(tell)
        again = RolloutStore(model, tmp_path / "copy.sqlite")
        answers = [await again.generate(ask(n=2, seed=seed)) for seed in range(20)]
        await again.close()
        assert [a.samples for a in answers] == [a.samples for a in expected]
        assert 0 < model.samples < 40

    asyncio.run(run())


@pytest.mark.parametrize("said", ["many", "-1", "159", "161", None])
def test_a_wrong_count(path: Path, said: str | None) -> None:
    """A store that does not know how many rollouts it holds is told so, and counted anew."""
    with changing(path) as connection:
        if said is None:
            connection.execute("DELETE FROM meta WHERE name = 'rollouts'")
        else:
            connection.execute("UPDATE meta SET value = ? WHERE name = 'rollouts'", (said,))
    found = verify(path)
    assert (found.sound, found.damaged, found.intact) == (False, 0, REQUESTS * SAMPLES)
    assert "and there are 160" in found.structure[0]
    if said is None or not said.isdecimal():
        with pytest.raises(StoreError, match="store verify"):
            read_progress(path, "r")
    assert remove_damaged(path).sound
    assert read_progress(path, "r").rollouts == REQUESTS * SAMPLES


def test_files_cut_short(path: Path, truth: list[Completions]) -> None:
    """A store of which the end is missing is refused, or answers what the model says."""
    data = path.read_bytes()
    for size in (0, 1, 99, 4096, 4097, len(data) // 2, len(data) - 1):
        path.write_bytes(data[:size])
        for file in path.parent.glob("s.sqlite-*"):
            file.unlink()
        for answer, expected in zip(ask_all(path, engine()), truth, strict=False):
            assert isinstance(answer, StoreError) or answer.samples == expected.samples
