"""OmegaPRM's pool of wrong rollouts, and which of them to search next (arXiv:2406.06592, section 3.3).

    Q(s, r) = alpha^(1 - MC(s)) * beta^(len(r) / L)      prefers states that are nearly right, and short rollouts
    U(s)    = c_puct * sqrt(sum of all N) / (1 + N(s))   prefers states that were selected rarely

N(s) counts how often a rollout of s was selected. A rollout that was taken does not come back.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import pow as power
from math import sqrt

from steplabel.schemas import CheckedOutcome, ConfigError, Rollout, Solution, Step


@dataclass(frozen=True, slots=True, kw_only=True)
class RolloutSelection:
    """The constants of Q and U, as in the paper; `length` is L, in tokens.

    Raises:
        ConfigError: a number out of its range.
    """

    alpha: float = 0.5
    beta: float = 0.9
    length: int = 500
    c_puct: float = 0.125

    def __post_init__(self) -> None:
        limits = (
            (0 < self.alpha <= 1, "alpha", self.alpha, "in (0, 1]"),
            (0 < self.beta <= 1, "beta", self.beta, "in (0, 1]"),
            (self.length >= 1, "length", self.length, "at least 1 token"),
            (self.c_puct >= 0, "c_puct", self.c_puct, "0 or more"),
        )
        for ok, name, value, rule in limits:
            if not ok:
                raise ConfigError(f"selection {name}={value!r} must be {rule}")

    def quality(self, value: float, tokens: int) -> float:
        """Q of a rollout of so many tokens from a state with MC = `value`."""
        return power(self.alpha, 1 - value) * power(self.beta, tokens / self.length)

    def exploration(self, visits: int, all_visits: int) -> float:
        """U of a state that was selected `visits` times, of `all_visits` selections in all."""
        return self.c_puct * sqrt(all_visits) / (1 + visits)


@dataclass(slots=True, kw_only=True)
class State:
    """A prefix that was estimated. `value` is its MC, None if it is not known; `visits` is its N."""

    steps: tuple[Step, ...]
    value: float | None
    visits: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A wrong rollout of a state: a given solution, or what was sampled behind the state."""

    state: State
    written: Solution | Rollout
    outcome: CheckedOutcome
    quality: float


class RolloutPool:
    """The candidates of one problem. Of equal scores the one that came first is taken."""

    def __init__(self, selection: RolloutSelection) -> None:
        self._selection = selection
        self._candidates: list[Candidate] = []
        self._visits = 0

    def __len__(self) -> int:
        return len(self._candidates)

    def offer(self, state: State, written: Solution | Rollout, outcome: CheckedOutcome) -> None:
        """Add a wrong rollout, if its state is one that some rollouts of leave right: 0 < MC < 1."""
        if state.value is not None and 0 < state.value < 1:
            quality = self._selection.quality(state.value, tokens_of(written))
            self._candidates.append(Candidate(state=state, written=written, outcome=outcome, quality=quality))

    def take(self) -> Candidate | None:
        """The candidate with the highest Q + U, which leaves the pool; None if there is none."""
        if not self._candidates:
            return None
        scores = [
            candidate.quality + self._selection.exploration(candidate.state.visits, self._visits)
            for candidate in self._candidates
        ]
        return self._candidates.pop(scores.index(max(scores)))

    def selected(self, candidate: Candidate) -> None:
        """Count that a taken candidate is searched: N(s) grows by one."""
        candidate.state.visits += 1
        self._visits += 1


def tokens_of(written: Solution | Rollout) -> int:
    """Length in tokens; in words for a solution that came without its tokens."""
    if isinstance(written, Rollout):
        return written.completion_tokens
    return len(written.token_ids) or len(written.text.split())
