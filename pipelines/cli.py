"""The command line. Texts become objects here and nowhere else; every command is a few lines over a function.

Heavy imports (Beam, torch) happen inside the commands, so that `--help` answers at once.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from inspect import getdoc
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NamedTuple

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from steplabel.pipelines.store_commands import store_app
from steplabel.pipelines.verification.command import EPILOG as VERIFY_EXAMPLES
from steplabel.pipelines.verification.command import LAYOUTS, verify
from steplabel.schemas import (
    BudgetExhausted,
    ConfigError,
    DataError,
    EngineError,
    Reason,
    SteplabelError,
    StoreError,
)
from steplabel.version import __version__

if TYPE_CHECKING:
    from steplabel.transforms.dataset import OutputFolder

app = typer.Typer(
    name="steplabel",
    help="Step-level labels for process reward models: evidence is kept, labels are derived.",
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    add_completion=False,
)
app.add_typer(store_app, name="store")
app.command(epilog=VERIFY_EXAMPLES)(verify)
out = Console()
err = Console(stderr=True)

EXIT_CODES: dict[type[SteplabelError], int] = {
    ConfigError: 2,
    DataError: 3,
    EngineError: 4,
    StoreError: 5,
    BudgetExhausted: 6,
}
INTERRUPTED = 130

RunFolder = Annotated[str, typer.Argument(help="Output folder of a run.", metavar="RUN")]


def _version(wanted: bool) -> None:
    if wanted:
        out.print(f"steplabel {__version__}", highlight=False)
        raise typer.Exit


@app.callback()
def root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    """Step-level labels for process reward models: evidence is kept, labels are derived."""


@app.command(
    epilog="Examples:\n\n"
    "steplabel run omegaprm_locate --input problems.jsonl --output labelled\n\n"
    "steplabel run math_shepherd --input gsm8k.jsonl --output out --engine transformers:Qwen/Qwen2.5-0.5B-Instruct "
    "--set annotator.k=16 --max-tokens 2000000"
)
def run(
    recipe: Annotated[str, typer.Argument(help="Name of a recipe; `steplabel recipes` lists them.")],
    input_: Annotated[str, typer.Option("--input", help="JSONL, JSON or Parquet file, or a folder of them.")],
    output: Annotated[str, typer.Option(help="Folder for the dataset; the same command goes on in it.")],
    engine: Annotated[
        str,
        typer.Option(
            help="bundled | transformers:MODEL | vllm:MODEL | openai:URL\\[#MODEL] | scripted:MODULE:FUNCTION"
        ),
    ] = "bundled",
    engine_set: Annotated[
        list[str] | None,
        typer.Option("--engine-set", help="field=value of the engine, as `recipes NAME` shows under policy."),
    ] = None,
    completer: Annotated[
        str, typer.Option(help="Another engine to continue prefixes (PAV's prover) \\[default: the same].")
    ] = "",
    completer_set: Annotated[
        list[str] | None, typer.Option("--completer-set", help="As --engine-set, of the completer.")
    ] = None,
    layout: Annotated[str, typer.Option(help=" | ".join(LAYOUTS))] = "auto",
    limit: Annotated[int | None, typer.Option(help="Only so many rows from the input's start.")] = None,
    set_: Annotated[
        list[str] | None, typer.Option("--set", help="path.to.field=value, as `recipes NAME` shows.")
    ] = None,
    verify_by: Annotated[
        list[str] | None,
        typer.Option("--verify", help="Verifier that judges the steps, too, as `verify` names it. May be repeated."),
    ] = None,
    seed: Annotated[int, typer.Option(help="All random draws derive from it.")] = 0,
    max_tokens: Annotated[int | None, typer.Option(help="Stop cleanly after so many generated tokens.")] = None,
    max_requests: Annotated[int | None, typer.Option(help="Stop cleanly after so many model requests.")] = None,
    chunk: Annotated[int, typer.Option(help="Problems in one commit.")] = 1000,
    store: Annotated[
        str, typer.Option(help="Rollout store to share between runs \\[default: in the output folder].")
    ] = "",
    workers: Annotated[int, typer.Option(help="Worker processes, each with its own engine.")] = 1,
    runner: Annotated[str, typer.Option(help="local | retrying | external")] = "local",
    shard_tokens: Annotated[
        int | None, typer.Option(help="Most tokens in one shard, the unit of retry \\[default: one shard a worker].")
    ] = None,
    max_reject_share: Annotated[float, typer.Option(help="Fail if more of the input rows are refused.")] = 0.9,
    redact: Annotated[
        str, typer.Option(help="Function that hides in texts what must not be stored: module:function.")
    ] = "",
) -> None:
    """Sample solutions, gather evidence about every step, derive labels, write a dataset.

    Killed or out of budget, the same command goes on where it stopped and pays for nothing twice.
    """
    from steplabel.pipelines import report
    from steplabel.pipelines.run import run as label
    from steplabel.pipelines.runner import RunnerChoice, RunnerKind
    from steplabel.pipelines.worksite import RunOptions
    from steplabel.verifiers.registry import verifier_named

    options = RunOptions(
        input=input_,
        output=output,
        layout=_choice(layout, LAYOUTS, "--layout"),
        limit=limit,
        chunk=chunk,
        store=store,
        runner=RunnerChoice(kind=RunnerKind(_choice(runner, tuple(RunnerKind), "--runner")), workers=workers),
        max_tokens=max_tokens,
        max_requests=max_requests,
        shard_tokens=shard_tokens,
        max_reject_share=max_reject_share,
        redact=redact,
    )
    models = _Models(engine, engine_set or [], completer, completer_set or [])
    chosen = _recipe(recipe, models, [f"seed={seed}", *(set_ or [])])
    chosen = replace(chosen, verifiers=(*chosen.verifiers, *map(verifier_named, verify_by or ())))
    result = label(chosen, options, err)
    counts = report.count_dataset(result.folder)
    report.print_summary(out, result, counts)
    report.require_labels(result.folder, counts)
    report.print_next(out, result)
    if Reason.ENGINE_ERROR in counts.rejects:
        raise EngineError(f"{counts.rejects[Reason.ENGINE_ERROR]} requests failed: the same command asks them again")


@app.command()
def recipes(
    name: Annotated[str | None, typer.Argument(help="Show this one's whole configuration.")] = None,
    engine: Annotated[str, typer.Option(help="As in `run`.")] = "bundled",
    engine_set: Annotated[list[str] | None, typer.Option("--engine-set", help="As in `run`.")] = None,
    problems: Annotated[int, typer.Option(min=1, help="Problems to estimate the cost of.")] = 1000,
    steps: Annotated[int, typer.Option(min=1, help="Steps of a usual solution.")] = 8,
) -> None:
    """List the recipes and what they cost at most, or show one with every field that `--set` can change.

    The cost is a bound: so many samples if every problem is worth them and no search ends early.
    """
    from steplabel.pipelines.recipe import field_paths
    from steplabel.pipelines.recipes import RECIPES

    models = _Models(engine, engine_set or [])
    if name is None:
        table = Table("recipe", f"samples at most ({problems:,} problems of {steps} steps)", "what it reproduces")
        table.box, table.header_style = None, "dim"
        table.columns[1].justify = "right"
        for recipe in RECIPES:
            most = problems * _recipe(recipe, models, []).most_samples(steps)
            table.add_row(recipe, f"{most:,}", (getdoc(RECIPES[recipe]) or "").splitlines()[0])
        out.print(table)
        return
    table = Table("--set path", "value", box=None, header_style="dim")
    for path, value in field_paths(_recipe(name, models, [])):
        table.add_row(path, escape(repr(value)))
    out.print(escape(getdoc(RECIPES[name]) or ""))
    out.print(table)


@app.command(epilog="Example:\n\nsteplabel relabel labelled --policy soft --output labelled-soft")
def relabel(
    run_: RunFolder,
    output: Annotated[str, typer.Option(help="Folder for the new dataset.")],
    policy: Annotated[str, typer.Option(help="Label policy: hard | soft | hard_gated | soft_gated | ...")],
    set_: Annotated[list[str] | None, typer.Option("--set", help="field=value of the policy.")] = None,
    recheck: Annotated[bool, typer.Option(help="Judge every stored answer again with today's checker.")] = False,
) -> None:
    """Derive other labels from the evidence of a run: no model, no tokens."""
    from rich.progress import track

    from steplabel.labels.policies import POLICIES
    from steplabel.pipelines import report
    from steplabel.pipelines.overrides import apply_overrides
    from steplabel.pipelines.relabelling import Relabelling
    from steplabel.pipelines.relabelling import relabel as derive
    from steplabel.verifiers import AnswerChecker

    chosen = apply_overrides(POLICIES[_choice(policy, tuple(POLICIES), "--policy")], set_ or [])
    how = Relabelling(policy=chosen, checker=AnswerChecker() if recheck else None)
    source, target = _folder(run_), _folder(output)
    total = len(source.require_manifest().chunks)
    for _ in track(derive(source, target, how), total=total, description="relabel", console=err):
        pass
    counts = report.count_dataset(target)
    report.print_counts(out, target, counts)
    report.require_labels(target, counts)


@app.command(
    epilog="Examples:\n\n"
    "steplabel curate mc --agree located --output agreed\n\n"
    "steplabel curate mc --source arithmetic --rule uncontradicted --output sound\n\n"
    "steplabel curate mc --contamination math500.jsonl --duplicates exact --balance 1:1 --output train\n\n"
    "steplabel curate groups --prof 4 --output consistent"
)
def curate(
    run_: RunFolder,
    output: Annotated[str, typer.Option(help="Folder for the new dataset; the same command goes on in it.")],
    contamination: Annotated[
        list[str] | None,
        typer.Option(help="Test set (JSONL, JSON, Parquet): drop problems that share 13 words in a row with it."),
    ] = None,
    duplicates: Annotated[str, typer.Option(help="exact | near: keep one of the solutions that say the same.")] = "",
    agree: Annotated[
        list[str] | None,
        typer.Option(help="Another dataset: keep solutions on whose first error both agree. May be repeated."),
    ] = None,
    source: Annotated[
        list[str] | None,
        typer.Option(help="Verifier whose verdicts are in the evidence, to agree with like --agree. May be repeated."),
    ] = None,
    rule: Annotated[
        str,
        typer.Option(
            help="How many must agree: all | uncontradicted (all that know) | majority | a number, this one included."
        ),
    ] = "all",
    prof: Annotated[
        int | None, typer.Option(help="PROF: drop so many of each problem's solutions, the least consistent.")
    ] = None,
    compress: Annotated[
        bool, typer.Option("--compress", help="HNC: merge nodes of each problem's tree and label it anew.")
    ] = False,
    compress_children: Annotated[int, typer.Option(help="--compress: least children of a node that gives one up.")] = 4,
    merge: Annotated[str, typer.Option(help="same-sign | random: join neighbouring steps (TP-GRPO, FoVer).")] = "",
    balance: Annotated[str, typer.Option(help="Erroneous to clean solutions, such as 1:1.")] = "",
    seed: Annotated[int, typer.Option(help="Of the draws of --compress, --merge random and --balance.")] = 0,
    json_: Annotated[bool, typer.Option("--json", help="Print the summary as JSON.")] = False,
) -> None:
    """Make a new dataset of the labels of a run: filtered, merged, balanced. The evidence is copied.

    What is asked for is done in this order: contamination, duplicates, agree, prof, compress, merge, balance. Every
    solution that is dropped is written to `rejects` with its reason.
    """
    from rich.progress import track

    from steplabel.pipelines.curation import options, summary, writing
    from steplabel.schemas.codec import to_json

    asked = options.CurationOptions(
        contamination=tuple(contamination or ()),
        duplicates=duplicates and _choice(duplicates, ("exact", "near"), "--duplicates"),
        agree=tuple(agree or ()),
        sources=tuple(source or ()),
        rule=rule,
        prof=prof,
        compress=compress,
        children=compress_children,
        merge=merge and _choice(merge, ("same-sign", "random"), "--merge"),
        balance=balance,
        seed=seed,
    )
    how, given, target = options.curation_of(asked), _folder(run_), _folder(output)
    with err.status("looking at the dataset"):
        opened = writing.open_curation(given, how)
        writing.require_own(opened, target)
    for note in opened.notes:
        err.print(escape(note), highlight=False, soft_wrap=True)
    total = len(given.require_manifest().chunks)
    for _ in track(writing.curate(opened, target), total=total, description="curate", console=err):
        pass
    found = summary.summarise(given, target, how, opened.notes)
    if json_:
        sys.stdout.write(to_json(found).decode() + "\n")
    else:
        summary.print_summary(out, found)
    summary.require_rows(found)


@app.command(
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
    from steplabel.schemas.codec import to_json

    with err.status("looking at the labels"):
        found = diagnosis.diagnose(_folder(run_), against, eta=eta)
    if json_:
        sys.stdout.write(to_json(found).decode() + "\n")
    else:
        diagnosis.print_diagnosis(out, found)


@app.command()
def inspect(
    run_: RunFolder,
    problem: Annotated[str | None, typer.Option(help="Only solutions of this problem id.")] = None,
    errors: Annotated[bool, typer.Option("--errors", help="Only solutions with a located error.")] = False,
    limit: Annotated[int, typer.Option("-n", "--limit", help="How many solutions.")] = 3,
) -> None:
    """Show labelled solutions, each step in the colour of its label, with its evidence."""
    from steplabel.pipelines.inspection import chosen_rows, print_row

    shown = 0
    for row in chosen_rows(_folder(run_), problem=problem, errors_only=errors, limit=limit):
        print_row(out, row)
        shown += 1
    if not shown:
        raise ConfigError(f"no labelled solution in {run_!r} fits: try without --problem and --errors")


@app.command(
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

    chosen = _choice(layout, tuple(EXPORTERS), "--layout")
    options = ExportOptions(min_margin=min_margin, limit=limit, seed=seed)
    folder = _folder(run_)
    chunks = track(folder.require_manifest().chunks, description="export", console=err)
    exported = export_dataset(folder, chosen, output, options, chunks=chunks)
    out.print(f"{exported.written:,} rows written to {escape(output)}", highlight=False, soft_wrap=True)
    for (kind, reason), count in sorted(exported.refused.items(), key=lambda item: -item[1]):
        out.print(f"{count:,} {kind}{'s' if count > 1 else ''} left out: {reason}", highlight=False)


@app.command(
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
    from steplabel.schemas.codec import to_json

    truth = evaluation.exact_truth() if gold == "exact" else evaluation.gold_truth(gold)
    found = [evaluation.evaluate(_folder(path), truth) for path in runs]
    if json_:
        sys.stdout.write(to_json(found).decode() + "\n")
        return
    out.print(evaluation.table(found))


@app.command(epilog="Example:\n\nsteplabel problems --count 200 --output problems.jsonl")
def problems(
    output: Annotated[Path, typer.Option(help="JSONL file to write.")],
    count: Annotated[int, typer.Option(help="How many problems.", min=1)] = 100,
    seed: Annotated[int, typer.Option(help="Equal seeds give equal problems.")] = 0,
    kind: Annotated[
        str, typer.Option(help="arithmetic | logic | proofs (logic, each with a right and a wrong proof) | sat")
    ] = "arithmetic",
    min_events: Annotated[int, typer.Option(help="Fewest steps, of arithmetic.", min=1, max=10)] = 4,
    max_events: Annotated[int, typer.Option(help="Most steps, of arithmetic.", min=1, max=10)] = 8,
) -> None:
    """Generate problems with a known exact truth; the bundled model was not trained on those of arithmetic."""
    from steplabel.pipelines.generated import write_problems
    from steplabel.pipelines.generated_logic import KINDS
    from steplabel.transforms.io import write_rows

    chosen = _choice(kind, ("arithmetic", *KINDS), "--kind")
    if chosen == "arithmetic":
        write_problems(output, count=count, seed=seed, events=(min_events, max_events))
        written = count
    else:
        output.parent.mkdir(parents=True, exist_ok=True)
        written = write_rows(KINDS[chosen](count=count, seed=seed), str(output))
    out.print(f"{written:,} rows written to {escape(str(output))}", highlight=False, soft_wrap=True)


@app.command()
def doctor() -> None:
    """Try what this machine can do: packages, accelerator, bundled model, verifiers, maths worker, disk."""
    from steplabel.pipelines.doctor import examine

    marks = {True: "[green]ok[/]", False: "[bold red]fails[/]", None: "[dim]absent[/]"}
    failed = 0
    for finding in examine():
        out.print(f"{marks[finding.ok]:<8} {finding.name:<22} {escape(finding.detail)}", highlight=False)
        failed += finding.ok is False
    if failed:
        raise typer.Exit(1)


class _Models(NamedTuple):
    """Which models a recipe uses, as the command line says it."""

    engine: str
    settings: list[str]
    completer: str = ""
    completer_settings: Sequence[str] = ()


def _recipe(name: str, models: _Models, assignments: list[str]):  # type: ignore[no-untyped-def]
    from steplabel.pipelines.models import model_use
    from steplabel.pipelines.overrides import apply_overrides
    from steplabel.pipelines.recipes import RECIPES

    make = RECIPES[_choice(name, tuple(RECIPES), "recipe")]
    use = model_use(models.engine, models.settings)
    if models.completer:
        use = replace(use, completer=model_use(models.completer, models.completer_settings).engine)
    elif models.completer_settings:
        raise ConfigError("--completer-set needs --completer: name the engine that it is about")
    return apply_overrides(make(use), assignments)


def _folder(path: str) -> OutputFolder:
    from steplabel.transforms.dataset import OutputFolder

    return OutputFolder(path)


def _choice(text: str, known: tuple[str, ...], what: str) -> str:
    if text not in known:
        raise ConfigError(f"{what} {text!r}: there are {', '.join(known)}")
    return text


def main() -> None:
    """Entry point: errors of ours end in one line and an exit code of their kind, everything else in a traceback."""
    sys.exit(guarded(app))


def _is_worth_saying(record: logging.LogRecord) -> bool:
    """Beam warns at import that Google's client libraries are not there; nobody here needs them."""
    return "apitools not found" not in record.getMessage()


def guarded(command: Callable[[], object]) -> int:
    """Run a command and return its exit code."""
    logging.getLogger().addFilter(_is_worth_saying)
    try:
        command()
    except SteplabelError as error:
        err.print(f"[bold red]error:[/] {escape(str(error))}", highlight=False, soft_wrap=True)
        return next(code for kind, code in EXIT_CODES.items() if isinstance(error, kind))
    except OSError as error:
        err.print(f"[bold red]error:[/] {escape(str(error))}", highlight=False, soft_wrap=True)
        return 1
    except SystemExit as end:
        if end.code == INTERRUPTED:  # the command line library's own exit after Ctrl-C
            err.print("stopped; the same command goes on where it stopped")
        return end.code if isinstance(end.code, int) else 1
    return 0


if __name__ == "__main__":
    main()
