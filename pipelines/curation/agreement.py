"""`--agree OTHER`, `--source VERIFIER`: a solution stays if all name the same first error (the Qwen rule).

Solutions are matched by their id: the same text by the same model, drawn alike. Two recipes under one engine, seed and
input have the same solutions, and so do two label views of one run. But what rests on the same rollouts confirms
nothing: a note says how many are shared (`shared_rollouts.py`), and one run's same view is refused, however it was
curated. Of each other dataset the first errors are held in memory, by solution id.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import ClassVar

from steplabel.engines.port import SPEED_ONLY
from steplabel.labels.curation import (
    AgreementRule,
    AllAgree,
    AtLeast,
    Majority,
    Silence,
    agree_on_location,
    agreed_row,
)
from steplabel.pipelines.curation.shared_rollouts import sharing_notes
from steplabel.pipelines.curation.steps import (
    Batch,
    Before,
    Dropped,
    Opened,
    RowKey,
    require_own_steps,
    row_key,
    without,
)
from steplabel.pipelines.curation.verdicts import require_verdicts, verdict_locations
from steplabel.pipelines.recipe import NO_PART_IF_EMPTY
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
    """`all`, `uncontradicted`, `majority` or a number of datasets that must name one location, this one among them.

    All are all: a dataset that does not know where the error is has not agreed. A majority is one of those that know.
    Uncontradicted is what all that know agree on, were it one alone: for verifiers, which are silent on most solutions.

    Raises:
        ConfigError: another word, or more datasets than there are.
    """
    named: dict[str, AgreementRule] = {
        "all": AllAgree(silence=Silence.DISSENTS),
        "uncontradicted": AllAgree(at_least=1),
        "majority": Majority(),
    }
    if text in named:
        return named[text]
    if not text.isdecimal() or not 2 <= int(text) <= others + 1:
        raise ConfigError(
            f"--rule {text!r}: wants all, uncontradicted, majority, or a number of datasets from 2 to {others + 1}"
        )
    return AtLeast(at_least=int(text))


@dataclass(frozen=True, slots=True, kw_only=True)
class Agree:
    """Keep what `rule` says is agreed on (`labels/curation/consensus.py`); labels stay those of this dataset.

    Attributes:
        verifiers: sources of verdicts in this dataset's evidence: the first step that fails is what one names, and that
            there is none if every step holds (`labels/curation/located.py`).
    """

    name: ClassVar[str] = "agree"

    others: tuple[Source, ...]
    rule: AgreementRule
    verifiers: tuple[str, ...] = field(default=(), metadata=NO_PART_IF_EMPTY)

    def open(self, source: OutputFolder, before: Before) -> Opened:  # noqa: ARG002 - the port gives it
        """Read the others' first errors.

        Raises:
            ConfigError: two are one run's labels by one policy, or one has joined steps, or no solution of this one; or
                the evidence holds no verdict of a verifier.
        """
        me = source_of(source)
        notes = list(sharing_notes([one.path for one in (me, *self.others)]))
        mine, said = _said(source).keys(), {}
        for other in self.others:
            said[other.name] = _said(OutputFolder(other.path))
            common = mine & said[other.name].keys()
            if not common:
                raise ConfigError(_nothing_common(source, other))
            known = sum(_known(said[other.name][id_]) is not None for id_ in common)
            notes.append(f"{other.name}: knows the first error of {known:,} of the {len(mine):,} solutions")
        notes += require_verdicts(source, self.verifiers)
        return Opened(step=lambda batch: self._apply(batch, source, me.name, said), notes=tuple(notes))

    def _apply(
        self, batch: Batch, source: OutputFolder, me: str, said: Mapping[str, Mapping[str, int | None]]
    ) -> Batch:
        verdicts = verdict_locations(source, batch.chunk, self.verifiers)
        dropped: dict[RowKey, Dropped] = {}
        agreed: list[LabelRow] = []
        for row in batch.rows:
            heard = {name: _known(errors.get(row.solution_id)) for name, errors in said.items()}
            heard |= {name: located.get(row_key(row)) for name, located in verdicts.items()}
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
    return {id_: error for id_, error in _said(folder).items() if error is not None}


def _said(folder: OutputFolder) -> dict[str, int | None]:
    """As `first_errors`, with None for solutions that are labelled without one."""
    require_own_steps(folder)
    found: dict[str, int | None] = {}
    for id_, error in _columns(folder):
        before = found.get(id_)
        if before is None or error is None:
            found[id_] = error if before is None else before
        elif before != error:
            found[id_] = _CONTRADICTION
    return found


def _columns(folder: OutputFolder) -> Iterator[tuple[str, int | None]]:
    names = ("solution_id", "first_error")
    for path in folder.paths("labels"):
        table = read_arrow([path], LabelRow, names)
        yield from zip(*(table.column(name).to_pylist() for name in names), strict=True)


def _known(error: int | None) -> int | None:
    return None if error == _CONTRADICTION else error


def _nothing_common(source: OutputFolder, other: Source) -> str:
    return (
        f"{other.path!r} labels no solution of {source.path!r}: run both recipes with one engine, --seed and --input, "
        f"or relabel one run, so that they label the same solutions"
    )


def _told(places: Mapping[str, int | None]) -> str:
    words = {None: "not known", -1: "none"}
    return "first error " + ", ".join(f"{name}: {words.get(place, place)}" for name, place in places.items())
