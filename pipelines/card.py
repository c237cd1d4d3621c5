"""The dataset card of an output folder: made again after every commit, from the manifest and the rows themselves."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from steplabel.schemas import LabelTarget
from steplabel.schemas.arrow import TABLES
from steplabel.schemas.layouts.hf_card import Card, render_card
from steplabel.transforms.dataset import CARD, Manifest, OutputFolder
from steplabel.transforms.io import count_tuples, count_values

OWN_SOURCES = {"steplabel-generated": "Apache-2.0"}
"""Problem sources whose labels we may license ourselves: problems, solutions and labels are all ours."""


def write_card(folder: OutputFolder) -> None:
    """Write README.md; nothing is written while no row is labelled (a card without data would not load)."""
    manifest = folder.require_manifest()
    rows = manifest.rows()
    if rows["labels"]:
        folder.write_text(CARD, render_card(_card(folder, manifest, rows)))


def _card(folder: OutputFolder, manifest: Manifest, rows: Mapping[str, int]) -> Card:
    policies = _values(folder, manifest, "labels", "label_policy")
    versions = _values(folder, manifest, "labels", "label_policy_version")
    targets = _values(folder, manifest, "labels", "label_target")
    sources = _sources(folder, manifest)
    return Card(
        title=f"Step labels by {manifest.run.recipe}",
        files={t: [f.path for f in manifest.files(t)] for t in TABLES if rows[t]},
        rows=rows,
        policy=f"{', '.join(policies)} v{', '.join(versions)}",
        target=LabelTarget(targets[0]),
        licence=OWN_SOURCES.get(sources[0][0], "") if len(sources) == 1 else "",
        models=sorted(manifest.licences.items()),
        sources=sources,
        recipe=manifest.run.recipe,
        run_id=manifest.run.run_id,
        config_hash=manifest.run.config_hash,
        code_version=manifest.run.code_version,
        limits=_limits(manifest),
    )


def _values(folder: OutputFolder, manifest: Manifest, table: str, column: str) -> Sequence[str]:
    counts = count_values([folder.join(f.path) for f in manifest.files(table)], column)
    return sorted(map(str, counts))


def _sources(folder: OutputFolder, manifest: Manifest) -> Sequence[tuple[str, str]]:
    """(name, licence) of the problem sets."""
    paths = [folder.join(f.path) for f in manifest.files("problems")]
    return sorted((str(source), str(licence)) for source, licence in count_tuples(paths, "source", "licence"))


def _limits(manifest: Manifest) -> tuple[str, ...]:
    unfinished = [c.name.index for c in manifest.chunks if not c.complete]
    limits = ["A step that a gated policy marks `+` by the final answer alone has `label_sources` of `outcome` only."]
    if unfinished:
        limits.append(f"Chunks {json.dumps(unfinished)} are not complete: a budget ended or an engine failed.")
    return tuple(limits)
