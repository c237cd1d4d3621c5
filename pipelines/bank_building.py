"""Make an outcome bank: sample solutions until there are enough of each kind, then ask every prefix of theirs.

Problems are gone through in order. A problem's solutions are sampled, and it passes if some of them are right and
some are not, as in a run. It is then **taken** iff it brings a kind of solution that is still wanted. While the
bank is far from its size every kind is wanted, so the mixture is what the model does; only near the end are
problems passed over, and then before a single rollout is paid for. A problem that is taken brings all of its solutions,
so that methods which compare siblings see them as they were sampled.

Everything is asked through a rollout store: the same command goes on after a kill, and what is stored is not paid
for again. The bank's file appears when it is whole.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import aclosing, contextmanager
from dataclasses import dataclass, replace
from itertools import count, islice
from pathlib import Path
from typing import Final, TypeVar

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeElapsedColumn, TimeRemainingColumn

from steplabel.annotators.asking.prefix import PrefixAnswer, ask_prefix
from steplabel.annotators.driver import drive
from steplabel.annotators.effects import Concurrently, Finished, Program, Sample
from steplabel.engines.port import Engine
from steplabel.engines.store.progress import read_progress
from steplabel.engines.store.rollout_store import StoredSpec
from steplabel.pipelines.bank import count_kinds, split_of, write_bank
from steplabel.pipelines.bank_plan import PROBLEMS_AT_ONCE, BankPlan
from steplabel.pipelines.evaluation import exact_truth
from steplabel.pipelines.generated import problem_rows
from steplabel.schemas import CheckedOutcome, ConfigError, DataError, Evidence, Problem, Solution
from steplabel.schemas.bank import BankedPrefix, BankedProblem, BankedSolution, SolutionKind, end_letter
from steplabel.schemas.layouts.problems import read_problem
from steplabel.transforms.sample import draw, solutions_from
from steplabel.transforms.sampler import Sampler

T = TypeVar("T")
ACCOUNT: Final = "bank"
"""Under what name the store counts what was paid."""
PLAIN_LINES: Final = 20
"""Lines of progress where there is no terminal."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BankReport:
    """What a bank holds and what it cost.

    Attributes:
        seen: problems whose solutions were sampled.
        kinds: solutions of different text, by kind.
        tokens: generated for this bank, over all resumptions.
    """

    problems: int
    seen: int
    solutions: int
    kinds: dict[SolutionKind, int]
    prefixes: int
    rollouts: int
    tokens: int


def build_bank(plan: BankPlan, *, store: Path, output: Path, console: Console) -> BankReport:
    """Build the bank and write it to `output`, with everything that was asked kept in `store`.

    Raises:
        ConfigError: the model did not bring the quota within `most_problems`.
        EngineError: requests failed; the same call asks them again, and nothing else.
        StoreError: the store cannot be used.
    """
    store.parent.mkdir(parents=True, exist_ok=True)
    rows, seen = asyncio.run(_build(plan, store, console))
    write_bank(rows, output)
    kinds: Counter[SolutionKind] = sum((count_kinds(row) for row in rows), Counter())
    return BankReport(
        problems=len(rows),
        seen=seen,
        solutions=sum(len(row.solutions) for row in rows),
        kinds=dict(sorted(kinds.items())),
        prefixes=sum(len(row.prefixes) for row in rows),
        rollouts=sum(len(row.prefixes) * row.rollouts for row in rows),
        tokens=read_progress(store, ACCOUNT).completion_tokens,
    )


async def _build(plan: BankPlan, store: Path, console: Console) -> tuple[list[BankedProblem], int]:
    engine = StoredSpec(engine=plan.use.engine, path=str(store), run_id=ACCOUNT).open()
    try:
        taken, seen = await _take(plan, engine, console)
        return await _roll_out(plan, engine, taken, console), seen
    finally:
        await engine.close()


def _sampler(plan: BankPlan, engine: Engine) -> Sampler:
    return Sampler(engine=engine, prompt=plan.use.prompt, checker=plan.checker)


# Choosing.


@dataclass(frozen=True, slots=True, kw_only=True)
class _Taken:
    """A problem of the bank: its row without rollouts, and its solutions with the tokens they were sampled in."""

    row: BankedProblem
    record: Evidence


async def _take(plan: BankPlan, engine: Engine, console: Console) -> tuple[list[_Taken], int]:
    """The problems of the bank, and how many were looked at."""
    taken: list[_Taken] = []
    held: Counter[SolutionKind] = Counter()
    seen, asked = 0, set[str]()
    for problems in _problems(plan):
        for record in await _solved(plan, engine, problems):
            if not (wanted := plan.quota.wanted(held)):
                return taken, seen
            seen += 1
            again = record.problem.root_key in asked  # very short problems repeat themselves
            asked.add(record.problem.root_key)
            if again or not plan.question_filter.decide(record.outcomes).keep:
                continue
            row = _row(plan, record, engine)
            if wanted & (kinds := count_kinds(row)).keys():
                taken.append(_Taken(row=row, record=record))
                held += kinds
        console.print(f"{seen} problems sampled, {len(taken)} taken: {_shown(held)}", highlight=False)
    if plan.quota.wanted(held):
        raise ConfigError(
            f"{seen} problems brought only {_shown(held)}, not {plan.quota}: sample at another temperature, "
            "or ask for fewer"
        )
    return taken, seen


def _shown(held: Counter[SolutionKind]) -> str:
    return ", ".join(f"{held[kind]} {kind}" for kind in SolutionKind)


def _problems(plan: BankPlan) -> Iterator[list[Problem]]:
    rows = problem_rows(count=plan.most_problems, seed=plan.seed, events=plan.events)
    while batch := [read_problem(row, line=row["id"]) for row in islice(rows, PROBLEMS_AT_ONCE)]:
        yield batch


