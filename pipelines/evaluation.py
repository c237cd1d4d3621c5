"""`steplabel evaluate`: first-error F1 of labelled runs, against exact truth or a gold file."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from rich.table import Table
from rich.text import Text

from steplabel.engines.bundled.task import TaskError, parse_problem
from steplabel.engines.bundled.truth import Rule, check_solution, first_wrong
from steplabel.labels.metrics import F1Report, first_error_f1
from steplabel.pipelines.curation.steps import require_own_steps, row_key
from steplabel.schemas import ConfigError, LabelRow
from steplabel.schemas.layouts.processbench import read_gold_steps
from steplabel.transforms.dataset import OutputFolder
from steplabel.transforms.evidence_files import read_labelled
from steplabel.transforms.io import read_whole

Truth = Callable[[str, Sequence[str]], int | None]
"""Problem text and all steps of a solution -> its true first error: 0-based, -1 none; None if the gold is silent."""


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
    """Truth of the bundled model's generated problems, from problem and solution text alone.

    It knows steps of one line; of merged ones it says nothing.
    """

    def truth(problem: str, steps: Sequence[str]) -> int | None:
        if any(len(step.strip().splitlines()) > 1 for step in steps):
            return None
        try:
            parsed = parse_problem(problem)
        except TaskError:
            return None
        return first_wrong(check_solution(parsed, steps), rule)

    return truth


def gold_truth(path: str) -> Truth:
    """Truth from a file of ProcessBench rows, matched by problem and steps.

    Raises:
        ConfigError: the file does not exist or holds no row.
        DataError: a row cannot be read, or is none of ProcessBench's.
    """
    gold: dict[tuple[str, tuple[str, ...]], int | None] = {}
    for where, row in read_whole(path):
        one = read_gold_steps(row, line=where)
        gold[one.problem.strip(), _bare(one.steps)] = one.first_error
    if not gold:
        raise ConfigError(f"gold file {path!r} holds no row")
    return lambda problem, steps: gold.get((problem.strip(), _bare(steps)))


def _bare(steps: Sequence[str]) -> tuple[str, ...]:
    """Steps without the separators around them, which layouts treat differently."""
    return tuple(step.strip() for step in steps)


def truths(folder: OutputFolder, rows: Sequence[LabelRow], truth: Truth) -> list[int | None]:
    """The truth about each row's whole solution: a policy may have cut the row after what it takes for the error."""
    known = {
        row_key(row): truth(row.problem, [step.text for step in solution.steps])
        for chunk in folder.require_manifest().chunks
        for row, solution in read_labelled(folder, chunk)
    }
    return [known[row_key(row)] for row in rows]


def evaluate(folder: OutputFolder, truth: Truth, *, level: float = 0.95) -> Evaluation:
    """Compare a run's first errors with the truth; `level` is that of the intervals.

    Raises:
        ConfigError: the folder is no dataset, its steps were joined, or no row of it is known to the gold.
    """
    require_own_steps(folder)
    rows = list(folder.read("labels"))
    known = [(row, true) for row, true in zip(rows, truths(folder, rows, truth), strict=True) if true is not None]
    if not known:
        raise ConfigError(f"the gold says nothing about any of the {len(rows)} rows of {folder.path!r}")
    report = first_error_f1(
        [row.first_error for row, _ in known],
        [true for _, true in known],
        groups=[row.group_id for row, _ in known],
        level=level,
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
    """One line a run, narrow enough for a terminal of 80 columns."""
    shown = Table(title="First-error F1, 95 % interval over problems", title_justify="left", box=None, pad_edge=False)
    for name in ("run", "F1", "interval", "erroneous", "clean", "rollouts", "tokens"):
        shown.add_column(name, justify="left" if name == "run" else "right", no_wrap=True)
    for one in evaluations:
        report = one.report
        shown.add_row(
            Text(PurePosixPath(one.path).name),
            f"{report.f1:.3f}",
            f"{report.f1_low:.2f}-{report.f1_high:.2f}",
            f"{report.acc_error:.2f} of {report.n_error}",
            f"{report.acc_clean:.2f} of {report.n_clean}",
            f"{one.rollouts_per_solution:.1f}",
            f"{one.tokens_per_solution:.0f}",
        )
    shown.caption = "erroneous: located exactly; clean: called clean; rollouts, tokens: for each solution"
    shown.caption_justify = "left"
    return shown
