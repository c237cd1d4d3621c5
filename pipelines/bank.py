"""The outcome bank in use: read it, split it, replay a method on it, without a model.

    bank = read_bank("benchmarks/outcome_bank.parquet").part(BankSplit.TEST)
    replayed = replay(MathShepherd(k=8), bank, POLICIES["math_shepherd_hard"])
    first_error_f1([labels.first_error for labels in replayed.labels], bank.truth(), groups=bank.groups())

How a bank is made: `bank_building.py`. What it holds: `schemas/bank.py`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Final, TypeVar

from steplabel.annotators.annotation import Annotation, Annotator, ProblemAnnotator
from steplabel.annotators.banked import BankEngine, nodes_of
from steplabel.annotators.stepping import answer_by
from steplabel.engines.bundled.truth import Rule
from steplabel.labels.apply import label_evidence
from steplabel.labels.policies import LabelPolicy
from steplabel.pipelines.recipe import USUAL_STEPS
from steplabel.schemas import (
    CheckedOutcome,
    ConfigError,
    DataError,
    Evidence,
    SamplingParams,
    Solution,
    StepLabels,
    content_id,
)
from steplabel.schemas.bank import BankedProblem, BankedSolution, BankSplit, SolutionKind
from steplabel.schemas.codec import from_builtins
from steplabel.transforms.io import RawRow, read_rows, write_groups

T = TypeVar("T")
ROWS_PER_GROUP: Final = 64
"""Problems in one row group of the file: what is held in memory while it is read or written."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BankCase:
    """One solution of the bank: what a method is given, and the truth that it is not."""

    record: Evidence
    solution: Solution
    outcome: CheckedOutcome
    banked: BankedSolution


@dataclass(frozen=True, slots=True, kw_only=True)
class Bank:
    """A bank, or a part of one, ready to be replayed. Lists about solutions follow the order of `cases`.

    Attributes:
        records: one a problem: its solutions and their outcomes, as they are before a method asks anything.
        cases: all solutions, problem by problem.
        engine: answers the questions of programs; `engine.shifted` gives independent answers.
    """

    rows: tuple[BankedProblem, ...]
    records: tuple[Evidence, ...]
    cases: tuple[BankCase, ...]
    engine: BankEngine

    @classmethod
    def of(cls, rows: Iterable[BankedProblem]) -> Bank:
        """Rebuild problems and solutions. Raises DataError as `nodes_of` does."""
        rows = tuple(rows)
        cases = [_cases(row) for row in rows]
        return cls(
            rows=rows,
            records=tuple(one.record for same in cases for one in same[:1]),
            cases=tuple(one for same in cases for one in same),
            engine=BankEngine(nodes=nodes_of(rows)),
        )

    def part(self, split: BankSplit) -> Bank:
        """The problems of one split."""
        return Bank.of(row for row in self.rows if row.split is split)

    @property
    def sampling(self) -> SamplingParams | None:
        """How its rollouts were drawn; None of an empty bank."""
        return self.rows[0].sampling if self.rows else None

    @property
    def rollouts(self) -> int:
        """Rollouts that every prefix has: most that a method may ask of one."""
        return min((row.rollouts for row in self.rows), default=0)

    def truth(self, rule: Rule = "strict") -> list[int]:
        """True first error of each solution: 0-based, -1 for none."""
        strict = rule == "strict"
        return [c.banked.first_error if strict else c.banked.first_consequential for c in self.cases]

    def groups(self) -> list[str]:
        """Group id of each solution's problem: what stays together when resampling."""
        return [case.record.problem.group_id for case in self.cases]


def _cases(row: BankedProblem) -> tuple[BankCase, ...]:
    solutions = row.rebuilt()
    pairs = list(zip(solutions, row.solutions, strict=True))
    outcomes = tuple(row.checked(solution.id, banked.end, banked.answer) for solution, banked in pairs)
    record = Evidence(problem=row.problem, solutions=solutions, outcomes=outcomes)
    return tuple(
        BankCase(record=record, solution=solution, outcome=outcome, banked=banked)
        for (solution, banked), outcome in zip(pairs, outcomes, strict=True)
    )


def count_kinds(row: BankedProblem) -> Counter[SolutionKind]:
    """Solutions of each kind; equal texts count once, since they share all of their rollouts."""
    return Counter(solution.kind for solution in {s.text: s for s in row.solutions}.values())


def split_of(group_id: str, *, test_share: float) -> BankSplit:
    """The split of a group: it depends on the group's id alone, whatever else the bank holds."""
    place = int(content_id("bank split", group_id)[:8], 16) / 16**8
    return BankSplit.TEST if place < test_share else BankSplit.TRAIN


def write_bank(rows: Iterable[BankedProblem], path: str | Path) -> int:
    """Write one Parquet file, seen whole or not at all; return how many problems it holds."""
    return write_groups(_batches(rows, ROWS_PER_GROUP), BankedProblem, str(path))


