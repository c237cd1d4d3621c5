"""The store asks for nothing twice, and shares an answer among all who wait for it."""

from __future__ import annotations

import asyncio
import pickle
import queue
import random
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import fields, replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from steplabel.engines import (
    Completion,
    Completions,
    GenerateRequest,
    RolloutStore,
    ScriptedEngine,
    ScriptedSpec,
    StoredSpec,
    read_progress,
)
from steplabel.engines.store.rollout_store import _runs
from steplabel.engines.store.rows import sample_keys
from steplabel.engines.store.usage import Usage
from steplabel.engines.store.writer import StoreWriter
from steplabel.engines.transformers.spec import TransformersSpec
from steplabel.schemas import (
    ConfigError,
    DataError,
    EngineClosed,
    EngineError,
    FinishReason,
    ModelIdentity,
    SamplingParams,
    StoreError,
)

Ask = Callable[..., GenerateRequest]


def story(request: GenerateRequest, index: int, seed: int) -> Completion:
    """A sample with everything a store must keep."""
    rng = random.Random(seed)
    return Completion(
        index=index,
        text=f"{request.prefix}é\0{index} {rng.random()}\n",
        finish_reason=rng.choice(list(FinishReason)),
        token_ids=tuple(rng.choices(range(200_000), k=5)),
        completion_tokens=rng.randint(1, 9),
        cumulative_logprob=rng.choice([None, -rng.random()]),
    )


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "deep" / "er" / "store.sqlite"


def test_replay_asks_for_nothing(ask: Ask, path: Path) -> None:
    """A second run on the same file gets equal answers and never calls the engine."""
    requests = [ask("q", prefix="p" * i, n=1 + i % 4, seed=i) for i in range(40)]

    async def run(engine: ScriptedEngine) -> list[Completions]:
        store = RolloutStore(engine, path)
        answers = await asyncio.gather(*(store.generate(request) for request in requests))
        await store.close()
        return answers

    first, second = ScriptedEngine(story), ScriptedEngine(story)
    drawn, replayed = asyncio.run(run(first)), asyncio.run(run(second))
    assert (first.calls, second.calls) == (40, 0)
    assert [a.samples for a in drawn] == [a.samples for a in replayed]
    assert [a.keys for a in drawn] == [a.keys for a in replayed]
    assert [a.prompt_tokens for a in drawn] == [a.prompt_tokens for a in replayed]
    assert all(a.stored == 0 for a in drawn)
    assert all(a.stored == len(a.samples) for a in replayed)


def test_only_what_is_missing_is_asked(ask: Ask, path: Path) -> None:
    """Holes in what is stored become one request for each run of neighbours."""
    asked: list[tuple[int, int]] = []

    async def note(request: GenerateRequest) -> None:
        asked.append((request.start, request.n))

    async def run() -> None:
        store = RolloutStore(ScriptedEngine(story, latency=note), path)
        await store.generate(ask(n=2, start=2, seed=1))
        await store.generate(ask(n=1, start=7, seed=1))
        asked.clear()
        answer = await store.generate(ask(n=10, seed=1))
        assert sorted(asked) == [(0, 2), (4, 3), (8, 2)]
        assert answer.stored == 3
        alone = await ScriptedEngine(story).generate(ask(n=10, seed=1))
        assert answer.samples == alone.samples
        await store.close()

    asyncio.run(run())


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    windows=st.lists(st.tuples(st.integers(0, 12), st.integers(1, 8)), min_size=1, max_size=8),
    concurrent=st.booleans(),
)
def test_each_sample_is_drawn_once(
    tmp_path_factory: pytest.TempPathFactory, ask: Ask, windows: list[tuple[int, int]], concurrent: bool
) -> None:
    """Whatever overlapping windows are asked for, at once or in turn, each index is drawn exactly once."""
    drawn: list[int] = []

    def function(request: GenerateRequest, index: int, seed: int) -> str:
        drawn.append(index)
        return str(seed)

    async def run() -> list[Completions]:
        engine = ScriptedEngine(function, latency=lambda _: asyncio.sleep(0))
        store = RolloutStore(engine, tmp_path_factory.mktemp("s") / "s.sqlite")
        calls = [store.generate(ask(start=start, n=n)) for start, n in windows]
        answers = await asyncio.gather(*calls) if concurrent else [await call for call in calls]
        await store.close()
        return answers

    answers = asyncio.run(run())
    wanted = {i for start, n in windows for i in range(start, start + n)}
    assert sorted(drawn) == sorted(wanted)
    for (start, n), answer in zip(windows, answers, strict=True):
        assert [s.index for s in answer.samples] == list(range(start, start + n))
    assert sum(len(a.samples) - a.stored for a in answers) == len(wanted)


