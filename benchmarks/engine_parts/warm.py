"""An engine that stays open from one measurement to the next, and writes down what it was asked.

A run opens its model itself and closes it at its end; loading is not what is measured here. So the model is
opened once, and runs are given a `WarmSpec`, which finds it by name in this module.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from uuid import uuid4

from steplabel.engines import Completions, Engine, GenerateRequest, RenderedPrompt
from steplabel.schemas import ModelIdentity

_open: dict[str, WarmEngine] = {}


class WarmEngine:
    """Passes everything on but `close`. `requests` and `tokens`: asked and generated since `forget`."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.requests: list[GenerateRequest] = []
        self.tokens = self.samples = 0

    @property
    def identity(self) -> ModelIdentity:
        """That of the engine inside."""
        return self.engine.identity

    def render(self, request: GenerateRequest) -> RenderedPrompt:
        """As the engine inside."""
        return self.engine.render(request)

    async def generate(self, request: GenerateRequest) -> Completions:
        """Pass on and count."""
        self.requests.append(request)
        answer = await self.engine.generate(request)
        self.samples += len(answer.samples)
        self.tokens += sum(sample.completion_tokens for sample in answer.samples)
        return answer

    async def close(self) -> None:
        """Stay open: the engine belongs to the benchmark."""

    def forget(self) -> None:
        """Start counting anew."""
        self.requests, self.tokens, self.samples = [], 0, 0


@dataclass(frozen=True, slots=True, kw_only=True)
class WarmSpec:
    """Finds an open engine of this process by its name."""

    name: str

    def open(self) -> WarmEngine:
        """The engine that `kept_warm` keeps."""
        return _open[self.name]

    def preview(self) -> WarmEngine:
        """The same."""
        return _open[self.name]


@contextmanager
def kept_warm(engine: Engine) -> Iterator[tuple[WarmEngine, WarmSpec]]:
    """Keep an engine open for runs of this process; it is closed when the block ends."""
    warm, spec = WarmEngine(engine), WarmSpec(name=uuid4().hex)
    _open[spec.name] = warm
    try:
        yield warm, spec
    finally:
        del _open[spec.name]
        asyncio.run(engine.close())


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What came of sending requests straight to an engine."""

    wall_s: float
    cpu_s: float
    samples: int
    tokens: int
    prompt_tokens: int
    cached_tokens: int


async def ask_all(engine: Engine, wanted: Sequence[GenerateRequest]) -> Asked:
    """Ask everything at once: the engine alone decides what waits. Seconds of wall and of this process."""
    wall, cpu = time.perf_counter(), time.process_time()
    answers = await asyncio.gather(*(engine.generate(request) for request in wanted))
    samples = [sample for answer in answers for sample in answer.samples]
    return Asked(
        wall_s=time.perf_counter() - wall,
        cpu_s=time.process_time() - cpu,
        samples=len(samples),
        tokens=sum(sample.completion_tokens for sample in samples),
        prompt_tokens=sum(answer.prompt_tokens for answer in answers),
        cached_tokens=sum(answer.cached_tokens for answer in answers),
    )
