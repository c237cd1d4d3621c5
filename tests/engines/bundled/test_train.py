"""Training: repeatable, resumable to the bit, and it learns."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from steplabel.engines.bundled import train as training
from steplabel.engines.bundled.batches import DataConfig
from steplabel.engines.bundled.export import load_pretrained
from steplabel.engines.bundled.model import ModelConfig
from steplabel.engines.bundled.tokenizer import vocabulary
from steplabel.engines.bundled.train import (
    TrainConfig,
    Trainer,
    TrainError,
    config_from,
    measure_accuracy,
    rate_scale,
    train,
)
from tests.processes import wait_until

MICRO = TrainConfig(
    data=DataConfig(seed=1, steps=12, tokens=300),
    model=ModelConfig(vocabulary=len(vocabulary()), width=32, layers=2, heads=2, hidden=64),
    threads=1,
)


def same_weights(one: Trainer, other: Trainer) -> bool:
    pairs = zip(one.model.state_dict().items(), other.model.state_dict().items(), strict=True)
    return all(name == twin and torch.equal(left, right) for (name, left), (twin, right) in pairs)


def advanced(steps: int, config: TrainConfig = MICRO) -> Trainer:
    trainer = Trainer(config)
    for _ in range(steps):
        trainer.advance()
    return trainer


def test_runs_repeat() -> None:
    """The same settings give the same weights, bit by bit."""
    assert same_weights(advanced(6), advanced(6))


def test_seeds_differ() -> None:
    """Another seed is another run."""
    assert not same_weights(advanced(3), advanced(3, replace(MICRO, data=replace(MICRO.data, seed=2))))


@pytest.mark.parametrize("cut", [1, 5, 11])
def test_resumed_equals_uninterrupted(tmp_path: Path, cut: int) -> None:
    """Going on from a checkpoint at any step ends with the very weights of a run without a break."""
    whole = advanced(12)
    advanced(cut).save(tmp_path / "checkpoint.pt")
    resumed = Trainer(MICRO)
    resumed.restore(tmp_path / "checkpoint.pt")
    assert resumed.step == cut
    while resumed.step < 12:
        resumed.advance()
    assert same_weights(resumed, whole)


def test_checkpoint_of_another_run_is_refused(tmp_path: Path) -> None:
    """Settings that shape the weights may not change under way."""
    advanced(1).save(tmp_path / "checkpoint.pt")
    other = Trainer(replace(MICRO, matrix_rate=0.01))
    with pytest.raises(TrainError, match="another --out"):
        other.restore(tmp_path / "checkpoint.pt")


def test_half_a_checkpoint_does_not_count(tmp_path: Path) -> None:
    """What a killed process left half written is never read: the name changes hands at the end."""
    path = tmp_path / "checkpoint.pt"
    advanced(2).save(path)
    path.with_suffix(".tmp").write_bytes(b"half")
    trainer = Trainer(MICRO)
    trainer.restore(path)
    assert trainer.step == 2


@given(step=st.integers(0, 3999))
def test_rate_is_flat_then_falls(step: int) -> None:
    """The learning rate is full from the warm-up to 40 % of the run and falls to zero at its end."""
    scale = rate_scale(step, 4000)
    assert 0 < scale <= 1
    if 40 <= step <= 1600:
        assert scale == 1
    if step > 1600:
        assert scale == pytest.approx((4000 - step) / 2400)


def test_loss_falls() -> None:
    """Thirty steps on short chains lower the loss by a fifth."""
    config = replace(MICRO, data=replace(MICRO.data, steps=400, tokens=1000))
    trainer = Trainer(config)
    losses = [trainer.advance()[0] for _ in range(30)]
    assert sum(losses[-5:]) < 0.8 * sum(losses[:5])


def test_training_from_beginning_to_end(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A finished run leaves a model that loads, its log, and a checkpoint from which nothing is left to do."""
    train(MICRO, tmp_path, checkpoint_every=5, look_every=100, look_problems=3)
    record = json.loads((tmp_path / "training.json").read_text())
    assert record["config"]["data"]["steps"] == 12
    assert [entry["step"] for entry in record["log"]] == [12, 12]
    assert record["log"][1]["accuracy"] == measure_accuracy(load_pretrained(tmp_path), problems=3) == 0.0
    assert "step 12/12" in capsys.readouterr().out
    train(MICRO, tmp_path, look_problems=3)
    assert "going on from step 12" in capsys.readouterr().out


