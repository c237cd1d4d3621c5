"""The plain iterator over the driver: what Beam's `process()` needs."""

from __future__ import annotations

import asyncio
import threading
import time
from dataclasses import dataclass

import pytest

from steplabel.annotators import drive_in_thread
from steplabel.schemas import ConfigError, StoreError


def asking(times, log=None):
    """Ask as often as told, return how often; write to the log when closed or done."""
    try:
        for i in range(times):
            yield Question(value=i)
    finally:
        if log is not None:
            log.append(times)
    return times


@dataclass(frozen=True)
class Question:
    """An effect as small as can be."""

    value: int


def drivers():
    return [t for t in threading.enumerate() if t.name == "steplabel-driver"]


async def at_once(effect):
    return 0


def test_all_results_come():
    """Everything comes back once, and the thread is gone afterwards."""
    programs = ((i, asking(i % 4)) for i in range(2000))
    found = {f.key: f.result for f in drive_in_thread(programs, lambda: {Question: at_once}, in_flight=16)}
    assert found == {i: i % 4 for i in range(2000)}
    assert not drivers()


def test_results_flow_while_the_rest_runs():
    """The first result is readable while another program still waits for its answer."""
    release = threading.Event()

    async def gate(effect):
        while not release.is_set():
            await asyncio.sleep(0.001)

    stream = drive_in_thread([(0, asking(1)), (1, asking(0))], lambda: {Question: gate}, in_flight=2)
    assert next(stream).key == 1
    release.set()
    assert next(stream).key == 0
    assert next(stream, None) is None


def test_everything_runs_on_one_other_thread():
    """Factory, input and handlers share the loop's thread, so they need no locks between them."""
    seen = set()

    def programs():
        seen.add(threading.get_ident())
        yield 0, asking(1)

    async def handler(effect):
        seen.add(threading.get_ident())

    def factory():
        seen.add(threading.get_ident())
        asyncio.get_running_loop()
        return {Question: handler}

    list(drive_in_thread(programs(), factory, in_flight=1))
    assert len(seen) == 1
    assert seen != {threading.get_ident()}


@pytest.mark.parametrize("leave", ["close", "drop"])
def test_leaving_early_cancels_and_joins(leave):
    """After closing or dropping the iterator programs are closed and the thread has ended."""
    log = []
    arrived = threading.Semaphore(0)

    async def hang(effect):
        arrived.release()
        await asyncio.Event().wait()

    programs = [(0, asking(0)), *((i, asking(1, log)) for i in range(1, 6))]
    stream = drive_in_thread(programs, lambda: {Question: hang}, in_flight=6)
    assert next(stream).key == 0
    assert all(arrived.acquire(timeout=10) for _ in range(5))
    if leave == "close":
        stream.close()
    del stream
    assert log == [1] * 5
    assert not drivers()


def test_an_error_in_the_readers_loop_stops_the_run():
    """A reader that raises takes the run down when its iterator goes."""
    log = []

    def read():
        programs = ((i, asking(1, log)) for i in range(10_000))
        for finished in drive_in_thread(programs, lambda: {Question: at_once}, in_flight=2):
            raise ZeroDivisionError(finished.key)

    with pytest.raises(ZeroDivisionError):
        read()
    assert not drivers()
    assert len(log) < 20


def test_a_slow_reader_holds_the_run_back():
    """Unread results are bounded: the input is pulled no further than a few widths ahead."""
    pulled = 0

    def programs():
        nonlocal pulled
        for pulled in range(1, 1001):
            yield pulled, asking(0)

    stream = drive_in_thread(programs(), dict, in_flight=3)
    for read in range(1, 21):
        next(stream)
        time.sleep(0.002)
        assert pulled <= read + 4 * 3 + 1
    stream.close()


@pytest.mark.parametrize(
    "error",
    [StoreError("disk full"), KeyboardInterrupt(), asyncio.CancelledError()],
    ids=lambda e: type(e).__name__,
)
def test_fatal_errors_are_raised_here(error):
    """What stops the run is raised in the reader's thread, after the results that came before it."""

    async def failing(effect):
        raise error

    stream = drive_in_thread([(0, asking(0)), (1, asking(1))], lambda: {Question: failing}, in_flight=1)
    with pytest.raises(type(error)):
        list(stream)
    assert not drivers()


def test_a_failing_factory_is_raised_here():
    """If the handlers cannot be made, the reader is told."""

    def factory():
        raise ConfigError("no such model")

    with pytest.raises(ConfigError, match="no such model"):
        next(drive_in_thread([(0, asking(1))], factory, in_flight=1))
    assert not drivers()


def test_nothing_starts_before_the_first_next():
    """Making the iterator starts no thread; a bad width is refused at once."""
    stream = drive_in_thread([(0, asking(1))], dict, in_flight=1)
    assert not drivers()
    stream.close()
    with pytest.raises(ConfigError):
        drive_in_thread([], dict, in_flight=0)


def test_works_inside_a_running_loop():
    """A caller that already runs an event loop (a notebook) can use it too."""

    async def main():
        return [f.result for f in drive_in_thread([(0, asking(2))], lambda: {Question: at_once}, in_flight=1)]

    assert asyncio.run(main()) == [2]
