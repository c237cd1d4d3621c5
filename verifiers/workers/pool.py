"""The parent's side of the workers: start, ask, kill, remember.

Workers are started by exec of a fresh interpreter, never by forking this process (Beam and gRPC threads do
not survive a fork). One wall-clock budget covers all that a question needs; who passes it is killed and started
anew for the next question. A question that killed a worker is quarantined and never asked again; answers are
cached by a digest of the question. Both memories are bounded, in number and in bytes. Any thread may ask: with more
threads than workers, they queue.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import selectors
import subprocess
import sys
import threading
import time
from collections import OrderedDict
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import IO, Any

from steplabel.schemas import Reason
from steplabel.verifiers.workers.frames import HEADER, MAX_FRAME, Message, decode_body, encode_frame

STARTUP_SECONDS = 120.0
"""Importing sympy takes 1-2 s on an idle core, much longer on a busy machine."""
_CACHE = 65_536
_CACHE_BYTES = 32 << 20
"""Of answers as they travelled; as Python's values they take a few times as much."""
_QUARANTINE = 16_384
_MAX_START_FAILURES = 3  # in a row; then every question is a `crash` at once instead of after another slow start


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerLimits:
    """What one worker may use; pools are shared by equal limits."""

    timeout_s: float
    memory_mb: int
    workers: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What a worker answered; `failed` is a `Reason` where it did not."""

    answer: Message = field(default_factory=dict)
    failed: str = ""


class _Memory:
    """Replies by question; it forgets those that were not used for longest. Guarded by its owner's lock."""

    def __init__(self, *, replies: int, size: int = _CACHE_BYTES) -> None:
        self._most_replies, self._most_bytes = replies, size
        self._bytes = 0
        self._entries: OrderedDict[bytes, tuple[Reply, int]] = OrderedDict()

    def get(self, key: bytes) -> Reply | None:
        if key not in self._entries:
            return None
        self._entries.move_to_end(key)
        return self._entries[key][0]

    def put(self, key: bytes, reply: Reply, size: int = 0) -> None:
        self._bytes += size - self._entries.get(key, (reply, 0))[1]
        self._entries[key] = reply, size
        self._entries.move_to_end(key)
        while len(self._entries) > self._most_replies or self._bytes > self._most_bytes:
            _, (_, gone) = self._entries.popitem(last=False)
            self._bytes -= gone


class _WorkerGoneError(Exception):
    """The worker is gone or must go; the text is a `Reason`."""


