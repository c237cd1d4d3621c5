"""Label records to the flat rows that people train on."""

from __future__ import annotations

from collections.abc import Sequence

from steplabel.labels.outcomes import newest_outcomes
from steplabel.schemas import (
    CheckedOutcome,
    DataError,
    Evidence,
    LabelRow,
    Outcome,
    RunInfo,
    Solution,
    StepLabels,
)


def label_rows(
    evidence: Evidence,
    labels: Sequence[StepLabels],
    run: RunInfo,
    *,
    completer_licence: str = "",
    checker: str | None = None,
) -> list[LabelRow]:
    """One row for each label record, in their order.

    Where the policy cut steps, the row holds the kept ones only: its steps are then a prefix of the solution.
    `model_licences` holds the policy model's licence and, where rollouts spoke, the completer's; unknown ones
    are left out. A problem without a gold answer has empty `gold_answer` and `answer_type`.

    Args:
        evidence: the problem and its solutions.
        labels: of solutions of this problem; several policies may have labelled the same one.
        run: where the rows come from.
        completer_licence: of the model whose rollouts speak.
        checker: whose outcome the row quotes, as in `count_evidence`.

    Raises:
        DataError: labels of a solution that the evidence does not hold, or more labels than steps.
    """
    solutions = {solution.id: solution for solution in evidence.solutions}
    outcomes = newest_outcomes(evidence, checker=checker)
    rows = []
    for record in labels:
        solution = _labelled_solution(solutions, record, evidence.problem.id)
        licences = (solution.policy_licence, completer_licence if record.completer else "")
        rows.append(_row(evidence, solution, record, outcomes.get(solution.id), licences, run))
    return rows


def _labelled_solution(solutions: dict[str, Solution], labels: StepLabels, problem_id: str) -> Solution:
    solution = solutions.get(labels.solution_id)
    if solution is None:
        raise DataError(f"labels of solution {labels.solution_id}: problem {problem_id} has no such solution")
    if len(labels.marks) > len(solution.steps):
        raise DataError(f"labels of solution {solution.id}: {len(labels.marks)} marks for {len(solution.steps)} steps")
    return solution


def _row(
    evidence: Evidence,
    solution: Solution,
    labels: StepLabels,
    checked: CheckedOutcome | None,
    licences: tuple[str, ...],
    run: RunInfo,
) -> LabelRow:
    problem = evidence.problem
    gold = problem.gold
    steps = solution.steps[: len(labels.marks)]
    answer = checked.answer if checked else None
    return LabelRow(
        problem_id=problem.id,
        group_id=problem.group_id,
        solution_id=solution.id,
        problem=problem.text,
        steps=tuple(step.text for step in steps),
        labels=labels.marks,
        values=labels.values,
        value_lows=labels.lows,
        value_highs=labels.highs,
        first_error=labels.first_error,
        after_error=labels.after_error,
        confidence=labels.confidence,
        step_kinds=tuple(str(step.kind) for step in steps),
        labelable=tuple(step.labelable for step in steps),
        rollouts=labels.rollouts,
        successes=labels.successes,
        unknowns=labels.unknowns,
        tokens=labels.tokens,
        label_policy=labels.policy,
        label_policy_version=labels.policy_version,
        label_target=labels.target,
        label_sources=labels.sources,
        gold_answer=gold.text if gold else "",
        answer_type=str(gold.type) if gold else "",
        final_answer=answer if solution.final_answer is None else solution.final_answer,
        outcome=str(checked.outcome if checked else Outcome.UNKNOWN),
        outcome_reason=checked.reason if checked else "",
        checker=f"{checked.checker}@{checked.checker_version}" if checked else "",
        solution_source=str(solution.source),
        policy_model=solution.policy,
        completer_model=labels.completer,
        model_licences=tuple(dict.fromkeys(licence for licence in licences if licence)),
        domain=problem.domain,
        split=problem.split,
        source=problem.source,
        licence=problem.licence,
        source_row=problem.source_row,
        run_id=run.run_id,
        recipe=run.recipe,
        code_version=run.code_version,
        config_hash=run.config_hash,
    )
