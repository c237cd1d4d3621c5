"""What the commands share: where they print, the dataset they are about, names to choose from.

Commands import what is heavy (Beam, torch) themselves, so that `--help` answers at once.
"""

from __future__ import annotations

import sys
from collections.abc import Collection
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from steplabel.schemas import ConfigError, codec

if TYPE_CHECKING:
    from steplabel.transforms.dataset import OutputFolder

out = Console()
err = Console(stderr=True)

VerifierTimeout = Annotated[
    float | None,
    typer.Option(
        help="Seconds that a verifier of your own may take for one solution, in a process that is killed then "
        "\\[default: no limit].",
        show_default=False,
    ),
]
RunFolder = Annotated[str, typer.Argument(help="Output folder of a run.", metavar="RUN")]


def run_folder(path: str) -> OutputFolder:
    """The dataset that a command is about, or makes."""
    from steplabel.transforms.dataset import OutputFolder

    return OutputFolder(path)


def choice(text: str, known: Collection[str], what: str) -> str:
    """The text, if it is one of the known names.

    Raises:
        ConfigError: it is not; the message begins with `what` it was given for, and names all that are.
    """
    if text not in known:
        raise ConfigError(f"{what} {text!r}: there are {', '.join(known)}")
    return text


def print_json(value: object) -> None:
    """Write a record, or several, to standard output as one line of JSON."""
    sys.stdout.write(codec.to_json(value).decode() + "\n")
