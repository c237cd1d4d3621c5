"""Run thousands of programs on one event loop, none of them waiting for another.

A program that waits for its answer costs nothing, so many are in flight at once: as one's answer arrives, it
goes on and asks the next thing, and the engine's batch stays full. There are no rounds, hence no round's
slowest request to wait for (`benchmarks/driver.py` measures the difference).

Who fails how:

    a handler raises        the error is thrown into the program at its `yield`: it may return what it has
    a program raises        that program ends with `Finished.error`; the others do not notice
    no handler for effect   ConfigError, thrown into the program
    StoreError              everything stops and it is raised here: evidence can no longer be kept
    the iterable raises     everything stops and it is raised here: which programs are missing is not known
    cancellation, Ctrl-C    everything stops: running handlers are cancelled, programs closed
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeAlias, TypeVar

from steplabel.annotators.effects import Concurrently, Effect, Finished, Program
from steplabel.schemas import ConfigError, StoreError

__all__ = ["Finished", "Handler", "drive"]

K = TypeVar("K")
T = TypeVar("T")

Handler: TypeAlias = Callable[[Any], Awaitable[Any]]
"""Answers one type of effect. May raise: see above for what becomes of it."""

_log = logging.getLogger(__name__)


def drive(
    programs: Iterable[tuple[K, Program[T]]], handlers: Mapping[type, Handler], *, in_flight: int
) -> AsyncGenerator[Finished[K, T], None]:
    """Advance up to `in_flight` programs at once and yield each as it ends, in the order in which they end.

    Programs are pulled from the iterable, on the loop, only when one can start: it may be endless, but must
    not block. At most twice `in_flight` are started and not yet read, so a slow reader holds the run back
    instead of filling memory, while a pause of the reader does not empty the engine. Programs that another
    runs by `Concurrently` come on top. Give `in_flight` about four times the engine's slots divided by the
    samples of one request: a program waits for the slowest of its samples while their other slots stand free
    (twice kept .90 of the slots busy, four times .98: `benchmarks/driver.py --annotator omegaprm_locate`).

    Close the iterator (`contextlib.aclosing`) when leaving it early: that cancels running handlers and closes
    programs, so that their own `finally` runs, before it returns.

    Raises:
        ConfigError: `in_flight` is below 1.
        StoreError: from a handler or a program.
        asyncio.CancelledError: a handler was cancelled by someone else.
    """
    _check_width(in_flight)
    return _drive(iter(programs), handlers, in_flight)


def _check_width(in_flight: int) -> None:
    if in_flight < 1:
        raise ConfigError(f"in_flight={in_flight}: at least one program must be able to run")


async def _drive(
    source: Iterator[tuple[K, Program[T]]], handlers: Mapping[type, Handler], in_flight: int
) -> AsyncGenerator[Finished[K, T], None]:
    events: asyncio.Queue[Finished[K, T] | asyncio.Task[None]] = asyncio.Queue()
    unread = asyncio.Semaphore(2 * in_flight)
    workers: list[asyncio.Task[None]] = []

    async def work() -> None:
        hiring = True
        await unread.acquire()
        for key, program in source:
            if hiring and len(workers) < in_flight:
                hire()  # not before there was work for this one: a wide run of few programs stays small
            hiring = False
            events.put_nowait(await _finish(key, program, handlers))
            # Programs whose answers are all at hand (a replay) never suspend: let the others have their turn.
            await asyncio.sleep(0)
            await unread.acquire()

    def hire() -> None:
        worker = asyncio.create_task(work())
        worker.add_done_callback(left)
        workers.append(worker)

    def left(worker: asyncio.Task[None]) -> None:
        events.put_nowait(worker)
        if worker.cancelled() or worker.exception() is not None:
            for other in workers:
                other.cancel()  # at once, not when the reader comes to see it

    try:
        hire()
        gone = 0
        while gone < len(workers):
            event = await events.get()
            if isinstance(event, asyncio.Task):
                event.result()
                gone += 1
            else:
                unread.release()
                yield event
    finally:
        await _stop(workers)


async def _finish(key: K, program: Program[T], handlers: Mapping[type, Handler]) -> Finished[K, T]:
    try:
        return Finished(key=key, result=await _advance(program, handlers))
    except StoreError:
        raise
    except Exception as error:  # noqa: BLE001  whatever escapes one program is that program's result
        return Finished(key=key, error=error)
    finally:
        program.close()


async def _advance(program: Program[T], handlers: Mapping[type, Handler]) -> T:
    answer: Any = None
    error: Exception | None = None
    while True:
        try:
            effect = program.send(answer) if error is None else program.throw(error)
        except StopIteration as stop:
            result: T = stop.value
            return result
        try:
            answer, error = await _answer(effect, handlers), None
        except StoreError:
            raise
        except Exception as caught:  # noqa: BLE001  the program that asked decides what a failed answer means
            answer, error = None, caught


async def _answer(effect: Effect, handlers: Mapping[type, Handler]) -> Any:
    if isinstance(effect, Concurrently):
        return await _concurrently(effect.programs, handlers)
    handler = handlers.get(type(effect))
    if handler is None:
        known = ", ".join(sorted(kind.__name__ for kind in handlers)) or "none"
        raise ConfigError(
            f"a program asked for {type(effect).__name__}, but there are handlers only for: {known}; "
            f"pass one as handlers[{type(effect).__name__}]"
        )
    return await handler(effect)


async def _concurrently(
    programs: Sequence[Program[Any]], handlers: Mapping[type, Handler]
) -> tuple[Finished[int, Any], ...]:
    branches = [asyncio.create_task(_finish(i, program, handlers)) for i, program in enumerate(programs)]
    try:
        return tuple(await asyncio.gather(*branches))
    finally:
        await _stop(branches)


async def _stop(tasks: Sequence[asyncio.Task[Any]]) -> None:
    running = [task for task in tasks if not task.done()]
    for task in running:
        task.cancel()
    for ended in await asyncio.gather(*running, return_exceptions=True):
        if isinstance(ended, Exception):
            _log.warning("a program or handler failed while it was being cancelled", exc_info=ended)
