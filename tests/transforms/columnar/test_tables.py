"""Labels from columns are the labels from records: row by row, under every policy, for evidence of every kind."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest

from steplabel.labels.counting import Counted, RolloutCounts, SiblingCounts
from steplabel.labels.estimation import HardAny, Soft
from steplabel.labels.policies import POLICIES, PROBE
from steplabel.schemas import (
    CheckedOutcome,
    DataError,
    Evidence,
    FinishReason,
    GoldAnswer,
    LabelRow,
    Message,
    Observation,
    Outcome,
    Problem,
    Reject,
    Role,
    Rollout,
    RunInfo,
    SamplingParams,
    Solution,
    SolutionSource,
    Step,
    StepKind,
    Verdict,
    content_id,
    make_solution,
)
from steplabel.schemas.arrow import from_table
from steplabel.schemas.batches import BoolArray, EvidenceBatch, LabelBatch
from steplabel.schemas.columns import NotColumnarError
from steplabel.schemas.problem import ContentPart
from steplabel.transforms.columnar.evidence import COLUMNS, read_tables
from steplabel.transforms.columnar.tables import label_tables, tables_wanted
from steplabel.transforms.dataset import ChunkEntry, ChunkName, Manifest, OutputFolder
from steplabel.transforms.evidence_files import read_evidence
from steplabel.transforms.label import Labelling, derive_labels
from steplabel.transforms.write import TableRow, evidence_records, write_table

RUN = RunInfo(run_id="r", recipe="x", code_version="0", config_hash="h")
MANIFEST = Manifest(run=RUN, config="{}", schemas={}, licences={}, completer="", account="", chunk_size=10)
Chunk = tuple[OutputFolder, ChunkEntry]


@dataclass(frozen=True, kw_only=True)
class Kind:
    """What a chunk of scripted evidence is like.

    Attributes:
        hashed: whether keys are content ids; others are words of any length, as imported data sets have them.
        checkers: who judged: names and versions.
        observed: how many observations for each solution, at most.
        twins: whether every other problem is asked twice, with another gold answer.
    """

    seed: int = 0
    hashed: bool = True
    problems: int = 6
    checkers: Sequence[tuple[str, str]] = (("answer", "1"),)
    completers: Sequence[str] = ("m",)
    observed: int = 0
    twins: bool = False
    probed: bool = False


KINDS = {
    "plain": Kind(),
    "words for keys": Kind(hashed=False, twins=True, observed=3),
    "several checkers": Kind(checkers=(("answer", "0.9"), ("answer", "0.10"), ("zeal", "7"), ("imported", "")), seed=1),
    "another's checker": Kind(checkers=(("imported", "1"), ("judge", "2"))),
    "several completers": Kind(completers=("m", "a", "z"), seed=2),
    "probes": Kind(probed=True, twins=True, seed=3, completers=("m", "z")),
    "observations": Kind(observed=12, twins=True, seed=4),
    "everything": Kind(
        problems=20,
        checkers=(("answer", "1"), ("answer", "2"), ("imported", "")),
        completers=("m", "z"),
        observed=6,
        twins=True,
        probed=True,
        seed=5,
    ),
}


class Scripted:
    """Draws evidence: solutions that share prefixes, rollouts here and there, outcomes of every sort, or none."""

    def __init__(self, kind: Kind) -> None:
        self.kind = kind
        self.draw = random.Random(kind.seed)

    def evidence(self) -> list[Evidence]:
        """One record a problem."""
        made = []
        for number in range(self.kind.problems):
            problem = self.problem(number)
            made.append(self.about(problem, number))
            if self.kind.twins and number % 2:
                made.append(self.about(replace(problem, id=f"twin of {problem.id}", gold=None), number))
        return made

    def problem(self, number: int) -> Problem:
        """Some as chat, some without a gold answer."""
        part = ContentPart(text=f"And {number}?")
        return Problem(
            id=f"{self.draw.choice('äzB9')}{number}",
            text=f"Question {number}",
            messages=(Message(role=Role.USER, parts=(part,)),) if number % 3 == 0 else (),
            gold=None if number % 4 == 3 else GoldAnswer(text=str(number)),
            group_id=f"g{number // 2}",
            domain=self.draw.choice(["", "maths"]),
            source_row='{"a": 1}',
        )

    def about(self, problem: Problem, number: int) -> Evidence:
        """Twins are drawn alike up to the outcomes: they share keys and differ in what was said."""
        alike = random.Random(f"{self.kind.seed} {number}")
        solutions = tuple(self.solution(problem, alike, index) for index in range(alike.randrange(5)))
        rollouts = tuple(self.rollouts(problem, solutions, alike))
        subjects = [*(s.id for s in solutions), *(r.key for r in rollouts)]
        return Evidence(
            problem=problem,
            solutions=solutions,
            rollouts=rollouts,
            outcomes=tuple(outcome for subject in subjects for outcome in self.outcomes(subject)),
            observations=tuple({o.key: o for o in self.observations(problem, solutions)}.values()),
        )

    def solution(self, problem: Problem, draw: random.Random, index: int) -> Solution:
        """Steps from a small stock, so that prefixes are shared and results repeat."""
        stock = ["a = 1\n", "so 2 + 2 = 4\n", "b = 1/2\n", "no number\n", "hence 50%\n"]
        steps = [Step(text=draw.choice(stock[:2]))]
        steps += [Step(text=draw.choice(stock), kind=draw.choice(_KINDS)) for _ in range(draw.randrange(6))]
        return make_solution(
            problem,
            tuple(steps),
            policy=draw.choice(["", "writer"]),
            policy_licence=draw.choice(["", "MIT", "Apache-2.0"]),
            source=draw.choice(list(SolutionSource)),
            index=index,
            final_answer=draw.choice([None, "4"]),
        )

    def rollouts(self, problem: Problem, solutions: Sequence[Solution], draw: random.Random) -> list[Rollout]:
        """At the steps' ends, at the bare problem, and of prefixes that are no solution's."""
        prefixes = [problem.root_key, "of nobody", *(key for s in solutions for key in s.node_keys)]
        asked = [(key, "") for key in dict.fromkeys(prefixes) if draw.random() < 0.7]
        if self.kind.probed:
            asked += [(key, PROBE) for key, _ in asked if draw.random() < 0.7]
        return [
            self.rollout(problem, key, index, probe, draw)
            for key, probe in asked
            for index in range(draw.randrange(1, 5))
        ]

    def rollout(self, problem: Problem, key: str, index: int, probe: str, draw: random.Random) -> Rollout:
        """One rollout; its key does not say whose problem it is."""
        completer = draw.choice(list(self.kind.completers))
        return Rollout(
            key=content_id("t", key, probe, index) if self.kind.hashed else f"{key} {probe} {index}",
            node_key=key,
            problem_id=problem.id,
            completer=completer,
            sampling=SamplingParams(),
            seed=0,
            index=index,
            text="so it goes",
            finish_reason=FinishReason.STOP,
            completion_tokens=draw.randrange(20),
            probe=probe,
        )

    def outcomes(self, subject: str) -> list[CheckedOutcome]:
        """Of every checker, or of some, or of none."""
        return [self.outcome(subject, *who) for who in self.kind.checkers if self.draw.random() < 0.8]

    def outcome(self, subject: str, checker: str, version: str) -> CheckedOutcome:
        """Right, wrong, or unknown for one of several reasons."""
        word = self.draw.choice(list(Outcome))
        reasons = ["no_answer: nothing boxed", "length", " length ", "timeout", ""]
        return CheckedOutcome(
            subject=subject,
            checker=checker,
            checker_version=version,
            outcome=word,
            reason=self.draw.choice(reasons) if word is Outcome.UNKNOWN else "exact",
            answer=self.draw.choice([None, "4", "5"]),
        )

    def observations(self, problem: Problem, solutions: Sequence[Solution]) -> list[Observation]:
        """Several of one source about one state among them, that agree or do not, free and paid ones."""
        subjects = [problem.root_key, "of nobody"] + [key for s in solutions for key in (s.id, *s.node_keys)]
        return [self.observation(subjects) for _ in range(self.draw.randrange(len(solutions) * self.kind.observed + 1))]

    def observation(self, subjects: Sequence[str]) -> Observation:
        """One statement; its evidence tells repeats apart, sometimes."""
        return Observation(
            subject=self.draw.choice(subjects),
            source=self.draw.choice(["judge", "mcts", "mcts_route", "omegaprm", "gold_logprob", "logic", "arithmetic"]),
            source_version=self.draw.choice(["1", "0.10", "0.9"]),
            verdict=self.draw.choice(list(Verdict)),
            score=self.draw.choice([None, 0.1, 0.7, 1 / 3]),
            evidence=self.draw.choice(_EVIDENCE),
            cost_tokens=self.draw.choice([0, 0, 5, 11]),
        )


_EVIDENCE = ["", "x", '{"completer":"other"}', '{"change":0.5,"completer":"m"}', '{"completer":""}']
_KINDS = [StepKind.TEXT, StepKind.TEXT, StepKind.OBSERVATION, StepKind.CODE]


def committed(folder: OutputFolder, evidence: Sequence[Evidence], more: Sequence[TableRow] = ()) -> ChunkEntry:
    """The evidence as a chunk of a dataset, with further rows."""
    tables: dict[str, list[bytes]] = {}
    for table, data in (*(row for one in evidence for row in evidence_records(one)), *more):
        tables.setdefault(table, []).append(data)
    folder.stage(0)
    staged = [write_table(table, rows, folder, 0) for table, rows in tables.items()]
    (chunk,) = folder.commit(MANIFEST, ChunkName(index=0, key="k", rows=1), staged, complete=True).chunks
    return chunk


@pytest.fixture(scope="module", params=[pytest.param(kind, id=name) for name, kind in KINDS.items()])
def chunk(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Chunk:
    folder = OutputFolder(str(tmp_path_factory.mktemp("scripted")))
    return folder, committed(folder, Scripted(request.param).evidence())


def from_records(chunk: Chunk, how: Labelling, without: frozenset[str]) -> tuple[list[LabelRow], list[Reject]]:
    """What records say, in the order of files."""
    evidence = [one for one in read_evidence(*chunk) if one.problem.id not in without]
    derived = list(derive_labels(evidence, how))
    rows = [one for one in derived if isinstance(one, LabelRow)]
    return sorted(rows, key=lambda r: (r.problem_id, r.solution_id)), [d for d in derived if isinstance(d, Reject)]


def from_columns(chunk: Chunk, how: Labelling, without: frozenset[str]) -> tuple[list[LabelRow], list[Reject]]:
    """What columns say."""
    table, rejects = label_tables(read_tables(*chunk, tables_wanted(how.policy)), how, without=without)
    return ([] if table is None else from_table(table, LabelRow)), rejects


@pytest.mark.parametrize("name", POLICIES)
def test_columns_say_what_records_say(chunk: Chunk, name: str) -> None:
    """Rows and rejects are equal, in content and in order."""
    how = Labelling(policy=POLICIES[name], run=RUN, completer_licence="MIT")
    rows, rejects = from_records(chunk, how, frozenset())
    found, refused = from_columns(chunk, how, frozenset())
    assert found == rows
    assert refused == rejects


@pytest.mark.parametrize("name", ["soft", "tempo"])
def test_problems_that_were_filtered_out_get_neither_rows_nor_rejects(chunk: Chunk, name: str) -> None:
    """Their evidence is kept, and says nothing about other problems."""
    how = Labelling(policy=POLICIES[name], run=RUN)
    ids = [one.problem.id for one in read_evidence(*chunk)]
    without = frozenset(ids[::2])
    assert from_columns(chunk, how, without) == from_records(chunk, how, without)
    rows, _ = from_columns(chunk, how, without)
    assert not without & {row.problem_id for row in rows}


def test_the_named_checker_is_heard_first(chunk: Chunk) -> None:
    """Whoever it is: what others say counts where it is silent."""
    for checker in ("answer", "imported", "nobody"):
        how = Labelling(policy=HardAny(gate_outcome=True), run=RUN, checker=checker)
        assert from_columns(chunk, how, frozenset()) == from_records(chunk, how, frozenset())


def test_answers_to_another_text_are_counted_by_their_own_probe(chunk: Chunk) -> None:
    """Where nobody was asked, nothing but a solution's own outcome speaks, by columns as by records."""
    how = Labelling(policy=Counted(policy=Soft(), counting=RolloutCounts(probe="So: ")), run=RUN)
    rows, rejects = from_columns(chunk, how, frozenset())
    assert (rows, rejects) == from_records(chunk, how, frozenset())
    assert {source for row in rows for source in row.label_sources} <= {"outcome"}


