"""The engine against a server that answers well: samples, seeds, accounting, modes."""

from __future__ import annotations

import asyncio
import itertools
import threading
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from types import ModuleType
from typing import Any

import pytest

from steplabel.engines import Completions, GenerateRequest, Prompt
from steplabel.engines.openai.engine import OpenAIEngine
from steplabel.engines.openai.prices import TokenPrices
from steplabel.engines.openai.spec import OpenAISpec
from steplabel.schemas import ConfigError, ContentPart, DataError, EngineClosed, FinishReason, Message, PartKind, Role

Ask = Callable[..., GenerateRequest]
Opened = Callable[..., AbstractAsyncContextManager[OpenAIEngine]]
Expected = Callable[[GenerateRequest], list[str]]


def texts(answer: Completions) -> list[str]:
    return [sample.text for sample in answer.samples]


def answered(opened: Opened, request: GenerateRequest, **options: Any) -> Completions:
    """One request to a fresh engine."""

    async def run() -> Completions:
        async with opened(**options) as engine:
            return await engine.generate(request)

    return asyncio.run(run())


def chat(*turns: tuple[Role, str]) -> Prompt:
    return Prompt(messages=tuple(Message(role=role, parts=(ContentPart(text=text),)) for role, text in turns))


def test_samples_are_the_servers(opened: Opened, ask: Ask, expected: Expected) -> None:
    """n samples in the order of their index, each with its own text, and the prefix behind the prompt."""
    request = ask("one?", prefix="It is", n=4, seed=5)
    answer = answered(opened, request)
    assert texts(answer) == expected(request)
    assert [sample.index for sample in answer.samples] == [0, 1, 2, 3]
    assert {sample.finish_reason for sample in answer.samples} == {FinishReason.STOP}
    assert len(set(texts(answer))) == 4


def test_six_and_then_two_are_eight(opened: Opened, ask: Ask) -> None:
    """Samples do not depend on how they are asked for."""

    async def run() -> None:
        async with opened() as engine:
            eight = await engine.generate(ask(n=8))
            six, two = await engine.generate(ask(n=6)), await engine.generate(ask(n=2, start=6))
            assert (*six.samples, *two.samples) == eight.samples
            assert (await engine.generate(ask(n=8, seed=1))).samples != eight.samples

    asyncio.run(run())


@pytest.mark.parametrize("max_n", [1, 3, 8, 100])
def test_max_n_splits_a_request(opened: Opened, server: Any, ask: Ask, expected: Expected, max_n: int) -> None:
    """A server that takes fewer samples at a time is asked more often, for the same samples."""
    request = ask(n=8, start=2)
    answer = answered(opened, request, max_n=max_n)
    assert texts(answer) == expected(request)
    assert sorted(body["n"] for body in server.bodies()) == sorted(min(max_n, 8 - at) for at in range(0, 8, max_n))


def test_greedy_samples_are_asked_one_by_one(opened: Opened, server: Any, ask: Ask) -> None:
    """vLLM refuses several greedy samples in one request."""
    assert len(answered(opened, ask(n=3, temperature=0)).samples) == 3
    assert [body["n"] for body in server.bodies()] == [1, 1, 1]


def test_accounting_with_token_ids(opened: Opened, ask: Ask) -> None:
    """Token ids make counts exact: the end token is counted, and left out of the ids."""
    answer = answered(opened, ask("a b c d", n=3), prices=TokenPrices(prompt=1.0, cached_prompt=0.5, completion=2.0))
    assert (answer.prompt_tokens, answer.cached_tokens) == (4, 2)
    for sample in answer.samples:
        assert len(sample.token_ids) == sample.completion_tokens - 1
        assert 2 not in sample.token_ids
    completion = sum(sample.completion_tokens for sample in answer.samples)
    assert answer.cost == pytest.approx((2 * 1.0 + 2 * 0.5 + completion * 2.0) / 1e6)


