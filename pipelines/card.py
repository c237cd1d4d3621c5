"""The dataset card of an output folder: made again after every commit, from the manifest and the rows themselves."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import lru_cache

from steplabel.schemas import LabelTarget
from steplabel.schemas.arrow import TABLES
from steplabel.schemas.layouts.hf_card import Card, render_card
from steplabel.transforms.dataset import CARD, Manifest, OutputFolder
from steplabel.transforms.io import count_tuples

OWN_SOURCES = {"steplabel-generated": "Apache-2.0"}
"""Problem sources whose labels we may license ourselves: problems, solutions and labels are all ours."""

POLICY_COLUMNS = ("label_policy", "label_policy_version", "label_target")


def write_card(folder: OutputFolder) -> None:
    """Write README.md; nothing is written while no row is labelled (a card without data would not load)."""
    manifest = folder.require_manifest()
    rows = manifest.rows()
    if rows["labels"]:
        folder.write_text(CARD, render_card(_card(folder, manifest, rows)))


def _card(folder: OutputFolder, manifest: Manifest, rows: Mapping[str, int]) -> Card:
    policies, versions, targets = zip(*_found(folder, manifest, "labels", *POLICY_COLUMNS), strict=True)
    sources = _found(folder, manifest, "problems", "source", "licence")
    return Card(
        title=f"Step labels by {manifest.run.recipe}",
        files={t: [f.path for f in manifest.files(t)] for t in TABLES if rows[t]},
        rows=rows,
        policy=f"{_listed(policies)} v{_listed(versions)}",
        target=LabelTarget(targets[0]),
        licence=OWN_SOURCES.get(sources[0][0], "") if len(sources) == 1 else "",
        models=sorted(manifest.licences.items()),
        sources=[(source, licence) for source, licence in sources],
        recipe=manifest.run.recipe,
        run_id=manifest.run.run_id,
        config_hash=manifest.run.config_hash,
        code_version=manifest.run.code_version,
        limits=_limits(manifest),
    )


def _found(folder: OutputFolder, manifest: Manifest, table: str, *columns: str) -> Sequence[tuple[str, ...]]:
    """The combinations of values that stand in some columns of a table."""
    files = (_found_in(folder.join(f.path), columns) for f in manifest.files(table))
    return sorted(frozenset[tuple[str, ...]]().union(*files))


@lru_cache(maxsize=100_000)
def _found_in(path: str, columns: tuple[str, ...]) -> frozenset[tuple[str, ...]]:
    """Those of one file. Committed files never change, so a run that adds chunk after chunk reads each once."""
    return frozenset(tuple(map(str, values)) for values in count_tuples([path], *columns))


def _listed(values: Sequence[str]) -> str:
    return ", ".join(sorted(set(values)))


def _limits(manifest: Manifest) -> tuple[str, ...]:
    unfinished = [c.name.index for c in manifest.chunks if not c.complete]
    limits = ["A step that a gated policy marks `+` by the final answer alone has `label_sources` of `outcome` only."]
    if unfinished:
        limits.append(f"Chunks {json.dumps(unfinished)} are not complete: a budget ended or an engine failed.")
    return tuple(limits)