def test_sibling_counts_read_no_rollouts() -> None:
    """What nobody counts is not read."""
    assert set(tables_wanted(POLICIES["tempo"])) == set(COLUMNS) - {"rollouts"}
    assert set(tables_wanted(POLICIES["soft"])) == set(COLUMNS)


class OwnCounting(RolloutCounts):
    """A user's own way of counting."""


def by_length(step: Step) -> str:
    """A result of steps that is a user's own."""
    return str(len(step.text))


@pytest.mark.parametrize("counting", [SiblingCounts(result=by_length), OwnCounting()], ids=["result", "subclass"])
def test_ways_of_counting_that_know_records_only_are_refused(counting: Any) -> None:
    """Whatever a user's own result of steps reads, or way of counting counts, it gets records."""
    with pytest.raises(NotColumnarError, match="counts records"):
        tables_wanted(Counted(policy=Soft(), counting=counting))


@pytest.mark.parametrize(
    ("table", "why"),
    [
        pytest.param("outcomes", "two statements", id="one checker and version says two things"),
        pytest.param("problems", "two problems", id="two problems of one id"),
        pytest.param("solutions", "two solutions", id="a solution twice"),
    ],
)
def test_what_only_records_can_settle_is_refused(tmp_path: Path, table: str, why: str) -> None:
    """Such evidence is never written by a run; who writes it gets his labels from records."""
    folder = OutputFolder(str(tmp_path))
    evidence = Scripted(Kind()).evidence()
    rows = [data for one in evidence for name, data in evidence_records(one) if name == table]
    chunk = committed(folder, evidence, more=[(table, rows[0])])
    with pytest.raises(NotColumnarError, match=why):
        label_tables(read_tables(folder, chunk), Labelling(policy=Soft(), run=RUN))