def test_accounting_without_token_ids(opened: Opened, server: Any, ask: Ask) -> None:
    """Without ids the stated total is split between the samples: the sum is exact."""
    exact = answered(opened, ask(n=5))
    shared = answered(opened, ask(n=5), token_ids=False)
    assert sum(s.completion_tokens for s in shared.samples) == sum(s.completion_tokens for s in exact.samples)
    assert all(sample.completion_tokens > 0 and not sample.token_ids for sample in shared.samples)
    assert "return_token_ids" not in server.bodies()[-1]


def test_cost_of_a_split_request_counts_every_prompt(opened: Opened, ask: Ask) -> None:
    """Each HTTP request pays for the prompt again; prompt tokens are still those of one prompt."""
    answer = answered(opened, ask("a b c d", n=3), max_n=1, prices=TokenPrices(prompt=1e6))
    assert (answer.prompt_tokens, answer.cost) == (4, 12.0)


def test_length_and_stop(opened: Opened, ask: Ask, expected: Expected) -> None:
    """A text cut by its limit says so and keeps all its ids; a stop text is cut, or kept if asked for."""
    cut = answered(opened, ask(max_tokens=3)).samples[0]
    assert (cut.finish_reason, cut.completion_tokens, len(cut.token_ids)) == (FinishReason.LENGTH, 3, 3)
    whole = expected(ask())[0]
    for include in (False, True):
        stopped = answered(opened, ask(stop=("\nAnswer",), include_stop=include)).samples[0]
        assert stopped.text == whole.split("\nAnswer")[0] + "\nAnswer" * include
        assert stopped.finish_reason is FinishReason.STOP
        assert len(stopped.token_ids) == stopped.completion_tokens


def test_logprobs(opened: Opened, ask: Ask) -> None:
    """Summed over the generated tokens, and over the prompt's; None unless asked for."""
    plain = answered(opened, ask("a b c", n=2))
    assert [s.cumulative_logprob for s in plain.samples] == [None, None]
    assert plain.prompt_logprob is None
    asked = answered(opened, ask("a b c", n=2, logprobs=1, prompt_logprobs=1))
    assert [s.cumulative_logprob for s in asked.samples] == [-0.25 * s.completion_tokens for s in asked.samples]
    assert asked.prompt_logprob == -1.0


def test_prompt_logprobs_are_asked_once(opened: Opened, server: Any, ask: Ask) -> None:
    """They bypass the server's prefix cache, so one part of a split request is enough."""
    answer = answered(opened, ask("a b c", n=3, prompt_logprobs=0), max_n=1)
    assert answer.prompt_logprob == -1.0
    assert sum("prompt_logprobs" in body for body in server.bodies()) == 1


def test_chat_mode(opened: Opened, server: Any, ask: Ask, says: ModuleType) -> None:
    """Messages go as they are; a prefix is the assistant's last message, to be continued."""
    prompt = chat((Role.SYSTEM, "Be brief."), (Role.USER, "one?"))
    answer = answered(opened, ask(prompt=prompt, prefix="It is", n=2, logprobs=0), mode="chat")
    (body,) = server.bodies()
    assert body["path"] == "/v1/chat/completions"
    assert body["messages"] == [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "one?"},
        {"role": "assistant", "content": "It is"},
    ]
    assert (body["continue_final_message"], body["add_generation_prompt"]) == (True, False)
    key = "system: Be brief.\nuser: one?\nassistant: It is\n"
    assert texts(answer) == [says.completion_text(key, body["seed"] + i) for i in range(2)]
    assert all(sample.cumulative_logprob == -0.25 * sample.completion_tokens for sample in answer.samples)


def test_chat_without_prefix_or_messages(opened: Opened, server: Any, ask: Ask) -> None:
    """Plain text is one turn of the user; without a prefix nothing is to be continued."""
    answered(opened, ask("one?"), mode="chat")
    (body,) = server.bodies()
    assert body["messages"] == [{"role": "user", "content": "one?"}]
    assert "continue_final_message" not in body


