"""Which Beam runner, with which options. The runner is always named: Beam's default tries to download one."""

from __future__ import annotations

import logging
import os
import re
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final

from apache_beam.options.pipeline_options import PipelineOptions

from steplabel.engines.devices import worker_environment
from steplabel.engines.port import EngineSpec
from steplabel.pipelines.external import external_workers
from steplabel.schemas import ConfigError, SteplabelError


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
def beam_options(choice: RunnerChoice, engines: Sequence[EngineSpec]) -> Iterator[PipelineOptions]:
    """Options for pipelines of this choice; what has to run beside them runs until the block ends.

    Args:
        engines: what the workers will open, so that each gets the GPUs it needs.
    """
    _quieten_beam()
    if choice.kind is RunnerKind.EXTERNAL:
        with external_workers() as flags:
            yield PipelineOptions(flags)
    elif choice.kind is RunnerKind.RETRYING:
        yield PipelineOptions(["--runner=BundleBasedDirectRunner"])
    elif choice.workers == 1:
        yield PipelineOptions(["--runner=FnApiRunner"])
    else:
        with _environment_of_workers(choice.workers, engines):
            yield PipelineOptions(
                [
                    "--runner=FnApiRunner",
                    f"--direct_num_workers={choice.workers}",
                    "--direct_running_mode=multi_processing",
                ]
            )


@contextmanager
def _environment_of_workers(workers: int, engines: Sequence[EngineSpec]) -> Iterator[None]:
    """What worker processes inherit: quiet logs, and a share of the cores and of the GPUs."""
    cores = max(1, (os.cpu_count() or 1) // workers)
    with tempfile.TemporaryDirectory() as folder:
        quiet = Path(folder, "options.json")  # this runner hands its workers no options, but they look for such a file
        quiet.write_text('{"default_sdk_harness_log_level": "CRITICAL"}')
        machine = {"OMP_NUM_THREADS": str(cores)} | worker_environment(engines, Path(folder))
        wanted = machine | {"PIPELINE_OPTIONS_FILE": str(quiet)} | os.environ
        before = dict(os.environ)
        os.environ.update(wanted)
        try:
            yield
        finally:
            for name in wanted.keys() - before.keys():
                del os.environ[name]


def _quieten_beam() -> None:
    """Beam logs bundles, starting workers, and each error of a worker, which then is raised here anyway."""
    logging.getLogger("apache_beam").setLevel(logging.CRITICAL)


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
