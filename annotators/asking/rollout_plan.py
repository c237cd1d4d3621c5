"""How many completions a prefix gets and when asking ends early: the options all annotators of prefixes share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from steplabel.annotators.asking.difficulty import KByDifficulty
from steplabel.annotators.asking.prefix import check_counts
from steplabel.annotators.asking.zero_test import ZeroTest
from steplabel.schemas import SamplingParams

_CHUNK: Final = 2
"""Small, since the first right completion ends the asking; not 1, since each portion is a wait for the engine."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RolloutPlan:
    """Fixed k, k by difficulty, and early ends. Annotators inherit it, so that each has the same options.

    Every early end asks `chunk` completions at a time and stops at the first right one. Counts then over-state
    c/k: take hard labels from them.

    Attributes:
        k: most completions for each prefix.
        sampling: None takes the solution's own parameters, or the defaults for imported solutions. Say it where
            the completer is not the model that wrote the solution.
        stop_at_first_success: ask in chunks and stop at the first right one, all that hard labels at threshold 0
            need. Whether MC is 0 comes out as with all k at once.
        chunk: completions asked at a time where asking may end early; no more than k, or than the pilot. None takes 2,
            or 1 where there is but one to ask.
        zero_test: stop as well when enough failures say MC = 0 at the test's error rate; `k` truncates it.
        k_by_difficulty: takes the place of `k`: the problem's own completions are asked first, then it says how
            many each prefix gets.

    Raises:
        ConfigError: as `check_counts`.
    """

    k: int = 8
    sampling: SamplingParams | None = None
    stop_at_first_success: bool = False
    chunk: int | None = None
    zero_test: ZeroTest | None = None
    k_by_difficulty: KByDifficulty | None = None

    def __post_init__(self) -> None:
        check_counts(k=self.least_k, chunk=self.chunk_of(self.least_k))

    @property
    def ends_early(self) -> bool:
        """Whether a right completion ends the asking."""
        return self.stop_at_first_success or self.zero_test is not None

    @property
    def least_k(self) -> int:
        """What every prefix can get, and the pilot too."""
        return self.k_by_difficulty.pilot if self.k_by_difficulty else self.k

    @property
    def most_k(self) -> int:
        """Most completions that a prefix can get."""
        return self.k_by_difficulty.most if self.k_by_difficulty else self.k

    def chunk_of(self, k: int) -> int:
        """How many of k completions are asked at a time."""
        if not self.ends_early:
            return k
        return min(_CHUNK, k) if self.chunk is None else self.chunk
