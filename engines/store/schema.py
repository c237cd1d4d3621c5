"""What stands in the rollout store's file, in this version and in the one before.

Version 2 says of every rollout which request it answers, so that rollouts can be understood away from the run that
drew them; which runs used which requests; and what the model's answers cost. A file of version 1 is brought up to it
in one transaction when it is opened for writing: columns are added and nothing is rewritten, so it takes a moment
whatever the size, and a kill leaves the one version or the other. Opened for reading, it is shown as version 2.
"""

from __future__ import annotations

import sqlite3
from typing import Final

from steplabel.schemas import StoreError

FORMAT: Final = "steplabel rollout store"
VERSION: Final = 2

_TABLES: Final = (
    # `rollouts` is how many there are: counting them takes a scan, and progress bars ask twice a second.
    "CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID",
    # With a rowid, text is appended in the order it comes and only the 16-byte keys are spread over the index.
    # `request` and `sample` are null where a rollout was stored by version 1 and nobody asked for it since.
    """CREATE TABLE rollouts (
        key BLOB PRIMARY KEY, text TEXT NOT NULL, finish_reason TEXT NOT NULL, token_ids BLOB NOT NULL,
        completion_tokens INTEGER NOT NULL, prompt_tokens INTEGER NOT NULL, cached_tokens INTEGER NOT NULL,
        cumulative_logprob REAL, prompt_logprob REAL, checksum INTEGER NOT NULL, request BLOB, sample INTEGER)""",
    """CREATE TABLE usage (
        run_id TEXT NOT NULL, process TEXT NOT NULL, requests INTEGER NOT NULL, engine_requests INTEGER NOT NULL,
        engine_samples INTEGER NOT NULL, stored_samples INTEGER NOT NULL, prompt_tokens INTEGER NOT NULL,
        completion_tokens INTEGER NOT NULL, cached_tokens INTEGER NOT NULL DEFAULT 0, cost REAL NOT NULL DEFAULT 0,
        PRIMARY KEY (run_id, process)) WITHOUT ROWID""",
    """CREATE TABLE finished (
        run_id TEXT NOT NULL, unit_id TEXT NOT NULL, kind TEXT NOT NULL,
        PRIMARY KEY (run_id, unit_id)) WITHOUT ROWID""",
)
# By content key and not by number: a key is known before anything is written, and is the same in every store.
_REQUESTS: Final = """CREATE TABLE requests (
    key BLOB PRIMARY KEY, model TEXT NOT NULL, model_name TEXT NOT NULL, licence TEXT NOT NULL, prompt TEXT NOT NULL,
    sampling TEXT NOT NULL, seed INTEGER, checksum INTEGER NOT NULL)"""
_USES: Final = """CREATE TABLE uses (
    run_id TEXT NOT NULL, request BLOB NOT NULL, PRIMARY KEY (run_id, request)) WITHOUT ROWID"""

_FROM_VERSION_1: Final = (
    "ALTER TABLE rollouts ADD COLUMN request BLOB",
    "ALTER TABLE rollouts ADD COLUMN sample INTEGER",
    "ALTER TABLE usage ADD COLUMN cached_tokens INTEGER NOT NULL DEFAULT 0",
    "ALTER TABLE usage ADD COLUMN cost REAL NOT NULL DEFAULT 0",
    _REQUESTS,
    _USES,
    "INSERT INTO meta SELECT 'rollouts', COUNT(*) FROM rollouts",
    f"UPDATE meta SET value = '{VERSION}' WHERE name = 'version'",  # noqa: S608 - our own number
)

# What a reader asks by the plain name comes from here: SQLite looks among the temporary tables first.
_VIEWS_OF_VERSION_1: Final = (
    """CREATE TEMP VIEW rollouts AS SELECT rowid AS rowid, key, text, finish_reason, token_ids, completion_tokens,
        prompt_tokens, cached_tokens, cumulative_logprob, prompt_logprob, checksum, NULL AS request, NULL AS sample
        FROM main.rollouts""",
    "CREATE TEMP VIEW usage AS SELECT *, 0 AS cached_tokens, 0.0 AS cost FROM main.usage",
    # The rows of version 1 were never deleted, so the last number is their count.
    """CREATE TEMP VIEW meta AS SELECT name, value FROM main.meta
        UNION ALL SELECT 'rollouts', COALESCE(MAX(rowid), 0) FROM main.rollouts""",
    _REQUESTS.replace("CREATE TABLE", "CREATE TEMP TABLE"),
    _USES.replace("CREATE TABLE", "CREATE TEMP TABLE"),
)


def is_empty(connection: sqlite3.Connection) -> bool:
    """Whether the file holds no table yet, ours or anybody's."""
    return not _tables(connection)


def create(connection: sqlite3.Connection) -> None:
    """Make the tables of an empty store, within a transaction of the caller's."""
    for statement in (*_TABLES, _REQUESTS, _USES):
        connection.execute(statement)
    rows = [("format", FORMAT), ("version", str(VERSION)), ("rollouts", "0")]
    connection.executemany("INSERT INTO meta VALUES (?, ?)", rows)


def migrate(connection: sqlite3.Connection) -> None:
    """Bring a store of version 1 up to this one, within a transaction of the caller's."""
    for statement in _FROM_VERSION_1:
        connection.execute(statement)


def show_as_current(connection: sqlite3.Connection) -> None:
    """Let this connection read a store of version 1 as if it were of this version; the file stays as it is."""
    for statement in _VIEWS_OF_VERSION_1:
        connection.execute(statement)


def version_of(connection: sqlite3.Connection, name: str) -> int:
    """The version of the store, 1 or 2; `name` is what messages call it.

    Raises:
        StoreError: not a rollout store, or of a version that this program does not know.
    """
    known = "meta" in _tables(connection)
    meta = dict(connection.execute("SELECT name, value FROM meta").fetchall()) if known else {}
    if meta.get("format") != FORMAT:
        raise StoreError(f"{name} is a database, but not a rollout store: choose another path for the store")
    version = meta.get("version")
    if version not in ("1", str(VERSION)):
        raise StoreError(
            f"rollout store {name} has version {version}, this program reads versions 1 to {VERSION}: "
            "update steplabel to the release that wrote it, or start a new store"
        )
    return int(version)


def _tables(connection: sqlite3.Connection) -> set[str]:
    return {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
