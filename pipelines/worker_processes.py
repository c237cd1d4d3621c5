"""Worker processes of the local runner that live as long as the run.

Beam's own multi-processing mode starts its workers anew for every pipeline, and a run is one pipeline a chunk: each
would load its model again. Here the processes stay, and so do their engines; only Beam's workers in them come and go.
"""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import IO, Any, Final, cast
from uuid import uuid4

from apache_beam.runners.portability.fn_api_runner.worker_handlers import GrpcWorkerHandler, WorkerHandler
from apache_beam.transforms.environments import Environment

from steplabel.schemas import EngineError

URN: Final = "steplabel:environment:worker_processes:v1"
DYING_SECONDS: Final = 0.5
WATCH_SECONDS: Final = 0.1
CLOSE_SECONDS: Final = 30.0  # a store has to write, a model's own processes have to end


_pools: dict[str, WorkerPool] = {}
"""By name: Beam carries an environment through its pipeline as bytes."""


@contextmanager
def worker_processes(variables: Sequence[Mapping[str, str]]) -> Iterator[WorkerPool]:
    """Start a process for each entry: its environment variables, on top of this one's. All end with the block."""
    name = uuid4().hex
    pool = _pools[name] = WorkerPool(name, variables)
    try:
        with _broken_connections_unsaid():
            yield pool
    finally:
        del _pools[name]
        pool.close()


@Environment.register_urn(URN, bytes)
class _InProcesses(Environment):  # type: ignore[misc]
    """Says that a pipeline runs in the pool of this name."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.name = name

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _InProcesses) and self.name == other.name

    def __hash__(self) -> int:
        return hash(self.name)

    def to_runner_api_parameter(self, context: Any) -> tuple[str, bytes]:  # noqa: ARG002 - Beam's signature
        return URN, self.name.encode()

    @staticmethod
    def from_runner_api_parameter(payload: bytes, *_: Any) -> _InProcesses:
        return _InProcesses(payload.decode())


@WorkerHandler.register_environment(URN, bytes)
class _Handler(GrpcWorkerHandler):  # type: ignore[misc]
    """What Beam's local runner starts and stops: one Beam worker in one of the processes."""

    def __init__(self, payload: bytes, state: Any, provision_info: Any, grpc_server: Any) -> None:
        super().__init__(state, provision_info, grpc_server)
        self._pool = _pools[payload.decode()]
        self._process: _Process | None = None

    def start_worker(self) -> None:
        self._process = self._pool.idlest()
        self._process.start_worker(self.worker_id, self.control_address, on_death=self._died)

    def stop_worker(self) -> None:
        if self._process is not None:
            self._process.stop_worker(self.worker_id)

    def _died(self, death: Exception) -> None:
        """Fail what Beam has asked, and what it waits to read: of a worker that never connected nothing breaks."""
        self.control_conn.abort(death)
        with suppress(Exception):  # the connection's own end is told in its own words
            self.data_conn.close()


@contextmanager
def _broken_connections_unsaid() -> Iterator[None]:
    """Keep Beam's threads from printing what breaks with a connection: it is raised in the main thread."""
    before = threading.excepthook

    def hook(args: threading.ExceptHookArgs) -> None:
        frames = traceback.walk_tb(args.exc_traceback)
        if not any(frame.f_globals.get("__name__", "").startswith(("apache_beam.", "grpc.")) for frame, _ in frames):
            before(args)

    threading.excepthook = hook
    try:
        yield
    finally:
        threading.excepthook = before


class WorkerPool:
    """Processes that take Beam workers."""

    def __init__(self, name: str, variables: Sequence[Mapping[str, str]]) -> None:
        self.environment: Environment = _InProcesses(name)
        self._processes = [_Process(number, given) for number, given in enumerate(variables)]

    def idlest(self) -> _Process:
        """The process with the fewest workers."""
        return min(self._processes, key=lambda process: process.workers)

    def check(self) -> None:
        """Raise EngineError if a process is dead: Beam, which met it first, knows only of a broken connection."""
        for process in self._processes:
            process.check()

    def close(self) -> None:
        """Let go of all processes at once, and wait until they are gone."""
        for process in self._processes:
            process.let_go()
        for process in self._processes:
            process.wait()


class _Process:
    """One worker process, watched."""

    def __init__(self, number: int, environment: Mapping[str, str]) -> None:
        self._number = number
        self._tell: dict[str, Callable[[Exception], None]] = {}
        self._popen = subprocess.Popen(
            [sys.executable, "-m", "steplabel.pipelines.worker_process"],
            env=os.environ | environment,
            stdin=subprocess.PIPE,
            text=True,
        )
        self._stdin = cast("IO[str]", self._popen.stdin)
        threading.Thread(target=self._watch, name=f"steplabel-worker-{number}", daemon=True).start()

    @property
    def workers(self) -> int:
        """How many Beam workers it runs."""
        return len(self._tell)

    def start_worker(self, worker_id: str, address: str, *, on_death: Callable[[Exception], None]) -> None:
        """Have it serve the pipeline that listens at `address`; `on_death` is told if it dies meanwhile.

        Raises:
            EngineError: it is dead.
        """
        self._tell[worker_id] = on_death
        try:
            self._stdin.write(f"{worker_id} {address}\n")
            self._stdin.flush()
        except OSError as error:
            raise self._death() from error

    def check(self) -> None:
        """Raise EngineError if it is dead, or dies within a moment: its connections break just before."""
        try:
            self._popen.wait(timeout=DYING_SECONDS)
        except subprocess.TimeoutExpired:
            return
        raise self._death()

    def stop_worker(self, worker_id: str) -> None:
        """Its pipeline is over."""
        self._tell.pop(worker_id, None)

    def let_go(self) -> None:
        """Have it close its engines and end."""
        self._tell.clear()
        with suppress(OSError):  # it is dead already
            self._stdin.close()

    def wait(self) -> None:
        """Wait until it is gone; end it if that takes long."""
        try:
            self._popen.wait(timeout=CLOSE_SECONDS)
        except subprocess.TimeoutExpired:
            self._popen.kill()
            self._popen.wait()

    def _watch(self) -> None:
        self._popen.wait()
        while told := list(self._tell.values()):  # until Beam stops its workers: it may ask the dead still more
            for tell in told:
                with suppress(RuntimeError):  # what is asked grew meanwhile: the next round has it
                    tell(self._death())
            time.sleep(WATCH_SECONDS)

    def _death(self) -> EngineError:
        code = self._popen.wait()
        how = f"was killed by signal {-code}" if code < 0 else f"ended with code {code}"
        return EngineError(f"worker process {self._number} {how}; nothing stored is lost, the same command goes on")
