"""`steplabel evaluate`: first-error F1 of labelled runs, against exact truth or a gold file."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from rich.table import Table

from steplabel.engines.bundled.task import TaskError, parse_problem
from steplabel.engines.bundled.truth import Rule, check_solution, first_wrong
from steplabel.labels.metrics import F1Report, first_error_f1
from steplabel.schemas import ConfigError, LabelRow
from steplabel.schemas.layouts.processbench import read_gold_steps
from steplabel.transforms.dataset import OutputFolder
from steplabel.transforms.io import read_rows

Truth = Callable[[LabelRow], int | None]
"""The true first error of a row's solution: 0-based, -1 none; None if the gold says nothing about it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluation:
    """How one run did, and what it cost.

    Attributes:
        unmatched: rows that the gold says nothing about; they count nowhere.
        tokens_per_solution, rollouts_per_solution: consumed by the evidence, from model or store alike.
    """

    path: str
    method: str
    report: F1Report
    rows: int
    unmatched: int
    tokens_per_solution: float
    rollouts_per_solution: float


def exact_truth(rule: Rule = "strict") -> Truth:
    """Truth of the bundled model's generated problems, from problem and solution text alone."""

    def truth(row: LabelRow) -> int | None:
        try:
            problem = parse_problem(row.problem)
        except TaskError:
            return None
        return first_wrong(check_solution(problem, row.steps), rule)

    return truth


def gold_truth(path: str) -> Truth:
    """Truth from a file of ProcessBench rows, matched by problem and steps.

    Raises:
        ConfigError: the file does not exist or holds no usable row.
    """
    gold: dict[tuple[str, tuple[str, ...]], int | None] = {}
    for row in read_rows(path):
        if row.data is not None:
            one = read_gold_steps(row.data, line=row.where)
            gold[one.problem.strip(), _bare(one.steps)] = one.first_error
    if not gold:
        raise ConfigError(f"gold file {path!r} holds no row")
    return lambda row: gold.get((row.problem.strip(), _bare(row.steps)))


def _bare(steps: Sequence[str]) -> tuple[str, ...]:
    """Steps without the separators around them, which layouts treat differently."""
    return tuple(step.strip() for step in steps)


def evaluate(folder: OutputFolder, truth: Truth) -> Evaluation:
    """Compare a run's first errors with the truth.

    Raises:
        ConfigError: the folder is no dataset, or no row of it is known to the gold.
    """
    rows, known = list(folder.read("labels")), []
    for row in rows:
        true = truth(row)
        if true is not None:
            known.append((row, true))
    if not known:
        raise ConfigError(f"the gold says nothing about any of the {len(rows)} rows of {folder.path!r}")
    report = first_error_f1(
        [row.first_error for row, _ in known],
        [true for _, true in known],
        groups=[row.group_id for row, _ in known],
    )
    return Evaluation(
        path=folder.path,
        method=folder.require_manifest().run.recipe,
        report=report,
        rows=len(rows),
        unmatched=len(rows) - len(known),
        tokens_per_solution=sum(row.tokens for row, _ in known) / len(known),
        rollouts_per_solution=sum(sum(row.rollouts) for row, _ in known) / len(known),
    )


def table(evaluations: Sequence[Evaluation]) -> Table:
    """One line a run."""
    shown = Table(title="First-error F1 (ProcessBench's definition), 95 % bootstrap interval over problems")
    for name in (
        "run",
        "F1",
        "interval",
        "acc. erroneous",
        "acc. clean",
        "solutions",
        "rollouts/sol.",
        "tokens/sol.",
    ):
        shown.add_column(name, justify="left" if name == "run" else "right", overflow="fold")
    for one in evaluations:
        report = one.report
        shown.add_row(
            f"{one.method} ({one.path})",
            f"{report.f1:.3f}",
            f"{report.f1_low:.3f} - {report.f1_high:.3f}",
            f"{report.acc_error:.3f} of {report.n_error}",
            f"{report.acc_clean:.3f} of {report.n_clean}",
            str(one.rows - one.unmatched),
            f"{one.rollouts_per_solution:.1f}",
            f"{one.tokens_per_solution:.0f}",
        )
    return shown
