"""Thousands of requests through the driver to a server that fails one in ten: nothing is lost, doubled or made up."""

from __future__ import annotations

import asyncio
import sys
import time
from collections import Counter
from collections.abc import Callable, Generator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import pytest

from steplabel.annotators import Finished, drive
from steplabel.engines import Completion, Completions, GenerateRequest
from steplabel.engines.openai.requests import seed_of
from steplabel.engines.openai.spec import OpenAISpec
from steplabel.schemas import EngineError

PROGRAMS, QUESTIONS = 700, 4
IN_FLIGHT = 256
OPTIONS = ("--latency", "0.2", "--slow-share", "0.05", "--slow", "0.8")
FAULTS = ("--faults", "0.1", "--seed", "7")
Ask = Callable[..., GenerateRequest]
OwnServer = Callable[..., AbstractContextManager[str]]


@dataclass(frozen=True)
class Question:
    """An effect: ask this."""

    request: GenerateRequest


@dataclass(frozen=True)
class Learnt:
    """What one program has: samples by (question, index), and how many questions failed."""

    samples: dict[tuple[int, int], Completion]
    unknown: int


def program(requests: list[GenerateRequest]) -> Generator[Question, Completions, Learnt]:
    """Ask one question after the other; what fails is unknown."""
    samples: dict[tuple[int, int], Completion] = {}
    unknown = 0
    for number, request in enumerate(requests):
        try:
            answer = yield Question(request)
        except EngineError:
            unknown += 1
        else:
            for sample in answer.samples:
                assert (number, sample.index) not in samples
                samples[number, sample.index] = sample
    return Learnt(samples, unknown)


def questions(ask: Ask, key: int) -> list[GenerateRequest]:
    return [
        ask(f"problem {key}", prefix=f" step {i}", n=1 + (key + i) % 3, start=i, seed=key) for i in range(QUESTIONS)
    ]


def run(
    url: str, ask: Ask, spec: Callable[..., OpenAISpec], attempts: int
) -> tuple[dict[int, Finished[int, Learnt]], float]:
    """Every program's end, and the seconds all of them took."""
    engine = spec(url=url, attempts=attempts, max_in_flight=IN_FLIGHT, stall_s=1.0).open()
    programs: Any = ((key, program(questions(ask, key))) for key in range(PROGRAMS))

    async def answer(question: Question) -> Completions:
        return await engine.generate(question.request)

    async def everything() -> dict[int, Finished[int, Learnt]]:
        ended = {done.key: done async for done in drive(programs, {Question: answer}, in_flight=IN_FLIGHT)}
        await engine.close()
        return ended

    begin = time.perf_counter()
    return asyncio.run(everything()), time.perf_counter() - begin


def verdicts(says: ModuleType, ask: Ask, ended: dict[int, Finished[int, Learnt]]) -> Counter[bool]:
    """How many samples are right and wrong; each is exactly what the model had to say for its seed."""
    counts: Counter[bool] = Counter()
    for key, done in ended.items():
        assert done.result is not None, done.error
        asked = questions(ask, key)
        for (number, index), sample in done.result.samples.items():
            prompt = asked[number].prompt.text + asked[number].prefix
            assert sample.text == says.completion_text(prompt, seed_of(key, index))
            counts[says.answer_of(sample.text) == says.gold_answer(prompt)] += 1
    return counts


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_thousands_of_requests_with_faults(
    own_server: OwnServer, spec: Callable[..., OpenAISpec], ask: Ask, says: ModuleType
) -> None:
    """Every program ends; no sample is doubled or made up; what only failed is unknown, and counted neither way."""
    wanted = {
        (key, i, at) for key in range(PROGRAMS) for i in range(QUESTIONS) for at in range(i, i + 1 + (key + i) % 3)
    }
    with own_server(*OPTIONS) as url:
        clean, clean_seconds = run(url, ask, spec, attempts=6)
    right_and_wrong = verdicts(says, ask, clean)
    assert right_and_wrong.total() == len(wanted)

    with own_server(*OPTIONS, *FAULTS) as url:
        faulty, faulty_seconds = run(url, ask, spec, attempts=8)
    assert verdicts(says, ask, faulty) == right_and_wrong
    assert {(k, *at) for k, done in faulty.items() for at in done.result.samples} == wanted
    # Shown by `pytest -s`; what it should be, of 10,000 requests, `benchmarks/engines.py --only faults` measures.
    ratio = faulty_seconds / clean_seconds
    sys.stdout.write(f"\nfault-free {clean_seconds:.1f} s, with faults {faulty_seconds:.1f} s: {ratio:.2f} times\n")

    with own_server("--latency", "0.02", *FAULTS) as url:
        impatient, _ = run(url, ask, spec, attempts=1)
    unknown = sum(done.result.unknown for done in impatient.values())
    assert PROGRAMS * QUESTIONS * 0.05 < unknown < PROGRAMS * QUESTIONS * 0.5
    counted = verdicts(says, ask, impatient)
    assert counted[True] <= right_and_wrong[True]
    assert counted[False] <= right_and_wrong[False]
