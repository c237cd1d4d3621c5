"""PROF: of the solutions of one problem, drop those whose steps contradict their final answer.

Ye et al. 2025, "Beyond Correctness", arXiv:2509.03403, and its released code. A right answer over weak steps
was luck; a wrong answer over strong steps teaches that good steps are bad. With p the value of a step and R
the outcome (1 right, 0 wrong), a solution's consistency is the mean over its steps of (2p-1)(2R-1): from -1
to 1, high where steps and answer say the same. Of a group of n = 8, m = 4 are dropped:
min(m, round((n+ - n- + m) / 2)) of the right ones and the rest of the m from the wrong ones, each time the
least consistent. Right and wrong are ranked apart, and what stays is as balanced as it can be.

Deviations. Where there are so many more wrong than right ones that the formula is negative, no right one is
dropped. `round` is Python's: a half goes to the even neighbour. The paper's optional penalty on
the number of steps is not covered. Solutions whose outcome, or all of whose values, are unknown cannot be
ranked: they leave with that reason and do not count in n.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from steplabel.schemas import ConfigError, DataError, Outcome
from steplabel.schemas.validation import check_between


class Inconsistency(StrEnum):
    """Why a solution leaves its group."""

    LEAST_CONSISTENT = "least_consistent"
    UNKNOWN_OUTCOME = "unknown_outcome"
    NO_VALUES = "no_values"


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoredSolution:
    """One member of a group.

    Attributes:
        values: of its steps, in [0, 1]; None where there is no evidence (such steps do not count).
    """

    id: str
    outcome: Outcome
    values: tuple[float | None, ...]

    def __post_init__(self) -> None:
        for value in self.values:
            if value is not None:
                check_between(value, field=f"value of a step of {self.id}", low=0.0, high=1.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsistentGroup:
    """What is left of a group.

    Attributes:
        kept: ids in the order of the group.
        dropped: id and reason of the rest, in the order of the group.
        kept_right, kept_wrong: how many of each kind stay.
    """

    kept: tuple[str, ...]
    dropped: tuple[tuple[str, Inconsistency], ...]
    kept_right: int
    kept_wrong: int


def consistency(solution: ScoredSolution) -> float | None:
    """Mean of (2p-1)(2R-1) over the steps with a value, in [-1, 1]; None if outcome or all values are unknown."""
    known = [value for value in solution.values if value is not None]
    if not known or solution.outcome is Outcome.UNKNOWN:
        return None
    sign = 1.0 if solution.outcome is Outcome.CORRECT else -1.0
    return sign * (2.0 * sum(known) / len(known) - 1.0)


def filter_group(group: Sequence[ScoredSolution], *, drop: int = 4) -> ConsistentGroup:
    """Drop the `drop` least consistent solutions, so that right and wrong ones balance.

    Ties go by id: the result does not depend on the group's order. A group of no more than `drop` solutions
    that can be ranked is dropped whole.

    Raises:
        ConfigError: `drop` is negative.
        DataError: two solutions of the group share an id.
    """
    if drop < 0:
        raise ConfigError(f"drop={drop!r} must be 0 or more")
    if len({solution.id for solution in group}) < len(group):
        raise DataError("two solutions of one group share an id: remove duplicates first")
    scores = {s.id: score for s in group if (score := consistency(s)) is not None}
    right = _ranked(group, scores, Outcome.CORRECT)
    wrong = _ranked(group, scores, Outcome.WRONG)
    from_right = _share_of_right(len(right), len(wrong), drop)
    inconsistent = {*right[:from_right], *wrong[: drop - from_right]}
    leaves = {s.id: reason for s in group if (reason := _reason(s, scores, inconsistent)) is not None}
    return ConsistentGroup(
        kept=tuple(s.id for s in group if s.id not in leaves),
        dropped=tuple(leaves.items()),
        kept_right=len(set(right) - leaves.keys()),
        kept_wrong=len(set(wrong) - leaves.keys()),
    )


def _ranked(group: Sequence[ScoredSolution], scores: dict[str, float], outcome: Outcome) -> list[str]:
    """Ids of one kind, the least consistent first."""
    ids = [s.id for s in group if s.id in scores and s.outcome is outcome]
    return sorted(ids, key=lambda id_: (scores[id_], id_))


def _share_of_right(right: int, wrong: int, drop: int) -> int:
    """How many of the `drop` come from the right ones."""
    return max(0, min(drop, round((right - wrong + drop) / 2)))


def _reason(solution: ScoredSolution, scores: dict[str, float], inconsistent: set[str]) -> Inconsistency | None:
    if solution.outcome is Outcome.UNKNOWN:
        return Inconsistency.UNKNOWN_OUTCOME
    if solution.id not in scores:
        return Inconsistency.NO_VALUES
    return Inconsistency.LEAST_CONSISTENT if solution.id in inconsistent else None
