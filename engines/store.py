"""The rollout store: an engine that wraps an engine and never asks it the same thing twice.

A sample's key says everything that decides its text (see `store_rows.sample_keys`), so a crashed run, a
retried Beam element or a second label policy replays for free, and a request that the store holds in part
asks the model only for the rest. What the store returns is what it holds: an answer is handed on once
committed.

    store_schema.py  the file        store_rows.py  keys and rows
    store_writer.py  the one writing thread        progress.py  counts for other processes
"""

from __future__ import annotations

import asyncio
import os
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Final

from steplabel.engines.lazy import LazyEngine
from steplabel.engines.port import Completions, Engine, EngineSpec, GenerateRequest, RenderedPrompt
from steplabel.engines.store_rows import COLUMNS, Row, StoredSample, from_row, sample_keys, to_rows
from steplabel.engines.store_schema import open_for_reading, store_errors
from steplabel.engines.store_writer import StoreWriter
from steplabel.schemas import EngineClosed, EngineError, ModelIdentity, StoreError

Redact = Callable[[str], str]
KEYS_PER_QUERY: Final = 500  # below SQLite's oldest limit on parameters, 999


@dataclass(slots=True, eq=False)
class _Flight:
    """One call to the engine for some keys, and how many requests wait for it."""

    keys: Sequence[str]
    task: asyncio.Task[dict[str, StoredSample]]
    waiting: int = 0