@given(st.sets(st.integers(0, 30)))
def test_runs(positions: set[int]) -> None:
    """Runs are maximal, in order, and cover the positions exactly."""
    runs = _runs(sorted(positions))
    assert [i for first, count in runs for i in range(first, first + count)] == sorted(positions)
    assert all(b[0] > a[0] + a[1] for a, b in pairwise(runs))


def test_single_flight(ask: Ask, path: Path) -> None:
    """Fifty equal requests at once are one call; one of them pays, the others count as stored."""

    async def run() -> None:
        engine = ScriptedEngine(story, latency=lambda _: asyncio.sleep(0.02))
        store = RolloutStore(engine, path)
        answers = await asyncio.gather(*(store.generate(ask(n=4)) for _ in range(50)))
        assert engine.calls == 1
        assert len({answer.samples for answer in answers}) == 1
        assert sorted(answer.stored for answer in answers) == [0] + [4] * 49
        await store.close()

    asyncio.run(run())


@pytest.mark.parametrize("cancelled", [0, 1], ids=["the first", "the second"])
def test_cancelling_one_leaves_the_other(ask: Ask, path: Path, cancelled: int) -> None:
    """Whoever of two waiters is cancelled, the other gets the answer of the one call."""

    async def run() -> None:
        engine = ScriptedEngine(story, latency=lambda _: asyncio.sleep(0.05))
        store = RolloutStore(engine, path)
        tasks = [asyncio.create_task(store.generate(ask(n=2))) for _ in range(2)]
        await asyncio.sleep(0.01)
        tasks[cancelled].cancel()
        answer = await tasks[1 - cancelled]
        assert len(answer.samples) == 2
        assert engine.calls == 1
        with pytest.raises(asyncio.CancelledError):
            await tasks[cancelled]
        await store.close()

    asyncio.run(run())


def test_cancelling_all_cancels_the_engine(ask: Ask, path: Path) -> None:
    """Nobody waits: the engine's call is cancelled; one who comes right then gets a call of its own."""
    ended: list[str] = []

    async def latency(_: GenerateRequest) -> None:
        try:
            await asyncio.sleep(0.05)
            ended.append("answered")
        except asyncio.CancelledError:
            ended.append("cancelled")
            raise

    async def run() -> None:
        engine = ScriptedEngine(story, latency=latency)
        store = RolloutStore(engine, path)
        tasks = [asyncio.create_task(store.generate(ask())) for _ in range(3)]
        await asyncio.sleep(0.01)
        for task in tasks:
            task.cancel()
        late = asyncio.create_task(store.generate(ask()))
        await asyncio.gather(*tasks, return_exceptions=True)
        assert len((await late).samples) == 1
        await store.close()

    asyncio.run(run())
    assert ended[-1] == "answered"
    assert len(ended) <= 2


def test_failures_reach_all_and_are_forgotten(ask: Ask, path: Path) -> None:
    """An engine error goes to every waiter, nothing is stored, and the next request asks again."""
    broken = [True]

    def function(request: GenerateRequest, index: int, seed: int) -> str:
        if broken[0]:
            raise EngineError("down")
        return "up"

    async def run() -> None:
        engine = ScriptedEngine(function, latency=lambda _: asyncio.sleep(0.01))
        store = RolloutStore(engine, path)
        results = await asyncio.gather(*(store.generate(ask(n=2)) for _ in range(3)), return_exceptions=True)
        assert [type(result) for result in results] == [EngineError] * 3
        broken[0] = False
        answer = await store.generate(ask(n=2))
        assert [sample.text for sample in answer.samples] == ["up", "up"]
        assert (engine.calls, answer.stored) == (2, 0)
        await store.close()

    asyncio.run(run())


CHANGES: dict[str, Any] = {
    "temperature": 0.3,
    "top_p": 0.4,
    "top_k": 3,
    "min_p": 0.1,
    "max_tokens": 77,
    "stop": ("\n",),
    "include_stop": True,
    "repetition_penalty": 1.1,
}


