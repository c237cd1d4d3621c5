"""A stated limit on what the model may do. It sits inside the store: store -> budget -> model.

What counts is what the model did: requests that reached it, and tokens it generated. Samples served from the
store are free, so a run that stopped on its budget can be replayed, or resumed with a larger one, for
nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from time import monotonic
from typing import TypeAlias

from steplabel.engines.lazy import EnginePreview, LazyEngine, preview_of
from steplabel.engines.port import Completions, Engine, EngineSpec, GenerateRequest, RenderedPrompt
from steplabel.engines.store.progress import read_progress
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
        spent: returns (tokens, requests) of all processes of the run, where several share one budget. Without
            it, the budget is this engine's own.
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
        self._read: tuple[float, tuple[int, int]] | None = None
        self._tokens = self._requests = 0

    @property
    def identity(self) -> ModelIdentity:
        """That of the engine inside."""
        return self._engine.identity

    def render(self, request: GenerateRequest) -> RenderedPrompt:
        """As the engine inside."""
        return self._engine.render(request)

    @property
    def spent(self) -> tuple[int, int]:
        """Generated tokens and requests: this engine's own, or the shared total where that is larger."""
        shared = self._shared_total()
        return max(self._tokens, shared[0]), max(self._requests, shared[1])

    async def generate(self, request: GenerateRequest) -> Completions:
        """Pass the request on.

        Raises:
            BudgetExhausted: the budget was spent before this request.
        """
        self._check_budget()
        self._requests += 1
        answer = await self._engine.generate(request)
        self._tokens += sum(sample.completion_tokens for sample in answer.samples)
        return answer

    async def close(self) -> None:
        """Close the engine inside."""
        await self._engine.close()

    def _check_budget(self) -> None:
        for used, limit, what in zip(self.spent, self._limits, ("tokens", "requests"), strict=True):
            if limit is not None and used >= limit:
                raise BudgetExhausted(f"{used:,} {what} of the model are spent, the budget is {limit:,}")

    def _shared_total(self) -> tuple[int, int]:
        if self._shared is None:
            return 0, 0
        now = monotonic()
        if self._read is None or now - self._read[0] > SHARED_READ_SECONDS:
            self._read = now, self._shared()
        return self._read[1]


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
