"""The bank is what the model did, costs nothing twice, and replays as the model itself would answer."""

from __future__ import annotations

import asyncio
import os
import random
import shutil
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from steplabel.annotators import (
    Annotation,
    AnnotationStatus,
    MathShepherd,
    OmegaPRMLocate,
    Program,
    Sample,
    answer_by,
)
from steplabel.annotators.annotation import Solved
from steplabel.engines import GenerateRequest, ScriptedEngine
from steplabel.engines.bundled.solver import sloppy
from steplabel.engines.bundled.task import parse_problem
from steplabel.engines.bundled.truth import check_solution, first_wrong
from steplabel.labels import POLICIES, label_evidence
from steplabel.pipelines import bank_building
from steplabel.pipelines.bank import Bank, count_kinds, read_bank, replay, split_of, write_bank
from steplabel.pipelines.bank_asking import BankReport
from steplabel.pipelines.bank_building import build_bank
from steplabel.pipelines.bank_plan import BankPlan, Quota, RolloutsWanted
from steplabel.pipelines.bank_second import build_second
from steplabel.pipelines.generated import problem_rows
from steplabel.pipelines.models import model_use
from steplabel.schemas import (
    NO_ERROR,
    ConfigError,
    DataError,
    EngineError,
    Evidence,
    Outcome,
    Problem,
    StepLabels,
)
from steplabel.schemas.bank import ENDS, BankSplit, SolutionKind
from steplabel.transforms.io import write_groups
from steplabel.transforms.prompts import PromptTemplate
from steplabel.transforms.sampler import Sampler
from steplabel.verifiers import AnswerChecker
from tests.processes import wait_until

SOLVER = "scripted:steplabel.engines.bundled.solver:sloppy"
QUOTA = Quota(solutions=40, clean=14, erroneous=12, lucky=2)
PLAN = BankPlan(use=model_use(SOLVER), rollouts=8, quota=QUOTA)
QUIET = Console(quiet=True)


@dataclass(frozen=True)
class Built:
    report: BankReport
    path: Path
    store: Path
    bank: Bank


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built:
    """A small bank of the scripted solver."""
    folder = tmp_path_factory.mktemp("bank")
    store, path = folder / "store.sqlite", folder / "bank.parquet"
    report = build_bank(PLAN, store=store, output=path, console=QUIET)
    return Built(report=report, path=path, store=store, bank=read_bank(path))


# What is in it.


def test_quota_is_met_and_reported(built: Built) -> None:
    """The report counts what the file holds, and every kind is there in the number wanted."""
    kinds: Counter[SolutionKind] = sum((count_kinds(row) for row in built.bank.rows), Counter())
    assert built.report.kinds == dict(kinds)
    assert kinds.total() >= QUOTA.solutions
    assert kinds[SolutionKind.CLEAN] >= QUOTA.clean
    assert kinds[SolutionKind.LUCKY] >= QUOTA.lucky
    assert kinds[SolutionKind.FAILED] + kinds[SolutionKind.LUCKY] >= QUOTA.erroneous
    assert built.report.problems == len(built.bank.rows) < built.report.seen
    assert built.report.solutions == len(built.bank.cases) == 4 * len(built.bank.rows)


def test_truth_is_exact(built: Built) -> None:
    """Strict and consequential first errors are those of the task's own judge; kinds follow from the first."""
    for case, strict, late in zip(built.bank.cases, built.bank.truth(), built.bank.truth("consequential"), strict=True):
        judged = check_solution(parse_problem(case.record.problem.text), [s.text for s in case.solution.steps])
        assert (strict, late) == (first_wrong(judged), first_wrong(judged, "consequential"))
        right = case.outcome.outcome is Outcome.CORRECT
        expected = {(True, True): SolutionKind.CLEAN, (True, False): SolutionKind.UNFINISHED} | {
            (False, True): SolutionKind.LUCKY,
            (False, False): SolutionKind.FAILED,
        }
        assert case.banked.kind is expected[strict == NO_ERROR, right]