def test_keys_say_everything(ask: Ask) -> None:
    """Each field of identity and sampling, the prompt, the prefix, the seed and the index change the key."""
    engine = ScriptedEngine(story)
    assert CHANGES.keys() == {field.name for field in fields(SamplingParams)}

    def key(request: GenerateRequest, **identity: str) -> str:
        who = replace(engine.identity, **identity)
        return sample_keys(who, engine.render(request), request)[0]

    request = ask()
    keys = [key(request)]
    keys += [key(replace(request, sampling=replace(request.sampling, **{n: v}))) for n, v in CHANGES.items()]
    keys += [key(request, **{f.name: "changed"}) for f in fields(ModelIdentity) if f.name != "licence"]
    keys += [
        key(ask("other")),
        key(ask(prefix="x")),
        key(ask(seed=1)),
        key(ask(start=1)),
        key(ask(logprobs=2)),
    ]
    assert len(set(keys)) == len(keys)
    assert key(request, licence="changed") == key(request)
    assert key(ask(n=5)) == key(request)
    assert sample_keys(engine.identity, engine.render(request), ask(n=3))[1] == key(ask(start=1))


def test_a_caller_that_cannot_be_told_stops_nobody_else(path: Path) -> None:
    """Its loop may close just as it is told; the writing thread goes on, and so does who waits behind it."""
    told: queue.Queue[Any] = queue.Queue()
    writer = StoreWriter(path, run_id="r", process="p")

    def gone(_: Any) -> None:
        raise RuntimeError("Event loop is closed")

    writer.count(Usage(requests=1), gone)
    writer.count(Usage(requests=2), told.put)
    assert told.get(timeout=30) == []
    writer.close()
    assert read_progress(path, "r").requests == 3


