"""Single flight: equal samples that are wanted at the same time are drawn by one call, and shared.

A flight goes on as long as anybody waits for it, whoever started it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from steplabel.engines.store.rows import StoredSample


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawn:
    """What one call to the engine brought: samples by their key, and what it cost in money."""

    samples: Mapping[str, StoredSample]
    cost: float


@dataclass(slots=True, eq=False)
class Flight:
    """One call to the engine for some keys, and how many requests wait for it."""

    keys: Sequence[str]
    task: asyncio.Task[Drawn]
    waiting: int = 0


class Flights:
    """Every call to the engine that is under way. For one event loop."""

    def __init__(self) -> None:
        self._by_key: dict[str, Flight] = {}
        self._tasks: set[asyncio.Task[Drawn]] = set()

    def __contains__(self, key: str) -> bool:
        return key in self._by_key

    def of(self, keys: Iterable[str]) -> set[Flight]:
        """The flights that draw these keys, each of which must be under way."""
        return {self._by_key[key] for key in keys}

    def start(self, keys: Sequence[str], call: Coroutine[Any, Any, Drawn]) -> Flight:
        """Let `call` draw these keys, none of which may be under way."""
        flight = Flight(keys, asyncio.create_task(call))
        self._by_key.update(dict.fromkeys(keys, flight))
        self._tasks.add(flight.task)
        flight.task.add_done_callback(partial(self._landed, flight))
        return flight

    async def awaited(self, flights: set[Flight]) -> dict[str, StoredSample]:
        """What the flights bring. Raises what a call raised; a caller that is cancelled leaves the others theirs.

        A call that fails ends no other: what is under way will be paid for, and is kept.
        """
        for flight in flights:
            flight.waiting += 1
        found: dict[str, StoredSample] = {}
        try:
            if flights:
                # Unlike gather, a cancelled wait leaves its tasks alone: others may wait for them too.
                await asyncio.wait([flight.task for flight in flights])
            for flight in flights:
                found |= flight.task.result().samples
        finally:
            for flight in flights:
                self._leave(flight)
        return found

    async def ended(self) -> None:
        """Wait until every call has ended, however it ends."""
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _landed(self, flight: Flight, task: asyncio.Task[Drawn]) -> None:
        self._forget(flight)
        self._tasks.discard(task)
        if not task.cancelled():
            task.exception()  # seen, so that asyncio does not report it where every caller has left

    def _forget(self, flight: Flight) -> None:
        for key in flight.keys:
            if self._by_key.get(key) is flight:
                del self._by_key[key]

    def _leave(self, flight: Flight) -> None:
        flight.waiting -= 1
        if flight.waiting == 0 and not flight.task.done():
            # Forgotten at once: a request that comes before the task has ended must not join it.
            self._forget(flight)
            flight.task.cancel()
