"""`steplabel diagnose`: by number of steps, how wrong labels are and how much of a reward rests on length.

Noise is counted against a reference: the exact truth of generated problems, a gold file, or another dataset (then the
share is one of disagreement). What is said of steps needs no reference: `labels/curation/step_diagnostics.py`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeAlias

from rich.console import Console
from rich.table import Table

from steplabel.labels.curation import LengthNoise, StepDiagnosis, diagnose_steps, noise_by_length
from steplabel.labels.curation.noise_by_length import LENGTHS, length_bin
from steplabel.pipelines.curation.agreement import first_errors
from steplabel.pipelines.curation.steps import require_own_steps
from steplabel.pipelines.evaluation import Truth, exact_truth, gold_truth
from steplabel.schemas import ConfigError, LabelRow, Solution
from steplabel.transforms.dataset import OutputFolder
from steplabel.transforms.evidence_files import read_labelled

Reference: TypeAlias = Callable[[LabelRow, Solution], int | None]
"""A labelled row and its whole solution -> the first error to compare with; None if it is not known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LengthDiagnosis:
    """The solutions of `shortest` to `longest` steps (None: without limit).

    Attributes:
        steps: labelled steps of all of them; `repeated` and `useless` of these are.
        repetition: mean share of 4-grams of tokens that occurred before; None without solutions.
        summed, clipped, delta: mean reward of a solution if its values, their Clip or their Delta are added up, over
            the solutions where it is known; None where it is of none.
    """

    shortest: int
    longest: int | None
    solutions: int
    steps: int
    repeated: int
    useless: int
    repetition: float | None
    summed: float | None
    clipped: float | None
    delta: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagnosis:
    """What is said of one dataset.

    Attributes:
        noise: an entry for each bin of lengths, as in `lengths`; empty without a reference.
    """

    path: str
    against: str
    lengths: tuple[LengthDiagnosis, ...]
    noise: tuple[LengthNoise, ...]


def reference_of(text: str) -> Reference:
    """`exact`, another dataset's folder, or a file of ProcessBench rows.

    Raises:
        ConfigError: nothing of that kind is there, or the dataset's steps were joined.
    """
    if text == "exact":
        return _by_truth(exact_truth())
    if OutputFolder(text).manifest() is not None:
        errors = first_errors(OutputFolder(text))
        return lambda row, _: None if (said := errors.get(row.solution_id, -2)) < -1 else said
    return _by_truth(gold_truth(text))


def _by_truth(truth: Truth) -> Reference:
    return lambda row, solution: truth(row.problem, [step.text for step in solution.steps])


def diagnose(folder: OutputFolder, against: str = "", *, eta: float = 0.5) -> Diagnosis:
    """Look at all labelled solutions of a dataset.

    Args:
        folder: a dataset.
        against: see `reference_of`; empty for no reference.
        eta: of Clip.

    Raises:
        ConfigError: the folder is no dataset, the reference knows none of its solutions, or steps were joined.
    """
    manifest = folder.require_manifest()
    reference = reference_of(against) if against else None
    if against:
        require_own_steps(folder)
    bins = _Bins()
    for chunk in manifest.chunks:
        for row, solution in read_labelled(folder, chunk):
            bins.add(diagnose_steps(row, eta=eta), len(solution.steps))
            if reference is not None:
                bins.compare(row.first_error, reference(row, solution))
    noise = noise_by_length(bins.predicted, bins.reference, bins.steps) if reference is not None else ()
    if reference is not None and all(known is None for known in bins.reference):
        raise ConfigError(f"{against!r} says nothing about any of the {len(bins.steps)} solutions of {folder.path!r}")
    return Diagnosis(path=folder.path, against=against, lengths=bins.said(), noise=noise)


@dataclass(slots=True)
class _Mean:
    """Of the numbers that are known, so far."""

    total: float = 0.0
    known: int = 0

    def add(self, value: float | None) -> None:
        if value is not None:
            self.total += value
            self.known += 1

    @property
    def value(self) -> float | None:
        return self.total / self.known if self.known else None