class _Worker:
    """One child process and its pipes. Used by one thread at a time."""

    def __init__(self, task: str, limits: WorkerLimits) -> None:
        self._limits = limits
        self.stopped = False
        # -P: the working directory may hold a file named like a standard module; our own path is passed on
        # instead.
        path = os.pathsep.join(os.path.abspath(entry) for entry in sys.path)
        self._process = subprocess.Popen(  # noqa: S603 - our own interpreter and module
            [
                sys.executable,
                "-P",
                "-m",
                "steplabel.verifiers.workers.worker",
                task,
                str(limits.memory_mb),
                str(limits.timeout_s),
                str(os.getpid()),
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={**os.environ, "PYTHONPATH": path},
        )
        try:
            self._receive(time.monotonic() + STARTUP_SECONDS)
        except _WorkerGoneError:
            self.kill()
            raise

    @property
    def pid(self) -> int:
        """Process id of the child."""
        return self._process.pid

    def is_alive(self) -> bool:
        """False once the child ended, whoever ended it."""
        return self._process.poll() is None

    def stop(self) -> None:
        """End a worker that another thread is using: that thread sees its pipe end, and buries it."""
        self.stopped = True
        self._process.kill()

    def ask(self, question: bytes) -> tuple[Reply, int]:
        """Ask one question, a frame: the reply and its bytes.

        Raises:
            _WorkerGoneError: no answer came within the budget.
        """
        deadline = time.monotonic() + self._limits.timeout_s
        self._send(question, deadline)
        reply, size = self._receive(deadline)
        if "exhausted" in reply:
            raise _WorkerGoneError(Reason.CRASH)  # out of memory or stack: its state is not to be trusted
        if "error" in reply:
            return Reply(failed=Reason.UNSUPPORTED), size
        return Reply(answer=reply["answer"]), size

    def kill(self) -> None:
        """End the process at once and reap it."""
        self._process.kill()
        for pipe in (self._process.stdin, self._process.stdout):
            with contextlib.suppress(OSError):
                self._pipe(pipe).close()
        self._process.wait()

    def forget(self) -> None:
        """In a forked child: close the inherited pipes, or the worker would not see its parent die."""
        for pipe in (self._process.stdin, self._process.stdout):
            os.close(self._pipe(pipe).fileno())

    def _send(self, frame: bytes, deadline: float) -> None:
        """Never waits longer than its time: a child that does not read lets the pipe run full."""
        descriptor, left = self._pipe(self._process.stdin).fileno(), memoryview(frame)
        os.set_blocking(descriptor, False)
        with selectors.DefaultSelector() as selector:
            selector.register(descriptor, selectors.EVENT_WRITE)
            while left:
                if not selector.select(max(0.0, deadline - time.monotonic())):
                    raise _WorkerGoneError(Reason.TIMEOUT)
                try:
                    left = left[os.write(descriptor, left) :]
                except OSError as error:
                    raise _WorkerGoneError(Reason.CRASH) from error

    def _receive(self, deadline: float) -> tuple[Message, int]:
        (size,) = HEADER.unpack(self._bytes(HEADER.size, deadline))
        if size > MAX_FRAME:
            raise _WorkerGoneError(Reason.CRASH)
        return decode_body(self._bytes(size, deadline)), size

    def _bytes(self, count: int, deadline: float) -> bytes:
        pipe = self._pipe(self._process.stdout)
        data = b""
        with selectors.DefaultSelector() as selector:
            selector.register(pipe, selectors.EVENT_READ)
            while len(data) < count:
                left = deadline - time.monotonic()
                if left <= 0 or not selector.select(left):
                    raise _WorkerGoneError(Reason.TIMEOUT)
                chunk = os.read(pipe.fileno(), count - len(data))
                if not chunk:
                    raise _WorkerGoneError(Reason.CRASH)
                data += chunk
        return data

    @staticmethod
    def _pipe(pipe: IO[bytes] | None) -> Any:
        assert pipe is not None  # noqa: S101 - both were asked for as PIPE
        return pipe


class WorkerPool:
    """Killable workers behind one verb, `ask`.

    Args:
        task: the function that answers questions, as `package.module:function` of ours; it takes and returns a
            `Message`. Where it raises, the answer is `unsupported`.
    """

    def __init__(self, task: str, limits: WorkerLimits) -> None:
        self._task, self._limits = task, limits
        self._slots = threading.BoundedSemaphore(limits.workers)
        self._lock = threading.Lock()
        self._idle: list[_Worker] = []
        self._busy: set[_Worker] = set()
        self._replies, self._quarantine = _Memory(replies=_CACHE), _Memory(replies=_QUARANTINE)
        self._start_failures = 0

    def ask(self, question: Message) -> Reply:
        """Ask one screened question. What fails comes back as `Reply.failed`.

        Raises:
            ValueError: the question is larger than a frame: screen it first.
        """
        frame = encode_frame(question)
        key = blake2b(frame, digest_size=20).digest()  # a frame may be as long as a book
        if known := self._known(key):
            return known
        with self._slots:
            if known := self._known(key):  # another thread asked it while this one queued
                return known
            worker = self._checkout()
            if worker is None:
                return Reply(failed=Reason.CRASH)
            try:
                reply, size = worker.ask(frame)
            except _WorkerGoneError as death:
                return self._buried(worker, key, str(death))
            self._returned(worker, key, reply, size)
            return reply

    def close(self) -> None:
        """End all workers. The pool may be used again and then starts new ones."""
        with self._lock:
            idle, self._idle = self._idle, []
            for worker in self._busy:
                worker.stop()
            self._start_failures = 0
        for worker in idle:
            worker.kill()

    def pids(self) -> list[int]:
        """Process ids of the living workers."""
        with self._lock:
            return [worker.pid for worker in (*self._idle, *self._busy)]

    def forget(self) -> None:
        """In a forked child: drop the parent's workers without ending them."""
        for worker in (*self._idle, *self._busy):
            worker.forget()

    def _known(self, key: bytes) -> Reply | None:
        with self._lock:
            return self._replies.get(key) or self._quarantine.get(key)

    def _checkout(self) -> _Worker | None:
        with self._lock:
            while self._idle:
                worker = self._idle.pop()
                if worker.is_alive():
                    self._busy.add(worker)
                    return worker
                worker.kill()  # it died between two questions: neither is to blame
            if self._start_failures >= _MAX_START_FAILURES:
                return None
        return self._started()

    def _started(self) -> _Worker | None:
        try:
            worker = _Worker(self._task, self._limits)
        except (_WorkerGoneError, OSError):
            with self._lock:
                self._start_failures += 1
            return None
        with self._lock:
            self._start_failures = 0
            self._busy.add(worker)
        return worker

    def _returned(self, worker: _Worker, key: bytes, reply: Reply, size: int) -> None:
        with self._lock:
            self._replies.put(key, reply, size)
            self._busy.discard(worker)
            if not worker.stopped:
                self._idle.append(worker)
                return
        worker.kill()

    def _buried(self, worker: _Worker, key: bytes, reason: str) -> Reply:
        worker.kill()
        reply = Reply(failed=reason)
        with self._lock:
            self._busy.discard(worker)
            if not worker.stopped:  # stopped by us: the question is innocent
                self._quarantine.put(key, reply)
        return reply


_pools: dict[tuple[str, WorkerLimits], WorkerPool] = {}
_pools_lock = threading.Lock()


def pool_for(task: str, limits: WorkerLimits) -> WorkerPool:
    """This process's pool for a task with these limits; no worker starts before the first question."""
    with _pools_lock:
        if (task, limits) not in _pools:
            _pools[task, limits] = WorkerPool(task, limits)
        return _pools[task, limits]


def close_workers() -> None:
    """End this process's workers. A later question starts new ones. Done at exit, too."""
    with _pools_lock:
        pools = list(_pools.values())
    for pool in pools:
        pool.close()


def _after_fork() -> None:
    global _pools_lock  # noqa: PLW0603 - the parent's lock may be held by a thread that does not exist here
    _pools_lock = threading.Lock()
    for pool in _pools.values():
        pool.forget()
    _pools.clear()


atexit.register(close_workers)
os.register_at_fork(after_in_child=_after_fork)
