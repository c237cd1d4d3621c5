"""PRM800K (Lightman et al. 2023, arXiv:2305.20050): solutions whose steps people rated one by one, in.

    {"labeler", "question": {"problem", "ground_truth_answer", ...},
     "label": {"steps": [{"completions": [{"text", "rating"}], "human_completion", "chosen_completion"}],
               "finish_reason"}, ...}

A row is a walk: at each position a model offers completions, people rate them 1 (right), 0 (neutral), -1 (wrong) or
null, and choose one to go on from. Read is the one solution that the model could have written: the chosen completions
up to the first position where none was chosen, and there the first that is rated wrong. So phase 1, in which people
then write a step of their own and go on, and phase 2, which ends at the first error, mean the same here.

Traps: neutral steps count as no error, as in the paper's test; what stands behind a step that people wrote is left
out, and so are the completions that were not chosen, but for the wrong one at the end. Where the first step already
is people's own and no completion was wrong, nothing is left and the row is refused. Solutions may end before their
answer, and rows do not state whether that is right. Two people may have gone the same way: such rows have one id.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from steplabel.schemas.errors import DataError
from steplabel.schemas.evidence import Evidence
from steplabel.schemas.ids import content_id
from steplabel.schemas.labels import NO_ERROR, GoldSteps
from steplabel.schemas.layouts.answers import answer_text, infer_type, listed, shown
from steplabel.schemas.problem import GoldAnswer, Problem, content_problem_id
from steplabel.schemas.segmentation import GivenSteps
from steplabel.schemas.solution import make_solution

SOURCE = "prm800k"
GENERATOR = "GPT-4, fine-tuned"
"""Wrote all completions (section 2.1 of the paper)."""
ANSWER_MARK = "# Answer\n\n"
BAD_PROBLEM = "bad_problem"
"""`finish_reason` where people found the problem itself wrong."""
WRONG = -1
_LINES = GivenSteps(separator="\n")


class Rated(NamedTuple):
    """A step and its rating: 1 right, 0 neutral, -1 wrong, None not rated."""

    text: str
    rating: int | None


def read_gold_steps(row: Mapping[str, Any], *, line: str) -> GoldSteps:
    """Read one row with its mark; the id is that of its content. The first error is None behind an unrated step.

    Raises:
        DataError: a field is missing or of another type, people found the problem wrong, or no step is left.
    """
    if not isinstance(row, Mapping):
        raise DataError(f"{line}: a row must be an object with fields, got {shown(row)}")
    try:
        return _gold_steps(row)
    except DataError as error:
        raise DataError(f"{line}: {error}") from error


def _gold_steps(row: Mapping[str, Any]) -> GoldSteps:
    problem, label = _object(row, "question").get("problem"), _object(row, "label")
    if not isinstance(problem, str) or not problem.strip():
        raise DataError(f"question.problem must be a text, got {shown(problem)}")
    if label.get("finish_reason") == BAD_PROBLEM:
        raise DataError(f"finish_reason is {BAD_PROBLEM}: people found the problem wrong")
    walk = tuple(_walk(label))
    if not walk:
        raise DataError("of the first step no completion was chosen, and none is rated wrong: there is nothing to read")
    texts = tuple(step.text for step in walk)
    return GoldSteps(
        id=content_id(SOURCE, problem, texts),
        problem=problem,
        steps=texts,
        first_error=_first_error(walk),
        generator=GENERATOR,
        source=SOURCE,
    )


def read_evidence(row: Mapping[str, Any], *, line: str) -> Evidence:
    """Read one row as evidence without its marks: problem, gold answer, one solution.

    Steps stay those of the data set one for one. Raises DataError as `read_gold_steps` does, and where the gold
    answer is no text.
    """
    gold = read_gold_steps(row, line=line)
    try:
        answer = answer_text(row["question"].get("ground_truth_answer"))
    except DataError as error:
        raise DataError(f"{line}: {error}") from error
    problem = Problem(
        id=gold.id,
        text=gold.problem,
        gold=GoldAnswer(text=answer, type=infer_type(answer)) if answer else None,
        domain="math",
        group_id=content_problem_id(gold.problem),
        source=SOURCE,
        licence="MIT",
    )
    final = gold.steps[-1].partition(ANSWER_MARK)[2].strip() or None
    solution = make_solution(problem, _LINES.join(gold.steps), policy=gold.generator, final_answer=final)
    return Evidence(problem=problem, solutions=(solution,))


def _walk(label: Mapping[str, Any]) -> Iterator[Rated]:
    """The steps up to the first that is wrong, or after which people wrote their own."""
    for number, position in enumerate(listed(label.get("steps"), field="label.steps")):
        if not isinstance(position, Mapping):
            raise DataError(f"label.steps[{number}] must be an object with fields, got {shown(position)}")
        offered = [_rated(one, number) for one in listed(position.get("completions"), field="completions")]
        chosen = _chosen(position, offered, number)
        step = chosen or next((one for one in offered if one.rating == WRONG), None)
        if step:
            yield step
        if not chosen or chosen.rating == WRONG:
            return


def _rated(completion: Any, number: int) -> Rated:
    if not isinstance(completion, Mapping):
        raise DataError(f"a completion of label.steps[{number}] must be an object with fields, got {shown(completion)}")
    rating = completion.get("rating")
    # bool is an int to Python.
    if rating is not None and (isinstance(rating, bool) or rating not in (1, 0, WRONG)):
        raise DataError(f"a rating of label.steps[{number}] must be 1, 0, -1 or null, got {shown(rating)}")
    text = completion.get("text")
    if not isinstance(text, str):
        raise DataError(f"the text of a completion of label.steps[{number}] must be a text, got {shown(text)}")
    return Rated(text, rating)


def _chosen(position: Mapping[str, Any], offered: list[Rated], number: int) -> Rated | None:
    index = position.get("chosen_completion")
    if index is None:
        return None
    if isinstance(index, bool) or not isinstance(index, int) or not 0 <= index < len(offered):
        raise DataError(
            f"chosen_completion of label.steps[{number}] must be null or an index below {len(offered)}, "
            f"got {shown(index)}"
        )
    return offered[index]


def _first_error(walk: tuple[Rated, ...]) -> int | None:
    if any(step.rating is None for step in walk):
        return None
    return len(walk) - 1 if walk[-1].rating == WRONG else NO_ERROR


def _object(row: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = row.get(name)
    if not isinstance(value, Mapping):
        raise DataError(f"{name} must be an object with fields, got {shown(value)}")
    return value
