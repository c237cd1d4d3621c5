"""How many requests a server may be given at once, learnt from its answers. No I/O, no sleeping.

Answers are counted in windows of about one round trip. At a window's end:

- A share of refusals (too many requests, overloaded, timed out) above `TOLERATED` cuts the limit by that share,
  by half at most. DCTCP cuts by the share of marked packets in the same way (Alizadeh et al., SIGCOMM 2010,
  section 3.3): a server that refuses one request in three is asked a third less, and a server that drops one in
  fifty for reasons of its own is not starved, as halving at every loss would do.
- A median latency above `INFLATED` times the long-run median cuts it too: the server's queue has grown. Medians,
  since one request in twenty that takes six times as long is what models do. The long-run median follows slowly,
  so that other work (longer solutions) is taken for what it is after a few windows.
- Otherwise the limit grows by its square root, as in Netflix's concurrency limits: from 1 to 256 in 30 windows.

Requests that were sent before a cut say nothing about the new limit and are not counted: however many refusals
one burst brings, it counts once.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from statistics import median
from typing import Final

from steplabel.schemas import ConfigError

TOLERATED: Final = 0.1  # share of refusals that says nothing about how many are sent
DEEPEST: Final = 0.5  # what one window leaves at least
INFLATED: Final = 3.0  # a full server's median latency varies with the work by two, and rarely by three
FOLLOW: Final = 0.1  # of the way that the long-run median goes towards a window's
FEWEST: Final = 8  # latencies whose median means something


@dataclass(frozen=True, slots=True, eq=False)
class Ticket:
    """One request in flight: when it was sent (clock seconds), and after how many cuts."""

    sent: float
    epoch: int


class AdaptiveLimit:
    """A limit between 1 and `most`, at which it starts.

    Each request is a `start`, and then exactly one of `succeeded`, `refused` and `ended`.

    Attributes:
        in_flight: requests started and not yet ended.

    Args:
        clock: seconds, never going back.
    """

    def __init__(self, most: int, clock: Callable[[], float] = time.monotonic) -> None:
        if most < 1:
            raise ConfigError(f"max_in_flight={most} must be at least 1")
        self.in_flight = 0
        self._most = most
        self._clock = clock
        self._limit = float(most)
        self._usual: float | None = None
        self._epoch = 0
        self._latencies: list[float] = []
        self._answers = self._refusals = 0
        self._before = (0, 0)
        self._peak = 1

    @property
    def limit(self) -> int:
        """Requests that may be in flight now."""
        return int(self._limit)

    @property
    def free(self) -> bool:
        """Whether one more may be started."""
        return self.in_flight < self.limit

    @property
    def crowded(self) -> bool:
        """Whether the server refused more than it tolerably may, in this window and the one before."""
        answers, refusals = self._before
        return self._refusals + refusals > TOLERATED * (self._answers + answers)

    def start(self) -> Ticket:
        """A request is sent."""
        self.in_flight += 1
        self._peak = max(self._peak, self.in_flight)
        return Ticket(self._clock(), self._epoch)

    def succeeded(self, ticket: Ticket) -> None:
        """It was answered as it should be: its latency counts."""
        if ticket.epoch == self._epoch:
            self._latencies.append(self._clock() - ticket.sent)
        self._answered(ticket, refused=0)

    def refused(self, ticket: Ticket) -> None:
        """The server had no room for it, or did not answer in time."""
        self._answered(ticket, refused=1)

    def ended(self, ticket: Ticket) -> None:
        """It ended in a way that says nothing about load: cancelled, or failed otherwise."""
        self._answered(ticket, refused=None)

    def _answered(self, ticket: Ticket, *, refused: int | None) -> None:
        self.in_flight -= 1
        if refused is None or ticket.epoch != self._epoch:
            return
        self._answers += 1
        self._refusals += refused
        if self._answers >= min(self._peak, self.limit):
            self._close_window()

    def _open_window(self) -> None:
        self._before = (self._answers, self._refusals)
        self._answers = self._refusals = 0
        self._peak = max(1, self.in_flight)

    def _close_window(self) -> None:
        kept = min(self._kept_of_refusals(), self._kept_of_latency())
        if kept < 1:
            # What was in flight, not what was allowed: a limit far above the load would take many cuts to bite.
            self._limit = max(1.0, min(self._limit, self._peak) * kept)
            self._epoch += 1
            self._latencies.clear()
        elif self._in_use():
            self._limit = min(float(self._most), self._limit + math.sqrt(self._limit))
        self._open_window()

    def _in_use(self) -> bool:
        return self._peak >= self._limit / 2

    def _kept_of_refusals(self) -> float:
        share = self._refusals / self._answers
        return 1.0 if share <= TOLERATED else max(DEEPEST, 1 - share)

    def _kept_of_latency(self) -> float:
        # A server that is half empty is faster: such windows would make the full one look inflated later.
        if len(self._latencies) < FEWEST or not self._in_use():
            return 1.0
        recent = median(self._latencies)
        self._latencies.clear()
        usual = recent if self._usual is None else self._usual
        self._usual = usual + (recent - usual) * FOLLOW
        return max(DEEPEST, INFLATED * usual / recent) if recent > INFLATED * usual else 1.0
