"""Which worker takes which GPU: told apart by names in CUDA_VISIBLE_DEVICES, so no GPU is needed to try it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

from steplabel.engines import ScriptedEngine
from steplabel.engines.devices import (
    CLAIMS,
    EACH,
    PARENT,
    VISIBLE,
    check_workers,
    gpus_each,
    take_gpus,
    visible_gpus,
    worker_environment,
)
from steplabel.engines.scripted import ScriptedSpec
from steplabel.engines.transformers.spec import TransformersSpec
from steplabel.schemas import ConfigError

HOLD = """
import os, sys
from steplabel.engines import devices
devices.CLAIM_SECONDS = 0.5
devices.take_gpus()
devices.take_gpus()
print(os.environ["CUDA_VISIBLE_DEVICES"], flush=True)
sys.stdin.read()
"""


@dataclass(frozen=True)
class OnTwo:
    """A model on two GPUs."""

    gpus: int = 2

    def open(self) -> ScriptedEngine:
        return ScriptedEngine(lambda request, index, seed: "")


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


def hold(stack: ExitStack, environment: dict[str, str]) -> tuple[str, subprocess.Popen[str]]:
    """Start a worker that takes its GPUs and keeps them; what it sees, and the worker."""
    worker = stack.enter_context(
        subprocess.Popen(
            [sys.executable, "-c", HOLD],
            env=os.environ | environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
    )
    stack.callback(worker.kill)
    assert worker.stdout is not None
    return worker.stdout.readline().strip(), worker


@pytest.mark.parametrize(
    ("named", "gpus"),
    [("2,3", ("2", "3")), ("GPU-1a, GPU-2b", ("GPU-1a", "GPU-2b")), ("", ()), ("-1", ()), ("0,-1,1", ("0",))],
)
def test_named_gpus(monkeypatch: pytest.MonkeyPatch, named: str, gpus: tuple[str, ...]) -> None:
    """CUDA_VISIBLE_DEVICES is read as CUDA reads it: names or numbers, up to the first invalid entry."""
    monkeypatch.setenv(VISIBLE, named)
    assert visible_gpus() == gpus


def test_each_worker_sees_a_gpu_of_its_own(tmp_path: Path, stack: ExitStack, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two workers take one GPU each; a third is refused; a killed worker's GPU comes free."""
    monkeypatch.setenv(VISIBLE, "4,GPU-7")
    environment = worker_environment([OnTwo(gpus=1)], tmp_path)
    assert environment == {CLAIMS: str(tmp_path), PARENT: str(os.getpid()), EACH: "1", VISIBLE: "4,GPU-7"}
    first, worker = hold(stack, environment)
    second, _ = hold(stack, environment)
    assert {first, second} == {"4", "GPU-7"}
    nothing, refused = hold(stack, environment)
    assert nothing == ""
    assert "all of 4, GPU-7 are taken" in refused.communicate()[1]
    worker.kill()
    worker.wait()
    assert hold(stack, environment)[0] == first


def test_a_model_on_two_gpus_takes_both_or_none(
    tmp_path: Path, stack: ExitStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of three GPUs one worker takes two; the next finds too few and holds none of them."""
    monkeypatch.setenv(VISIBLE, "0,1,2")
    environment = worker_environment([OnTwo()], tmp_path)
    assert hold(stack, environment)[0] == "0,1"
    assert hold(stack, environment)[0] == ""
    assert hold(stack, environment | {EACH: "1"})[0] == "2"


def test_the_parent_takes_no_gpu(tmp_path: Path, stack: ExitStack, monkeypatch: pytest.MonkeyPatch) -> None:
    """It has its workers' environment, and leaves all GPUs to them."""
    monkeypatch.setenv(VISIBLE, "0")
    for name, value in worker_environment([OnTwo(gpus=1)], tmp_path).items():
        monkeypatch.setenv(name, value)
    take_gpus()
    assert hold(stack, {})[0] == "0"


def test_too_many_workers_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """More engines than GPUs is an error of the command, and says what to do instead."""
    monkeypatch.setenv(VISIBLE, "0,1,2,3")
    check_workers([OnTwo(), OnTwo()], 2)
    with pytest.raises(ConfigError, match=r"--workers 3 .* 2 GPU\(s\) each, this process sees 4.*Use --workers 2"):
        check_workers([OnTwo()], 3)
    monkeypatch.setenv(VISIBLE, "0")
    with pytest.raises(ConfigError, match=r"Use --workers 1, or serve the model"):
        check_workers([OnTwo()], 2)
    check_workers([OnTwo()], 1)  # its own error when it is opened says more


def test_models_without_a_gpu_may_have_many_workers(tmp_path: Path) -> None:
    """Scripted engines and models on the CPU take no GPU, so nothing is shared out."""
    specs = [ScriptedSpec(function="m:f"), TransformersSpec(device="cpu")]
    assert gpus_each(specs) == 0
    assert worker_environment(specs, tmp_path) == {}
    check_workers(specs, 64)


def test_a_model_that_names_a_gpu_takes_one() -> None:
    """`cuda` and `cuda:1` both mean one GPU."""
    assert TransformersSpec(device="cuda:1").gpus == TransformersSpec(device="cuda").gpus == 1


def test_workers_cannot_share_a_named_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    """`device=cuda:1` is one GPU, however many there are: one worker may use it, two are refused."""
    monkeypatch.setenv(VISIBLE, "0,1,2,3")
    check_workers([TransformersSpec(device="cuda:1")], 1)
    check_workers([TransformersSpec(device="cuda")], 4)
    with pytest.raises(ConfigError, match="cuda:1: name no GPU"):
        check_workers([ScriptedSpec(function="m:f"), TransformersSpec(device="cuda:1")], 2)
