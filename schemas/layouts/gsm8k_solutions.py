"""GSM8K's `example_model_solutions.jsonl`: one problem, four models' solutions, and whether each is right.

    {"question", "ground_truth", "<model>": {"is_correct": bool, "solution": str}, ...}

The file's `is_correct` is kept as an outcome by the checker `gsm8k_is_correct`, so that answer checkers and
outcome gates can be measured against it. It judges the final answer; a right one may follow wrong steps.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from steplabel.schemas.errors import DataError
from steplabel.schemas.evidence import CheckedOutcome, Evidence, Outcome
from steplabel.schemas.layouts.answers import shown
from steplabel.schemas.problem import AnswerType, GoldAnswer, Problem, content_problem_id
from steplabel.schemas.segmentation import NewlineSteps, Segmenter
from steplabel.schemas.solution import Solution, make_solution

CHECKER = "gsm8k_is_correct"
CHECKER_VERSION = "1"
SOURCE = "gsm8k_example_model_solutions"
ANSWER_MARK = "A:"
_LINES = NewlineSteps()


def read_model_solutions(row: Mapping[str, Any], *, line: str, segmenter: Segmenter = _LINES) -> Evidence:
    """Read one row: the problem, a solution for each model (its name is the policy), and their outcomes.

    Raises:
        DataError: a field is missing or of another type, or the reference does not end in `A: <answer>`.
    """
    if not isinstance(row, Mapping):
        raise DataError(f"{line}: a row must be an object with fields, got {shown(row)}")
    try:
        return _evidence(row, segmenter)
    except DataError as error:
        raise DataError(f"{line}: {error}") from error


def _evidence(row: Mapping[str, Any], segmenter: Segmenter) -> Evidence:
    problem = _problem(row)
    models = [name for name, value in row.items() if isinstance(value, Mapping)]
    if not models:
        raise DataError("no model's {is_correct, solution} in the row")
    pairs = [_solution(problem, name, row[name], segmenter) for name in models]
    return Evidence(
        problem=problem,
        solutions=tuple(solution for solution, _ in pairs),
        outcomes=tuple(outcome for _, outcome in pairs),
    )


def _problem(row: Mapping[str, Any]) -> Problem:
    question, reference = row.get("question"), row.get("ground_truth")
    if not isinstance(question, str) or not isinstance(reference, str):
        raise DataError(f"question and ground_truth must be texts, got {shown(question)}, {shown(reference)}")
    last = reference.rstrip().rpartition("\n")[2]
    if not last.startswith(ANSWER_MARK):
        raise DataError(f"ground_truth must end in a line `A: <answer>`, not in {last!r:.80}")
    return Problem(
        id=content_problem_id(question),
        text=question,
        gold=GoldAnswer(text=last.removeprefix(ANSWER_MARK).strip(), type=AnswerType.NUMBER),
        reference_solution=reference,
        domain="math",
        source=SOURCE,
        licence="MIT",
    )


def _solution(
    problem: Problem, model: str, entry: Mapping[str, Any], segmenter: Segmenter
) -> tuple[Solution, CheckedOutcome]:
    text, correct = entry.get("solution"), entry.get("is_correct")
    if not isinstance(text, str) or not isinstance(correct, bool):
        raise DataError(f"{model} must be {{is_correct: bool, solution: str}}, got {shown(entry)}")
    last = text.rstrip().rpartition("\n")[2]
    answer = last.removeprefix(ANSWER_MARK).strip() if last.startswith(ANSWER_MARK) else None
    solution = make_solution(problem, segmenter.split(text), policy=model, final_answer=answer)
    outcome = CheckedOutcome(
        subject=solution.id,
        checker=CHECKER,
        checker_version=CHECKER_VERSION,
        outcome=Outcome.CORRECT if correct else Outcome.WRONG,
        answer=answer,
    )
    return solution, outcome
