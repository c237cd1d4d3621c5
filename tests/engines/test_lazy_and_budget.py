"""Opening late, and stopping in time."""

from __future__ import annotations

import asyncio
import pickle
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from steplabel.engines import (
    BudgetedEngine,
    BudgetedSpec,
    Completions,
    GenerateRequest,
    LazyEngine,
    RolloutStore,
    ScriptedEngine,
    ScriptedSpec,
    StoredSpec,
    budget,
    read_progress,
)
from steplabel.engines.port import PartlyAnswered
from steplabel.engines.scripted import ScriptFunction
from steplabel.schemas import BudgetExhausted, ConfigError, EngineClosed, EngineError, ModelIdentity, ModelLoadError

Ask = Callable[..., GenerateRequest]


def words(request: GenerateRequest, index: int, seed: int) -> str:
    return "four words each time"


@dataclass
class CountingSpec:
    """Opens scripted engines and counts how often; previewed on demand."""

    previewed: bool = True
    names: list[str] = field(default_factory=lambda: ["a", "a"])
    opened: int = 0
    gate: threading.Event = field(default_factory=threading.Event)
    engines: list[ScriptedEngine] = field(default_factory=list)

    def open(self) -> ScriptedEngine:
        self.gate.wait(5)
        self.opened += 1
        engine = ScriptedEngine(words, identity=ModelIdentity(name=self.names[-1]))
        self.engines.append(engine)
        return engine

    def preview(self) -> Any:
        return ScriptedEngine(words, identity=ModelIdentity(name=self.names[0])) if self.previewed else None


def open_gate(spec: CountingSpec) -> CountingSpec:
    spec.gate.set()
    return spec


def test_lazy_engine_opens_once_at_the_first_sample(ask: Ask) -> None:
    """Identity and rendering come from the preview; twenty first requests open one engine, off the loop."""
    spec = CountingSpec()
    engine = LazyEngine(spec)

    async def run() -> None:
        assert engine.identity.name == "a"
        assert engine.render(ask("hi")).text == "hi"
        assert not engine.opened
        tasks = [asyncio.create_task(engine.generate(ask())) for _ in range(20)]
        await asyncio.sleep(0.05)
        assert engine.render(ask("still")).text == "still"  # while the model loads, the loop is free
        spec.gate.set()
        await asyncio.gather(*tasks)
        await engine.close()

    asyncio.run(run())
    assert (spec.opened, spec.engines[0].calls) == (1, 20)


def test_lazy_engine_without_preview_opens_to_answer(ask: Ask) -> None:
    """Only the open engine can tell its identity: it is opened once, for all."""
    spec = open_gate(CountingSpec(previewed=False))
    engine = LazyEngine(spec)
    assert engine.identity.name == "a"
    asyncio.run(engine.generate(ask()))
    assert spec.opened == 1


def test_lazy_engine_notices_a_changed_model(ask: Ask) -> None:
    """Keys made for one model must not be filled by another."""
    engine = LazyEngine(open_gate(CountingSpec(names=["a", "b"])))
    assert engine.identity.name == "a"
    with pytest.raises(ConfigError, match="changed"):
        asyncio.run(engine.generate(ask()))


@pytest.mark.parametrize("kind", [ConfigError, ModelLoadError, AssertionError, OSError], ids=lambda kind: kind.__name__)
def test_lazy_engine_does_not_try_again_what_failed(ask: Ask, kind: type[Exception]) -> None:
    """A model that cannot be opened, for whatever reason, fails every request at once, after one attempt."""
    attempts = []

    class Broken:
        def open(self) -> ScriptedEngine:
            attempts.append(1)
            raise kind("no such weights")

    engine = LazyEngine(Broken())

    async def both() -> list[BaseException]:
        return await asyncio.gather(*(engine.generate(ask()) for _ in range(3)), return_exceptions=True)

    errors = asyncio.run(both())
    assert [type(error) for error in errors] == [ModelLoadError] * 3
    assert all("no such weights" in str(error) for error in errors)
    assert len(attempts) == 1


@pytest.mark.parametrize("kind", [ConfigError, OSError], ids=lambda kind: kind.__name__)
def test_lazy_engine_does_not_look_again_where_nothing_was(ask: Ask, kind: type[Exception]) -> None:
    """A preview that fails (a server that is gone) is tried once, and ends the run: no request can do better."""
    looked = []

    class Gone:
        def preview(self) -> None:
            looked.append(1)
            raise kind("no such model there")

        def open(self) -> ScriptedEngine:
            raise AssertionError("opened though nobody knows what it is")

    engine = LazyEngine(Gone())
    for _ in range(3):
        with pytest.raises(ModelLoadError, match="no such model there"):
            engine.render(ask())
    with pytest.raises(ModelLoadError, match="no such model there"):
        asyncio.run(engine.generate(ask()))
    assert len(looked) == 1


