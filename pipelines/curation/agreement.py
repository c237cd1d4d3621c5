"""`--agree OTHER`: a solution stays if this dataset and others name the same first error (the Qwen rule).

Solutions are matched by their id: the same text by the same model, drawn alike. Two recipes under one engine, seed and
input have the same solutions; so have two label views of one run. Of each other dataset the first errors are held in
memory, by solution id.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import ClassVar

from steplabel.engines.port import SPEED_ONLY
from steplabel.labels.curation import AgreementRule, AllAgree, AtLeast, Majority, agree_on_location, agreed_row
from steplabel.pipelines.curation.steps import (
    STEPS_JOINED,
    Batch,
    Before,
    Dropped,
    Opened,
    RowKey,
    row_key,
    without,
)
from steplabel.schemas import ConfigError, LabelRow, content_id
from steplabel.transforms.dataset import OutputFolder
from steplabel.transforms.io import read_arrow

OUTVOTED = "outvoted"
"""The others agree, but on another location than the one that these labels name."""

_CONTRADICTION = -2
"""Stands for a solution of which one dataset says two things: it does not know."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A dataset whose first errors are heard.

    Attributes:
        name: recipe and run, as `LabelRow.label_sources` is to call it.
        content: hash of its files.
        path: where it lies; plays no part in what it is.
    """

    name: str
    content: str
    path: str = field(metadata=SPEED_ONLY)


def source_of(folder: OutputFolder) -> Source:
    """Name a dataset. Raises ConfigError if the folder is none."""
    run = folder.require_manifest().run
    return Source(name=f"{run.recipe}@{run.run_id[:8]}", content=dataset_content(folder), path=folder.path)


def dataset_content(folder: OutputFolder) -> str:
    """Hash of what a dataset holds."""
    return content_id("files", [(file.path, file.sha256) for file in folder.require_manifest().files()])


def read_rule(text: str, others: int) -> AgreementRule:
    """`all`, `majority` or a number of datasets that must name one location, this one among them.

    Raises:
        ConfigError: another word, or more datasets than there are.
    """
    named: dict[str, AgreementRule] = {"all": AllAgree(), "majority": Majority()}
    if text in named:
        return named[text]
    if not text.isdecimal() or not 2 <= int(text) <= others + 1:
        raise ConfigError(f"--rule {text!r}: wants all, majority, or a number of datasets from 2 to {others + 1}")
    return AtLeast(at_least=int(text))


@dataclass(frozen=True, slots=True, kw_only=True)
class Agree:
    """Keep what `rule` says is agreed on (`labels/curation/consensus.py`); labels stay those of this dataset."""

    name: ClassVar[str] = "agree"

    others: tuple[Source, ...]
    rule: AgreementRule

    def open(self, source: OutputFolder, before: Before) -> Opened:  # noqa: ARG002 - the port gives it
        """Read the others' first errors.

        Raises:
            ConfigError: one is this dataset itself, is given twice, has joined steps, or has no solution of it.
        """
        me = source_of(source)
        _check_distinct([me, *self.others])
        mine, said, notes = first_errors(source), {}, []
        for other in self.others:
            said[other.name] = first_errors(OutputFolder(other.path))
            common = len(mine.keys() & said[other.name].keys())
            if not common:
                raise ConfigError(_nothing_common(source, other))
            notes.append(f"{other.name}: labels {common:,} of the {len(mine):,} solutions")
        return Opened(step=lambda batch: self._apply(batch, me.name, said), notes=tuple(notes))

    def _apply(self, batch: Batch, me: str, said: Mapping[str, Mapping[str, int]]) -> Batch:
        dropped: dict[RowKey, Dropped] = {}
        agreed: list[LabelRow] = []
        for row in batch.rows:
            heard = {name: _known(errors.get(row.solution_id)) for name, errors in said.items()}
            consensus = agree_on_location({me: row.first_error} | heard, self.rule)
            kept = agreed_row(row, consensus)
            if kept is None:
                places = {"this": row.first_error} | heard
                dropped[row_key(row)] = Dropped(reason=consensus.dropped or OUTVOTED, detail=_told(places))
            agreed.append(kept or row)
        return without(replace(batch, rows=tuple(agreed)), self.name, dropped)


def first_errors(folder: OutputFolder) -> dict[str, int]:
    """By solution id, what a dataset names as its first error; solutions of which it names none are left out.

    Raises:
        ConfigError: its steps were joined, so that they count differently.
    """
    found: dict[str, int] = {}
    for id_, error, policy in _columns(folder):
        if STEPS_JOINED & set(policy.split("_")):
            raise ConfigError(
                f"steps of {folder.path!r} were joined ({policy}), so its places count differently: compare datasets "
                f"before --merge and --compress"
            )
        if error is not None:
            found[id_] = error if found.get(id_, error) == error else _CONTRADICTION
    return found


def _columns(folder: OutputFolder) -> Iterator[tuple[str, int | None, str]]:
    names = ("solution_id", "first_error", "label_policy")
    for file in folder.require_manifest().files("labels"):
        table = read_arrow([folder.join(file.path)], LabelRow, names)
        yield from zip(*(table.column(name).to_pylist() for name in names), strict=True)


def _known(error: int | None) -> int | None:
    return None if error == _CONTRADICTION else error


def _check_distinct(sources: Sequence[Source]) -> None:
    seen: dict[str, str] = {}
    for one in sources:
        if one.name in seen:
            raise ConfigError(f"{one.path!r} and {seen[one.name]!r} are the same run: a source cannot confirm itself")
        seen[one.name] = one.path


def _nothing_common(source: OutputFolder, other: Source) -> str:
    return (
        f"{other.path!r} labels no solution of {source.path!r}: run both recipes with one engine, --seed and --input, "
        f"or relabel one run, so that they label the same solutions"
    )


def _told(places: Mapping[str, int | None]) -> str:
    words = {None: "not known", -1: "none"}
    return "first error " + ", ".join(f"{name}: {words.get(place, place)}" for name, place in places.items())
