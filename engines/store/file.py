"""Opening the rollout store's file, and what SQLite's errors mean to a user.

WAL mode, so that readers and one writer do not wait for each other; `synchronous=NORMAL`, so that a commit costs no
fsync: after a crash of the process nothing committed is lost, after a power cut at most the last moments.
"""

from __future__ import annotations

import os
import shlex
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Final

from steplabel.engines.store import schema
from steplabel.schemas import StoreError

BUSY_SECONDS: Final = 30.0  # how long to wait for another process's commit, which takes milliseconds
ALONE_SECONDS: Final = 3.0  # how long to wait for others to leave: a progress bar's look is short, a run is not


def open_for_writing(path: Path) -> sqlite3.Connection:
    """Open the store, creating it where there is none and bringing an older one up to this version.

    Raises:
        StoreError: not a store, of a newer version, damaged, locked, or not writable.
    """
    with store_errors(path):
        _make_folder(path)
        connection = _connect(path, "rwc")
        try:
            # Looked at before anything is changed: a foreign database must stay as it is.
            if not schema.is_empty(connection):
                schema.version_of(connection, str(path))
            _enter_wal(connection)
            with transaction(connection):  # another process may be at the same: whoever comes second finds it done
                if schema.is_empty(connection):
                    schema.create(connection)
                elif schema.version_of(connection, str(path)) < schema.VERSION:
                    schema.migrate(connection)
        except BaseException:
            connection.close()
            raise
    return connection


def open_for_reading(path: Path) -> sqlite3.Connection | None:
    """Open a store to read from; None where there is none yet, or one that is just being created.

    A store of version 1 is left as it is and reads as one of this version.

    Raises:
        StoreError: not a store, of a newer version, or damaged.
    """
    if not path.exists():
        return None
    with store_errors(path):
        connection = _connect(path, "ro&immutable=1" if _cannot_change(path) else "ro")
        try:
            if schema.is_empty(connection):
                connection.close()
                return None
            if schema.version_of(connection, str(path)) < schema.VERSION:
                schema.show_as_current(connection)
        except BaseException:
            connection.close()
            raise
    return connection


@contextmanager
def reading(path: Path) -> Iterator[sqlite3.Connection]:
    """A store that must be there, open for reading.

    Raises:
        StoreError: there is none, or as `open_for_reading`; and what SQLite raises while it is read.
    """
    connection = open_for_reading(path)
    if connection is None:
        raise StoreError(f"there is no rollout store at {path}")
    with closing(connection), store_errors(path):
        yield connection


@contextmanager
def alone(path: Path) -> Iterator[sqlite3.Connection]:
    """A store open for writing by nobody else, and kept so: what comes meanwhile waits, and then fails as locked.

    Raises:
        StoreError: another process has it open, or as `open_for_writing`; and what SQLite raises meanwhile.
    """
    open_for_writing(path).close()
    with store_errors(path), closing(_connect(path, "rw", exclusive=True)) as connection:
        with transaction(connection):
            pass  # the lock is taken here, and stays
        yield connection


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """All or nothing. Waits for the transaction of another process."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        # A full disk may have ended the transaction already.
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


@contextmanager
def store_errors(path: Path) -> Iterator[None]:
    """Turn what SQLite and the file system raise into a StoreError that says what to do."""
    try:
        yield
    except (sqlite3.Error, OSError, UnicodeDecodeError) as error:  # the last, where damage got into SQLite's own words
        raise StoreError(f"rollout store {path}: {error}; {_advice(str(error), path)}") from error


def _advice(message: str, path: Path) -> str:
    look = f"steplabel store verify {shlex.quote(str(path))}"
    damage = f"the file is damaged: `{look}` says how far, `steplabel store export` saves what can be read"
    hints = {
        "not a database": "this is another kind of file: choose another path for the store",
        "malformed": damage,
        "decode": damage,
        "too big": damage,
        "is full": "free some space and run the command again, nothing stored so far is lost",
        "disk I/O": (
            "check the disk, its quota and limits on file sizes, and run the command again; "
            "on a network file system, put the store on a local one"
        ),
        "locked": "another process holds it: wait for that process or end it, or give this run its own store",
        "readonly": "the path must be writable: choose another one",
        "unable to open": "its folder must exist or be creatable, and be writable",
    }
    return next((hint for key, hint in hints.items() if key in message), "check the path and its permissions")


def _make_folder(path: Path) -> None:
    if path.is_dir():
        raise IsADirectoryError("is a folder, the store is one file")
    path.parent.mkdir(parents=True, exist_ok=True)


def _cannot_change(path: Path) -> bool:
    """On a medium that cannot be written, SQLite has no place for its locks, and needs to be told that none is needed.

    A log beside the file would hold newer rows: then it is read in the usual way, or not at all.
    """
    log = path.resolve().with_name(f"{path.resolve().name}-wal")
    return not os.access(log.parent, os.W_OK) and not (log.exists() and log.stat().st_size)


def _connect(path: Path, mode: str, *, exclusive: bool = False) -> sqlite3.Connection:
    uri = f"{path.resolve().as_uri()}?mode={mode}"
    seconds = ALONE_SECONDS if exclusive else BUSY_SECONDS
    # One thread at a time uses a connection, but not always the one that opened it. Transactions are ours to begin.
    connection = sqlite3.connect(uri, uri=True, timeout=seconds, isolation_level=None, check_same_thread=False)
    if exclusive:  # said first: once the file was looked at, SQLite would not ask others to leave any more
        connection.execute("PRAGMA locking_mode=EXCLUSIVE")
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
