"""`steplabel verify` on the command line. Heavy imports happen inside, so that `--help` answers at once."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import islice
from typing import Annotated

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from steplabel.pipelines.terminal import VerifierTimeout, choice, err, out, print_json
from steplabel.schemas import ConfigError

verify_app = typer.Typer(rich_markup_mode="rich")
"""Commands of `steplabel` itself: `cli.py` takes them in."""

PLAIN_SECONDS = 10.0
"""Without a terminal (a log file, CI) one line every so often says how far it is."""

LAYOUTS = ("auto", "problems", "processbench", "gsm8k_solutions", "bigbench_mistake", "fover", "prm800k")
"""What `--layout` takes: `auto`, and the names in `transforms.intake.READERS`, which takes long to import."""

VERIFIERS = (
    "arithmetic",
    "latex_arithmetic",
    "step_agreement",
    "z3_entailment",
    "logic",
    "sat_task",
    "multistep_arithmetic",
    "word_sorting",
)
"""What `--verifier` offers: the names in `verifiers.registry`, which takes long to import, too."""

EXAMPLES = (
    "Examples:\n\nsteplabel verify processbench/gsm8k.json --verifier arithmetic\n\n"
    "steplabel verify gsm8k/train.jsonl --solutions reference --limit 100\n\n"
    "steplabel verify traces.jsonl --layout bigbench_mistake --json\n\n"
    "steplabel verify solutions.jsonl --verifier my_package.checks:UnitsVerifier --output verified"
)


@verify_app.command(epilog=EXAMPLES)
def verify(
    file: Annotated[
        str, typer.Argument(help="Solutions: JSONL, JSON or Parquet file, or a folder of them.", metavar="FILE")
    ],
    verifier: Annotated[
        list[str] | None,
        typer.Option(
            help=f"{' | '.join(VERIFIERS)} | package.module:name of your own. May be repeated \\[default: all of ours]."
        ),
    ] = None,
    layout: Annotated[str, typer.Option(help=" | ".join(LAYOUTS))] = "auto",
    strict: Annotated[
        bool, typer.Option("--strict", help="Near misses fail, too, with verifiers that tell them apart.")
    ] = False,
    verifier_timeout: VerifierTimeout = None,
    solutions: Annotated[
        str,
        typer.Option(
            help="given (those that rows bring along) | reference (the data set's own) | auto (given, else reference)"
        ),
    ] = "auto",
    limit: Annotated[int | None, typer.Option(help="Only so many rows from the input's start.")] = None,
    output: Annotated[
        str, typer.Option(help="Folder for problems, solutions and observations; the same command goes on in it.")
    ] = "",
    chunk: Annotated[int, typer.Option(help="Problems in one commit.")] = 1000,
    json_: Annotated[bool, typer.Option("--json", help="Print JSON instead of tables.")] = False,
) -> None:
    """Let verifiers judge the steps of solutions, without a model, and count what they decide.

    Where the file knows the first error of its solutions, or whether their answers are right, verdicts are held
    against that. A verifier speaks of the problems that it is made for alone.
    """
    from steplabel.pipelines.verification.reading import SolutionChoice
    from steplabel.pipelines.verification.tables import print_verification
    from steplabel.pipelines.verification.verifying import VerifyOptions, verify_file
    from steplabel.verifiers.bounded import bounded_named
    from steplabel.verifiers.registry import ENTRIES, has_strict

    chosen = bounded_named(verifier or tuple(ENTRIES), strict=strict, timeout_s=verifier_timeout)
    if strict and not any(map(has_strict, chosen)):
        raise ConfigError(f"--strict: none of {', '.join(one.name for one in chosen)} tells near misses apart")
    options = VerifyOptions(
        input=file,
        verifiers=chosen,
        output=output,
        layout=choice(layout, LAYOUTS, "--layout"),
        limit=limit,
        solutions=SolutionChoice(choice(solutions, tuple(SolutionChoice), "--solutions")),
        chunk=chunk,
    )
    with _bar(options.input, options.limit) as advance:
        found = verify_file(options, advance)
    if json_:
        print_json(found)
    else:
        print_verification(out, found)


@contextmanager
def _bar(path: str, limit: int | None) -> Iterator[Callable[[int], None]]:
    """Show how many rows are done, and how long the rest takes; without a terminal, a line every so often."""
    from steplabel.transforms.io import read_rows

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(compact=True))
    with Progress(*columns, console=err, transient=True, disable=not err.is_terminal) as bar:
        task = bar.add_task("counting rows", total=None)
        total = sum(1 for _ in islice(read_rows(path), limit))
        bar.update(task, description="verifying rows", total=total)
        lines = _Lines(total)

        def advance(rows: int) -> None:
            bar.advance(task, rows)
            if not err.is_terminal:
                lines.advance(rows)

        yield advance


class _Lines:
    """Progress for a log file."""

    def __init__(self, total: int) -> None:
        self._total, self._done, self._last = total, 0, time.monotonic()

    def advance(self, rows: int) -> None:
        self._done += rows
        if (now := time.monotonic()) - self._last >= PLAIN_SECONDS:
            self._last = now
            err.print(f"{self._done:,} of {self._total:,} rows", highlight=False)
