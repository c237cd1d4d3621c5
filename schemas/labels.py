"""What is said in the end: the labels of one solution's steps under one named policy."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum

from steplabel.schemas.errors import DataError
from steplabel.schemas.validation import check_same_length, check_text


class LabelTarget(StrEnum):
    """What a label claims. Monte Carlo says *reachable*; Z3 says *correct*; they are not the same claim."""

    CORRECT = "correct"
    """The step is valid: what it asserts follows and is true."""
    REACHABLE = "reachable"
    """A right final answer can still be reached from here by the completer."""
    VALUE = "value"
    """The completer's probability of a right final answer from here."""
    PROGRESS = "progress"
    """How much the step changed that probability."""


class StepMark(StrEnum):
    """A hard label."""

    POSITIVE = "+"
    NEGATIVE = "-"
    UNKNOWN = "unknown"


class AfterError(StrEnum):
    """What a policy does with the steps that follow the first error."""

    KEPT = "kept"
    CUT = "cut"
    NEGATIVE = "negative"
    UNKNOWN = "unknown"


NO_ERROR = -1
"""`first_error` of a solution whose steps are all right; None means that it is not known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StepLabels:
    """The labels of one solution, one entry a step in every tuple.

    Attributes:
        marks: hard labels.
        values: what the policy says of each step, None where there is no evidence: in [0, 1] for the targets
            `value`, `reachable` and `correct`; for `progress` differences in [-1, 1], or ratios from 0 on.
        lows, highs: bounds of the value, [c/k, (c+u)/k]: what the unknown rollouts could still make of it.
        first_error: 0-based index of the first wrong step; -1 if there is none; None if not known.
        confidence: probability that `first_error` is right, where the policy can say; None otherwise.
        completer: `ModelIdentity.id` of the model whose rollouts speak; empty if none did.
        sources: who spoke, e.g. `monte_carlo`, `outcome`.
        rollouts, successes, unknowns: how many rollouts start at each step's end, and how they ended.
        tokens: generated tokens that the evidence of this solution consumed, from engine or store alike.
    """

    solution_id: str
    policy: str
    policy_version: str
    target: LabelTarget
    marks: tuple[StepMark, ...]
    values: tuple[float | None, ...]
    lows: tuple[float | None, ...]
    highs: tuple[float | None, ...]
    first_error: int | None
    after_error: AfterError
    confidence: float | None = None
    completer: str = ""
    sources: tuple[str, ...] = ()
    rollouts: tuple[int, ...] = ()
    successes: tuple[int, ...] = ()
    unknowns: tuple[int, ...] = ()
    tokens: int = 0

    def __post_init__(self) -> None:
        for name in ("values", "lows", "highs"):
            entries = getattr(self, name)
            check_same_length(left=entries, right=self.marks, names=(name, "marks"))
            if any(entry is not None and not math.isfinite(entry) for entry in entries):
                raise DataError(f"{name} of solution {self.solution_id}: no evidence is None, never NaN")
        check_first_error(self.first_error, steps=len(self.marks))


def check_first_error(first_error: int | None, *, steps: int) -> None:
    """Raise DataError unless it is None, -1, or the 0-based index of one of the steps."""
    if first_error is not None and not NO_ERROR <= first_error < steps:
        raise DataError(f"first error {first_error} of {steps} steps: must be 0-based, or -1 for none")


@dataclass(frozen=True, slots=True, kw_only=True)
class GoldSteps:
    """A solution whose first wrong step people have marked: what label quality is measured against.

    Attributes:
        id: the data set's id of the marked solution.
        steps: as the data set lists them, without separators.
        first_error: 0-based; -1 if every step is right; None if the people did not agree.
        final_answer_correct: the data set's word on the final answer; a right one may follow wrong steps.
    """

    id: str
    problem: str
    steps: tuple[str, ...]
    first_error: int | None
    generator: str = ""
    final_answer_correct: bool | None = None
    source: str = ""

    def __post_init__(self) -> None:
        check_text(self.id, field="id", allow_empty=False, max_chars=512)
        check_text(self.problem, field="problem", allow_empty=False)
        for index, step in enumerate(self.steps):
            check_text(step, field=f"step {index}", allow_empty=False)
        if not self.steps:
            raise DataError(f"{self.id}: has no steps")
        check_first_error(self.first_error, steps=len(self.steps))


@dataclass(frozen=True, slots=True, kw_only=True)
class RunInfo:
    """Where a row comes from: enough to make it again."""

    run_id: str
    recipe: str
    code_version: str
    config_hash: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelRow:
    """One row of the dataset people train on: a labelled solution, self-contained and flat.

    Lists have one entry a step. `steps` joined give the solution's text exactly. Field meanings are those of
    `Problem`, `Solution`, `CheckedOutcome`, `StepLabels` and `RunInfo`.
    """

    problem_id: str
    group_id: str
    solution_id: str
    problem: str
    steps: tuple[str, ...]
    labels: tuple[StepMark, ...]
    values: tuple[float | None, ...]
    value_lows: tuple[float | None, ...]
    value_highs: tuple[float | None, ...]
    first_error: int | None
    after_error: AfterError
    confidence: float | None
    step_kinds: tuple[str, ...]
    labelable: tuple[bool, ...]
    rollouts: tuple[int, ...]
    successes: tuple[int, ...]
    unknowns: tuple[int, ...]
    tokens: int
    label_policy: str
    label_policy_version: str
    label_target: LabelTarget
    label_sources: tuple[str, ...]
    gold_answer: str
    answer_type: str
    final_answer: str | None
    outcome: str
    outcome_reason: str
    checker: str
    solution_source: str
    policy_model: str
    completer_model: str
    model_licences: tuple[str, ...]
    domain: str
    split: str
    source: str
    licence: str
    source_row: str
    run_id: str
    recipe: str
    code_version: str
    config_hash: str
