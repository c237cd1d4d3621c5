"""What a method says about the solutions of a bank, and what it asked for."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, auto
from typing import TypeAlias

from steplabel.annotators.annotation import Annotator, ProblemAnnotator
from steplabel.annotators.banked import BankEngine
from steplabel.labels.apply import check_labels
from steplabel.labels.counting import Counting, counting_of
from steplabel.labels.policies import LabelPolicy
from steplabel.pipelines.bank import Bank, BankCase, ask
from steplabel.schemas.batches import (
    FIRST_ERROR_UNKNOWN,
    MARK_NEGATIVE,
    MARK_POSITIVE,
    EvidenceBatch,
    LabelBatch,
)


class Reading(Enum):
    """What a view's numbers are read as."""

    CHANCE = auto()
    """Values are the probability that the step is right."""
    MARKS = auto()
    """"+" is 1 and "-" is 0, whatever the values are: what hard labels claim."""
    SCORE = auto()
    """Larger is better, and no more: an advantage, a credit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """One method on one bank; lists follow `Bank.cases`.

    Attributes:
        first_errors: 0-based, -1 for none, None for not known.
        values: numbers of the steps from the first on, None where there is none; shorter than the solution
            where the method cuts it, empty where it gives none.
        rollouts, tokens: consumed for each solution, in the mean; shared ones count for each that shares them.
        seconds: processor time, of asking and labelling.
    """

    first_errors: list[int | None]
    values: list[tuple[float | None, ...]]
    rollouts: float
    tokens: float
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """An annotator's evidence, counted: what views label. Solutions follow `Bank.cases`.

    Attributes:
        rollouts: for each solution, in the mean. seconds: processor time of asking and counting.
    """

    batch: EvidenceBatch
    rollouts: float
    seconds: float

    @property
    def tokens(self) -> float:
        """Consumed for each solution, in the mean."""
        return float(self.batch.tokens.mean()) if self.batch.solutions else 0.0


class Replays:
    """A bank, and the counts of what was already asked of it: views of one annotator's evidence share them."""

    def __init__(self, bank: Bank) -> None:
        self.bank = bank
        self._held: dict[tuple[Annotator | ProblemAnnotator, Counting, int], Counts] = {}

    def counts(self, annotator: Annotator | ProblemAnnotator, counting: Counting, offset: int = 0) -> Counts:
        """What an annotator that may see the rollouts from `offset` on was told; equal questions are asked once."""
        key = (annotator, counting, offset)
        if key not in self._held:
            self._held[key] = self._asked(annotator, counting, offset)
        return self._held[key]

    def _asked(self, annotator: Annotator | ProblemAnnotator, counting: Counting, offset: int) -> Counts:
        begin = time.process_time()
        asked = ask(annotator, self.bank, offset=offset)
        batch = counting.count(asked.evidence, completer=None, checker=None)
        return Counts(batch=batch, rollouts=asked.rollouts_per_solution, seconds=time.process_time() - begin)


Measure: TypeAlias = Callable[[Replays, int, int], Found]
"""(bank, budget k, first rollout to use) -> what the method found."""


def replayed(
    annotator: Callable[[int], Annotator | ProblemAnnotator], policy: LabelPolicy, reading: Reading = Reading.CHANCE
) -> Measure:
    """An annotator of ours, made from its budget, under a label policy."""

    def measure(replays: Replays, k: int, offset: int) -> Found:
        counts = replays.counts(annotator(k), counting_of(policy), offset)
        begin = time.process_time()
        labels = labelled(counts.batch, policy)
        return Found(
            first_errors=first_errors(labels),
            values=values_of(counts.batch, labels, reading),
            rollouts=counts.rollouts,
            tokens=counts.tokens,
            seconds=counts.seconds + time.process_time() - begin,
        )

    return measure


def labelled(batch: EvidenceBatch, policy: LabelPolicy) -> LabelBatch:
    """Label a batch and check that the labels fit it, as `label_evidence` does."""
    labels = policy(batch)
    check_labels(batch, labels, policy)
    return labels


def first_errors(labels: LabelBatch) -> list[int | None]:
    """0-based, -1 for none, None for not known."""
    return [None if first == FIRST_ERROR_UNKNOWN else first for first in labels.first_error.tolist()]


def values_of(batch: EvidenceBatch, labels: LabelBatch, reading: Reading) -> list[tuple[float | None, ...]]:
    """Each solution's numbers, as far as its steps are kept."""
    numbers = _marks(labels) if reading is Reading.MARKS else labels.values.tolist()
    kept = labels.kept.tolist()
    spans = zip(batch.offsets[:-1].tolist(), batch.offsets[1:].tolist(), strict=True)
    return [
        tuple(None if math.isnan(numbers[i]) else numbers[i] for i in range(begin, end) if kept[i])
        for begin, end in spans
    ]


def _marks(labels: LabelBatch) -> list[float]:
    told = {MARK_POSITIVE: 1.0, MARK_NEGATIVE: 0.0}
    return [told.get(mark, math.nan) for mark in labels.marks.tolist()]


class Asking:
    """Rollouts of one solution's prefixes, read straight from the bank, and their cost."""

    def __init__(self, engine: BankEngine, case: BankCase) -> None:
        self._engine = engine
        self._keys = (case.record.problem.root_key, *case.solution.node_keys)
        self.rollouts = self.tokens = 0

    def ends(self, depth: int, n: int, *, start: int = 0) -> str:
        """How samples `start .. start + n - 1` of the first `depth` steps ended: letters of `schemas.bank.ENDS`."""
        node = self._engine.node(self._keys[depth])
        at = self._engine.positions(node, start, n)
        self.rollouts += n
        self.tokens += sum(node.prefix.tokens[at.start : at.stop])
        return node.prefix.ends[at.start : at.stop]


def one_by_one(locate: Callable[[BankCase, Asking, int], int | None]) -> Measure:
    """A method that looks at each solution by itself and says where its first error is."""

    def measure(replays: Replays, k: int, offset: int) -> Found:
        begin = time.process_time()
        bank = replays.bank
        engine = bank.engine.shifted(offset)
        asking = [Asking(engine, case) for case in bank.cases]
        firsts = [locate(case, own, k) for case, own in zip(bank.cases, asking, strict=True)]
        return Found(
            first_errors=firsts,
            values=[() for _ in firsts],
            rollouts=sum(own.rollouts for own in asking) / max(1, len(asking)),
            tokens=sum(own.tokens for own in asking) / max(1, len(asking)),
            seconds=time.process_time() - begin,
        )

    return measure
