"""`steplabel inspect`: labelled solutions in the terminal, each step in the colour of its label, with its evidence."""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import Console
from rich.table import Table
from rich.text import Text

from steplabel.schemas import LabelRow, StepMark
from steplabel.transforms.dataset import OutputFolder
from steplabel.transforms.intake import printable

STYLES = {StepMark.POSITIVE: "green", StepMark.NEGATIVE: "bold red", StepMark.UNKNOWN: "yellow"}
MAX_STEP_CHARS = 2000


def chosen_rows(folder: OutputFolder, *, problem: str | None, errors_only: bool, limit: int) -> Iterator[LabelRow]:
    """Rows of one problem or of all, at most `limit`."""
    for row in folder.read("labels"):
        if limit <= 0:
            return
        if problem not in (None, row.problem_id) or (errors_only and row.first_error in (None, -1)):
            continue
        limit -= 1
        yield row


def print_row(console: Console, row: LabelRow) -> None:
    """One labelled solution."""
    console.rule(Text(f"{printable(row.problem_id)} / {row.solution_id[:12]}"), style="dim")
    console.print(Text(printable_step(row.problem)))
    table = Table(box=None, padding=(0, 1), header_style="dim")
    for name in ("#", "", "step", "right / rollouts", "value"):
        table.add_column(name, overflow="fold")
    for i, mark in enumerate(row.labels):
        first = " <- first error" if row.first_error == i else ""
        step = Text(printable_step(row.steps[i]), style=STYLES[mark]) + Text(first, style="bold red")
        table.add_row(
            str(i),
            Text(mark if mark != StepMark.UNKNOWN else "?", style=STYLES[mark]),
            step,
            *_counts(row, i),
        )
    console.print(table)
    console.print(Text(_verdict(row), style="dim"))


def printable_step(text: str) -> str:
    """A step without its trailing separators and without characters that would upset a terminal."""
    body = text.strip()[:MAX_STEP_CHARS]
    return "\n".join(printable(line, MAX_STEP_CHARS) for line in body.splitlines())


def _counts(row: LabelRow, i: int) -> tuple[str, str]:
    value = row.values[i]
    asked = row.rollouts[i]
    counts = f"{row.successes[i]} / {asked}" if asked else "not asked"
    if row.unknowns[i]:
        counts += f" ({row.unknowns[i]} unknown)"
    return counts, "" if value is None else f"{value:.2f}"


def _verdict(row: LabelRow) -> str:
    where = {None: "first error not known", -1: "no error"}.get(
        row.first_error, f"first error at step {row.first_error}"
    )
    answer = (
        f"final answer {row.final_answer!r} is {row.outcome}, gold {row.gold_answer!r}; " if row.gold_answer else ""
    )
    return (
        f"{where} ({row.label_policy} v{row.label_policy_version}, target {row.label_target}, "
        f"by {', '.join(row.label_sources) or 'nobody'}); "
        f"{answer}{row.tokens:,} tokens of evidence"
    )
