"""Ask every prefix of a bank's solutions, and say what the bank then holds.

Programs run on the driver, through a rollout store: what is stored is not paid for again, and one error leaves the
rest to be asked by the next call.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import aclosing, contextmanager
from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path
from typing import Final, TypeVar

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeElapsedColumn, TimeRemainingColumn

from steplabel.annotators.asking.prefix import PrefixAnswer, ask_prefix
from steplabel.annotators.driver import drive
from steplabel.annotators.effects import Concurrently, Finished, Program, Sample
from steplabel.engines.port import Engine
from steplabel.engines.store.progress import read_progress
from steplabel.pipelines.bank import count_kinds
from steplabel.pipelines.bank_plan import RolloutsWanted
from steplabel.schemas import Evidence, Problem
from steplabel.schemas.bank import BankedPrefix, BankedProblem, SolutionKind, end_letter
from steplabel.transforms.sampler import Sampler

T = TypeVar("T")
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


def bank_report(rows: Sequence[BankedProblem], *, seen: int, store: Path, account: str) -> BankReport:
    """Count what a bank holds; `account` is the name under which the store counted what was paid."""
    kinds: Counter[SolutionKind] = sum((count_kinds(row) for row in rows), Counter())
    return BankReport(
        problems=len(rows),
        seen=seen,
        solutions=sum(len(row.solutions) for row in rows),
        kinds=dict(sorted(kinds.items())),
        prefixes=sum(len(row.prefixes) for row in rows),
        rollouts=sum(len(row.prefixes) * row.rollouts for row in rows),
        tokens=read_progress(store, account).completion_tokens,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Unasked:
    """A problem of the bank: its row without rollouts, and its solutions as they are to be continued."""

    row: BankedProblem
    record: Evidence


def sampler_of(wanted: RolloutsWanted, engine: Engine) -> Sampler:
    """What answers programs: the engine, spoken to and judged as is wanted."""
    return Sampler(engine=engine, prompt=wanted.use.prompt, checker=wanted.checker)


async def roll_out(
    wanted: RolloutsWanted, engine: Engine, unasked: Sequence[Unasked], console: Console
) -> list[BankedProblem]:
    """The rows, with the rollouts of every prefix. Raises EngineError once all that could be asked has been."""
    programs = ((one.record.problem, _ask_all(one.record, wanted)) for one in unasked)
    with _progress(console, len(unasked)) as tick:
        prefixes = await driven(programs, sampler_of(wanted, engine), wanted.in_flight, tick)
    return [replace(one.row, prefixes=prefixes[one.record.problem.id]) for one in unasked]


def _ask_all(record: Evidence, wanted: RolloutsWanted) -> Program[tuple[BankedPrefix, ...]]:
    """Program: the rollouts of every prefix of one problem's solutions, each prefix once."""
    owners = _owners(record)
    asked: tuple[Finished[int, PrefixAnswer], ...] = yield Concurrently(
        programs=tuple(
            ask_prefix(
                record.problem,
                record.solutions[solution],
                depth,
                k=wanted.rollouts,
                chunk=wanted.rollouts,
                sampling=wanted.use.sampling,
                seed=wanted.seed,
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


async def driven(
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
