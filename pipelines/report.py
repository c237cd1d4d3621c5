"""What a run came to: counted from the committed files, so it can be made at any time after."""

from __future__ import annotations

import shlex
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from rich.console import Console
from rich.table import Table
from rich.text import Text

from steplabel.pipelines.run import RunResult
from steplabel.schemas import NothingLabelled, Outcome, StepMark
from steplabel.transforms.dataset import OutputFolder
from steplabel.transforms.io import count_tuples, count_values
from steplabel.transforms.verify import STAGE as VERIFY_STAGE

MARK_NAMES = {StepMark.POSITIVE: "right", StepMark.NEGATIVE: "wrong", StepMark.UNKNOWN: "unknown"}


@dataclass(frozen=True, slots=True, kw_only=True)
class DatasetCounts:
    """Rows and marks of a dataset.

    Attributes:
        rows: by table.
        marks: labelled steps by hard label.
        by_outcome: labelled solutions whose labels rest on their right final answer alone.
        rejects: what was left out, by reason.
        silenced: questions to verifiers that raised; what they were asked about is not left out.
    """

    rows: Mapping[str, int]
    marks: Mapping[str, int]
    by_outcome: int
    rejects: Mapping[str, int]
    silenced: int = 0

    @property
    def decided(self) -> int:
        """Steps labelled + or -."""
        return sum(n for mark, n in self.marks.items() if mark != StepMark.UNKNOWN)


def count_dataset(folder: OutputFolder) -> DatasetCounts:
    """Count a dataset, one column at a time."""
    manifest = folder.require_manifest()

    def column(table: str, name: str) -> Counter[object]:
        return count_values([folder.join(f.path) for f in manifest.files(table)], name)

    rejects: Counter[str] = Counter()
    silenced = 0
    for (stage, reason), n in count_tuples(folder.paths("rejects"), "stage", "reason").items():
        if stage == VERIFY_STAGE:
            silenced += n
        else:
            rejects[str(reason)] += n
    sources = count_tuples([folder.join(f.path) for f in manifest.files("labels")], "label_sources", "outcome")
    return DatasetCounts(
        rows=manifest.rows(),
        marks={str(mark): n for mark, n in sorted(column("labels", "labels").items(), key=str)},
        by_outcome=sources[("outcome",), Outcome.CORRECT],
        rejects=dict(rejects.most_common()),
        silenced=silenced,
    )


def require_labels(folder: OutputFolder, counts: DatasetCounts) -> None:
    """Raise NothingLabelled if there is no row to train on, and say where the input went."""
    if counts.rows["labels"]:
        return
    details = [detail for (detail,), _ in count_tuples(folder.paths("rejects"), "detail").most_common(1)]
    reasons = [f"{n} {reason}" for reason, n in counts.rejects.items()]
    raised = [f"verifiers raised {counts.silenced} times"] * bool(counts.silenced)
    nothing = "no evidence decides a step" if counts.rows["solutions"] else "the input holds no row"
    why = ", ".join(reasons + raised) or nothing
    most = f" (most often: {details[0]})" if details else ""
    raise NothingLabelled(f"no solution was labelled: {why}{most}. All of them: {folder.join('rejects')}")


def print_counts(console: Console, folder: OutputFolder, counts: DatasetCounts) -> None:
    """What a dataset holds."""
    _print(console, _count_rows(counts))
    console.print(Text(f"dataset: {folder.path}"), soft_wrap=True)


def print_summary(console: Console, result: RunResult, counts: DatasetCounts) -> None:
    """What a run came to and what it cost."""
    usage = result.usage
    tokens = usage.completion_tokens
    cost = [
        ("model", f"{usage.engine_requests:,} requests, {usage.engine_samples:,} samples, {tokens:,} tokens"),
        ("from the store", f"{usage.stored_samples:,} samples"),
        ("wall", f"{result.seconds:,.1f} s"),
    ]
    if usage.cached_tokens:
        share = usage.cached_tokens / usage.prompt_tokens
        cost.append(("prompt tokens", f"{usage.prompt_tokens:,}, {share:.0%} of them cached"))
    if usage.cost:
        cost.append(("cost", f"{usage.cost:,.2f}" if usage.cost >= 1 else f"{usage.cost:.2g}"))
    if counts.decided:
        cost.append(("tokens per labelled step", f"{tokens / counts.decided:,.1f}"))
    _print(console, _count_rows(counts) + cost)


def print_next(console: Console, result: RunResult) -> None:
    """What to type next."""
    path = result.folder.path
    if not result.complete:
        console.print("[yellow]not complete:[/] the same command goes on (raise the budget if one was set)")
    lines = (
        f"dataset: {path}",
        f"look:    steplabel inspect {shlex.quote(path)}",
        f'load:    datasets.load_dataset("{path}", split="train")',
    )
    for line in lines:
        console.print(Text(line), soft_wrap=True)


def _count_rows(counts: DatasetCounts) -> list[tuple[str, str]]:
    marks = ", ".join(f"{n:,} {MARK_NAMES.get(StepMark(m), m)}" for m, n in counts.marks.items())
    rows = counts.rows
    raised = [("verifiers raised", f"{counts.silenced:,} times, see rejects of stage {VERIFY_STAGE}")]
    return [
        ("problems", f"{rows['problems']:,}"),
        (
            "solutions",
            f"{rows['solutions']:,}, labelled {rows['labels']:,} ({counts.by_outcome:,} by outcome alone)",
        ),
        ("steps", marks or "none"),
        ("rollouts kept", f"{rows['rollouts']:,}"),
        ("left out", ", ".join(f"{n:,} {reason}" for reason, n in counts.rejects.items()) or "nothing"),
        *(raised if counts.silenced else ()),
    ]


def _print(console: Console, rows: list[tuple[str, str]]) -> None:
    table = Table(show_header=False, box=None, padding=(0, 2))
    for row in rows:
        table.add_row(*map(Text, row))
    console.print(table)
