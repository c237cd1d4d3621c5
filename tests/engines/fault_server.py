"""A server that speaks the OpenAI protocol and fails as servers fail. A process of its own, no model.

    python tests/engines/fault_server.py --port 0 --latency 0.5 --slow-share .05 --slow 3 --faults .1 --seed 1

prints its port, then serves `/v1/models`, `/v1/completions` and `/v1/chat/completions` until it is killed.

What it says depends on nothing but the prompt and each sample's seed (`completion_text`), so a test knows every
answer beforehand; the i-th of n samples has the request's seed + i, as vLLM and llama.cpp have it. How long it
takes depends on the same (`planned_latency`), so a benchmark can work out the ideal schedule. Which requests
fail depends on them, on `--seed` and on how often the same was asked, never on the order of arrival.

    GET  /stats     counts since the last reset: see `Meter.report`
    GET  /requests  the last bodies received
    POST /control   JSON: change fields of `Settings`, forget all counts
"""

from __future__ import annotations

import argparse
import asyncio
import gzip
import hashlib
import sys
import time
from collections import Counter, deque
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
from aiohttp import web

MODEL = "fault-model"
END_ID = 2
MIX = (
    "429",
    "429_after",
    "500",
    "503",
    "truncated",
    "stall",
    "reset",
    "wrong_n",
    "empty",
    "wrong_model",
    "garbage",
)
"""The faults drawn by default; `FAULTS` has more, for tests that ask for one."""


