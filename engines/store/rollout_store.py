"""The rollout store: an engine that wraps an engine and never asks it the same thing twice.

A sample's key says everything that decides its text (see `rows.sample_keys`), so a crashed run, a
retried Beam element or a second label policy replays for free, and a request that the store holds in part
asks the model only for the rest. What the store returns is what it holds: an answer is handed on once
committed.
"""

from __future__ import annotations

import asyncio
import os
import shlex
import sqlite3
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Final, TypeAlias

from steplabel.engines.lazy import LazyEngine
from steplabel.engines.port import Completions, Engine, EngineSpec, GenerateRequest, PartlyAnswered, RenderedPrompt
from steplabel.engines.store.file import open_for_reading, store_errors
from steplabel.engines.store.flights import Drawn, Flight, Flights
from steplabel.engines.store.rows import (
    COLUMNS,
    REQUEST,
    Row,
    StoredSample,
    answering,
    from_row,
    is_intact,
    request_key,
    request_row,
    sample_keys,
    spent,
    to_rows,
)
from steplabel.engines.store.usage import Usage, reached_model
from steplabel.engines.store.writer import Done, StoreWriter
from steplabel.schemas import EngineClosed, EngineError, ModelIdentity, StoreError
from steplabel.schemas.named import named_function

KEYS_PER_QUERY: Final = 500  # below SQLite's oldest limit on parameters, 999


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asking:
    """A request, what the model reads of it, and the key that its samples share."""

    request: GenerateRequest
    rendered: RenderedPrompt
    key: bytes


Redact: TypeAlias = Callable[[str], str]
"""Returns the text as it may be stored; an unchanged one where there is nothing to hide."""
REDACTION: Final = "the redaction"
"""What errors call a function that is named for it."""


