"""What a run has done so far, read from its store by any process while it is being written.

Beam's metrics stay empty until a bundle commits on local runners, so progress bars and shared budgets read
here.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

from steplabel.engines.store.file import open_for_reading, open_for_writing, store_errors, transaction
from steplabel.engines.store.usage import USAGE_COLUMNS, Usage


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreProgress(Usage):
    """What one run has asked and got, over all its processes.

    Attributes:
        finished: units (problems, solutions) by the kind they were marked with.
        rollouts: in the store altogether, of every run that shares it.
    """

    finished: Mapping[str, int] = field(default_factory=dict)
    rollouts: int = 0


def read_progress(path: str | Path, run_id: str) -> StoreProgress:
    """Read the counts of a run; all zero where there is no store yet, or nothing of this run in it.

    Raises:
        StoreError: the file is not a rollout store or cannot be read.
    """
    path = Path(path)
    connection = open_for_reading(path)
    if connection is None:
        return StoreProgress()
    with closing(connection), store_errors(path):
        return progress_of(connection, run_id)


def progress_of(connection: sqlite3.Connection, run_id: str) -> StoreProgress:
    """As `read_progress`, of a store that is open."""
    sums = ", ".join(f"COALESCE(SUM({name}), 0)" for name in USAGE_COLUMNS)
    usage = connection.execute(f"SELECT {sums} FROM usage WHERE run_id = ?", (run_id,)).fetchone()  # noqa: S608 - our own names
    kinds = "SELECT kind, COUNT(*) FROM finished WHERE run_id = ? GROUP BY kind ORDER BY kind"
    finished = dict(connection.execute(kinds, (run_id,)))
    return StoreProgress(
        finished=finished, rollouts=count_rollouts(connection), **dict(zip(USAGE_COLUMNS, usage, strict=True))
    )


def count_rollouts(connection: sqlite3.Connection) -> int:
    """How many rollouts there are, by the count that every commit keeps up to date: no scan of a large store."""
    row = connection.execute("SELECT value FROM meta WHERE name = 'rollouts'").fetchone()
    if row is None or not str(row[0]).isdecimal():
        raise sqlite3.DatabaseError("database is malformed: it does not say how many rollouts it holds")
    return int(row[0])


def clear_progress(path: str | Path, run_id: str) -> None:
    """Forget a run's counts and finished units; its rollouts stay. Does nothing where there is no store."""
    path = Path(path)
    if not path.exists():
        return
    with closing(open_for_writing(path)) as connection, store_errors(path), transaction(connection):
        for table in ("usage", "finished"):
            connection.execute(f"DELETE FROM {table} WHERE run_id = ?", (run_id,))  # noqa: S608 - our own names
