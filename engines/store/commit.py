"""One transaction of the store: what many callers handed in, written together, and what the file then holds."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import astuple, dataclass, field
from typing import Final

from steplabel.engines.store.file import transaction
from steplabel.engines.store.rows import COLUMNS, REQUEST_COLUMNS, Row
from steplabel.engines.store.usage import USAGE_COLUMNS, Usage

_INSERT: Final = f"INSERT OR IGNORE INTO rollouts ({COLUMNS}) VALUES ({','.join('?' * 12)})"  # noqa: S608 - our own names
_SELECT: Final = f"SELECT {COLUMNS} FROM rollouts WHERE key = ?"  # noqa: S608
_REQUEST: Final = f"INSERT OR IGNORE INTO requests ({REQUEST_COLUMNS}) VALUES ({','.join('?' * 8)})"  # noqa: S608
_ANSWERS: Final = "UPDATE rollouts SET request = ?, sample = ?, checksum = ? WHERE key = ? AND request IS NULL"
_COUNT: Final = "UPDATE meta SET value = value + ? WHERE name = 'rollouts'"
_USE: Final = "INSERT OR IGNORE INTO uses (run_id, request) VALUES (?, ?)"
_FINISHED: Final = "INSERT OR REPLACE INTO finished (run_id, unit_id, kind) VALUES (?, ?, ?)"
_USAGE: Final = (
    f"INSERT OR REPLACE INTO usage (run_id, process, {', '.join(USAGE_COLUMNS)}) "  # noqa: S608
    f"VALUES ({','.join('?' * (2 + len(USAGE_COLUMNS)))})"
)


@dataclass(slots=True)
class Notes:
    """What is to be written besides rollouts; any of it may be written twice.

    Attributes:
        finished: kind by the id of the unit.
        requests: rows of requests that the run used, by their key.
        answers: rows of rollouts that did not say so far which request they answer.
    """

    finished: dict[str, str] = field(default_factory=dict)
    requests: dict[bytes, Row] = field(default_factory=dict)
    answers: list[Row] = field(default_factory=list)

    def before(self, later: Notes) -> Notes:
        """These and then the later ones, which win."""
        return Notes(
            finished=self.finished | later.finished,
            requests=self.requests | later.requests,
            answers=self.answers + later.answers,
        )


def commit(
    connection: sqlite3.Connection, owner: tuple[str, str], jobs: Sequence[Sequence[Row]], usage: Usage, notes: Notes
) -> list[Sequence[Row]]:
    """Write everything or nothing; returns each job's rows as the store holds them.

    Args:
        owner: run id and process.
        jobs: rows of rollouts; a key that is there already keeps the row it has.

    Raises:
        sqlite3.Error: nothing was written.
    """
    with transaction(connection):
        rows = [row for job in jobs for row in job]
        all_new = insert(connection, notes.requests, rows) == len(rows)
        stored = [job if all_new else _as_stored(connection, job) for job in jobs]
        connection.executemany(_ANSWERS, [(*row[9:], row[0]) for row in notes.answers])
        connection.executemany(_USE, [(owner[0], key) for key in notes.requests])
        connection.execute(_USAGE, (*owner, *astuple(usage)))
        connection.executemany(_FINISHED, [(owner[0], unit, kind) for unit, kind in notes.finished.items()])
    return stored


def insert(connection: sqlite3.Connection, requests: Mapping[bytes, Row], rows: Iterable[Row]) -> int:
    """Add requests and rollouts that are not there yet; returns how many rollouts were new.

    Within a transaction of the caller's.
    """
    connection.executemany(_REQUEST, requests.values())
    before = connection.total_changes
    connection.executemany(_INSERT, rows)
    new = connection.total_changes - before
    if new:
        connection.execute(_COUNT, (new,))
    return new


def _as_stored(connection: sqlite3.Connection, rows: Sequence[Row]) -> list[Row]:
    """The first writer of a key wins: read back what it wrote."""
    found = [connection.execute(_SELECT, (row[0],)).fetchone() for row in rows]
    if any(there is None or there[0] != row[0] for there, row in zip(found, rows, strict=True)):
        raise sqlite3.DatabaseError("database is malformed: an index does not lead to its rows")
    return found
