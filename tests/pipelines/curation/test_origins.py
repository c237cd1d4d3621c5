"""The run behind a dataset, and what cut its steps."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from steplabel.labels.policies import POLICIES
from steplabel.pipelines.curation.origins import origin, segmenter_of
from steplabel.pipelines.recipe import describe
from steplabel.pipelines.relabelling import Relabelling, relabel
from steplabel.schemas import (
    BlankLineSteps,
    ConfigError,
    GivenSteps,
    MarkerSteps,
    NewlineSteps,
    OffsetSteps,
    Segmenter,
    SentenceSteps,
    codec,
)
from steplabel.transforms.dataset import OutputFolder


def relabelled(source: OutputFolder, path: Path, policy: str) -> OutputFolder:
    target = OutputFolder(str(path))
    list(relabel(source, target, Relabelling(policy=POLICIES[policy])))
    return target


def test_the_run_is_found_behind_everything(source: OutputFolder, curated, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    """Curating keeps the view, relabelling changes it, and the run stays."""
    first = origin(source)
    assert first.run == source.require_manifest().run.run_id
    assert first.recipe["type"] == "Recipe"
    thinned = curated(duplicates="exact")[0]
    assert origin(thinned) == first
    gated = relabelled(thinned, tmp_path / "gated", "hard_gated")
    again = curated("again", of=gated, balance="1:1")[0]
    assert origin(again).run == first.run
    assert origin(again).recipe == first.recipe
    assert origin(again).view == origin(gated).view != first.view


def test_a_view_goes_by_many_names(source: OutputFolder, tmp_path: Path) -> None:
    """A policy of the same options is the same view."""
    names = [name for name, policy in POLICIES.items() if describe(policy) | {"name": ""} == alike(source)]
    for name in names:
        assert origin(relabelled(source, tmp_path / name, name)) == origin(source)
    assert names


def alike(source: OutputFolder) -> dict[str, object]:
    saved: dict[str, object] = codec.from_json(source.require_manifest().config, dict)["labels"]
    return saved | {"name": ""}


@pytest.mark.parametrize(
    "segmenter",
    [
        NewlineSteps(),
        BlankLineSteps(),
        MarkerSteps(pattern="- ", join_preamble=True),
        SentenceSteps(newlines=False),
        GivenSteps(separator="|"),
    ],
    ids=lambda one: type(one).__name__,
)
def test_the_segmenter_is_the_runs(source: OutputFolder, curated, segmenter: Segmenter) -> None:  # type: ignore[no-untyped-def]
    """With its options; of a curated dataset, too."""
    cut_by(source, segmenter)
    assert segmenter_of(source) == segmenter
    assert segmenter_of(curated(duplicates="exact")[0]) == segmenter


def test_steps_of_tokens_cannot_be_found_in_a_text(source: OutputFolder) -> None:
    """They need the tokens' ends, which a rollout does not keep."""
    cut_by(source, OffsetSteps(every=8))
    with pytest.raises(ConfigError, match="cut by OffsetSteps, which cannot cut a rollout's text"):
        segmenter_of(source)


def cut_by(source: OutputFolder, segmenter: Segmenter) -> None:
    manifest = source.require_manifest()
    config = codec.from_json(manifest.config, dict) | {"segmenter": describe(segmenter)}
    source.write_manifest(replace(manifest, config=codec.to_json(config).decode()))
