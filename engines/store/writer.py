"""The one thread that writes to the store. Group commit: what arrives during a commit goes into the next one.

Nothing waits on the event loop, and there is no flush timer to tune: alone, a request is committed at once;
under load, hundreds share a commit. A caller gets its answer after the commit, as the store holds it, so what
was returned is never lost, and two processes that draw the same sample go on with the same text.
"""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, TypeAlias

from steplabel.engines.store.commit import Notes, commit
from steplabel.engines.store.file import open_for_writing, store_errors
from steplabel.engines.store.rows import Row
from steplabel.engines.store.usage import Usage
from steplabel.schemas import StoreError
from steplabel.schemas.validation import check_text

Done: TypeAlias = Callable[["Sequence[Row] | StoreError"], None]
COUNT_SECONDS: Final = 0.05  # counts and marks that come without rows wait this long for company
MAX_JOBS: Final = 1024  # jobs in one commit: bounds how long another process waits for its turn
MAX_REMEMBERED: Final = 100_000  # requests known to be noted; past it some are noted again, which changes nothing
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Job:
    """Rows to insert, and who is to be told."""

    rows: list[Row]
    done: Done


@dataclass(slots=True)
class _Batch:
    jobs: list[_Job] = field(default_factory=list)
    stop: bool = False


def _tell(job: _Job, answer: Sequence[Row] | StoreError) -> None:
    try:
        job.done(answer)
    except Exception:  # noqa: BLE001 - a loop may close just now; if this thread died, all others would wait for ever
        _log.warning("a caller of the rollout store could not be told what was written", exc_info=True)


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
        self._notes = Notes()
        self._noted: set[bytes] = set()
        self._unsaved = False
        self._error: StoreError | None = None
        self._thread = threading.Thread(target=self._run, name="rollout-store-writer", daemon=True)
        self._thread.start()

    def write(self, request: Row, rows: list[Row], done: Done) -> None:
        """Insert a request's rows; `done` is called on the writer's thread with the rows as the store holds them."""
        with self._lock:  # noted even if it was before: `store gc` may have taken it away
            self._note(request)
        self._queue.put(_Job(rows, done))

    def has_noted(self, request_key: bytes) -> bool:
        """Whether this process has noted that its run used the request."""
        return request_key in self._noted

    def note_use(self, request: Row, answers: Sequence[Row] = ()) -> None:
        """Record that this run uses a request, and that stored rows which did not say so answer it."""
        with self._lock:
            self._note(request)
            self._notes.answers += answers
        self._wake()

    def count(self, usage: Usage, done: Done | None = None) -> None:
        """Add to what this process has used; `done` is called, with no rows, once that is in the file."""
        with self._lock:
            self._usage += usage
        if done is None:
            self._wake()
        else:
            self._queue.put(_Job([], done))

    def mark_finished(self, unit_id: str, kind: str) -> None:
        """Record that a unit is done; a second mark replaces the first. Raises DataError as `check_text`."""
        check_text(unit_id, field="finished unit's id")
        check_text(kind, field="finished unit's kind")
        with self._lock:
            self._notes.finished[unit_id] = kind
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

    def _note(self, request: Row) -> None:
        if len(self._noted) >= MAX_REMEMBERED:
            self._noted.clear()
        self._noted.add(request[0])
        self._notes.requests[request[0]] = request

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
        usage, notes = self._taken()
        answers: Sequence[Sequence[Row] | StoreError]
        try:
            with store_errors(self._path):
                answers = commit(self._connection, self._owner, [job.rows for job in jobs], usage, notes)
            self._error = None
        except Exception as error:  # noqa: BLE001 - if this thread died, every caller would wait for ever
            failure = error if isinstance(error, StoreError) else StoreError(f"{self._path}: {error!r}")
            self._error = failure
            self._put_back(notes)
            answers = [failure] * len(jobs)
        for job, answer in zip(jobs, answers, strict=True):
            _tell(job, answer)

    def _taken(self) -> tuple[Usage, Notes]:
        with self._lock:
            self._unsaved = False
            notes, self._notes = self._notes, Notes()
            return self._usage, notes

    def _put_back(self, notes: Notes) -> None:
        with self._lock:
            self._notes = notes.before(self._notes)
