"""Asking a server again: what is worth it, when, and until when.

What may pass (a lost connection, too many requests, an answer cut in the middle) is asked again, after a pause
drawn by full jitter: uniformly between 0 and a bound that doubles. What the same question will meet again (a bad
request, a wrong key) is not.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from itertools import count
from math import isfinite
from typing import Final, TypeVar

from tenacity import AsyncRetrying, RetryCallState, retry_if_exception_type, stop_after_attempt, wait_random_exponential

from steplabel.schemas import ConfigError, EngineError

T = TypeVar("T")
LONGEST_PAUSE: Final = 20.0  # seconds; where the doubling ends
OVERLOADED: Final = frozenset(
    {
        HTTPStatus.REQUEST_TIMEOUT,
        HTTPStatus.TOO_MANY_REQUESTS,
        HTTPStatus.SERVICE_UNAVAILABLE,
        HTTPStatus.GATEWAY_TIMEOUT,
        529,  # "overloaded", of some hosted models
    }
)
"""Answers that say the server has too much to do."""
PASSING: Final = OVERLOADED | {HTTPStatus.CONFLICT, HTTPStatus.TOO_EARLY}
"""Answers below 500 that may be another the next time."""


class Passing(EngineError):  # noqa: N818 - says what it is: a failure that may pass
    """A failure that is worth asking again.

    Attributes:
        overloaded: whether it says that the server has too much to do.
        wait: seconds that the server wants to be left alone; None where it does not say.
    """

    def __init__(self, message: str, *, overloaded: bool = False, wait: float | None = None) -> None:
        super().__init__(message)
        self.overloaded = overloaded
        self.wait = wait


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryPolicy:
    """How often, how patiently and how long one request is tried.

    Attributes:
        attempts: at most, the first included.
        pause: seconds below which the first pause lies; the bound doubles with every further one.
        deadline: seconds for all attempts together, from the moment the first was sent.
        stall: seconds without a byte after which an attempt is given up. A server sends nothing until a text
            is finished, so this bounds the slowest generation.
        connect: seconds to establish a connection.
    """

    attempts: int = 6
    pause: float = 0.25
    deadline: float = 1800.0
    stall: float = 600.0
    connect: float = 10.0

    def __post_init__(self) -> None:
        if self.attempts < 1:
            raise ConfigError(f"attempts={self.attempts} must be at least 1")
        for name in ("pause", "deadline", "stall", "connect"):
            seconds = getattr(self, name)
            if not 0 < seconds < float("inf"):
                raise ConfigError(f"{name}_s={seconds} must be a number of seconds above 0")


async def tried(
    attempt: Callable[[bool], Awaitable[T]], policy: RetryPolicy, sleep: Callable[[float], Awaitable[None]]
) -> T:
    """Await `attempt(again)` until it does not fail with `Passing`; `again` is false the first time only.

    Raises:
        Passing: of the last attempt, when all are used up. Whatever else `attempt` raises is passed on at once.
    """
    try:
        return await attempt(False)
    except Passing as error:
        return await _tried_again(error, attempt, policy, sleep)


async def _tried_again(
    first: Passing,
    attempt: Callable[[bool], Awaitable[T]],
    policy: RetryPolicy,
    sleep: Callable[[float], Awaitable[None]],
) -> T:
    """The rest of `tried`. Apart, since tenacity costs a tenth of a request, and few requests fail."""
    jitter = wait_random_exponential(multiplier=policy.pause, max=LONGEST_PAUSE)
    made = count()

    def wait(state: RetryCallState) -> float:
        error = state.outcome.exception() if state.outcome else None
        wanted = error.wait if isinstance(error, Passing) else None
        # On top of what the server wants: those that it sent away together must not come back together.
        return jitter(state) + (wanted or 0.0)

    async def next_attempt() -> T:
        if next(made) == 0:
            raise first  # counted by tenacity as the attempt that it was
        return await attempt(True)

    retrying = AsyncRetrying(
        retry=retry_if_exception_type(Passing),
        stop=stop_after_attempt(policy.attempts),
        wait=wait,
        sleep=sleep,
        reraise=True,
    )
    return await retrying(next_attempt)


def parse_retry_after(value: str | None, now: datetime | None = None) -> float | None:
    """Seconds that a `Retry-After` header asks for: a number of seconds or an HTTP date; None for nonsense."""
    if not value:
        return None
    try:
        seconds = float(value)
    except ValueError:
        return _seconds_until(value, now or datetime.now(UTC))
    return max(0.0, seconds) if isfinite(seconds) else None


def _seconds_until(date: str, now: datetime) -> float | None:
    try:
        when = parsedate_to_datetime(date)
        # RFC 9110, section 5.6.7: a date without a zone is in UTC.
        when = when if when.tzinfo else when.replace(tzinfo=UTC)
        return max(0.0, (when - now).total_seconds())
    except (ValueError, OverflowError):  # the second: a zone, or a moment, further off than dates reach
        return None