def test_every_prefix_stands_once_with_all_its_rollouts(built: Built) -> None:
    """Root and all prefixes of all solutions, shared ones once, each with as many rollouts as planned."""
    for row in built.bank.rows:
        solutions = row.rebuilt()
        keys = row.node_keys(solutions)
        assert len(keys) == len(set(keys))
        assert set(keys) == {row.problem.root_key, *chain.from_iterable(s.node_keys for s in solutions)}
        assert {len(prefix.ends) for prefix in row.prefixes} == {PLAN.rollouts}
    assert built.report.prefixes == sum(len(row.prefixes) for row in built.bank.rows)
    assert built.report.rollouts == PLAN.rollouts * built.report.prefixes
    paths = sum(1 + len(case.solution.steps) for case in built.bank.cases)
    assert built.report.prefixes < 0.6 * paths, "siblings share most of what they are made of"


def test_rollouts_tell_right_prefixes_from_wrong_ones(built: Built) -> None:
    """Completions of right prefixes mostly succeed, of wrong ones rarely; of whole solutions as they ended."""
    shares: dict[bool, list[float]] = {True: [], False: []}
    for case in built.bank.cases:
        for depth, key in enumerate(case.solution.node_keys, start=1):
            ends = [ENDS[end][0] for end in built.bank.engine.node(key).prefix.ends]
            if depth == len(case.solution.node_keys):
                assert set(ends) == {case.outcome.outcome}
            else:
                wrong = 0 <= case.banked.first_error < depth
                shares[not wrong].append(ends.count(Outcome.CORRECT) / len(ends))
    assert sum(shares[True]) / len(shares[True]) > 0.6
    assert sum(shares[False]) / len(shares[False]) < 0.4


def test_problems_that_pass_the_filter_only(built: Built) -> None:
    """Each problem has right and wrong solutions, as those that a run labels."""
    for record in built.bank.records:
        assert {o.outcome for o in record.outcomes} >= {Outcome.CORRECT, Outcome.WRONG}


# Choosing.


@pytest.mark.parametrize(
    ("held", "wanted"),
    [
        ({}, set(SolutionKind)),
        ({"clean": 39}, set(SolutionKind)),
        ({"clean": 28, "failed": 10, "lucky": 2}, set()),
        ({"clean": 13, "failed": 25, "lucky": 2}, {"clean"}),
        ({"clean": 30, "failed": 9, "lucky": 1}, {"failed", "lucky"}),
        ({"clean": 20, "failed": 20, "lucky": 1}, {"lucky"}),
        ({"clean": 40}, {"failed", "lucky"}),
    ],
)
def test_what_is_still_wanted(held: dict[str, int], wanted: set[str]) -> None:
    """Every kind until the bank has its size; then only those that are missing."""
    counts = Counter({SolutionKind(kind): count for kind, count in held.items()})
    assert QUOTA.wanted(counts) == wanted


def test_a_rare_kind_is_sought_without_paying_for_others(tmp_path: Path) -> None:
    """When only right answers with errors are missing, a problem without one is passed over before its rollouts."""
    quota = Quota(solutions=10, clean=1, erroneous=1, lucky=4)
    plan = replace(PLAN, quota=quota, rollouts=1)
    build_bank(plan, store=tmp_path / "s.sqlite", output=tmp_path / "b.parquet", console=QUIET)
    held: Counter[SolutionKind] = Counter()
    for row in read_bank(tmp_path / "b.parquet").rows:
        wanted, kinds = quota.wanted(held), count_kinds(row)
        assert wanted & kinds.keys()
        held += kinds
    assert held[SolutionKind.LUCKY] >= 4
    assert not quota.wanted(held)


