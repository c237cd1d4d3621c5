"""Where a dataset comes from: the run behind it, however often it was relabelled and curated since."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from steplabel.schemas import ConfigError, codec
from steplabel.schemas.segmentation import (
    BlankLineSteps,
    GivenSteps,
    MarkerSteps,
    NewlineSteps,
    Segmenter,
    SentenceSteps,
)
from steplabel.transforms.dataset import OutputFolder

DERIVED: Final = ("curated", "relabelled")
"""Keys of a saved configuration that name the run it was made from."""

_OF_TEXT: Final[Sequence[type[Segmenter]]] = (NewlineSteps, BlankLineSteps, MarkerSteps, SentenceSteps, GivenSteps)


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """What a dataset was made from.

    Attributes:
        run: id of the run whose rollouts these are.
        recipe: its configuration, as saved.
        view: configuration of the policy that made the labels out of them, without the name it goes by.
        compressed: whether steps were merged in the evidence on the way, which no relabelling undoes.
    """

    run: str
    recipe: Mapping[str, Any]
    view: Mapping[str, Any]
    compressed: bool


def origin(folder: OutputFolder) -> Origin:
    """Follow a dataset back to its run. Raises ConfigError if the folder is none."""
    manifest = folder.require_manifest()
    run, config = manifest.run.run_id, _read(manifest.config)
    view: Mapping[str, Any] | None = None
    compressed = False
    while key := next((key for key in DERIVED if key in config), ""):
        if view is None and key == "relabelled":
            view = config["how"]["policy"]
        if key == "curated":
            compressed = compressed or any(step["name"] == "compress" for step in config["how"]["steps"])
        run, config = config[key], _read(config["config"])
    view = config["labels"] if view is None else view
    unnamed = {key: value for key, value in view.items() if key != "name"}
    return Origin(run=run, recipe=config, view=unnamed, compressed=compressed)


def segmenter_of(folder: OutputFolder) -> Segmenter:
    """What cut the solutions of a dataset into steps.

    Raises:
        ConfigError: the folder is no dataset, or its steps cannot be found from text alone.
    """
    saved = origin(folder).recipe["segmenter"]
    known = {kind.__name__: kind for kind in _OF_TEXT}
    if saved["type"] not in known:
        raise ConfigError(
            f"steps of {folder.path!r} were cut by {saved['type']}, which cannot cut a rollout's text: only "
            f"{', '.join(known)} can"
        )
    return codec.from_builtins({key: value for key, value in saved.items() if key != "type"}, known[saved["type"]])


def _read(config: str) -> dict[str, Any]:
    return codec.from_json(config, dict[str, Any])
