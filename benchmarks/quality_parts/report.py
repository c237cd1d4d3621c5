"""Tables for the terminal, narrow enough for 80 columns; `--json` and the document have the rest."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rich.console import Console
from rich.table import Table

from quality_parts.agreement import AgreementReport
from quality_parts.live import LiveReport
from quality_parts.noise import NoiseReport
from quality_parts.scoring import Score
from quality_parts.tables import contents, interval, number, percent
from steplabel.pipelines.bank import Bank


def show(scores: Sequence[Score], bank: Bank) -> None:
    """Print the methods' table."""
    _print(
        "First-error F1 on the outcome bank",
        ("method", "k", "F1", "interval", "errors", "clean", "rollouts", "tokens"),
        (
            (
                one.method,
                str(one.k),
                number(one.f1),
                interval(one.f1_low, one.f1_high),
                number(one.acc_error),
                number(one.acc_clean),
                f"{one.rollouts:.1f}",
                f"{one.tokens:,.0f}",
            )
            for one in scores
        ),
    )
    Console().print(f"{contents(bank)} errors: located exactly; clean: called clean; costs are for each solution")


def show_noise(report: NoiseReport) -> None:
    """Print what is wrong with labels before and after denoising."""
    _print(
        "Noise of labels",
        ("labels", "split", "kept", "locations", "steps", "soft"),
        (
            (
                one.line,
                str(one.split),
                percent(one.kept),
                number(one.whole.locations),
                number(one.whole.marks),
                number(one.whole.distance),
            )
            for one in report.lines
        ),
    )


def show_agreement(report: AgreementReport) -> None:
    """Print what consensus keeps."""
    _print(
        "Consensus on location",
        ("sources that agree", "kept", "on all", "agreed", "selection", "agreement"),
        (
            (
                " + ".join(one.sources),
                percent(one.share),
                number(max(one.on_all)),
                number(one.agreed.f1),
                f"{one.selection:+.3f}",
                f"{one.agreement.difference:+.3f}",
            )
            for one in report.kept
        ),
    )


def show_live(report: LiveReport) -> None:
    """Print the recipes' table."""
    _print(
        "First-error F1 against exact truth, and its cost",
        ("recipe", "F1", "interval", "errors", "clean", "rollouts", "tokens"),
        (
            (
                row.method,
                number(row.f1),
                interval(row.f1_low, row.f1_high),
                f"{number(row.acc_error)} of {row.n_error}",
                f"{number(row.acc_clean)} of {row.n_clean}",
                f"{row.rollouts_per_solution:.1f}",
                f"{row.tokens_per_solution:,.0f}",
            )
            for row in report.rows
        ),
    )
    if (pair := report.paired) is not None:
        Console().print(f"{pair.methods}: F1 {pair.f1_difference:+.3f} [{pair.low:+.3f}, {pair.high:+.3f}], paired")


def _print(title: str, headings: Sequence[str], rows: Iterable[Iterable[str]]) -> None:
    table = Table(title=title, title_justify="left", box=None, padding=(0, 1, 0, 0))
    for i, name in enumerate(headings):
        table.add_column(name, justify="right" if i else "left", no_wrap=bool(i))
    for row in rows:
        table.add_row(*row)
    Console().print(table)
