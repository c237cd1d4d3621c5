"""How full does the driver keep an engine? Real programs, a simulated engine, real time.

    python benchmarks/driver.py [--json]

The engine has a fixed number of slots; each sample holds one for a time drawn from a heavy-tailed law:
lognormal, one sample in fifty four times as long, and all cut at four times the mean, as a token limit cuts
them. The programs are `OmegaPRMLocate` and `MathShepherd` in turn, over an oracle that knows each solution's
first error, so the answers are checked as well. Sleeps are real, about a hundredth of a model's, so the time
that driver and programs take on the processor leaves slots empty and counts.

Reported, in one run:

    busy before tail  share of slot-seconds in use until the last program has got its first slot. After that
                      nobody is left to fill the gaps, and what counts is the slowest program alone.
    busy              the same over the whole run.
    ideal             wall time if every slot were always busy: no scheduler can beat it.
    rounds            the same programs with a barrier: all questions of a round are one stage, sent in
                      batches of as many samples as there are slots, each batch waited for as a whole. That is
                      how a batch-inference stage per search round runs in a data pipeline.
    CPU per request   of the whole process, and of the engine's simulation alone, measured without programs.

A slot counts as busy only for the time that its sample was meant to take: when the loop is late to end it,
that is the driver's doing and is counted as idle.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import time
from collections import deque
from collections.abc import AsyncGenerator, Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from steplabel.annotators import (
    Annotation,
    AnnotationStatus,
    Annotator,
    Finished,
    MathShepherd,
    OmegaPRMLocate,
    Program,
    Sample,
    Samples,
    SearchTrace,
    drive,
    samples_with,
)
from steplabel.schemas import (
    CheckedOutcome,
    GoldAnswer,
    Outcome,
    Problem,
    SamplingParams,
    Solution,
    Step,
    make_solution,
)
from steplabel.schemas.codec import from_json

WANTED_BUSY = 0.95
K = 8
ANNOTATORS: tuple[Annotator, ...] = (OmegaPRMLocate(k=K), MathShepherd(k=K))
LATENCIES = 1 << 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """A wrong solution whose first error is known."""

    problem: Problem
    solution: Solution
    error: int
    annotator: Annotator

    def program(self) -> Program[Annotation]:
        """A fresh program for it."""
        outcome = CheckedOutcome(subject=self.solution.id, checker="oracle", checker_version="1", outcome=Outcome.WRONG)
        return self.annotator.program(self.problem, self.solution, outcome, seed=1)


def make_tasks(count: int, annotators: Sequence[Annotator], rng: np.random.Generator) -> list[Task]:
    """Solutions of 4 to 10 steps, the annotators in turn; the error is anywhere, evenly."""
    tasks = []
    for i in range(count):
        problem = Problem(id=str(i), text=f"Problem {i}?", gold=GoldAnswer(text="1"))
        steps = tuple(Step(text=f"step {j}\n") for j in range(rng.integers(4, 11)))
        error = int(rng.integers(len(steps)))
        tasks.append(
            Task(
                problem=problem,
                solution=make_solution(problem, steps),
                error=error,
                annotator=annotators[i % len(annotators)],
            )
        )
    return tasks


def draw_latencies(mean: float, rng: np.random.Generator) -> list[float]:
    """Seconds for each sample: lognormal (sigma 0.6), 2 % four times as long, cut at four times the mean."""
    raw = rng.lognormal(sigma=0.6, size=LATENCIES) * np.where(rng.random(LATENCIES) < 0.02, 4.0, 1.0)
    cut = np.minimum(raw / raw.mean(), 4.0)
    scaled: list[float] = (cut * mean / cut.mean()).tolist()
    return scaled


class SlotEngine:
    """Answers questions after a while; at most `slots` samples at a time, first come first served."""

    def __init__(self, slots: int, latencies: list[float], tasks: Iterable[Task]) -> None:
        self._free = slots
        self._slots = slots
        self._latencies = latencies
        self._errors = {task.problem.id: task.error for task in tasks}
        self._waiting: deque[tuple[str, float, Callable[[], None]]] = deque()
        self._begun: list[tuple[float, float]] = []
        self._first: dict[str, float] = {}
        self.requests = 0

    async def __call__(self, question: Sample) -> Samples:
        """Hold a slot for each sample, then say what the oracle knows."""
        self.requests += 1
        all_done = asyncio.get_running_loop().create_future()
        left = question.n

        def one_done() -> None:
            nonlocal left
            left -= 1
            self._free += 1
            if left == 0:
                all_done.set_result(None)
            self._fill()

        for i in range(question.n):
            latency = self._latencies[(question.seed + i) % LATENCIES]
            self._waiting.append((question.problem.id, latency, one_done))
        self._fill()
        await all_done
        right = question.prefix.count("\n") <= self._errors[question.problem.id]
        return samples_with(question, [Outcome.CORRECT if right else Outcome.WRONG] * question.n)

    def _fill(self) -> None:
        loop = asyncio.get_running_loop()
        while self._free and self._waiting:
            self._free -= 1
            problem_id, latency, done = self._waiting.popleft()
            self._begun.append((loop.time(), latency))
            self._first.setdefault(problem_id, loop.time())
            loop.call_later(latency, done)

    def report(self, began: float, ended: float) -> dict[str, float]:
        """Shares of slot-seconds in use, and what an ideal scheduler would take."""
        start, length = np.array(self._begun).T
        tail = max(self._first.values())
        before = np.clip(np.minimum(start + length, tail) - start, 0, None).sum()
        return {
            "wall_s": ended - began,
            "ideal_s": float(length.sum()) / self._slots,
            "busy": float(length.sum()) / self._slots / (ended - began),
            "busy_before_tail": float(before) / self._slots / (tail - began),
            "tail_s": ended - tail,
            "requests": self.requests,
            "samples": len(length),
        }


class Rounds:
    """A barrier in front of an engine: questions wait until every program waits, then go in whole batches."""

    def __init__(self, engine: SlotEngine, batch: int) -> None:
        self._engine = engine
        self._batch = batch
        self._waiting: list[tuple[Sample, asyncio.Future[Samples]]] = []

    async def __call__(self, question: Sample) -> Samples:
        """Wait for the round."""
        answer: asyncio.Future[Samples] = asyncio.get_running_loop().create_future()
        self._waiting.append((question, answer))
        return await answer

    async def serve(self) -> None:
        """Run stage after stage, until cancelled."""
        while True:
            count = -1
            while count != len(self._waiting):  # until nobody has anything to add
                count = len(self._waiting)
                await asyncio.sleep(0.002)
            stage, self._waiting = self._waiting, []
            found: list[Samples] = []
            for i in range(0, len(stage), self._batch):
                found += await asyncio.gather(*(self._engine(q) for q, _ in stage[i : i + self._batch]))
            for (_, answer), samples in zip(stage, found, strict=True):
                answer.set_result(samples)


async def check(tasks: list[Task], stream: AsyncGenerator[Finished[int, Annotation], None]) -> None:
    """Read all results; every search must have found its error."""
    count = 0
    async for finished in stream:
        annotation = finished.unwrap()
        assert annotation.status is AnnotationStatus.COMPLETE
        claim = annotation.observations[0]
        if claim.source == OmegaPRMLocate.name:
            assert from_json(claim.evidence, SearchTrace).first_error == tasks[finished.key].error
        count += 1
    assert count == len(tasks)


def programs(tasks: list[Task]) -> Iterator[tuple[int, Program[Annotation]]]:
    """A lazy stream of programs, as a pipeline would give it."""
    return ((i, task.program()) for i, task in enumerate(tasks))


async def run_driver(engine: SlotEngine, tasks: list[Task], in_flight: int) -> dict[str, float]:
    """The driver itself."""
    began, cpu = asyncio.get_running_loop().time(), time.process_time()
    await check(tasks, drive(programs(tasks), {Sample: engine}, in_flight=in_flight))
    cpu = time.process_time() - cpu
    report = engine.report(began, asyncio.get_running_loop().time())
    return report | {"in_flight": in_flight, "cpu_us_per_request": 1e6 * cpu / engine.requests, "cpu_s": cpu}


async def run_rounds(engine: SlotEngine, tasks: list[Task], slots: int) -> dict[str, float]:
    """The same programs, one stage a round."""
    rounds = Rounds(engine, max(1, slots // K))
    serving = asyncio.create_task(rounds.serve())
    began = asyncio.get_running_loop().time()
    await check(tasks, drive(programs(tasks), {Sample: rounds}, in_flight=len(tasks)))
    ended = asyncio.get_running_loop().time()
    serving.cancel()
    return engine.report(began, ended) | {"problems": len(tasks)}


async def engine_cpu(engine: SlotEngine, tasks: list[Task]) -> float:
    """Microseconds of CPU that simulating one request takes, without driver and programs."""
    cpu = time.process_time()
    questions = (
        Sample(
            problem=task.problem,
            node_key=task.solution.node_keys[0],
            prefix=task.solution.prefix(1),
            n=K,
            sampling=SamplingParams(),
            seed=i,
        )
        for i, task in enumerate(tasks)
    )
    await asyncio.gather(*map(engine, questions))
    return 1e6 * (time.process_time() - cpu) / engine.requests


def measure(args: argparse.Namespace) -> dict[str, object]:
    """All three runs."""
    rng = np.random.default_rng(args.seed)
    annotators = [a for a in ANNOTATORS if args.annotator in (a.name, "both")]
    tasks = make_tasks(args.problems, annotators, rng)
    latencies = draw_latencies(args.mean_ms / 1000, rng)
    some = tasks[: args.baseline_problems]

    def engine() -> SlotEngine:
        return SlotEngine(args.slots, latencies, tasks)

    alone = asyncio.run(engine_cpu(engine(), tasks[:1024]))
    driver = asyncio.run(run_driver(engine(), tasks, args.in_flight))
    rounds = asyncio.run(run_rounds(engine(), some, args.slots))
    return {
        "annotators": [annotator.name for annotator in annotators],
        "slots": args.slots,
        "k": K,
        "problems": args.problems,
        "mean_latency_ms": args.mean_ms,
        "driver": driver | {"engine_cpu_us_per_request": alone},
        "rounds": rounds,
        "wanted_busy_before_tail": WANTED_BUSY,
        "met": driver["busy_before_tail"] >= WANTED_BUSY,
    }


def show(result: dict[str, object]) -> None:
    """Print a table for people."""
    print(f"{result['problems']} problems, {result['slots']} slots, mean latency {result['mean_latency_ms']} ms")
    print(f"{'':8}{'problems':>9}{'requests':>9}{'wall s':>8}{'ideal s':>8}{'busy':>7}{'before tail':>12}")
    for name, count in (("driver", result["problems"]), ("rounds", None)):
        row = result[name]
        assert isinstance(row, dict)
        times = f"{row['wall_s']:8.1f}{row['ideal_s']:8.1f}"
        shares = f"{row['busy']:7.3f}{row['busy_before_tail']:12.3f}"
        print(f"{name:8}{count or row['problems']:9}{row['requests']:9}{times}{shares}")
    driver = result["driver"]
    assert isinstance(driver, dict)
    print(
        f"CPU per request: {driver['cpu_us_per_request']:.0f} us, of which the simulated engine "
        f"{driver['engine_cpu_us_per_request']:.0f} us; in flight {driver['in_flight']:.0f} programs"
    )
    print(f"wanted >= {WANTED_BUSY} busy before the tail: {'met' if result['met'] else 'NOT met'}")


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--problems", type=int, default=4096)
    parser.add_argument("--baseline-problems", type=int, default=512, help="the barrier run is slow: fewer")
    parser.add_argument("--slots", type=int, default=256)
    parser.add_argument("--in-flight", type=int, help="programs at once; default: 4 x slots / k")
    parser.add_argument("--mean-ms", type=float, default=50.0, help="mean time of one sample")
    parser.add_argument("--annotator", choices=["both", *(a.name for a in ANNOTATORS)], default="both")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    args.in_flight = args.in_flight or max(1, 4 * args.slots // K)
    result = measure(args)
    if args.json:
        print(json.dumps(result, indent=2))
    else:
        show(result)


if __name__ == "__main__":
    main()
