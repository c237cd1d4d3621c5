"""Look at the labels of runs: `inspect`, `diagnose`, `evaluate`; and `export` them."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.markup import escape

from steplabel.pipelines.terminal import RunFolder, choice, err, out, print_json, run_folder
from steplabel.schemas import ConfigError

look_app = typer.Typer(rich_markup_mode="rich")
"""Commands of `steplabel` itself: `cli.py` takes them in."""


@look_app.command(
    epilog="Examples:\n\nsteplabel diagnose labelled\n\nsteplabel diagnose labelled --against exact\n\n"
    "steplabel diagnose labelled --against other-run --json"
)
def diagnose(
    run_: RunFolder,
    against: Annotated[
        str, typer.Option(help="`exact` for generated problems, another dataset, or a file of ProcessBench rows.")
    ] = "",
    eta: Annotated[float, typer.Option(help="Clip: what a step is worth before it is paid for.")] = 0.5,
    json_: Annotated[bool, typer.Option("--json", help="Print JSON instead of tables.")] = False,
) -> None:
    """Repeated and useless steps, and noise of the first error against a reference, by number of steps."""
    from steplabel.pipelines import diagnosis

    with err.status("looking at the labels"):
        found = diagnosis.diagnose(run_folder(run_), against, eta=eta)
    if json_:
        print_json(found)
    else:
        diagnosis.print_diagnosis(out, found)


@look_app.command(
    epilog="Examples:\n\nsteplabel inspect labelled --errors\n\nsteplabel inspect labelled -n 1 --problem gsm8k-0"
)
def inspect(
    run_: RunFolder,
    problem: Annotated[str | None, typer.Option(help="Only solutions of this problem id.")] = None,
    errors: Annotated[bool, typer.Option("--errors", help="Only solutions with a located error.")] = False,
    limit: Annotated[int, typer.Option("-n", "--limit", help="How many solutions.")] = 3,
) -> None:
    """Show labelled solutions, each step in the colour of its label, with its evidence."""
    from steplabel.pipelines.inspection import chosen_rows, print_row

    shown = 0
    for row in chosen_rows(run_folder(run_), problem=problem, errors_only=errors, limit=limit):
        print_row(out, row)
        shown += 1
    if not shown:
        raise ConfigError(f"no labelled solution in {run_!r} fits: try without --problem and --errors")


@look_app.command(
    epilog="Examples:\n\nsteplabel export labelled --layout trl --output train.jsonl\n\n"
    "steplabel export tree --layout value_pairs --min-margin 0.25 --output pairs.parquet"
)
def export(
    run_: RunFolder,
    output: Annotated[str, typer.Option(help="File to write: .jsonl or .parquet.")],
    layout: Annotated[
        str,
        typer.Option(
            "--layout",
            "--format",
            help="trl | pairs (Step-DPO) | value_pairs (Step-Q) | refinements (GLoRe) | prefixes (InT) | "
            "last_steps (FoVer)",
        ),
    ] = "trl",
    min_margin: Annotated[float, typer.Option(help="value_pairs: least difference of the two values.")] = 0.0,
    limit: Annotated[int, typer.Option(help="refinements, prefixes: most rows a solution.")] = 1,
    seed: Annotated[int, typer.Option(help="refinements, prefixes, last_steps: which ones are drawn.")] = 0,
) -> None:
    """Write the labels in the layout of a training library, or what follows from labels and evidence for others."""
    from rich.progress import track

    from steplabel.pipelines.exporting import EXPORTERS, export_dataset
    from steplabel.pipelines.training_rows.layout import ExportOptions

    chosen = choice(layout, tuple(EXPORTERS), "--layout")
    options = ExportOptions(min_margin=min_margin, limit=limit, seed=seed)
    folder = run_folder(run_)
    chunks = track(folder.require_manifest().chunks, description="export", console=err)
    exported = export_dataset(folder, chosen, output, options, chunks=chunks)
    out.print(f"{exported.written:,} rows written to {escape(output)}", highlight=False, soft_wrap=True)
    for (kind, reason), count in sorted(exported.refused.items(), key=lambda item: -item[1]):
        out.print(f"{count:,} {kind}{'s' if count > 1 else ''} left out: {reason}", highlight=False)


@look_app.command(
    epilog="Examples:\n\nsteplabel evaluate demo/omegaprm_locate demo/math_shepherd --gold exact\n\n"
    "steplabel evaluate labelled --gold processbench/gsm8k.json"
)
def evaluate(
    runs: Annotated[list[str], typer.Argument(help="Output folders of runs.", metavar="RUN...")],
    gold: Annotated[
        str, typer.Option(help="`exact` for generated problems, or a file of ProcessBench rows.")
    ] = "exact",
    json_: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False,
) -> None:
    """First-error F1 (ProcessBench's definition) of labelled runs, with intervals and cost."""
    from steplabel.pipelines import evaluation

    truth = evaluation.exact_truth() if gold == "exact" else evaluation.gold_truth(gold)
    found = [evaluation.evaluate(run_folder(path), truth) for path in runs]
    if json_:
        print_json(found)
        return
    out.print(evaluation.table(found))
