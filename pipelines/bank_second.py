"""A second bank: another completer's rollouts at every prefix of the solutions that a given bank holds.

Two banks of one set of solutions are two sources about the same steps: what they agree on can be measured
(consensus on location), and so can a prover that is not the policy (PAV). Solutions, their outcomes, their truth and
their split are taken over as they are; their rows name both models.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

from rich.console import Console

from steplabel.engines.port import Engine
from steplabel.engines.store.rollout_store import StoredSpec
from steplabel.pipelines.bank import Bank, read_bank, write_bank
from steplabel.pipelines.bank_asking import BankReport, Unasked, bank_report, roll_out
from steplabel.pipelines.bank_plan import RolloutsWanted
from steplabel.schemas import ConfigError, Evidence
from steplabel.schemas.bank import BankedProblem

ACCOUNT: Final = "second bank"
"""Under what name the store counts what was paid."""


def build_second(wanted: RolloutsWanted, *, of: Path, store: Path, output: Path, console: Console) -> BankReport:
    """Build a second bank over the solutions of the bank `of`; everything that is asked is kept in `store`.

    Raises:
        ConfigError: there is no bank `of`, `output` would replace it, or its answers were checked by another checker.
        EngineError: requests failed; the same call asks them again, and nothing else.
        StoreError: the store cannot be used.
    """
    first = read_bank(of)
    if output.exists() and output.samefile(of):
        raise ConfigError(f"the second bank would replace the first, {str(of)!r}: give it a file of its own")
    store.parent.mkdir(parents=True, exist_ok=True)
    rows = asyncio.run(_build(wanted, first, store, console))
    write_bank(rows, output)
    return bank_report(rows, seen=len(rows), store=store, account=ACCOUNT)


async def _build(wanted: RolloutsWanted, first: Bank, store: Path, console: Console) -> list[BankedProblem]:
    engine = StoredSpec(engine=wanted.use.engine, path=str(store), run_id=ACCOUNT).open()
    try:
        return await roll_out(wanted, engine, _unasked(wanted, first, engine), console)
    finally:
        await engine.close()


def _unasked(wanted: RolloutsWanted, first: Bank, engine: Engine) -> Sequence[Unasked]:
    pairs = zip(first.rows, first.records, strict=True)
    return [Unasked(row=_row(wanted, row, engine), record=_bare(record)) for row, record in pairs]


def _row(wanted: RolloutsWanted, row: BankedProblem, engine: Engine) -> BankedProblem:
    checker = wanted.checker
    if (row.checker, row.checker_version) != (checker.name, checker.version):
        raise ConfigError(
            f"the bank's answers were checked by {row.checker} {row.checker_version}, and now it is {checker.name} "
            f"{checker.version}: build the first bank again"
        )
    return replace(
        row,
        completer=engine.identity.id,
        licence=engine.identity.licence,
        sampling=wanted.use.sampling,
        prefixes=(),
        policy=row.policy or row.completer,
        policy_licence=row.policy_licence if row.policy else row.licence,
        policy_sampling=row.policy_sampling or row.sampling,
    )


def _bare(record: Evidence) -> Evidence:
    """Problem and solutions alone: what there is to continue."""
    return Evidence(problem=record.problem, solutions=record.solutions)