class RolloutStore:
    """An engine in front of `engine`, with its answers kept in one SQLite file.

    Use it from one event loop at a time. Several processes may share the file: the first to write a key wins,
    and all go on with what it wrote.

    Args:
        path: created with its folder where it does not exist.
        run_id: whom usage and finished units are counted for.
        redact: applied to each text before it is stored. The caller gets the redacted text as well, so that a
            replay equals the first run; token ids of a changed text are dropped, they would give it away.

    Raises:
        StoreError: the file is not a store, of another version, damaged, locked or not writable.
    """

    def __init__(self, engine: Engine, path: str | Path, *, run_id: str = "", redact: Redact | None = None) -> None:
        self.path = Path(path)
        self._engine = engine
        self._redact = redact
        # The id tells apart two processes that get the same number one after the other.
        process = f"{os.getpid()}-{uuid.uuid4().hex[:8]}"
        self._writer = StoreWriter(self.path, run_id=run_id, process=process)
        reader = open_for_reading(self.path)
        if reader is None:
            raise StoreError(f"rollout store {self.path} vanished right after it was opened")
        self._reader = reader
        self._flights: dict[str, _Flight] = {}
        self._tasks: set[asyncio.Task[dict[str, StoredSample]]] = set()
        self._closing: asyncio.Future[None] | None = None

    @property
    def identity(self) -> ModelIdentity:
        """That of the engine inside."""
        return self._engine.identity

    def render(self, request: GenerateRequest) -> RenderedPrompt:
        """As the engine inside."""
        return self._engine.render(request)

    async def generate(self, request: GenerateRequest) -> Completions:
        """Answer from the store, and ask the engine for what is missing.

        Samples that another request is waiting for already are awaited with it, and count as stored.

        Raises:
            StoreError: the store could not be read or written; what the engine drew meanwhile is lost.
            EngineClosed: after `close`.
        """
        if self._closing is not None:
            raise EngineClosed("the rollout store was closed")
        keys = sample_keys(self.identity, self.render(request), request)
        found = self._read(keys, request.start)
        missing = [position for position, key in enumerate(keys) if key not in found]
        asked = self._ask(request, keys, [at for at in missing if keys[at] not in self._flights])
        self._writer.count(requests=1, stored_samples=request.n - asked)
        flights = {self._flights[keys[position]] for position in missing}
        found |= await self._awaited(flights)
        return _answer(request, keys, found, asked)

    def mark_finished(self, unit_id: str, kind: str) -> None:
        """Count a unit of work (a problem's id) as finished, for `read_progress`. Returns at once."""
        self._writer.mark_finished(unit_id, kind)

    async def close(self) -> None:
        """Close the engine, write what is waiting, close the file. Waiting requests fail with EngineClosed.

        Raises:
            StoreError: counts or finished marks could not be written.
        """
        if self._closing is None:
            self._closing = asyncio.ensure_future(self._close())
        await asyncio.shield(self._closing)

    async def _close(self) -> None:
        try:
            await self._engine.close()
        finally:
            await asyncio.gather(*self._tasks, return_exceptions=True)
            self._reader.close()
            # On the loop, though it blocks: at interpreter exit, where worker processes close, no thread can start.
            self._writer.close()

    def _read(self, keys: Sequence[str], start: int) -> dict[str, StoredSample]:
        """Look keys up, on the event loop: tens of microseconds a key, less than handing over costs."""
        indices = {bytes.fromhex(key): index for index, key in enumerate(keys, start)}
        wanted, rows = list(indices), []
        with store_errors(self.path):
            for at in range(0, len(wanted), KEYS_PER_QUERY):
                some = wanted[at : at + KEYS_PER_QUERY]
                query = f"SELECT {COLUMNS} FROM rollouts WHERE key IN ({','.join('?' * len(some))})"  # noqa: S608
                rows += self._reader.execute(query, some).fetchall()
        samples = (from_row(row, indices[row[0]]) for row in rows)
        return {sample.key: sample for sample in samples}

    def _ask(self, request: GenerateRequest, keys: Sequence[str], positions: Sequence[int]) -> int:
        """Send the engine each run of neighbouring samples as one request; returns how many samples."""
        for first, count in _runs(positions):
            part = replace(request, start=request.start + first, n=count)
            own = keys[first : first + count]
            flight = _Flight(own, asyncio.create_task(self._draw(part, own)))
            self._flights.update(dict.fromkeys(own, flight))
            self._tasks.add(flight.task)
            flight.task.add_done_callback(partial(self._landed, flight))
        return len(positions)

    def _landed(self, flight: _Flight, task: asyncio.Task[dict[str, StoredSample]]) -> None:
        self._forget(flight)
        self._tasks.discard(task)
        if not task.cancelled():
            task.exception()  # seen, so that asyncio does not report it where every caller has left

    def _forget(self, flight: _Flight) -> None:
        for key in flight.keys:
            if self._flights.get(key) is flight:
                del self._flights[key]

    def _leave(self, flight: _Flight) -> None:
        flight.waiting -= 1
        if flight.waiting == 0 and not flight.task.done():
            # Forgotten at once: a request that comes before the task has ended must not join it.
            self._forget(flight)
            flight.task.cancel()

    async def _awaited(self, flights: set[_Flight]) -> dict[str, StoredSample]:
        for flight in flights:
            flight.waiting += 1
        found: dict[str, StoredSample] = {}
        try:
            for flight in flights:
                # A cancelled caller must not take the flight down with it: others may wait for it too.
                found |= await asyncio.shield(flight.task)
        finally:
            for flight in flights:
                self._leave(flight)
        return found

    async def _draw(self, request: GenerateRequest, keys: Sequence[str]) -> dict[str, StoredSample]:
        answer = await self._engine.generate(request)
        if len(answer.samples) != request.n:
            raise EngineError(f"the engine returned {len(answer.samples)} samples, {request.n} were asked for")
        self._writer.count(
            engine_requests=1,
            engine_samples=request.n,
            prompt_tokens=answer.prompt_tokens,
            completion_tokens=sum(sample.completion_tokens for sample in answer.samples),
        )
        rows = await self._written(to_rows(keys, self._redacted(answer)))
        samples = (from_row(row, index) for index, row in enumerate(rows, request.start))
        return {sample.key: sample for sample in samples}

    def _redacted(self, answer: Completions) -> Completions:
        if self._redact is None:
            return answer
        changed = []
        for sample in answer.samples:
            text = self._redact(sample.text)
            changed.append(sample if text == sample.text else replace(sample, text=text, token_ids=()))
        return replace(answer, samples=tuple(changed))

    async def _written(self, rows: list[Row]) -> list[Row]:
        loop = asyncio.get_running_loop()
        future: asyncio.Future[list[Row]] = loop.create_future()

        def settle(result: list[Row] | StoreError) -> None:
            if future.done():
                return
            if isinstance(result, StoreError):
                future.set_exception(result)
            else:
                future.set_result(result)

        def done(result: list[Row] | StoreError) -> None:
            # A loop that ended without waiting has nobody left to tell; the rows are in the file.
            if not loop.is_closed():
                loop.call_soon_threadsafe(settle, result)

        self._writer.write(rows, done)
        return await future


def _runs(positions: Sequence[int]) -> list[tuple[int, int]]:
    """(first, count) of each run of consecutive numbers."""
    if not positions:
        return []
    cuts = [0, *(i for i, (a, b) in enumerate(pairwise(positions), 1) if b != a + 1), len(positions)]
    return [(positions[a], b - a) for a, b in pairwise(cuts)]


def _answer(request: GenerateRequest, keys: tuple[str, ...], found: dict[str, StoredSample], asked: int) -> Completions:
    samples = [found[key] for key in keys]
    return Completions(
        samples=tuple(sample.completion for sample in samples),
        prompt_tokens=samples[0].prompt_tokens,
        cached_tokens=samples[0].cached_tokens,
        prompt_logprob=samples[0].prompt_logprob,
        keys=keys,
        stored=request.n - asked,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredSpec:
    """A store in front of an engine, as a picklable description.

    The model is loaded when the first sample is missing: replay of a finished run loads no weights.
    """

    engine: EngineSpec
    path: str
    run_id: str = ""

    def open(self) -> RolloutStore:
        """Open the store. Raises StoreError as `RolloutStore` does."""
        return RolloutStore(LazyEngine(self.engine), self.path, run_id=self.run_id)
