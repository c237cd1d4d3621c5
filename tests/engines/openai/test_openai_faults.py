"""What servers do wrong, one fault at a time, against a real server that does it."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, AbstractContextManager
from email.utils import formatdate
from typing import Any

import pytest

from steplabel.engines import BudgetedEngine, Completions, GenerateRequest
from steplabel.engines.openai import client
from steplabel.engines.openai.engine import OpenAIEngine
from steplabel.engines.openai.spec import OpenAISpec
from steplabel.schemas import BudgetExhausted, ConfigError, EngineError, FinishReason, ModelLoadError

Ask = Callable[..., GenerateRequest]
Opened = Callable[..., AbstractAsyncContextManager[OpenAIEngine]]
OwnServer = Callable[[], AbstractContextManager[str]]
Expected = Callable[[GenerateRequest], list[str]]
SHORT = {"stall_s": 1.0}
STALLS = ("stall", "drip")

PASSING = (
    "408",
    "409",
    "425",
    "429",
    "429_after",
    "500",
    "502",
    "503",
    "504",
    "abort",
    "bad_gzip",
    "bomb",
    "cut",
    "drip",
    "empty",
    "error_body",
    "error_too",
    "garbage",
    "html",
    "list",
    "negative",
    "no_choices",
    "no_finish",
    "not_utf8",
    "nothing",
    "null_text",
    "repeated",
    "reset",
    "stall",
    "surrogate",
    "truncated",
    "wrong_model",
)
"""Faults after which the same request is worth another try."""
HARMLESS = (
    "backwards",
    "dated_model",
    "many",
    "no_ids",
    "no_model",
    "no_usage",
    "null_usage",
    "one",
    "unnamed_model",
    "wrong_n",
)
"""Oddities that need not cost a sample."""


def texts(answer: Completions) -> list[str]:
    return [sample.text for sample in answer.samples]


def answered(opened: Opened, *requests: GenerateRequest, **options: Any) -> list[Completions]:
    async def run() -> list[Completions]:
        async with opened(**options) as engine:
            return [await engine.generate(request) for request in requests]

    return asyncio.run(run())


@pytest.mark.parametrize("n", [1, 3])
@pytest.mark.parametrize("fault", PASSING)
def test_what_passes_is_asked_again(
    opened: Opened, server: Any, ask: Ask, expected: Expected, fault: str, n: int
) -> None:
    """After the fault the answer is what it would have been without."""
    server.set(script=[fault])
    request = ask(n=n)
    (answer,) = answered(opened, request, **(SHORT if fault in STALLS else {}))
    assert texts(answer) == expected(request)
    stats = server.stats()
    assert stats["faults"] == {fault: 1}
    assert stats["requests"] == 2 or fault in STALLS  # where a second may be too short for a busy machine


@pytest.mark.parametrize("fault", PASSING)
def test_what_never_passes_is_an_engine_error(opened: Opened, server: Any, ask: Ask, fault: str) -> None:
    """When the attempts are used up the sample is unknown, with the last reason; nothing wrong is returned."""
    server.set(script=[fault] * 2)
    with pytest.raises(EngineError, match="2 attempts failed") as caught:
        answered(opened, ask(), attempts=2, **(SHORT if fault in STALLS else {}))
    assert not isinstance(caught.value, ConfigError)
    assert server.stats()["requests"] == 2


@pytest.mark.parametrize("n", [1, 2, 5])
@pytest.mark.parametrize("fault", HARMLESS)
def test_harmless_oddities(opened: Opened, server: Any, ask: Ask, expected: Expected, fault: str, n: int) -> None:
    """Too many choices, too few, in another order, without ids or usage: the samples are the right ones."""
    server.set(script=[fault])
    request = ask(n=n, start=1)
    (answer,) = answered(opened, request)
    assert texts(answer) == expected(request)
    assert [sample.index for sample in answer.samples] == list(range(1, n + 1))


@pytest.mark.parametrize("fault", ["no_model", "unnamed_model"])
def test_a_server_that_names_no_model(opened: Opened, server: Any, ask: Ask, fault: str) -> None:
    """It is believed: which model was asked, the request says."""
    server.set(script=[fault])
    answered(opened, ask())
    assert server.stats()["requests"] == 1


def test_missing_choices_alone_are_asked_for(opened: Opened, server: Any, ask: Ask) -> None:
    """A server that gives one of five is asked for the other four, one at a time."""
    server.set(script=["one"])
    answered(opened, ask(n=5))
    first, *others = server.bodies()
    assert first["n"] == 5
    assert sorted(body["seed"] - first["seed"] for body in others) == [1, 2, 3, 4]
    assert {body["n"] for body in others} == {1}


def test_one_bad_choice_is_asked_for_alone(opened: Opened, server: Any, ask: Ask, expected: Expected) -> None:
    """A choice whose end is not known costs one sample, not the whole answer."""
    server.set(script=["abort"])
    request = ask(n=3)
    (answer,) = answered(opened, request)
    assert texts(answer) == expected(request)
    assert [body["n"] for body in server.bodies()] == [3, 1]


def test_a_choice_without_logprobs_that_were_asked_for(opened: Opened, server: Any, ask: Ask) -> None:
    """They cannot be made up: asked again."""
    server.set(script=["no_logprobs"])
    (answer,) = answered(opened, ask(logprobs=1))
    assert answer.samples[0].cumulative_logprob is not None
    assert server.stats()["requests"] == 2


def test_unknown_usage_counts_what_is_shown(opened: Opened, server: Any, ask: Ask) -> None:
    """Without usage the ids are counted; without ids too, no fewer tokens than there can be: a budget still ends."""
    server.set(script=["no_usage", "no_usage"])
    (shown,) = answered(opened, ask(n=3))
    (hidden,) = answered(opened, ask(n=3), token_ids=False)
    assert hidden.prompt_tokens == 0
    for counted, estimated in zip(shown.samples, hidden.samples, strict=True):
        assert 0 < counted.completion_tokens <= estimated.completion_tokens <= 100


def test_a_token_budget_ends_on_a_server_that_counts_nothing(opened: Opened, server: Any, ask: Ask) -> None:
    """What a server does not count is spent all the same."""
    server.set(script=["no_usage"] * 9)

    async def run() -> None:
        async with opened(token_ids=False) as engine:
            budgeted = BudgetedEngine(engine, max_tokens=100)
            for i in range(9):
                await budgeted.generate(ask(f"{i}"))

    with pytest.raises(BudgetExhausted, match="the budget is 100"):
        asyncio.run(run())


@pytest.mark.parametrize("options", [{}, {"token_ids": False}, {"mode": "chat", "token_ids": False}], ids=str)
@pytest.mark.parametrize("n", [1, 3])
def test_a_server_that_cuts_answers_ends_the_run(
    opened: Opened, server: Any, ask: Ask, n: int, options: dict[str, Any]
) -> None:
    """vLLM's `--override-generation-config` can bound every text below what was asked for: the labels would favour
    short solutions, and nobody would know."""
    server.set(cap=2)
    with pytest.raises(ModelLoadError, match=r"cuts texts at \d tokens.*100"):
        answered(opened, ask(n=n), **options)


@pytest.mark.parametrize("options", [{}, {"token_ids": False}, {"mode": "chat", "token_ids": False}], ids=str)
def test_a_text_that_ends_where_the_context_does(
    opened: Opened, server: Any, ask: Ask, options: dict[str, Any]
) -> None:
    """It is cut by length like any other: there was no room for more."""
    server.set(context=40)
    (answer,) = answered(opened, ask("why? " * 30), **options)
    assert answer.samples[0].finish_reason is FinishReason.LENGTH


def test_filtered_texts_are_marked(opened: Opened, server: Any, ask: Ask) -> None:
    """A content filter's cut is neither an end nor a failure."""
    server.set(script=["filtered"])
    (answer,) = answered(opened, ask())
    assert answer.samples[0].finish_reason is FinishReason.FILTERED


