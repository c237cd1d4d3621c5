"""Noise of labels before and after denoising: of single steps and of the first error, by length and by split.

Before: Monte Carlo at every step. After: what SCAN and others make of as many rollouts. Monte Carlo is also given
on the solutions that SCAN keeps, since a filter that keeps the easy ones looks like one that mends labels. What has
a constant to choose is chosen on the train split and quoted on both: thresholds by F1, SCAN's window by the distance
of its soft labels from the truth.

Intervals are percentile bootstraps over problems, as everywhere in the document: solutions of one problem share its
difficulty.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from quality_parts.found import Reading, Replays, first_errors, labelled, values_of
from quality_parts.scoring import f1_among, f1_of, right_steps
from quality_parts.self_confidence import SAMPLES, WithSelfConfidence
from steplabel.annotators.annotation import Annotator
from steplabel.annotators.steps.linear_scan import LinearScan
from steplabel.annotators.steps.math_shepherd import MathShepherd
from steplabel.labels.counting import RolloutCounts
from steplabel.labels.curation.noise_by_length import length_bin
from steplabel.labels.estimation import HardAbove, HardAny
from steplabel.labels.policies import POLICIES, LabelPolicy
from steplabel.labels.progress import RelativeProgress
from steplabel.labels.scan import Scan
from steplabel.pipelines.bank import Bank
from steplabel.schemas import AfterError, LabelTarget
from steplabel.schemas.bank import BankSplit

K: Final = 8
LENGTHS: Final = (1, 6, 7, 8, 9)
"""First number of steps of each bin. Problems of the bank have 4 to 8 events, and solutions a step more."""
GATES: Final = (0.0, 0.25, 0.5, 0.75, 0.9)
THRESHOLDS: Final = (0.0, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5)
RATIOS: Final = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)
WINDOWS: Final = (0, 1, 2, 3, 4)
NOISE_NEEDS: Final = max(K, SAMPLES)
"""Rollouts of a prefix that a bank must hold."""
RESAMPLES: Final = 2000


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """An annotator and a view.

    Attributes:
        on: another line's name, whose solutions it is judged on; empty for all.
        lengths: whether the document shows it by length, too.
    """

    name: str
    annotator: Annotator
    policy: LabelPolicy
    on: str = ""
    lengths: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Wrong:
    """What is wrong with the labels of some solutions.

    Attributes:
        solutions: how many are labelled.
        locations: share of them with a wrong first error; `low` and `high` bound it (95 %, over problems).
        steps: labels of steps: those that are marked; cut steps and unknown marks have none.
        marks: share of them that contradict the truth.
        false_plus: share of the "+" that stand on wrong steps. false_minus: of the "-" that stand on right ones.
        distance: mean absolute distance of soft labels and truth; None without values in [0, 1].
        f1: of the first errors.
    """

    solutions: int
    locations: float | None
    low: float | None
    high: float | None
    steps: int
    marks: float | None
    false_plus: float | None
    false_minus: float | None
    distance: float | None
    f1: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Noise:
    """One line on one split; `by_length` has an entry for each bin of `LENGTHS`. `kept` is the share it labels."""

    line: str
    split: BankSplit
    kept: float
    lengths: bool
    whole: Wrong
    by_length: tuple[Wrong, ...]


EVERY: Final = MathShepherd(k=K, ask_root=True)
SCANNED: Final = WithSelfConfidence(search=LinearScan(k=K), gate=0.0)
"""The gate is the view's here, so that one set of rollouts serves all gates."""
CUT: Final = HardAny(unknown_as="wrong", after_error=AfterError.CUT)
GATED: Final = HardAny(unknown_as="wrong", after_error=AfterError.CUT, gate_outcome=True)
KEPT_BY_SCAN: Final = "SCAN: gate .75, window 2"

