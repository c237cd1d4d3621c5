"""The HTTP side of one server, for one event loop: connections, slots, retries, deadlines.

aiohttp, because of what a request costs: a run sends hundreds a second from the process that also searches and
checks. Redirects are not followed: a POST would arrive as a GET, and the key somewhere else.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from http import HTTPStatus
from typing import Final, TypeVar

import aiohttp

from steplabel.engines.openai.concurrency import AdaptiveLimit
from steplabel.engines.openai.protocol import error_code, server_message
from steplabel.engines.openai.retries import OVERLOADED, PASSING, Passing, RetryPolicy, parse_retry_after, tried
from steplabel.engines.openai.slots import Slots
from steplabel.schemas import ConfigError, EngineClosed, EngineError, ModelLoadError, SteplabelError

T = TypeVar("T")
LARGEST_BODY: Final = 64 * 2**20  # bytes after unpacking; half a million tokens with log-probabilities
KEEP_ALIVE: Final = 4.0  # seconds; uvicorn, which vLLM and SGLang run on, closes idle connections after 5
HOPELESS: Final = frozenset(
    {
        HTTPStatus.UNAUTHORIZED,
        HTTPStatus.PAYMENT_REQUIRED,
        HTTPStatus.FORBIDDEN,
    }
)
"""Answers that every request of the run would get."""
MISSING: Final = frozenset({HTTPStatus.NOT_FOUND, HTTPStatus.METHOD_NOT_ALLOWED})
"""Likewise, from an address that is another's, or of a model that is not there."""
LONGEST_HOLD: Final = 60.0  # seconds for which one answer can stop all requests; those sent away wait on for themselves


