"""Which Beam runner, with which options. The runner is always named: Beam's default tries to download one."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import apache_beam as beam
from apache_beam.options.pipeline_options import PipelineOptions
from apache_beam.runners.portability.fn_api_runner import FnApiRunner

from steplabel.engines.devices import worker_gpus
from steplabel.engines.port import EngineSpec
from steplabel.pipelines.beam_logs import quieten_beam
from steplabel.pipelines.external import external_workers
from steplabel.pipelines.worker_processes import worker_processes
from steplabel.schemas import ConfigError, SteplabelError

THREADS: Final = "OMP_NUM_THREADS"


class RunnerKind(StrEnum):
    """Where the graph runs."""

    LOCAL = "local"
    """FnApiRunner in this process, or in N worker processes with `--workers N`."""
    RETRYING = "retrying"
    """BundleBasedDirectRunner: the only local runner that retries a failed bundle."""
    EXTERNAL = "external"
    """A job service and worker processes of their own, which install the staged package: what a cluster does."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunnerChoice:
    """A runner and how many worker processes it gets."""

    kind: RunnerKind = RunnerKind.LOCAL
    workers: int = 1

    def __post_init__(self) -> None:
        if self.workers < 1:
            raise ConfigError(f"--workers {self.workers}: must be at least 1")
        if self.workers > 1 and self.kind is not RunnerKind.LOCAL:
            raise ConfigError(f"--workers {self.workers} needs --runner local; {self.kind} has one worker")


@contextmanager
def beam_pipelines(choice: RunnerChoice, engines: Sequence[EngineSpec]) -> Iterator[Callable[[], beam.Pipeline]]:
    """What makes pipelines of this choice; what has to run beside them runs until the block ends.

    Args:
        engines: what the workers will open, so that each gets the GPUs it needs.
    """
    quieten_beam()
    if choice.kind is RunnerKind.EXTERNAL:
        with external_workers() as flags:
            yield lambda: beam.Pipeline(options=PipelineOptions(flags))
    elif choice.kind is RunnerKind.RETRYING:
        yield lambda: beam.Pipeline(options=PipelineOptions(["--runner=BundleBasedDirectRunner"]))
    elif choice.workers == 1:
        yield lambda: beam.Pipeline(options=PipelineOptions(["--runner=FnApiRunner"]))
    else:
        options = PipelineOptions([f"--direct_num_workers={choice.workers}"])
        with worker_processes(_variables(choice.workers, engines)) as pool:
            try:
                yield lambda: beam.Pipeline(runner=FnApiRunner(default_environment=pool.environment), options=options)
            except RuntimeError:
                pool.check()
                raise


def _variables(workers: int, engines: Sequence[EngineSpec]) -> list[dict[str, str]]:
    """What each worker process gets: a share of the cores, unless the user said how many threads, and of the GPUs."""
    cores = max(1, (os.cpu_count() or 1) // workers)
    threads = {} if THREADS in os.environ else {THREADS: str(cores)}
    return [threads | gpus for gpus in worker_gpus(engines, workers)]


_NEXT_IN_CHAIN: Final = re.compile(
    r"^(?:During handling of the above exception, another exception occurred"
    r"|The above exception was the direct cause of the following exception):$",
    re.MULTILINE,
)
_RAISED: Final = re.compile(
    r"^(?:RuntimeError: )?(?:KeyboardInterrupt|steplabel\.[\w.]+\.(?P<kind>\w+))(?:: (?P<message>.*?))?"
    r"(?: \[while running '[^']*'\])?\s*\Z",
    re.MULTILINE | re.DOTALL,
)


def original_error(error: RuntimeError) -> BaseException:
    """What a worker raised, out of the RuntimeError in which Beam quotes it; else the error itself.

    A quoted traceback is indented but for the line that names the error; what follows that is the message's.
    """
    found = _RAISED.search(_NEXT_IN_CHAIN.split(str(error))[-1])
    if found is None:
        return error
    if found["kind"] is None:
        return KeyboardInterrupt()
    kind = _kind(found["kind"], SteplabelError)
    return error if kind is None else kind(found["message"] or "")


def _kind(name: str, root: type[SteplabelError]) -> type[SteplabelError] | None:
    """The error of this name; its base, where it is not made of a message alone."""
    if root.__name__ == name:
        return root
    for kind in root.__subclasses__():
        if found := _kind(name, kind):
            return found if found.__init__ is root.__init__ else root
    return None