def test_looking_does_not_disturb(tmp_path: Path) -> None:
    """Checks of accuracy under way change no weight."""
    train(MICRO, tmp_path / "often", look_every=4, look_problems=3)
    train(MICRO, tmp_path / "never", look_every=100, look_problems=3)
    often, never = (load_pretrained(tmp_path / name).state_dict() for name in ("often", "never"))
    assert all(torch.equal(often[name], never[name]) for name in often)


@pytest.mark.parametrize("device", ["cpu", "cuda"])
def test_auto_options(device: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """`auto` takes CUDA and bfloat16 where there is a GPU, the CPU and float32 elsewhere."""
    monkeypatch.setattr(torch.cuda, "is_available", lambda: device == "cuda")
    config = config_from(training._parser().parse_args(["--out", "x", "--seed", "7", "--steps", "9"]))
    assert (config.device, config.data.seed, config.data.steps) == (device, 7, 9)
    assert config.precision == ("bfloat16" if device == "cuda" else "float32")


def test_bfloat16_passes_train() -> None:
    """The lower precision runs and changes the loss only a little."""
    full, lower = advanced(1), advanced(1, replace(MICRO, precision="bfloat16"))
    assert lower.advance()[0] == pytest.approx(full.advance()[0], rel=0.02)


def test_help(capsys: pytest.CaptureFixture[str]) -> None:
    """Every option says what it is for."""
    with pytest.raises(SystemExit):
        training.main(["--help"])
    text = capsys.readouterr().out
    assert "--checkpoint-every" in text
    assert "same command" in text


COMMAND = [
    "--steps=10",
    "--tokens=512",
    "--threads=1",
    "--device=cpu",
    "--checkpoint-every=2",
    "--look-every=100",
    "--seed=3",
]


def start(out: Path) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "steplabel.engines.bundled.train", f"--out={out}", *COMMAND]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, env=os.environ)


@pytest.mark.slow
def test_killed_process_goes_on(tmp_path: Path) -> None:
    """`kill -9` after the first checkpoint, the same command again: the weights of an uninterrupted run."""
    whole = start(tmp_path / "whole")
    assert whole.wait(timeout=300) == 0
    broken, checkpoint = start(tmp_path / "broken"), tmp_path / "broken" / "checkpoint.pt"
    wait_until(checkpoint.exists, "no checkpoint came")
    broken.send_signal(signal.SIGKILL)
    broken.wait(timeout=60)
    assert not (tmp_path / "broken" / "training.json").exists(), "it was too fast to be killed"
    assert start(tmp_path / "broken").wait(timeout=300) == 0
    one, other = (tmp_path / name / "model.safetensors" for name in ("whole", "broken"))
    assert one.read_bytes() == other.read_bytes()


@pytest.mark.slow
def test_compiled_run_agrees() -> None:
    """Compiled passes compute what plain ones do, up to rounding."""
    plain = advanced(3)
    compiled = advanced(3, replace(MICRO, compiled=True))
    for one, other in zip(plain.model.parameters(), compiled.model.parameters(), strict=True):
        torch.testing.assert_close(one, other, rtol=1e-3, atol=1e-4)


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_trains_on_cuda() -> None:
    """A few steps on a GPU lower the loss."""
    config = replace(MICRO, device="cuda", precision="bfloat16", data=replace(MICRO.data, steps=400))
    trainer = Trainer(config)
    losses = [trainer.advance()[0] for _ in range(20)]
    assert losses[-1] < losses[0]
