"""The command line: what there is to type, and how a command ends.

Every command is a few lines over a function, in a file of its subject. Texts become objects there and nowhere else.

    verification/command.py  verify
    run_commands.py          run, recipes
    label_commands.py        relabel, curate
    look_commands.py         diagnose, inspect, export, evaluate
    setup_commands.py        problems, doctor
    store_commands.py        store ...
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable
from typing import Annotated, Final

import typer
from rich.markup import escape

from steplabel.pipelines.label_commands import label_app
from steplabel.pipelines.look_commands import look_app
from steplabel.pipelines.run_commands import run_app
from steplabel.pipelines.setup_commands import setup_app
from steplabel.pipelines.store_commands import store_app
from steplabel.pipelines.terminal import err, out
from steplabel.pipelines.verification.command import verify_app
from steplabel.schemas import (
    BudgetExhausted,
    ConfigError,
    DataError,
    EngineError,
    SteplabelError,
    StoreError,
)
from steplabel.version import __version__

app = typer.Typer(
    name="steplabel",
    help="Step-level labels for process reward models: evidence is kept, labels are derived.",
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    add_completion=False,
)
for commands in (verify_app, run_app, label_app, look_app, setup_app):
    app.add_typer(commands)
app.add_typer(store_app, name="store")

EXIT_CODES: Final[dict[type[SteplabelError], int]] = {
    ConfigError: 2,
    DataError: 3,
    EngineError: 4,
    StoreError: 5,
    BudgetExhausted: 6,
}
INTERRUPTED: Final = 130


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
    except (SteplabelError, OSError) as error:
        err.print(f"[bold red]error:[/] {escape(str(error))}", highlight=False, soft_wrap=True)
        return next((code for kind, code in EXIT_CODES.items() if isinstance(error, kind)), 1)
    except SystemExit as end:
        if end.code == INTERRUPTED:  # the command line library's own exit after Ctrl-C
            err.print("stopped; typed again, a command with --output goes on where it stopped")
        return end.code if isinstance(end.code, int) else 1
    return 0


if __name__ == "__main__":
    main()
