"""What the store keeps besides texts: which request each rollout answers, who asked it, and what it cost."""

from __future__ import annotations

import asyncio
import math
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from steplabel.engines import Completion, Completions, GenerateRequest, RolloutStore, ScriptedEngine, read_progress
from steplabel.engines.store.exchange import Unreadable, exported_rollouts
from steplabel.engines.store.gc import GcSelection, collect_garbage
from steplabel.engines.store.stats import store_stats
from steplabel.engines.store.verify import verify
from steplabel.schemas import (
    DataError,
    EngineError,
    ExportedRollout,
    FinishReason,
    ModelIdentity,
    SamplingParams,
)

Ask = Callable[..., GenerateRequest]


class PricedEngine(ScriptedEngine):
    """A tenth of a unit of money for each sample, and two cached tokens for each request."""

    async def generate(self, request: GenerateRequest) -> Completions:
        answer = await super().generate(request)
        return replace(answer, cost=request.n / 10, cached_tokens=2)


def word(request: GenerateRequest, index: int, seed: int) -> str:
    return f"{index} {seed}"


def asked(
    path: Path, requests: list[GenerateRequest], engine: ScriptedEngine | None = None, **options: Any
) -> list[Completions]:
    """The answers of a store that is opened and closed for them."""

    async def run() -> list[Completions]:
        store = RolloutStore(engine or PricedEngine(word), path, **options)
        try:
            return [await store.generate(request) for request in requests]
        finally:
            await store.close()

    return asyncio.run(run())


def rollouts(path: Path, run_id: str | None = None) -> list[ExportedRollout]:
    found = list(exported_rollouts(path, run_id))
    assert not [one for one in found if isinstance(one, Unreadable)]
    return [one for one in found if isinstance(one, ExportedRollout)]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "s.sqlite"


def test_each_rollout_says_what_it_answers(ask: Ask, path: Path) -> None:
    """Model, licence, everything that was read, sampling parameters, seed and index stand beside each text."""
    identity = ModelIdentity(name="m", weights="w", licence="apache-2.0")
    request = ask("question ", prefix="and so ", n=3, start=2, seed=7, temperature=0.25, stop=("\n",))
    (answer,) = asked(path, [request], ScriptedEngine(word, identity=identity), run_id="r")
    found = rollouts(path)
    assert [one.key for one in found] == list(answer.keys)
    assert [one.text for one in found] == [sample.text for sample in answer.samples]
    assert [one.index for one in found] == [2, 3, 4]
    assert len({one.request for one in found}) == 1
    for one in found:
        assert (one.model, one.model_name, one.model_licence) == (identity.id, "m", "apache-2.0")
        assert (one.prompt, one.seed, one.sampling) == ("question and so ", 7, request.sampling)


def test_samples_of_one_request_share_it_whenever_they_are_drawn(ask: Ask, path: Path) -> None:
    """Six samples now and two more later, or by another run, are eight samples of one request."""
    asked(path, [ask(n=6)], run_id="a")
    asked(path, [ask(n=8), ask(n=8, logprobs=1), ask(n=8, seed=1)], run_id="b")
    found = rollouts(path)
    assert sorted(one.index or 0 for one in found) == sorted([*range(8)] * 3)
    assert len({one.request for one in found}) == store_stats(path).requests == 3


def test_who_used_what(ask: Ask, path: Path) -> None:
    """A run used what it was answered, from the model or the store; not what only failed."""

    def picky(request: GenerateRequest, index: int, seed: int) -> str:
        if request.seed == 3:
            raise EngineError("down")
        return "x"

    asked(path, [ask(seed=seed) for seed in (0, 0, 1)], ScriptedEngine(picky), run_id="a")
    asked(path, [ask(seed=seed) for seed in (1, 1, 2)], ScriptedEngine(picky), run_id="b")
    with pytest.raises(EngineError, match="down"):
        asked(path, [ask(seed=3)], ScriptedEngine(picky), run_id="b")
    assert {one.seed for one in rollouts(path, "a")} == {0, 1}
    assert {one.seed for one in rollouts(path, "b")} == {1, 2}
    assert [(run.run_id, run.requests_used) for run in store_stats(path).runs] == [("a", 2), ("b", 2)]
    assert store_stats(path).requests == 3