LINES: Final = (
    Line(name="Monte Carlo, all steps", annotator=EVERY, policy=POLICIES["math_shepherd_hard"], lengths=True),
    Line(name="Monte Carlo, cut after the error", annotator=EVERY, policy=CUT),
    Line(name="Monte Carlo, cut, what SCAN keeps", annotator=EVERY, policy=CUT, on=KEPT_BY_SCAN, lengths=True),
    Line(name="scan to the first zero, right answer = right", annotator=SCANNED, policy=GATED),
    Line(name="the same, what SCAN keeps", annotator=SCANNED, policy=GATED, on=KEPT_BY_SCAN),
    Line(name="SCAN without its gate, window 2", annotator=SCANNED, policy=Scan(min_confidence=0.0)),
    Line(name="SCAN: gate .75, window 0", annotator=SCANNED, policy=Scan(window=0)),
    Line(name=KEPT_BY_SCAN, annotator=SCANNED, policy=Scan(), lengths=True),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class NoiseReport:
    """Lines in order, each on both splits; and SCAN at other gates."""

    lines: tuple[Noise, ...]
    gates: tuple[Noise, ...]


def measure_noise(bank: Bank) -> NoiseReport:
    """Measure all lines on both splits, after choosing what is to be chosen on the train split."""
    parts = {split: Replays(bank.part(split)) for split in BankSplit}
    lines = (*LINES, *_chosen(parts[BankSplit.TRAIN]))
    gates = [
        Line(name=f"SCAN: gate {gate:g}, window 2", annotator=SCANNED, policy=Scan(min_confidence=gate))
        for gate in GATES
    ]
    kept = next(line for line in LINES if line.name == KEPT_BY_SCAN)
    return NoiseReport(
        lines=tuple(_noise(line, replays, split, kept) for line in lines for split, replays in parts.items()),
        gates=tuple(_noise(line, replays, split, kept) for line in gates for split, replays in parts.items()),
    )


def _chosen(train: Replays) -> Iterator[Line]:
    """Lines with a constant of their own, at the value that is best on the train split."""

    def f1(policy: LabelPolicy) -> float:
        return f1_of(_said(EVERY, policy, train), train.bank).f1

    tau = max(THRESHOLDS, key=lambda tau: f1(HardAbove(threshold=tau, unknown_as="wrong")))
    cut = HardAbove(threshold=tau, unknown_as="wrong", after_error=AfterError.CUT)
    yield Line(
        name=f"Monte Carlo, cut, hard above {tau:g} (chosen on train)", annotator=EVERY, policy=cut, lengths=True
    )

    def progress(ratio: float) -> RelativeProgress:
        return RelativeProgress(threshold=ratio, unknown_as="wrong", after_error=AfterError.CUT)

    yield Line(name="genprm, ratio .8, cut", annotator=EVERY, policy=progress(0.8))
    ratio = max(RATIOS, key=lambda ratio: f1(progress(ratio)))
    yield Line(name=f"genprm, ratio {ratio:g}, cut (chosen on train)", annotator=EVERY, policy=progress(ratio))

    def distance(window: int) -> float:
        line = Line(name="", annotator=SCANNED, policy=Scan(window=window))
        far = _noise(line, train, BankSplit.TRAIN, line).whole.distance
        return math.inf if far is None else far  # a window without soft labels has nothing to be chosen for

    window = min(WINDOWS, key=distance)
    name = f"SCAN: gate .75, window {window} (chosen on train)"
    yield Line(name=name, annotator=SCANNED, policy=Scan(window=window))


def _said(annotator: Annotator, policy: LabelPolicy, replays: Replays) -> list[int | None]:
    return first_errors(labelled(replays.counts(annotator, RolloutCounts()).batch, policy))


def _noise(line: Line, replays: Replays, split: BankSplit, kept: Line) -> Noise:
    """One line on one split; `kept` says which solutions those of a line with `on` are."""
    bank = replays.bank
    said = _said(line.annotator, line.policy, replays)
    judge = _said(kept.annotator, kept.policy, replays) if line.on else said
    here = [i for i, first in enumerate(judge) if first is not None and said[i] is not None]
    labels = _Labels(line, replays)
    return Noise(
        line=line.name,
        split=split,
        kept=len(here) / max(1, len(said)),
        lengths=line.lengths,
        whole=labels.wrong(here),
        by_length=tuple(labels.wrong([i for i in here if _bin(bank, i) == n]) for n in range(len(LENGTHS))),
    )


def _bin(bank: Bank, i: int) -> int:
    return length_bin(len(bank.cases[i].solution.steps), LENGTHS)


class _Labels:
    """One line's labels, to be judged on some solutions or others."""

    def __init__(self, line: Line, replays: Replays) -> None:
        batch = replays.counts(line.annotator, RolloutCounts()).batch
        labels = labelled(batch, line.policy)
        self.bank = replays.bank
        self.said = first_errors(labels)
        self.marks = values_of(batch, labels, Reading.MARKS)
        # Progress is no probability: its distance from the truth means nothing.
        soft = line.policy.target is not LabelTarget.PROGRESS
        self.values = values_of(batch, labels, Reading.CHANCE) if soft else []

    def wrong(self, here: Sequence[int]) -> Wrong:
        """What is wrong with the solutions at these places."""
        truth, groups = self.bank.truth(), self.bank.groups()
        missed = [self.said[i] != truth[i] for i in here]
        low, high = share_interval(missed, [groups[i] for i in here])
        marks = self._pairs(self.marks, here)
        values = self._pairs(self.values, here) if self.values else []
        return Wrong(
            solutions=len(here),
            locations=sum(missed) / len(missed) if missed else None,
            low=low,
            high=high,
            steps=len(marks),
            marks=_share(marks, lambda mark, right: mark != right),
            false_plus=_share([one for one in marks if one[0]], lambda _, right: not right),
            false_minus=_share([one for one in marks if not one[0]], lambda _, right: right),
            distance=sum(abs(value - right) for value, right in values) / len(values) if values else None,
            f1=f1_among(self.said, self.bank, here).f1,
        )

    def _pairs(self, numbers: Sequence[tuple[float | None, ...]], here: Sequence[int]) -> list[tuple[float, bool]]:
        """Each label of a step and whether the step is right."""
        pairs = []
        for i in here:
            case = self.bank.cases[i]
            right = right_steps(case.record.problem.text, case.banked.text)
            pairs += [(number, held) for number, held in zip(numbers[i], right, strict=False) if number is not None]
        return pairs


def share_interval(hits: Sequence[bool], groups: Sequence[str]) -> tuple[float | None, float | None]:
    """95 % bootstrap of the share of hits that draws whole groups with replacement; None twice of nothing."""
    if not hits:
        return None, None
    _, member = np.unique(np.array(groups), return_inverse=True)
    hit, held = np.bincount(member, weights=hits), np.bincount(member)
    draws = np.random.default_rng(0).multinomial(len(held), np.full(len(held), 1 / len(held)), size=RESAMPLES)
    low, high = np.quantile((draws @ hit) / (draws @ held), (0.025, 0.975))
    return float(low), float(high)


def _share(pairs: Sequence[tuple[float, bool]], holds: Callable[[float, bool], bool]) -> float | None:
    return sum(holds(number, right) for number, right in pairs) / len(pairs) if pairs else None
