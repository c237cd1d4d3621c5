"""What other labels cost: `steplabel relabel` of a synthetic dataset, from columns and, in the same run, from records.

    python benchmarks/relabel.py                                 # 100,000 solutions of 8 steps, some minutes
    python benchmarks/relabel.py --solutions 8000 --json
    python benchmarks/relabel.py --policy all --ways columns     # every ready view

Wanted: at least 50,000 solutions per CPU-second from Arrow to Arrow, and memory that does not grow with the dataset.
"Arrow to Arrow" is what lies between the evidence's columns as the reader hands them over (repeated strings are
dictionary codes, as Parquet keeps them) and the table of label rows; reading and writing Parquet are told apart. The
whole command copies the evidence, too: that is told as its CPU time and its peak. Memory is told twice, after the
first chunk and after all: what a process needs for one chunk is what it needs for any number.

The evidence: problems with 4 solutions each that share no step, and at the end of every step but the last what the
view's own recipe collects: `--rollouts` forced answers and nothing else for views that read these (`vsrm`, `anytime`),
as many rollouts and no forced answers for all others, also for those that count samples alone and pass over them.
`--probes` adds so many forced answers for every view. Views that read scores get an observation of every state, too, by
the source that they read, with the evidence that its annotator writes; `gold_logprob` asks for no rollout, and gets
none. One chunk is drawn and committed as often as it takes: chunks are read one after the other, and what one holds
changes nothing for the next. Records are measured on one chunk, since they take so much longer. Most of the time goes
by rollouts, not solutions: compare `--rollouts 1` with the default 8.
"""

from __future__ import annotations

import argparse
import json
import random
import resource
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from multiprocessing import get_context
from pathlib import Path
from typing import Any, TypeVar

from steplabel.annotators.steps.gold_logprob import GoldLikelihood
from steplabel.annotators.trees.mcts import NodeStatistics
from steplabel.labels.counting import ObservedScores, ObservedVerdicts, RolloutCounts, counting_of
from steplabel.labels.policies import POLICIES, PROBE
from steplabel.labels.searched import SearchedEdges
from steplabel.pipelines.relabelling import Relabelling, relabel
from steplabel.schemas import (
    CheckedOutcome,
    Evidence,
    FinishReason,
    GoldAnswer,
    LabelRow,
    Observation,
    Outcome,
    Problem,
    Rollout,
    RunInfo,
    SamplingParams,
    Solution,
    SolutionSource,
    Step,
    Verdict,
    content_id,
    make_solution,
)
from steplabel.schemas.arrow import TABLES, schema_fingerprint, to_table
from steplabel.schemas.codec import to_json
from steplabel.transforms.columnar.evidence import read_tables
from steplabel.transforms.columnar.tables import label_tables, tables_wanted
from steplabel.transforms.dataset import ChunkEntry, ChunkName, Manifest, OutputFolder
from steplabel.transforms.evidence_files import read_evidence
from steplabel.transforms.io import write_arrow
from steplabel.transforms.label import Labelling, derive_labels
from steplabel.transforms.write import copy_table, evidence_records, write_table