@pytest.mark.parametrize(
    ("fault", "finish"), [("refusal", FinishReason.FILTERED), ("thinking", FinishReason.STOP)], ids=str
)
def test_chats_without_content(opened: Opened, server: Any, ask: Ask, fault: str, finish: FinishReason) -> None:
    """A refusal is filtered; a model that only thought has said nothing."""
    server.set(script=[fault])
    (answer,) = answered(opened, ask(), mode="chat")
    assert (answer.samples[0].text, answer.samples[0].finish_reason) == ("", finish)


@pytest.mark.parametrize("fault", ["400", "413", "422"])
def test_a_bad_request_is_this_requests_fault(opened: Opened, server: Any, ask: Ask, fault: str) -> None:
    """Not asked again; the server's words are passed on; the next request is served."""
    server.set(script=[fault])

    async def run() -> None:
        async with opened() as engine:
            with pytest.raises(
                ConfigError, match=r"refuses this request: 4.*(context length|large|unprocess)"
            ) as caught:
                await engine.generate(ask())
            assert not isinstance(caught.value, ModelLoadError)
            assert len((await engine.generate(ask())).samples) == 1

    asyncio.run(run())
    assert server.stats()["requests"] == 2


@pytest.mark.parametrize("fault", ["401", "402", "403", "404", "quota", "redirect"])
def test_what_every_request_would_meet_ends_the_run(opened: Opened, server: Any, ask: Ask, fault: str) -> None:
    """A wrong key, no credit, no such model, another address: not asked again, and not blamed on the problem."""
    server.set(script=[fault])
    with pytest.raises(ModelLoadError, match=r"refuses every request|redirects to /v1"):
        answered(opened, ask())
    assert server.stats()["requests"] == 1


