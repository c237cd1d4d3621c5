"""A tokenizer apart from its model: the model runs on a server, its tokenizer's files lie here or on the hub."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from huggingface_hub import snapshot_download
from huggingface_hub.errors import HfHubHTTPError, HFValidationError, LocalEntryNotFoundError

from steplabel.engines.checkpoints.checkpoint import BUNDLED, TOKENIZER_FILES, find_checkpoint
from steplabel.schemas import ConfigError

_CONFIG: Final = "config.json"  # tells AutoTokenizer which class to make, where the tokenizer's own files do not


def find_tokenizer(name: str, revision: str = "") -> Path:
    """The folder of a tokenizer: of `bundled`, a folder as it is, a hub name by download of these files alone.

    Raises:
        ConfigError: it is neither, or the hub cannot be reached.
    """
    if name == BUNDLED:
        return find_checkpoint(BUNDLED).folder
    folder = Path(name).expanduser()
    if folder.is_dir():
        return folder.resolve()
    wanted = [*TOKENIZER_FILES, _CONFIG]
    try:
        return Path(snapshot_download(name, revision=revision or None, allow_patterns=wanted))
    except (HFValidationError, HfHubHTTPError, LocalEntryNotFoundError, OSError) as error:
        raise ConfigError(f"tokenizer {name!r} is no folder here, and the hub does not give it: {error}") from error
