"""Chance that belongs to a record: a draw depends on the seed and on content ids, on nothing else.

So what was drawn does not depend on the order of the records, on how they were cut into shards, or on which
others stand beside them, and a rerun chooses the same again.
"""

from __future__ import annotations

from typing import Any

from steplabel.schemas import ConfigError, derive_seed

_RANGE = 2.0**63
"""`derive_seed` gives 63 bits."""


def uniform(seed: int, *parts: Any) -> float:
    """A number in [0, 1] that is drawn once and for all for these parts: ids, positions, names."""
    return derive_seed(seed, *parts) / _RANGE


def check_probability(value: float, *, field: str) -> None:
    """Raise ConfigError unless 0 <= value <= 1 (NaN is refused)."""
    if not 0.0 <= value <= 1.0:
        raise ConfigError(f"{field}={value!r} must lie between 0 and 1")
