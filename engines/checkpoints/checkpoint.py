"""A model's files: where they are, and hashes of all in them that changes what the model writes.

Reads files only; loads no weights and imports no torch. Covered: folders and hub names with safetensors (or,
without any, torch `.bin`) weights. Not covered: adapters that lie beside their base model.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from huggingface_hub import ModelCard, snapshot_download
from huggingface_hub.errors import HfHubHTTPError, HFValidationError, LocalEntryNotFoundError
from yaml import YAMLError  # type: ignore[import-untyped]  # published without types

from steplabel.schemas import ConfigError, ModelIdentity, content_id

BUNDLED: Final = "bundled"
REMEMBER_ABOVE_BYTES: Final = 256 * 2**20  # smaller files hash in under a second; larger ones are remembered
_CONFIG: Final = ("config.json", "generation_config.json")
TOKENIZER_FILES: Final = (
    "tokenizer.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "added_tokens.json",
    "chat_template.jinja",
    "chat_template.json",
    "vocab.json",
    "vocab.txt",
    "merges.txt",
    "tokenizer.model",
)
"""Files that decide how text and messages become ids."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """A model folder and the name people call it by."""

    folder: Path
    name: str


def find_checkpoint(model: str, revision: str = "") -> Checkpoint:
    """Find the files of `bundled`, a folder or a hub name; a hub model is downloaded at its first use.

    Raises:
        ConfigError: there is no such model, or its folder holds no config.
    """
    if model == BUNDLED:
        checkpoint = Checkpoint(folder=_bundled_folder(), name=BUNDLED)
    elif Path(model).expanduser().is_dir():
        folder = Path(model).expanduser().resolve()
        checkpoint = Checkpoint(folder=folder, name=folder.name)
    else:
        checkpoint = Checkpoint(folder=_from_hub(model, revision), name=model)
    if not (checkpoint.folder / "config.json").is_file():
        raise ConfigError(f"model {model!r}: {checkpoint.folder} holds no config.json")
    return checkpoint


def read_identity(checkpoint: Checkpoint, *, dtype: str, licence: str = "") -> ModelIdentity:
    """Identity of the model in `checkpoint` when it runs in `dtype`; the licence is the card's unless given.

    Raises:
        ConfigError: no weights or no tokenizer in the folder.
    """
    quantization = _config(checkpoint.folder).get("quantization_config") or {}
    return ModelIdentity(
        name=checkpoint.name,
        weights=_weights_hash(checkpoint.folder),
        dtype=dtype,
        quantization=str(quantization.get("quant_method", "")),
        tokenizer=tokenizer_hash(checkpoint.folder),
        licence=licence or _card_licence(checkpoint.folder),
    )


def stored_dtype(folder: Path) -> str:
    """Number format the checkpoint names for itself, `float32` if it names none."""
    config = _config(folder)
    return str(config.get("dtype") or config.get("torch_dtype") or "float32")


def tokenizer_hash(folder: Path) -> str:
    """SHA-256 over names and contents of a tokenizer's files.

    Raises:
        ConfigError: there are none.
    """
    files = [folder / name for name in TOKENIZER_FILES if (folder / name).is_file()]
    if not files:
        raise ConfigError(f"folder {folder} holds no tokenizer files ({', '.join(TOKENIZER_FILES)})")
    return hash_files(files)


def hash_files(files: Iterable[Path]) -> str:
    """SHA-256 over the names and contents of files, in their order."""
    digest = hashlib.sha256()
    for file in files:
        digest.update(f"{file.name}\0{_file_hash(file)}\0".encode())
    return digest.hexdigest()


def _bundled_folder() -> Path:
    # Imported here: the bundled model is one choice of many, and its package may lack the weights.
    from steplabel.engines.bundled import weights_path  # noqa: PLC0415

    return Path(weights_path())


def _from_hub(model: str, revision: str) -> Path:
    patterns = ["*.safetensors", "*.json", "*.jinja", "*.txt", "*.model", "README.md"]
    try:
        return Path(snapshot_download(model, revision=revision or None, allow_patterns=patterns))
    except (HFValidationError, HfHubHTTPError, LocalEntryNotFoundError, OSError) as error:
        raise ConfigError(f"model {model!r} is no folder here, and the hub does not give it: {error}") from error


def _weights_hash(folder: Path) -> str:
    weights = sorted(folder.glob("*.safetensors")) or sorted(folder.glob("*.bin"))
    if not weights:
        raise ConfigError(f"model folder {folder} holds no *.safetensors or *.bin weights")
    configs = [folder / name for name in _CONFIG if (folder / name).is_file()]
    return hash_files([*weights, *configs])


def _file_hash(file: Path) -> str:
    """SHA-256 of a file; that of a large one is remembered by path, size and time of change."""
    state = file.stat()
    if state.st_size <= REMEMBER_ABOVE_BYTES:
        return _hashed(file)
    key = content_id("weights file", str(file.resolve()), state.st_size, state.st_mtime_ns)
    note = _cache_folder() / key
    try:
        return note.read_text(encoding="ascii")
    except (OSError, UnicodeDecodeError):
        digest = _hashed(file)
    _remember(note, digest)
    return digest


def _hashed(file: Path) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _remember(note: Path, digest: str) -> None:
    temporary = note.with_name(f"{note.name}.{os.getpid()}")
    try:
        note.parent.mkdir(parents=True, exist_ok=True)
        temporary.write_text(digest, encoding="ascii")
        temporary.replace(note)
    except OSError:
        # A read-only home costs a rehash at the next start, nothing else.
        return


def _cache_folder() -> Path:
    home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(home) / "steplabel" / "weights"


def _config(folder: Path) -> dict[str, Any]:
    try:
        config: dict[str, Any] = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ConfigError(f"model folder {folder}: cannot read config.json: {error}") from error
    return config


def _card_licence(folder: Path) -> str:
    """The licence that the model card's front matter states; empty without one."""
    card = folder / "README.md"
    if not card.is_file():
        return ""
    try:
        data = ModelCard.load(card, ignore_metadata_errors=True).data
    except (OSError, ValueError, YAMLError):
        # A card that cannot be parsed states no licence; it must not stop a run.
        return ""
    stated = data.get("license_name") if data.get("license") == "other" else data.get("license")
    return str(stated) if isinstance(stated, str) else ""