def read_bank(path: str | Path) -> Bank:
    """Read a bank.

    Raises:
        ConfigError: there is no such file, or its name is not one of a Parquet file.
        DataError: it is damaged, or does not hold a bank.
    """
    if not Path(path).is_file():
        raise ConfigError(f"there is no outcome bank {str(path)!r}: `make bank` builds one")
    return Bank.of(_read_row(row) for row in read_rows(str(path)))


def _read_row(row: RawRow) -> BankedProblem:
    if row.data is None:
        raise DataError(f"{row.where}: {row.error}")
    return from_builtins(row.data, BankedProblem)


def _batches(items: Iterable[T], size: int) -> Iterator[Sequence[T]]:
    iterator = iter(items)
    while batch := list(islice(iterator, size)):
        yield batch


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What a method was told by a bank, before any view labels it.

    Attributes:
        evidence: one record a problem.
        annotations: one a program: how each ended.
    """

    evidence: tuple[Evidence, ...]
    annotations: tuple[Annotation, ...]

    @property
    def rollouts_per_solution(self) -> float:
        """Rollouts consumed for each solution; those that siblings share count for each of them."""
        counts = [count for record in self.evidence for count in _rollouts(record)]
        return sum(counts) / len(counts) if counts else 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Replay(Asked):
    """What a method found in a bank.

    Attributes:
        labels: one record for each of the bank's solutions, in the order of `Bank.cases`.
        (and those of `Asked`)
    """

    labels: tuple[StepLabels, ...]

    @property
    def tokens_per_solution(self) -> float:
        """Generated tokens consumed for each solution, counted in the same way."""
        return sum(one.tokens for one in self.labels) / len(self.labels) if self.labels else 0.0


def _rollouts(record: Evidence) -> Iterator[int]:
    """How many distinct rollouts start at the prefixes of each solution, the bare problem among them."""
    asked = Counter({r.key: r.node_key for r in record.rollouts}.values())
    for solution in record.solutions:
        yield sum(asked[key] for key in {record.problem.root_key, *solution.node_keys})


def ask(annotator: Annotator | ProblemAnnotator, bank: Bank, *, seed: int = 0, offset: int = 0) -> Asked:
    """Run an annotator over a bank. Equal arguments give equal records.

    Args:
        annotator: of solutions, or one of whole problems that asks for no samples. Its `sampling` must be None, or
            that of the bank; in a second bank (`bank_second.py`) None is that of the first.
        seed: the run's. No rollout depends on it; an annotator's own draws may.
        offset: the first of the bank's rollouts that it may see. Offsets that are as far apart as what it asks
            of one prefix give independent replications.

    Raises:
        ConfigError: the annotator asks for what a bank does not hold, or for more of it: see `BankEngine`. A search
            over whole problems goes on from its rollouts, whose texts are not kept.
    """
    _check_replayable(annotator)
    engine = bank.engine.shifted(offset)
    found = [_annotate(annotator, record, engine, seed) for record in bank.records]
    return Asked(
        evidence=tuple(_merged(record, own) for record, own in zip(bank.records, found, strict=True)),
        annotations=tuple(one for own in found for one in own),
    )


def replay(
    annotator: Annotator | ProblemAnnotator, bank: Bank, policy: LabelPolicy, *, seed: int = 0, offset: int = 0
) -> Replay:
    """Run an annotator and a label policy over a bank; arguments and errors are those of `ask`."""
    asked = ask(annotator, bank, seed=seed, offset=offset)
    labels = {one.solution_id: one for one in label_evidence(asked.evidence, policy)}
    return Replay(
        evidence=asked.evidence,
        annotations=asked.annotations,
        labels=tuple(labels[case.solution.id] for case in bank.cases),
    )


def _check_replayable(annotator: Annotator | ProblemAnnotator) -> None:
    """Refuse a search over a problem's tree: without texts it would end early, and look complete."""
    if isinstance(annotator, ProblemAnnotator) and annotator.most_samples(USUAL_STEPS) > 0:
        raise ConfigError(
            f"{annotator.name} searches whole problems and goes on from its rollouts: a bank, which keeps no texts, "
            "cannot replay it. Measure it live"
        )


def _annotate(
    annotator: Annotator | ProblemAnnotator, record: Evidence, engine: BankEngine, seed: int
) -> list[Annotation]:
    solved = list(zip(record.solutions, record.outcomes, strict=True))
    if isinstance(annotator, ProblemAnnotator):
        return [answer_by(annotator.problem_program(record.problem, solved, seed=seed), engine)]
    programs = (annotator.program(record.problem, solution, outcome, seed=seed) for solution, outcome in solved)
    return [answer_by(program, engine) for program in programs]


def _merged(record: Evidence, found: Sequence[Annotation]) -> Evidence:
    return record.merged(
        Evidence(
            problem=record.problem,
            solutions=tuple(solution for one in found for solution in one.solutions),
            rollouts=tuple(rollout for one in found for rollout in one.rollouts),
            outcomes=tuple(outcome for one in found for outcome in one.outcomes),
            observations=tuple(observation for one in found for observation in one.observations),
        )
    )
