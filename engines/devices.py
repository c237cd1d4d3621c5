"""Which GPUs there are, and which worker process uses which.

Continuous batching fills a GPU with one engine; a second one on it only halves both caches. So each worker
process takes GPUs of its own: it holds a lock on each, which the system lets go when the process ends, however
it ends, and sees no others. Policy and completer of one process share its GPUs.

A spec that takes GPUs of this machine says so by a property `gpus`; one without it takes none.
"""

from __future__ import annotations

import hashlib
import os
import threading
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final, Protocol, runtime_checkable

from filelock import FileLock, Timeout

from steplabel.engines.port import EngineSpec
from steplabel.schemas import ConfigError, ModelLoadError

VISIBLE: Final = "CUDA_VISIBLE_DEVICES"
CLAIMS: Final = "STEPLABEL_GPU_CLAIMS"
"""Environment variable: the folder of locks through which worker processes share out GPUs; unset, nobody does."""
PARENT: Final = "STEPLABEL_GPU_PARENT"
"""Environment variable: number of the process that starts the workers. It has the same environment, and no share."""
EACH: Final = "STEPLABEL_GPUS_EACH"
"""Environment variable: how many GPUs a worker process takes."""
CLAIM_SECONDS: Final = 60.0  # a worker of the last chunk may still be on its way out
POLL_SECONDS: Final = 0.2


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


def worker_environment(specs: Sequence[EngineSpec], folder: Path) -> dict[str, str]:
    """What worker processes must inherit so that each takes GPUs of its own; empty where none are wanted."""
    each = gpus_each(specs)
    if not each:
        return {}
    return {CLAIMS: str(folder), PARENT: str(os.getpid()), EACH: str(each), VISIBLE: ",".join(visible_gpus())}


_held: list[FileLock] = []
_claiming = threading.Lock()


def take_gpus() -> None:
    """In a worker process: claim GPUs and hide the others. Call it before anything touches CUDA.

    Does nothing in other processes, and nothing when the process has its GPUs.

    Raises:
        ModelLoadError: no GPU came free.
    """
    folder = os.environ.get(CLAIMS)
    if folder is None or os.environ.get(PARENT) == str(os.getpid()):
        return
    with _claiming:
        if not _held:
            _take(Path(folder))


def _take(folder: Path) -> None:
    wanted, names = int(os.environ[EACH]), visible_gpus()
    deadline = time.monotonic() + CLAIM_SECONDS
    while not (claimed := _claimed(folder, names, wanted)):
        if time.monotonic() > deadline:
            raise ModelLoadError(f"{wanted} GPU(s) are wanted, all of {', '.join(names)} are taken by other workers")
        time.sleep(POLL_SECONDS)
    _held.extend(claimed.values())
    os.environ[VISIBLE] = ",".join(claimed)


def _claimed(folder: Path, names: Sequence[str], wanted: int) -> dict[str, FileLock]:
    """Locks on `wanted` GPUs, or on none: a worker that held some and waited for more could block another."""
    locks: dict[str, FileLock] = {}
    for name in names:
        lock = FileLock(folder / f"{hashlib.sha256(name.encode()).hexdigest()[:16]}.gpu", timeout=0)
        try:
            lock.acquire()
        except Timeout:
            continue
        locks[name] = lock
        if len(locks) == wanted:
            return locks
    for lock in locks.values():
        lock.release()
    return {}
