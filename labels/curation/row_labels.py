"""A dataset's row back as labels of its solution, for functions that want labels beside the evidence."""

from __future__ import annotations

from steplabel.schemas import LabelRow, Solution, StepLabels


def row_labels(row: LabelRow) -> StepLabels:
    """What the row says of its solution's steps; the row may hold fewer steps than the solution (a policy cut it)."""
    return StepLabels(
        solution_id=row.solution_id,
        policy=row.label_policy,
        policy_version=row.label_policy_version,
        target=row.label_target,
        marks=row.labels,
        values=row.values,
        lows=row.value_lows,
        highs=row.value_highs,
        first_error=row.first_error,
        after_error=row.after_error,
        confidence=row.confidence,
        completer=row.completer_model,
        sources=row.label_sources,
        rollouts=row.rollouts,
        successes=row.successes,
        unknowns=row.unknowns,
        tokens=row.tokens,
    )


def has_own_steps(row: LabelRow, solution: Solution) -> bool:
    """Whether the row's steps are the solution's first ones: steps that were joined are labelled, but nobody's node."""
    own = tuple(step.text for step in solution.steps[: len(row.steps)])
    return row.steps == own
