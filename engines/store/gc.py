"""Take away from a store what is no longer wanted, and give the space back.

Nothing is guessed: without a selection only what hangs in the air goes, requests without a rollout, uses of requests
that are gone for good, finished units of runs that left no counts. Rollouts go by whole requests, since runs ask for
those.
"""

from __future__ import annotations

import shlex
import sqlite3
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from steplabel.engines.store.file import alone, reading, transaction
from steplabel.engines.store.scan import structure_problems
from steplabel.engines.store.stats import known_runs
from steplabel.schemas import ConfigError, StoreError


@dataclass(frozen=True, slots=True, kw_only=True)
class GcSelection:
    """Which rollouts go. Rollouts that name no request are nobody's, and go only by `unattributed`.

    Attributes:
        keep_runs: those that none of these runs used, imported ones among them; other runs are forgotten.
        drop_runs: those that these runs used and no other run did; these runs are forgotten.
        models: those of these models, by `ModelIdentity.id` or by name.
        unattributed: those of version 1 that nobody asked for since.

    Raises:
        ConfigError: two ways of selecting by run or model at once.
    """

    keep_runs: tuple[str, ...] = ()
    drop_runs: tuple[str, ...] = ()
    models: tuple[str, ...] = ()
    unattributed: bool = False

    def __post_init__(self) -> None:
        if sum(map(bool, (self.keep_runs, self.drop_runs, self.models))) > 1:
            raise ConfigError("choose runs to keep, runs to drop, or models: only one of the three at a time")


@dataclass(frozen=True, slots=True, kw_only=True)
class GcReport:
    """Rows that went, or would go. `bytes` were given back by the file; 0 where nothing was changed."""

    rollouts: int
    requests: int
    uses: int
    usage: int
    finished: int
    bytes: int = 0


# Requests that go with all their rollouts, and runs that are forgotten.
_SELECTION: Final = (
    "CREATE TEMP TABLE going (request BLOB PRIMARY KEY) WITHOUT ROWID",
    "CREATE TEMP TABLE leaving (run_id TEXT PRIMARY KEY) WITHOUT ROWID",
)
_DANGLING: Final = (
    "INSERT OR IGNORE INTO going SELECT key FROM requests "
    "WHERE key NOT IN (SELECT request FROM rollouts WHERE request IS NOT NULL)"
)
_KEPT_BY_NONE: Final = """INSERT OR IGNORE INTO going SELECT key FROM requests
    WHERE key NOT IN (SELECT request FROM uses WHERE run_id NOT IN leaving)"""
_ONLY_OF_LEAVING: Final = """INSERT OR IGNORE INTO going SELECT request FROM uses WHERE run_id IN leaving
    EXCEPT SELECT request FROM uses WHERE run_id NOT IN leaving"""

# A use of a request that is gone is kept while there are rollouts without one: `verify` may have taken damaged
# requests away, which are known again when a run asks for them.
_OF_NOTHING: Final = (
    "request NOT IN (SELECT key FROM requests) "
    "AND (:unattributed OR NOT EXISTS (SELECT 1 FROM rollouts WHERE request IS NULL))"
)

# In this order: a condition looks at what those after it take away.
_GOES: Final = {
    "rollouts": "request IN going OR (request IS NULL AND :unattributed)",
    "uses": f"request IN going OR run_id IN leaving OR {_OF_NOTHING}",
    "requests": "key IN going",
    "finished": "run_id IN leaving OR run_id NOT IN (SELECT run_id FROM usage)",
    "usage": "run_id IN leaving",
}


def collect_garbage(path: Path, selection: GcSelection, *, dry_run: bool = False) -> GcReport:
    """Remove what is selected and what hangs in the air; or, on a dry run, only count it.

    A dry run changes nothing and may go on beside a run. Otherwise the store must be nobody else's meanwhile: a run
    at work on it would wait, and fail.

    Raises:
        ConfigError: the store knows no such run or model.
        StoreError: there is no store, another process holds it, its structure is damaged, or the disk is full.
    """
    if dry_run:
        with reading(path) as connection:
            return _counted(connection, selection)
    with reading(path) as connection:
        size = path.stat().st_size
    with alone(path) as connection:
        if problems := structure_problems(connection):
            look = f"steplabel store verify {shlex.quote(str(path))}"
            raise StoreError(f"rollout store {path} is damaged ({problems[0]}): `{look}` first")
        with transaction(connection):
            report = _counted(connection, selection)
            _delete(connection, selection)
        connection.execute("VACUUM")
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return replace(report, bytes=max(0, size - path.stat().st_size))


def _counted(connection: sqlite3.Connection, selection: GcSelection) -> GcReport:
    """Make the selection, and count what it comes to."""
    for statement in _SELECTION:
        connection.execute(statement)
    leaving = [(run_id,) for run_id in _leaving(connection, selection)]
    connection.executemany("INSERT INTO leaving VALUES (?)", leaving)
    connection.execute(_DANGLING)
    if selection.keep_runs:
        connection.execute(_KEPT_BY_NONE)
    if selection.drop_runs:
        connection.execute(_ONLY_OF_LEAVING)
    for model in selection.models:
        _select_model(connection, model)
    values = {"unattributed": selection.unattributed}
    counts = {
        table: connection.execute(f"SELECT COUNT(*) FROM {table} WHERE {goes}", values).fetchone()[0]  # noqa: S608 - our own names
        for table, goes in _GOES.items()
    }
    return GcReport(**counts)


def _leaving(connection: sqlite3.Connection, selection: GcSelection) -> set[str]:
    """Runs that are forgotten."""
    known = set(known_runs(connection))
    named = {*selection.keep_runs, *selection.drop_runs}
    if unknown := sorted(named - known):
        raise ConfigError(f"the store knows no run {unknown[0]!r}: `steplabel store stats` lists the runs")
    for run_id in selection.keep_runs:
        if not connection.execute("SELECT 1 FROM uses WHERE run_id = ? LIMIT 1", (run_id,)).fetchone():
            raise ConfigError(
                f"the store does not know what run {run_id!r} used, so it cannot keep that alone: repeat the run on "
                "this store first, which asks no model again"
            )
    return known - named if selection.keep_runs else named


def _select_model(connection: sqlite3.Connection, model: str) -> None:
    which = "WHERE ? IN (model, model_name)"
    if not connection.execute(f"SELECT 1 FROM requests {which} LIMIT 1", (model,)).fetchone():  # noqa: S608 - our own names
        raise ConfigError(f"the store holds no rollout of model {model!r}: `steplabel store stats` lists the models")
    connection.execute(f"INSERT OR IGNORE INTO going SELECT key FROM requests {which}", (model,))  # noqa: S608


def _delete(connection: sqlite3.Connection, selection: GcSelection) -> None:
    values = {"unattributed": selection.unattributed}
    for table, goes in _GOES.items():
        connection.execute(f"DELETE FROM {table} WHERE {goes}", values)  # noqa: S608 - our own names
    connection.execute("UPDATE meta SET value = (SELECT COUNT(*) FROM rollouts) WHERE name = 'rollouts'")
