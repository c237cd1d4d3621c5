"""`steplabel store`: look into a rollout store, check it, clean it, publish what it holds and take in what others did.

A store is named by its file, or by the output folder of a run that keeps its own.
"""

from __future__ import annotations

import shlex
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Final

import typer
from rich.filesize import decimal
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Column, Table

from steplabel.engines.store.gc import GcReport, GcSelection, collect_garbage
from steplabel.engines.store.stats import ModelStats, RunStats, StoreStats, store_stats
from steplabel.engines.store.verify import Verification, remove_damaged, verify
from steplabel.pipelines.terminal import err, out, print_json
from steplabel.schemas import ConfigError, DataError, StoreError

store_app = typer.Typer(
    help="Look into a rollout store, check it, clean it, publish its rollouts, take in others'.",
    no_args_is_help=True,
    rich_markup_mode="rich",
)
BAR_SECONDS: Final = 2.0  # what takes longer shows how far it is

StorePlace = Annotated[str, typer.Argument(help="SQLite file, or output folder of a run.", metavar="STORE")]


@store_app.command(epilog="Example:\n\nsteplabel store stats labelled")
def stats(
    store: StorePlace,
    json_: Annotated[bool, typer.Option("--json", help="Print JSON instead of tables.")] = False,
) -> None:
    """Count what is in it: by model, and what each run asked and cost."""
    with _shown("counting"):
        found = store_stats(_store(store))
    if json_:
        print_json(found)
        return
    _print_pairs(_stats_rows(found))
    if found.models:
        out.print(_model_table(found.models))
    if found.runs:
        out.print(_run_table(found.runs))


@store_app.command("verify", epilog="Example:\n\nsteplabel store verify labelled --remove-damaged")
def verify_(
    store: StorePlace,
    remove: Annotated[
        bool, typer.Option("--remove-damaged", help="Take damaged rollouts away: they are asked for again.")
    ] = False,
) -> None:
    """Read every rollout and compare it with its checksum, and the file with what SQLite expects of it."""
    check = remove_damaged if remove else verify
    with _shown("checking") as bar:
        found = check(_store(store), bar.to)
    _print_pairs(_verification_rows(found))
    for line in (*found.told, *found.structure):
        out.print(escape(line), highlight=False, soft_wrap=True)
    if found.damaged > len(found.told):
        out.print(f"... and {found.damaged - len(found.told):,} more", highlight=False)
    if not found.sound:
        raise StoreError(f"{store}: {_what_to_do(found, store)}")


