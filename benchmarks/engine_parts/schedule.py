"""schedule: 2,000 requests to a server of 256 slots, against the best any client of 256 slots could do.

Two baselines: the schedule itself, worked out on paper, which takes no time for anything; and the barest client that
keeps 256 requests in flight, in the same run, which shares this machine's processors with the server as ours does.
"""

from __future__ import annotations

import asyncio
import heapq
import json
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import aiohttp

from engine_parts.choices import SLOTS, fake_server
from steplabel.annotators.driver import drive
from steplabel.annotators.effects import Program, Sample, Samples
from steplabel.engines import RolloutStore
from steplabel.engines.openai.spec import OpenAISpec
from steplabel.schemas import GoldAnswer, Problem, SamplingParams
from steplabel.transforms.prompts import PromptTemplate
from steplabel.transforms.sampler import Sampler
from steplabel.verifiers import AnswerChecker


def ideal_seconds(latencies: Iterable[float], slots: int) -> float:
    """Wall time of requests in this order on so many slots, each taken up the moment a slot is free."""
    free = [0.0] * slots
    for latency in latencies:
        heapq.heapreplace(free, free[0] + latency)
    return max(free)


def schedule(requests: int, latency: float, slow: float, slow_share: float) -> dict[str, Any]:
    """Programs of one question each through driver, answer checker, store and client."""
    settings = {"latency": latency, "slow": slow, "slow_share": slow_share}
    with fake_server() as url, tempfile.TemporaryDirectory() as folder:

        def begin() -> None:
            _call(f"{url}/control", json.dumps(settings).encode())

        begin()
        bare = asyncio.run(_bare(url, requests))
        wall, cpu = asyncio.run(_driven(url, Path(folder) / "rollouts.sqlite", requests, begin))
        stats = json.loads(_call(f"{url}/stats"))
    ideal = ideal_seconds(stats["latencies"], SLOTS)
    return {
        "requests": stats["requests"],
        "wall_s": wall,
        "ideal_s": ideal,
        "ratio_to_ideal": wall / ideal,
        "bare_client_s": bare,
        "ratio_to_bare_client": wall / bare,
        "mean_in_flight_before_tail": stats["mean_in_flight_before_tail"],
        "peak_in_flight": stats["peak"],
        "client_cpu_us_per_request": cpu / requests * 1e6,
    }


def _call(url: str, body: bytes | None = None) -> bytes:
    with urllib.request.urlopen(url, data=body) as answer:  # noqa: S310 - our own server
        found: bytes = answer.read()
    return found


async def _bare(url: str, requests: int) -> float:
    """Seconds of wall that 256 workers need who do nothing but send a body and read the answer."""
    numbers = iter(range(requests))

    async def work(session: aiohttp.ClientSession) -> None:
        for number in numbers:
            body = {"model": "fault-model", "prompt": f"What is {number}?\n", "max_tokens": 64, "seed": number}
            async with session.post(f"{url}/v1/completions", json=body) as answer:
                await answer.json()

    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=SLOTS)) as session:
        start = time.perf_counter()
        await asyncio.gather(*(work(session) for _ in range(SLOTS)))
        return time.perf_counter() - start


async def _driven(url: str, store: Path, requests: int, begin: Callable[[], None]) -> tuple[float, float]:
    """Seconds of wall and of this process's processors, from `begin` to the last answer."""
    engine = RolloutStore(OpenAISpec(url=url, max_in_flight=SLOTS).open(), store)
    handler = Sampler(engine=engine, prompt=PromptTemplate(), checker=AnswerChecker())
    await handler(_question(requests))  # connects, and imports what is imported late
    begin()
    programs = ((number, _program(number)) for number in range(requests))
    wall, cpu = time.perf_counter(), time.process_time()
    async for done in drive(programs, {Sample: handler}, in_flight=2 * SLOTS):
        if done.error is not None:
            raise done.error
    taken = time.perf_counter() - wall, time.process_time() - cpu
    await engine.close()
    return taken


def _question(number: int) -> Sample:
    problem = Problem(id=str(number), text=f"What is {number}?", gold=GoldAnswer(text=str(number)))
    sampling = SamplingParams(max_tokens=64)
    return Sample(problem=problem, node_key=problem.root_key, prefix="", n=1, sampling=sampling, seed=number)


def _program(number: int) -> Program[Samples]:
    answer: Samples = yield _question(number)
    return answer
