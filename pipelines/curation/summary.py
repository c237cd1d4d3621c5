"""What came of a curation: counted from the committed files of both datasets, so it can be made at any time after."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from rich.console import Console
from rich.table import Table
from rich.text import Text

from steplabel.labels.curation import error_class
from steplabel.pipelines.curation.steps import STAGE
from steplabel.pipelines.curation.writing import Curation
from steplabel.schemas import NothingLabelled
from steplabel.transforms.dataset import OutputFolder
from steplabel.transforms.io import count_tuples, count_values


@dataclass(frozen=True, slots=True, kw_only=True)
class StepDrops:
    """What one step dropped: rows by reason, those of most rows first."""

    step: str
    dropped: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RowCounts:
    """Labelled solutions and their steps; `unknown` ones have no known first error."""

    rows: int
    steps: int
    erroneous: int
    clean: int
    unknown: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CurationSummary:
    """What a curation made of a dataset.

    Attributes:
        share_kept: rows after / rows before; None of no rows.
        steps: in the order in which they were applied.
    """

    source: str
    output: str
    before: RowCounts
    after: RowCounts
    share_kept: float | None
    steps: tuple[StepDrops, ...]
    notes: tuple[str, ...]


def summarise(
    source: OutputFolder, target: OutputFolder, how: Curation, notes: tuple[str, ...] = ()
) -> CurationSummary:
    """Compare both datasets."""
    before, after = _count(source), _count(target)
    # The source may be curated itself: what was dropped then is not dropped now.
    now = _drops(target) - _drops(source)
    return CurationSummary(
        source=source.path,
        output=target.path,
        before=before,
        after=after,
        share_kept=after.rows / before.rows if before.rows else None,
        steps=tuple(
            StepDrops(
                step=step.name,
                dropped=tuple((why, n) for (stage, why), n in now.most_common() if stage == f"{STAGE}.{step.name}"),
            )
            for step in how.steps
        ),
        notes=notes,
    )


def require_rows(summary: CurationSummary) -> None:
    """Raise NothingLabelled if no solution is left, and say which step dropped how many."""
    if not summary.after.rows:
        drops = (f"{step.step} dropped {sum(n for _, n in step.dropped):,}" for step in summary.steps if step.dropped)
        why = ", ".join(drops) or f"{summary.source} holds none"
        raise NothingLabelled(f"no labelled solution is left: {why}. Reasons: {summary.output}/rejects")


def print_summary(console: Console, summary: CurationSummary) -> None:
    """The summary, a line for each step."""
    before, after = summary.before, summary.after
    table = Table(show_header=False, box=None, padding=(0, 2))
    for step in summary.steps:
        told = ", ".join(f"{n:,} {reason}" for reason, n in step.dropped)
        table.add_row(step.step, Text(f"drops {told}" if told else "drops nothing"))
    share = "" if summary.share_kept is None else f" ({summary.share_kept:.1%} kept)"
    table.add_row("solutions", f"{before.rows:,} -> {after.rows:,}{share}")
    for name in ("erroneous", "clean", "unknown"):
        counts = getattr(before, name), getattr(after, name)
        if any(counts):
            table.add_row(f"  {name}", f"{counts[0]:,} -> {counts[1]:,}")
    table.add_row("steps", f"{before.steps:,} -> {after.steps:,}")
    console.print(table)
    console.print(Text(f"dataset: {summary.output}"), soft_wrap=True)


def _count(folder: OutputFolder) -> RowCounts:
    files = folder.paths("labels")
    classes: Counter[str | None] = Counter()
    for (first_error,), count in count_tuples(files, "first_error").items():
        classes[error_class(first_error)] += count
    return RowCounts(
        rows=classes.total(),
        steps=count_values(files, "labels").total(),
        erroneous=classes["erroneous"],
        clean=classes["clean"],
        unknown=classes[None],
    )


def _drops(folder: OutputFolder) -> Counter[tuple[str, str]]:
    counts = count_tuples(folder.paths("rejects"), "stage", "reason")
    return Counter({(stage, reason): n for (stage, reason), n in counts.items()})
