"""A LoRA adapter's files, in PEFT's format: what they are, and a hash of all that changes texts."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from steplabel.engines.checkpoints.checkpoint import hash_files
from steplabel.schemas import ConfigError

_CONFIG: Final = "adapter_config.json"
_WEIGHTS: Final = ("adapter_model.safetensors", "adapter_model.bin")


@dataclass(frozen=True, slots=True, kw_only=True)
class Adapter:
    """An adapter's folder, the hash of its files, and the largest rank of its matrices."""

    folder: Path
    hash: str
    rank: int


def read_adapter(folder: str) -> Adapter:
    """Read what is said of the adapter in `folder`; its weights are hashed, not loaded.

    Raises:
        ConfigError: no adapter is there, or its config cannot be read.
    """
    path = Path(folder).expanduser().resolve()
    weights = next((path / name for name in _WEIGHTS if (path / name).is_file()), None)
    if weights is None or not (path / _CONFIG).is_file():
        raise ConfigError(f"LoRA adapter {folder!r}: wants a folder with {_CONFIG} and {' or '.join(_WEIGHTS)}")
    return Adapter(folder=path, hash=hash_files([path / _CONFIG, weights]), rank=_rank(path / _CONFIG))


def _rank(config: Path) -> int:
    try:
        said: dict[str, Any] = json.loads(config.read_text(encoding="utf-8"))
        return max(int(rank) for rank in (said["r"], *(said.get("rank_pattern") or {}).values()))
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ConfigError(f"LoRA adapter {config.parent}: {config.name} names no rank: {error!r}") from error
