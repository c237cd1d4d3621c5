"""What tests do with processes: start them willing to be interrupted, wait for what they do, see that they are gone."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable, Iterable
from pathlib import Path


def listen_to_ctrl_c() -> None:
    """A shell starts its background jobs deaf to Ctrl-C, and their children inherit it: CI may be such a job."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def wait_until(condition: Callable[[], object], otherwise: str, *, seconds: float = 240.0) -> None:
    """Return as soon as a condition holds; an `AssertionError` with its reason if it does not for very long."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, otherwise
        time.sleep(0.02)


def assert_gone(processes: Iterable[int]) -> None:
    """None of the processes lives, or each is about to end."""
    left = list(processes)
    wait_until(lambda: not any(map(is_alive, left)), "a process was left behind")


def is_alive(process: int) -> bool:
    """Whether a process runs; one that has ended and nobody asks for does not."""
    fields = _fields(process)
    return bool(fields) and fields[0] != "Z"


def processor_ticks(process: int) -> int:
    """What a process has computed so far, in the clock ticks of the machine; 0 for one that is gone."""
    fields = _fields(process)
    return int(fields[11]) + int(fields[12]) if fields else 0


def _fields(process: int) -> list[str]:
    """Of /proc/PID/stat, from the state on."""
    try:
        return Path(f"/proc/{process}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return []