def test_lazy_engine_closes(ask: Ask) -> None:
    """Unopened it stays so; opened, the engine inside is closed; both refuse further requests."""

    async def run(first: bool) -> int:
        spec = open_gate(CountingSpec())
        engine = LazyEngine(spec)
        if first:
            await engine.generate(ask())
        await engine.close()
        await engine.close()
        with pytest.raises(EngineClosed):
            await engine.generate(ask())
        return spec.opened

    assert [asyncio.run(run(first)) for first in (False, True)] == [0, 1]


@pytest.mark.parametrize(
    ("limits", "allowed"),
    [
        ({"max_tokens": 9}, 3),
        ({"max_tokens": 8}, 2),
        ({"max_tokens": 0}, 0),
        ({"max_requests": 2}, 2),
        ({"max_requests": 0}, 0),
        ({"max_tokens": 100, "max_requests": 1}, 1),
        ({}, 5),
    ],
    ids=str,
)
def test_budget_stops_before_the_next_request(ask: Ask, limits: dict[str, int], allowed: int) -> None:
    """A request that comes once the total has reached a limit is refused; four tokens a request here."""

    async def run() -> int:
        engine = BudgetedEngine(ScriptedEngine(words), **limits)
        for done in range(5):
            try:
                await engine.generate(ask(seed=done))
            except BudgetExhausted:
                return done
        return 5

    assert asyncio.run(run()) == allowed


def test_budget_counts_what_others_spent(ask: Ask) -> None:
    """With a shared reader the total of all processes decides."""
    others = [0, 0]
    engine = BudgetedEngine(ScriptedEngine(words), max_tokens=50, spent=lambda: (others[0], others[1]))

    async def run() -> None:
        await engine.generate(ask())
        others[0] = 50
        await asyncio.sleep(0.25)  # the total may be a fifth of a second old
        with pytest.raises(BudgetExhausted, match="50 tokens"):
            await engine.generate(ask())

    asyncio.run(run())


def failing(request: GenerateRequest, index: int, seed: int) -> str:
    raise EngineError("the server is down")


def shared_budget(function: ScriptFunction, path: Path, **limits: int) -> tuple[BudgetedEngine, RolloutStore]:
    """A budget over all resumptions of a run, and the store in front of it."""
    spent = partial(budget._spent_in_store, str(path), "r")
    engine = BudgetedEngine(ScriptedEngine(function, latency=lambda _: asyncio.sleep(0.01)), spent=spent, **limits)
    return engine, RolloutStore(engine, path, run_id="r")


async def refused(store: RolloutStore, requests: Iterable[GenerateRequest]) -> int:
    """How many of these requests, made all at once, the budget refuses."""
    answers = await asyncio.gather(*map(store.generate, requests), return_exceptions=True)
    return sum(isinstance(answer, BudgetExhausted) for answer in answers)


@pytest.mark.parametrize("function", [words, failing], ids=["answered", "failing"])
def test_a_budget_of_requests_is_exact_over_resumptions(ask: Ask, tmp_path: Path, function: ScriptFunction) -> None:
    """However many come at once, and whether they succeed: the parts of a run together make as many as it may."""
    path, allowed = tmp_path / "s.sqlite", 60

    async def part(requests: range) -> tuple[int, int, int]:
        engine, store = shared_budget(function, path, max_requests=allowed)
        gone = await refused(store, [ask(seed=seed) for seed in requests])
        spent = engine.spent[1]
        await store.close()
        return gone, spent, read_progress(path, "r").engine_requests

    assert asyncio.run(part(range(40))) == (0, 40, 40)
    assert asyncio.run(part(range(100, 200))) == (80, 60, 60)
    assert asyncio.run(part(range(200, 205))) == (5, 60, 60)


def test_cancelled_requests_are_spent(ask: Ask, tmp_path: Path) -> None:
    """The model was asked, and may have been paid: after Ctrl-C a run goes on with what is left."""
    path = tmp_path / "s.sqlite"

    async def run() -> None:
        _, store = shared_budget(words, path, max_requests=5)
        asking = [asyncio.create_task(store.generate(ask(seed=seed))) for seed in range(3)]
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        for task in asking:
            task.cancel()
        await asyncio.gather(*asking, return_exceptions=True)
        await store.close()

    asyncio.run(run())
    assert read_progress(path, "r").engine_requests == 3


