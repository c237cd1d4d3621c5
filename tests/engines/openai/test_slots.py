"""The gate: order, cancellation, being held back, being closed."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

import pytest

from steplabel.engines.openai.concurrency import AdaptiveLimit, Ticket
from steplabel.engines.openai.slots import Slots
from steplabel.schemas import EngineClosed


def run(story: Coroutine[Any, Any, None]) -> None:
    asyncio.run(asyncio.wait_for(story, 20))


async def waiting(slots: Slots, names: str, *, again: str = "") -> tuple[list[str], list[asyncio.Task[Ticket]]]:
    """Requests that wait in this order; the list says in which order they were let through."""
    order: list[str] = []

    async def wait(name: str) -> Ticket:
        ticket = await slots.take(again=name in again)
        order.append(name)
        return ticket

    tasks = []
    for name in names:
        tasks.append(asyncio.create_task(wait(name)))
        await asyncio.sleep(0)
    return order, tasks


def test_first_come_first_served() -> None:
    """But those that are asked again go in front."""

    async def story() -> None:
        slots = Slots(AdaptiveLimit(1))
        ticket = await slots.take()
        order, tasks = await waiting(slots, "abcd", again="cd")
        for _ in range(4):
            slots.succeeded(ticket)
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            ticket = done.pop().result()
            tasks = [task for task in tasks if not task.done()]
        assert order == ["d", "c", "a", "b"]

    run(story())


def test_a_newcomer_does_not_overtake() -> None:
    """A slot that is free in the same moment belongs to the one who waits."""

    async def story() -> None:
        slots = Slots(AdaptiveLimit(1))
        ticket = await slots.take()
        order, (first,) = await waiting(slots, "a")
        slots.succeeded(ticket)
        late = asyncio.create_task(slots.take())
        slots.succeeded(await first)
        await late
        assert order == ["a"]

    run(story())


@pytest.mark.parametrize("granted", [False, True])
def test_a_cancelled_request_gives_its_place(granted: bool) -> None:
    """Whether it still waited, or had just been let through."""

    async def story() -> None:
        slots = Slots(AdaptiveLimit(1))
        ticket = await slots.take()
        _, (first, second) = await waiting(slots, "ab")
        if granted:
            slots.succeeded(ticket)
        first.cancel()
        if not granted:
            slots.succeeded(ticket)
        with pytest.raises(asyncio.CancelledError):
            await first
        slots.succeeded(await second)
        assert slots.limit.in_flight == 0

    run(story())


def test_held_back_until_the_time() -> None:
    """Nobody passes before; a longer hold replaces a shorter one, a shorter one nothing."""

    async def story() -> None:
        loop = asyncio.get_running_loop()
        slots = Slots(AdaptiveLimit(10))
        begin = loop.time()
        for hold in (0.05, 0.3, 0.1):
            slots.refused(slots.limit.start(), hold=hold)
        ticket = await slots.take()
        assert loop.time() - begin >= 0.3
        slots.succeeded(ticket)

    run(story())


def test_one_refusal_among_many_answers_holds_nobody_back() -> None:
    """A server that serves all others means the one request it sent away."""

    async def story() -> None:
        slots = Slots(AdaptiveLimit(50))
        tickets = [await slots.take() for _ in range(50)]
        for ticket in tickets[:30]:
            slots.succeeded(ticket)
        slots.refused(tickets[30], hold=3600.0)
        slots.ended(await slots.take())

    run(story())


def test_a_smaller_limit_waits_for_those_in_flight() -> None:
    """After a cut nobody is sent until enough have come back."""

    async def story() -> None:
        slots = Slots(AdaptiveLimit(8))
        tickets = [await slots.take() for _ in range(8)]
        for ticket in tickets[:4]:
            slots.refused(ticket)
        more = [await slots.take() for _ in range(4)]
        for ticket in more[:4]:
            slots.refused(ticket)
        assert slots.limit.limit == 4
        _, (first,) = await waiting(slots, "a")
        assert not first.done()
        slots.succeeded(tickets[4])
        slots.ended(await first)
        assert slots.limit.in_flight == 3

    run(story())


def test_closing() -> None:
    """Those that wait and those that come later fail; those in flight may still give back."""

    async def story() -> None:
        slots = Slots(AdaptiveLimit(1))
        ticket = await slots.take()
        _, tasks = await waiting(slots, "abc")
        tasks[1].cancel()
        slots.close()
        results = await asyncio.gather(*tasks, return_exceptions=True)
        assert [type(result) for result in results] == [EngineClosed, asyncio.CancelledError, EngineClosed]
        slots.refused(ticket, hold=1.0)
        with pytest.raises(EngineClosed):
            await slots.take()

    run(story())
