"""Before a run: `steplabel problems` makes some, `steplabel doctor` looks at the machine."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from steplabel.pipelines.terminal import choice, out

setup_app = typer.Typer(rich_markup_mode="rich")
"""Commands of `steplabel` itself: `cli.py` takes them in."""


@setup_app.command(epilog="Example:\n\nsteplabel problems --count 200 --output problems.jsonl")
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

    chosen = choice(kind, ("arithmetic", *KINDS), "--kind")
    if chosen == "arithmetic":
        write_problems(output, count=count, seed=seed, events=(min_events, max_events))
        written = count
    else:
        output.parent.mkdir(parents=True, exist_ok=True)
        written = write_rows(KINDS[chosen](count=count, seed=seed), str(output))
    out.print(f"{written:,} rows written to {escape(str(output))}", highlight=False, soft_wrap=True)


@setup_app.command(epilog="Example:\n\nsteplabel doctor")
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
