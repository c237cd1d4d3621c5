"""The one thread that writes to the store. Group commit: what arrives during a commit goes into the next one.

Nothing waits on the event loop, and there is no flush timer to tune: alone, a request is committed at once;
under load, hundreds share a commit. A caller gets its answer after the commit, as the store holds it, so what
was returned is never lost, and two processes that draw the same sample go on with the same text.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import astuple, dataclass, field
from pathlib import Path
from typing import Final, TypeAlias

from steplabel.engines.store_rows import COLUMNS, Row
from steplabel.engines.store_schema import open_for_writing, store_errors
from steplabel.schemas import StoreError
from steplabel.schemas.validation import check_text

Done: TypeAlias = Callable[["list[Row] | StoreError"], None]
COUNT_SECONDS: Final = 0.05  # counts and marks that come without rows wait this long for company
MAX_JOBS: Final = 1024  # jobs in one commit: bounds how long another process waits for its turn

_INSERT: Final = f"INSERT OR IGNORE INTO rollouts ({COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"  # noqa: S608
_SELECT: Final = f"SELECT {COLUMNS} FROM rollouts WHERE key = ?"  # noqa: S608 - our own names
_USAGE: Final = "INSERT OR REPLACE INTO usage VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
_FINISHED: Final = "INSERT OR REPLACE INTO finished VALUES (?, ?, ?)"


@dataclass(slots=True, kw_only=True)
class Usage:
    """What this process asked and got so far; the fields are those of `StoreProgress`."""

    requests: int = 0
    engine_requests: int = 0
    engine_samples: int = 0
    stored_samples: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0


@dataclass(frozen=True, slots=True)
class _Job:
    """Rows to insert, and who is to be told."""

    rows: list[Row]
    done: Done


@dataclass(slots=True)
class _Batch:
    jobs: list[_Job] = field(default_factory=list)
    stop: bool = False


class StoreWriter:
    """Owns the writing connection. Any thread may call any method; all but `close` return at once."""

    def __init__(self, path: Path, *, run_id: str, process: str) -> None:
        check_text(run_id, field="run id")
        self._path = path
        self._owner = (run_id, process)
        self._connection = open_for_writing(path)
        self._queue: queue.SimpleQueue[_Job | str] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._usage = Usage()
        self._finished: dict[str, str] = {}
        self._unsaved = False
        self._error: StoreError | None = None
        self._thread = threading.Thread(target=self._run, name="rollout-store-writer", daemon=True)
        self._thread.start()

    def write(self, rows: list[Row], done: Done) -> None:
        """Insert rows; `done` is called on the writer's thread with the rows as the store now holds them."""
        self._queue.put(_Job(rows, done))

    def count(self, **increments: int) -> None:
        """Add to this process's usage, by the field names of `Usage`."""
        with self._lock:
            for name, increment in increments.items():
                setattr(self._usage, name, getattr(self._usage, name) + increment)
        self._wake()

    def mark_finished(self, unit_id: str, kind: str) -> None:
        """Record that a unit is done; a second mark replaces the first. Raises DataError as `check_text`."""
        check_text(unit_id, field="finished unit's id")
        check_text(kind, field="finished unit's kind")
        with self._lock:
            self._finished[unit_id] = kind
        self._wake()

    def close(self) -> None:
        """Write what is waiting and end the thread.

        Raises:
            StoreError: counts or finished marks could not be written (rows report to their own callers).
        """
        self._queue.put("stop")
        self._thread.join()
        self._connection.close()
        if self._error is not None:
            raise self._error

    def _wake(self) -> None:
        if not self._unsaved:
            self._unsaved = True
            self._queue.put("wake")

    def _run(self) -> None:
        batch = _Batch()
        while not batch.stop:
            batch = self._next_batch()
            self._commit(batch.jobs)

    def _next_batch(self) -> _Batch:
        """Wait for work, then take all there is; without rows among it, wait a little for more."""
        batch = _Batch()
        self._take(batch, self._queue.get())
        deadline = time.monotonic() + COUNT_SECONDS
        while not batch.stop and len(batch.jobs) < MAX_JOBS:
            patience = 0.0 if batch.jobs else max(0.0, deadline - time.monotonic())
            try:
                self._take(batch, self._queue.get(timeout=patience))
            except queue.Empty:
                break
        return batch

    @staticmethod
    def _take(batch: _Batch, item: _Job | str) -> None:
        if isinstance(item, _Job):
            batch.jobs.append(item)
        elif item == "stop":
            batch.stop = True

    def _commit(self, jobs: Sequence[_Job]) -> None:
        usage, finished = self._counts()
        answers: Sequence[list[Row] | StoreError]
        try:
            with store_errors(self._path):
                answers = self._transaction(jobs, usage, finished)
            self._error = None
        except Exception as error:  # noqa: BLE001 - if this thread died, every caller would wait for ever
            failure = error if isinstance(error, StoreError) else StoreError(f"{self._path}: {error!r}")
            self._error = failure
            self._put_back(finished)
            answers = [failure] * len(jobs)
        for job, answer in zip(jobs, answers, strict=True):
            job.done(answer)

    def _counts(self) -> tuple[tuple[int, ...], dict[str, str]]:
        with self._lock:
            self._unsaved = False
            finished, self._finished = self._finished, {}
            return astuple(self._usage), finished

    def _put_back(self, finished: dict[str, str]) -> None:
        with self._lock:
            self._finished = finished | self._finished

    def _transaction(self, jobs: Sequence[_Job], usage: tuple[int, ...], finished: dict[str, str]) -> list[list[Row]]:
        connection, run_id = self._connection, self._owner[0]
        connection.execute("BEGIN IMMEDIATE")
        try:
            before = connection.total_changes
            rows = [row for job in jobs for row in job.rows]
            connection.executemany(_INSERT, rows)
            all_new = connection.total_changes - before == len(rows)
            stored = [job.rows if all_new else self._as_stored(job.rows) for job in jobs]
            connection.execute(_USAGE, (*self._owner, *usage))
            connection.executemany(_FINISHED, [(run_id, unit, kind) for unit, kind in finished.items()])
            connection.execute("COMMIT")
        except BaseException:
            # A full disk may have ended the transaction already.
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise
        return stored

    def _as_stored(self, rows: list[Row]) -> list[Row]:
        """The first writer of a key wins: read back what it wrote."""
        return [self._connection.execute(_SELECT, (row[0],)).fetchone() for row in rows]
