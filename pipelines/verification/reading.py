"""Solutions that a file brings along, or its problems' reference solutions; and the first errors that people marked.

Marks stand beside the evidence, since they are none.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from itertools import islice, tee
from typing import Any, TypeAlias

from steplabel.schemas import Evidence, GoldSteps, Problem, Reject, Solution, make_solution
from steplabel.schemas.layouts import bigbench_mistake, fover, prm800k, processbench
from steplabel.schemas.layouts.answers import GSM8K_MARK
from steplabel.schemas.segmentation import Segmenter
from steplabel.transforms.intake import Intake, detect_format
from steplabel.transforms.io import RawRow, read_rows

Markings: TypeAlias = GoldSteps | fover.MarkedSolution
"""What knows a solution's first error."""

MARKS: Mapping[str, Callable[..., Markings]] = {
    "processbench": processbench.read_gold_steps,
    "bigbench_mistake": bigbench_mistake.read_gold_steps,
    "fover": fover.read_marked,
    "prm800k": prm800k.read_gold_steps,
}
"""By layout of `transforms.intake.READERS`, how a row says where its one solution's first error is."""

REFERENCE = "reference"
"""`Solution.policy` of a data set's own solution."""


class SolutionChoice(StrEnum):
    """Which solutions of a problem are read."""

    AUTO = "auto"
    """Those of its row; where there are none, its reference solution."""
    GIVEN = "given"
    REFERENCE = "reference"


@dataclass(frozen=True, slots=True, kw_only=True)
class Marked:
    """A problem with its solutions.

    Attributes:
        first_error: of its only solution, as people marked it: 0-based, -1 none; None if it is not known.
    """

    evidence: Evidence
    first_error: int | None = None


def read_marked(path: str, intake: Intake, limit: int | None, solutions: SolutionChoice) -> Iterator[Marked | Reject]:
    """A problem or a reject for every row, in order. Raises ConfigError if there is no such file."""
    rows, again = tee(islice(read_rows(path), limit))
    for row, record in zip(rows, intake.read(again), strict=True):
        if isinstance(record, Reject):
            yield record
        elif solutions is SolutionChoice.GIVEN or (solutions is SolutionChoice.AUTO and record.solutions):
            yield Marked(evidence=record, first_error=_mark(row, intake.layout))
        else:
            yield Marked(evidence=_referring(record, intake.segmenter))


def _referring(evidence: Evidence, segmenter: Segmenter) -> Evidence:
    """The problem with its reference solution alone, and without what is known of others."""
    solution = reference_solution(evidence.problem, segmenter)
    return Evidence(problem=evidence.problem, solutions=(solution,) if solution else ())


def reference_solution(problem: Problem, segmenter: Segmenter) -> Solution | None:
    """A problem's reference solution, without GSM8K's line `#### answer`; None if it has none."""
    before, mark, _ = problem.reference_solution.rpartition(GSM8K_MARK)
    worked = before if mark else problem.reference_solution
    if not worked.strip():
        return None
    answer = problem.gold.text if problem.gold else None
    return make_solution(problem, segmenter.split(worked.rstrip()), policy=REFERENCE, final_answer=answer)


def _mark(row: RawRow, layout: str) -> int | None:
    """What a row marks that was read without an error."""
    data: Mapping[str, Any] = row.data or {}
    read = MARKS.get(detect_format(data) if layout == "auto" else layout)
    return read(data, line=row.where).first_error if read else None
