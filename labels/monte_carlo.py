"""What counts say about steps: the semantics that all Monte-Carlo policies share, said once.

Notation: from the prefix that ends with a step, k rollouts were asked, c are correct, w wrong, u unknown. A
step is *asked* if k > 0. Only labelable steps get marks and values; tool observations stay unknown.

1. **Own evidence.** Bounds [c/k, (c+u)/k]: what the unknown rollouts could still make of the value. The mark
   is "+" if the lower bound is above the threshold, "-" if the upper one is not, unknown if the threshold
   lies between. Threshold 0 is "any rollout correct", hard estimation (Math-Shepherd, section 3.3).
   `unknown_as` says what a rollout without an answer (cut by length, or none found) is. `"unknown"` leaves it
   out of the value, c/(c+w). `"wrong"` counts it as a failure in value and mark, as the papers do; the bounds
   still show it. A rollout that is unknown for another reason (its checker timed out, no outcome was stored)
   is unknown under both: an exception is never a wrong answer.
2. **The end of a solution.** From a finished solution nothing is left to sample: the value of its last
   labelable step is its own outcome. Where rollouts decide nothing there, a correct outcome makes that step
   "+" with value 1, a wrong one "-" with value 0. An unknown outcome leaves it unknown whatever `unknown_as`
   says: a solution that was cut did not finish, so its last step does not hold an answer.
3. **Implication.** A right answer reached from a prefix is reached from every earlier prefix too. So a step
   whose mark is still unknown is "+" if any later prefix had a correct rollout, or the solution is correct:
   what makes binary search complete. Its value stays NaN unless it was asked. A step whose own k rollouts all
   failed keeps its "-": the paper's label. Reachability is monotone, values are not: only at threshold 0.
4. **Outcome gate** (option; OmegaPRM and SCAN search only wrong solutions). All labelable steps of a correct
   solution are "+", value and bounds 1, whatever was asked. By decree, not by measurement: 3.5 % (GSM8K) to
   52 % (Omni-MATH) of ProcessBench's correct solutions hold a wrong step. `by_outcome` tells them apart.
5. **Wrong in the end.** If every labelable step is "+" but the final answer is wrong, the last labelable step
   is the error: it becomes "-" with value 0, even against rollouts that repaired it.
6. **First error.** The first "-", if every labelable step before it is "+". No "-" and all "+": none (-1).
   All else is unknown (-2): nothing was asked, the budget ended between two candidates, or no step is
   labelable. A "+" after a "-" (sampling noise, or a step the completer can repair) does not move it.
7. **After the error.** What follows the first "-", located or not, is `kept` as evidence left it (steps that
   were not asked are unknown), `cut` from the row, `negative` (labelable steps: "-", value 0) or `unknown`
   (marks unknown, values NaN).

`by_outcome`: some step has a mark, and no rollout had a say in any. Confidence is NaN: counts give none.
All steps are vectorised over solutions; memory is some twenty arrays of the length of the batch.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np

from steplabel.schemas import AfterError
from steplabel.schemas.batches import (
    FIRST_ERROR_NONE,
    FIRST_ERROR_UNKNOWN,
    MARK_NEGATIVE,
    MARK_POSITIVE,
    MARK_UNKNOWN,
    OUTCOME_CORRECT,
    OUTCOME_WRONG,
    BoolArray,
    EvidenceBatch,
    FloatArray,
    IntArray,
    LabelBatch,
)

UnknownAs: TypeAlias = Literal["wrong", "unknown"]

_ABSENT = np.iinfo(np.int64).max
"""Position of "the first step that ..." in a solution that has no such step: after all others."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MonteCarloRule:
    """The options of the semantics above."""

    threshold: float = 0.0
    gate_outcome: bool = False
    after_error: AfterError = AfterError.KEPT
    unknown_as: UnknownAs = "unknown"


def label_monte_carlo(batch: EvidenceBatch, rule: MonteCarloRule) -> LabelBatch:
    """Label every step of every solution, as the head of this file says. Pure: `batch` is only read."""
    draft = _draft(batch, rule)
    spoke = draft.per_solution(draft.marks != MARK_UNKNOWN)
    _settle_end(draft, batch)
    if rule.threshold == 0:
        spoke |= _imply(draft, batch)
    gated = (batch.outcome == OUTCOME_CORRECT) & rule.gate_outcome
    draft.settle(batch.labelable & gated[draft.owner], MARK_POSITIVE, 1.0)
    _blame_end(draft, batch)
    first_error = _first_error(draft, batch)
    kept = _treat_rest(draft, batch, rule.after_error)
    return LabelBatch(
        marks=draft.marks,
        values=draft.values,
        lows=draft.lows,
        highs=draft.highs,
        first_error=first_error,
        confidence=np.full(batch.solutions, np.nan),
        kept=kept,
        by_outcome=draft.per_solution(draft.marks != MARK_UNKNOWN) & (gated | ~spoke),
    )


