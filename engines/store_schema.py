"""The rollout store's file: tables, how it is opened, and what SQLite's errors mean to a user.

WAL mode, so that readers and one writer do not wait for each other; `synchronous=NORMAL`, so that a commit
costs
no fsync: after a crash of the process nothing committed is lost, after a power cut at most the last moments.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from steplabel.schemas import StoreError

FORMAT: Final = "steplabel rollout store"
VERSION: Final = 1
BUSY_SECONDS: Final = 30.0  # how long to wait for another process's commit, which takes milliseconds

_TABLES: Final = (
    "CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID",
    # With a rowid, text is appended in the order it comes and only the 16-byte keys are spread over the
    # index.
    """CREATE TABLE rollouts (
        key BLOB PRIMARY KEY, text TEXT NOT NULL, finish_reason TEXT NOT NULL, token_ids BLOB NOT NULL,
        completion_tokens INTEGER NOT NULL, prompt_tokens INTEGER NOT NULL, cached_tokens INTEGER NOT NULL,
        cumulative_logprob REAL, prompt_logprob REAL, checksum INTEGER NOT NULL)""",
    """CREATE TABLE usage (
        run_id TEXT NOT NULL, process TEXT NOT NULL, requests INTEGER NOT NULL, engine_requests INTEGER NOT
        NULL, engine_samples INTEGER NOT NULL, stored_samples INTEGER NOT NULL, prompt_tokens INTEGER NOT
        NULL,
        completion_tokens INTEGER NOT NULL, PRIMARY KEY (run_id, process)) WITHOUT ROWID""",
    """CREATE TABLE finished (
        run_id TEXT NOT NULL, unit_id TEXT NOT NULL, kind TEXT NOT NULL,
        PRIMARY KEY (run_id, unit_id)) WITHOUT ROWID""",
)


def open_for_writing(path: Path) -> sqlite3.Connection:
    """Open the store, creating it where there is none.

    Raises:
        StoreError: not a store, of another version, damaged, locked, or not writable.
    """
    with store_errors(path):
        _make_folder(path)
        connection = _connect(path, "rwc")
        try:
            # Looked at before anything is changed: a foreign database must stay as it is.
            if _tables(connection):
                _check(connection, path)
            _enter_wal(connection)
            connection.execute("BEGIN IMMEDIATE")
            if not _tables(connection):
                _create(connection)
            connection.execute("COMMIT")
            _check(connection, path)
        except BaseException:
            connection.close()
            raise
    return connection


def open_for_reading(path: Path) -> sqlite3.Connection | None:
    """Open a store to read from; None where there is none yet, or one that is just being created.

    Raises:
        StoreError: not a store, of another version, or damaged.
    """
    if not path.exists():
        return None
    with store_errors(path):
        connection = _connect(path, "ro")
        try:
            if _tables(connection):
                _check(connection, path)
                return connection
        except BaseException:
            connection.close()
            raise
        connection.close()
        return None


@contextmanager
def store_errors(path: Path) -> Iterator[None]:
    """Turn what SQLite and the file system raise into a StoreError that says what to do."""
    try:
        yield
    except (sqlite3.Error, OSError) as error:
        raise StoreError(f"rollout store {path}: {error}; {_advice(str(error))}") from error


def _advice(message: str) -> str:
    hints = {
        "not a database": "this is another kind of file: choose another path for the store",
        "malformed": "the file is damaged: restore a copy, or move it away and start a new one",
        "is full": "free some space and run the command again, nothing stored so far is lost",
        "disk I/O": "check the disk; on a network file system, put the store on a local one",
        "locked": "another process holds it: end that process, or give this run its own store",
        "readonly": "the path must be writable: choose another one",
        "unable to open": "its folder must exist or be creatable, and be writable",
    }
    return next((hint for key, hint in hints.items() if key in message), "check the path and its permissions")


def _make_folder(path: Path) -> None:
    if path.is_dir():
        raise IsADirectoryError("is a folder, the store is one file")
    path.parent.mkdir(parents=True, exist_ok=True)


def _connect(path: Path, mode: str) -> sqlite3.Connection:
    uri = f"{path.resolve().as_uri()}?mode={mode}"
    # One thread at a time uses a connection, but not always the one that opened it. Transactions are ours to
    # begin.
    connection = sqlite3.connect(uri, uri=True, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False)
    connection.execute("PRAGMA synchronous=NORMAL")
    return connection


def _enter_wal(connection: sqlite3.Connection) -> None:
    """Switch to WAL. Two processes that create a store at once collide here, and SQLite does not wait."""
    deadline = time.monotonic() + BUSY_SECONDS
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL")
            return
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) or time.monotonic() > deadline:
                raise
            time.sleep(0.01)


def _create(connection: sqlite3.Connection) -> None:
    for statement in _TABLES:
        connection.execute(statement)
    rows = [("format", FORMAT), ("version", str(VERSION))]
    connection.executemany("INSERT INTO meta VALUES (?, ?)", rows)


def _check(connection: sqlite3.Connection, path: Path) -> None:
    known = "meta" in _tables(connection)
    meta = dict(connection.execute("SELECT name, value FROM meta").fetchall()) if known else {}
    if meta.get("format") != FORMAT:
        raise StoreError(f"{path} is a database, but not a rollout store: choose another path for the store")
    if meta.get("version") != str(VERSION):
        raise StoreError(
            f"rollout store {path} has version {meta.get('version')}, this program reads version {VERSION}: "
            "use the release that wrote it, or start a new store"
        )


def _tables(connection: sqlite3.Connection) -> set[str]:
    return {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
