"""FoVer (Kamoi et al. 2025): solutions whose steps a formal tool or people have marked, both ways.

    {"id", "base_dataset", "problem", "solution_steps": [str], "error_labels": [bool or null], ...}

Traps: despite its name, `error_labels` is true where the step is RIGHT, and null where nobody knows; in its files made
from ProcessBench all that follows the first error is null. Steps are judged by what they cite, so a right step may
follow a wrong one, and the first false is the first error only if nothing before it is null. Rows give no gold
answer, so problems built from them have `gold=None`. `messages` (the training chat) follows from the other fields and
is not read.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from steplabel.schemas.errors import DataError
from steplabel.schemas.evidence import Evidence, Reason, Reject
from steplabel.schemas.labels import NO_ERROR, AfterError, GoldSteps, LabelRow, StepMark
from steplabel.schemas.layouts.answers import shown
from steplabel.schemas.problem import Problem, content_problem_id
from steplabel.schemas.segmentation import GivenSteps
from steplabel.schemas.solution import make_solution
from steplabel.schemas.validation import check_same_length

SOURCE = "fover"
LICENCE = "CC-BY-4.0"
_FORMAL_LOGIC = "fld"
"""How `base_dataset` begins in the formal logic rows (FLDx2)."""
_LOGIC = "logic"
_LINES = GivenSteps(separator="\n")
_MARKS = {True: StepMark.POSITIVE, False: StepMark.NEGATIVE, None: StepMark.UNKNOWN}
_LABELS = {mark: label for label, mark in _MARKS.items()}


@dataclass(frozen=True, slots=True, kw_only=True)
class MarkedSolution:
    """One row.

    Attributes:
        marks: one for each step: `+` right, `-` wrong, unknown.
        base_dataset: where problem and marks come from, e.g. `processbench_gsm8k`.
    """

    id: str
    problem: str
    steps: tuple[str, ...]
    marks: tuple[StepMark, ...]
    base_dataset: str = ""

    def __post_init__(self) -> None:
        check_same_length(left=self.marks, right=self.steps, names=("error_labels", "solution_steps"))

    @property
    def first_error(self) -> int | None:
        """0-based; -1 if every step is right; None if an unknown step stands where the first error might be."""
        for index, mark in enumerate(self.marks):
            if mark is StepMark.UNKNOWN:
                return None
            if mark is StepMark.NEGATIVE:
                return index
        return NO_ERROR

    def gold_steps(self) -> GoldSteps:
        """What label quality is measured against.

        Raises:
            DataError: no steps, or an empty one.
        """
        return GoldSteps(
            id=self.id,
            problem=self.problem,
            steps=self.steps,
            first_error=self.first_error,
            generator=self.base_dataset,
            source=SOURCE,
        )


def read_marked(row: Mapping[str, Any], *, line: str) -> MarkedSolution:
    """Read one row. An id that the row lacks follows from its content.

    Raises:
        DataError: a field is missing or of another type, a label is neither a boolean nor null, or there are not as
            many labels as steps.
    """
    if not isinstance(row, Mapping):
        raise DataError(f"{line}: a row must be an object with fields, got {shown(row)}")
    try:
        return _marked(row)
    except DataError as error:
        raise DataError(f"{line}: {error}") from error


def _marked(row: Mapping[str, Any]) -> MarkedSolution:
    problem, steps, labels = row.get("problem"), row.get("solution_steps"), row.get("error_labels")
    if not isinstance(problem, str) or not problem.strip():
        raise DataError(f"problem must be a text, got {shown(problem)}")
    if not isinstance(steps, list) or not steps or not all(isinstance(step, str) and step.strip() for step in steps):
        raise DataError(f"solution_steps must be a list of texts, got {shown(steps)}")
    # 1 == True to Python, so a row of numbers would be read with a polarity it may not have.
    if not isinstance(labels, list) or not all(label is None or isinstance(label, bool) for label in labels):
        raise DataError(f"error_labels must be a list of true (right), false (wrong) and null, got {shown(labels)}")
    name, base = row.get("id", ""), row.get("base_dataset", "")
    if not isinstance(name, str) or not isinstance(base, str):
        raise DataError(f"id and base_dataset must be texts, got {shown(name)}, {shown(base)}")
    return MarkedSolution(
        id=name or content_problem_id("\n".join((problem, *steps))),
        problem=problem,
        steps=tuple(steps),
        marks=tuple(_MARKS[label] for label in labels),
        base_dataset=base,
    )


def write_marked(marked: MarkedSolution) -> dict[str, Any]:
    """The row that `read_marked` reads back as it was."""
    return {
        "id": marked.id,
        "error_labels": [_LABELS[mark] for mark in marked.marks],
        "base_dataset": marked.base_dataset,
        "problem": marked.problem,
        "solution_steps": list(marked.steps),
    }


def evidence_of(marked: MarkedSolution) -> Evidence:
    """The solution as evidence without its marks: problem and one solution, its steps one for one.

    The problem takes the row's id, since rows share problems; its `group_id` follows from its text. The domain is
    `logic` for the formal logic rows, else empty.
    """
    problem = Problem(
        id=marked.id,
        text=marked.problem,
        domain=_LOGIC if marked.base_dataset.startswith(_FORMAL_LOGIC) else "",
        group_id=content_problem_id(marked.problem),
        source=SOURCE,
        licence=LICENCE,
    )
    solution = make_solution(problem, _LINES.join(marked.steps), policy=marked.base_dataset)
    return Evidence(problem=problem, solutions=(solution,))


def export_row(row: LabelRow) -> dict[str, Any] | Reject:
    """A labelled solution in this layout; a Reject where no step has a label.

    Steps that carry no labels (tool output) and steps after the first error about which the policy says nothing are
    null.
    """
    silent = row.after_error in (AfterError.CUT, AfterError.UNKNOWN) and row.first_error not in (None, NO_ERROR)
    told = row.first_error + 1 if silent and row.first_error is not None else len(row.steps)
    labels = [
        _LABELS[mark] if labelable and index < told else None
        for index, (mark, labelable) in enumerate(zip(row.labels, row.labelable, strict=True))
    ]
    if all(label is None for label in labels):
        return Reject(
            record_id=row.solution_id,
            kind="solution",
            stage=SOURCE,
            reason=Reason.NONE_DECIDED,
            detail="no step has a label",
        )
    return {
        "id": row.solution_id,
        "error_labels": labels,
        "base_dataset": _base_dataset(row),
        "problem": row.problem,
        "solution_steps": [step.strip() for step in row.steps],
    }


def _base_dataset(row: LabelRow) -> str:
    """What `evidence_of` reads the domain from: a row of FoVer's keeps its own word, other logic is marked as such."""
    base = row.policy_model if row.source == SOURCE and row.policy_model else row.source
    formal = row.domain == _LOGIC and not base.startswith(_FORMAL_LOGIC)
    return f"{_FORMAL_LOGIC}_{base}" if formal else base
