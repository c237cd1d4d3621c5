"""One event loop and one engine of each kind per process, however many bundles and threads a runner starts.

A model takes seconds to minutes to load and fills a GPU, so it must be shared by every bundle of a process. All
engines live on one loop, so the store's single-flight works across bundles too.
"""

from __future__ import annotations

import asyncio
import queue
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterator
from concurrent.futures import Future
from typing import Any, TypeVar

from steplabel.engines.port import Engine, EngineSpec

T = TypeVar("T")
FULL_SECONDS = 0.002  # how long to wait for a slow reader before looking again
QUEUE_SIZE = 256  # results that may wait for Beam: enough to ride out a slow consumer, small in memory


class EngineHost:
    """A thread with an event loop, and the engines that were opened on it. Thread-safe."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="steplabel-engines", daemon=True)
        self._engines: dict[EngineSpec, Engine] = {}
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

        Closing the returned iterator early cancels the work. An error of the work is raised here.
        """
        items: queue.Queue[tuple[bool, Any]] = queue.Queue(maxsize=QUEUE_SIZE)
        stop = threading.Event()
        task = self._submit(_feed(start, items, stop))
        try:
            while True:
                more, item = items.get()
                if not more:
                    break
                yield item
            task.result()
        finally:  # after the end this does nothing; before it, the reader left, or Ctrl-C came
            stop.set()
            task.cancel()

    def run(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """Run one coroutine on the loop and wait for it."""
        return self._submit(coroutine).result()

    def close(self) -> None:
        """Close every engine (a store flushes) and end the loop. A closed host cannot be used again."""
        with self._lock:
            engines, self._engines = list(self._engines.values()), {}
        if self._loop.is_closed():
            return
        for engine in engines:
            self.run(_closed(engine.close()))
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _submit(self, coroutine: Coroutine[Any, Any, T]) -> Future[T]:
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop)


async def _closed(closing: Awaitable[None]) -> None:
    await closing


async def _feed(
    start: Callable[[], AsyncIterator[T]], items: queue.Queue[tuple[bool, Any]], stop: threading.Event
) -> None:
    """Put every item in the queue, without ever blocking the loop on a full one, and an end mark last."""
    stream = start()
    try:
        async for item in stream:
            await _put(items, (True, item), stop)
    finally:
        closing = getattr(stream, "aclose", None)
        if closing is not None:
            await closing()
        await _put(items, (False, None), stop)


async def _put(items: queue.Queue[tuple[bool, Any]], item: tuple[bool, Any], stop: threading.Event) -> None:
    while not stop.is_set():
        try:
            items.put_nowait(item)
        except queue.Full:
            await asyncio.sleep(FULL_SECONDS)
        else:
            return


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
