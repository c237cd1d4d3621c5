"""Train the bundled model: `python -m steplabel.engines.bundled.train --out DIR`.

Seeded and repeatable: batches, learning rates and curriculum depend on the seed and the step, never on time.
Kill it whenever you like; the same command goes on from the last checkpoint and ends with the very weights an
uninterrupted run gives (same machine, versions and threads; a test holds it to the bit). With `--compile`
that holds up to rounding only.

On busy cores set OMP_WAIT_POLICY=PASSIVE: two threads that spin while one of them waits for a core made a run
seven times slower than two cores of its own did.

Muon on the matrices, AdamW on embedding and norms; the rate is flat for 40 % of the run and then falls to
zero, which is when carries are learned: errors of exactly ten are the last to go. Settings are the first
trial's, found on a million tokens each.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812 - torch's own name for it

from steplabel.engines.bundled.batches import DataConfig, make_batch
from steplabel.engines.bundled.export import save_pretrained
from steplabel.engines.bundled.model import CompactLlama, ModelConfig
from steplabel.engines.bundled.muon import Muon
from steplabel.engines.bundled.sampler import sample_texts
from steplabel.engines.bundled.task import format_answer, generate_problem, seeded
from steplabel.engines.bundled.tokenizer import vocabulary

_WARM_UP: Final = 40  # steps
_HOLD: Final = 0.4  # share of the run at the full rate


class TrainError(ValueError):
    """A run cannot begin or go on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainConfig:
    """Everything that shapes the weights. A checkpoint goes on only under the settings it was made with."""

    data: DataConfig = field(default_factory=DataConfig)
    model: ModelConfig = field(default_factory=lambda: ModelConfig(vocabulary=len(vocabulary())))
    matrix_rate: float = 0.02
    other_rate: float = 3e-3
    threads: int = 2
    device: str = "cpu"
    precision: str = "float32"
    compiled: bool = False


def rate_scale(step: int, steps: int) -> float:
    """Learning-rate factor at `step`: a short rise, flat to 40 % of the run, then linear to zero."""
    progress = step / steps
    fall = 1.0 if progress < _HOLD else (1.0 - progress) / (1.0 - _HOLD)
    return min(1.0, (step + 1) / _WARM_UP) * fall


class Trainer:
    """A run at some step: model, optimisers, and nothing else that changes.

    Attributes:
        step: steps taken so far; the next batch is number `step`.
        log: one entry per report, kept in the checkpoint.
    """

    def __init__(self, config: TrainConfig) -> None:
        torch.set_num_threads(config.threads)
        torch.manual_seed(config.data.seed)
        self.config = config
        self.step = 0
        self.log: list[dict[str, float]] = []
        self.model = CompactLlama(config.model).to(config.device)
        named = list(self.model.named_parameters())
        matrices = [p for name, p in named if p.ndim == 2 and "embed" not in name]
        others = [p for name, p in named if p.ndim != 2 or "embed" in name]
        self._optimizers: list[torch.optim.Optimizer] = [
            Muon(matrices, lr=config.matrix_rate),
            torch.optim.AdamW(others, lr=config.other_rate, betas=(0.9, 0.98), weight_decay=0.0),
        ]
        self._rates = (config.matrix_rate, config.other_rate)
        self._loss = self._compile() if config.compiled else self._plain_loss

    def advance(self) -> tuple[float, int]:
        """Take one step; returns its loss and the number of tokens in its batch."""
        batch = make_batch(self.config.data, self.step)
        scale = rate_scale(self.step, self.config.data.steps)
        for optimizer, rate in zip(self._optimizers, self._rates, strict=True):
            optimizer.param_groups[0]["lr"] = rate * scale
        device = self.config.device
        loss = self._loss(batch.ids.to(device), batch.targets.to(device))
        loss.backward()  # type: ignore[no-untyped-call]  # torch leaves it untyped
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        for optimizer in self._optimizers:
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)
        self.step += 1
        return float(loss.item()), batch.ids.numel()

    def save(self, path: Path) -> None:
        """Write a checkpoint; a reader finds the old one or the new one, never half of one."""
        state = {
            "config": asdict(self.config),
            "step": self.step,
            "log": self.log,
            "model": self.model.state_dict(),
            "optimizers": [optimizer.state_dict() for optimizer in self._optimizers],
        }
        unfinished = path.with_suffix(".tmp")
        with unfinished.open("wb") as file:
            torch.save(state, file)
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(path)

    def restore(self, path: Path) -> None:
        """Go on from a checkpoint.

        Raises:
            TrainError: it was made under other settings.
        """
        state = torch.load(path, map_location=self.config.device, weights_only=True)
        made_with, wanted = state["config"], asdict(self.config)
        if made_with | {"threads": 0} != wanted | {"threads": 0}:  # threads change the rounding only
            raise TrainError(f"{path} was made with {made_with}, not {wanted}: give the same options, or another --out")
        self.step, self.log = state["step"], state["log"]
        self.model.load_state_dict(state["model"])
        for optimizer, saved in zip(self._optimizers, state["optimizers"], strict=True):
            optimizer.load_state_dict(saved)

    def _plain_loss(self, ids: Tensor, targets: Tensor) -> Tensor:
        bfloat16 = self.config.precision == "bfloat16"
        with torch.autocast(self.config.device, torch.bfloat16, enabled=bfloat16):
            logits = self.model.logits(self.model(ids))
        return F.cross_entropy(logits.flatten(0, 1), targets.flatten())

    def _compile(self) -> Callable[[Tensor, Tensor], Tensor]:
        compiled: Callable[[Tensor, Tensor], Tensor] = torch.compile(self._plain_loss, dynamic=True)
        # The first shapes seen shape the generated code. Always the same ones, so that a resumed run computes
        # what an uninterrupted one does.
        ids = torch.ones(48, 128, dtype=torch.long, device=self.config.device)
        compiled(ids, ids).backward()  # type: ignore[no-untyped-call]
        self.model.zero_grad(set_to_none=True)
        return compiled