def test_uses_are_noted_once_and_forgotten_marks_noted_again(
    ask: Ask, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However often a run asks, there is one row; remembering only a few requests changes nothing."""
    monkeypatch.setattr("steplabel.engines.store.writer.MAX_REMEMBERED", 2)
    asked(path, [ask(seed=seed) for seed in range(5)] * 3, run_id="a")
    assert store_stats(path).runs[0].requests_used == 5


def test_cost_and_cached_tokens(ask: Ask, path: Path) -> None:
    """Each answer costs what the model took for it: a part costs that part, a stored one nothing; a run, the sum."""
    first, more, again = asked(path, [ask(n=4), ask(n=6), ask(n=6)], run_id="a")
    assert [first.cost, more.cost, again.cost] == pytest.approx([0.4, 0.2, 0.0])
    assert again.cost == 0.0
    asked(path, [ask(n=6)], run_id="b")
    progress = read_progress(path, "a")
    assert progress.cost == pytest.approx(0.6)
    assert progress.cached_tokens == 4
    assert (read_progress(path, "b").cost, read_progress(path, "b").cached_tokens) == (0.0, 0)


def test_cost_of_a_call_that_two_wait_for(ask: Ask, path: Path) -> None:
    """The request that started the call pays for it, holes and all; who joined it pays nothing."""

    async def run() -> list[Completions]:
        store = RolloutStore(PricedEngine(word, latency=lambda _: asyncio.sleep(0.02)), path, run_id="a")
        await store.generate(ask(n=1, start=1))
        answers = await asyncio.gather(store.generate(ask(n=3)), store.generate(ask(n=3)))
        await store.close()
        return answers

    paid, joined = asyncio.run(run())
    assert (paid.cost, joined.cost) == (pytest.approx(0.2), 0.0)
    assert read_progress(path, "a").cost == pytest.approx(0.3)


def test_prompts_are_redacted_too(ask: Ask, path: Path) -> None:
    """A secret in what the model read is in no file of the store."""
    hide = {"redact": lambda text: text.replace("555-1234", "[number]")}
    asked(path, [ask("call 555-1234 ", prefix="at 555-1234")], **hide)
    assert rollouts(path)[0].prompt == "call [number] at [number]"
    assert not any(b"555-1234" in file.read_bytes() for file in path.parent.iterdir())


NUMBERS: dict[str, tuple[Any, float | None]] = {
    "an int": (-3, -3.0),
    "the negative zero": (-0.0, 0.0),
    "not a number": (math.nan, None),
    "infinity": (-math.inf, -math.inf),
    "numpy's": (np.float32(-0.5), -0.5),
}


@pytest.mark.parametrize("name", NUMBERS)
def test_numbers_come_back_as_they_were_stored(ask: Ask, path: Path, name: str) -> None:
    """Numbers that SQLite would change are changed before the checksum is taken: no good row looks damaged."""
    given, kept = NUMBERS[name]

    def odd(request: GenerateRequest, index: int, seed: int) -> Completion:
        count: Any = np.int64(3) if name == "numpy's" else True
        reason = FinishReason.STOP
        return Completion(index=index, text="", finish_reason=reason, cumulative_logprob=given, completion_tokens=count)

    first, again = asked(path, [ask(n=2), ask(n=2)], ScriptedEngine(odd))
    assert [sample.cumulative_logprob for sample in again.samples] == [kept, kept]
    assert first.samples == again.samples
    assert verify(path).sound


@pytest.mark.parametrize("count", [-1, 2**63, None, "3"])
def test_counts_that_cannot_be(ask: Ask, path: Path, count: Any) -> None:
    """An engine that counts nonsense fails its own request, and spoils neither sums nor the answers of others."""

    def odd(request: GenerateRequest, index: int, seed: int) -> Completion:
        tokens = 2 if request.seed else count
        return Completion(index=index, text="", finish_reason=FinishReason.STOP, completion_tokens=tokens)

    with pytest.raises(EngineError, match="counts what cannot be"):
        asked(path, [ask()], ScriptedEngine(odd), run_id="r")
    asked(path, [ask(seed=1)], ScriptedEngine(odd), run_id="r")
    assert read_progress(path, "r").completion_tokens == 2


def test_a_cost_that_is_no_number(ask: Ask, path: Path) -> None:
    """A price table that went wrong does not keep rollouts from being stored."""

    class Odd(ScriptedEngine):
        async def generate(self, request: GenerateRequest) -> Completions:
            return replace(await super().generate(request), cost=math.nan)

    asked(path, [ask(n=3)], Odd(word), run_id="r")
    assert (read_progress(path, "r").cost, read_progress(path, "r").rollouts) == (0.0, 3)


@pytest.mark.parametrize("seed", [-5, 2**63 - 1, 2**63, 10**40])
def test_seeds_of_any_size(ask: Ask, path: Path, seed: int) -> None:
    """A seed past 64 bits is kept in the key alone; the rollout is stored and served like any other."""
    first, again = asked(path, [ask(seed=seed), ask(seed=seed)])
    assert (again.samples, again.stored) == (first.samples, 1)
    assert rollouts(path)[0].seed == (seed if abs(seed) < 2**63 else None)


def test_huge_texts(ask: Ask, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Tens of megabytes are stored and served; past the limit a request fails alone."""

    def long(request: GenerateRequest, index: int, seed: int) -> str:
        return "é" * 10_000_000 if request.seed else "short"

    (answer,) = asked(path, [ask(seed=1)], ScriptedEngine(long))
    (again,) = asked(path, [ask(seed=1)], ScriptedEngine(long))
    assert again.samples == answer.samples
    assert again.stored == 1
    monkeypatch.setattr("steplabel.engines.store.rows.MAX_TEXT_BYTES", 1000)
    with pytest.raises(EngineError, match=r"20,000,000 bytes, a store keeps at most 1,000"):
        asked(path, [ask(seed=2)], ScriptedEngine(long))
    with pytest.raises(EngineError, match="prompt has"):
        asked(path, [ask("x" * 2000)], ScriptedEngine(long))
    assert asked(path, [ask()], ScriptedEngine(long))[0].samples[0].text == "short"


@pytest.mark.parametrize("run_id", ["a\0b", "\ud800", "x" * 2_000_000], ids=["NUL", "surrogate", "endless"])
def test_run_ids_that_no_table_can_hold(path: Path, run_id: str) -> None:
    """They are refused before a file is made."""
    with pytest.raises(DataError, match="run id"):
        RolloutStore(ScriptedEngine(word), path, run_id=run_id)
    assert not path.exists()


def test_a_request_that_was_cleaned_away_under_an_open_store(ask: Ask, path: Path) -> None:
    """A store that is open goes on: what it draws later is noted with its request again."""

    async def run() -> None:
        store = RolloutStore(PricedEngine(word), path, run_id="a")
        await store.generate(ask(n=2))
        with closing(sqlite3.connect(path)) as connection, connection:
            for table in ("rollouts", "requests", "uses"):
                connection.execute(f"DELETE FROM {table}")
        answer = await store.generate(ask(n=3))
        assert answer.stored == 0
        await store.close()

    asyncio.run(run())
    assert [one.index for one in rollouts(path, "a")] == [0, 1, 2]
    assert store_stats(path).requests == 1


def test_the_count_of_rollouts_follows_deletion(ask: Ask, path: Path) -> None:
    """Rows that go are no longer counted, and new ones are counted on from there."""
    asked(path, [ask(n=5, seed=seed) for seed in range(4)], run_id="a")
    asked(path, [ask(n=5, seed=9)], run_id="b")
    assert read_progress(path, "b").rollouts == 25
    collect_garbage(path, GcSelection(drop_runs=("a",)))
    assert read_progress(path, "b").rollouts == 5
    asked(path, [ask(n=7, seed=9)], run_id="b")
    assert read_progress(path, "b").rollouts == 7
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT COUNT(*) FROM rollouts").fetchone() == (7,)


def test_sampling_parameters_survive(ask: Ask, path: Path) -> None:
    """Every field of the sampling parameters comes out as it went in."""
    params = SamplingParams(
        temperature=0.1,
        top_p=0.9,
        top_k=5,
        min_p=0.05,
        max_tokens=3,
        stop=("a", "é\n"),
        include_stop=True,
        repetition_penalty=1.5,
    )
    asked(path, [replace(ask(), sampling=params)])
    assert rollouts(path)[0].sampling == params
