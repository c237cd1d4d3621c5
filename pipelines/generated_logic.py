"""Problem files of formal logic and of clauses: generated, with a truth that is known by construction."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import Any, Final

from steplabel.schemas import Problem, StepMark
from steplabel.schemas.layouts import fover
from steplabel.verifiers.logic.sat.tasks import sat_problems
from steplabel.verifiers.logic.stream import logic_problems, logic_solutions

BASE_DATASET: Final = "fld_generated"
"""What FoVer's rows call the source of their problems; it begins as that of its formal logic does."""


def logic_rows(*, count: int, seed: int) -> Iterator[dict[str, Any]]:
    """Rows of the native layout; a longer file begins like a shorter one."""
    return _rows(logic_problems(count, seed=seed))


def sat_rows(*, count: int, seed: int) -> Iterator[dict[str, Any]]:
    """Rows of the native layout: SATQuest's tasks."""
    return _rows(sat_problems(count, seed=seed))


def proof_rows(*, count: int, seed: int) -> Iterator[dict[str, Any]]:
    """Rows of FoVer's layout: of each of `count` problems its proof, and one with a wrong step; all steps marked."""
    for written in logic_solutions(count, seed=seed):
        marks = tuple(StepMark.POSITIVE if holds else StepMark.NEGATIVE for holds in written.holds)
        yield fover.write_marked(
            fover.MarkedSolution(
                id=written.solution.id,
                problem=written.problem.text,
                steps=written.gold_steps().steps,
                marks=marks,
                base_dataset=BASE_DATASET,
            )
        )


KINDS: Mapping[str, Any] = MappingProxyType({"logic": logic_rows, "proofs": proof_rows, "sat": sat_rows})
"""By the word that the command line has for them."""


def _rows(problems: Iterable[Problem]) -> Iterator[dict[str, Any]]:
    for problem in problems:
        gold = problem.gold
        yield {
            "id": problem.id,
            "problem": problem.text,
            "answer": gold.text if gold else "",
            "answer_type": str(gold.type) if gold else "",
            "domain": problem.domain,
            "source": problem.source,
            "licence": problem.licence,
            "group_id": problem.group_id,
            "reference_solution": problem.reference_solution,
        }
