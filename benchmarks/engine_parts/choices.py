"""The engines that are measured: the bundled model in transformers and vLLM, and a server without a model."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from functools import lru_cache
from pathlib import Path
from types import ModuleType

from steplabel.engines import Engine
from steplabel.engines.openai.spec import OpenAISpec
from steplabel.engines.transformers.spec import TransformersSpec

SERVER = Path(__file__).parents[2] / "tests" / "engines" / "fault_server.py"
SLOTS = 256


@lru_cache
def fault_server() -> ModuleType:
    """The server's module: what it will say can be computed here."""
    spec = importlib.util.spec_from_file_location(SERVER.stem, SERVER)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@contextmanager
def fake_server(*options: str) -> Iterator[str]:
    """The test suite's server in a process of its own; yields its address."""
    command = [sys.executable, str(SERVER), "--port", "0", *options]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:  # noqa: S603 - our own command
        try:
            assert server.stdout is not None
            yield f"http://127.0.0.1:{int(server.stdout.readline())}"
        finally:
            server.terminate()


@contextmanager
def transformers_engine() -> Iterator[Engine]:
    """The bundled model as `--engine bundled` runs it."""
    yield TransformersSpec().open()


@contextmanager
def vllm_engine() -> Iterator[Engine]:
    """The bundled model as `--engine vllm:bundled` runs it."""
    from steplabel.engines.vllm.spec import VLLMSpec  # noqa: PLC0415 - needs vLLM

    yield VLLMSpec().open()


@contextmanager
def server_engine() -> Iterator[Engine]:
    """An OpenAI-compatible server that answers each request after half a second, one in twenty after three."""
    with fake_server("--latency", "0.5", "--slow", "3", "--slow-share", "0.05") as url:
        yield OpenAISpec(url=url, max_in_flight=SLOTS).open()


ENGINES: Mapping[str, Callable[[], AbstractContextManager[Engine]]] = {
    "transformers": transformers_engine,
    "vllm": vllm_engine,
    "server": server_engine,
}


def available() -> tuple[str, ...]:
    """Those that can run here."""
    return tuple(name for name in ENGINES if name != "vllm" or importlib.util.find_spec("vllm"))
