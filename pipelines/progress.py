"""Live progress of a run, read from the rollout store: it is the only place that every process writes to at once."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeRemainingColumn,
)
from rich.table import Column

from steplabel.engines.store.progress import read_progress

POLL_SECONDS = 0.5
PLAIN_SECONDS = 10.0
"""Without a terminal (a log file, CI) one line every so often says how far the run is."""


class RunProgress:
    """Shows problems done, rollouts, tokens per second, share of store hits and the time that is left."""

    def __init__(self, *, store: str, run_id: str, total: int, console: Console) -> None:
        self._store, self._run_id, self._console = store, run_id, console
        self._start, self._first = time.monotonic(), read_progress(store, run_id)
        self._bar = Progress(  # narrow enough for 80 columns: rich cuts a wider line where it matters most
            MofNCompleteColumn(),
            BarColumn(bar_width=10),
            TextColumn("{task.fields[rates]}", table_column=Column(no_wrap=True)),
            TimeRemainingColumn(compact=True),
            console=console,
        )
        self._task = self._bar.add_task("label", total=total, rates="")
        self._committed = self._annotated_before = 0

    @contextmanager
    def shown(self) -> Iterator[RunProgress]:
        """Keep the display up to date from a thread of its own until the block ends."""
        stop = threading.Event()
        live = self._console.is_terminal
        target = self._poll if live else self._poll_plain
        thread = threading.Thread(target=target, args=(stop,), daemon=True, name="steplabel-progress")
        if live:
            self._bar.start()
        thread.start()
        try:
            yield self
        finally:
            stop.set()
            thread.join()
            if live:
                self._bar.stop()

    def committed(self, problems: int) -> None:
        """So many problems lie in committed chunks, the ones that a filter dropped among them."""
        self._committed = problems
        self._annotated_before = read_progress(self._store, self._run_id).finished.get("annotated", 0)

    def _poll(self, stop: threading.Event) -> None:
        while not stop.wait(POLL_SECONDS):
            done, rates = self._read()
            self._bar.update(self._task, completed=done, rates=rates)

    def _poll_plain(self, stop: threading.Event) -> None:
        while not stop.wait(PLAIN_SECONDS):
            done, rates = self._read()
            self._console.print(f"{done} problems done, {rates}", highlight=False)

    def _read(self) -> tuple[int, str]:
        now = read_progress(self._store, self._run_id)
        seconds = time.monotonic() - self._start
        tokens = now.completion_tokens - self._first.completion_tokens
        asked = now.engine_samples + now.stored_samples
        hits = f", {now.stored_samples / asked:.0%} stored" if now.stored_samples else ""
        done = self._committed + max(0, now.finished.get("annotated", 0) - self._annotated_before)
        return done, f"{asked:,} samples, {tokens / seconds:,.0f} tok/s{hits}"
