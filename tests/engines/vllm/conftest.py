"""A running vLLM with the bundled model: in this process, and as a server. Starting one takes half a minute or more."""

from __future__ import annotations

import asyncio
import importlib.util
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from steplabel.engines import GenerateRequest, Prompt
from steplabel.engines.bundled import weights_path
from steplabel.engines.bundled.task import generate_problem, seeded
from steplabel.engines.vllm.spec import VLLMSpec
from tests.processes import wait_until

if TYPE_CHECKING:
    from steplabel.engines.vllm.engine import VLLMEngine

SERVER_SECONDS = 600  # to be ready, on a machine that does other things as well


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Without vLLM, what needs it is skipped and says how to get it."""
    if importlib.util.find_spec("vllm") is not None:
        return
    missing = pytest.mark.skip(reason="vLLM is not installed: make test-vllm")
    for item in items:
        if item.get_closest_marker("vllm"):
            item.add_marker(missing)


def vllm_processes() -> dict[int, int]:
    """Process -> parent, of all that vLLM has started for this one."""
    import psutil

    found = psutil.Process().children(recursive=True)
    return {child.pid: child.ppid() for child in found if "multiprocessing.spawn" in " ".join(child.cmdline())}


@pytest.fixture(scope="session")
def engine() -> Iterator[VLLMEngine]:
    """One engine for all tests that do it no harm; the processes it started are gone after them."""
    before = vllm_processes()
    opened = VLLMSpec().open()
    yield opened
    asyncio.run(opened.close())
    assert set(vllm_processes()) <= set(before)


@pytest.fixture
def processes() -> Iterator[Callable[[], dict[int, int]]]:
    """`processes()`: process -> parent, of all that vLLM has started since the test began. None may outlive it."""
    before = set(vllm_processes())

    def started() -> dict[int, int]:
        return {pid: parent for pid, parent in vllm_processes().items() if pid not in before}

    yield started
    wait_until(lambda: not started(), "a process of vLLM was left behind")


@pytest.fixture
def problems() -> Callable[[int], list[str]]:
    """`problems(n)`: texts of the bundled model's task, of 4 to 8 events."""
    return lambda count: [generate_problem(seeded("vllm", i), 4 + i % 5, held_out=True).text for i in range(count)]


@pytest.fixture
def ask_problem(problems: Callable[[int], list[str]]) -> Callable[..., GenerateRequest]:
    """`ask_problem(3, n=2, temperature=0)`: a request for the third problem."""
    from steplabel.schemas import SamplingParams

    def make(number: int = 0, /, *, prefix: str = "", **options: object) -> GenerateRequest:
        known = {"n", "start", "seed", "logprobs", "prompt_logprobs"}
        sampling = {"max_tokens": 120, "temperature": 2.0} | {k: v for k, v in options.items() if k not in known}
        return GenerateRequest(
            prompt=Prompt(text=problems(number + 1)[number]),
            prefix=prefix,
            sampling=SamplingParams(**sampling),
            **{k: v for k, v in options.items() if k in known},
        )

    return make


@pytest.fixture(scope="session")
def vllm_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Base URL (without /v1) of vLLM's OpenAI-compatible server, with the bundled model served as `bundled`."""
    port = _free_port()
    log = tmp_path_factory.mktemp("vllm-server") / "log.txt"
    command = [
        *(sys.executable, "-m", "vllm.entrypoints.openai.api_server"),
        *("--model", str(weights_path()), "--served-model-name", "bundled", "--dtype", "float32"),
        *("--host", "127.0.0.1", "--port", str(port), "--enforce-eager"),
        *("--block-size", "32", "--no-enable-chunked-prefill", "--kv-cache-memory-bytes", str(2**30)),
    ]
    with log.open("w") as output:
        # A session of its own: its workers are ended with it, whatever state it is in.
        server = subprocess.Popen(
            command, stdout=output, stderr=subprocess.STDOUT, env=_server_environment(), start_new_session=True
        )
        try:
            _await_health(f"http://127.0.0.1:{port}", server, log)
            yield f"http://127.0.0.1:{port}"
        finally:
            os.killpg(server.pid, signal.SIGKILL)
            server.wait()


def _server_environment() -> dict[str, str]:
    return os.environ | {"VLLM_NO_USAGE_STATS": "1", "TORCH_COMPILE_DISABLE": "1"}


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _await_health(url: str, server: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + SERVER_SECONDS
    while time.monotonic() < deadline and server.poll() is None:
        try:
            with urllib.request.urlopen(f"{url}/health", timeout=5):
                return
        except OSError:  # not listening yet
            time.sleep(1)
    pytest.fail(f"the server did not become healthy:\n{log.read_text()[-4000:]}")
