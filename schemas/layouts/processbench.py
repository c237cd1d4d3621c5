"""ProcessBench (Zheng et al. 2024): solutions whose earliest wrong step people have marked, both ways.

    {"id", "generator", "problem", "steps": [str], "final_answer_correct": bool, "label": int}

Traps: `label` is 0-based and -1 means that every step is right; a right final answer does not mean -1 (3.5 %
of such GSM8K solutions hold a marked error, 52 % of Omni-MATH's); the rows give no gold answer, so a problem
built from one has `gold=None` and answer checkers say `no_gold`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from steplabel.schemas.errors import DataError
from steplabel.schemas.evidence import CheckedOutcome, Evidence, Outcome, Reason, Reject
from steplabel.schemas.labels import GoldSteps, LabelRow
from steplabel.schemas.layouts.answers import shown
from steplabel.schemas.problem import Problem, content_problem_id
from steplabel.schemas.segmentation import GivenSteps
from steplabel.schemas.solution import make_solution

CHECKER = "processbench_final_answer"
CHECKER_VERSION = "1"
SOURCE = "processbench"
_PARAGRAPHS = GivenSteps(separator="\n\n")
"""The rows hold paragraphs without what stood between them; the blank line is the usual guess."""


def read_gold_steps(row: Mapping[str, Any], *, line: str) -> GoldSteps:
    """Read one row.

    Raises:
        DataError: a field is missing, of another type, or the label points past the steps.
    """
    if not isinstance(row, Mapping):
        raise DataError(f"{line}: a row must be an object with fields, got {shown(row)}")
    try:
        return GoldSteps(
            id=_typed(row, "id", str),
            problem=_typed(row, "problem", str),
            steps=tuple(_typed(row, "steps", list)),
            first_error=_typed(row, "label", int),
            generator=_typed(row, "generator", str),
            final_answer_correct=_typed(row, "final_answer_correct", bool),
            source=SOURCE,
        )
    except DataError as error:
        raise DataError(f"{line}: {error}") from error


def _typed(row: Mapping[str, Any], name: str, kind: type) -> Any:
    value = row.get(name)
    # bool is an int to Python: a label of True would be step 1.
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        raise DataError(f"{name} must be {kind.__name__}, got {shown(value)}")
    return value


def write_gold_steps(gold: GoldSteps) -> dict[str, Any]:
    """The row that `read_gold_steps` reads back as it was.

    Raises:
        DataError: the first error or the final answer's correctness is not known; the layout cannot say so.
    """
    if gold.first_error is None or gold.final_answer_correct is None:
        raise DataError(f"{gold.id}: ProcessBench has no way to say that a label or an outcome is unknown")
    return {
        "id": gold.id,
        "generator": gold.generator,
        "problem": gold.problem,
        "steps": list(gold.steps),
        "final_answer_correct": gold.final_answer_correct,
        "label": gold.first_error,
    }


def evidence_of(gold: GoldSteps) -> Evidence:
    """The marked solution as evidence without its marks: problem, one solution, the outcome that is stated.

    Steps stay those of the data set one for one, so that a label's index means the same on both sides.
    The problem takes the row's id, since rows share problems and differ in the solution; its `group_id` follows from
    its text, so rows of one problem stay together. The outcome is `unknown` where the data set says nothing.
    """
    problem = Problem(
        id=gold.id,
        text=gold.problem,
        source=gold.source,
        group_id=content_problem_id(gold.problem),
        licence="Apache-2.0",
    )
    solution = make_solution(problem, _PARAGRAPHS.join(gold.steps), policy=gold.generator)
    outcome = CheckedOutcome(
        subject=solution.id,
        checker=CHECKER,
        checker_version=CHECKER_VERSION,
        outcome=_OUTCOMES[gold.final_answer_correct],
        reason=Reason.NO_GOLD if gold.final_answer_correct is None else "",
    )
    return Evidence(problem=problem, solutions=(solution,), outcomes=(outcome,))


_OUTCOMES = {True: Outcome.CORRECT, False: Outcome.WRONG, None: Outcome.UNKNOWN}


def export_row(row: LabelRow) -> dict[str, Any] | Reject:
    """A labelled solution in this layout; a Reject where its first error or outcome is unknown.

    Step texts lose the separators that follow them.
    """
    decided = row.first_error is not None and row.outcome in (Outcome.CORRECT, Outcome.WRONG)
    if not decided:
        return Reject(
            record_id=row.solution_id,
            kind="solution",
            stage=SOURCE,
            reason=Reason.UNDECIDED_STEP if row.first_error is None else Reason.NONE_DECIDED,
            detail=f"first error {row.first_error}, outcome {row.outcome}: the layout has no unknown",
        )
    return {
        "id": row.solution_id,
        "generator": row.policy_model,
        "problem": row.problem,
        "steps": [step.strip() for step in row.steps],
        "final_answer_correct": row.outcome == Outcome.CORRECT,
        "label": row.first_error,
    }
