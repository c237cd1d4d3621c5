"""Requests that a server is asked in parts: what came is kept when the rest fails, and copies are no samples."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any

import pytest

from steplabel.engines import BudgetedEngine, Completions, GenerateRequest, RolloutStore, read_progress
from steplabel.engines.openai.engine import OpenAIEngine
from steplabel.engines.openai.prices import TokenPrices
from steplabel.engines.port import PartlyAnswered
from steplabel.schemas import ConfigError, EngineError, ModelLoadError

Ask = Callable[..., GenerateRequest]
Opened = Callable[..., AbstractAsyncContextManager[OpenAIEngine]]
Expected = Callable[[GenerateRequest], list[str]]
CERTAIN: dict[str, Any] = {"max_tokens": 1, "stop": tuple("123456789")}
"""Sampling whose every text is empty."""
PAID = TokenPrices(completion=1e6)


def texts(answer: Completions) -> list[str]:
    return [sample.text for sample in answer.samples]


def handed_out(server: Any) -> dict[str, int]:
    samples: dict[str, int] = server.stats()["samples"]
    return samples


@pytest.mark.parametrize(
    ("fault", "kind"), [("400", ConfigError), ("500", EngineError), ("quota", ModelLoadError)], ids=str
)
def test_the_parts_that_came_are_handed_over(
    opened: Opened, server: Any, ask: Ask, expected: Expected, fault: str, kind: type[Exception]
) -> None:
    """One that fails ends no other, whatever the failure: the rest is waited for, with its cost and its count."""
    server.set(latency=0.3, script=["ok", fault, "ok"])

    async def run() -> PartlyAnswered:
        async with opened(max_n=1, attempts=1, prices=PAID, max_in_flight=1) as engine:
            with pytest.raises(PartlyAnswered, match="2 samples came") as caught:
                await engine.generate(ask(n=3))
            return caught.value

    error = asyncio.run(run())
    assert isinstance(error.failure, kind)
    assert [sample.index for sample in error.came.samples] == [0, 2]
    assert texts(error.came) == expected(ask(n=3))[::2]
    assert error.came.cost == sum(sample.completion_tokens for sample in error.came.samples)
    assert error.came.requests == 3


@pytest.mark.parametrize(
    ("script", "options"),
    [(["ok", "ok", "500", "ok"], {"max_n": 2}), (["one", "ok", "500", "ok"], {}), (["wrong_n", "500"], {})],
    ids=["parts", "one of many", "one missing"],
)
def test_what_came_is_never_paid_again(
    opened: Opened, server: Any, ask: Ask, expected: Expected, tmp_path: Path, script: list[str], options: Any
) -> None:
    """The store keeps the samples of the parts that came, and asks for the others alone."""
    server.set(script=script)
    path, request = tmp_path / "rollouts.sqlite", ask(n=8)

    async def run() -> Completions:
        async with opened(attempts=1, prices=PAID, max_in_flight=1, **options) as engine:
            store = RolloutStore(engine, path, run_id="r")
            with pytest.raises(EngineError) as caught:
                await store.generate(request)
            assert not isinstance(caught.value, PartlyAnswered)
            answer = await store.generate(request)
            await store.close()
            return answer

    answer = asyncio.run(run())
    assert texts(answer) == expected(request)
    assert answer.stored > 0
    assert set(handed_out(server).values()) == {1}
    used = read_progress(path, "r")
    assert used.engine_samples == 8
    assert used.engine_requests == server.stats()["requests"]
    assert used.completion_tokens == used.cost == sum(sample.completion_tokens for sample in answer.samples)


def test_what_is_under_way_beside_a_failure_is_kept(opened: Opened, server: Any, ask: Ask, tmp_path: Path) -> None:
    """What is missing around stored samples is asked for at once: some gaps' failures leave the others theirs."""
    gaps = 8

    async def run() -> Completions:
        async with opened(attempts=1) as engine:
            store = RolloutStore(engine, tmp_path / "rollouts.sqlite")
            await asyncio.gather(*(store.generate(ask(start=2 * i + 1)) for i in range(gaps)))
            server.set(latency=0.3, script=["503", "503"])
            with pytest.raises(EngineError):
                await store.generate(ask(n=2 * gaps))
            answer = await store.generate(ask(n=2 * gaps))
            await store.close()
            return answer

    assert asyncio.run(run()).stored == 2 * gaps - 2
    assert server.stats()["requests"] == gaps + 2