class Settings(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """What can be changed while it runs.

    Attributes:
        latency, slow, slow_share: seconds a request takes; a share of them takes `slow`.
        faults: share of requests that fail, each in one of `kinds`. `script`: what the next requests do, one
            each ("ok" or a fault), before chance decides.
        stall, retry_after: seconds that a stalled request hangs, and that a 429 asks to wait.
        capacity: more requests than these at the same time are refused with 429; 0 for no bound.
        models: what `/v1/models` lists, `owned_by` saying which program the server is.
        one_seed: all n samples of a request are drawn with its seed, as SGLang draws them.
        cap: tokens at which every text is cut, whatever was asked for; 0 for none.
        context: tokens of prompt and text together, which `/v1/models` says.
    """

    latency: float = 0.0
    slow: float = 0.0
    slow_share: float = 0.0
    faults: float = 0.0
    kinds: list[str] = msgspec.field(default_factory=lambda: list(MIX))
    script: list[str] = []
    seed: int = 0
    stall: float = 60.0
    retry_after: str = "0.05"
    capacity: int = 0
    models: list[str] = msgspec.field(default_factory=lambda: [MODEL])
    models_fault: str = ""
    owned_by: str | None = "vllm"
    one_seed: bool = False
    cap: int = 0
    context: int = 4096


class Body(msgspec.Struct, kw_only=True):
    """What is read of a request; other fields are ignored, as servers do."""

    model: str
    prompt: str | list[int] = ""
    messages: list[dict[str, Any]] = []
    n: int = 1
    seed: int = 0
    max_tokens: int | None = None
    max_completion_tokens: int | None = None
    stop: list[str] = []
    include_stop_str_in_output: bool = False
    logprobs: int | bool | None = None
    prompt_logprobs: int | None = None
    return_token_ids: bool = False


def chance(*parts: object) -> float:
    """A number in [0, 1) that depends on `parts` alone."""
    return int.from_bytes(hashlib.sha256(repr(parts).encode()).digest()[:7], "big") / 2**56


def gold_answer(prompt: str) -> int:
    """The right answer to a prompt."""
    return int(chance("gold", prompt) * 1000)


def completion_text(prompt: str, seed: int) -> str:
    """What the server's model says: two lines of sums and an answer, right in six of ten."""
    gold = gold_answer(prompt)
    said = gold if chance("right", prompt, seed) < 0.6 else gold + 1 + int(chance("by", prompt, seed) * 90)
    a, b = (int(chance(name, prompt, seed) * 90) + 10 for name in "ab")
    return f"{a} + {b} = {a + b}\n{a + b} + {said - a - b} = {said}\nAnswer: {said}\n"


def answer_of(text: str) -> int:
    """The answer a text gives."""
    return int(text.rsplit("Answer: ", 1)[1])


def prompt_key(body: Body) -> str:
    """The prompt as text: ids joined by blanks, turns as `role: text` lines."""
    if body.messages:
        return "".join(f"{turn['role']}: {turn['content']}\n" for turn in body.messages)
    return body.prompt if isinstance(body.prompt, str) else " ".join(map(str, body.prompt))


def planned_latency(prompt: str, seed: int, settings: Settings) -> float:
    """Seconds that a request takes if nothing goes wrong."""
    slow = chance("slow", settings.seed, prompt, seed) < settings.slow_share
    return settings.slow if slow else settings.latency


class Meter:
    """Counts, and how many requests were in flight over time."""

    def __init__(self) -> None:
        self.requests = self.in_flight = self.peak = 0
        self.faults: Counter[str] = Counter()
        self.samples: Counter[str] = Counter()
        self.attempts: Counter[str] = Counter()
        self.latencies: list[float] = []
        self._area = self._area_at_arrival = 0.0
        self._first = self._last = self._arrival = 0.0

    def arrive(self) -> None:
        self.requests += 1
        self._move(+1)
        self.peak = max(self.peak, self.in_flight)
        self._arrival, self._area_at_arrival = self._last, self._area

    def leave(self) -> None:
        self._move(-1)

    def _move(self, by: int) -> None:
        now = time.monotonic()
        self._first = self._first or now
        self._area += self.in_flight * (now - (self._last or now))
        self._last = now
        self.in_flight += by

    def report(self) -> dict[str, Any]:
        """Counts; requests in flight on average, from the first arrival to the last, and to the last departure;
        samples handed out in whole answers, by `prompt` + newline + sample seed; latencies in order of arrival.
        """
        return {
            "requests": self.requests,
            "in_flight": self.in_flight,
            "peak": self.peak,
            "mean_in_flight": self._area / max(1e-9, self._last - self._first),
            "mean_in_flight_before_tail": self._area_at_arrival / max(1e-9, self._arrival - self._first),
            "seconds": self._last - self._first,
            "faults": dict(self.faults),
            "samples": dict(self.samples),
            "latencies": self.latencies,
        }


class Server:
    """The state of one server."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.meter = Meter()
        self.bodies: deque[dict[str, Any]] = deque(maxlen=200)
        self.headers: deque[dict[str, str]] = deque(maxlen=200)

    async def complete(self, request: web.Request) -> web.StreamResponse:
        raw = await request.read()
        meter = self.meter  # a reset must not make this request leave a meter that it never entered
        meter.arrive()
        try:
            return await self._served(request, raw, meter)
        finally:
            meter.leave()

    async def _served(self, request: web.Request, raw: bytes, meter: Meter) -> web.StreamResponse:
        body = msgspec.json.decode(raw, type=Body)
        self.bodies.append({"path": request.path, **msgspec.json.decode(raw)})
        self.headers.append(dict(request.headers))
        if self.settings.capacity and meter.in_flight > self.settings.capacity:
            meter.faults["over capacity"] += 1
            return web.json_response({"error": {"message": "too many requests"}}, status=429)
        key, fault = prompt_key(body), self._fault(body, meter)
        if fault:
            meter.faults[fault] += 1
        seconds = planned_latency(key, body.seed, self.settings)
        meter.latencies.append(seconds)
        if fault not in QUICK:
            await asyncio.sleep(seconds)
        if fault:
            return await FAULTS[fault](self, request, body)
        answer = self.answer(body, request.path)
        meter.samples.update(f"{key}\n{body.seed + i}" for i in range(body.n))
        return _json(answer)

    def _fault(self, body: Body, meter: Meter) -> str:
        if self.settings.script:
            scripted = self.settings.script.pop(0)
            return "" if scripted == "ok" else scripted
        asked = f"{prompt_key(body)}\n{body.seed}"
        meter.attempts[asked] += 1
        draw = chance("fault", self.settings.seed, asked, meter.attempts[asked]) / max(self.settings.faults, 1e-12)
        return self.settings.kinds[int(draw * len(self.settings.kinds))] if draw < 1 else ""

    def answer(self, body: Body, path: str) -> dict[str, Any]:
        """A whole and right answer."""
        key = prompt_key(body)
        chat = path.endswith("chat/completions")
        choices, tokens = [], 0
        for index in range(body.n):
            at = 0 if self.settings.one_seed else index
            choice, count = _choice(body, key, at, chat=chat, cap=self._room(key))
            choices.append(choice | {"index": index})
            tokens += count
        prompt_tokens = len(key.split())
        usage = {
            "prompt_tokens": prompt_tokens,
            "completion_tokens": tokens,
            "total_tokens": prompt_tokens + tokens,
            "prompt_tokens_details": {"cached_tokens": prompt_tokens // 2},
        }
        answer = {"id": "cmpl-1", "object": "text_completion", "created": 1, "model": body.model}
        return answer | {"choices": choices, "usage": usage}

    def _room(self, key: str) -> int:
        """Tokens that no text behind this prompt exceeds."""
        return max(1, min(self.settings.cap or self.settings.context, self.settings.context - len(key.split())))

    async def models(self, request: web.Request) -> web.StreamResponse:
        self.headers.append(dict(request.headers))
        if self.settings.models_fault:
            return await FAULTS[self.settings.models_fault](self, request, Body(model=MODEL))
        cards = [
            {
                "id": name,
                "object": "model",
                "created": int(time.time()),
                "owned_by": self.settings.owned_by,
                "max_model_len": self.settings.context,
            }
            for name in self.settings.models
        ]
        return _json({"object": "list", "data": cards})

    async def stats(self, _: web.Request) -> web.Response:
        return _json(self.meter.report())

    async def requests(self, _: web.Request) -> web.Response:
        return _json({"bodies": list(self.bodies), "headers": list(self.headers)})

    async def control(self, request: web.Request) -> web.Response:
        changes = await request.read()
        self.settings = msgspec.json.decode(changes or b"{}", type=Settings)
        self.meter = Meter()
        self.bodies.clear()
        self.headers.clear()
        return _json({})


def _choice(body: Body, key: str, index: int, *, chat: bool, cap: int = sys.maxsize) -> tuple[dict[str, Any], int]:
    """One sample, and how many tokens it has: words, line ends among them, and an end token where it ends so."""
    words = completion_text(key, body.seed + index).replace("\n", " \n ").split(" ")
    limit = min(cap, body.max_tokens or body.max_completion_tokens or 16)
    cut = len(words) > limit
    text = " ".join(words[:limit]).replace(" \n ", "\n").replace(" \n", "\n")
    ids = [3 + int(chance("id", word) * 1000) for word in words[:limit]]
    stop = min((s for s in body.stop if s in text), key=text.find, default=None)
    if stop is not None:
        text = text[: text.find(stop)] + (stop if body.include_stop_str_in_output else "")
        ids, cut = ids[: len(text.split()) + 1], False
    elif not cut:
        ids.append(END_ID)
    choice: dict[str, Any] = {"index": index, "finish_reason": "length" if cut else "stop", "stop_reason": stop}
    choice |= {"message": {"role": "assistant", "content": text}} if chat else {"text": text}
    if body.return_token_ids:
        choice |= {"token_ids": ids, "prompt_token_ids": [1, 2, 3]}
    if body.logprobs is not None and body.logprobs is not False:
        each = [-0.25] * len(ids)
        choice["logprobs"] = (
            {"content": [{"token": "x", "logprob": x} for x in each]}
            if chat
            else {"tokens": ["x"] * len(ids), "token_logprobs": each}
        )
    if body.prompt_logprobs is not None:
        choice["prompt_logprobs"] = [None, *({"7": {"logprob": -0.5, "rank": 1}} for _ in key.split()[1:])]
    return choice, len(ids)


def _json(value: Any, status: int = 200, headers: dict[str, str] | None = None) -> web.Response:
    return web.Response(
        body=msgspec.json.encode(value), status=status, headers=headers, content_type="application/json"
    )


Fault = Callable[[Server, web.Request, Body], Awaitable[web.StreamResponse]]


def _status(status: int, message: str = "no", headers: dict[str, str] | None = None) -> Fault:
    async def fault(server: Server, request: web.Request, body: Body) -> web.StreamResponse:
        return _json({"error": {"message": message, "type": "Fault", "code": status}}, status, headers)

    return fault


def _changed(change: Callable[[dict[str, Any], Body], Any]) -> Fault:
    """A whole answer, changed in place."""

    async def fault(server: Server, request: web.Request, body: Body) -> web.StreamResponse:
        answer = server.answer(body, request.path)
        change(answer, body)
        return _json(answer)

    return fault


def _raw(spoil: Callable[[bytes], bytes], headers: dict[str, str] | None = None) -> Fault:
    """A whole answer as bytes, spoilt."""

    async def fault(server: Server, request: web.Request, body: Body) -> web.StreamResponse:
        whole = msgspec.json.encode(server.answer(body, request.path))
        return web.Response(body=spoil(whole), content_type="application/json", headers=headers)

    return fault


async def _after(server: Server, request: web.Request, body: Body) -> web.StreamResponse:
    headers = {"Retry-After": server.settings.retry_after}
    return _json({"error": {"message": "slow down"}}, 429, headers)


async def _stall(server: Server, request: web.Request, body: Body) -> web.StreamResponse:
    await asyncio.sleep(server.settings.stall)
    return _json({"error": {"message": "too late"}}, 500)


async def _reset(server: Server, request: web.Request, body: Body) -> web.StreamResponse:
    assert request.transport is not None
    request.transport.abort()
    return web.Response()


async def _cut(server: Server, request: web.Request, body: Body) -> web.StreamResponse:
    """The head of the answer, and then the connection ends."""
    whole = msgspec.json.encode(server.answer(body, request.path))
    response = web.StreamResponse(headers={"Content-Type": "application/json", "Content-Length": str(len(whole))})
    await response.prepare(request)
    await response.write(whole[: len(whole) // 2])
    assert request.transport is not None
    request.transport.close()
    return response


async def _drip(server: Server, request: web.Request, body: Body) -> web.StreamResponse:
    """The head of the answer, and then nothing."""
    response = web.StreamResponse(headers={"Content-Type": "application/json"})
    await response.prepare(request)
    await response.write(b'{"model":')
    await asyncio.sleep(server.settings.stall)
    return response


async def _echo(server: Server, request: web.Request, body: Body) -> web.StreamResponse:
    """An error that repeats what was sent, key and all."""
    return _json({"error": {"message": f"bad headers: {dict(request.headers)}"}}, 401)


async def _redirect(server: Server, request: web.Request, body: Body) -> web.StreamResponse:
    raise web.HTTPTemporaryRedirect(request.path)


async def _bomb(server: Server, request: web.Request, body: Body) -> web.StreamResponse:
    """A small body that unpacks to 1.5 GB."""
    packed = gzip.compress(bytes(2**20), 9) * 1536  # members follow one another, as in a concatenated file
    return web.Response(body=packed, headers={"Content-Encoding": "gzip", "Content-Type": "application/json"})


def _first(answer: dict[str, Any]) -> dict[str, Any]:
    first: dict[str, Any] = answer["choices"][0]
    return first


def _wrong_n(answer: dict[str, Any], body: Body) -> None:
    """One choice too few, or where only one was asked for, one too many."""
    if body.n > 1:
        answer["choices"].pop()
    else:
        answer["choices"].append({**_first(answer), "index": 1})


def _repeated(answer: dict[str, Any], body: Body) -> None:
    """Every choice says it is the first, and one comes twice."""
    answer["choices"] = [{**choice, "index": 0} for choice in (*answer["choices"], _first(answer))]


def _wrong_model(answer: dict[str, Any], body: Body) -> None:
    answer["model"] = "another-model"
    for choice in answer["choices"]:
        choice["text"] = "Answer: -1\n"


FAULTS: dict[str, Fault] = {
    "400": _status(400, "This model's maximum context length is 4096 tokens"),
    "401": _status(401, "Incorrect API key provided"),
    "402": _status(402, "no credit"),
    "403": _status(403, "not for you"),
    "404": _status(404, "The model does not exist"),
    "405": _status(405),
    "408": _status(408),
    "409": _status(409),
    "413": _status(413, "too large"),
    "422": _status(422, "unprocessable"),
    "425": _status(425),
    "429": _status(429, "slow down"),
    "429_after": _after,
    "500": _status(500, "internal"),
    "502": _status(502),
    "503": _status(503, "overloaded"),
    "504": _status(504),
    "quota": lambda *_: _quota(),
    "echo": _echo,
    "redirect": _redirect,
    "stall": _stall,
    "drip": _drip,
    "reset": _reset,
    "cut": _cut,
    "bomb": _bomb,
    "truncated": _raw(lambda whole: whole[: len(whole) // 2]),
    "garbage": _raw(lambda whole: hashlib.sha256(whole).digest() * 4),
    "not_utf8": _raw(lambda whole: whole.replace(b"Answer", b"Answ\xff")),
    "surrogate": _raw(lambda whole: whole.replace(b"Answer", rb"\ud800")),
    "bad_gzip": _raw(lambda whole: whole, {"Content-Encoding": "gzip"}),
    "html": _raw(lambda whole: b"<html>Bad gateway</html>"),
    "list": _raw(lambda whole: b"[" + whole + b"]"),
    "nothing": _raw(lambda whole: b""),
    "error_body": _raw(lambda whole: b'{"error": {"message": "upstream failed", "code": 502}}'),
    "wrong_n": _changed(_wrong_n),
    "one": _changed(lambda answer, body: answer.update(choices=answer["choices"][:1])),
    "many": _changed(lambda answer, body: answer.update(choices=server_choices(body, body.n + 3))),
    "backwards": _changed(lambda answer, body: answer["choices"].reverse()),
    "repeated": _changed(_repeated),
    "negative": _changed(lambda answer, body: _first(answer).update(index=-1)),
    "empty": _changed(lambda answer, body: answer.update(choices=[])),
    "no_choices": _changed(lambda answer, body: answer.pop("choices")),
    "wrong_model": _changed(_wrong_model),
    "no_model": _changed(lambda answer, body: answer.pop("model")),
    "unnamed_model": _changed(lambda answer, body: answer.update(model="")),
    "error_too": _changed(lambda answer, body: answer.update(error={"message": "upstream failed", "code": 502})),
    "dated_model": _changed(lambda answer, body: answer.update(model=f"{body.model}-2025-01-31")),
    "abort": _changed(lambda answer, body: _first(answer).update(finish_reason="abort")),
    "no_finish": _changed(lambda answer, body: _first(answer).update(finish_reason=None)),
    "filtered": _changed(lambda answer, body: _first(answer).update(finish_reason="content_filter")),
    "null_text": _changed(lambda answer, body: _first(answer).update(text=None, message={"content": None})),
    "refusal": _changed(lambda answer, body: _first(answer).update(message={"content": None, "refusal": "no"})),
    "thinking": _changed(lambda answer, body: _first(answer).update(message={"content": None, "reasoning": "hm"})),
    "no_usage": _changed(lambda answer, body: answer.pop("usage")),
    "null_usage": _changed(lambda answer, body: answer.update(usage=None)),
    "no_ids": _changed(lambda answer, body: [c.pop("token_ids", None) for c in answer["choices"]]),
    "no_logprobs": _changed(lambda answer, body: [c.pop("logprobs", None) for c in answer["choices"]]),
    "huge": _changed(lambda answer, body: _first(answer).update(text="é" * 2_500_000)),
}

QUICK = frozenset({"429", "429_after", "503", "reset", "400", "401", "403", "404", "405", "redirect"})
"""Faults that a server has before any work."""


async def _quota() -> web.StreamResponse:
    return _json({"error": {"message": "You exceeded your quota", "code": "insufficient_quota"}}, 429)


def server_choices(body: Body, n: int) -> list[dict[str, Any]]:
    """Choices 0 .. n - 1 of a completions request."""
    return [_choice(body, prompt_key(body), index, chat=False)[0] for index in range(n)]


def application(settings: Settings) -> web.Application:
    """The server's routes."""
    server = Server(settings)
    app = web.Application(client_max_size=64 * 2**20)
    app.router.add_get("/v1/models", server.models)
    app.router.add_post("/v1/completions", server.complete)
    app.router.add_post("/v1/chat/completions", server.complete)
    app.router.add_get("/stats", server.stats)
    app.router.add_get("/requests", server.requests)
    app.router.add_post("/control", server.control)
    return app


async def serve(settings: Settings, port: int) -> None:
    """Serve until cancelled; the port is printed once it listens."""
    # Without handler cancellation a client that leaves would stay counted as in flight.
    runner = web.AppRunner(application(settings), access_log=None, handler_cancellation=True, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", port, backlog=2048)
    await site.start()
    bound: tuple[str, int] = runner.addresses[0]
    sys.stdout.write(f"{bound[1]}\n")
    sys.stdout.flush()
    try:
        await asyncio.Event().wait()
    finally:
        await runner.cleanup()


def main() -> None:
    """Read the command line and serve."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--port", type=int, default=0)
    for name, default in (("latency", 0.0), ("slow", 0.0), ("slow-share", 0.0), ("faults", 0.0), ("stall", 60.0)):
        parser.add_argument(f"--{name}", type=float, default=default)
    parser.add_argument("--retry-after", default="0.05")
    parser.add_argument("--capacity", type=int, default=0)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--kinds", default=",".join(MIX), help=f"of {', '.join(FAULTS)}")
    options = vars(parser.parse_args())
    port, kinds = options.pop("port"), options.pop("kinds")
    try:
        asyncio.run(serve(Settings(**options, kinds=kinds.split(",")), port))
    except KeyboardInterrupt:
        return


if __name__ == "__main__":
    main()