class NoEndpoint(ModelLoadError):  # noqa: N818 - says what happened
    """The server has nothing at the address that was asked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """Where a server is and how it is treated.

    Attributes:
        base: address below which the endpoints lie, without a slash at the end.
        key: sent as a bearer token; empty for none. Never shown.
    """

    base: str
    key: str = field(repr=False)
    policy: RetryPolicy
    max_in_flight: int


class OpenAIClient:
    """One session of one event loop: make, use and close it there."""

    def __init__(self, server: Server) -> None:
        self.slots = Slots(AdaptiveLimit(server.max_in_flight))
        self._server = server
        self._loop = asyncio.get_running_loop()
        self._closed = False
        self._closing = asyncio.Event()
        self._scopes: set[asyncio.Timeout] = set()
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0, keepalive_timeout=KEEP_ALIVE),  # the slots are the limit
            cookie_jar=aiohttp.DummyCookieJar(),
            headers=_headers(server.key),
            timeout=aiohttp.ClientTimeout(total=None, connect=server.policy.connect, sock_read=server.policy.stall),
            trust_env=server.base.startswith("https:"),  # proxies are for hosted models, not for localhost
        )

    async def post(self, path: str, body: Callable[[], bytes], read: Callable[[bytes], T]) -> T:
        """Send what `body` returns to an endpoint until `read` accepts the answer.

        The body is made when there is a slot for it: thousands may wait.

        Raises:
            EngineError: no such answer within the attempts and the deadline.
            EngineClosed: `close` was called.
            ConfigError: the server refuses this request; ModelLoadError: it would refuse every request.
        """
        return await self._asked("POST", path, body, read)

    async def get(self, path: str, read: Callable[[bytes], T]) -> T:
        """Fetch an endpoint's answer. Raises as `post` does."""
        return await self._asked("GET", path, bytes, read)

    async def close(self) -> None:
        """End every request and connection. Requests under way or waiting fail with EngineClosed."""
        self._closed = True
        self._closing.set()
        self.slots.close()
        now = asyncio.get_running_loop().time()
        for scope in [scope for scope in self._scopes if not scope.expired()]:
            scope.reschedule(now)
        await self._session.close()

    async def release(self) -> None:
        """Let go of the session from another loop than its own, which no longer runs."""
        self._closed = True
        if self._loop.is_closed():
            await self._session.close()  # waits for nothing: the sockets ended with their loop
        else:
            self._session.detach()  # a loop that stands still may be run again: its connections stay its own

    async def _asked(self, method: str, path: str, body: Callable[[], bytes], read: Callable[[bytes], T]) -> T:
        policy = self._server.policy
        scope = asyncio.timeout(None)
        attempt = partial(self._attempt, scope, method, path, body, read)
        try:
            async with scope:
                self._scopes.add(scope)
                return await tried(attempt, policy, self._pause)
        except Passing as error:
            raise self._given_up(f"{policy.attempts} attempts failed, the last one so: {error}") from error
        except TimeoutError as error:
            raise self._given_up(f"no answer from {self._server.base} within {policy.deadline} s") from error
        finally:
            self._scopes.discard(scope)

    async def _attempt(
        self,
        scope: asyncio.Timeout,
        method: str,
        path: str,
        body: Callable[[], bytes],
        read: Callable[[bytes], T],
        again: bool,
    ) -> T:
        ticket = await self.slots.take(again=again)
        give_back = self.slots.ended
        try:
            left = self._time_left(scope)
            answer = read(await self._exchange(method, path, body()))
            give_back = self.slots.succeeded
        except Passing as error:
            wait = error.wait or 0.0
            if error.overloaded:
                # Not for a wait that is not sat out here either: the next answer may say otherwise.
                give_back = partial(self.slots.refused, hold=min(wait, LONGEST_HOLD) if wait <= left else 0.0)
            if wait > left:
                raise EngineError(f"the server wants to be left alone for {wait:.0f} s, past the deadline") from error
            raise
        else:
            return answer
        finally:
            give_back(ticket)

    def _time_left(self, scope: asyncio.Timeout) -> float:
        """Seconds until the deadline, which is set when the first attempt has its slot."""
        now = asyncio.get_running_loop().time()
        if scope.when() is None:
            scope.reschedule(now + self._server.policy.deadline)
        return (scope.when() or now) - now

    async def _pause(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._closing.wait()
        except TimeoutError:
            return
        raise self._closed_error()

    async def _exchange(self, method: str, path: str, body: bytes) -> bytes:
        """One HTTP request and its answer, whatever its content."""
        url = f"{self._server.base}/{path}"
        try:
            async with self._session.request(method, url, data=body or None, allow_redirects=False) as response:
                raw = await _read_bounded(response)
        except aiohttp.ClientConnectorCertificateError as error:
            raise ModelLoadError(f"{self._server.base}: its certificate cannot be trusted: {error}") from error
        except aiohttp.ServerTimeoutError as error:
            raise Passing(f"{url} did not answer in time: {error}", overloaded=True) from error
        except aiohttp.ClientError as error:
            raise Passing(f"{url}: {type(error).__name__}: {error}") from error
        if HTTPStatus.OK <= response.status < HTTPStatus.MULTIPLE_CHOICES:
            return raw
        raise self._failure(response, raw)

    def _failure(self, response: aiohttp.ClientResponse, raw: bytes) -> SteplabelError:
        """What an answer that is no success means."""
        status, base = response.status, self._server.base
        said = self._without_key(f"{status} {server_message(raw)}")
        if status in HOPELESS or error_code(raw) == "insufficient_quota":
            return ModelLoadError(f"{base} refuses every request: {said}")
        if status in MISSING:
            return NoEndpoint(f"{base} refuses every request: {said}")
        if status in PASSING or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            wait = parse_retry_after(response.headers.get("Retry-After"))
            return Passing(f"{base} answered {said}", overloaded=status in OVERLOADED, wait=wait)
        if status < HTTPStatus.BAD_REQUEST:
            where = self._without_key(response.headers.get("Location", "nowhere")[:200])
            return ModelLoadError(f"{base} redirects to {where} ({status}): give that address as url")
        return ConfigError(f"{base} refuses this request: {said}")

    def _without_key(self, text: str) -> str:
        return text.replace(self._server.key, "***") if self._server.key else text

    def _given_up(self, why: str) -> EngineError:
        return self._closed_error() if self._closed else EngineError(why)

    def _closed_error(self) -> EngineClosed:
        return EngineClosed("the engine was closed while a request was under way")


def _headers(key: str) -> dict[str, str]:
    # Texts are small; what is not packed cannot blow up when unpacked.
    common = {"Content-Type": "application/json", "Accept-Encoding": "identity", "User-Agent": "steplabel"}
    return common | ({"Authorization": f"Bearer {key}"} if key else {})


async def _read_bounded(response: aiohttp.ClientResponse) -> bytes:
    chunks, size = [], 0
    async for chunk in response.content.iter_any():
        chunks.append(chunk)
        size += len(chunk)
        if size > LARGEST_BODY:
            raise Passing(f"{response.url} answered with more than {LARGEST_BODY // 2**20} MB")
    return b"".join(chunks)
