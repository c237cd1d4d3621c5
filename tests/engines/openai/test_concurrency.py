"""The adaptive limit: its bounds, what a burst costs, how it recovers, and what it must not react to."""

from __future__ import annotations

import heapq
import random
from collections.abc import Callable
from itertools import count

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from steplabel.engines.openai.concurrency import INFLATED, AdaptiveLimit, Ticket
from steplabel.schemas import ConfigError


class Clock:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def fill(limit: AdaptiveLimit) -> list[Ticket]:
    tickets = []
    while limit.free:
        tickets.append(limit.start())
    return tickets


def one_round(limit: AdaptiveLimit, clock: Clock, *, refused: int = 0, latency: float = 1.0) -> None:
    """Fill the limit, wait, and answer all: the first `refused` of them with a refusal."""
    tickets = fill(limit)
    clock.now += latency
    for i, ticket in enumerate(tickets):
        (limit.refused if i < refused else limit.succeeded)(ticket)


def test_starts_at_the_most_and_counts() -> None:
    """All is allowed at first; what is in flight is counted whatever way it ends."""
    limit = AdaptiveLimit(3, Clock())
    tickets = fill(limit)
    assert (limit.limit, limit.in_flight, limit.free) == (3, 3, False)
    limit.succeeded(tickets[0])
    limit.refused(tickets[1])
    limit.ended(tickets[2])
    assert limit.in_flight == 0


def test_a_limit_below_one_is_refused() -> None:
    """Nothing could ever be sent."""
    with pytest.raises(ConfigError, match="max_in_flight=0"):
        AdaptiveLimit(0)


def test_a_burst_of_refusals_counts_once() -> None:
    """256 refusals of one round trip halve the limit; they do not halve it 256 times, nor once a window."""
    clock = Clock()
    limit = AdaptiveLimit(256, clock)
    one_round(limit, clock, refused=256)
    assert limit.limit == 128


def test_refusals_that_come_after_the_cut_do_not_cut_again() -> None:
    """The rest of a burst, answered later, was sent at the old limit."""
    limit = AdaptiveLimit(100, Clock())
    early = fill(limit)
    for ticket in early[:90]:
        limit.refused(ticket)
    late = fill(limit)
    for ticket in early[90:]:
        limit.refused(ticket)
    assert limit.limit == 50
    for ticket in late:
        limit.refused(ticket)
    assert limit.limit == 50


def test_the_cut_is_the_share_refused() -> None:
    """A server with room for three quarters is asked a quarter less."""
    clock = Clock()
    limit = AdaptiveLimit(200, clock)
    one_round(limit, clock, refused=50)
    assert limit.limit == 150


def test_a_few_refusals_are_noise() -> None:
    """One in twenty-five does not slow a run down: it says nothing about how many are sent."""
    clock = Clock()
    limit = AdaptiveLimit(256, clock)
    for _ in range(50):
        one_round(limit, clock, refused=10)
    assert limit.limit == 256


def test_a_light_load_is_cut_by_what_was_in_flight() -> None:
    """Ten requests, all refused, under a limit of 256: five are left, not 128."""
    limit = AdaptiveLimit(256, Clock())
    for ticket in [limit.start() for _ in range(10)]:
        limit.refused(ticket)
    assert limit.limit == 5


def test_recovers_within_some_windows() -> None:
    """From 1 back to 256 in about 2 * sqrt(256) round trips without refusals."""
    clock = Clock()
    limit = AdaptiveLimit(256, clock)
    for _ in range(12):
        one_round(limit, clock, refused=256)
    assert limit.limit == 1
    rounds = next(i for i in count() if (one_round(limit, clock), limit.limit == 256)[1])
    assert rounds < 40


def test_a_limit_that_is_not_used_does_not_grow() -> None:
    """One request at a time proves nothing about a hundred."""
    clock = Clock()
    limit = AdaptiveLimit(256, clock)
    one_round(limit, clock, refused=256)
    for _ in range(500):
        ticket = limit.start()
        clock.now += 1
        limit.succeeded(ticket)
    assert limit.limit == 128


def test_inflated_latency_cuts_and_a_lasting_one_becomes_usual() -> None:
    """A median of ten times the usual cuts; after some windows at that latency the limit is whole again."""
    clock = Clock()
    limit = AdaptiveLimit(64, clock)
    for _ in range(5):
        one_round(limit, clock)
    one_round(limit, clock, latency=10.0)
    assert limit.limit == 32
    for _ in range(60):
        one_round(limit, clock, latency=10.0)
    assert limit.limit == 64


