"""Beam's portable path on one machine: a job service, a worker pool, and workers that install the staged package.

Nothing of this process's memory reaches the workers: what runs there was pickled, staged, fetched and installed,
as it would be on Flink or Dataflow. So this is where a missing file of the package or an unpicklable plan shows.
"""

from __future__ import annotations

import shutil
import stat
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from apache_beam.runners.portability.local_job_service import LocalJobServicer
from apache_beam.runners.worker.worker_pool_main import BeamFnExternalWorkerPoolServicer

import steplabel
from steplabel.schemas import ConfigError


@contextmanager
def external_workers() -> Iterator[list[str]]:
    """Start both services and yield the flags of a pipeline that uses them.

    Raises:
        ConfigError: the package was not installed from a checkout, so there is no setup.py to stage.
    """
    setup = Path(steplabel.__file__).resolve().parents[2] / "setup.py"
    if not setup.is_file():
        raise ConfigError("--runner external stages this package from its sources: run it from a git checkout")
    scratch = Path(tempfile.mkdtemp(prefix="steplabel-external-"))
    jobs = LocalJobServicer(str(scratch / "staging"))
    try:
        job_port = jobs.start_grpc_server(0)
        pool, server = BeamFnExternalWorkerPoolServicer.start(
            use_process=True, container_executable=str(_boot_script(scratch))
        )
        try:
            yield [
                "--runner=PortableRunner",
                f"--job_endpoint=localhost:{job_port}",
                "--environment_type=EXTERNAL",
                f"--environment_config={pool}",
                f"--setup_file={setup}",
            ]
        finally:
            server.stop(grace=1)
    finally:
        jobs.stop()
        shutil.rmtree(scratch, ignore_errors=True)


def _boot_script(folder: Path) -> Path:
    """The pool starts an executable file: one that runs our boot module with this interpreter."""
    script = folder / "boot"
    script.write_text(
        f'#!/bin/sh\nTMPDIR="{folder}" exec "{sys.executable}" -m steplabel.pipelines.worker_boot "$@" 1>&2\n'
    )
    script.chmod(script.stat().st_mode | stat.S_IXUSR)
    return script
