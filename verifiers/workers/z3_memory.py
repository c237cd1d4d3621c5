"""Z3's memory within a worker: it gives up well before the process would, and then the process is not used again.

A Z3 that met its limit says so by an exception or by "unknown" with a reason, and then refuses all that is asked of it
later, which has done nothing wrong. So whoever meets either raises `MemoryError`; the worker answers that it is
exhausted, and the pool replaces it. Not covered: a Z3 that ends the process, which the pool sees as a crash.
"""

from __future__ import annotations

import resource
from collections.abc import Iterator
from contextlib import contextmanager

import z3

_SHARE = 2
"""Of the address space, Python and Z3's code take a part, and what Z3 asks for beside its own count another."""


def limit_memory() -> None:
    """Have Z3 give up at half of this process's address space; without a limit on that there is none here."""
    most, _ = resource.getrlimit(resource.RLIMIT_AS)
    if most != resource.RLIM_INFINITY:
        z3.set_param("memory_max_size", max(1, (most >> 20) // _SHARE))


def check_reason(why: str) -> str:
    """Z3's reason for an unknown, unless it is its memory.

    Raises:
        MemoryError: it is.
    """
    if "memory" in why:
        raise MemoryError(why)
    return why


@contextmanager
def memory_errors() -> Iterator[None]:
    """Raises MemoryError in the place of Z3's exception for it; its other exceptions pass."""
    try:
        yield
    except z3.Z3Exception as error:
        check_reason(words_of(error))
        raise


def words_of(error: z3.Z3Exception) -> str:
    """Z3's own words; they come as bytes or text."""
    said = error.args[0] if error.args else ""
    return said.decode(errors="replace") if isinstance(said, bytes) else str(said)