WANTED = 50_000
VIEWS = ("math_shepherd_hard", "soft", "scan", "genprm", "prefix_tree", "gigpo", "anytime")
RUN = RunInfo(run_id="benchmark", recipe="benchmark", code_version="0", config_hash="0")
SOLUTIONS_A_PROBLEM, STEPS = 4, 8
T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """How large the dataset is. `rollouts` and `probes` are those at one prefix; `source` grades all states."""

    solutions: int
    rollouts: int
    probes: int
    chunk_problems: int
    source: str = ""

    @property
    def chunks(self) -> int:
        """Chunks of `chunk_problems` problems."""
        return max(1, round(self.solutions / (SOLUTIONS_A_PROBLEM * self.chunk_problems)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """One view, one way. CPU seconds of a process of its own.

    `peak_mib` is that process's largest resident set, `first_peak_mib` what it was when the first chunk was done.
    """

    view: str
    way: str
    solutions: int
    read_s: float
    label_s: float
    write_s: float
    first_peak_mib: float
    peak_mib: float

    @property
    def per_cpu_second(self) -> float:
        """Solutions labelled for each CPU-second between reading and writing."""
        return self.solutions / self.label_s


def build(folder: str, size: Size) -> None:
    """Draw one chunk and commit it as often as the size says."""
    target = OutputFolder(folder)
    schemas = {table: schema_fingerprint(record) for table, record in TABLES.items()}
    manifest = Manifest(
        run=RUN, config="{}", schemas=schemas, licences={"m": ""}, completer="m", account="",
        chunk_size=size.chunk_problems,
    )  # fmt: skip
    tables: dict[str, list[bytes]] = {}
    for number in range(size.chunk_problems):
        for table, data in evidence_records(_evidence(number, size)):
            tables.setdefault(table, []).append(data)
    for index in range(size.chunks):
        target.stage(index)
        if index == 0:
            staged = [write_table(table, rows, target, index) for table, rows in tables.items()]
        else:
            staged = [copy_table(file, target, target, index) for file in manifest.chunks[0].files]
        name = ChunkName(index=index, key=str(index), rows=size.chunk_problems)
        manifest = target.commit(manifest, name, staged, complete=True)


def _evidence(number: int, size: Size) -> Evidence:
    draw = random.Random(number)  # noqa: S311  # made-up evidence, no secret
    problem = Problem(
        id=f"problem-{number:06}", text=f"Question {number}: {_text(draw, 200)}", gold=GoldAnswer(text="4")
    )
    solutions = tuple(_solution(problem, draw, index) for index in range(SOLUTIONS_A_PROBLEM))
    prefixes = [key for solution in solutions for key in solution.node_keys[:-1]]
    rollouts = [_rollout(problem, key, index, "", draw) for key in prefixes for index in range(size.rollouts)]
    rollouts += [_rollout(problem, key, index, PROBE, draw) for key in prefixes for index in range(size.probes)]
    subjects = [*(s.id for s in solutions), *(r.key for r in rollouts)]
    return Evidence(
        problem=problem,
        solutions=solutions,
        rollouts=tuple(rollouts),
        outcomes=tuple(_outcome(subject, draw) for subject in subjects),
        observations=tuple(_observations(problem, solutions, size.source, draw)) if size.source else (),
    )


def _solution(problem: Problem, draw: random.Random, index: int) -> Solution:
    steps = tuple(Step(text=f"{_text(draw, 60)} = {draw.randrange(1000)}\n") for _ in range(STEPS))
    return make_solution(problem, steps, policy="m", source=SolutionSource.SAMPLED, index=index, final_answer="4")


def _rollout(problem: Problem, key: str, index: int, probe: str, draw: random.Random) -> Rollout:
    return Rollout(
        key=content_id("benchmark", key, probe, index),
        node_key=key,
        problem_id=problem.id,
        completer="m",
        sampling=SamplingParams(),
        seed=0,
        index=index,
        text=_text(draw, 120),
        finish_reason=FinishReason.STOP,
        completion_tokens=draw.randrange(20, 60),
        probe=probe,
    )


def _outcome(subject: str, draw: random.Random) -> CheckedOutcome:
    outcome = draw.choices(list(Outcome), weights=(60, 35, 5))[0]
    reason = "no_answer" if outcome is Outcome.UNKNOWN else "number"
    return CheckedOutcome(
        subject=subject, checker="answer", checker_version="1", outcome=outcome, reason=reason, answer="4"
    )


def _observations(
    problem: Problem, solutions: Sequence[Solution], source: str, draw: random.Random
) -> Iterator[Observation]:
    for key in (problem.root_key, *(key for solution in solutions for key in solution.node_keys)):
        likelihood = GoldLikelihood(
            lead=PROBE, completer="m", logprob=-draw.random(), tokens=3, change=draw.random(), logprob_change=None
        )
        evidence = {
            "gold_logprob": likelihood,
            "mcts": NodeStatistics(visits=draw.randrange(20), children=2, ends=False),
        }
        yield Observation(
            subject=key,
            source=source,
            source_version="1",
            verdict=draw.choice(list(Verdict)),
            score=draw.choice([0.0, 0.25, 1.0]) if source == "omegaprm" else draw.random(),
            evidence=to_json(evidence[source]).decode() if source in evidence else "",
        )


def _text(draw: random.Random, length: int) -> str:
    return "".join(draw.choices("abcdefghijklmnopqrst     ", k=length))


class Clock:
    """Adds up the CPU seconds of all threads, by what they went into, and keeps the peak after the first chunk."""

    def __init__(self) -> None:
        self.seconds = {"read": 0.0, "label": 0.0, "write": 0.0}
        self.first_peak = 0.0

    @contextmanager
    def book(self, part: str) -> Iterator[None]:
        """What is done in here goes into this part."""
        start = time.process_time()
        yield
        self.seconds[part] += time.process_time() - start

    def chunk_done(self) -> None:
        """The first call keeps the peak."""
        self.first_peak = self.first_peak or peak_mib()


def peak_mib() -> float:
    """This process's largest resident set so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (2**20 if sys.platform == "darwin" else 2**10)


def from_columns(folder: str, view: str) -> Measured:
    """All chunks, by the functions that the command calls."""
    source, clock = OutputFolder(folder), Clock()
    how = Labelling(policy=POLICIES[view], run=RUN)
    with tempfile.TemporaryDirectory() as scratch:
        chunks = source.require_manifest().chunks
        count = sum(_label_chunk(source, chunk, how, clock, f"{scratch}/labels.parquet") for chunk in chunks)
    return _measured(view, "columns", count, clock)


def _label_chunk(source: OutputFolder, chunk: ChunkEntry, how: Labelling, clock: Clock, path: str) -> int:
    with clock.book("read"):
        tables = read_tables(source, chunk, tables_wanted(how.policy))
    with clock.book("label"):
        rows, _ = label_tables(tables, how)
    if rows is not None:
        with clock.book("write"):
            write_arrow(rows, path)
    clock.chunk_done()
    return int(tables["solutions"].num_rows)


def from_records(folder: str, view: str) -> Measured:
    """One chunk, as it was done before there were columns."""
    source, clock = OutputFolder(folder), Clock()
    how = Labelling(policy=POLICIES[view], run=RUN)
    chunk = source.require_manifest().chunks[0]
    with clock.book("read"):
        evidence = read_evidence(source, chunk)
    with clock.book("label"):
        derived = list(derive_labels(evidence, how))
        rows = to_table([one for one in derived if isinstance(one, LabelRow)], LabelRow)
    with tempfile.TemporaryDirectory() as scratch, clock.book("write"):
        write_arrow(rows, f"{scratch}/labels.parquet")
    return _measured(view, "records", len(derived), clock)


def whole_command(folder: str, view: str) -> Measured:
    """All chunks by `relabel` itself: evidence copied, labels written, all of it committed."""
    source, clock = OutputFolder(folder), Clock()
    with tempfile.TemporaryDirectory() as scratch, clock.book("label"):
        for _ in relabel(source, OutputFolder(f"{scratch}/out"), Relabelling(policy=POLICIES[view])):
            clock.chunk_done()
    return _measured(view, "command", source.require_manifest().rows()["solutions"], clock)


def _measured(view: str, way: str, solutions: int, clock: Clock) -> Measured:
    seconds = {f"{part}_s": value for part, value in clock.seconds.items()}
    clock.chunk_done()
    return Measured(
        view=view, way=way, solutions=solutions, first_peak_mib=clock.first_peak, peak_mib=peak_mib(), **seconds
    )


WAYS = {"columns": from_columns, "records": from_records, "command": whole_command}


def source_read(view: str) -> str:
    """Whose observations a view reads; empty where it reads none."""
    policy = POLICIES[view]
    if isinstance(policy, SearchedEdges):
        return policy.source
    counting = counting_of(policy)
    if isinstance(counting, ObservedVerdicts):
        return counting.sources[0]
    return counting.source if isinstance(counting, ObservedScores) else ""


def evidence_of(size: Size, view: str) -> Size:
    """What a run leaves whose recipe has this view; the size's own probes come on top."""
    source, counting = source_read(view), counting_of(POLICIES[view])
    if isinstance(counting, RolloutCounts) and counting.probe:
        return replace(size, source=source, rollouts=0, probes=size.rollouts + size.probes)
    return replace(size, source=source, rollouts=0 if source == "gold_logprob" else size.rollouts)


def measure(folder: Path, size: Size, views: Sequence[str], ways: Sequence[str], *, repeats: int) -> Iterator[Measured]:
    """Each view each way, on evidence that holds what it reads; the fastest of some repeats: noise only ever slows."""
    for view in views:
        held = evidence_of(size, view)
        dataset = folder / f"dataset {held.source} {held.rollouts} {held.probes}"
        if not dataset.exists():
            _alone(build, str(dataset), held)
        for way in ways:
            yield min((_alone(WAYS[way], str(dataset), view) for _ in range(repeats)), key=lambda m: m.label_s)


def _alone(work: Callable[..., T], *arguments: Any) -> T:
    """In a process of its own, so that its peak is that of this work; a child's peak begins at its parent's, and
    so everything large is done in children.
    """
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as process:
        return process.submit(work, *arguments).result()


def main() -> None:
    """Build, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--solutions", type=int, default=100_000)
    parser.add_argument(
        "--rollouts", type=int, default=8, help="or forced answers, at the end of each step but the last"
    )
    parser.add_argument(
        "--probes", type=int, default=0, help="forced answers behind the same prefixes, beside what a view reads"
    )
    parser.add_argument("--chunk-problems", type=int, default=1000)
    parser.add_argument("--policy", nargs="+", default=VIEWS, choices=["all", *POLICIES], metavar="VIEW", help="or all")
    parser.add_argument("--ways", nargs="+", default=list(WAYS), choices=list(WAYS))
    parser.add_argument("--repeats", type=int, default=1, help="print the fastest of so many")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    size = Size(
        solutions=options.solutions,
        rollouts=options.rollouts,
        probes=options.probes,
        chunk_problems=min(options.chunk_problems, max(1, options.solutions // SOLUTIONS_A_PROBLEM)),
    )
    views = list(POLICIES) if "all" in options.policy else options.policy
    with tempfile.TemporaryDirectory() as folder:
        rows = []
        for m in measure(Path(folder), size, views, options.ways, repeats=max(1, options.repeats)):
            rows.append(asdict(m) | {"per_cpu_second": m.per_cpu_second})
            if not options.json:
                _print(m)
    if options.json:
        print(json.dumps({"size": asdict(size), "wanted": WANTED, "rows": rows}, indent=1))


def _print(m: Measured) -> None:
    print(
        f"{m.view:20} {m.way:8} {m.solutions:>8,} solutions: {m.per_cpu_second:>9,.0f} per CPU-second; "
        f"read {m.read_s:6.2f} s, label {m.label_s:6.2f} s, write {m.write_s:6.2f} s; "
        f"peak {m.first_peak_mib:5.0f} MiB after one chunk, {m.peak_mib:5.0f} after all",
        flush=True,
    )


if __name__ == "__main__":
    main()
