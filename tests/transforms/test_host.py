"""The engine host: one loop, one engine of a kind, results that flow."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator
from concurrent.futures import CancelledError
from dataclasses import dataclass
from itertools import islice

import pytest

from steplabel.annotators.driver import drive
from steplabel.engines.scripted import ScriptedEngine
from steplabel.schemas import ConfigError, StoreError
from steplabel.transforms.host import EngineHost


@dataclass(frozen=True)
class CountedSpec:
    """A spec whose engines can be counted."""

    name: str

    def open(self) -> ScriptedEngine:
        opened.append(self.name)
        return ScriptedEngine(lambda request, index, seed: self.name)


opened: list[str] = []


@pytest.fixture
def host() -> AsyncIterator[EngineHost]:
    opened.clear()
    host = EngineHost()
    yield host
    host.close()


async def count_to(n: int) -> AsyncIterator[int]:
    for i in range(n):
        await asyncio.sleep(0)
        yield i


def test_equal_specs_share_one_engine(host: EngineHost) -> None:
    """Threads that ask for equal specs at once get one engine."""
    got: list[object] = []
    threads = [threading.Thread(target=lambda: got.append(host.engine(CountedSpec("a")))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert opened == ["a"]
    assert all(engine is got[0] for engine in got)
    assert host.engine(CountedSpec("b")) is not got[0]


@pytest.mark.parametrize("n", [0, 1, 1000])
def test_iterates_everything_in_order(host: EngineHost, n: int) -> None:
    """All items arrive in order, more of them than the queue holds too."""
    assert list(host.iterate(lambda: count_to(n))) == list(range(n))


def test_an_error_reaches_the_reader_after_the_items_before_it(host: EngineHost) -> None:
    """What the work raises is raised where it is read."""

    async def failing() -> AsyncIterator[int]:
        yield 1
        raise ValueError("no more")

    items = host.iterate(failing)
    assert next(items) == 1
    with pytest.raises(ValueError, match="no more"):
        next(items)


def test_closing_early_cancels_the_work(host: EngineHost) -> None:
    """A reader that leaves ends the work and runs its cleanup."""
    ended = threading.Event()

    async def endless() -> AsyncIterator[int]:
        try:
            while True:
                yield 1
                await asyncio.sleep(0)
        finally:
            ended.set()

    items = host.iterate(endless)
    assert list(islice(items, 3)) == [1, 1, 1]
    items.close()  # type: ignore[attr-defined]
    assert ended.wait(5)


def test_leaving_early_waits_for_the_cleanup(host: EngineHost) -> None:
    """When the reader goes on, nothing of the work runs any more: what it held may be closed."""
    cleaned = []

    async def slow_to_go() -> AsyncIterator[int]:
        try:
            while True:
                yield 1
                await asyncio.sleep(0)
        finally:
            await asyncio.sleep(0.05)
            cleaned.append(True)

    items = host.iterate(slow_to_go)
    assert next(items) == 1
    items.close()  # type: ignore[attr-defined]
    assert cleaned == [True]


def test_work_that_cannot_begin_is_an_error_of_the_reader(host: EngineHost) -> None:
    """An iterator that cannot be made is an error where it is read, not a reader that waits for ever."""
    with pytest.raises(ConfigError, match="in_flight=0"):
        list(host.iterate(lambda: drive(iter(()), {}, in_flight=0)))


def test_a_reader_may_leave_before_the_work_has_begun(host: EngineHost) -> None:
    """An iterator that was never read starts nothing."""
    started = []
    items = host.iterate(lambda: started.append(1) or count_to(3))  # type: ignore[func-returns-value]
    items.close()  # type: ignore[attr-defined]
    host.run(asyncio.sleep(0))
    assert started == []


def test_two_readers_share_the_loop(host: EngineHost) -> None:
    """Two bundles of one process do not wait for each other."""
    both = zip(host.iterate(lambda: count_to(300)), host.iterate(lambda: count_to(300)), strict=True)
    assert [a == b for a, b in both] == [True] * 300


def test_close_ends_the_work_and_lets_its_reader_go() -> None:
    """Work under way is cancelled and cleans up, before engines are closed; its reader hears of it."""
    host, cleaned, heard = EngineHost(), [], []
    first = threading.Event()

    async def endless() -> AsyncIterator[int]:
        try:
            yield 1
            await asyncio.sleep(3600)
        finally:
            await asyncio.sleep(0.02)
            cleaned.append(True)

    def read() -> None:
        try:
            for _ in host.iterate(endless):
                first.set()
        except CancelledError as error:
            heard.append(error)

    reader = threading.Thread(target=read)
    reader.start()
    first.wait()
    host.close()
    reader.join()
    assert cleaned == [True]
    assert len(heard) == 1


@dataclass(frozen=True)
class StubbornSpec:
    """An engine that cannot be closed."""

    name: str

    def open(self) -> ScriptedEngine:
        class Stubborn(ScriptedEngine):
            async def close(self) -> None:
                raise StoreError(f"{name}: the disk is full")

        name = self.name
        return Stubborn(lambda request, index, seed: "")


def test_close_goes_on_past_an_engine_that_cannot_be_closed() -> None:
    """All others are closed, the loop ends, and the first error is raised."""
    host = EngineHost()
    engines = [host.engine(spec) for spec in (StubbornSpec("a"), CountedSpec("b"), StubbornSpec("c"), CountedSpec("d"))]
    with pytest.raises(StoreError, match="a: the disk is full"):
        host.close()
    assert [engine._closed for engine in engines] == [False, True, False, True]  # type: ignore[attr-defined]
    assert not host._thread.is_alive()
    host.close()


def test_close_closes_the_engines_and_may_be_called_twice() -> None:
    """After close the engines are closed too."""
    host = EngineHost()
    engine = host.engine(CountedSpec("a"))
    host.close()
    host.close()
    assert engine._closed  # type: ignore[attr-defined]
