"""The public fake: a plain function that plays the model. Tests, examples and the README run on it.

`function(request, index, seed)` writes one sample; `seed` is that sample's own, so a function that draws from
`random.Random(seed)` is reproducible whatever else runs beside it. Given latency and slots, the engine
behaves like a busy server, for measuring schedulers without a model.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import nullcontext
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, TypeAlias

from steplabel.engines.port import Completion, Completions, GenerateRequest, Prompt, RenderedPrompt
from steplabel.schemas import (
    ConfigError,
    EngineClosed,
    FinishReason,
    ModelIdentity,
    content_id,
    derive_seed,
)
from steplabel.schemas.named import named_function

ScriptFunction: TypeAlias = Callable[[GenerateRequest, int, int], "str | Completion"]
Latency: TypeAlias = Callable[[GenerateRequest], Awaitable[None]]


def plain_text(prompt: Prompt) -> str:
    """A prompt as text for engines without a chat template: turns as `role: text` lines."""
    if prompt.text:
        return prompt.text
    return "".join(f"{m.role}: {''.join(part.text for part in m.parts)}\n" for m in prompt.messages)


class ScriptedEngine:
    """Answers every sample with `function(request, index, seed)`.

    A text it returns counts as finished by `stop`, and costs as many tokens as it has words (at least one). A
    `Completion` is taken as it is, its index set. What it raises is raised to the caller: EngineError plays a
    failing model.

    Attributes:
        calls: requests so far. `samples`: samples so far. `in_flight`, `peak`: requests being answered, now
            and at most.

    Args:
        identity: who it claims to be. By default the name `scripted`, told apart by the function's own name.
        latency: awaited for each request while it holds its slots.
        slots: samples answered at the same time, None for no bound; a request of more samples than slots
            takes them all.
    """

    def __init__(
        self,
        function: ScriptFunction,
        *,
        identity: ModelIdentity | None = None,
        latency: Latency | None = None,
        slots: int | None = None,
    ) -> None:
        if slots is not None and slots < 1:
            raise ConfigError(f"slots={slots} must be at least 1, or None for no bound")
        self.calls = self.samples = self.in_flight = self.peak = 0
        self._function = function
        self._identity = identity or ModelIdentity(name="scripted", weights=_function_name(function))
        self._latency = latency
        self._slots = _Slots(slots) if slots else None
        self._closed = False

    @property
    def identity(self) -> ModelIdentity:
        """The identity given, or one made of the function's name."""
        return self._identity

    def render(self, request: GenerateRequest) -> RenderedPrompt:
        """Prompt and prefix as text; this engine has no tokens."""
        return RenderedPrompt(text=plain_text(request.prompt) + request.prefix)

    async def generate(self, request: GenerateRequest) -> Completions:
        """Call the function for each sample; raises what it raises, and EngineClosed after `close`."""
        self._check_open()
        self.calls += 1
        self.samples += request.n
        self.in_flight += 1
        self.peak = max(self.peak, self.in_flight)
        try:
            async with self._slots.taken(request.n) if self._slots else nullcontext():
                if self._latency:
                    await self._latency(request)
                self._check_open()
                return self._answer(request)
        finally:
            self.in_flight -= 1

    async def close(self) -> None:
        """Refuse further requests; those that wait for a slot or their latency fail too."""
        self._closed = True

    def _answer(self, request: GenerateRequest) -> Completions:
        indices = range(request.start, request.start + request.n)
        samples = tuple(self._sample(request, index) for index in indices)
        return Completions(samples=samples, prompt_tokens=len(self.render(request).text.split()))

    def _sample(self, request: GenerateRequest, index: int) -> Completion:
        said = self._function(request, index, derive_seed(request.seed, index))
        if isinstance(said, str):
            return Completion(
                index=index,
                text=said,
                finish_reason=FinishReason.STOP,
                completion_tokens=max(1, len(said.split())),
            )
        if not isinstance(said, Completion):
            raise ConfigError(f"a scripted function must return text or a Completion, not {said!r}")
        return replace(said, index=index)

    def _check_open(self) -> None:
        if self._closed:
            raise EngineClosed("the scripted engine was closed")


class _Slots:
    """A counting semaphore that hands out several at once, first come first served."""

    def __init__(self, count: int) -> None:
        self._count = count
        self._free = count
        self._changed = asyncio.Condition()
        self._turn = asyncio.Lock()

    def taken(self, wanted: int) -> _Taken:
        return _Taken(self, min(wanted, self._count))

    async def take(self, count: int) -> None:
        # The lock keeps a wide request from being overtaken for ever by narrow ones.
        async with self._turn, self._changed:
            await self._changed.wait_for(lambda: self._free >= count)
            self._free -= count

    async def give(self, count: int) -> None:
        async with self._changed:
            self._free += count
            self._changed.notify_all()


@dataclass(slots=True)
class _Taken:
    slots: _Slots
    count: int

    async def __aenter__(self) -> None:
        await self.slots.take(self.count)

    async def __aexit__(self, *_: object) -> None:
        await asyncio.shield(self.slots.give(self.count))


def _function_name(function: ScriptFunction) -> str:
    if isinstance(function, partial):
        return f"{_function_name(function.func)}:{content_id('arguments', function.args, function.keywords)}"
    return f"{getattr(function, '__module__', '')}:{getattr(function, '__qualname__', type(function).__name__)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ScriptedSpec:
    """A scripted engine by import path, so that it travels to worker processes.

    Attributes:
        function: `package.module:function`.
        arguments: further keyword arguments of the function, as (name, value) pairs; values must be hashable
            and have a JSON form. A mapping is taken too, and kept as sorted pairs.
        latency: seconds each request takes.
        slots: as in `ScriptedEngine`.
        name: the identity's name.
    """

    function: str
    arguments: tuple[tuple[str, Any], ...] = ()
    latency: float = 0.0
    slots: int | None = None
    name: str = "scripted"
    licence: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "arguments", tuple(sorted(dict(self.arguments).items())))
        module, _, attribute = self.function.partition(":")
        if not module or not attribute:
            raise ConfigError(f"scripted function {self.function!r} must read 'package.module:function'")

    def open(self) -> ScriptedEngine:
        """Import the function.

        Raises:
            ConfigError: there is no such module or function.
        """
        return ScriptedEngine(
            partial(named_function(self.function, what="the scripted function"), **dict(self.arguments)),
            identity=self._identity(),
            latency=partial(_sleep, self.latency) if self.latency else None,
            slots=self.slots,
        )

    def preview(self) -> ScriptedEngine:
        """Identity and rendering; here the engine itself, which costs nothing."""
        return self.open()

    def _identity(self) -> ModelIdentity:
        arguments = f":{content_id('arguments', self.arguments)}" if self.arguments else ""
        return ModelIdentity(name=self.name, weights=self.function + arguments, licence=self.licence)


async def _sleep(seconds: float, _: GenerateRequest) -> None:
    await asyncio.sleep(seconds)
