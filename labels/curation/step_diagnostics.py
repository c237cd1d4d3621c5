"""Which steps repeat others or move nothing, and what a trainer that sums rewards would pay for them.

Gao et al. 2024, "On Designing Effective RL Reward at Training Time for LLM Reasoning", arXiv:2410.15115: a
policy that is paid the sum of its steps' rewards learns to repeat correct but needless steps. Their two
remedies bound that sum, and show here how much of a row's reward rests on its length:

- Clip: min(r - eta, 0). A step is paid nothing for being good, only charged for being worse than eta.
- Delta: r(k) - r(k+1) for all but the last two steps, r(k) for the last but one, nothing for the last. From
  any step on these add up to r of that step, however many steps follow.

Repetition. A step is *repeated* if an earlier one has the same tokens (`texts.tokens`). `repetition` is the
share of 4-grams of tokens that occurred before in the solution: seq-rep-4 of Welleck et al. 2020,
arXiv:1908.04319. A step is *useless* if it is repeated or brings no token that is not there already, and its
value is that of the step before. Equal values alone say nothing: a good solution stays at 1 through necessary
steps.

Deviations. The paper finds repetition by reading; the rules for repeated and useless steps are ours. Where a
value is unknown so is whether the step moved anything: it is not called useless, and rewards that need the
value are None. Tool output is neither repeated nor useless: the policy did not write it, and its values play
no part. It chooses eta so that most steps lie near it; here eta is an argument.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain, pairwise

from steplabel.labels.curation.texts import gram, grams, tokens
from steplabel.schemas import ConfigError, LabelRow

REPETITION_TOKENS = 4
"""seq-rep-4, the size Welleck et al. report."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StepDiagnosis:
    """What is said of one labelled solution. Steps are 0-based indices.

    Attributes:
        steps: how many steps the row has.
        repeated: steps that an earlier one has said in the same words.
        useless: steps that bring nothing new and leave the value where it was.
        repetition: share of 4-grams that occurred before, in [0, 1]; 0 of a text too short to repeat.
        summed, clipped, delta: what a solution is paid in all if values, their Clip or their Delta are
            summed over the labelable steps; None if a value that it takes is unknown.
    """

    solution_id: str
    steps: int
    repeated: tuple[int, ...]
    useless: tuple[int, ...]
    repetition: float
    summed: float | None
    clipped: float | None
    delta: float | None


def clip_rewards(values: Sequence[float | None], *, eta: float) -> tuple[float | None, ...]:
    """min(value - eta, 0) of each step; None stays None.

    Raises:
        ConfigError: eta is not a number.
    """
    if not math.isfinite(eta):
        raise ConfigError(f"eta={eta!r} must be a number")
    return tuple(None if value is None else min(value - eta, 0.0) for value in values)


def delta_rewards(values: Sequence[float | None]) -> tuple[float | None, ...]:
    """What each step is above the next; the last but one keeps its value, the last has 0.

    None where one of the two values is unknown. A single step has 0: it is the last.
    """
    if not values:
        return ()
    following = (*values[1:-1], 0.0)
    return (*(_difference(value, after) for value, after in zip(values[:-1], following, strict=False)), 0.0)


def _difference(value: float | None, after: float | None) -> float | None:
    return None if value is None or after is None else value - after


def diagnose_steps(row: LabelRow, *, eta: float = 0.5, tolerance: float = 0.0) -> StepDiagnosis:
    """Look at one labelled solution.

    Args:
        row: a labelled solution.
        eta: of Clip.
        tolerance: how far two values may lie apart and be called equal.

    Raises:
        ConfigError: eta is not a number, or the tolerance is negative.
    """
    if not tolerance >= 0.0:
        raise ConfigError(f"tolerance={tolerance!r} must be 0 or more")
    labelable = [i for i, it_is in enumerate(row.labelable) if it_is]
    said = [tokens(step) for step in row.steps]
    values = [row.values[i] for i in labelable]
    repeated, stale = _repeated(said, labelable), _stale(said)
    flat = {i for i, gap in zip(labelable[1:], _gaps(values), strict=False) if gap is not None and gap <= tolerance}
    return StepDiagnosis(
        solution_id=row.solution_id,
        steps=len(row.steps),
        repeated=repeated,
        useless=tuple(i for i in labelable if i in flat and i in stale),
        repetition=_repetition(list(chain.from_iterable(said[i] for i in labelable))),
        summed=_sum(values),
        clipped=_sum(clip_rewards(values, eta=eta)),
        delta=_sum(delta_rewards(values)),
    )


def _repeated(said: Sequence[list[str]], labelable: Sequence[int]) -> tuple[int, ...]:
    seen: set[int] = set()
    repeated = []
    for i in labelable:
        key = gram(said[i])
        if key in seen:
            repeated.append(i)
        seen.add(key)
    return tuple(repeated)


def _stale(said: Sequence[list[str]]) -> set[int]:
    """Steps all of whose tokens stand in earlier steps, tool output among them."""
    known: set[str] = set()
    stale = set()
    for i, found in enumerate(said):
        if known.issuperset(found):
            stale.add(i)
        known.update(found)
    return stale


def _gaps(values: Sequence[float | None]) -> list[float | None]:
    """How far each value but the first is from the one before it."""
    return [None if (gap := _difference(a, b)) is None else abs(gap) for a, b in pairwise(values)]


def _repetition(found: list[str]) -> float:
    if len(found) < REPETITION_TOKENS:
        return 0.0
    all_grams = grams(found, REPETITION_TOKENS)
    return 1.0 - len(set(all_grams)) / len(all_grams)


def _sum(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) if len(known) == len(values) else None