def test_chat_prompt_logprobs(opened: Opened, ask: Ask) -> None:
    """vLLM's chats give them too."""
    assert answered(opened, ask("a b", prompt_logprobs=1), mode="chat").prompt_logprob == -1.0


def test_messages_need_a_template(opened: Opened, server: Any, ask: Ask) -> None:
    """In completions mode without a tokenizer nobody could render them: refused before anything is sent."""
    with pytest.raises(ConfigError, match=r"tokenizer=.*mode=chat"):
        answered(opened, ask(prompt=chat((Role.USER, "one?"))))
    assert server.stats()["requests"] == 0


@pytest.mark.parametrize("mode", ["completions", "chat"])
def test_lone_surrogates_are_refused(opened: Opened, ask: Ask, mode: str) -> None:
    """No server could be sent them."""
    with pytest.raises(DataError, match="surrogate"):
        answered(opened, ask("a\ud800"), mode=mode)


def test_images_are_refused(opened: Opened, ask: Ask) -> None:
    """This engine sends text only."""
    image = ContentPart(kind=PartKind.IMAGE, sha256="0" * 64)
    prompt = Prompt(messages=(Message(role=Role.USER, parts=(image,)),))
    with pytest.raises(ConfigError, match="image"):
        answered(opened, ask(prompt=prompt), mode="chat")


@pytest.mark.parametrize(
    "text", ["", "ASCII", "naïve café", "日本語\u2028", "\N{OLD ITALIC LETTER A}" * 3, '"\\\x00\x1f\r\n\t'], ids=repr
)
def test_text_arrives_unchanged(opened: Opened, server: Any, ask: Ask, expected: Expected, text: str) -> None:
    """Whatever the characters, the server gets them, and what it says about them comes back."""
    request = ask("?", prefix=text)
    assert texts(answered(opened, request)) == expected(request)
    assert server.bodies()[-1]["prompt"] == "?" + text


def test_five_megabytes(opened: Opened, server: Any, ask: Ask) -> None:
    """A large answer is an answer."""
    server.set(script=["huge"])
    assert texts(answered(opened, ask())) == ["é" * 2_500_000]


def test_many_requests_share_connections(opened: Opened, server: Any, ask: Ask, expected: Expected) -> None:
    """300 requests, 40 at a time: never more in flight, each with its own answer."""
    server.set(latency=0.02)
    requests = [ask(f"problem {i}") for i in range(300)]

    async def run() -> list[Completions]:
        async with opened(max_in_flight=40) as engine:
            return await asyncio.gather(*map(engine.generate, requests))

    answers = asyncio.run(run())
    assert [texts(answer) for answer in answers] == [expected(request) for request in requests]
    assert server.stats()["peak"] <= 40


def test_cancelling_closes_the_connection(opened: Opened, server: Any, ask: Ask) -> None:
    """The server sees that the client has left, and the slot is free for the next."""
    server.set(latency=30.0)

    async def run() -> None:
        async with opened(max_in_flight=1) as engine:
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.5):
                    await engine.generate(ask())
            for _ in range(100):
                if server.stats()["in_flight"] == 0:
                    break
                await asyncio.sleep(0.05)
            assert server.stats()["in_flight"] == 0
            server.set()
            assert len((await engine.generate(ask())).samples) == 1

    asyncio.run(run())


def test_cancelling_a_request_that_waits_for_its_turn(opened: Opened, server: Any, ask: Ask) -> None:
    """It leaves the queue; those behind it move up."""
    server.set(latency=1.0)

    async def run() -> list[Any]:
        async with opened(max_in_flight=1) as engine:
            tasks = [asyncio.create_task(engine.generate(ask(f"{i}"))) for i in range(3)]
            while server.stats()["requests"] == 0:
                await asyncio.sleep(0.01)
            tasks[1].cancel()
            return await asyncio.gather(*tasks, return_exceptions=True)

    first, second, third = asyncio.run(run())
    assert isinstance(second, asyncio.CancelledError)
    assert isinstance(first, Completions)
    assert isinstance(third, Completions)
    assert server.stats()["requests"] == 2


