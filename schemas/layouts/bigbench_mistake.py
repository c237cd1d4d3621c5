"""BIG-Bench-Mistake (Tyen et al. 2024, arXiv:2311.08516): traces of a model and the first mistake in each, in.

    {"input", "steps": [str], "target", "answer", "mistake_index": int | null}

Traps: `mistake_index` is 0-based and null means that people marked no mistake. Where the answer is wrong all the same,
one of the steps must be: nobody found it, or they did not agree, and the first error is not known (of the 62 rows of
multistep_arithmetic with null, 18 are such). A row does not say which task it is of: the two whose steps a verifier
here can follow are told by their question, the others have no domain.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from steplabel.schemas.errors import DataError
from steplabel.schemas.evidence import CheckedOutcome, Evidence, Outcome, Reason
from steplabel.schemas.ids import content_id
from steplabel.schemas.labels import NO_ERROR, GoldSteps
from steplabel.schemas.layouts.answers import shown
from steplabel.schemas.problem import AnswerType, GoldAnswer, Problem, content_problem_id
from steplabel.schemas.segmentation import GivenSteps
from steplabel.schemas.solution import make_solution

CHECKER = "bigbench_mistake_answer"
CHECKER_VERSION = "1"
SOURCE = "bigbench_mistake"
GENERATOR = "PaLM 2-L"
"""Wrote all traces (section 2.1 of the paper)."""
_LINES = GivenSteps(separator="\n")


class Task(NamedTuple):
    """A task as far as its rows tell."""

    domain: str
    answers: AnswerType


def _is_arithmetic(question: str, _: str) -> bool:
    return question.rstrip().endswith("=") and set(question) <= set("0123456789+-*()= ")


def _is_sorting(question: str, target: str) -> bool:
    words = question.split()
    return len(words) > 1 and sorted(words) == sorted(target.split())


TASKS: Mapping[Task, Callable[[str, str], bool]] = {
    Task("multistep_arithmetic", AnswerType.NUMBER): _is_arithmetic,
    Task("word_sorting", AnswerType.TEXT): _is_sorting,
}
"""What tells a task by question and target."""
OTHER = Task("", AnswerType.TEXT)


def read_gold_steps(row: Mapping[str, Any], *, line: str) -> GoldSteps:
    """Read one row with its mark; the id is that of its content.

    Raises:
        DataError: a field is missing, of another type, or the index points past the steps.
    """
    if not isinstance(row, Mapping):
        raise DataError(f"{line}: a row must be an object with fields, got {shown(row)}")
    try:
        question, steps, right = _text(row, "input"), _steps(row), _is_right(row)
        return GoldSteps(
            id=content_id(SOURCE, question, steps),
            problem=question,
            steps=steps,
            first_error=_first_error(row, right),
            generator=GENERATOR,
            final_answer_correct=right,
            source=SOURCE,
        )
    except DataError as error:
        raise DataError(f"{line}: {error}") from error


def read_evidence(row: Mapping[str, Any], *, line: str) -> Evidence:
    """Read one row as evidence without its mark: problem, gold answer, one solution, and whether its answer is right.

    Steps stay those of the data set one for one. Raises DataError as `read_gold_steps` does.
    """
    gold = read_gold_steps(row, line=line)
    target = _text(row, "target")
    task = next((task for task, fits in TASKS.items() if fits(gold.problem, target)), OTHER)
    problem = Problem(
        id=gold.id,
        text=gold.problem,
        gold=GoldAnswer(text=target, type=task.answers),
        domain=task.domain,
        group_id=content_problem_id(gold.problem),
        source=SOURCE,
        licence="Apache-2.0",
    )
    answer = row.get("answer")
    solution = make_solution(problem, _LINES.join(gold.steps), policy=gold.generator, final_answer=answer)
    outcome = CheckedOutcome(
        subject=solution.id,
        checker=CHECKER,
        checker_version=CHECKER_VERSION,
        outcome=_OUTCOMES[gold.final_answer_correct],
        reason=Reason.NO_ANSWER if answer is None else "",
        answer=answer,
    )
    return Evidence(problem=problem, solutions=(solution,), outcomes=(outcome,))


_OUTCOMES = {True: Outcome.CORRECT, False: Outcome.WRONG, None: Outcome.UNKNOWN}


def _text(row: Mapping[str, Any], name: str) -> str:
    value = row.get(name)
    if not isinstance(value, str) or not value.strip():
        raise DataError(f"{name} must be a text, got {shown(value)}")
    return value


def _steps(row: Mapping[str, Any]) -> tuple[str, ...]:
    steps = row.get("steps")
    if not isinstance(steps, list) or not all(isinstance(step, str) for step in steps):
        raise DataError(f"steps must be texts, got {shown(steps)}")
    return tuple(steps)


def _is_right(row: Mapping[str, Any]) -> bool | None:
    answer = row.get("answer")
    if answer is None:
        return None
    if not isinstance(answer, str):
        raise DataError(f"answer must be a text or null, got {shown(answer)}")
    return answer.split() == _text(row, "target").split()


def _first_error(row: Mapping[str, Any], right: bool | None) -> int | None:
    if "mistake_index" not in row:
        raise DataError("mistake_index is missing: null says that there is no mistake")
    index = row["mistake_index"]
    if index is None:
        return NO_ERROR if right else None
    # bool is an int to Python; and only null says that there is none.
    if not isinstance(index, int) or isinstance(index, bool) or index < 0:
        raise DataError(f"mistake_index must be null or an index from 0, got {shown(index)}")
    return index