def test_rows_of_problems_that_are_not_there_are_passed_over(tmp_path: Path) -> None:
    """As records pass over them: a problem's evidence without the problem cannot be labelled."""
    folder = OutputFolder(str(tmp_path))
    first, second, *rest = Scripted(KINDS["everything"]).evidence()
    lost = [row for row in evidence_records(second) if row[0] != "problems"]
    chunk = folder, committed(folder, [first, *rest], more=lost)
    how = Labelling(policy=Soft(), run=RUN)
    assert from_columns(chunk, how, frozenset()) == from_records(chunk, how, frozenset())


@pytest.mark.parametrize("table", ["rollouts", "observations"])
def test_what_is_there_twice_counts_once(tmp_path: Path, table: str) -> None:
    """Rollouts and tokens, as records count them."""
    evidence = Scripted(KINDS["everything"]).evidence()
    twice = [row for one in evidence for row in evidence_records(one) if row[0] == table]
    how = Labelling(policy=Soft(), run=RUN)
    once = from_columns((folder := OutputFolder(str(tmp_path / "1")), committed(folder, evidence)), how, frozenset())
    again = OutputFolder(str(tmp_path / "2")), committed(OutputFolder(str(tmp_path / "2")), evidence, more=twice)
    assert from_columns(again, how, frozenset()) == from_records(again, how, frozenset()) == once


