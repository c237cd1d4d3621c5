"""Who may send now: an asyncio gate in front of one server, as wide as its adaptive limit.

First come, first served, but a request that is asked again goes in front: it has waited before, and its
deadline runs. When a server that refuses many says how long to stay away, nobody is let through until then (the
client bounds how long); one that serves nearly all the others means the one request that it sent away.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque

from steplabel.engines.openai.concurrency import AdaptiveLimit, Ticket
from steplabel.schemas import EngineClosed

_log = logging.getLogger(__name__)


class Slots:
    """The gate. Belongs to the event loop it is first used on."""

    def __init__(self, limit: AdaptiveLimit) -> None:
        self.limit = limit
        self._waiting: deque[asyncio.Future[Ticket]] = deque()
        self._hold: asyncio.TimerHandle | None = None
        self._closed = False

    async def take(self, *, again: bool = False) -> Ticket:
        """Wait for a slot. Give the ticket back by exactly one of `succeeded`, `refused` and `ended`.

        Raises:
            EngineClosed: `close` was called before or meanwhile.
        """
        if self._closed:
            raise EngineClosed("the engine was closed")
        if not self._waiting and self._open():
            return self.limit.start()
        waiter: asyncio.Future[Ticket] = asyncio.get_running_loop().create_future()
        (self._waiting.appendleft if again else self._waiting.append)(waiter)
        try:
            return await waiter
        except asyncio.CancelledError:
            if waiter.done() and not waiter.cancelled() and waiter.exception() is None:
                self.ended(waiter.result())  # granted in the same moment: hand it on
            raise

    def succeeded(self, ticket: Ticket) -> None:
        """The request was answered as it should be."""
        self.limit.succeeded(ticket)
        self._let_through()

    def refused(self, ticket: Ticket, hold: float = 0.0) -> None:
        """The server had no room, and wants to be left alone for `hold` seconds."""
        self.limit.refused(ticket)
        if hold > 0 and self.limit.crowded:
            self._hold_back(hold)
        self._let_through()

    def ended(self, ticket: Ticket) -> None:
        """The request ended in a way that says nothing about the server's load."""
        self.limit.ended(ticket)
        self._let_through()

    def close(self) -> None:
        """Requests that wait fail with EngineClosed, and so does every later one."""
        self._closed = True
        self._drop_hold()
        while self._waiting:
            waiter = self._waiting.popleft()
            if not waiter.done():
                waiter.set_exception(EngineClosed("the engine was closed while a request waited for its turn"))

    def _hold_back(self, seconds: float) -> None:
        loop = asyncio.get_running_loop()
        until = loop.time() + seconds
        if self._hold is None or until > self._hold.when():
            if self._hold is None:
                _log.warning("the server has too much to do: no request is sent for %.1f s, as it asks", seconds)
            self._drop_hold()
            self._hold = loop.call_at(until, self._hold_ended)

    def _hold_ended(self) -> None:
        self._hold = None
        self._let_through()

    def _drop_hold(self) -> None:
        if self._hold is not None:
            self._hold.cancel()

    def _open(self) -> bool:
        return self._hold is None and self.limit.free

    def _let_through(self) -> None:
        while self._waiting and self._open():
            waiter = self._waiting.popleft()
            if not waiter.done():
                waiter.set_result(self.limit.start())