@pytest.mark.parametrize("latency", [0.01, 1.0, INFLATED * 0.95])
def test_ordinary_changes_of_latency_do_not_cut(latency: float) -> None:
    """Faster, the same, or less than three times as slow: not the queue of a server that is too full."""
    clock = Clock()
    limit = AdaptiveLimit(64, clock)
    one_round(limit, clock)
    one_round(limit, clock, latency=latency)
    assert limit.limit == 64


def test_a_quiet_phase_is_no_baseline() -> None:
    """Single requests are answered ten times as fast; the full load that follows is not taken for inflation."""
    clock = Clock()
    limit = AdaptiveLimit(64, clock)
    for _ in range(5):
        one_round(limit, clock)
    for _ in range(300):
        ticket = limit.start()
        clock.now += 0.1
        limit.succeeded(ticket)
    one_round(limit, clock)
    assert limit.limit == 64


def simulate(limit: AdaptiveLimit, clock: Clock, latency: Callable[[int], float | None], requests: int) -> float:
    """Keep the limit full; `latency(in flight)` of each request, None for a refusal. Returns mean in flight."""
    events: list[tuple[float, int, Ticket, bool]] = []
    area, started = 0.0, 0
    while started < requests or events:
        while limit.free and started < requests:
            took = latency(limit.in_flight)
            ticket = limit.start()
            heapq.heappush(events, (clock.now + (0.01 if took is None else took), started, ticket, took is not None))
            started += 1
        at, _, ticket, good = heapq.heappop(events)
        area += limit.in_flight * (at - clock.now)
        clock.now = at
        (limit.succeeded if good else limit.refused)(ticket)
    return area / clock.now


def test_heavy_tails_do_not_cut() -> None:
    """5 % of requests take six times as long: the limit stays where it is."""
    clock, draw = Clock(), random.Random(0)
    limit = AdaptiveLimit(256, clock)
    mean = simulate(limit, clock, lambda _: 3.0 if draw.random() < 0.05 else 0.5, 20_000)
    assert limit.limit == 256
    assert mean > 240


@pytest.mark.parametrize("capacity", [1, 5, 40, 100])
def test_settles_near_a_servers_capacity(capacity: int) -> None:
    """A server with room for `capacity` refuses what is more: the limit ends near it, neither far above nor starved."""
    clock, draw = Clock(), random.Random(capacity)
    limit = AdaptiveLimit(256, clock)

    def latency(in_flight: int) -> float | None:
        return draw.uniform(0.4, 0.6) if in_flight < capacity else None

    simulate(limit, clock, latency, 20_000)
    limits = []
    for _ in range(200):
        simulate(limit, clock, latency, 200)
        limits.append(limit.limit)
    mean = sum(limits) / len(limits)
    assert capacity * 0.6 - 1 <= mean <= capacity * 1.4 + 3


@settings(deadline=None)
@given(
    most=st.integers(1, 300),
    steps=st.lists(
        st.tuples(st.sampled_from(["start", "succeeded", "refused", "ended"]), st.floats(0, 100)), max_size=400
    ),
    order=st.randoms(use_true_random=False),
)
def test_stays_within_its_bounds(most: int, steps: list[tuple[str, float]], order: random.Random) -> None:
    """Whatever comes in whatever order: 1 <= limit <= most, in flight is what was started and did not end."""
    clock = Clock()
    limit = AdaptiveLimit(most, clock)
    flying: list[Ticket] = []
    for step, passed in steps:
        clock.now += passed
        if step == "start":
            flying.append(limit.start())
        elif flying:
            ticket = flying.pop(order.randrange(len(flying)))
            getattr(limit, step)(ticket)
        assert 1 <= limit.limit <= most
        assert limit.in_flight == len(flying)


@settings(deadline=None)
@given(most=st.integers(1, 300), refusals=st.lists(st.floats(0, 1), max_size=30))
def test_recovers_from_any_history(most: int, refusals: list[float]) -> None:
    """After any sequence of rounds with any share refused, clean rounds bring the limit back to the most."""
    clock = Clock()
    limit = AdaptiveLimit(most, clock)
    for share in refusals:
        one_round(limit, clock, refused=int(share * limit.limit))
    for _ in range(60):
        one_round(limit, clock)
    assert limit.limit == most