@pytest.mark.parametrize("name", POLICIES)
def test_solutions_alone(tmp_path: Path, name: str) -> None:
    """As a run leaves them that asked nobody: neither rollouts nor observations."""
    folder = OutputFolder(str(tmp_path))
    evidence = [replace(one, rollouts=(), observations=()) for one in Scripted(Kind()).evidence()]
    chunk = folder, committed(folder, evidence)
    how = Labelling(policy=POLICIES[name], run=RUN)
    assert from_columns(chunk, how, frozenset()) == from_records(chunk, how, frozenset())


def test_a_chunk_without_solutions_has_no_labels(tmp_path: Path) -> None:
    """Problems alone, as a run leaves them that sampled nothing."""
    folder = OutputFolder(str(tmp_path))
    chunk = committed(folder, [Evidence(problem=Problem(id="p", text="?"))])
    assert label_tables(read_tables(folder, chunk), Labelling(policy=Soft(), run=RUN)) == (None, [])


class Spoilt(Soft):
    """A policy whose labels are spoilt on their way."""

    spoil: ClassVar[Callable[[LabelBatch], LabelBatch]]

    def __call__(self, batch: EvidenceBatch) -> LabelBatch:
        """Labels that no row could hold."""
        return type(self).spoil(super().__call__(batch))


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        pytest.param(lambda labels: replace(labels, marks=labels.marks[1:]), "arrays of", id="too short"),
        pytest.param(lambda labels: replace(labels, kept=_holes(labels)), "cuts the one before", id="holes"),
        pytest.param(lambda labels: replace(labels, values=labels.values + np.inf), "not finite", id="infinite"),
        pytest.param(
            lambda labels: replace(labels, first_error=labels.first_error + 99), "behind the last", id="error too late"
        ),
    ],
)
def test_labels_that_no_row_can_hold_are_refused(
    tmp_path: Path, spoil: Callable[[LabelBatch], LabelBatch], message: str
) -> None:
    """As records refuse them: they never reach a file."""
    folder = OutputFolder(str(tmp_path))
    chunk = folder, committed(folder, Scripted(Kind()).evidence())
    policy = type("SpoiltSoft", (Spoilt,), {"spoil": staticmethod(spoil)})()
    for derive in (from_columns, from_records):
        with pytest.raises(DataError, match=message if derive is from_columns else None):
            derive(chunk, Labelling(policy=policy, run=RUN), frozenset())


def _holes(labels: LabelBatch) -> BoolArray:
    """Every other step is cut."""
    return np.asarray(np.arange(len(labels.kept)) % 2 == 1)
