"""The public fake: deterministic, countable, and as slow or broken as a test wants it."""

from __future__ import annotations

import asyncio
import pickle
import random
import time
from collections.abc import Callable

import pytest

from steplabel.engines import Completion, GenerateRequest, Prompt, ScriptedEngine, ScriptedSpec
from steplabel.schemas import (
    ConfigError,
    ContentPart,
    EngineClosed,
    EngineError,
    FinishReason,
    Message,
    ModelIdentity,
    Role,
    derive_seed,
)

Ask = Callable[..., GenerateRequest]


def dice(request: GenerateRequest, index: int, seed: int) -> str:
    return f"{index} rolls {random.Random(seed).randint(1, 6)}"


def test_samples_have_their_own_seeds(ask: Ask) -> None:
    """Sample i is drawn with derive_seed(seed, i), whatever the request's start and n."""

    async def run() -> None:
        engine = ScriptedEngine(dice)
        whole = await engine.generate(ask(n=8, seed=4))
        tail = await engine.generate(ask(n=3, start=5, seed=4))
        assert whole.samples[5:] == tail.samples
        assert whole.samples[2].text == dice(ask(), 2, derive_seed(4, 2))
        assert (engine.calls, engine.samples, engine.in_flight) == (2, 11, 0)

    asyncio.run(run())


def test_completions_are_taken_as_they_are(ask: Ask) -> None:
    """A function may say everything about a sample but its index."""
    said = Completion(
        index=-1,
        text="x",
        finish_reason=FinishReason.LENGTH,
        token_ids=(1, 2),
        completion_tokens=9,
        cumulative_logprob=-1.5,
    )
    answer = asyncio.run(ScriptedEngine(lambda *_: said).generate(ask(n=1, start=3)))
    (sample,) = answer.samples
    assert (sample.index, sample.finish_reason, sample.completion_tokens) == (3, FinishReason.LENGTH, 9)
    assert (sample.token_ids, sample.cumulative_logprob) == ((1, 2), -1.5)


@pytest.mark.parametrize(("text", "tokens"), [("", 1), ("one", 1), ("one two\nthree", 3)])
def test_words_are_tokens(ask: Ask, text: str, tokens: int) -> None:
    """A text costs as many tokens as it has words, at least one."""
    (sample,) = asyncio.run(ScriptedEngine(lambda *_: text).generate(ask())).samples
    assert (sample.completion_tokens, sample.finish_reason) == (tokens, FinishReason.STOP)


def test_errors_reach_the_caller(ask: Ask) -> None:
    """A function plays a failing model by raising; the next request works."""
    failing = [True]

    def function(request: GenerateRequest, index: int, seed: int) -> str:
        if failing.pop() if failing else False:
            raise EngineError("busy")
        return "ok"

    async def run() -> None:
        engine = ScriptedEngine(function)
        with pytest.raises(EngineError, match="busy"):
            await engine.generate(ask())
        assert (await engine.generate(ask())).samples[0].text == "ok"
        assert engine.in_flight == 0

    asyncio.run(run())


def test_slots_bound_what_runs_at_once(ask: Ask) -> None:
    """Four slots, twenty samples of 20 ms in requests of two: five rounds, never more than two requests."""
    running, most = 0, 0

    async def latency(_: GenerateRequest) -> None:
        nonlocal running, most
        running += 1
        most = max(most, running)
        await asyncio.sleep(0.02)
        running -= 1

    async def run() -> float:
        engine = ScriptedEngine(dice, latency=latency, slots=4)
        begin = time.perf_counter()
        await asyncio.gather(*(engine.generate(ask(n=2, seed=i)) for i in range(10)))
        assert engine.peak == 10
        return time.perf_counter() - begin

    assert asyncio.run(run()) >= 0.1
    assert most == 2


def test_cancelled_request_gives_its_slots_back(ask: Ask) -> None:
    """Waiting or running, what is cancelled holds nothing; a request wider than all slots takes them all."""

    async def run() -> None:
        engine = ScriptedEngine(dice, latency=lambda _: asyncio.sleep(30), slots=2)
        running = asyncio.create_task(engine.generate(ask(n=5)))
        waiting = asyncio.create_task(engine.generate(ask(n=1)))
        await asyncio.sleep(0.01)
        for task in (waiting, running):
            task.cancel()
        await asyncio.gather(running, waiting, return_exceptions=True)
        engine._latency = None
        await asyncio.wait_for(engine.generate(ask(n=2)), timeout=5)

    asyncio.run(run())


def test_close_fails_what_comes_and_what_waits(ask: Ask) -> None:
    """EngineClosed for both; closing twice is fine."""

    async def run() -> None:
        engine = ScriptedEngine(dice, latency=lambda _: asyncio.sleep(0.02))
        waiting = asyncio.create_task(engine.generate(ask()))
        await asyncio.sleep(0)
        await engine.close()
        await engine.close()
        for request in (waiting, engine.generate(ask())):
            with pytest.raises(EngineClosed):
                await request

    asyncio.run(run())


def test_identities_tell_functions_apart() -> None:
    """Two functions never share a store's keys by accident; a given identity is kept."""
    one = ScriptedEngine(dice).identity
    assert one == ScriptedEngine(dice).identity
    assert one.id != ScriptedEngine(lambda *_: "x").identity.id
    assert ScriptedEngine(dice, identity=ModelIdentity(name="me")).identity.name == "me"


def test_render_shows_turns() -> None:
    """Messages become lines of role and text; the prefix follows."""
    turn = Message(role=Role.USER, parts=(ContentPart(text="hi "), ContentPart(text="you")))
    request = GenerateRequest(prompt=Prompt(messages=(turn,)), prefix="so")
    assert ScriptedEngine(dice).render(request).text == "user: hi you\nso"


def test_bad_slots() -> None:
    """Zero slots would wait for ever."""
    with pytest.raises(ConfigError, match="slots=0"):
        ScriptedEngine(dice, slots=0)


def test_spec_travels_and_takes_arguments(ask: Ask) -> None:
    """By import path, pickled, hashable; arguments reach the function and the identity."""
    spec = ScriptedSpec(function="json:dumps", arguments={"indent": 2, "default": None})  # type: ignore[arg-type]
    copy = pickle.loads(pickle.dumps(spec))
    assert (copy, hash(copy)) == (spec, hash(spec))
    assert spec.arguments == (("default", None), ("indent", 2))
    plain = ScriptedSpec(function="json:dumps")
    assert plain.open().identity == plain.preview().identity != spec.open().identity


def test_spec_calls_the_function(ask: Ask) -> None:
    """What it imports is what answers, with its latency; what is no answer is said to be none."""
    spec = ScriptedSpec(function="builtins:print", latency=0.02)

    async def run() -> float:
        begin = time.perf_counter()
        with pytest.raises(ConfigError, match="not None"):
            await spec.open().generate(ask())
        return time.perf_counter() - begin

    assert asyncio.run(run()) >= 0.02


@pytest.mark.parametrize("path", ["json", "json:", ":dumps", "no_such_module:f", "json:no_such_name", "json:__name__"])
def test_bad_paths(path: str) -> None:
    """A path that leads to no function is the configuration's fault."""
    with pytest.raises(ConfigError):
        ScriptedSpec(function=path).open()
