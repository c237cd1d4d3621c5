"""One event loop and one engine of each kind per process, however many bundles and threads a runner starts.

A model takes seconds to minutes to load and fills a GPU, so it must be shared by every bundle of a process. All
engines live on one loop, so the store's single-flight works across bundles too.
"""

from __future__ import annotations

import asyncio
import queue
import threading
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable, Iterator, Sequence
from concurrent.futures import Future, wait
from typing import Any, Final, Generic, TypeVar, cast

from steplabel.engines.port import Engine, EngineSpec

T = TypeVar("T")
FULL_SECONDS: Final = 0.002  # how long to wait for a slow reader before looking again
CLEANUP_SECONDS: Final = 30.0  # for cancelled work to end: requests in flight are taken back, stores finish a commit
QUEUE_SIZE: Final = 256  # results that may wait for Beam: enough to ride out a slow consumer, small in memory


class EngineHost:
    """A thread with an event loop, and the engines that were opened on it. Thread-safe."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="steplabel-engines", daemon=True)
        self._engines: dict[EngineSpec, Engine] = {}
        self._running: set[asyncio.Task[Any]] = set()  # on behalf of readers; only the loop touches it
        self._lock = threading.Lock()
        self._thread.start()

    def engine(self, spec: EngineSpec) -> Engine:
        """The engine of `spec`, opened on first use; equal specs share one."""
        with self._lock:
            if spec not in self._engines:
                self._engines[spec] = spec.open()
            return self._engines[spec]

    def iterate(self, start: Callable[[], AsyncIterator[T]]) -> Iterator[T]:
        """Run an async iterator on the loop and yield its items here as they come.

        Closing the returned iterator early cancels the work, and waits for its cleanup. An error of the work, or of
        `start`, is raised here.
        """
        feed = _Feed(start)
        work = self._submit(self._run(feed))
        try:
            yield from feed.items()
            work.result()
        finally:
            if not work.done() and not self._loop.is_closed():  # the reader left, or Ctrl-C came
                self._loop.call_soon_threadsafe(feed.leave)
                self._await(work)

    def run(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """Run one coroutine on the loop and wait for it."""
        return self._submit(coroutine).result()

    def close(self) -> None:
        """End what runs, close every engine (a store flushes) and end the loop. A closed host cannot be used again.

        Raises whatever the first engine raised that could not be closed, once all others are.
        """
        with self._lock:
            engines, self._engines = list(self._engines.values()), {}
        if self._loop.is_closed():
            return
        try:
            self.run(self._closed(engines))
        finally:
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join()
            self._loop.close()

    def _await(self, work: Future[None]) -> None:
        if threading.current_thread() is not self._thread:  # where a forgotten iterator may be collected
            wait((work,), timeout=CLEANUP_SECONDS)

    async def _run(self, feed: _Feed[Any]) -> None:
        task = _this_task()
        self._running.add(task)
        try:
            await feed.run()
        finally:
            self._running.discard(task)

    async def _closed(self, engines: Sequence[Engine]) -> None:
        await _stopped(self._running)  # first: it must not go on with what closing engines answer
        ends = await asyncio.gather(*(engine.close() for engine in engines), return_exceptions=True)
        await _stopped(asyncio.all_tasks() - {_this_task()})
        for end in ends:
            if isinstance(end, BaseException):
                raise end

    def _submit(self, coroutine: Coroutine[Any, Any, T]) -> Future[T]:
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop)


class _Feed(Generic[T]):
    """The items of an async iterator on their way from the loop to a reader on another thread."""

    def __init__(self, start: Callable[[], AsyncIterator[T]]) -> None:
        self._start = start
        self._queue: queue.Queue[tuple[bool, Any]] = queue.Queue(maxsize=QUEUE_SIZE)
        self._task: asyncio.Task[Any] | None = None
        self._left = False

    def items(self) -> Iterator[T]:
        """What `run` passes on, up to its end, whichever that is."""
        while True:
            more, item = self._queue.get()
            if not more:
                return
            yield item

    async def run(self) -> None:
        """Pass every item on, without ever blocking the loop on a full queue, and an end mark last."""
        self._task = _this_task()
        try:
            if not self._left:
                await self._pass_on()
        finally:
            await self._put((False, None))

    def leave(self) -> None:
        """On the loop: nobody reads any more."""
        self._left = True
        if self._task is not None:
            self._task.cancel()

    async def _pass_on(self) -> None:
        stream = self._start()
        try:
            async for item in stream:
                await self._put((True, item))
        finally:
            closing = getattr(stream, "aclose", None)
            if closing is not None:
                await closing()

    async def _put(self, item: tuple[bool, Any]) -> None:
        while not self._left:
            try:
                self._queue.put_nowait(item)
            except queue.Full:
                await asyncio.sleep(FULL_SECONDS)
            else:
                return


def _this_task() -> asyncio.Task[Any]:
    return cast("asyncio.Task[Any]", asyncio.current_task())  # a coroutine runs in one


async def _stopped(tasks: Iterable[asyncio.Task[Any]]) -> None:
    """Cancel tasks, and wait for their cleanup."""
    unfinished = set(tasks)
    for task in unfinished:
        task.cancel()
    if unfinished:
        await asyncio.wait(unfinished, timeout=CLEANUP_SECONDS)


_host: EngineHost | None = None
_host_lock = threading.Lock()


def engine_host() -> EngineHost:
    """This process's host, started on first use and closed when the process ends."""
    global _host  # noqa: PLW0603  # one per process is the point
    with _host_lock:
        if _host is None:
            _host = EngineHost()
        return _host


def close_engine_host() -> None:
    """Close this process's host, if there is one; the next `engine_host()` starts afresh."""
    global _host
    with _host_lock:
        host, _host = _host, None
    if host is not None:
        host.close()


# `atexit` would be too late: by then thread pools, which engines close with, take no more work. This hook is what
# `concurrent.futures` itself uses to shut down, and runs in reverse order of registration, so ours comes first.
threading._register_atexit(close_engine_host)  # type: ignore[attr-defined]
