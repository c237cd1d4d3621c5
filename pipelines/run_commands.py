"""`steplabel run` and `steplabel recipes`: label, and see what there is to label with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from inspect import getdoc
from typing import TYPE_CHECKING, Annotated, NamedTuple

import typer
from rich.markup import escape
from rich.table import Table

from steplabel.pipelines.terminal import VerifierTimeout, choice, err, out
from steplabel.pipelines.verification.command import LAYOUTS
from steplabel.schemas import ConfigError, EngineError, Reason

if TYPE_CHECKING:
    from steplabel.pipelines.recipe import Recipe

run_app = typer.Typer(rich_markup_mode="rich")
"""Commands of `steplabel` itself: `cli.py` takes them in."""


@run_app.command(
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
    verifier_timeout: VerifierTimeout = None,
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
    from steplabel.verifiers.bounded import bounded_named

    options = RunOptions(
        input=input_,
        output=output,
        layout=choice(layout, LAYOUTS, "--layout"),
        limit=limit,
        chunk=chunk,
        store=store,
        runner=RunnerChoice(kind=RunnerKind(choice(runner, tuple(RunnerKind), "--runner")), workers=workers),
        max_tokens=max_tokens,
        max_requests=max_requests,
        shard_tokens=shard_tokens,
        max_reject_share=max_reject_share,
        redact=redact,
    )
    models = _Models(engine, engine_set or [], completer, completer_set or [])
    chosen = _recipe(recipe, models, [f"seed={seed}", *(set_ or [])])
    chosen = replace(chosen, verifiers=(*chosen.verifiers, *bounded_named(verify_by or (), timeout_s=verifier_timeout)))
    result = label(chosen, options, err)
    counts = report.count_dataset(result.folder)
    report.print_summary(out, result, counts)
    report.require_labels(result.folder, counts)
    report.print_next(out, result)
    if Reason.ENGINE_ERROR in counts.rejects:
        raise EngineError(f"{counts.rejects[Reason.ENGINE_ERROR]} requests failed: the same command asks them again")


@run_app.command(epilog="Examples:\n\nsteplabel recipes\n\nsteplabel recipes omegaprm_locate")
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


class _Models(NamedTuple):
    """Which models a recipe uses, as the command line says it."""

    engine: str
    settings: Sequence[str]
    completer: str = ""
    completer_settings: Sequence[str] = ()


def _recipe(name: str, models: _Models, assignments: Sequence[str]) -> Recipe:
    from steplabel.pipelines.models import model_use
    from steplabel.pipelines.overrides import apply_overrides
    from steplabel.pipelines.recipes import RECIPES

    make = RECIPES[choice(name, tuple(RECIPES), "recipe")]
    use = model_use(models.engine, models.settings)
    if models.completer:
        use = replace(use, completer=model_use(models.completer, models.completer_settings).engine)
    elif models.completer_settings:
        raise ConfigError("--completer-set needs --completer: name the engine that it is about")
    return apply_overrides(make(use), assignments)
