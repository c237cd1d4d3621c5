"""A stated limit on what the model may do. It sits inside the store: store -> budget -> model.

What counts is what the model was asked and did: requests that reached it, also those that failed, and tokens it
generated. Samples served from the store are free, so a run that stopped on its budget can be replayed, or resumed with
a larger one, for nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from time import monotonic
from typing import TypeAlias

from steplabel.engines.lazy import EnginePreview, LazyEngine, preview_of
from steplabel.engines.port import Completions, Engine, EngineSpec, GenerateRequest, PartlyAnswered, RenderedPrompt
from steplabel.engines.store.progress import read_progress
from steplabel.engines.store.usage import reached_model
from steplabel.schemas import BudgetExhausted, ConfigError, ModelIdentity

Spent: TypeAlias = Callable[[], tuple[int, int]]
SHARED_READ_SECONDS = 0.2  # how stale the total of several processes may be: one read in that time, not one a request


class BudgetedEngine:
    """Passes requests on until the budget is spent.

    A request is refused if the total had reached the limit when it came; requests already on their way are
    not cut, so the total may overshoot by what was in flight.

    Args:
        max_tokens: generated tokens; None for no limit.
        max_requests: requests that reach the model; None for no limit. 0 allows nothing but the store.
        spent: returns (tokens, requests) of the whole run, earlier ones and other processes included, this engine's
            own once they are written. Without it, the budget is this engine's own.
    """

    def __init__(
        self,
        engine: Engine,
        *,
        max_tokens: int | None = None,
        max_requests: int | None = None,
        spent: Spent | None = None,
    ) -> None:
        _check_limits(max_tokens, max_requests)
        self._engine = engine
        self._limits = (max_tokens, max_requests)
        self._shared = spent
        self._read_at: float | None = None
        self._others = (0, 0)
        self._tokens = self._requests = self._in_flight = 0

    @property
    def identity(self) -> ModelIdentity:
        """That of the engine inside."""
        return self._engine.identity

    def render(self, request: GenerateRequest) -> RenderedPrompt:
        """As the engine inside."""
        return self._engine.render(request)

    @property
    def spent(self) -> tuple[int, int]:
        """Generated tokens and requests: this engine's own, those in flight included, and what others spent."""
        self._look_at_others()
        return self._others[0] + self._tokens, self._others[1] + self._requests

    async def generate(self, request: GenerateRequest) -> Completions:
        """Pass the request on.

        Raises:
            BudgetExhausted: the budget was spent before this request.
        """
        self._check_budget()
        self._requests += 1
        self._in_flight += 1
        try:
            answer = await self._engine.generate(request)
            self._book(answer)
        except PartlyAnswered as error:
            self._book(error.came)
            raise
        except BaseException as error:
            if not reached_model(error):
                self._requests -= 1
            raise
        finally:
            self._in_flight -= 1
        return answer

    async def close(self) -> None:
        """Close the engine inside."""
        await self._engine.close()

    def _book(self, answer: Completions) -> None:
        """Its first request was counted when it was made."""
        self._tokens += answer.generated_tokens
        self._requests += answer.requests - 1

    def _check_budget(self) -> None:
        for used, limit, what in zip(self.spent, self._limits, ("tokens", "requests"), strict=True):
            if limit is not None and used >= limit:
                raise BudgetExhausted(f"{used:,} {what} of the model are spent, the budget is {limit:,}")

    def _look_at_others(self) -> None:
        """Raise what others are known to have spent.

        At least the shared total less all that this engine has brought to an end, which is in that total or will be.
        Nobody gives anything back, so the largest such difference so far holds.
        """
        now = monotonic()
        if self._shared is None or (self._read_at is not None and now - self._read_at <= SHARED_READ_SECONDS):
            return
        self._read_at = now
        tokens, requests = self._shared()
        ended = self._requests - self._in_flight
        self._others = max(self._others[0], tokens - self._tokens), max(self._others[1], requests - ended)


@dataclass(frozen=True, slots=True, kw_only=True)
class BudgetedSpec:
    """A budgeted engine as a picklable description; opens the inner engine only when a sample is wanted.

    Attributes:
        store, run_id: path of the rollout store that all processes of the run write their usage to; the
            budget is then theirs together. Empty: each process has the budget for itself.
    """

    engine: EngineSpec
    max_tokens: int | None = None
    max_requests: int | None = None
    store: str = ""
    run_id: str = ""

    def __post_init__(self) -> None:
        _check_limits(self.max_tokens, self.max_requests)

    def open(self) -> BudgetedEngine:
        """Wrap the inner engine; its weights are loaded with the first request that the budget allows."""
        return BudgetedEngine(
            LazyEngine(self.engine),
            max_tokens=self.max_tokens,
            max_requests=self.max_requests,
            spent=partial(_spent_in_store, self.store, self.run_id) if self.store else None,
        )

    def preview(self) -> EnginePreview | None:
        """That of the inner engine."""
        return preview_of(self.engine)


def _spent_in_store(path: str, run_id: str) -> tuple[int, int]:
    progress = read_progress(path, run_id)
    return progress.completion_tokens, progress.engine_requests


def _check_limits(max_tokens: int | None, max_requests: int | None) -> None:
    for name, limit in (("max_tokens", max_tokens), ("max_requests", max_requests)):
        if limit is not None and limit < 0:
            raise ConfigError(f"{name}={limit} must be 0 or more, or None for no limit")
