"""Trying again: how often, after what pause, and what a `Retry-After` says."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from steplabel.engines.openai.retries import LONGEST_PAUSE, Passing, RetryPolicy, parse_retry_after, tried
from steplabel.schemas import ConfigError, EngineError

NOON = datetime(2026, 1, 31, 12, 0, 0, tzinfo=UTC)


def played(outcomes: list[Any], **policy: Any) -> tuple[Any, list[bool], list[float]]:
    """The end of `tried` over scripted attempts: result or error, the `again` of each attempt, the pauses."""
    again_of: list[bool] = []
    pauses: list[float] = []

    async def attempt(again: bool) -> Any:
        again_of.append(again)
        outcome = outcomes[len(again_of) - 1]
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    async def sleep(seconds: float) -> None:
        pauses.append(seconds)

    try:
        end = asyncio.run(tried(attempt, RetryPolicy(**policy), sleep))
    except EngineError as error:
        end = error
    return end, again_of, pauses


def test_the_first_success_ends_it() -> None:
    """One attempt and no pause if it is the first; else as many as it takes."""
    assert played(["a"]) == ("a", [False], [])
    end, again, pauses = played([Passing("x"), Passing("y"), "a"])
    assert (end, again, len(pauses)) == ("a", [False, True, True], 2)


@pytest.mark.parametrize("attempts", [1, 2, 5])
def test_attempts_are_counted(attempts: int) -> None:
    """The last failure is the one that is raised."""
    errors = [Passing(f"{i}") for i in range(10)]
    end, again, pauses = played(list(errors), attempts=attempts)
    assert end is errors[attempts - 1]
    assert (len(again), len(pauses)) == (attempts, attempts - 1)


def test_other_failures_are_final() -> None:
    """They are passed on as they are."""
    final = EngineError("no")
    assert played([Passing("x"), final, "a"])[0] is final
    assert played([final, "a"])[:2] == (final, [False])


def test_pauses_are_jittered_and_bounded() -> None:
    """Uniform below a bound that doubles up to the longest: they differ, and none is above its bound."""
    _, _, pauses = played([Passing("x")] * 12, attempts=12, pause=0.5)
    for i, pause in enumerate(pauses):
        assert 0 <= pause <= min(LONGEST_PAUSE, 0.5 * 2**i)
    assert len(set(pauses)) == len(pauses)


def test_what_the_server_wants_is_waited_for() -> None:
    """And a little more, so that those sent away together do not come back together."""
    _, _, pauses = played([Passing("x", wait=30.0), Passing("y"), "a"], pause=0.5)
    assert 30.0 <= pauses[0] <= 30.5
    assert pauses[1] <= 1.0


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        (None, None),
        ("", None),
        ("0", 0.0),
        ("120", 120.0),
        ("1.5", 1.5),
        (" 7 ", 7.0),
        ("-3", 0.0),
        ("inf", None),
        ("nan", None),
        ("soon", None),
        ("Sat, 31 Jan 2026 12:00:30 GMT", 30.0),
        ("Sat, 31 Jan 2026 12:00:30", 30.0),
        ("Sat, 31 Jan 2026 13:00:30 +0100", 30.0),
        ("Sat, 31 Jan 2026 11:00:00 GMT", 0.0),
        ("Sat, 99 Jan 2026 11:00:00 GMT", None),
        ("Mon, 01 Jan 2024 00:00:00 +99999999999999999", None),
        ("Mon, 01 Jan 0001 00:00:00 +2359", 0.0),
        ("1" * 400, None),
    ],
)
def test_retry_after(value: str | None, seconds: float | None) -> None:
    """Seconds or a date, in any zone; the past is now; nonsense says nothing."""
    assert parse_retry_after(value, NOON) == seconds


@given(
    st.text() | st.from_regex(r"[A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{1,5} \d\d:\d\d:\d\d [+-]\d{1,20}", fullmatch=True)
)
def test_retry_after_never_fails(value: str) -> None:
    """Whatever a server writes: a number of seconds from 0 on, or nothing."""
    seconds = parse_retry_after(value, NOON)
    assert seconds is None or seconds >= 0


@pytest.mark.parametrize("name", ["pause", "deadline", "stall", "connect"])
def test_policies_are_checked(name: str) -> None:
    """No time at all would fail every request."""
    with pytest.raises(ConfigError, match=f"{name}_s=0"):
        RetryPolicy(**{name: 0.0})