@dataclass(slots=True)
class _Sums:
    """What is known of the solutions of one bin."""

    solutions: int = 0
    steps: int = 0
    repeated: int = 0
    useless: int = 0
    repetition: _Mean = field(default_factory=_Mean)
    summed: _Mean = field(default_factory=_Mean)
    clipped: _Mean = field(default_factory=_Mean)
    delta: _Mean = field(default_factory=_Mean)

    def add(self, found: StepDiagnosis) -> None:
        self.solutions += 1
        self.steps += found.steps
        self.repeated += len(found.repeated)
        self.useless += len(found.useless)
        self.repetition.add(found.repetition)
        self.summed.add(found.summed)
        self.clipped.add(found.clipped)
        self.delta.add(found.delta)


class _Bins:
    """What a row says is forgotten once it is counted; of a solution stay its length and its two first errors."""

    def __init__(self) -> None:
        self.steps: list[int] = []
        self.predicted: list[int | None] = []
        self.reference: list[int | None] = []
        self._sums = [_Sums() for _ in LENGTHS]

    def add(self, found: StepDiagnosis, steps: int) -> None:
        self.steps.append(steps)
        self._sums[length_bin(steps)].add(found)

    def compare(self, predicted: int | None, reference: int | None) -> None:
        self.predicted.append(predicted)
        self.reference.append(reference)

    def said(self) -> tuple[LengthDiagnosis, ...]:
        ends = [*(first - 1 for first in LENGTHS[1:]), None]
        return tuple(_said(*one) for one in zip(LENGTHS, ends, self._sums, strict=True))


def _said(shortest: int, longest: int | None, sums: _Sums) -> LengthDiagnosis:
    return LengthDiagnosis(
        shortest=shortest,
        longest=longest,
        solutions=sums.solutions,
        steps=sums.steps,
        repeated=sums.repeated,
        useless=sums.useless,
        repetition=sums.repetition.value,
        summed=sums.summed.value,
        clipped=sums.clipped.value,
        delta=sums.delta.value,
    )


def print_diagnosis(console: Console, diagnosis: Diagnosis) -> None:
    """One table for the steps and, with a reference, one for the noise; bins without a solution are left out."""
    title = f"Steps of {diagnosis.path}"
    table = _table(title, "solutions", "repeated", "useless", "repetition", "sum", "Clip", "Delta")
    for one in diagnosis.lengths:
        if one.solutions:
            shares = [f"{n / one.steps:.1%}" for n in (one.repeated, one.useless)]
            means = [_number(value) for value in (one.repetition, one.summed, one.clipped, one.delta)]
            table.add_row(_range(one), f"{one.solutions:,}", *shares, *means)
    table.caption = "repeated, useless: of steps; repetition: of 4-grams; sum, Clip, Delta: a solution's mean reward"
    console.print(table)
    if diagnosis.noise:
        console.print(_noise_table(diagnosis))


def _noise_table(diagnosis: Diagnosis) -> Table:
    title = f"First errors that differ from {diagnosis.against}, with 95 % interval"
    table = _table(title, "compared", "differ", "interval", "early", "late", "missed", "false alarms")
    for one in diagnosis.noise:
        if one.share is None or one.low is None or one.high is None:
            continue
        places = [f"{n:,}" for n in (one.early, one.late, one.missed, one.false_alarms)]
        compared = f"{one.solutions - one.unknown:,}"
        table.add_row(_range(one), compared, f"{one.share:.1%}", f"{one.low:.0%}-{one.high:.0%}", *places)
    unknown = sum(one.unknown for one in diagnosis.noise)
    table.caption = f"{unknown:,} solutions cannot be compared: one side does not know" if unknown else None
    return table


def _table(title: str, *columns: str) -> Table:
    table = Table(title=title, title_justify="left", caption_justify="left", box=None, pad_edge=False)
    for name in ("steps", *columns):
        table.add_column(name, justify="left" if name == "steps" else "right", no_wrap=True)
    return table


def _range(one: LengthDiagnosis | LengthNoise) -> str:
    if one.longest is None:
        return f"{one.shortest}-"
    return f"{one.shortest}" if one.longest == one.shortest else f"{one.shortest}-{one.longest}"


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.2f}"
