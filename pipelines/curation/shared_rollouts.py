"""Whether datasets rest on the same rollouts: what they agree on is then no confirmation.

A rollout's key is the hash of all that shapes its text. The seed of a question depends on the run's seed and on the
prefix, not on the recipe, so that two recipes under one engine, seed and input ask the same questions and get the same
answers: of a binary search behind a scan of every step, all of them. Rollouts of its own has another `--completer`
and, where the input brings its solutions, another `--seed`; solutions that are sampled are others then.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations

import numpy as np
import numpy.typing as npt

from steplabel.pipelines.curation.origins import origin
from steplabel.schemas import ConfigError, Rollout
from steplabel.transforms.dataset import OutputFolder
from steplabel.transforms.io import read_arrow


def sharing_notes(paths: Sequence[str]) -> Iterator[str]:
    """A note on every two datasets that are views of one run, or share rollouts.

    Of each rollout of a dataset 8 bytes are held.

    Raises:
        ConfigError: two are labels of one run by one policy.
    """
    origins = [origin(OutputFolder(path)) for path in paths]
    pairs = list(combinations(range(len(paths)), 2))
    for i, j in pairs:
        if (origins[i].run, origins[i].view) == (origins[j].run, origins[j].view):
            raise ConfigError(
                f"{paths[j]!r} and {paths[i]!r} hold the same run's labels: a source cannot confirm itself"
            )
    keys = [_rollout_keys(OutputFolder(path)) for path in paths]
    for i, j in pairs:
        if origins[i].run == origins[j].run:
            yield (
                f"{paths[j]!r} and {paths[i]!r} are two views of run {origins[i].run}: where both rest on its "
                f"rollouts, neither confirms the other"
            )
        elif shared := np.intersect1d(keys[i], keys[j], assume_unique=True).size:
            yield (
                f"{shared:,} of the {keys[j].size:,} rollouts of {paths[j]!r} are rollouts of {paths[i]!r}, too: where "
                f"both rest on them, neither confirms the other. Another --completer has rollouts of its own"
            )


def _rollout_keys(folder: OutputFolder) -> npt.NDArray[np.int64]:
    """Hashes of the rollouts' keys, sorted; good for comparisons within this process."""
    tables = (read_arrow([path], Rollout, ["key"]) for path in folder.paths("rollouts"))
    parts = [_hashed(table.column("key").to_pylist()) for table in tables]
    return np.unique(np.concatenate([np.empty(0, np.int64), *parts]))


def _hashed(keys: Sequence[str]) -> npt.NDArray[np.int64]:
    return np.fromiter(map(hash, keys), dtype=np.int64, count=len(keys))
