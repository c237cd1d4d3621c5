"""What came of a verification, in the terminal."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

from steplabel.pipelines.verification.coverage import Coverage
from steplabel.pipelines.verification.verifying import Verification


def print_verification(console: Console, found: Verification) -> None:
    """Coverage by verifier; right and wrong alarms where the file knows better; what was refused."""
    heard = [one for one in found.verifiers if one.solutions]
    console.print(_coverage(found, heard))
    judging = [one for one in heard if one.decided]  # who only grades has found nothing, and missed nothing
    if any(one.marks for one in judging):
        console.print(_marks(judging))
    if any(one.answers and one.answers.failing for one in judging):
        console.print(_answers(judging))
    if idle := [one.verifier for one in found.verifiers if not one.solutions]:
        console.print(f"made for none of these problems: {', '.join(idle)}", highlight=False, soft_wrap=True)
    for reason, count in found.rejects.items():
        console.print(Text(f"{count:,} refused: {reason}, the first: {found.first_rejects[reason]}"), soft_wrap=True)
    if found.output:
        kept = f" ({found.kept:,} of them were there)" if found.kept else ""
        console.print(Text(f"dataset: {found.output}, {found.problems:,} problems{kept}"), soft_wrap=True)


def _coverage(found: Verification, heard: Sequence[Coverage]) -> Table:
    table = _table(f"Steps of {_solutions(found)}", "steps", "claims", "decided", "holds", "fails", "unknown")
    for one in heard:
        shares = [_percent(count / one.steps if one.steps else None) for count in (one.claimed, one.decided)]
        unknown = ", ".join(f"{count:,} {reason}" for reason, count in one.unknown.items())
        graded = f"{one.scored:,} graded" if one.scored else ""
        stopped = ", ".join(f"{_counted(count, 'solution')}: {reason}" for reason, count in one.stopped.items())
        table.add_row(
            Text(one.verifier),
            f"{one.steps:,}",
            *shares,
            f"{one.holds:,}",
            f"{one.fails:,}",
            Text(", ".join(filter(None, (unknown, graded, stopped)))),
        )
    table.caption = "claims: steps that assert something that is read; decided: steps that hold or fail"
    return table


def _solutions(found: Verification) -> str:
    if found.references == found.solutions:
        return _counted(found.references, "reference solution")
    counted = _counted(found.solutions, "solution")
    return f"{counted}, of which {_counted(found.references, 'reference solution')}" if found.references else counted


def _counted(count: int, noun: str) -> str:
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def _marks(heard: Sequence[Coverage]) -> Table:
    table = _table("First errors that people marked", "solutions", "precision", "recall", "false alarms", "located")
    for one in heard:
        if one.marks:
            table.add_row(
                Text(one.verifier),
                f"{one.marks.solutions:,}",
                _percent(one.marks.precision),
                f"{_percent(one.marks.recall)} of {one.marks.errors:,}",
                f"{one.marks.false_alarms:,} of {one.marks.right_steps:,}",
                _percent(one.marks.accuracy),
            )
    table.caption = (
        "precision: failing steps that are the marked one, steps behind it left out; false alarms: of steps before it; "
        "located: the first failing step is the marked one, or there is neither"
    )
    return table


def _answers(heard: Sequence[Coverage]) -> Table:
    table = _table("Wrong final answers, by whether a step fails", "solutions", "failing", "precision", "recall")
    for one in heard:
        if one.answers:
            table.add_row(
                Text(one.verifier),
                f"{one.answers.solutions:,}",
                f"{one.answers.failing:,}",
                _percent(one.answers.precision),
                f"{_percent(one.answers.recall)} of {one.answers.wrong:,}",
            )
    return table


def _table(title: str, *columns: str) -> Table:
    table = Table(title=title, title_justify="left", caption_justify="left", box=None, pad_edge=False)
    for name in ("verifier", *columns):
        # In a narrow terminal words break, and numbers do not.
        left, wordy = name in ("verifier", "unknown"), name in ("unknown", "recall", "false alarms")
        table.add_column(name, justify="left" if left else "right", no_wrap=not wordy, overflow="fold")
    return table


def _percent(share: float | None) -> str:
    return "" if share is None else f"{share:.1%}"