@pytest.mark.parametrize("kind", ["seconds", "date"])
def test_retry_after_is_obeyed_by_all(opened: Opened, server: Any, ask: Ask, kind: str) -> None:
    """Neither the request that was sent away nor a new one is answered before the time."""

    async def run() -> None:
        async def answered_at(engine: OpenAIEngine, text: str) -> float:
            await engine.generate(ask(text))
            return time.time()

        async with opened() as engine:
            earliest = int(time.time()) + 2.0 if kind == "date" else time.time() + 0.6
            server.set(script=["429_after"], retry_after=formatdate(earliest, usegmt=True) if kind == "date" else "0.6")
            first = asyncio.create_task(answered_at(engine, "first"))
            while not server.stats()["faults"]:
                await asyncio.sleep(0.01)
            await asyncio.sleep(0.05)
            assert min(await asyncio.gather(first, answered_at(engine, "second"))) >= earliest

    asyncio.run(run())


def test_a_wait_beyond_the_deadline_is_given_up(opened: Opened, server: Any, ask: Ask) -> None:
    """A server that wants an hour does not get it."""
    server.set(script=["429_after"], retry_after="3600")
    with pytest.raises(EngineError, match="left alone for 3600 s"):
        answered(opened, ask(), deadline_s=10.0)


def test_a_long_wait_of_one_is_no_hold_for_others(opened: Opened, server: Any, ask: Ask, expected: Expected) -> None:
    """A request that gives up its own wait as too long does not make the next ones sit it out."""
    server.set(script=["429_after"], retry_after="3600")

    async def run() -> Completions:
        async with opened(deadline_s=30.0) as engine:
            with pytest.raises(EngineError, match="left alone for 3600 s"):
                await engine.generate(ask("first"))
            return await engine.generate(ask("second"))

    assert texts(asyncio.run(asyncio.wait_for(run(), 20))) == expected(ask("second"))


