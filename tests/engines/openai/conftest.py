"""The fault server as a process, and engines that ask it."""

from __future__ import annotations

import asyncio
import importlib.util
import subprocess
import sys
import urllib.request
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, AbstractContextManager, asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import msgspec
import pytest

from steplabel.engines import GenerateRequest, Prompt
from steplabel.engines.openai.engine import OpenAIEngine
from steplabel.engines.openai.spec import OpenAISpec
from steplabel.schemas import SamplingParams

FILE = Path(__file__).resolve().parent.parent / "fault_server.py"
QUICK = {"connect_s": 5.0, "stall_s": 20.0, "deadline_s": 60.0, "api_key_env": "NO_KEY_IN_TESTS"}


@pytest.fixture(scope="session")
def says() -> ModuleType:
    """The fault server's module: what it answers can be computed here too."""
    spec = importlib.util.spec_from_file_location("fault_server", FILE)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@dataclass(frozen=True)
class FaultServer:
    """A running server, set to other ways and asked what it saw. Blocks: local and quick."""

    url: str

    def set(self, **settings: Any) -> None:
        """Forget all counts; settings not given are the defaults."""
        self._fetch("control", msgspec.json.encode(settings))

    def stats(self) -> dict[str, Any]:
        return self._fetch("stats")

    def bodies(self) -> list[dict[str, Any]]:
        bodies: list[dict[str, Any]] = self._fetch("requests")["bodies"]
        return bodies

    def headers(self) -> list[dict[str, str]]:
        headers: list[dict[str, str]] = self._fetch("requests")["headers"]
        return headers

    def _fetch(self, path: str, data: bytes | None = None) -> dict[str, Any]:
        with urllib.request.urlopen(f"{self.url}/{path}", data=data, timeout=60) as answer:
            found: dict[str, Any] = msgspec.json.decode(answer.read())
        return found


@contextmanager
def running(*options: str) -> Iterator[str]:
    """The address of a fault server that runs meanwhile."""
    command = [sys.executable, str(FILE), "--port", "0", *options]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        try:
            assert server.stdout is not None
            yield f"http://127.0.0.1:{int(server.stdout.readline())}"
        finally:
            server.kill()


@pytest.fixture(scope="session")
def process() -> Iterator[FaultServer]:
    """One server for the session."""
    with running() as url:
        yield FaultServer(url)


@pytest.fixture
def own_server() -> Callable[..., AbstractContextManager[str]]:
    """`with own_server("--latency", "0.1") as url`: a server that ends with the block."""
    return running


@pytest.fixture
def server(process: FaultServer) -> FaultServer:
    """The server without faults and latency, nothing counted."""
    process.set()
    return process


@pytest.fixture
def spec(server: FaultServer) -> Callable[..., OpenAISpec]:
    """A spec of the server, patient for seconds instead of minutes."""

    def make(**options: Any) -> OpenAISpec:
        return OpenAISpec(**{"url": server.url, **QUICK, **options})

    return make


@pytest.fixture
def opened(spec: Callable[..., OpenAISpec]) -> Callable[..., AbstractAsyncContextManager[OpenAIEngine]]:
    """`async with opened(max_n=1) as engine`: closed at the end."""

    @asynccontextmanager
    async def open_engine(**options: Any) -> AsyncIterator[OpenAIEngine]:
        engine = await asyncio.to_thread(spec(**options).open)
        try:
            yield engine
        finally:
            await engine.close()

    return open_engine


@pytest.fixture
def ask() -> Callable[..., GenerateRequest]:
    """`ask("text", n=2, temperature=0)`: a request; unknown names go to the sampling parameters."""

    def make(text: str = "what?", /, **options: Any) -> GenerateRequest:
        known = {"prompt", "prefix", "n", "start", "seed", "logprobs", "prompt_logprobs"}
        request = {"prompt": Prompt(text=text)} | {name: value for name, value in options.items() if name in known}
        sampling = {"max_tokens": 100} | {n: v for n, v in options.items() if n not in known}
        return GenerateRequest(sampling=SamplingParams(**sampling), **request)

    return make


@pytest.fixture
def expected(says: ModuleType) -> Callable[..., list[str]]:
    """The texts that the server's model has for a request, in order."""
    from steplabel.engines.openai.requests import seed_of

    def texts(request: GenerateRequest) -> list[str]:
        prompt = request.prompt.text + request.prefix
        indices = range(request.start, request.start + request.n)
        return [says.completion_text(prompt, seed_of(request.seed, index)) for index in indices]

    return texts
