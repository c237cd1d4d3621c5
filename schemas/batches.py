"""Evidence and labels of many solutions as flat arrays: what label policies compute on.

Ragged data is a flat array plus offsets: the steps of solution i are `offsets[i]:offsets[i + 1]`. So a policy
is a few vectorised lines, whether it labels four solutions in a pipeline or a hundred thousand from Parquet.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from steplabel.schemas.errors import DataError

IntArray = NDArray[np.int64]
FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]

OUTCOME_CORRECT, OUTCOME_WRONG, OUTCOME_UNKNOWN = 1, 0, -1
MARK_POSITIVE, MARK_NEGATIVE, MARK_UNKNOWN = 1, -1, 0
FIRST_ERROR_NONE, FIRST_ERROR_UNKNOWN = -1, -2


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """How the rollouts from m prefixes ended: one entry a prefix in every array.

    Attributes:
        correct, wrong, unknown: [m], outcomes.
        unanswered: [m], those of `unknown` that ended without an answer (`length`, `no_answer`): papers count
            them as wrong. The rest is unknown for other reasons (a checker timed out).
    """

    correct: IntArray
    wrong: IntArray
    unknown: IntArray
    unanswered: IntArray

    def __post_init__(self) -> None:
        lengths = [len(a) for a in (self.correct, self.wrong, self.unknown, self.unanswered)]
        if len(set(lengths)) > 1:
            raise DataError(f"counts of different lengths: {lengths}")

    @property
    def total(self) -> IntArray:
        """[m], how many rollouts."""
        return self.correct + self.wrong + self.unknown


@dataclass(frozen=True, slots=True, kw_only=True)
class EvidenceBatch:
    """Counts for every step of n solutions with S steps in all.

    Attributes:
        offsets: [n + 1], first step of each solution, and S at the end.
        labelable: [S], whether the policy model wrote the step.
        correct, wrong, unknown: [S], outcomes of the rollouts that start where the step ends.
        outcome: [n], of the solution itself: 1 correct, 0 wrong, -1 unknown.
        tokens: [n], generated tokens consumed by the solution's rollouts.
        siblings_correct, siblings_total: [n], outcomes over all solutions sampled for the same problem, this
            one among them unless a tree search grew it: the pass rate of question filters.
        verdicts: by source, [S]: 1 holds, -1 fails, 0 unknown or silent.
        unanswered: [S], as in `Counts`. None: all of the unknown.
        root: [n], the same counts at the bare problem, before the first step: of the rollouts that start there
            or, where nobody asked, of the problem's sampled solutions, which start there too. None: none known.
        root_asked: [n], False where solutions stand in for rollouts. None: nowhere asked.
        scores: by source, [S]: what it grades the state after each step with, in [0, 1]; NaN where it is silent.
        root_scores: by source, [n]: the same of the bare problem.
    """

    offsets: IntArray
    labelable: BoolArray
    correct: IntArray
    wrong: IntArray
    unknown: IntArray
    outcome: IntArray
    tokens: IntArray
    siblings_correct: IntArray
    siblings_total: IntArray
    verdicts: Mapping[str, IntArray] = field(default_factory=dict)
    unanswered: IntArray | None = None
    root: Counts | None = None
    root_asked: BoolArray | None = None
    scores: Mapping[str, FloatArray] = field(default_factory=dict)
    root_scores: Mapping[str, FloatArray] = field(default_factory=dict)

    def __post_init__(self) -> None:
        per_step: list[IntArray | BoolArray | FloatArray] = [
            self.labelable,
            self.correct,
            self.wrong,
            self.unknown,
            *self.verdicts.values(),
            *self.scores.values(),
        ]
        per_step += [] if self.unanswered is None else [self.unanswered]
        per_solution: list[IntArray | BoolArray | FloatArray] = [
            self.outcome,
            self.tokens,
            self.siblings_correct,
            self.siblings_total,
            *self.root_scores.values(),
        ]
        per_solution += [] if self.root is None else [self.root.correct]
        per_solution += [] if self.root_asked is None else [self.root_asked]
        if any(len(a) != self.steps for a in per_step) or any(len(a) != self.solutions for a in per_solution):
            raise DataError(
                f"evidence batch of {self.solutions} solutions and {self.steps} steps: arrays of "
                f"{[len(a) for a in per_step]} steps and {[len(a) for a in per_solution]} solutions"
            )

    @property
    def solutions(self) -> int:
        """How many solutions."""
        return len(self.offsets) - 1

    @property
    def steps(self) -> int:
        """How many steps in all."""
        return int(self.offsets[-1])

    @property
    def owner(self) -> IntArray:
        """[S], the solution each step belongs to."""
        return np.repeat(np.arange(self.solutions), np.diff(self.offsets))

    @property
    def position(self) -> IntArray:
        """[S], 0-based index of each step within its solution."""
        return np.arange(self.steps) - self.offsets[self.owner]

    @property
    def at_steps(self) -> Counts:
        """[S], the counts where each step ends."""
        unanswered = self.unknown if self.unanswered is None else self.unanswered
        return Counts(correct=self.correct, wrong=self.wrong, unknown=self.unknown, unanswered=unanswered)

    @property
    def at_root(self) -> Counts:
        """[n], the counts at the bare problem; zeros where nothing is known."""
        if self.root is not None:
            return self.root
        none = np.zeros(self.solutions, dtype=np.int64)
        return Counts(correct=none, wrong=none, unknown=none, unanswered=none)

    def verdicts_of(self, source: str) -> IntArray:
        """[S], the source's verdicts; 0 everywhere if it never spoke."""
        return self.verdicts.get(source, np.zeros(self.steps, dtype=np.int64))

    def scores_of(self, source: str) -> FloatArray:
        """[S], the source's scores; NaN everywhere if it never spoke."""
        return self.scores.get(source, np.full(self.steps, np.nan))

    def root_scores_of(self, source: str) -> FloatArray:
        """[n], the source's scores of the bare problem; NaN everywhere if it never spoke of one."""
        return self.root_scores.get(source, np.full(self.solutions, np.nan))


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelBatch:
    """Labels of the same n solutions and S steps.

    Attributes:
        marks: [S], 1 positive, -1 negative, 0 unknown.
        values, lows, highs: [S], NaN where there is no evidence. Values of a state lie in [0, 1], differences
            of two in [-1, 1], ratios in [0, inf).
        first_error: [n], 0-based; -1 none, -2 unknown.
        confidence: [n], NaN where the policy cannot say.
        kept: [S], False for steps that the policy cuts from the row.
        by_outcome: [n], True where the solution's own final answer decided all of its labels.
    """

    marks: IntArray
    values: FloatArray
    lows: FloatArray
    highs: FloatArray
    first_error: IntArray
    confidence: FloatArray
    kept: BoolArray
    by_outcome: BoolArray