def test_no_answer_holds_all_others_for_long(
    opened: Opened, server: Any, ask: Ask, expected: Expected, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is sent away waits as long as it was told; the others try again after a while."""
    monkeypatch.setattr(client, "LONGEST_HOLD", 0.2)
    server.set(script=["429_after"], retry_after="3600")

    async def run() -> Completions:
        async with opened(deadline_s=7200.0) as engine:
            first = asyncio.create_task(engine.generate(ask("first")))
            while not server.stats()["faults"]:
                await asyncio.sleep(0.01)
            second = await engine.generate(ask("second"))
            assert not first.done()
            first.cancel()
            return second

    assert texts(asyncio.run(asyncio.wait_for(run(), 20))) == expected(ask("second"))


def test_a_server_that_wants_to_be_left_alone_is_named(
    opened: Opened, server: Any, ask: Ask, caplog: pytest.LogCaptureFixture
) -> None:
    """A pause of all requests is said: a run that stands still must not look like one that hangs."""
    server.set(script=["429_after"], retry_after="0.3")
    with caplog.at_level("WARNING"):
        answered(opened, ask())
    assert "no request is sent" in caplog.text


def test_the_deadline_ends_all_attempts(opened: Opened, server: Any, ask: Ask) -> None:
    """Attempts that are left do not matter."""
    server.set(script=["stall"] * 100)
    with pytest.raises(EngineError, match=r"within 3\.0 s"):
        answered(opened, ask(), attempts=100, deadline_s=3.0, stall_s=0.5)


def test_waiting_for_a_turn_is_not_limited(opened: Opened, server: Any, ask: Ask) -> None:
    """The deadline is the server's, not that of our own queue."""
    server.set(latency=0.8)

    async def run() -> list[Completions]:
        async with opened(max_in_flight=1, deadline_s=3.0) as engine:
            return await asyncio.gather(*(engine.generate(ask(f"{i}")) for i in range(5)))

    assert len(asyncio.run(run())) == 5


def test_the_limit_follows_the_servers_capacity(opened: Opened, server: Any, ask: Ask) -> None:
    """A server with room for 10 refuses most of 100: fewer are sent, all are served, and later more again."""
    server.set(latency=0.05, capacity=10)

    async def run() -> tuple[int, int]:
        async with opened(max_in_flight=100, attempts=50) as engine:
            await asyncio.gather(*(engine.generate(ask(f"{i}")) for i in range(400)))
            least = engine.limit
            server.set(latency=0.01)
            for batch in range(20):
                await asyncio.gather(*(engine.generate(ask(f"{batch} {i}")) for i in range(100)))
            return least, engine.limit

    least, later = asyncio.run(run())
    assert least < 30
    assert later >= 40


def test_a_server_that_goes_away(spec: Callable[..., OpenAISpec], ask: Ask, own_server: OwnServer) -> None:
    """EngineError for each request while it is gone; whoever opens an engine then gets ModelLoadError."""
    with own_server() as url:
        engine = spec(url=url, attempts=2).open()
        asyncio.run(engine.generate(ask()))
    with pytest.raises(EngineError, match="2 attempts failed"):
        asyncio.run(engine.generate(ask()))
    asyncio.run(engine.close())
    with pytest.raises(ModelLoadError, match="cannot ask"):
        spec(url=url, attempts=2).open()


def test_not_even_http(spec: Callable[..., OpenAISpec]) -> None:
    """Something else listens at the port."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def shout() -> None:
            for _ in range(2):
                connection, _ = listener.accept()
                with connection:
                    connection.recv(4096)
                    connection.sendall(b"220 mail.example ESMTP\r\n")

        threading.Thread(target=shout, daemon=True).start()
        with pytest.raises(ModelLoadError, match="cannot ask"):
            spec(url=f"http://127.0.0.1:{listener.getsockname()[1]}", attempts=2).open()
