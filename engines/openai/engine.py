"""Any server that speaks the OpenAI protocol, as an engine: vLLM, SGLang, llama.cpp, hosted models.

Covered: text completions of a prompt and prefix (plain, or rendered by the model's own template) and chats; n
samples of one prefix, each with its own seed; log-probabilities, prompt log-probabilities, token ids, token
counts and cost as far as the server gives them. Hundreds of requests are in flight at once, fewer where the
server shows that it has too much to do. What fails is asked again; a sample is what one choice of one accepted
answer holds, so retries make no duplicates.
Not covered: images, tools, streaming.

With the same seed a server should write the same, and sample i is drawn with the same seed however the samples
were asked for. How exactly servers keep to that is theirs: vLLM does up to the last bits of its batches.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TypeAlias

from steplabel.engines.openai.client import OpenAIClient, Server
from steplabel.engines.openai.copies import CopyGuard
from steplabel.engines.openai.prices import TokenPrices
from steplabel.engines.openai.protocol import Answer, read_answer
from steplabel.engines.openai.requests import RequestWriter
from steplabel.engines.port import Completions, GenerateRequest, PartlyAnswered, RenderedPrompt
from steplabel.schemas import EngineClosed, ModelIdentity, SteplabelError

Part: TypeAlias = tuple[int, int]
"""Sample indices that one HTTP request asks for: the first, and how many."""


@dataclass(slots=True)
class _Heard:
    """The answers to one request so far, and how many HTTP requests were made for it, retries apart."""

    answers: list[Answer] = field(default_factory=list)
    requests: int = 0

    def texts(self, start: int, n: int) -> list[str]:
        """Of the samples `start .. start + n - 1`, as far as they came."""
        samples = (sample for answer in self.answers for sample in answer.samples)
        return [sample.text for sample in samples if start <= sample.index < start + n]


class OpenAIEngine:
    """Generates by asking a server. May be called from any number of event loops.

    Each loop has its own connections and its own limit of requests in flight.

    Args:
        writer: the requests' form (`OpenAISpec` makes it).
        identity: who answers there.
    """

    def __init__(
        self, server: Server, writer: RequestWriter, *, identity: ModelIdentity, prices: TokenPrices | None = None
    ) -> None:
        self._server = server
        self._writer = writer
        self._identity = identity
        self._prices = prices or TokenPrices()
        self._guard = CopyGuard()
        self._clients: dict[asyncio.AbstractEventLoop, OpenAIClient] = {}
        self._lock = threading.Lock()
        self._closed = False

    @property
    def identity(self) -> ModelIdentity:
        """As given."""
        return self._identity

    @property
    def limit(self) -> int:
        """HTTP requests that may be in flight on the calling event loop now: falls and grows with the server."""
        client = self._clients.get(asyncio.get_running_loop())
        return client.slots.limit.limit if client else self._server.max_in_flight

    def render(self, request: GenerateRequest) -> RenderedPrompt:
        """What the model reads. Raises ConfigError and DataError as `RequestWriter.render` does."""
        return self._writer.render(request)

    async def generate(self, request: GenerateRequest) -> Completions:
        """Ask the server; a cancelled call closes its connection, which ends the generation there.

        Raises:
            EngineError: no usable answer within the attempts and the deadline; PartlyAnswered if to a part of it.
            EngineClosed: after `close`, or if it comes meanwhile.
            ConfigError: the server can never answer this request; ModelLoadError: nor any other.
            DataError: the prompt holds lone surrogates.
        """
        self._writer.check(request)
        client, heard = await self._client(), _Heard()
        width = 1 if self._guard.copies else self._writer.width(request)
        parts = _parts(range(request.start, request.start + request.n), width)
        try:
            await self._all(client, request, parts, heard)
        except SteplabelError as error:
            came = self._completions(heard) if heard.answers else None
            if came is None or (request.prompt_logprobs is not None and came.prompt_logprob is None):
                raise
            raise PartlyAnswered(came, error) from error
        return self._completions(heard)

    async def close(self) -> None:
        """Close the connections of every event loop. Waiting requests fail with EngineClosed."""
        with self._lock:
            self._closed = True
            clients, self._clients = self._clients, {}
        await asyncio.gather(*(_close_on(loop, client) for loop, client in clients.items()))

    async def _all(self, client: OpenAIClient, request: GenerateRequest, parts: Sequence[Part], heard: _Heard) -> None:
        """Hear the answers to all parts. One that fails ends no other: what is under way will be paid for."""
        if len(parts) == 1:
            await self._whole(client, request, parts[0], heard)
            return
        asking = [self._whole(client, request, part, heard) for part in parts]
        ends = await asyncio.gather(*asking, return_exceptions=True)
        failure = next((end for end in ends if end is not None), None)
        if failure is not None:
            # One is enough to say why; the others are mostly the same.
            raise failure

    async def _whole(self, client: OpenAIClient, request: GenerateRequest, part: Part, heard: _Heard) -> None:
        """Every sample of a part: of one answer, and where it holds fewer than asked for, of further ones."""
        start, n = part

        def read(raw: bytes) -> Answer:
            return read_answer(raw, self._writer.asked(request, start, n))

        heard.requests += 1
        whole = await client.post(self._writer.path, partial(self._writer.body, request, start, n), read)
        answer = self._guard.without_copies(whole)
        heard.answers.append(answer)
        came = {sample.index for sample in answer.samples}
        missing = [index for index in range(start, start + n) if index not in came]
        if missing:
            # A server that gives fewer than asked for is asked for no more than it gave.
            await self._all(client, request, _parts(missing, len(came)), heard)
        if answer is not whole:
            self._guard.compare(heard.texts(start, n))

    def _completions(self, heard: _Heard) -> Completions:
        """What was heard, something at least."""
        answers = sorted(heard.answers, key=lambda answer: answer.samples[0].index)
        return Completions(
            samples=tuple(sorted((sample for answer in answers for sample in answer.samples), key=lambda s: s.index)),
            prompt_tokens=answers[0].prompt_tokens,
            cached_tokens=answers[0].cached_tokens,
            unused_tokens=sum(answer.unused_tokens for answer in answers),
            cost=sum(map(self._cost, answers)),
            prompt_logprob=next((a.prompt_logprob for a in answers if a.prompt_logprob is not None), None),
            requests=heard.requests,
        )

    def _cost(self, answer: Answer) -> float:
        return self._prices.cost(
            prompt_tokens=answer.prompt_tokens,
            cached_tokens=answer.cached_tokens,
            completion_tokens=answer.completion_tokens,
        )

    async def _client(self) -> OpenAIClient:
        loop = asyncio.get_running_loop()
        client = self._clients.get(loop)
        if client is None:
            client, dead = self._join(loop)
            for other in dead:
                await other.release()
        return client

    def _join(self, loop: asyncio.AbstractEventLoop) -> tuple[OpenAIClient, list[OpenAIClient]]:
        """The client of this loop, made if need be, and those of loops that have ended."""
        with self._lock:
            if self._closed:
                raise EngineClosed("the engine was closed")
            dead = [self._clients.pop(other) for other in list(self._clients) if other.is_closed()]
            client = self._clients[loop] = OpenAIClient(self._server)
            return client, dead


def _parts(indices: Sequence[int], width: int) -> list[Part]:
    """Neighbouring indices together, at most `width` a part."""
    parts: list[Part] = []
    for index in indices:
        start, n = parts[-1] if parts else (index, 0)
        if parts and index == start + n and n < width:
            parts[-1] = (start, n + 1)
        else:
            parts.append((index, 1))
    return parts


async def _close_on(loop: asyncio.AbstractEventLoop, client: OpenAIClient) -> None:
    if loop is asyncio.get_running_loop():
        await client.close()
    elif loop.is_running():
        await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(client.close(), loop))
    else:
        await client.release()
