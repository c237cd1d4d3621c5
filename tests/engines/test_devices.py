"""Which worker takes which GPU: told apart by names in CUDA_VISIBLE_DEVICES, so no GPU is needed to try it."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from steplabel.engines import ScriptedEngine
from steplabel.engines.devices import VISIBLE, check_workers, gpus_each, visible_gpus, worker_gpus
from steplabel.engines.scripted import ScriptedSpec
from steplabel.engines.transformers.spec import TransformersSpec
from steplabel.schemas import ConfigError


@dataclass(frozen=True)
class OnTwo:
    """A model on two GPUs."""

    gpus: int = 2

    def open(self) -> ScriptedEngine:
        return ScriptedEngine(lambda request, index, seed: "")


@pytest.mark.parametrize(
    ("named", "gpus"),
    [("2,3", ("2", "3")), ("GPU-1a, GPU-2b", ("GPU-1a", "GPU-2b")), ("", ()), ("-1", ()), ("0,-1,1", ("0",))],
)
def test_named_gpus(monkeypatch: pytest.MonkeyPatch, named: str, gpus: tuple[str, ...]) -> None:
    """CUDA_VISIBLE_DEVICES is read as CUDA reads it: names or numbers, up to the first invalid entry."""
    monkeypatch.setenv(VISIBLE, named)
    assert visible_gpus() == gpus


def test_each_worker_sees_gpus_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """No GPU is given twice, by whatever name it goes; one that is left over stays idle."""
    monkeypatch.setenv(VISIBLE, "4,GPU-7,1,0,9")
    assert worker_gpus([OnTwo(gpus=1)], 2) == [{VISIBLE: "4"}, {VISIBLE: "GPU-7"}]
    assert worker_gpus([OnTwo(), OnTwo(gpus=1)], 2) == [{VISIBLE: "4,GPU-7"}, {VISIBLE: "1,0"}]


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


def test_models_without_a_gpu_may_have_many_workers() -> None:
    """Scripted engines and models on the CPU take no GPU, so nothing is shared out."""
    specs = [ScriptedSpec(function="m:f"), TransformersSpec(device="cpu")]
    assert gpus_each(specs) == 0
    assert worker_gpus(specs, 3) == [{}, {}, {}]
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
