"""Tables for the terminal, and the bank's section of docs/label_quality.md with its plot."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import groupby
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.table import Table

from quality_parts.scoring import Score
from steplabel.pipelines.bank import Bank, count_kinds
from steplabel.schemas import ConfigError, MissingExtra
from steplabel.schemas.bank import SolutionKind

BEGIN: Final = "<!-- outcome bank: written by benchmarks/label_quality.py -->"
END: Final = "<!-- outcome bank: end -->"
HEADINGS: Final = (
    "method",
    "k",
    "F1",
    "95 % interval",
    "exact on erroneous",
    "said clean of clean",
    "calibration error",
    "ranking",
    "rollouts/solution",
    "tokens/solution",
)


def cells(score: Score) -> tuple[str, ...]:
    """One line of the table."""
    return (
        score.method,
        str(score.k),
        f"{score.f1:.3f}",
        f"{score.f1_low:.3f} - {score.f1_high:.3f}",
        f"{score.acc_error:.3f}",
        f"{score.acc_clean:.3f}",
        "" if score.calibration_error is None else f"{score.calibration_error:.3f}",
        "" if score.ranking is None else f"{score.ranking:.3f}",
        f"{score.rollouts:.1f}",
        f"{score.tokens:,.0f}",
    )


def show(scores: Sequence[Score], bank: Bank) -> None:
    """Print the bank's table, narrow enough for a terminal of 80 columns; `--json` has the rest."""
    table = Table(title="First-error F1 on the outcome bank", title_justify="left", box=None, padding=(0, 1, 0, 0))
    for name in ("method", "k", "F1", "interval", "errors", "clean", "rollouts", "tokens"):
        table.add_column(name, justify="left" if name == "method" else "right", no_wrap=True)
    for one in scores:
        table.add_row(
            one.method,
            str(one.k),
            f"{one.f1:.3f}",
            f"{one.f1_low:.2f}-{one.f1_high:.2f}",
            f"{one.acc_error:.2f}",
            f"{one.acc_clean:.2f}",
            f"{one.rollouts:.1f}",
            f"{one.tokens:,.0f}",
        )
    console = Console()
    console.print(table)
    console.print(f"{contents(bank)} errors: located exactly; clean: called clean; costs are for each solution")


def show_live(rows: list[dict[str, float | str | int]], paired: dict[str, float | str]) -> None:
    """Print the live table."""
    table = Table(title="First-error F1 against exact truth, and its cost")
    names = (
        "method",
        "F1",
        "95 % interval",
        "acc. erroneous",
        "acc. clean",
        "rollouts/solution",
        "tokens/solution",
    )
    for name in names:
        table.add_column(name, justify="left" if name == "method" else "right")
    for row in rows:
        table.add_row(
            str(row["method"]),
            f"{row['f1']:.3f}",
            f"{row['f1_low']:.3f} - {row['f1_high']:.3f}",
            f"{row['acc_error']:.3f} of {row['n_error']}",
            f"{row['acc_clean']:.3f} of {row['n_clean']}",
            f"{row['rollouts_per_solution']:.1f}",
            f"{row['tokens_per_solution']:.0f}",
        )
    console = Console()
    console.print(table)
    console.print(
        f"{paired['methods']}: F1 {paired['f1_difference']:+.3f} [{paired['low']:+.3f}, {paired['high']:+.3f}], paired"
    )


def contents(bank: Bank) -> str:
    """What the bank holds, in a sentence."""
    kinds: Counter[SolutionKind] = sum((count_kinds(row) for row in bank.rows), Counter())
    wrong = kinds[SolutionKind.FAILED] + kinds[SolutionKind.LUCKY]
    return (
        f"{len(bank.cases):,} solutions of {len(bank.rows):,} problems, {bank.rollouts} rollouts of each prefix; of "
        f"different text: {kinds[SolutionKind.CLEAN]} clean, {wrong} with a wrong step, "
        f"{kinds[SolutionKind.LUCKY]} of them with a right answer."
    )


def section(scores: Sequence[Score], bank: Bank, *, plot: str) -> str:
    """The Markdown between the markers; `plot` is the picture's path from the document, empty for none."""
    lines = [contents(bank), ""]
    if plot:
        lines += [f"![First-error F1 against tokens for each solution, one curve a method]({plot})", ""]
    lines += [f"| {' | '.join(HEADINGS)} |", "|" + "---|" * len(HEADINGS)]
    lines += [f"| {' | '.join(cells(score))} |" for score in scores]
    return "\n".join(lines)


def write_section(text: str, document: Path) -> None:
    """Put `text` between the document's two markers, and leave the rest as it is.

    Raises:
        ConfigError: the document does not hold each marker once, in this order.
    """
    old = document.read_text(encoding="utf-8")
    before, begin, rest = old.partition(BEGIN)
    inside, end, after = rest.partition(END)
    if not begin or not end or BEGIN in rest or END in before + after:
        raise ConfigError(f"{document} must hold {BEGIN!r} and then {END!r}, once each: the table goes between them")
    del inside
    document.write_text(f"{before}{BEGIN}\n\n{text}\n\n{END}{after}", encoding="utf-8")


def curves(scores: Sequence[Score]) -> Iterator[tuple[str, bool, list[float], list[float]]]:
    """Name, whether it is a baseline, tokens and F1 of each method, by rising cost."""
    for (name, baseline), group in groupby(scores, key=lambda score: (score.method, score.baseline)):
        points = sorted((score.tokens, score.f1) for score in group)
        yield name, baseline, [tokens for tokens, _ in points], [f1 for _, f1 in points]


def write_plot(scores: Sequence[Score], path: Path) -> None:
    """Draw F1 against tokens, one curve a method; other tools' ways of working are dashed.

    Raises:
        MissingExtra: matplotlib is not installed.
    """
    try:
        from matplotlib import rc_context  # noqa: PLC0415 - only this picture needs it
        from matplotlib.figure import Figure  # noqa: PLC0415
    except ModuleNotFoundError as error:
        raise MissingExtra(feature="the plot of label_quality.py", extra="dev") from error
    with rc_context({"svg.hashsalt": "steplabel"}):  # equal figures give equal bytes
        figure = Figure(figsize=(8, 5), layout="constrained")
        axes = figure.subplots()
        for name, baseline, tokens, f1 in curves(scores):
            axes.plot(tokens, f1, marker="o", markersize=4, linestyle="--" if baseline else "-", label=name)
        axes.set_xscale("log")
        axes.set_xlabel("generated tokens for each solution")
        axes.set_ylabel("first-error F1")
        axes.grid(alpha=0.3)
        axes.legend(fontsize="small")
        figure.savefig(path, metadata={"Date": None})