@store_app.command(
    epilog="Examples:\n\nsteplabel store gc shared.sqlite --drop-run old-output --dry-run\n\n"
    "steplabel store gc shared.sqlite --keep-run labelled --keep-run labelled-2"
)
def gc(
    store: StorePlace,
    keep_run: Annotated[
        list[str] | None,
        typer.Option(help="Run id, or output folder: remove what none of the kept runs used.", metavar="RUN"),
    ] = None,
    drop_run: Annotated[
        list[str] | None, typer.Option(help="Run id, or output folder: remove what only it used.", metavar="RUN")
    ] = None,
    model: Annotated[list[str] | None, typer.Option(help="Remove this model's rollouts; id or name.")] = None,
    unattributed: Annotated[
        bool, typer.Option("--unattributed", help="Remove rollouts of version 1 that nobody asked for since.")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be removed.")] = False,
) -> None:
    """Remove rollouts that are no longer wanted, and give the space back. No run may be at work on the store."""
    selection = GcSelection(
        keep_runs=tuple(map(_run_id, keep_run or ())),
        drop_runs=tuple(map(_run_id, drop_run or ())),
        models=tuple(model or ()),
        unattributed=unattributed,
    )
    with _shown("cleaning"):
        report = collect_garbage(_store(store), selection, dry_run=dry_run)
    if selection == GcSelection():
        out.print("nothing was selected: only what hangs in the air goes (see --keep-run, --drop-run, --model)")
    _print_pairs(_gc_rows(report, dry_run=dry_run))


@store_app.command("export", epilog="Example:\n\nsteplabel store export labelled rollouts.parquet --run labelled")
def export_(
    store: StorePlace,
    output: Annotated[str, typer.Argument(help="Parquet file to write.", metavar="OUTPUT.parquet")],
    run: Annotated[str | None, typer.Option(help="Only what this run used: run id, or output folder.")] = None,
) -> None:
    """Write the rollouts, with the requests they answer, as one Parquet file."""
    from steplabel.transforms.rollout_files import export_store  # noqa: PLC0415 - takes seconds to import

    run_id = None if run is None else _run_id(run)
    with _shown("writing") as bar:
        report = export_store(_store(store), output, run_id=run_id, tick=bar.to)
    out.print(f"{report.written:,} rollouts written to {escape(output)}", highlight=False, soft_wrap=True)
    for line in report.told:
        out.print(f"left out: {escape(line)}", highlight=False, soft_wrap=True)
    if report.unreadable:
        raise StoreError(f"{store}: {report.unreadable:,} damaged places were left out, see `steplabel store verify`")


@store_app.command("import", epilog="Example:\n\nsteplabel store import rollouts.parquet shared.sqlite")
def import_(
    file: Annotated[str, typer.Argument(help="What `store export` wrote, or a folder of such files.")],
    store: StorePlace,
) -> None:
    """Put rollouts into a store, new or not. Those it has already stay as they are."""
    from steplabel.transforms.rollout_files import import_file  # noqa: PLC0415 - takes seconds to import

    with _shown("reading") as bar:
        report = import_file(file, _store(store, new=True), tick=bar.to)
    _print_pairs(
        [
            ("new", f"{report.new:,}"),
            ("already there", f"{report.already_there:,}"),
            ("refused", f"{report.refused:,}"),
        ]
    )
    for line in report.told:
        out.print(f"refused: {escape(line)}", highlight=False, soft_wrap=True)
    if report.refused:
        raise DataError(f"{file}: {report.refused:,} rows are no rollouts; all others are in the store")


def _store(text: str, *, new: bool = False) -> Path:
    path = Path(text)
    if path.is_dir():
        from steplabel.pipelines.worksite import STORE_NAME  # noqa: PLC0415 - takes seconds to import
        from steplabel.transforms.dataset import PRIVATE  # noqa: PLC0415

        path = path / PRIVATE / STORE_NAME
        if not path.exists():
            raise ConfigError(f"{text!r} holds no rollout store of its own: name the file that its --store named")
    if not new and not path.exists():
        raise ConfigError(f"there is no rollout store at {text!r}")
    return path


def _run_id(text: str) -> str:
    """A run's id in stores: as it is, or told by the run's output folder."""
    if not Path(text).is_dir():
        return text
    from steplabel.transforms.dataset import OutputFolder  # noqa: PLC0415 - takes seconds to import

    return OutputFolder(text).require_manifest().account


class _Bar:
    """How far something is; shown once it has taken a while."""

    def __init__(self, progress: Progress, task: TaskID) -> None:
        self._progress, self._task = progress, task

    def to(self, done: int, total: int | None = None) -> None:
        """So many are done, of so many where that is known."""
        self._progress.update(self._task, completed=done, total=total)


@contextmanager
def _shown(what: str) -> Iterator[_Bar]:
    columns = (TextColumn("{task.description}"), BarColumn(bar_width=20), MofNCompleteColumn(), TimeElapsedColumn())
    progress = Progress(*columns, console=err, transient=True, disable=not err.is_terminal)
    late = threading.Timer(BAR_SECONDS, progress.start)
    late.daemon = True
    late.start()
    try:
        yield _Bar(progress, progress.add_task(what, total=None))
    finally:
        late.cancel()
        late.join()
        progress.stop()


def _stats_rows(found: StoreStats) -> list[tuple[str, str]]:
    rows = [
        ("store", found.path),
        ("file", f"{decimal(found.bytes)}, version {found.version}"),
        ("rollouts", f"{found.rollouts:,}"),
        ("requests", f"{found.requests:,}"),
    ]
    if found.unattributed:
        rows.append(
            ("of unknown request", f"{found.unattributed:,}, stored by version 1 and not asked for since: still served")
        )
    return [*rows, ("damage", f"not looked for: steplabel store verify {shlex.quote(found.path)}")]


def _model_table(models: tuple[ModelStats, ...]) -> Table:
    name = Column("model", no_wrap=True)  # whole, so that it can be given to `gc`
    table = Table(name, "licence", "requests", "rollouts", "tokens", "ended by", box=None, header_style="dim")
    for found in models:
        reasons = ", ".join(f"{reason} {count:,}" for reason, count in found.finish_reasons.items())
        counts = (found.requests, found.rollouts, found.completion_tokens)
        table.add_row(
            escape(found.model) or "[dim]not known[/]", escape(found.licence), *(f"{n:,}" for n in counts), reasons
        )
    return table


def _run_table(runs: tuple[RunStats, ...]) -> Table:
    name = Column("run", no_wrap=True)
    counted = ("requests", "drawn", "from the store", "prompt tokens", "cached", "tokens", "cost")
    table = Table(name, *counted, box=None, header_style="dim")
    for run in runs:
        usage = run.usage
        counts = (
            run.requests_used,
            usage.engine_samples,
            usage.stored_samples,
            usage.prompt_tokens,
            usage.cached_tokens,
            usage.completion_tokens,
        )
        table.add_row(escape(run.run_id) or "[dim]without id[/]", *(f"{n:,}" for n in counts), f"{usage.cost:,.4g}")
    return table


def _verification_rows(found: Verification) -> list[tuple[str, str]]:
    rows = [("intact", f"{found.intact:,} rollouts"), ("damaged", f"{found.damaged:,}")]
    return [*rows, ("removed", f"{found.removed:,}")] if found.removed else rows


def _what_to_do(found: Verification, store: str) -> str:
    if found.structure:
        return (
            "the file's structure is damaged: try --remove-damaged. If that cannot mend it, `steplabel store export "
            f"{shlex.quote(store)} saved.parquet` writes all that can be read, and `steplabel store import "
            "saved.parquet NEW` makes a store of it"
        )
    left = found.damaged - found.removed
    return f"{left:,} damaged: with --remove-damaged they are removed, and asked for again when a run needs them"


def _gc_rows(report: GcReport, *, dry_run: bool) -> list[tuple[str, str]]:
    counts = {
        "rollouts": report.rollouts,
        "requests": report.requests,
        "uses of requests by runs": report.uses,
        "counts of runs": report.usage,
        "finished units": report.finished,
    }
    rows = [(name, f"{count:,} {'would go' if dry_run else 'removed'}") for name, count in counts.items()]
    return rows if dry_run else [*rows, ("file", f"{decimal(report.bytes)} smaller")]


def _print_pairs(rows: list[tuple[str, str]]) -> None:
    table = Table(show_header=False, box=None, padding=(0, 2))
    for name, value in rows:
        table.add_row(name, escape(value))
    out.print(table)
