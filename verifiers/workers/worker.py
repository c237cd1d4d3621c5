"""The child process in which a library runs that may hang, crash or eat memory: without harm to its parent.

Started as `python -m steplabel.verifiers.workers.worker TASK MEMORY_MB SECONDS PARENT_PID` with pipes on its
standard input and output; `frames` has the format. One question at a time. It ends when its input ends or its parent
is gone. Its limits: address space, and for each question CPU seconds; the wall clock belongs to the parent, who kills.
"""

from __future__ import annotations

import logging
import os
import pkgutil
import resource
import sys
import threading
import time
from collections.abc import Callable
from typing import BinaryIO, TypeAlias

from steplabel.verifiers.workers.frames import HEADER, MAX_FRAME, Message, decode_body, encode_frame

Task: TypeAlias = Callable[[Message], Message]


def read_frame(stream: BinaryIO) -> Message | None:
    """Read one message; None at the end of the stream."""
    header = stream.read(HEADER.size)
    if len(header) < HEADER.size:
        return None
    (size,) = HEADER.unpack(header)
    body = stream.read(size) if size <= MAX_FRAME else b""
    return decode_body(body) if len(body) == size else None


def _limit_memory(megabytes: int) -> None:
    resource.setrlimit(resource.RLIMIT_AS, (megabytes << 20, megabytes << 20))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _limit_cpu(seconds: float) -> None:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    soft = int(usage.ru_utime + usage.ru_stime + seconds) + 2
    hard = resource.getrlimit(resource.RLIMIT_CPU)[1]
    resource.setrlimit(resource.RLIMIT_CPU, (soft, hard))


def _answer(task: Task, question: Message, seconds: float) -> Message:
    _limit_cpu(seconds)
    try:
        return {"answer": task(question)}
    except (MemoryError, RecursionError) as error:
        return {"exhausted": type(error).__name__}
    except Exception as error:  # noqa: BLE001 - such libraries raise anything on odd input; it is told as one
        return {"error": type(error).__name__}


def _send(stream: BinaryIO, message: Message) -> None:
    stream.write(encode_frame(message))
    stream.flush()


def _end_with(parent: int) -> None:
    """End this process when its parent does, even in the middle of a question."""
    while os.getppid() == parent:
        time.sleep(1.0)
    os._exit(1)


def main() -> None:
    """Answer questions until the input ends."""
    name, memory_mb, seconds, parent = sys.argv[1:]
    questions, replies = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    quiet = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):  # libraries that print must not write into the frames
        os.dup2(quiet, descriptor)
    logging.disable(logging.CRITICAL)
    task: Task = pkgutil.resolve_name(name)
    _limit_memory(int(memory_mb))
    threading.Thread(target=_end_with, args=(int(parent),), daemon=True).start()
    _send(replies, {"ready": True})
    while (question := read_frame(questions)) is not None:
        _send(replies, _answer(task, question, float(seconds)))


if __name__ == "__main__":
    main()
