"""What steplabel adds to the processes that vLLM starts: they end with the one that started them.

vLLM's engine core does not notice that its front end was killed: it goes on waiting, with the GPU's memory in
its hands. And Ctrl-C reaches it as it reaches us, so it would leave while we still want to close in order. vLLM
calls `end_with_parent` in every process of its own, as a plugin (`vllm.general_plugins` in pyproject.toml).

Covered: Linux. Elsewhere processes are left to vLLM.
"""

from __future__ import annotations

import multiprocessing
import os
import select
import signal
import threading
from typing import Final

FRONT_END: Final = "STEPLABEL_VLLM_FRONT_END"
"""Environment variable: id of the process that opened a `VLLMEngine`; children inherit it. Unset, nothing here acts."""


def end_with_parent() -> None:
    """In a process that a `VLLMEngine` has started: die when the parent dies, however it dies; ignore Ctrl-C.

    The core's parent is the process with the engine, a worker's parent is the core.
    """
    parent = multiprocessing.parent_process()
    front_end = os.environ.get(FRONT_END)
    if parent is None or parent.pid is None or front_end in (None, str(os.getpid())):
        return
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if hasattr(os, "pidfd_open"):
        threading.Thread(target=_die_after, args=(parent.pid,), name="steplabel-parent", daemon=True).start()


def _die_after(parent: int) -> None:
    """Wait for the end of `parent` without polling.

    The standard library's own sentinel is a pipe: a forked sibling that inherits it would keep it open.
    """
    try:
        descriptor = os.pidfd_open(parent)
    except ProcessLookupError:
        _die()
    if os.getppid() == parent:  # else it died before it could be watched, and its number may be another's
        select.select([descriptor], [], [])
    _die()


def _die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)  # nothing gentler ends a process that waits for a GPU
