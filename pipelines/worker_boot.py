"""Start one Beam worker: fetch what was staged, install it, become the SDK harness.

This is Beam's container contract without a container (the Go program `boot` does the same in Beam's images). The
staged package goes into a folder of its own in front of the path, so it wins over any installed copy.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import grpc
from apache_beam.portability.api import (
    beam_artifact_api_pb2_grpc,
    beam_provision_api_pb2,
    beam_provision_api_pb2_grpc,
    beam_runner_api_pb2,
    endpoints_pb2,
)
from apache_beam.runners.portability import artifact_service
from apache_beam.runners.worker.worker_id_interceptor import WorkerIdInterceptor
from google.protobuf import json_format, text_format

SDIST = "workflow.tar.gz"
"""Beam stages the package of `--setup_file` under this name."""


def main() -> None:
    """Fetch, install, exec."""
    arguments = _arguments()
    scratch = Path(tempfile.mkdtemp(prefix="steplabel-worker-"))
    info = _provision(arguments)
    fetched = _fetch(arguments, info, scratch)
    package = scratch / "package"
    if SDIST in fetched:
        _install(fetched[SDIST], package)
    environment = os.environ | _harness_environment(arguments, info, scratch)
    environment["PYTHONPATH"] = os.pathsep.join([str(package), os.environ.get("PYTHONPATH", "")]).rstrip(os.pathsep)
    command = [sys.executable, "-m", "apache_beam.runners.worker.sdk_worker_main"]
    os.chdir(scratch)  # `-m` puts the working folder on the path: a checkout there would win over the package
    os.execve(sys.executable, command, environment)  # noqa: S606  # a fixed command, no shell


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("id", "logging_endpoint", "artifact_endpoint", "provision_endpoint", "control_endpoint"):
        parser.add_argument(f"--{name}", required=True)
    return parser.parse_known_args()[0]


def _channel(url: str, worker: str) -> grpc.Channel:
    return grpc.intercept_channel(grpc.insecure_channel(url), WorkerIdInterceptor(worker))


def _provision(arguments: argparse.Namespace) -> beam_provision_api_pb2.ProvisionInfo:
    with _channel(arguments.provision_endpoint, arguments.id) as channel:
        service = beam_provision_api_pb2_grpc.ProvisionServiceStub(channel)
        return service.GetProvisionInfo(beam_provision_api_pb2.GetProvisionInfoRequest()).info


def _fetch(arguments: argparse.Namespace, info: beam_provision_api_pb2.ProvisionInfo, scratch: Path) -> dict[str, Path]:
    """Fetch everything that was staged; by the name it was staged under."""
    with _channel(arguments.artifact_endpoint, arguments.id) as channel:
        service = beam_artifact_api_pb2_grpc.ArtifactRetrievalServiceStub(channel)
        target = scratch / "staged"
        target.mkdir()
        return dict(_fetch_one(artifact, service, target) for artifact in info.dependencies)


def _fetch_one(artifact: Any, service: Any, target: Path) -> tuple[str, Path]:
    """Beam's helper saves under a random name; pip wants the one that says what the file is."""
    role = beam_runner_api_pb2.ArtifactStagingToRolePayload.FromString(artifact.role_payload)
    (saved,) = artifact_service.resolve_artifacts([artifact], service, str(target))
    path = Path(beam_runner_api_pb2.ArtifactFilePayload.FromString(saved.type_payload).path)
    return role.staged_name, path.rename(target / Path(role.staged_name).name)


def _install(sdist: Path, target: Path) -> None:
    """Install the package alone: its dependencies are those of this interpreter, as in a prepared image."""
    flags = ["--quiet", "--no-deps", "--no-build-isolation", "--disable-pip-version-check"]
    subprocess.run(  # noqa: S603  # a fixed command, no shell
        [sys.executable, "-m", "pip", "install", *flags, "--target", str(target), str(sdist)], check=True
    )


def _harness_environment(
    arguments: argparse.Namespace, info: beam_provision_api_pb2.ProvisionInfo, scratch: Path
) -> dict[str, str]:
    def endpoint(url: str) -> str:
        return str(text_format.MessageToString(endpoints_pb2.ApiServiceDescriptor(url=url), as_one_line=True))

    return {
        "WORKER_ID": arguments.id,
        "LOGGING_API_SERVICE_DESCRIPTOR": endpoint(arguments.logging_endpoint),
        "CONTROL_API_SERVICE_DESCRIPTOR": endpoint(arguments.control_endpoint),
        "PIPELINE_OPTIONS": json.dumps(json_format.MessageToDict(info.pipeline_options)),
        "RUNNER_CAPABILITIES": " ".join(info.runner_capabilities),
        "SEMI_PERSISTENT_DIRECTORY": str(scratch),
    }


if __name__ == "__main__":
    main()
