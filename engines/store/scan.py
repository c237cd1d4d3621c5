"""Reading a whole store, row after row, past whatever damage there is.

A flipped byte in a text fails that row's checksum. A page whose structure is damaged cannot be read at all, and takes
some neighbouring rows with it; what lies behind it is found by asking for one row number after the other.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from steplabel.engines.store.rows import COLUMNS, REQUEST, REQUEST_COLUMNS, Row, is_intact

BATCH: Final = 1000  # rows in one query: between two of them a writer can clear its log
MOST_LINES: Final = 20
SMALL_STEPS: Final = 5000  # more rows than hang on one damaged page, mostly
LONGEST_LEAP: Final = 2**40
_DAMAGE: Final = (
    sqlite3.SQLITE_CORRUPT,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_TOOBIG,
    sqlite3.SQLITE_NOTADB,
    sqlite3.SQLITE_CONSTRAINT,  # two rows with one key, when an index is made anew
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What was found at one place of a table.

    Attributes:
        number: the row's number in its table; of the last readable row before, where pages cannot be read.
        row: as it stands in the file; None where pages cannot be read.
        problem: what is wrong with it; empty for an intact row.
    """

    number: int
    row: Row | None = None
    problem: str = ""

    @property
    def lost(self) -> bool:
        """Whether something should be here, and is not."""
        return self.row is None and bool(self.problem)

    @property
    def name(self) -> str:
        """The row's key, or where it would stand."""
        key = self.row[0] if self.row else None
        return key.hex() if isinstance(key, bytes) else f"after row {self.number}"


def scan_rollouts(connection: sqlite3.Connection, run_id: str | None = None) -> Iterator[Found]:
    """Every rollout, or those of the requests that a run used, in the order of their arrival."""
    only = "request IN (SELECT request FROM uses WHERE run_id = ?)" if run_id is not None else ""
    select = f"SELECT rowid, {COLUMNS} FROM rollouts"  # noqa: S608 - our own names
    return _scan(connection, select, only, () if run_id is None else (run_id,))


def scan_requests(connection: sqlite3.Connection) -> Iterator[Found]:
    """Every request."""
    select = f"SELECT rowid, {REQUEST_COLUMNS} FROM requests"  # noqa: S608 - our own names
    return _scan(connection, select, "", ())


def structure_problems(connection: sqlite3.Connection, *, indexes: bool = True) -> tuple[str, ...]:
    """What SQLite's own check says about the file, the first lines of it; empty if all is well.

    Args:
        indexes: compare them with their rows too, which takes several times as long.
    """
    check = "integrity_check" if indexes else "quick_check"
    try:
        lines = [line for (line,) in connection.execute(f"PRAGMA {check}({MOST_LINES})")]
    except sqlite3.DatabaseError as error:
        if not is_damage(error):
            raise
        return (str(error),)
    return () if lines == ["ok"] else tuple(lines)


class RequestReader:
    """Looks up the request of each rollout; neighbours mostly share theirs."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self.of_key = lru_cache(maxsize=256)(self._of_key)

    def of(self, rollout: Row) -> Found:
        """The rollout's request; without a row, and without a problem either, where the rollout names none."""
        return Found(number=0) if rollout[REQUEST] is None else self.of_key(rollout[REQUEST])

    def _of_key(self, key: bytes) -> Found:
        query = f"SELECT {REQUEST_COLUMNS} FROM requests WHERE key = ?"  # noqa: S608 - our own names
        try:
            row = self._connection.execute(query, (key,)).fetchone()
        except sqlite3.DatabaseError as error:
            if not is_damage(error):
                raise
            return Found(number=0, problem=f"its request cannot be read: {error}")
        if row is None:
            return Found(number=0, problem="its request is missing")
        return Found(number=0, row=row, problem="" if is_intact(row) else "its request is damaged")


def _scan(connection: sqlite3.Connection, select: str, only: str, values: Sequence[str]) -> Iterator[Found]:
    """A table in the order of its row numbers, a batch at a time."""
    # Bytes that are no UTF-8 are kept apart from every text there is, so that the checksum sees them.
    connection.text_factory = _decoded
    query = f"{select} WHERE rowid > ? {f'AND {only}' if only else ''} ORDER BY rowid LIMIT {BATCH}"
    before, last = -1, 0
    while last > before:
        before = last
        try:
            for number, *found in connection.execute(query, (last, *values)):
                last, row = max(last, number), tuple(found)  # where damage upset the order, go on all the same
                yield Found(number=number, row=row, problem="" if is_intact(row) else "its checksum does not fit")
        except sqlite3.DatabaseError as error:
            if not is_damage(error):
                raise
            yield Found(number=last, problem=f"pages cannot be read: {error}")
            behind = _readable_after(connection, query, last, values)
            last = behind - 1 if behind else before


def _readable_after(connection: sqlite3.Connection, query: str, last: int, values: Sequence[str]) -> int | None:
    """The number of the first row behind `last` and a stretch that cannot be read; None if there is none.

    One number after the other, as far as damaged pages mostly reach; then in leaps, and back to where it begins.
    """
    unreadable, leap = last, 1
    while leap < LONGEST_LEAP:
        if _can_read(connection, query, unreadable + leap, values):
            break
        unreadable += leap
        leap = 1 if unreadable - last < SMALL_STEPS else 2 * leap
    else:
        return None
    readable = unreadable + leap
    while readable - unreadable > 1:
        middle = (unreadable + readable) // 2
        if _can_read(connection, query, middle, values):
            readable = middle
        else:
            unreadable = middle
    row = connection.execute(query, (readable, *values)).fetchone()
    return int(row[0]) if row else None


def _can_read(connection: sqlite3.Connection, query: str, number: int, values: Sequence[str]) -> bool:
    try:
        connection.execute(query, (number, *values)).fetchone()
    except sqlite3.DatabaseError as error:
        if not is_damage(error):
            raise
        return False
    return True


def is_damage(error: sqlite3.DatabaseError) -> bool:
    """Whether SQLite complains about what lies in the file: locked, interrupted and the like say nothing about it."""
    return getattr(error, "sqlite_errorcode", sqlite3.SQLITE_CORRUPT) & 0xFF in _DAMAGE


def _decoded(data: bytes) -> str:
    return data.decode("utf-8", "surrogateescape")
