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
   says: a solution that was cut did not finish, so its last step does not hold an answer. `ending` may say
   otherwise: `forced` lets a known outcome overrule rollouts there, `ignored` lets rollouts speak alone, and
   then 3 and 5 do not ask the outcome either.
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

import numpy as np

from steplabel.labels.estimates import Ending, Estimates, UnknownAs, ratio
from steplabel.labels.ragged import Draft, ends
from steplabel.schemas import AfterError
from steplabel.schemas.batches import (
    MARK_NEGATIVE,
    MARK_POSITIVE,
    MARK_UNKNOWN,
    OUTCOME_CORRECT,
    OUTCOME_WRONG,
    BoolArray,
    EvidenceBatch,
    LabelBatch,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class MonteCarloRule:
    """The options of the semantics above."""

    threshold: float = 0.0
    gate_outcome: bool = False
    after_error: AfterError = AfterError.KEPT
    unknown_as: UnknownAs = "unknown"
    ending: Ending = Ending.MEASURED


def label_monte_carlo(batch: EvidenceBatch, rule: MonteCarloRule) -> LabelBatch:
    """Label every step of every solution, as the head of this file says. Pure: `batch` is only read."""
    draft = _draft(batch, rule)
    spoke = draft.per_solution(draft.marks != MARK_UNKNOWN)
    _settle_end(draft, batch, rule.ending)
    if rule.threshold == 0:
        spoke |= _imply(draft, batch, rule.ending)
    gated = (batch.outcome == OUTCOME_CORRECT) & rule.gate_outcome
    draft.settle(batch.labelable & gated[draft.owner], MARK_POSITIVE, 1.0)
    if rule.ending != Ending.IGNORED:
        _blame_end(draft, batch)
    return draft.finished(rule.after_error, by_outcome=gated | ~spoke)


def _draft(batch: EvidenceBatch, rule: MonteCarloRule) -> Draft:
    """Own evidence (1)."""
    own = Estimates.of(batch.at_steps, ratio, rule.unknown_as)
    own = own.mapped(lambda column: np.where(batch.labelable, column, np.nan))
    return Draft(
        owner=batch.owner,
        position=batch.position,
        solutions=batch.solutions,
        labelable=batch.labelable,
        at_end=ends(batch),
        # Comparisons with NaN (not asked) are false, which leaves the mark unknown.
        marks=np.where(
            own.floors > rule.threshold,
            MARK_POSITIVE,
            np.where(own.ceilings <= rule.threshold, MARK_NEGATIVE, MARK_UNKNOWN),
        ),
        values=own.values,
        lows=own.lows,
        highs=own.highs,
    )


def _settle_end(draft: Draft, batch: EvidenceBatch, ending: Ending) -> None:
    """The end of a solution (2)."""
    if ending == Ending.IGNORED:
        return
    decides = draft.at_end & ((draft.marks == MARK_UNKNOWN) | (ending == Ending.FORCED))
    outcome = batch.outcome[draft.owner]
    draft.settle(decides & (outcome == OUTCOME_CORRECT), MARK_POSITIVE, 1.0)
    draft.settle(decides & (outcome == OUTCOME_WRONG), MARK_NEGATIVE, 0.0)


def _imply(draft: Draft, batch: EvidenceBatch, ending: Ending) -> BoolArray:
    """Implication (3); [n], where a rollout proved something. Rollouts after an observation prove, too."""
    proof = batch.correct > 0
    solved = (batch.outcome == OUTCOME_CORRECT)[draft.owner] & (ending != Ending.IGNORED)
    reached = draft.last(proof | (draft.at_end & solved))
    unknown = batch.labelable & (draft.marks == MARK_UNKNOWN)
    draft.marks[unknown & (draft.position < reached[draft.owner])] = MARK_POSITIVE
    return draft.per_solution(proof & (draft.position >= draft.first(batch.labelable)[draft.owner]))


def _blame_end(draft: Draft, batch: EvidenceBatch) -> None:
    """Wrong in the end (5)."""
    doubted = draft.per_solution(batch.labelable & (draft.marks != MARK_POSITIVE))
    wrong = ~doubted & (batch.outcome == OUTCOME_WRONG)
    draft.settle(draft.at_end & wrong[draft.owner], MARK_NEGATIVE, 0.0)