class RolloutStore:
    """An engine in front of `engine`, with its answers kept in one SQLite file.

    Use it from one event loop at a time. Several processes may share the file: the first to write a key wins,
    and all go on with what it wrote.

    Args:
        path: created with its folder where it does not exist; a store of an older version is brought up to this one.
        run_id: whom usage, finished units and requests used are counted for.
        redact: applied to each text before it is stored, prompts among them. The caller gets the redacted text as
            well, so that a replay equals the first run; token ids of a changed text are dropped, they would give
            it away.

    Raises:
        StoreError: the file is not a store, of a newer version, damaged, locked or not writable.
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
        self._flights = Flights()
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

        Samples that another request is waiting for already are awaited with it, count as stored and cost nothing.

        Raises:
            StoreError: the store could not be read or written; what the engine drew meanwhile is lost.
            EngineClosed: after `close`.
        """
        if self._closing is not None:
            raise EngineClosed("the rollout store was closed")
        rendered = self.render(request)
        keys = sample_keys(self.identity, rendered, request)
        asking = _Asking(request=request, rendered=rendered, key=request_key(self.identity, rendered, request))
        rows = self._read(keys, request.start)
        self._note_use(asking, rows)
        found = {row[0].hex(): self._sample(row, index) for index, row in rows.items()}
        missing = [position for position, key in enumerate(keys) if key not in found]
        own = self._ask(asking, keys, [at for at in missing if keys[at] not in self._flights])
        asked = sum(len(flight.keys) for flight in own)
        self._writer.count(Usage(requests=1, stored_samples=request.n - asked))
        found |= await self._flights.awaited(self._flights.of(keys[position] for position in missing))
        cost = sum(flight.task.result().cost for flight in own)
        return _answer(request, keys, found, asked, cost)

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
            await self._flights.ended()
            self._reader.close()
            # On the loop, though it blocks: at interpreter exit, where worker processes close, no thread can start.
            self._writer.close()

    def _read(self, keys: Sequence[str], start: int) -> dict[int, Row]:
        """Rows by sample index. On the event loop: tens of microseconds a key, less than handing over costs."""
        indices = {bytes.fromhex(key): index for index, key in enumerate(keys, start)}
        wanted, rows = list(indices), []
        with store_errors(self.path):
            for at in range(0, len(wanted), KEYS_PER_QUERY):
                some = wanted[at : at + KEYS_PER_QUERY]
                query = f"SELECT {COLUMNS} FROM rollouts WHERE key IN ({','.join('?' * len(some))})"  # noqa: S608
                rows += self._reader.execute(query, some).fetchall()
            if any(row[0] not in indices for row in rows):
                raise sqlite3.DatabaseError("database is malformed: an index does not lead to its rows")
        return {indices[row[0]]: row for row in rows}

    def _sample(self, row: Row, index: int) -> StoredSample:
        if not is_intact(row):
            remove = f"steplabel store verify {shlex.quote(str(self.path))} --remove-damaged"
            raise StoreError(f"rollout {row[0].hex()} in {self.path} is damaged: `{remove}`, and it is drawn again")
        try:
            return from_row(row, index)
        except ValueError as error:
            raise StoreError(
                f"rollout {row[0].hex()} in store {self.path} is not for this release: {error}; update steplabel"
            ) from error

    def _note_use(self, asking: _Asking, rows: Mapping[int, Row]) -> None:
        """Note what is answered from the store alone, once; the rest is noted with its new rows.

        Rows that an older version stored learn here which request they answer.
        """
        answers = [answering(row, asking.key, index) for index, row in rows.items() if row[REQUEST] is None]
        if answers or (len(rows) == asking.request.n and not self._writer.has_noted(asking.key)):
            self._writer.note_use(self._request_row(asking), answers)

    def _request_row(self, asking: _Asking) -> Row:
        prompt = asking.rendered.text if self._redact is None else self._redact(asking.rendered.text)
        return request_row(asking.key, self.identity, prompt, asking.request)

    def _ask(self, asking: _Asking, keys: Sequence[str], positions: Sequence[int]) -> list[Flight]:
        """Send the engine each run of neighbouring samples as one request."""
        flights = []
        for first, count in _runs(positions):
            part = replace(asking.request, start=asking.request.start + first, n=count)
            own = keys[first : first + count]
            flights.append(self._flights.start(own, self._draw(replace(asking, request=part), own)))
        return flights

    async def _draw(self, asking: _Asking, keys: Sequence[str]) -> Drawn:
        request = asking.request
        try:
            answer = await self._answered(request)
        except PartlyAnswered as error:
            await self._keep(asking, keys, error.came)
            raise error.failure from error
        if len(answer.samples) != request.n:
            raise EngineError(f"the engine returned {len(answer.samples)} samples, {request.n} were asked for")
        own = to_rows(keys, self._redacted(answer), asking.key, request.start)
        rows = await self._committed(partial(self._writer.write, self._request_row(asking), own))
        samples = [self._sample(row, index) for index, row in enumerate(rows, request.start)]
        return Drawn(samples={sample.key: sample for sample in samples}, cost=answer.cost)

    async def _keep(self, asking: _Asking, keys: Sequence[str], came: Completions) -> None:
        """Store the samples that came of a request whose others did not."""
        start, rows = asking.request.start, []
        for sample in self._redacted(came).samples:
            alone = replace(came, samples=(sample,))
            rows += to_rows(keys[sample.index - start :], alone, asking.key, sample.index)
        await self._committed(partial(self._writer.write, self._request_row(asking), rows))

    async def _answered(self, request: GenerateRequest) -> Completions:
        """The engine's answer, counted.

        A failed request was made all the same. A budget that holds over resumptions counts it, so its count is in the
        file before anybody hears of the failure.
        """
        try:
            answer = await self._engine.generate(request)
            self._writer.count(spent(answer))
        except PartlyAnswered as error:
            self._writer.count(spent(error.came))
            raise
        except BaseException as error:
            if reached_model(error):
                await self._committed(partial(self._writer.count, Usage(engine_requests=1)))
            raise
        return answer

    def _redacted(self, answer: Completions) -> Completions:
        if self._redact is None:
            return answer
        changed = []
        for sample in answer.samples:
            text = self._redact(sample.text)
            changed.append(sample if text == sample.text else replace(sample, text=text, token_ids=()))
        return replace(answer, samples=tuple(changed))

    async def _committed(self, hand_over: Callable[[Done], None]) -> Sequence[Row]:
        """Hand something to the writer and wait until it is in the file: the rows as the store holds them."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Sequence[Row]] = loop.create_future()

        def settle(result: Sequence[Row] | StoreError) -> None:
            if future.done():
                return
            if isinstance(result, StoreError):
                future.set_exception(result)
            else:
                future.set_result(result)

        def done(result: Sequence[Row] | StoreError) -> None:
            # A loop that ended without waiting has nobody left to tell; the rows are in the file.
            if not loop.is_closed():
                loop.call_soon_threadsafe(settle, result)

        hand_over(done)
        return await future


def _runs(positions: Sequence[int]) -> list[tuple[int, int]]:
    """(first, count) of each run of consecutive numbers."""
    if not positions:
        return []
    cuts = [0, *(i for i, (a, b) in enumerate(pairwise(positions), 1) if b != a + 1), len(positions)]
    return [(positions[a], b - a) for a, b in pairwise(cuts)]


def _answer(
    request: GenerateRequest, keys: tuple[str, ...], found: dict[str, StoredSample], asked: int, cost: float
) -> Completions:
    samples = [found[key] for key in keys]
    return Completions(
        samples=tuple(sample.completion for sample in samples),
        prompt_tokens=samples[0].prompt_tokens,
        cached_tokens=samples[0].cached_tokens,
        cost=cost,
        prompt_logprob=samples[0].prompt_logprob,
        keys=keys,
        stored=request.n - asked,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredSpec:
    """A store in front of an engine, as a picklable description.

    The model is loaded when the first sample is missing: replay of a finished run loads no weights.

    Attributes:
        redact: name of the function that hides what must not be stored, `package.module:function`; empty for none.
    """

    engine: EngineSpec
    path: str
    run_id: str = ""
    redact: str = ""

    def open(self) -> RolloutStore:
        """Open the store. Raises StoreError as `RolloutStore` does, and ConfigError as `named_function`."""
        redact = named_function(self.redact, what=REDACTION) if self.redact else None
        return RolloutStore(LazyEngine(self.engine), self.path, run_id=self.run_id, redact=redact)
