"""The thread that owns a model, and what it takes aboard between two steps.

Callers on any event loop hand in jobs; a job's rows are taken in the order they came, as rows become free,
and its answer goes back to its own loop. Whatever fails, fails the jobs aboard: the thread lives on.
"""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Final

import torch

from steplabel.engines.port import Completion, Completions
from steplabel.engines.transformers.decoding import Decoder, Row
from steplabel.schemas import ConfigError, EngineClosed, EngineError

ADMIT_SHARE: Final = 8  # wait until an eighth of the rows is free: a prefill of few rows costs as much as a step


@dataclass(slots=True, eq=False)
class Job:
    """One request: its rows, where its answer goes, and what of it there is."""

    rows: list[Row]
    loop: asyncio.AbstractEventLoop
    future: asyncio.Future[Completions]
    waiting: deque[Row] = field(init=False)
    done: list[Completion] = field(default_factory=list)
    cancelled: bool = False
    restarted: bool = False

    def __post_init__(self) -> None:
        self._own_rows()

    def restart(self) -> None:
        """Begin again at the prompt. The seeds make it draw the same again, so only time is lost."""
        self.rows = [row.fresh() for row in self.rows]
        self.done = []
        self.restarted = True
        self._own_rows()

    def finish(self) -> None:
        """Hand all samples over, in order."""
        samples = tuple(sorted(self.done, key=lambda sample: sample.index))
        first = self.rows[0]
        answer = Completions(samples=samples, prompt_tokens=len(first.prompt_ids), prompt_logprob=first.prompt_logprob)
        self._tell(lambda: self.future.set_result(answer))

    def fail(self, error: Exception) -> None:
        """Hand an error over."""
        self._tell(lambda: self.future.set_exception(error))

    def _own_rows(self) -> None:
        self.waiting = deque(self.rows)
        for row in self.rows:
            row.owner = self

    def _tell(self, settle: Callable[[], None]) -> None:
        def unless_cancelled() -> None:
            if not self.future.done():
                settle()

        try:
            self.loop.call_soon_threadsafe(unless_cancelled)
        except RuntimeError:
            # The caller's loop has ended: nobody is left to be told.
            self.cancelled = True


class Scheduler:
    """Runs a decoder on a thread of its own.

    Args:
        max_rows: rows decoded together, at most.
        token_budget: rows aboard times the tokens that the longest of them may come to hold, at most: what
            the cache's memory is made for. A single row may exceed it, alone.
        threads: CPU threads of the model; None leaves torch's own choice.
    """

    def __init__(self, decoder: Decoder, *, max_rows: int, token_budget: int, threads: int | None = None) -> None:
        for name, value in (("max_rows", max_rows), ("token_budget", token_budget), ("threads", threads)):
            if value is not None and value < 1:
                raise ConfigError(f"{name}={value} must be at least 1")
        self._decoder = decoder
        self._max_rows = max_rows
        self._token_budget = token_budget
        self._threads = threads
        self._jobs: deque[Job] = deque()
        self._aboard: dict[Job, None] = {}  # a set that keeps its order; only the thread touches it
        self._attempted = 0
        self._changed = threading.Condition()
        self._closed = False
        self._thread = threading.Thread(target=self._run, name="steplabel-decoder", daemon=True)
        self._thread.start()

    def submit(self, job: Job) -> None:
        """Queue a job. Raises EngineClosed after `close`."""
        with self._changed:
            if self._closed:
                raise EngineClosed("the engine was closed")
            self._jobs.append(job)
            self._changed.notify()

    def close(self) -> None:
        """End the thread after its current step; jobs that are not done fail with EngineClosed."""
        with self._changed:
            self._closed = True
            self._changed.notify()
        self._thread.join()

    def _run(self) -> None:
        if self._threads is not None:
            torch.set_num_threads(self._threads)  # OpenMP keeps this by thread: it must be set on this one
        while self._await_work():
            try:
                self._turn()
            except Exception as error:  # noqa: BLE001 - whatever model code raises, no caller may be left hanging
                self._failed(error)
        for job in dict.fromkeys((*self._aboard, *self._jobs)):
            job.fail(EngineClosed("the engine was closed"))

    def _await_work(self) -> bool:
        """Wait until there is something to do; False once closed."""
        with self._changed:
            self._changed.wait_for(lambda: self._closed or self._jobs or self._decoder.rows)
            return not self._closed

    def _turn(self) -> None:
        self._drop_cancelled()
        taken = self._take() if self._decoder.takes_rows else []
        if taken:
            self._deliver(self._decoder.add(taken))
        if self._decoder.rows:
            self._deliver(self._decoder.step())

    def _drop_cancelled(self) -> None:
        cancelled = [job for job in self._aboard if job.cancelled]
        if cancelled:
            self._decoder.drop(lambda row: row.owner.cancelled)
            self._forget(cancelled)

    def _take(self) -> list[Row]:
        """Rows to take aboard now, oldest job first."""
        aboard = len(self._decoder.rows)
        longest = max((row.need for row in self._decoder.rows), default=0)
        taken: list[Row] = []
        with self._changed:
            self._jobs = deque(job for job in self._jobs if not job.cancelled)
            waiting = sum(len(job.waiting) for job in self._jobs)
            if self._max_rows - aboard < min(waiting, -(-self._max_rows // ADMIT_SHARE)):
                return taken
            while self._jobs and aboard + len(taken) < self._max_rows:
                job = self._jobs[0]
                longest = max(longest, job.waiting[0].need)
                rows = aboard + len(taken) + 1
                if rows > 1 and rows * longest > self._token_budget:
                    break
                taken.append(job.waiting.popleft())
                self._aboard[job] = None
                if not job.waiting:
                    self._jobs.popleft()
        self._attempted = aboard + len(taken)
        return taken

    def _deliver(self, finished: Iterable[Row]) -> None:
        for row in finished:
            job: Job = row.owner
            job.done.append(self._decoder.completion(row))
            if len(job.done) == len(job.rows):
                del self._aboard[job]
                job.finish()

    def _failed(self, error: Exception) -> None:
        """Fail the jobs aboard. Out of memory, start them again with half the rows, each job once."""
        jobs = list(self._aboard)
        self._decoder.reset()
        self._forget(jobs)
        again = [job for job in jobs if not job.restarted] if self._may_shrink(error) else []
        if again:
            self._max_rows = self._attempted // 2
            self._start_again(again)
        failure = error if isinstance(error, EngineError) else EngineError(f"the model failed: {error!r}")
        for job in jobs:
            if job not in again:
                job.fail(failure)

    def _may_shrink(self, error: Exception) -> bool:
        # On the CPU, torch says it with a plain RuntimeError.
        full = isinstance(error, (torch.OutOfMemoryError, MemoryError)) or "can't allocate memory" in str(error)
        return full and self._attempted > 1

    def _start_again(self, jobs: list[Job]) -> None:
        if torch.cuda.is_available():
            torch.cuda.empty_cache()
        for job in jobs:
            job.restart()
        with self._changed:
            self._jobs.extendleft(reversed(jobs))

    def _forget(self, jobs: Iterable[Job]) -> None:
        """Take jobs off the list of those aboard, and those that are only partly aboard out of the queue."""
        for job in jobs:
            del self._aboard[job]
        gone = set(jobs)
        with self._changed:
            self._jobs = deque(job for job in self._jobs if job not in gone)
