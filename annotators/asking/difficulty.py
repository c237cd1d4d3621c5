"""How many completions a prefix of a problem gets, by how hard the problem is (GenPRM).

Zhao et al. 2025, arXiv:2504.00891: K = 128 where the estimated pass@1 is below .1, 64 below .9, else 32. A hard
problem's prefixes succeed rarely, so few completions would call many a good prefix worthless.

pass@1 is estimated from a *pilot*: completions of the bare problem, which the relative progress of the first step needs
in any case. All solutions of a problem ask for the same ones, so a store answers all but the first. Completions without
an answer count as not right; those that could not be checked do not count.

Deviation: the paper does not say how many completions its pass@1 rests on; here as many as the smallest K, 32.
"""

from __future__ import annotations

from dataclasses import dataclass

from steplabel.annotators.tally import Tally
from steplabel.schemas import ConfigError


@dataclass(frozen=True, slots=True, kw_only=True)
class KByDifficulty:
    """K by the problem's pass@1.

    Attributes:
        hard, medium, easy: K of a problem whose pass@1 is below `hard_below`, below `easy_from`, or not.
        pilot: completions of the bare problem from which pass@1 is estimated; no more than the smallest K, so
            that they are part of what the bare problem itself is asked.

    Raises:
        ConfigError: the thresholds do not rise within [0, 1], or a count cannot work.
    """

    hard: int = 128
    medium: int = 64
    easy: int = 32
    hard_below: float = 0.1
    easy_from: float = 0.9
    pilot: int = 32

    def __post_init__(self) -> None:
        if not 0.0 <= self.hard_below <= self.easy_from <= 1.0:
            raise ConfigError(f"need 0 <= hard_below <= easy_from <= 1, got {self.hard_below} and {self.easy_from}")
        smallest = min(self.hard, self.medium, self.easy)
        if not 1 <= self.pilot <= smallest:
            raise ConfigError(f"pilot={self.pilot} must lie between 1 and the smallest K, {smallest}")

    @property
    def most(self) -> int:
        """The largest K."""
        return max(self.hard, self.medium, self.easy)

    def k(self, pilot: Tally) -> int | None:
        """K for a problem whose pilot ended so; None where no completion of it could be checked."""
        counted = pilot.correct + pilot.failed(silence_is_failure=True)
        if not counted:
            return None
        rate = pilot.correct / counted
        if rate < self.hard_below:
            return self.hard
        return self.medium if rate < self.easy_from else self.easy