def test_close_ends_what_is_under_way(opened: Opened, server: Any, ask: Ask) -> None:
    """In flight, waiting for a turn, waiting to ask again, or coming later: all fail with EngineClosed."""
    server.set(latency=30.0, script=["503"])

    async def run() -> list[Any]:
        async with opened(max_in_flight=2) as engine:
            tasks = [
                asyncio.create_task(
                    engine.generate(
                        ask(f"{i}", n=2),
                    )
                )
                for i in range(6)
            ]
            await asyncio.sleep(0.2)
            await asyncio.wait_for(engine.close(), 5)
            results = await asyncio.wait_for(asyncio.gather(*tasks, return_exceptions=True), 5)
            await engine.close()
            with pytest.raises(EngineClosed):
                await engine.generate(ask())
            return results

    assert {type(result) for result in asyncio.run(run())} == {EngineClosed}


@pytest.mark.filterwarnings("error")
def test_nothing_is_left_open(opened: Opened, server: Any, ask: Ask, recwarn: pytest.WarningsRecorder) -> None:
    """No warning of unclosed sessions or sockets, after answers, failures and cancellations alike."""
    server.set(script=["ok", "reset", "ok", "400"])

    async def run() -> None:
        async with opened() as engine:
            await engine.generate(ask())
            await engine.generate(ask())
            with pytest.raises(ConfigError):
                await engine.generate(ask())

    asyncio.run(run(), debug=True)
    import gc

    gc.collect()
    assert [str(w.message) for w in recwarn if issubclass(w.category, ResourceWarning)] == []


def test_two_event_loops(spec: Callable[..., OpenAISpec], ask: Ask, expected: Expected) -> None:
    """Threads with loops of their own share one engine; closing it from one closes all."""
    engine = spec().open()
    done: list[list[str]] = []
    barrier, closed = threading.Barrier(3), threading.Event()

    async def use() -> None:
        done.append(texts(await engine.generate(ask("shared"))))
        barrier.wait()
        while not closed.is_set():
            await asyncio.sleep(0.01)
        with pytest.raises(EngineClosed):
            await engine.generate(ask())

    threads = [threading.Thread(target=asyncio.run, args=(use(),)) for _ in range(2)]
    for thread in threads:
        thread.start()
    barrier.wait()
    asyncio.run(engine.close())
    closed.set()
    for thread in threads:
        thread.join(20)
    assert done == [expected(ask("shared"))] * 2


def test_a_loop_after_another(spec: Callable[..., OpenAISpec], ask: Ask, expected: Expected) -> None:
    """A loop that ended without closing the engine leaves nothing that the next one would trip over."""
    engine = spec().open()
    for i in range(3):
        assert texts(asyncio.run(engine.generate(ask(f"{i}")))) == expected(ask(f"{i}"))
    asyncio.run(engine.close())


def test_no_sample_twice(opened: Opened, server: Any, ask: Ask) -> None:
    """Whatever the faults: as many texts as samples, each drawn with its own seed."""
    server.set(faults=0.5, kinds=["wrong_n", "empty", "truncated", "500", "one", "abort", "repeated"], seed=3)

    async def run() -> list[Completions]:
        async with opened(attempts=20) as engine:
            return await asyncio.gather(*(engine.generate(ask(f"p{i}", n=1 + i % 8)) for i in range(60)))

    answers = asyncio.run(run())
    for answer, wanted in zip(answers, itertools.cycle(range(1, 9)), strict=False):
        assert [sample.index for sample in answer.samples] == list(range(wanted))
        assert len(set(texts(answer))) == wanted