async def _solved(plan: BankPlan, engine: Engine, problems: Sequence[Problem]) -> list[Evidence]:
    """Problems with their sampled solutions, in order. A text without a step is left out."""
    how = plan.sampling_plan
    programs = ((problem, draw(problem, how)) for problem in problems)
    samples = await _driven(programs, _sampler(plan, engine), PROBLEMS_AT_ONCE, lambda: None)
    records = []
    for problem in problems:
        solutions, outcomes, _ = solutions_from(problem, samples[problem.id], how, engine.identity.licence)
        records.append(Evidence(problem=problem, solutions=solutions, outcomes=outcomes))
    return records


def _row(plan: BankPlan, record: Evidence, engine: Engine) -> BankedProblem:
    return BankedProblem(
        problem=record.problem,
        split=split_of(record.problem.group_id, test_share=plan.test_share),
        completer=engine.identity.id,
        licence=engine.identity.licence,
        sampling=plan.use.sampling,
        checker=plan.checker.name,
        checker_version=plan.checker.version,
        solutions=tuple(
            _banked(record.problem, solution, outcome)
            for solution, outcome in zip(record.solutions, record.outcomes, strict=True)
        ),
        prefixes=(),
    )


def _banked(problem: Problem, solution: Solution, outcome: CheckedOutcome) -> BankedSolution:
    texts = [step.text for step in solution.steps]
    strict, consequential = (exact_truth(rule)(problem.text, texts) for rule in ("strict", "consequential"))
    if strict is None or consequential is None:
        raise DataError(f"problem {problem.id} is none of the generated ones: there is no exact truth about it")
    return BankedSolution(
        steps=tuple(replace(step, token_end=None) for step in solution.steps),
        seed=solution.seed,
        index=solution.index,
        end=end_letter(outcome),
        answer=outcome.answer,
        finish_reason=solution.finish_reason,
        first_error=strict,
        first_consequential=consequential,
    )


# Asking.


async def _roll_out(plan: BankPlan, engine: Engine, taken: Sequence[_Taken], console: Console) -> list[BankedProblem]:
    """The rows, with the rollouts of every prefix."""
    programs = ((one.record.problem, _ask_all(one.record, plan)) for one in taken)
    with _progress(console, len(taken)) as tick:
        prefixes = await _driven(programs, _sampler(plan, engine), plan.in_flight, tick)
    return [replace(one.row, prefixes=prefixes[one.record.problem.id]) for one in taken]


def _ask_all(record: Evidence, plan: BankPlan) -> Program[tuple[BankedPrefix, ...]]:
    """Program: the rollouts of every prefix of one problem's solutions, each prefix once."""
    owners = _owners(record)
    asked: tuple[Finished[int, PrefixAnswer], ...] = yield Concurrently(
        programs=tuple(
            ask_prefix(
                record.problem,
                record.solutions[solution],
                depth,
                k=plan.rollouts,
                chunk=plan.rollouts,
                sampling=plan.use.sampling,
                seed=plan.seed,
            )
            for solution, depth in owners
        )
    )
    return tuple(_prefix(*owner, branch.unwrap()) for owner, branch in zip(owners, asked, strict=True))


def _owners(record: Evidence) -> list[tuple[int, int]]:
    """Every prefix as (the first solution that begins with it, its depth), the bare problem first."""
    owners = {record.problem.root_key: (0, 0)}
    for index, solution in enumerate(record.solutions):
        for depth, key in enumerate(solution.node_keys, start=1):
            owners.setdefault(key, (index, depth))
    return list(owners.values())


def _prefix(solution: int, depth: int, answer: PrefixAnswer) -> BankedPrefix:
    if answer.error is not None:
        raise answer.error
    return BankedPrefix(
        solution=solution,
        depth=depth,
        ends="".join(end_letter(outcome) for outcome in answer.outcomes),
        tokens=tuple(rollout.completion_tokens for rollout in answer.rollouts),
        prompt_tokens=answer.rollouts[0].prompt_tokens,
    )


# Running.


async def _driven(
    programs: Iterable[tuple[Problem, Program[T]]], sampler: Sampler, in_flight: int, tick: Callable[[], None]
) -> dict[str, T]:
    """Run one program a problem; the results by problem id. Raises the first error once all have ended."""
    results: dict[str, T] = {}
    errors: list[Exception] = []
    named = ((problem.id, program) for problem, program in programs)
    async with aclosing(drive(named, {Sample: sampler}, in_flight=in_flight)) as stream:
        async for done in stream:
            if done.error is not None:
                errors.append(done.error)
            else:
                results[done.key] = done.unwrap()
            tick()
    if errors:
        errors[0].add_note(f"{len(errors)} of {len(errors) + len(results)} problems failed: run it again for these")
        raise errors[0]
    return results


@contextmanager
def _progress(console: Console, total: int) -> Iterator[Callable[[], None]]:
    """A bar on a terminal; elsewhere (a log file, CI) a line now and then. Yields what counts one problem."""
    done = count(1)
    if not console.is_terminal:
        every = max(1, total // PLAIN_LINES)
        yield lambda: _say(console, next(done), total, every)
        return
    with Progress(
        MofNCompleteColumn(), BarColumn(bar_width=20), TimeElapsedColumn(), TimeRemainingColumn(), console=console
    ) as bar:
        task = bar.add_task("rollouts", total=total)
        yield lambda: bar.advance(task)


def _say(console: Console, done: int, total: int, every: int) -> None:
    if done % every == 0 or done == total:
        console.print(f"rollouts of {done} of {total} problems", highlight=False)
