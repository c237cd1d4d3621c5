"""Which GPUs there are, and which worker process uses which.

Continuous batching fills a GPU with one engine; a second one on it only halves both caches. So each worker
process is started with GPUs of its own and sees no others. Policy and completer of one process share its GPUs.

A spec that takes GPUs of this machine says so by a property `gpus`; one without it takes none.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from typing import Final, Protocol, runtime_checkable

from steplabel.engines.port import EngineSpec
from steplabel.schemas import ConfigError

VISIBLE: Final = "CUDA_VISIBLE_DEVICES"


@runtime_checkable
class OnGpus(Protocol):
    """A spec that says how many GPUs of this machine its engine takes."""

    @property
    def gpus(self) -> int:
        """0 where it runs elsewhere or on the CPU."""
        ...


@runtime_checkable
class OnNamedGpu(Protocol):
    """A spec that may name the very GPU to run on."""

    @property
    def named_gpu(self) -> str:
        """Empty where any will do."""
        ...


def gpus_each(specs: Iterable[EngineSpec]) -> int:
    """GPUs that one process takes for these engines, which share them."""
    return max((spec.gpus for spec in specs if isinstance(spec, OnGpus)), default=0)


def visible_gpus() -> tuple[str, ...]:
    """Names of the GPUs this process may use: the entries of CUDA_VISIBLE_DEVICES, else all there are."""
    named = os.environ.get(VISIBLE)
    if named is None:
        import torch  # noqa: PLC0415 - heavy, and only wanted where a local model runs

        return tuple(map(str, range(torch.cuda.device_count())))
    found = []
    for entry in map(str.strip, named.split(",")):
        if not entry or entry == "-1":  # CUDA reads the list up to its first invalid entry
            break
        found.append(entry)
    return tuple(found)


def check_workers(specs: Sequence[EngineSpec], workers: int) -> None:
    """Refuse more worker processes than there are GPUs for.

    Raises:
        ConfigError: `workers` engines would share a GPU, or are all told to use the same one.
    """
    each = gpus_each(specs)
    if workers == 1 or each == 0:
        return
    if named := next((spec.named_gpu for spec in specs if isinstance(spec, OnNamedGpu) and spec.named_gpu), ""):
        raise ConfigError(
            f"--workers {workers} would load as many engines on {named}: name no GPU (device=cuda), and each worker "
            "takes one of its own; CUDA_VISIBLE_DEVICES says which there are"
        )
    there = len(visible_gpus())
    if workers * each > there:
        most = there // each
        instead = f"use --workers {most}" if most else "use --workers 1"
        raise ConfigError(
            f"--workers {workers} would load {workers} engines of {each} GPU(s) each, this process sees {there}: one "
            f"engine fills its GPU by itself. {instead[0].upper()}{instead[1:]}, or serve the model once and use "
            "--engine openai:URL with as many workers as you like"
        )


def worker_gpus(specs: Sequence[EngineSpec], workers: int) -> list[dict[str, str]]:
    """Environment variables of each worker process that show it GPUs of its own; empty where none are wanted.

    Call `check_workers` first: there must be enough.
    """
    each = gpus_each(specs)
    if not each:
        return [{} for _ in range(workers)]
    there = visible_gpus()
    return [{VISIBLE: ",".join(there[i * each : (i + 1) * each])} for i in range(workers)]