def train(
    config: TrainConfig,
    out: Path,
    *,
    checkpoint_every: int = 100,
    look_every: int = 500,
    look_problems: int = 250,
) -> None:
    """Train to the end, from `out/checkpoint.pt` where there is one, and write the model into `out`.

    Raises:
        TrainError: the checkpoint in `out` belongs to another run.
    """
    out.mkdir(parents=True, exist_ok=True)
    checkpoint = out / "checkpoint.pt"
    trainer = Trainer(config)
    if checkpoint.exists():
        trainer.restore(checkpoint)
        _say(f"going on from step {trainer.step}")
    report = _Report(trainer)
    while trainer.step < config.data.steps:
        report.add(*trainer.advance())
        last = trainer.step == config.data.steps
        if trainer.step % look_every == 0 or last:
            report.look(look_problems)
        if trainer.step % checkpoint_every == 0 or last:
            trainer.save(checkpoint)
    save_pretrained(trainer.model, out)
    (out / "training.json").write_text(
        json.dumps({"config": asdict(config), "log": trainer.log}, indent=1) + "\n", encoding="utf-8"
    )
    _say(f"written to {out}")


class _Report:
    """Progress lines, with the speed of this process (not of those before it)."""

    def __init__(self, trainer: Trainer, every: int = 50) -> None:
        self._trainer = trainer
        self._every = every
        self._losses: list[float] = []
        self._tokens = 0
        self._first = trainer.step
        self._began = time.monotonic()

    def add(self, loss: float, tokens: int) -> None:
        """Count one step."""
        self._losses.append(loss)
        self._tokens += tokens
        step, steps = self._trainer.step, self._trainer.config.data.steps
        if step % self._every == 0 or step == steps:
            seconds = time.monotonic() - self._began
            left = seconds / (step - self._first) * (steps - step)
            mean = sum(self._losses) / len(self._losses)
            speed = self._tokens / seconds
            self._trainer.log.append({"step": step, "loss": mean, "seconds": seconds, "tokens": self._tokens})
            _say(f"step {step}/{steps}  loss {mean:.4f}  {speed:,.0f} tok/s  {left / 60:.1f} min left")
            self._losses.clear()

    def look(self, problems: int) -> None:
        """Print accuracy on held-out problems of four to eight events."""
        accuracy = measure_accuracy(self._trainer.model, problems=problems)
        self._trainer.log.append({"step": self._trainer.step, "accuracy": accuracy})
        _say(f"step {self._trainer.step}: held-out accuracy at T=1.0, 4 to 8 events: {accuracy:.3f}")


def measure_accuracy(model: CompactLlama, *, problems: int = 250, temperature: float = 1.0) -> float:
    """Share of right final answers on the first held-out problems of four to eight events."""
    rng = seeded("look")
    chosen = [generate_problem(rng, 4 + index % 5, held_out=True) for index in range(problems)]
    model.eval()
    texts = sample_texts(model, [problem.text for problem in chosen], temperature=temperature, seed=0)
    model.train()
    right = [
        text.rpartition("\n")[2] == format_answer(problem.answer)
        for problem, (text,) in zip(chosen, texts, strict=True)
    ]
    return sum(right) / problems


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m steplabel.engines.bundled.train",
        description="Train the bundled model from nothing. Killed runs go on with the same command.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    parser.add_argument("--out", type=Path, required=True, help="folder of checkpoint and model")
    parser.add_argument("--seed", type=int, default=0, help="of weights and data")
    parser.add_argument("--steps", type=int, default=4000, help="optimiser steps")
    parser.add_argument("--tokens", type=int, default=6144, help="most tokens in a batch, padding included")
    parser.add_argument("--threads", type=int, default=2, help="CPU threads")
    parser.add_argument("--device", choices=("auto", "cpu", "cuda"), default="auto", help="of training")
    parser.add_argument(
        "--precision",
        choices=("auto", "float32", "bfloat16"),
        default="auto",
        help="of the passes; auto: bfloat16 on CUDA, float32 on a CPU (many emulate bfloat16, slowly)",
    )
    parser.add_argument("--compile", action="store_true", help="a quarter faster on a CPU, but needs a C++ compiler")
    parser.add_argument("--checkpoint-every", type=int, default=100, help="steps between checkpoints")
    parser.add_argument("--look-every", type=int, default=500, help="steps between accuracy checks")
    return parser


def config_from(options: argparse.Namespace) -> TrainConfig:
    """Turn parsed options into the settings of a run, `auto` resolved."""
    device = options.device
    if device == "auto":
        device = "cuda" if torch.cuda.is_available() else "cpu"
    precision = options.precision
    if precision == "auto":
        precision = "bfloat16" if device == "cuda" else "float32"
    return TrainConfig(
        data=DataConfig(seed=options.seed, steps=options.steps, tokens=options.tokens),
        threads=options.threads,
        device=device,
        precision=precision,
        compiled=options.compile,
    )


def main(arguments: list[str] | None = None) -> None:
    """Entry of `python -m steplabel.engines.bundled.train`."""
    options: Any = _parser().parse_args(arguments)
    train(
        config_from(options),
        options.out,
        checkpoint_every=options.checkpoint_every,
        look_every=options.look_every,
    )


if __name__ == "__main__":
    main()
