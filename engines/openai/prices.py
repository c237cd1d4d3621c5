"""What a hosted model costs, by prices that the user states."""

from __future__ import annotations

from dataclasses import dataclass

from steplabel.schemas import ConfigError

MILLION = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenPrices:
    """Prices per million tokens, in any currency; 0 where nothing is charged.

    Attributes:
        cached_prompt: of prompt tokens that the server had cached; None charges them as the others.
    """

    prompt: float = 0.0
    cached_prompt: float | None = None
    completion: float = 0.0

    def __post_init__(self) -> None:
        for name in ("prompt", "cached_prompt", "completion"):
            price = getattr(self, name)
            if price is not None and not 0 <= price < float("inf"):
                raise ConfigError(f"prices.{name}={price} must be 0 or more, per million tokens")

    def cost(self, *, prompt_tokens: int, cached_tokens: int, completion_tokens: int) -> float:
        """What one answer costs; `cached_tokens` are part of `prompt_tokens`."""
        cached = min(cached_tokens, prompt_tokens)
        cached_price = self.prompt if self.cached_prompt is None else self.cached_prompt
        paid = (prompt_tokens - cached) * self.prompt + cached * cached_price + completion_tokens * self.completion
        return paid / MILLION