@pytest.mark.parametrize("whole", [True, False], ids=["all of it", "a part"])
def test_a_request_made_in_parts_is_as_many_as_it_has(ask: Ask, tmp_path: Path, *, whole: bool) -> None:
    """What a server takes one sample at a time counts by what was sent, and what came of a part is spent."""

    class InParts(ScriptedEngine):
        async def generate(self, request: GenerateRequest) -> Completions:
            answer = replace(await super().generate(request), requests=request.n)
            if whole:
                return answer
            raise PartlyAnswered(replace(answer, samples=answer.samples[:-1]), EngineError("a part was lost"))

    async def run() -> tuple[int, int]:
        engine = BudgetedEngine(InParts(words), max_requests=3)
        store = RolloutStore(engine, tmp_path / "s.sqlite", run_id="r")
        await asyncio.gather(store.generate(ask(n=4)), return_exceptions=True)
        with pytest.raises(BudgetExhausted, match="4 requests"):
            await store.generate(ask(n=4, seed=1))
        await store.close()
        return engine.spent

    usage = asyncio.run(run()), read_progress(tmp_path / "s.sqlite", "r")
    assert usage[0] == (usage[1].completion_tokens, usage[1].engine_requests) == (16 if whole else 12, 4)


def test_tokens_beside_the_samples_are_spent(ask: Ask, tmp_path: Path) -> None:
    """What a model generated and no sample holds was paid for: budget and store count it alike."""

    class Wasteful(ScriptedEngine):
        async def generate(self, request: GenerateRequest) -> Completions:
            return replace(await super().generate(request), unused_tokens=100)

    async def run() -> tuple[int, int]:
        engine = BudgetedEngine(Wasteful(words), max_tokens=100)
        store = RolloutStore(engine, tmp_path / "s.sqlite", run_id="r")
        await store.generate(ask(n=1))
        with pytest.raises(BudgetExhausted, match="104 tokens"):
            await store.generate(ask(n=1, seed=1))
        await store.close()
        return engine.spent

    assert asyncio.run(run())[0] == read_progress(tmp_path / "s.sqlite", "r").completion_tokens == 104


def test_requests_that_no_model_saw_are_not_spent(ask: Ask, tmp_path: Path) -> None:
    """What an engine refuses costs nothing, and neither does a refusal of the budget itself."""

    def picky(request: GenerateRequest, index: int, seed: int) -> str:
        raise ConfigError("too long")

    async def run() -> int:
        engine, store = shared_budget(picky, tmp_path / "s.sqlite", max_requests=1)
        for seed in range(3):
            with pytest.raises(ConfigError, match="too long"):
                await store.generate(ask(seed=seed))
        await store.close()
        return engine.spent[1]

    assert asyncio.run(run()) == 0
    assert read_progress(tmp_path / "s.sqlite", "r").engine_requests == 0


def test_stored_samples_are_free(ask: Ask, tmp_path: Path) -> None:
    """Store -> budget -> engine: what is stored is served although the budget is spent."""

    async def run() -> None:
        store = RolloutStore(BudgetedEngine(ScriptedEngine(words), max_requests=1), tmp_path / "s.sqlite")
        first = await store.generate(ask(n=3))
        with pytest.raises(BudgetExhausted):
            await store.generate(ask(n=4))
        again = await store.generate(ask(n=3))
        assert (again.samples, again.stored) == (first.samples, 3)
        await store.close()

    asyncio.run(run())


def test_budget_of_a_run_spans_its_engines(ask: Ask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two processes with one store share one budget: here two stores on one file, by their specs."""
    path = str(tmp_path / "s.sqlite")
    (tmp_path / "four_words.py").write_text("def words(*_):\n    return 'four words each time'\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    inner = ScriptedSpec(function="four_words:words")
    spec = BudgetedSpec(engine=inner, max_requests=3, store=path, run_id="r")
    assert pickle.loads(pickle.dumps(spec)) == spec
    assert spec.preview().identity == spec.open().identity  # type: ignore[union-attr]

    async def run() -> None:
        stores = [StoredSpec(engine=spec, path=path, run_id="r").open() for _ in range(2)]
        for number in range(3):
            await stores[number % 2].generate(ask(seed=number))
        await asyncio.sleep(0.3)
        for store in stores:
            with pytest.raises(BudgetExhausted):
                await store.generate(ask(seed=9))
            await store.close()

    asyncio.run(run())


@pytest.mark.parametrize("limits", [{"max_tokens": -1}, {"max_requests": -5}], ids=str)
def test_bad_budgets(limits: dict[str, int]) -> None:
    """Negative limits are refused where they are stated."""
    with pytest.raises(ConfigError, match="0 or more"):
        BudgetedSpec(engine=ScriptedSpec(function="json:dumps"), **limits)
