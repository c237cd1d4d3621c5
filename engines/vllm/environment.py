"""The environment that vLLM is imported and started in, put back afterwards. Does not import vLLM."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from steplabel.engines.vllm.child import FRONT_END

UNLESS_SET: Final = {
    "VLLM_NO_USAGE_STATS": "1",
    "VLLM_WORKER_MULTIPROC_METHOD": "spawn",  # forking a process of many threads can hang the child
    # Errors alone: the run shows its own progress.
    "VLLM_LOGGING_LEVEL": "ERROR",
    "VLLM_LOGGING_STREAM": "ext://sys.stderr",  # what a command prints on the other is its result
    "TORCH_CPP_LOG_LEVEL": "ERROR",
    "TORCH_LOGS": "-all",
    "PYTHONWARNINGS": "ignore",
}
"""What vLLM and its processes are told where the user has not told them otherwise."""


_one_at_a_time = threading.Lock()  # a second engine must not put back what a first one has set meanwhile


@contextmanager
def vllm_environment() -> Iterator[None]:
    """Set what vLLM reads, and put back everything that changes meanwhile. Other threads that come here wait.

    On a CPU vLLM sets LD_PRELOAD for its processes. Left there, every later child of this process would start
    with it, sandboxes included.
    """
    with _one_at_a_time, _put_back():
        for name, value in UNLESS_SET.items():
            os.environ.setdefault(name, value)
        os.environ[FRONT_END] = str(os.getpid())
        yield


@contextmanager
def _put_back() -> Iterator[None]:
    before = dict(os.environ)
    try:
        yield
    finally:
        for name in set(os.environ) - set(before):
            del os.environ[name]
        os.environ.update(before)
