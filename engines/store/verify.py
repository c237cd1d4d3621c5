"""Is everything in a store what was written? And if not: take away what is not, so that it is asked for again.

Covered: the checksum of every rollout and request, that each rollout's request is there, and SQLite's own check of the
file's structure. Not covered: counts of usage and finished units carry no checksum; a flipped byte in one is found only
where it breaks the structure.
"""

from __future__ import annotations

import shlex
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from steplabel.engines.store.file import open_for_writing, reading, store_errors, transaction
from steplabel.engines.store.progress import count_rollouts
from steplabel.engines.store.rows import COLUMNS, REQUEST_COLUMNS, answering, is_intact
from steplabel.engines.store.scan import (
    Found,
    RequestReader,
    is_damage,
    scan_requests,
    scan_rollouts,
    structure_problems,
)
from steplabel.schemas import StoreError

MOST_TOLD: Final = 20  # damaged rows named, and stretches of pages; all are counted
TICK_ROWS: Final = 500
Tick = Callable[[int, int], None]
"""Told how many rows were read so far, and how many there should be."""

_LOST_REQUEST: Final = "request IS NOT NULL AND request NOT IN (SELECT key FROM requests)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Verification:
    """What a check found.

    Attributes:
        intact: rollouts that are what was written.
        damaged: rollouts and requests that are not, rollouts whose request is lost, stretches that cannot be read.
        told: the first of them, each as `key: what is wrong`.
        structure: what SQLite says about the file; empty if all is well.
        removed: how many of the damaged were taken away.
    """

    intact: int
    damaged: int
    told: tuple[str, ...]
    structure: tuple[str, ...]
    removed: int = 0

    @property
    def sound(self) -> bool:
        """Whether everything that is there is what was written."""
        return not self.structure and self.damaged == self.removed


def verify(path: Path, tick: Tick = lambda _read, _total: None) -> Verification:
    """Read everything and check it. Changes nothing; another process may write to the store meanwhile.

    Raises:
        StoreError: there is no store, or the file is too damaged to be told for one.
    """
    with reading(path) as connection:
        found, structure = _check(connection, tick), _structure(connection)
    return Verification(intact=found.intact, damaged=found.damaged, told=tuple(found.told), structure=structure)


def remove_damaged(path: Path, tick: Tick = lambda _read, _total: None) -> Verification:
    """As `verify`, and take away what is damaged.

    A damaged rollout goes. Where only its request is damaged the request goes, and is known again once a run asks for
    it; that other runs used it stays known. Damaged indexes are made anew from the rows.

    Raises:
        StoreError: as `verify`, or the pages themselves are damaged, so that rows cannot be taken away one by one.
    """
    with closing(open_for_writing(path)) as connection, store_errors(path):
        before = _check(connection, tick)
        _mend(connection, before, path)
        after = _check(connection, tick) if before.damaged else before
        return Verification(
            intact=after.intact,
            damaged=before.damaged,
            told=tuple(before.told),
            structure=_structure(connection),
            removed=before.damaged - after.damaged,
        )


@dataclass(slots=True)
class _Check:
    """Numbers of the damaged rows, and what was told of the first ones."""

    intact: int = 0
    rollouts: list[int] = field(default_factory=list)
    requests: list[int] = field(default_factory=list)
    without_request: int = 0
    unreadable: int = 0
    told: list[str] = field(default_factory=list)

    @property
    def damaged(self) -> int:
        return len(self.rollouts) + len(self.requests) + self.without_request + self.unreadable

    def tell(self, what: str, problem: str) -> None:
        if len(self.told) < MOST_TOLD:
            self.told.append(f"{what}: {problem}")

    def note(self, kind: str, found: Found, numbers: list[int]) -> None:
        self.tell(f"{kind} {found.name}", found.problem)
        if found.row is None:
            self.unreadable += 1
        else:
            numbers.append(found.number)


def _check(connection: sqlite3.Connection, tick: Tick) -> _Check:
    check, requests, total = _Check(), RequestReader(connection), _expected(connection)
    for found in scan_requests(connection):
        if found.problem:
            check.note("request", found, check.requests)
    for read, found in enumerate(scan_rollouts(connection)):
        if read % TICK_ROWS == 0:
            tick(read, total)
        if found.problem or found.row is None:
            check.note("rollout", found, check.rollouts)
        elif requests.of(found.row).lost:
            check.without_request += 1
            check.tell(f"rollout {found.name}", requests.of(found.row).problem)
        else:
            check.intact += 1
    tick(total, total)
    return check


def _expected(connection: sqlite3.Connection) -> int:
    """How many rollouts there should be, 0 where that cannot be told: a hint for a progress bar."""
    try:
        return count_rollouts(connection)
    except sqlite3.DatabaseError:
        return 0


def _structure(connection: sqlite3.Connection) -> tuple[str, ...]:
    """What SQLite says, and whether the store knows how many rollouts it holds."""
    problems = structure_problems(connection)
    if problems:
        return problems
    # One statement, so that a writer cannot come between the two.
    query = "SELECT (SELECT COUNT(*) FROM rollouts), (SELECT value FROM meta WHERE name = 'rollouts')"
    there, said = connection.execute(query).fetchone()
    return () if str(there) == str(said) else (f"the store says it has {said} rollouts, and there are {there}",)


def _mend(connection: sqlite3.Connection, check: _Check, path: Path) -> None:
    try:
        if structure_problems(connection):
            connection.execute("REINDEX")  # a row whose index entry is wrong could not be deleted either
        with transaction(connection):
            _remove(connection, check)
    except sqlite3.DatabaseError as error:
        if not is_damage(error):
            raise
        raise StoreError(
            f"rollout store {path}: {error}; rows cannot be taken away one by one. `steplabel store export "
            f"{shlex.quote(str(path))} saved.parquet` writes all that can be read, `steplabel store import "
            "saved.parquet NEW` makes a store of it"
        ) from error


def _remove(connection: sqlite3.Connection, check: _Check) -> None:
    """Take away the rows that are still damaged, and what rollouts say of lost requests."""
    for number in check.rollouts:
        _delete_damaged(connection, "rollouts", COLUMNS, number)
    for number in check.requests:
        _delete_damaged(connection, "requests", REQUEST_COLUMNS, number)
    rows = connection.execute(f"SELECT {COLUMNS} FROM rollouts WHERE {_LOST_REQUEST}").fetchall()  # noqa: S608 - our own names
    # What was damaged since it was checked must not get a new checksum.
    forgotten = [(answering(row, None, None)[-1], row[0]) for row in rows if is_intact(row)]
    connection.executemany("UPDATE rollouts SET request = NULL, sample = NULL, checksum = ? WHERE key = ?", forgotten)
    connection.execute("INSERT OR REPLACE INTO meta SELECT 'rollouts', COUNT(*) FROM rollouts")


def _delete_damaged(connection: sqlite3.Connection, table: str, columns: str, number: int) -> None:
    row = connection.execute(f"SELECT {columns} FROM {table} WHERE rowid = ?", (number,)).fetchone()  # noqa: S608
    if row is not None and not is_intact(row):
        connection.execute(f"DELETE FROM {table} WHERE rowid = ?", (number,))  # noqa: S608
