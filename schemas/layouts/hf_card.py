"""The Hugging Face dataset card: what the rows are, what they do not say, and which files belong to them.

A function from plain values to text. The front matter is YAML whose scalars are quoted and escaped as
in JSON, so no value can break out of its place. `datasets.load_dataset(folder)` reads the file lists in it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from steplabel.schemas.errors import ConfigError
from steplabel.schemas.labels import LabelTarget

DEFAULT_TABLE = "labels"
SPLIT = "train"
_SIZES = (
    (10**3, "n<1K"),
    (10**4, "1K<n<10K"),
    (10**5, "10K<n<100K"),
    (10**6, "100K<n<1M"),
    (10**7, "1M<n<10M"),
)
_GLOB = frozenset("*?[]{}")

_CLAIMS = {
    LabelTarget.CORRECT: "A step marked `+` is valid: what it asserts follows and is true.",
    LabelTarget.REACHABLE: (
        "A step marked `+` is one from which the completer still reached a right final answer. That is not "
        "the same as a correct step: models repair errors, and hard but correct steps may never be completed."
    ),
    LabelTarget.VALUE: "A step's value estimates the completer's chance of a right final answer from there.",
    LabelTarget.PROGRESS: "A step's value estimates how much the step changed the chance of a right answer.",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """What the card says.

    Attributes:
        files: by table, the committed files, relative to the card; a table without files is left out.
        rows: by table, how many rows.
        licence: SPDX id of the data set itself; empty where it is not decided.
        models: (name, licence) of every model whose text or rollouts the rows hold.
        sources: (name, licence) of the problem sets.
        policy: the label policy and its version; `target` is what its labels claim.
        command: how it was made, to be run again.
        limits: sentences on what is known to fall short.
    """

    title: str
    files: Mapping[str, Sequence[str]]
    rows: Mapping[str, int]
    policy: str
    target: LabelTarget
    licence: str = ""
    models: Sequence[tuple[str, str]] = ()
    sources: Sequence[tuple[str, str]] = ()
    recipe: str = ""
    command: str = ""
    run_id: str = ""
    config_hash: str = ""
    code_version: str = ""
    languages: Sequence[str] = ("en",)
    tags: Sequence[str] = ("process-reward-model", "prm", "step-labels", "steplabel")
    limits: Sequence[str] = ()

    def __post_init__(self) -> None:
        if not self.files.get(DEFAULT_TABLE):
            raise ConfigError(f"a card needs files of the {DEFAULT_TABLE!r} table, got {sorted(self.files)}")
        for path in (path for paths in self.files.values() for path in paths):
            parts = PurePosixPath(path)
            if parts.is_absolute() or ".." in parts.parts or _GLOB & set(path) or not path:
                raise ConfigError(f"card file {path!r} must lie inside the folder and hold none of *?[]{{}}")


def render_card(card: Card) -> str:
    """The whole README.md."""
    parts = ("---", *_front_matter(card), "---", "", *_body(card))
    return "\n".join(parts) + "\n"


def size_category(rows: int) -> str:
    """The hub's name for a data set of so many rows."""
    return next((name for limit, name in _SIZES if rows < limit), "n>10M")


def _front_matter(card: Card) -> Iterator[str]:
    yield f"pretty_name: {_quoted(card.title)}"
    yield f"license: {_quoted(card.licence.lower() or 'other')}"
    yield from _list("language", card.languages)
    yield from _list("tags", card.tags)
    yield from _list("task_categories", ["token-classification", "text-generation"])
    yield from _list("size_categories", [size_category(card.rows.get(DEFAULT_TABLE, 0))])
    yield "configs:"
    for table in sorted(card.files, key=lambda name: (name != DEFAULT_TABLE, name)):
        if card.files[table]:
            yield from _config(table, card.files[table])


def _list(name: str, values: Sequence[str]) -> Iterator[str]:
    yield f"{name}:"
    yield from (f"- {_quoted(value)}" for value in values)