def test_a_spec_names_its_redaction(ask: Ask, path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """So it travels to worker processes: what is stored and answered there is what the function left."""
    (tmp_path / "hiding.py").write_text(
        "def hide(text): return text.replace('555', '[number]')\ndef say(*_): return 'call 555'\nNUMBER = 555\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    spec = StoredSpec(engine=ScriptedSpec(function="hiding:say"), path=str(path), redact="hiding:hide")

    async def run() -> Completions:
        store = pickle.loads(pickle.dumps(spec)).open()
        answer = await store.generate(ask("who is 555?"))
        await store.close()
        return answer

    assert asyncio.run(run()).samples[0].text == "call [number]"
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT prompt FROM requests").fetchone() == ("who is [number]?",)
    for wrong in ("hide", "hiding:", "hiding:missing", "nowhere:hide", "hiding:NUMBER"):
        with pytest.raises(ConfigError, match=f"redaction '{wrong}'"):
            replace(spec, redact=wrong).open()


def test_redaction(ask: Ask, path: Path) -> None:
    """Redacted text is what is stored and returned, at once and on replay; the secret is not in the file."""

    def secret(request: GenerateRequest, index: int, seed: int) -> Completion:
        text = "call 555-1234" if index else "nothing"
        return Completion(index=index, text=text, finish_reason=FinishReason.STOP, token_ids=(5, 6))

    async def run() -> tuple[Completions, Completions]:
        store = RolloutStore(ScriptedEngine(secret), path, redact=lambda text: text.replace("555-1234", "[number]"))
        first, again = await store.generate(ask(n=2)), await store.generate(ask(n=2))
        await store.close()
        return first, again

    first, again = asyncio.run(run())
    assert first.samples == again.samples
    assert [s.text for s in first.samples] == ["nothing", "call [number]"]
    assert [s.token_ids for s in first.samples] == [(5, 6), ()]
    assert not any(b"555-1234" in file.read_bytes() for file in path.parent.iterdir())


def test_first_writer_wins(ask: Ask, path: Path) -> None:
    """Two stores on one file draw the same key with different texts: both return what the file holds."""

    def saying(word: str) -> ScriptedEngine:
        identity = ModelIdentity(name="same")
        return ScriptedEngine(lambda *_: word, identity=identity, latency=lambda _: asyncio.sleep(0.02))

    async def run() -> None:
        stores = [RolloutStore(saying(word), path) for word in ("one", "two")]
        answers = await asyncio.gather(*(store.generate(ask(n=3)) for store in stores))
        assert answers[0].samples == answers[1].samples
        again = await stores[1].generate(ask(n=3))
        assert again.samples == answers[0].samples
        for store in stores:
            await store.close()

    asyncio.run(run())


def test_close(ask: Ask, path: Path) -> None:
    """Waiting and later requests fail with EngineClosed, the engine is closed, closing twice is fine."""

    async def run() -> None:
        engine = ScriptedEngine(story, latency=lambda _: asyncio.sleep(0.05))
        store = RolloutStore(engine, path)
        waiting = asyncio.create_task(store.generate(ask()))
        await asyncio.sleep(0.01)
        await asyncio.gather(store.close(), store.close())
        await store.close()
        for call in (waiting, store.generate(ask()), engine.generate(ask())):
            with pytest.raises(EngineClosed):
                await call

    asyncio.run(run())


def test_full_disk_is_a_store_error(ask: Ask, path: Path) -> None:
    """What SQLite cannot write fails cleanly, what fits later is written, and what was stored stays."""

    async def run() -> None:
        store = RolloutStore(ScriptedEngine(lambda *_: "x" * 5000), path)
        first = await store.generate(ask())
        connection = store._writer._connection
        (pages,) = connection.execute("PRAGMA page_count").fetchone()
        connection.execute(f"PRAGMA max_page_count = {pages + 2}")
        with pytest.raises(StoreError, match="free some space"):
            await store.generate(ask(n=200, seed=1))
        connection.execute("PRAGMA max_page_count = 1000000")
        await store.generate(ask(n=200, seed=1))
        assert (await store.generate(ask())).samples == first.samples
        await store.close()

    asyncio.run(run())


def test_text_that_is_not_unicode(ask: Ask, path: Path) -> None:
    """A lone surrogate, or an impossible token id, fails its own request only."""

    def function(request: GenerateRequest, index: int, seed: int) -> str | Completion:
        if request.seed == 2:
            return Completion(index=0, text="", finish_reason=FinishReason.STOP, token_ids=(2**40,))
        return "\ud800" if request.seed else "fine"

    async def run() -> None:
        store = RolloutStore(ScriptedEngine(function), path)
        calls = [store.generate(ask(seed=seed)) for seed in (1, 2, 0)]
        bad, worse, good = await asyncio.gather(*calls, return_exceptions=True)
        assert isinstance(bad, EngineError)
        assert isinstance(worse, EngineError)
        assert isinstance(good, Completions)
        await store.close()

    asyncio.run(run())


def test_marks_that_are_not_unicode(ask: Ask, path: Path) -> None:
    """A bad unit id is refused at once, and does not keep later ones from being written."""

    async def run() -> None:
        store = RolloutStore(ScriptedEngine(story), path, run_id="r")
        with pytest.raises(DataError, match="finished unit"):
            store.mark_finished("\ud800", "problem")
        store.mark_finished("fine", "problem")
        await store.close()

    asyncio.run(run())
    assert read_progress(path, "r").finished == {"problem": 1}


def test_wrong_number_of_samples(ask: Ask, path: Path) -> None:
    """An engine that answers short is not believed."""

    class Short(ScriptedEngine):
        async def generate(self, request: GenerateRequest) -> Completions:
            answer = await super().generate(request)
            return replace(answer, samples=answer.samples[:-1])

    async def run() -> None:
        store = RolloutStore(Short(story), path)
        with pytest.raises(EngineError, match="returned 1 samples, 2 were asked for"):
            await store.generate(ask(n=2))
        await store.close()

    asyncio.run(run())


def test_replay_of_a_model_loads_no_weights(
    ask: Ask, path: Path, model_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A stored spec opened on a finished run answers without loading the model at all."""
    spec = StoredSpec(engine=TransformersSpec(model=str(model_folder)), path=str(path), run_id="r")

    async def run() -> Completions:
        store = spec.open()
        answer = await store.generate(ask("hello", n=3))
        await store.close()
        return answer

    first = asyncio.run(run())

    def refuse(self: TransformersSpec, *_: Any) -> Any:
        raise AssertionError("the model was loaded")

    monkeypatch.setattr(TransformersSpec, "_loaded", refuse)
    again = asyncio.run(run())
    assert (again.samples, again.stored) == (first.samples, 3)


def test_damaged_row_is_noticed(ask: Ask, path: Path) -> None:
    """A changed text in an intact database is not served: every row carries its checksum."""

    async def run() -> None:
        store = RolloutStore(ScriptedEngine(story), path)
        await store.generate(ask())
        await store.close()
        with sqlite3.connect(path) as connection:
            connection.execute("UPDATE rollouts SET text = text || '!'")
        connection.close()
        store = RolloutStore(ScriptedEngine(story), path)
        with pytest.raises(StoreError, match="damaged"):
            await store.generate(ask())
        await store.close()

    asyncio.run(run())
