"""faults: 10,000 requests to a server that fails one in ten, against the same requests without a fault.

The server answers after a time drawn from the request alone, so both runs wait for the same latencies; it fails by
429, 500, 503, stalls, resets, cut or malformed bodies, wrong `n`, empty choices and another model's name. Programs ask
one question after the other, as searches do, so a request that is asked again holds its program up.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from typing import Any

from engine_parts.choices import SLOTS, fake_server, fault_server
from steplabel.annotators.driver import drive
from steplabel.annotators.effects import Program, Sample, Samples
from steplabel.engines.openai.spec import OpenAISpec
from steplabel.schemas import EngineError, GoldAnswer, Problem, SamplingParams
from steplabel.transforms.prompts import PromptTemplate
from steplabel.transforms.sampler import Sampler
from steplabel.verifiers import AnswerChecker

QUESTIONS = 4  # of each program, one after the other
LATENCY = ("--latency", "0.3", "--slow-share", "0.05", "--slow", "0.8")
STALL_SECONDS = 1.0  # a connection that is silent for so long is given up


def faults(requests: int, share: float) -> dict[str, Any]:
    """Wall times and their ratio; how programs ended; and whether the two runs found the same."""
    clean_s, clean = _measure(requests, 0.0)
    faulty_s, faulty = _measure(requests, share)
    return {
        "requests": requests,
        "fault_share": share,
        "fault_free_s": clean_s,
        "with_faults_s": faulty_s,
        "ratio": faulty_s / clean_s,
        "programs_that_failed": sum(found is None for found in faulty.values()),
        "same_samples_and_outcomes": faulty == clean,
        "outcomes": {str(outcome): n for outcome, n in sorted(_outcomes(faulty).items())},
    }


Found = dict[int, tuple[tuple[str, str], ...] | None]
"""By program: the text and outcome of each of its samples; None where it failed."""


def _measure(requests: int, share: float) -> tuple[float, Found]:
    with fake_server(*LATENCY, "--faults", str(share), "--seed", "7") as url:
        return asyncio.run(_driven(url, requests))


async def _driven(url: str, requests: int) -> tuple[float, Found]:
    engine = OpenAISpec(url=url, attempts=8, max_in_flight=SLOTS, stall_s=STALL_SECONDS).open()
    handler = Sampler(engine=engine, prompt=PromptTemplate(), checker=AnswerChecker())
    programs = ((number, _program(number)) for number in range(requests // QUESTIONS))
    found: Found = {}
    start = time.perf_counter()
    async for done in drive(programs, {Sample: handler}, in_flight=SLOTS):
        if not isinstance(done.error, EngineError | None):
            raise done.error
        found[done.key] = done.result
    wall = time.perf_counter() - start
    await engine.close()
    return wall, found


def _program(number: int) -> Program[tuple[tuple[str, str], ...]]:
    found: list[tuple[str, str]] = []
    for question in range(QUESTIONS):
        text = f"What is {number}+{question}?"
        gold = str(fault_server().gold_answer(PromptTemplate().text.format(problem=text)))
        problem = Problem(id=str(number), text=text, gold=GoldAnswer(text=gold))
        samples: Samples = yield Sample(
            problem=problem,
            node_key=problem.root_key,
            prefix="",
            n=1 + (number + question) % 3,
            sampling=SamplingParams(max_tokens=64),
            seed=number,
        )
        found += [(r.text, str(o.outcome)) for r, o in zip(samples.rollouts, samples.outcomes, strict=True)]
    return tuple(found)


def _outcomes(found: Found) -> Counter[str]:
    return Counter(outcome for samples in found.values() if samples for _, outcome in samples)
