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
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Final

from rich.console import Console

from steplabel.engines.port import Engine
from steplabel.engines.store.rollout_store import StoredSpec
from steplabel.pipelines.bank import count_kinds, split_of, write_bank
from steplabel.pipelines.bank_asking import BankReport, Unasked, bank_report, driven, roll_out, sampler_of
from steplabel.pipelines.bank_plan import PROBLEMS_AT_ONCE, BankPlan
from steplabel.pipelines.evaluation import exact_truth
from steplabel.pipelines.generated import problem_rows
from steplabel.schemas import CheckedOutcome, ConfigError, DataError, Evidence, Problem, Solution
from steplabel.schemas.bank import BankedProblem, BankedSolution, SolutionKind, end_letter
from steplabel.schemas.layouts.problems import read_problem
from steplabel.transforms.sample import draw, solutions_from

ACCOUNT: Final = "bank"
"""Under what name the store counts what was paid."""


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
    return bank_report(rows, seen=seen, store=store, account=ACCOUNT)


async def _build(plan: BankPlan, store: Path, console: Console) -> tuple[list[BankedProblem], int]:
    engine = StoredSpec(engine=plan.use.engine, path=str(store), run_id=ACCOUNT).open()
    try:
        taken, seen = await _take(plan, engine, console)
        return await roll_out(plan.wanted, engine, taken, console), seen
    finally:
        await engine.close()


# Choosing.


async def _take(plan: BankPlan, engine: Engine, console: Console) -> tuple[list[Unasked], int]:
    """The problems of the bank, and how many were looked at."""
    taken: list[Unasked] = []
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
                taken.append(Unasked(row=row, record=record))
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
    samples = await driven(programs, sampler_of(plan.wanted, engine), PROBLEMS_AT_ONCE, lambda: None)
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