def test_a_question_that_comes_twice_is_taken_once(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Generated problems of one step repeat themselves, one in thousands: a bank of them can still be read."""

    def stuttering(**arguments: Any) -> Iterator[dict[str, str]]:
        for row in problem_rows(**arguments):
            yield row
            yield row | {"id": f"{row['id']} again"}

    monkeypatch.setattr(bank_building, "problem_rows", stuttering)
    build_bank(PLAN, store=tmp_path / "s.sqlite", output=tmp_path / "b.parquet", console=QUIET)
    rows = read_bank(tmp_path / "b.parquet").rows
    assert rows
    assert not any(row.problem.id.endswith("again") for row in rows)


def test_a_model_that_brings_no_errors_ends_with_a_clear_message(tmp_path: Path) -> None:
    """A quota that cannot be met ends; it does not sample for ever, and leaves no bank behind."""
    plan = replace(PLAN, quota=Quota(solutions=5, lucky=1000), most_problems=70)
    with pytest.raises(ConfigError, match="70 problems brought only"):
        build_bank(plan, store=tmp_path / "s.sqlite", output=tmp_path / "b.parquet", console=QUIET)
    assert not (tmp_path / "b.parquet").exists()


@pytest.mark.parametrize("fields", [{"rollouts": 0}, {"solutions": 0}, {"in_flight": 0}, {"test_share": 1.5}])
def test_plans_that_cannot_work_are_refused(fields: dict[str, Any]) -> None:
    """The message holds the offending value."""
    with pytest.raises(ConfigError, match=str(next(iter(fields.values())))):
        replace(PLAN, **fields)


# Paying once.


def test_a_second_build_pays_nothing_and_writes_the_same_bytes(built: Built, tmp_path: Path) -> None:
    """From the store alone: no token more, the same file."""
    again = build_bank(PLAN, store=built.store, output=tmp_path / "again.parquet", console=QUIET)
    assert again == built.report
    assert (tmp_path / "again.parquet").read_bytes() == built.path.read_bytes()


def test_a_larger_bank_begins_like_a_smaller_one(built: Built, tmp_path: Path) -> None:
    """More rollouts of each prefix continue those that were paid for."""
    larger, store = replace(PLAN, rollouts=12, in_flight=3), tmp_path / "store.sqlite"
    shutil.copy(built.store, store)
    report = build_bank(larger, store=store, output=tmp_path / "larger.parquet", console=QUIET)
    for row, small in zip(read_bank(tmp_path / "larger.parquet").rows, built.bank.rows, strict=True):
        for prefix, held in zip(row.prefixes, small.prefixes, strict=True):
            assert (prefix.ends[:8], prefix.tokens[:8]) == (held.ends, held.tokens)
    assert report.tokens < 1.7 * built.report.tokens


class FlakySolver:
    """The scripted solver, with an engine that fails for every fourth request until `mended`."""

    mended = False
    calls = 0

    @classmethod
    def solve(cls, request: GenerateRequest, index: int, seed: int) -> str:
        if index == request.start:
            cls.calls += 1
        if not cls.mended and request.prefix and cls.calls % 4 == 0:
            raise EngineError("the server is gone")
        return sloppy(request, index, seed)


@dataclass(frozen=True, slots=True)
class FlakySpec:
    def open(self) -> ScriptedEngine:
        return ScriptedEngine(FlakySolver.solve)


def test_a_failing_engine_writes_no_bank_and_the_next_call_goes_on(built: Built, tmp_path: Path) -> None:
    """Failed requests are no wrong answers: nothing is written until all have been answered."""
    plan = replace(PLAN, use=replace(PLAN.use, engine=FlakySpec()))
    store, path = tmp_path / "s.sqlite", tmp_path / "b.parquet"
    with pytest.raises(EngineError, match="the server is gone") as caught:
        build_bank(plan, store=store, output=path, console=QUIET)
    assert "run it again" in caught.value.__notes__[0]
    assert not path.exists()
    FlakySolver.mended = True
    report = build_bank(plan, store=store, output=path, console=QUIET)
    assert report.tokens == built.report.tokens, "what came before the failure was not paid for again"
    for row, same in zip(read_bank(path).rows, built.bank.rows, strict=True):
        assert row.prefixes == same.prefixes


@pytest.mark.slow
def test_killed_the_build_goes_on_and_pays_nothing_twice(repository: Path, tmp_path: Path) -> None:
    """kill -9 at three moments: the same bank in the end, and hardly a sample drawn twice."""
    whole, killed = Site(tmp_path / "whole", repository), Site(tmp_path / "killed", repository)
    whole.finish()
    rng = random.Random(3)
    for share in (0.1, 0.4, 0.8):
        killed.kill_after(int(share * whole.asked().total()) + rng.randint(0, 20))
        assert not killed.output.exists()
    killed.finish()
    assert killed.output.read_bytes() == whole.output.read_bytes()
    asked = killed.asked()
    assert asked.keys() == whole.asked().keys()
    # What a kill may cost: what was drawn within the store's 50 ms of write-behind, at 2 ms a sample.
    assert asked.total() - len(asked) <= 3 * 100


@dataclass(frozen=True)
class Site:
    """A build in a process of its own, and the log of what its model was asked."""

    folder: Path
    repository: Path

    @property
    def output(self) -> Path:
        return self.folder / "bank.parquet"

    def start(self) -> subprocess.Popen[bytes]:
        self.folder.mkdir(exist_ok=True)
        sizes = ["--rollouts", "4", "--solutions", "12", "--clean", "4", "--erroneous", "4", "--lucky", "0"]
        place = ["--output", str(self.output), "--store", str(self.folder / "store.sqlite"), "--in-flight", "1"]
        helpers = str(Path(__file__).parent)
        paths = os.pathsep.join(filter(None, (helpers, os.environ.get("PYTHONPATH"))))
        return subprocess.Popen(
            [sys.executable, "benchmarks/outcome_bank.py", "--engine", "scripted:logged_solver:solve", *sizes, *place],
            cwd=self.repository,
            env=os.environ | {"STEPLABEL_TEST_LOG": str(self.folder / "log"), "PYTHONPATH": paths},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    def finish(self) -> None:
        assert self.start().wait(timeout=300) == 0

    def kill_after(self, samples: int) -> None:
        process = self.start()
        wait_until(lambda: self.asked().total() >= samples or process.poll() is not None, "it did not get anywhere")
        assert process.poll() is None, "the build ended before it was killed"
        process.send_signal(signal.SIGKILL)
        process.wait()

    def asked(self) -> Counter[str]:
        log = self.folder / "log"
        lines = log.read_text().splitlines() if log.exists() else []
        return Counter(line.split()[0] for line in lines)


# A second completer.


WARM = replace(PLAN.use, sampling=replace(PLAN.use.sampling, temperature=0.5))
WANTED = RolloutsWanted(use=WARM, rollouts=6)


def second(built: Built, folder: Path, wanted: RolloutsWanted = WANTED) -> Bank:
    output = folder / "second.parquet"
    build_second(wanted, of=built.path, store=folder / "second.sqlite", output=output, console=QUIET)
    return read_bank(output)


def test_a_second_bank_holds_the_same_solutions_and_other_rollouts(built: Built, tmp_path: Path) -> None:
    """Ids, outcomes, truth and split are the first bank's; the rollouts' sampling is the completer's own."""
    other = second(built, tmp_path)
    assert [case.solution for case in other.cases] == [case.solution for case in built.bank.cases]
    assert [case.outcome for case in other.cases] == [case.outcome for case in built.bank.cases]
    assert other.truth() == built.bank.truth()
    assert [row.split for row in other.rows] == [row.split for row in built.bank.rows]
    assert (other.rollouts, built.bank.rollouts) == (6, 8)
    assert (other.sampling, built.bank.sampling) == (WARM.sampling, PLAN.use.sampling)
    for row, first in zip(other.rows, built.bank.rows, strict=True):
        mine, theirs = ([(p.solution, p.depth) for p in one.prefixes] for one in (row, first))
        assert mine == theirs


def test_the_same_model_as_second_completer_does_not_repeat_itself(built: Built, tmp_path: Path) -> None:
    """Its seed is another: else two sources would be one."""
    other = second(built, tmp_path, replace(WANTED, use=PLAN.use, rollouts=8))
    pairs = [
        (p.ends, q.ends)
        for row, first in zip(other.rows, built.bank.rows, strict=True)
        for p, q in zip(row.prefixes, first.prefixes, strict=True)
        if len(set(q.ends)) > 1
    ]
    assert sum(mine != theirs for mine, theirs in pairs) > len(pairs) / 2


def test_a_second_bank_of_a_second_bank_keeps_the_policy(built: Built, tmp_path: Path) -> None:
    """Who wrote the solutions is handed on."""
    second(built, tmp_path)
    third = tmp_path / "third.parquet"
    source, store = tmp_path / "second.parquet", tmp_path / "s.sqlite"
    build_second(replace(WANTED, use=PLAN.use), of=source, store=store, output=third, console=QUIET)
    assert [case.solution for case in read_bank(third).cases] == [case.solution for case in built.bank.cases]


def test_a_second_bank_is_replayed_with_its_own_sampling(built: Built, tmp_path: Path) -> None:
    """The solutions' sampling is the policy's: an annotator has to name the completer's."""
    other = second(built, tmp_path)
    with pytest.raises(ConfigError, match="drawn with"):
        replay(MathShepherd(k=4), other, POLICIES["hard"])
    found = replay(MathShepherd(k=4, sampling=other.sampling), other, POLICIES["hard"])
    assert [one.solution_id for one in found.labels] == [case.solution.id for case in built.bank.cases]


def test_a_second_bank_pays_once(built: Built, tmp_path: Path) -> None:
    """Asked again it is read from the store, and the bytes are the same; what was paid is counted apart."""
    store = tmp_path / "s.sqlite"
    shutil.copy(built.store, store)
    reports = [
        build_second(WANTED, of=built.path, store=store, output=tmp_path / name, console=QUIET)
        for name in ("a.parquet", "b.parquet")
    ]
    assert reports[0] == reports[1]
    assert reports[0].kinds == built.report.kinds
    tokens = sum(sum(p.tokens) for row in read_bank(tmp_path / "a.parquet").rows for p in row.prefixes)
    assert reports[0].tokens == tokens
    assert (tmp_path / "a.parquet").read_bytes() == (tmp_path / "b.parquet").read_bytes()


def test_a_second_bank_never_replaces_the_first(built: Built, tmp_path: Path) -> None:
    """One path for both is refused before anything is asked."""
    with pytest.raises(ConfigError, match="file of its own"):
        build_second(WANTED, of=built.path, store=tmp_path / "s.sqlite", output=built.path, console=QUIET)
    assert read_bank(built.path).rows == built.bank.rows


def test_a_second_bank_of_none(tmp_path: Path) -> None:
    """Where there is no first bank that is said, whatever stands where the second one is to go."""
    output = tmp_path / "b.parquet"
    output.write_bytes(b"mine")
    with pytest.raises(ConfigError, match="there is no outcome bank"):
        build_second(WANTED, of=tmp_path / "none.parquet", store=tmp_path / "s.sqlite", output=output, console=QUIET)
    assert output.read_bytes() == b"mine"


def test_a_second_bank_wants_the_first_ones_checker(built: Built, tmp_path: Path) -> None:
    """Outcomes of solutions are taken over: they must be judged as the rollouts are."""
    old = tmp_path / "old.parquet"
    write_bank([replace(row, checker_version="0") for row in built.bank.rows], old)
    with pytest.raises(ConfigError, match="build the first bank again"):
        build_second(WANTED, of=old, store=tmp_path / "s.sqlite", output=tmp_path / "b.parquet", console=QUIET)


@pytest.mark.parametrize("fields", [{"rollouts": 0}, {"in_flight": 0}])
def test_wanted_rollouts_that_cannot_work_are_refused(fields: dict[str, Any]) -> None:
    """The message holds the offending value."""
    with pytest.raises(ConfigError, match="=0"):
        replace(WANTED, **fields)


def outcome_bank(repository: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "benchmarks/outcome_bank.py", *arguments]
    return subprocess.run(command, cwd=repository, check=False, capture_output=True, text=True)


@pytest.mark.slow
def test_the_command_builds_a_second_bank(built: Built, repository: Path, tmp_path: Path) -> None:
    """`--of` and `--completer` continue a bank; the temperature is the rollouts'."""
    output = tmp_path / "b.parquet"
    place = ["--output", str(output), "--store", str(tmp_path / "s.sqlite"), "--rollouts", "2"]
    done = outcome_bank(repository, "--of", str(built.path), "--completer", SOLVER, "--temperature", "0.3", *place)
    assert done.returncode == 0, done.stderr
    rows = read_bank(output).rows
    assert {row.sampling.temperature for row in rows} == {0.3}
    assert {row.policy for row in rows} == {PLAN.use.engine.open().identity.id}


@pytest.mark.slow
@pytest.mark.parametrize("arguments", [["--of", "x.parquet"], ["--completer", SOLVER], ["--temperature", "0.5"]])
def test_options_that_go_together_are_asked_for_together(repository: Path, arguments: list[str]) -> None:
    """Half a request for a second bank builds nothing."""
    done = outcome_bank(repository, *arguments)
    assert done.returncode == 2
    assert "--completer" in done.stderr


# Reading and splitting.


def test_round_trip(built: Built, tmp_path: Path) -> None:
    """Rows written and read are the rows, across row groups."""
    many = [
        replace(row, problem=replace(row.problem, id=f"{row.problem.id}-{i}", text=f"{i} {row.problem.text}"))
        for i in range(5)
        for row in built.bank.rows
    ]
    assert write_bank(many, tmp_path / "many.parquet") == len(many) > 64
    assert read_bank(tmp_path / "many.parquet").rows == tuple(many)


def test_a_missing_bank_says_how_to_build_one(tmp_path: Path) -> None:
    """Rather than that some path does not exist."""
    with pytest.raises(ConfigError, match="make bank"):
        read_bank(tmp_path / "none.parquet")


def test_bad_files_are_refused(built: Built, tmp_path: Path) -> None:
    """No Parquet, half a file, or a file of something else: an error, never a smaller bank."""
    whole = built.path.read_bytes()
    for bad in (b"no bank", whole[: len(whole) // 2], whole[:2000] + bytes(200) + whole[2200:]):
        path = tmp_path / "bad.parquet"
        path.write_bytes(bad)
        with pytest.raises(DataError, match=r"bad\.parquet"):
            read_bank(path)
    write_groups([built.bank.records], Evidence, str(tmp_path / "other.parquet"))
    with pytest.raises(DataError, match="BankedProblem"):
        read_bank(tmp_path / "other.parquet")


def test_the_same_problem_twice_is_refused(built: Built) -> None:
    """Two rows of one question would answer each other's questions."""
    with pytest.raises(DataError, match="hold rollouts of one prefix"):
        Bank.of([*built.bank.rows, built.bank.rows[0]])


def test_split_goes_by_group(built: Built) -> None:
    """A group lies in one split, which depends on its id alone; both parts make up the whole."""
    assert [split_of("a", test_share=share) for share in (0.0, 1.0)] == [BankSplit.TRAIN, BankSplit.TEST]
    tested = sum(split_of(str(i), test_share=0.3) is BankSplit.TEST for i in range(2000))
    assert 500 < tested < 700
    assert all(split_of(str(i), test_share=0.3) is BankSplit.TRAIN for i in range(2000) if not _tested(i, 0.5))
    train, test = (built.bank.part(split) for split in BankSplit)
    assert not set(train.groups()) & set(test.groups())
    assert {*train.rows, *test.rows} == set(built.bank.rows)
    assert train.rows
    assert test.rows
    for row in built.bank.rows:
        assert row.split is split_of(row.problem.group_id, test_share=PLAN.test_share)


def _tested(i: int, share: float) -> bool:
    return split_of(str(i), test_share=share) is BankSplit.TEST


# Replaying.


def live(annotator: Any, bank: Bank, policy: str) -> list[StepLabels]:
    """The labels of the same solutions by the model itself, asked with the seed that the bank was built with."""
    sampler = Sampler(engine=ScriptedEngine(sloppy), prompt=PromptTemplate(), checker=AnswerChecker())

    def oracle(effect: Sample) -> Any:
        return asyncio.run(sampler(effect))

    records = []
    for record in bank.records:
        pairs = zip(record.solutions, record.outcomes, strict=True)
        found = [
            answer_by(annotator.program(record.problem, solution, outcome, seed=PLAN.seed), oracle)
            for solution, outcome in pairs
        ]
        rollouts = tuple(chain.from_iterable(one.rollouts for one in found))
        outcomes = tuple(chain.from_iterable(one.outcomes for one in found))
        evidence = Evidence(problem=record.problem, rollouts=rollouts, outcomes=outcomes)
        records.append(record.merged(evidence))
    return label_evidence(records, POLICIES[policy])


@pytest.mark.parametrize(
    ("annotator", "policy"),
    [
        (MathShepherd(k=8), "math_shepherd_soft"),
        (MathShepherd(k=3), "qwen_hard"),
        (OmegaPRMLocate(k=8), "locate"),
        (OmegaPRMLocate(k=6, stop_at_first_success=True, chunk=2), "locate"),
    ],
    ids=["math_shepherd", "fewer rollouts, steps cut", "locate", "locate, early stop"],
)
def test_a_replay_is_the_live_run(built: Built, annotator: Any, policy: str) -> None:
    """Labels, values, counts and tokens are those of the model itself, solution by solution."""
    replayed = replay(annotator, built.bank, POLICIES[policy])
    expected = live(annotator, built.bank, policy)
    assert [replace(one, completer="") for one in replayed.labels] == [replace(one, completer="") for one in expected]
    assert any(one.tokens for one in replayed.labels)


def test_replays_are_equal_whatever_the_seed(built: Built) -> None:
    """Nothing is drawn in a replay."""
    first, second = (replay(MathShepherd(k=4), built.bank, POLICIES["soft"], seed=seed) for seed in (0, 1))
    assert first.labels == second.labels
    assert replay(MathShepherd(k=4), built.bank, POLICIES["soft"]) == first


def test_replications_share_no_rollout(built: Built) -> None:
    """Offsets k apart see other rollouts: eight of them hold each of the bank's once."""
    found = [replay(MathShepherd(k=2), built.bank, POLICIES["soft"], offset=offset) for offset in (0, 2, 4, 6)]
    keys = [{r.key for e in one.evidence for r in e.rollouts} for one in found]
    assert len(set().union(*keys)) == sum(map(len, keys)) == 4 * len(keys[0])
    with pytest.raises(ConfigError, match="shifted by 8"):
        replay(MathShepherd(k=2), built.bank, POLICIES["soft"], offset=8)


def test_cost_counts_shared_rollouts_for_each_that_shares_them(built: Built) -> None:
    """k rollouts at every step but the last, in the mean over solutions, and their tokens."""
    found = replay(MathShepherd(k=5), built.bank, POLICIES["soft"])
    steps = [len(case.solution.steps) - 1 for case in built.bank.cases]
    assert found.rollouts_per_solution == pytest.approx(5 * sum(steps) / len(steps))
    tokens = sum(
        sum(built.bank.engine.node(key).prefix.tokens[:5])
        for case in built.bank.cases
        for key in case.solution.node_keys[:-1]
    )
    assert found.tokens_per_solution == pytest.approx(tokens / len(steps))


@dataclass(frozen=True)
class SiblingCount:
    """An annotator of whole problems that looks at the given solutions, or also asks at the root."""

    asks: int = 0
    name: str = "sibling_count"
    version: str = "1"

    def problem_program(self, problem: Problem, solved: Sequence[Solved], *, seed: int) -> Program[Annotation]:
        if self.asks:
            yield Sample(
                problem=problem,
                node_key=problem.root_key,
                prefix="",
                n=self.asks,
                sampling=PLAN.use.sampling,
                seed=seed,
            )
        return Annotation(status=AnnotationStatus.COMPLETE, detail=str(len(solved)))

    def most_samples(self, steps: int) -> int:
        return self.asks


def test_annotators_of_problems_are_replayed_where_they_ask_nothing(built: Built) -> None:
    """One program a problem, with all of its solutions and their outcomes."""
    found = replay(SiblingCount(), built.bank, POLICIES["hard"])
    assert [one.detail for one in found.annotations] == ["4"] * len(built.bank.rows)
    assert found.rollouts_per_solution == 0
    assert len(found.labels) == len(built.bank.cases)


def test_a_search_over_whole_problems_is_refused(built: Built) -> None:
    """It goes on from rollouts, whose texts a bank has not: it would end early and look complete."""
    with pytest.raises(ConfigError, match="sibling_count searches whole problems"):
        replay(SiblingCount(asks=2), built.bank, POLICIES["hard"])


def test_rows_name_the_model_and_its_sampling(built: Built) -> None:
    """So labels of a replay say who completed the prefixes, and other sampling can be refused."""
    assert {row.completer for row in built.bank.rows} == {PLAN.use.engine.open().identity.id}
    assert {row.sampling for row in built.bank.rows} == {PLAN.use.sampling}