@dataclass(slots=True, kw_only=True)
class _Draft:
    """Labels being written, and where each step belongs."""

    owner: IntArray
    position: IntArray
    solutions: int
    marks: IntArray
    values: FloatArray
    lows: FloatArray
    highs: FloatArray
    at_end: BoolArray

    def settle(self, where: BoolArray, mark: int, value: float) -> None:
        """Give the steps [S] in `where` this mark, and this value without doubt."""
        self.marks[where] = mark
        for column in (self.values, self.lows, self.highs):
            column[where] = value

    def per_solution(self, steps: BoolArray) -> BoolArray:
        """[n], whether any of a solution's steps is in `steps` [S]."""
        return np.bincount(self.owner[steps], minlength=self.solutions) > 0

    def first(self, steps: BoolArray) -> IntArray:
        """[n], position of each solution's first step in `steps` [S]; `_ABSENT` where it has none."""
        found = np.full(self.solutions, _ABSENT)
        at = np.flatnonzero(steps)
        owners, index = np.unique(self.owner[at], return_index=True)
        found[owners] = self.position[at[index]]
        return found

    def last(self, steps: BoolArray) -> IntArray:
        """[n], position of each solution's last step in `steps` [S]; -1 where it has none."""
        found = np.full(self.solutions, -1)
        at = np.flatnonzero(steps)[::-1]
        owners, index = np.unique(self.owner[at], return_index=True)
        found[owners] = self.position[at[index]]
        return found


def _draft(batch: EvidenceBatch, rule: MonteCarloRule) -> _Draft:
    """Own evidence (1)."""
    asked = np.where(batch.labelable, batch.correct + batch.wrong + batch.unknown, 0)
    unanswered = batch.unknown if batch.unanswered is None else batch.unanswered
    failed = batch.wrong + (unanswered if rule.unknown_as == "wrong" else 0)
    decided = np.where(batch.labelable, batch.correct + failed, 0)
    lows = _ratio(batch.correct, asked)
    ceilings = _ratio(asked - failed, asked)
    draft = _Draft(
        owner=batch.owner,
        position=batch.position,
        solutions=batch.solutions,
        # Comparisons with NaN (not asked) are false, which leaves the mark unknown.
        marks=np.where(
            lows > rule.threshold,
            MARK_POSITIVE,
            np.where(ceilings <= rule.threshold, MARK_NEGATIVE, MARK_UNKNOWN),
        ),
        values=_ratio(batch.correct, decided),
        lows=lows,
        highs=_ratio(batch.correct + batch.unknown, asked),
        at_end=np.zeros(batch.steps, dtype=np.bool_),
    )
    draft.at_end = draft.position == draft.last(batch.labelable)[draft.owner]
    return draft


def _settle_end(draft: _Draft, batch: EvidenceBatch) -> None:
    """The end of a solution (2)."""
    open_end = draft.at_end & (draft.marks == MARK_UNKNOWN)
    outcome = batch.outcome[draft.owner]
    draft.settle(open_end & (outcome == OUTCOME_CORRECT), MARK_POSITIVE, 1.0)
    draft.settle(open_end & (outcome == OUTCOME_WRONG), MARK_NEGATIVE, 0.0)


def _imply(draft: _Draft, batch: EvidenceBatch) -> BoolArray:
    """Implication (3); [n], where a rollout proved something. Rollouts after an observation prove, too."""
    proof = batch.correct > 0
    solved = (batch.outcome == OUTCOME_CORRECT)[draft.owner]
    reached = draft.last(proof | (draft.at_end & solved))
    unknown = batch.labelable & (draft.marks == MARK_UNKNOWN)
    draft.marks[unknown & (draft.position < reached[draft.owner])] = MARK_POSITIVE
    return draft.per_solution(proof & (draft.position >= draft.first(batch.labelable)[draft.owner]))


def _blame_end(draft: _Draft, batch: EvidenceBatch) -> None:
    """Wrong in the end (5)."""
    doubted = draft.per_solution(batch.labelable & (draft.marks != MARK_POSITIVE))
    wrong = ~doubted & (batch.outcome == OUTCOME_WRONG)
    draft.settle(draft.at_end & wrong[draft.owner], MARK_NEGATIVE, 0.0)


def _first_error(draft: _Draft, batch: EvidenceBatch) -> IntArray:
    """First error (6), [n]."""
    negative = draft.first(draft.marks == MARK_NEGATIVE)
    unknown = draft.first(batch.labelable & (draft.marks == MARK_UNKNOWN))
    clean = draft.per_solution(batch.labelable) & (negative == _ABSENT) & (unknown == _ABSENT)
    located = np.where(negative < unknown, negative, FIRST_ERROR_UNKNOWN)
    return np.where(clean, FIRST_ERROR_NONE, located)


def _treat_rest(draft: _Draft, batch: EvidenceBatch, after: AfterError) -> BoolArray:
    """After the error (7); [S], the steps that stay."""
    rest = draft.position > draft.first(draft.marks == MARK_NEGATIVE)[draft.owner]
    if after == AfterError.NEGATIVE:
        draft.settle(rest & batch.labelable, MARK_NEGATIVE, 0.0)
    elif after == AfterError.UNKNOWN:
        draft.settle(rest, MARK_UNKNOWN, np.nan)
    return ~rest if after == AfterError.CUT else np.ones(batch.steps, dtype=np.bool_)


def _ratio(part: IntArray, whole: IntArray) -> FloatArray:
    """part / whole, NaN where whole is 0."""
    ratio: FloatArray = np.divide(part, whole, out=np.full(len(whole), np.nan), where=whole > 0)
    return ratio