def test_closing_keeps_what_came(opened: Opened, server: Any, ask: Ask, tmp_path: Path) -> None:
    """A run that ends in the middle of a request finds its parts again."""
    server.set(script=["ok", "stall"])
    path = tmp_path / "rollouts.sqlite"

    async def run() -> None:
        async with opened(max_n=1, max_in_flight=1) as engine:
            store = RolloutStore(engine, path)
            asking = asyncio.create_task(store.generate(ask(n=2)))
            while server.stats()["requests"] < 2:
                await asyncio.sleep(0.01)
            await store.close()
            with pytest.raises(EngineError):
                await asking

    async def again() -> int:
        async with opened(max_n=1) as engine:
            store = RolloutStore(engine, path)
            answer = await store.generate(ask(n=2))
            await store.close()
            return answer.stored

    asyncio.run(run())
    assert asyncio.run(again()) == 1


def test_prompt_logprobs_that_were_lost(opened: Opened, server: Any, ask: Ask) -> None:
    """One part alone asks for them: without it the others answer another question, and are not handed over."""
    server.set(script=["500"])

    async def run() -> None:
        async with opened(max_n=1, attempts=1, max_in_flight=1) as engine:
            with pytest.raises(EngineError) as caught:
                await engine.generate(ask("a b", n=2, prompt_logprobs=0))
            assert not isinstance(caught.value, PartlyAnswered)

    asyncio.run(run())


@pytest.mark.parametrize("n", [1, 4])
def test_requests_are_counted_as_made(opened: Opened, ask: Ask, n: int) -> None:
    """A budget of requests is one of requests to the server, however many samples each asks for."""

    async def run() -> list[int]:
        async with opened() as whole, opened(max_n=1) as split:
            return [(await engine.generate(ask(n=n))).requests for engine in (whole, split)]

    assert asyncio.run(run()) == [1, n]


def test_greedy_samples_cost_what_is_counted(opened: Opened, server: Any, ask: Ask) -> None:
    """Each is drawn by the server, so each is counted, as a sample and as a request."""

    async def run() -> Completions:
        async with opened() as engine:
            return await engine.generate(ask(n=3, temperature=0))

    answer = asyncio.run(run())
    assert answer.requests == server.stats()["requests"] == 3


def test_copies_are_asked_for_alone(
    opened: Opened, server: Any, ask: Ask, expected: Expected, caplog: pytest.LogCaptureFixture
) -> None:
    """A server that draws all samples of a request with one seed gives one sample n times: not n that agree."""
    server.set(one_seed=True)

    async def run() -> list[Completions]:
        async with opened() as engine:
            return [await engine.generate(ask(f"{i}", n=3)) for i in range(2)]

    first, second = asyncio.run(run())
    assert texts(first) == expected(ask("0", n=3))
    assert texts(second) == expected(ask("1", n=3))
    assert [body["n"] for body in server.bodies()] == [3, 1, 1, 1, 1, 1]
    assert "copies of one sample" in caplog.text


def test_copies_are_paid_for(opened: Opened, server: Any, ask: Ask, tmp_path: Path) -> None:
    """They are no samples, but tokens that the model generated: in the store's count as in the cost."""
    server.set(one_seed=True)
    path = tmp_path / "s.sqlite"

    async def run() -> Completions:
        async with opened(prices=PAID) as engine:
            store = RolloutStore(BudgetedEngine(engine, max_tokens=10**6), path, run_id="r")
            answer = await store.generate(ask(n=3))
            await store.close()
            return answer

    answer = asyncio.run(run())
    kept = sum(sample.completion_tokens for sample in answer.samples)
    used = read_progress(path, "r")
    assert used.engine_samples == 3
    assert used.completion_tokens == used.cost == kept + 2 * answer.samples[0].completion_tokens


def test_a_server_that_draws_apart_is_believed(opened: Opened, server: Any, ask: Ask) -> None:
    """Once it has, equal texts are equal samples, and are not asked for again."""

    async def run() -> list[Completions]:
        async with opened() as engine:
            return [await engine.generate(request) for request in (ask(n=3), ask(n=3, **CERTAIN))]

    _, equal = asyncio.run(run())
    assert texts(equal) == [""] * 3
    assert [body["n"] for body in server.bodies()] == [3, 3]


def test_equal_samples_that_are_no_copies(opened: Opened, server: Any, ask: Ask) -> None:
    """A model that is certain says the same when asked again, and the server is still asked for several at once."""

    async def run() -> list[Completions]:
        async with opened() as engine:
            return [await engine.generate(request) for request in (ask(n=3, **CERTAIN), ask("other", n=3))]

    equal, other = asyncio.run(run())
    assert texts(equal) == [""] * 3
    assert len(set(texts(other))) == 3
    assert [body["n"] for body in server.bodies()] == [3, 1, 1, 3]