def _config(table: str, paths: Sequence[str]) -> Iterator[str]:
    yield f"- config_name: {_quoted(table)}"
    if table == DEFAULT_TABLE:
        yield "  default: true"
    yield "  data_files:"
    yield f"  - split: {SPLIT}"
    yield "    path:"
    yield from (f"    - {_quoted(path)}" for path in paths)


def _quoted(text: str) -> str:
    """A YAML scalar: JSON's escapes, but one escape for a character past U+FFFF, where JSON writes two."""
    return '"' + "".join(json.dumps(c)[1:-1] if c <= "\uffff" else f"\\U{ord(c):08X}" for c in text) + '"'


def _body(card: Card) -> Iterator[str]:
    yield f"# {_line(card.title)}"
    yield ""
    yield "Step-level labels for training process reward models, made with steplabel: evidence is kept,"
    yield "labels are derived from it, so another label policy can be applied without sampling again."
    yield ""
    yield from _meaning(card)
    yield from _tables(card)
    yield from _loading(card)
    yield from _licences(card)
    yield from _making(card)


def _meaning(card: Card) -> Iterator[str]:
    yield "## What the labels mean"
    yield ""
    yield f"Policy: `{_line(card.policy)}`. Target: `{card.target}`. {_CLAIMS[card.target]}"
    yield ""
    yield "- `labels` has one of `+`, `-`, `unknown` for each of `steps`; joining `steps` gives the solution."
    yield "- `first_error` is 0-based; -1 means no wrong step, null that it is not known."
    yield "- `unknown` is not a weak `-`: the evidence did not decide. `value_lows` and `value_highs` bound"
    yield "  what the undecided rollouts could still make of a value."
    yield "- A right final answer does not prove the steps, and no label here was checked by people."
    yield from (f"- {_line(limit)}" for limit in card.limits)
    yield ""


def _tables(card: Card) -> Iterator[str]:
    yield "## Tables"
    yield ""
    yield "| table | rows | files |"
    yield "|---|---:|---:|"
    for table, paths in card.files.items():
        if paths:
            yield f"| {_cell(table)} | {card.rows.get(table, 0):,} | {len(paths)} |"
    yield ""


def _loading(card: Card) -> Iterator[str]:
    others = [table for table, paths in card.files.items() if paths and table != DEFAULT_TABLE]
    yield "## Loading"
    yield ""
    yield "```python"
    yield "from datasets import load_dataset"
    yield ""
    yield f'labels = load_dataset("path/to/this/folder", split="{SPLIT}")'
    if others:
        yield f'{others[0]} = load_dataset("path/to/this/folder", "{others[0]}", split="{SPLIT}")'
    yield "```"
    yield ""


def _licences(card: Card) -> Iterator[str]:
    yield "## Models and sources"
    yield ""
    yield "The rows hold text that these models wrote. Outputs may be restricted by a model's licence, and"
    yield "problems by their source's: check both before training on the rows or passing them on."
    yield ""
    yield "| what | name | licence |"
    yield "|---|---|---|"
    for kind, entries in (("model", card.models), ("problems", card.sources)):
        for name, licence in entries:
            yield f"| {kind} | {_cell(name)} | {_cell(licence) or 'not known'} |"
    yield ""


def _making(card: Card) -> Iterator[str]:
    yield "## How it was made"
    yield ""
    facts = (
        ("recipe", card.recipe),
        ("command", card.command),
        ("run", card.run_id),
        ("configuration hash", card.config_hash),
        ("steplabel", card.code_version),
    )
    yield from (f"- {name}: `{_line(value)}`" for name, value in facts if value)
    yield "- `_MANIFEST.json` lists every file with its rows and SHA-256; trust only what it lists."


def _line(text: str) -> str:
    """On one line, so that no value can begin a heading, a list or front matter of its own."""
    return " ".join(text.split())


def _cell(text: str) -> str:
    return _line(text).replace("|", "\\|")
