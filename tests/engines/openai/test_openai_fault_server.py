"""The server that the other tests and the benchmarks believe: its counts, its plan, its command line."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from types import ModuleType
from typing import Any

import pytest

from steplabel.engines import GenerateRequest
from steplabel.engines.openai.engine import OpenAIEngine
from steplabel.engines.openai.requests import seed_of
from steplabel.engines.openai.spec import OpenAISpec
from steplabel.schemas import EngineError

Ask = Callable[..., GenerateRequest]
Opened = Callable[..., AbstractAsyncContextManager[OpenAIEngine]]


def sent(opened: Opened, requests: list[GenerateRequest], **options: Any) -> list[Any]:
    async def run() -> list[Any]:
        async with opened(**options) as engine:
            return await asyncio.gather(*map(engine.generate, requests), return_exceptions=True)

    return asyncio.run(run())


def test_it_counts(opened: Opened, server: Any, ask: Ask) -> None:
    """Requests, the most at once, the mean over time, and each sample handed out, by prompt and seed."""
    server.set(latency=0.2)
    sent(opened, [ask(f"p{i}", n=2) for i in range(8)], max_in_flight=4)
    stats = server.stats()
    assert (stats["requests"], stats["in_flight"], stats["peak"]) == (8, 0, 4)
    assert 0 < stats["mean_in_flight"] <= 4
    assert 0 < stats["mean_in_flight_before_tail"] <= 4
    assert stats["latencies"] == [0.2] * 8
    assert stats["samples"] == {f"p{i}\n{seed_of(0, index)}": 1 for i in range(8) for index in range(2)}


def test_latencies_follow_the_plan(opened: Opened, server: Any, ask: Ask, says: ModuleType) -> None:
    """Which requests are slow depends on prompt and seed alone, so the ideal schedule can be worked out."""
    server.set(latency=0.001, slow=0.002, slow_share=0.3, seed=4)
    settings = says.Settings(latency=0.001, slow=0.002, slow_share=0.3, seed=4)
    sent(opened, [ask(f"p{i}") for i in range(200)])
    planned = [says.planned_latency(f"p{i}", seed_of(0, 0), settings) for i in range(200)]
    assert sorted(server.stats()["latencies"]) == sorted(planned)
    assert 30 < planned.count(0.002) < 90


def test_faults_do_not_depend_on_the_order(opened: Opened, server: Any, ask: Ask) -> None:
    """The same requests, asked in another order and at another width, meet the same faults."""
    requests = [ask(f"p{i}") for i in range(100)]
    kinds = ["500", "empty", "garbage", "truncated"]

    def failed(order: list[GenerateRequest], width: int) -> tuple[set[str], dict[str, int]]:
        server.set(faults=0.3, kinds=kinds, seed=9)
        ended = zip(order, sent(opened, order, attempts=1, max_in_flight=width), strict=True)
        lost = {request.prompt.text for request, end in ended if isinstance(end, EngineError)}
        return lost, server.stats()["faults"]

    first = failed(requests, 10)
    assert failed(requests[::-1], 3) == first
    assert set(first[1]) == set(kinds)
    assert 15 <= len(first[0]) <= 45


def test_answers_are_right_in_six_of_ten(says: ModuleType) -> None:
    """A checker can tell them apart; each sum in them holds."""
    texts = [(f"p{i}", says.completion_text(f"p{i}", seed)) for i in range(50) for seed in range(20)]
    right = sum(says.answer_of(text) == says.gold_answer(prompt) for prompt, text in texts)
    assert 0.5 < right / len(texts) < 0.7
    for _, text in texts:
        for line in text.splitlines()[:2]:
            total, said = line.split(" = ")
            assert sum(map(int, total.split(" + "))) == int(said)
    assert max(Counter(text for _, text in texts).values()) == 1


def test_the_command_line(own_server: Any, spec: Callable[..., OpenAISpec], ask: Ask) -> None:
    """It prints its port and does what it was told."""
    with own_server("--faults", "1", "--kinds", "500,503", "--seed", "1") as url:
        engine = spec(url=url, attempts=1).open()
        with pytest.raises(EngineError, match=r"answered 50[03]"):
            asyncio.run(engine.generate(ask()))
        asyncio.run(engine.close())
