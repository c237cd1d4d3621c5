"""What a rollout store holds, counted: by model and by run."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import Any

from steplabel.engines.store.file import reading
from steplabel.engines.store.progress import StoreProgress, count_rollouts, progress_of
from steplabel.engines.store.schema import version_of


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelStats:
    """Rollouts of one model; all fields but the counts are empty for those that name no request.

    Attributes:
        model: `ModelIdentity.id`; `name` as people call it.
        requests: distinct ones.
        completion_tokens: of all its rollouts.
        finish_reasons: rollouts by why they ended.
    """

    model: str
    name: str
    licence: str
    requests: int
    rollouts: int
    completion_tokens: int
    finish_reasons: Mapping[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class RunStats:
    """What one run asked for. `requests_used` are distinct ones, 0 for a run that only version 1 knew."""

    run_id: str
    requests_used: int
    usage: StoreProgress


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreStats:
    """A whole store.

    Attributes:
        bytes: of the file and the log beside it.
        version: of the file as it lies there.
        unattributed: rollouts that name no request, because version 1 stored them and nobody asked for them since.
    """

    path: str
    bytes: int
    version: int
    rollouts: int
    requests: int
    unattributed: int
    models: tuple[ModelStats, ...]
    runs: tuple[RunStats, ...]


def store_stats(path: Path) -> StoreStats:
    """Count a store. Reads all of it but changes nothing; another process may write to it meanwhile.

    Raises:
        StoreError: there is none, or it cannot be read.
    """
    with reading(path) as connection:
        models = _models(connection)
        return StoreStats(
            path=str(path),
            bytes=sum(file.stat().st_size for file in (path, path.with_name(f"{path.name}-wal")) if file.exists()),
            version=version_of(connection, str(path)),
            rollouts=count_rollouts(connection),
            requests=connection.execute("SELECT COUNT(*) FROM requests").fetchone()[0],
            unattributed=sum(model.rollouts for model in models if not model.model),
            models=models,
            runs=tuple(_run(connection, run_id) for run_id in known_runs(connection)),
        )


def known_runs(connection: sqlite3.Connection) -> tuple[str, ...]:
    """Every run that the store has heard of."""
    query = "SELECT run_id FROM usage UNION SELECT run_id FROM uses UNION SELECT run_id FROM finished ORDER BY run_id"
    return tuple(run_id for (run_id,) in connection.execute(query))


def _models(connection: sqlite3.Connection) -> tuple[ModelStats, ...]:
    """One scan of the rollouts; models by how many they have, rollouts of no known model last."""
    query = """SELECT model, model_name, licence, finish_reason, COUNT(*), SUM(completion_tokens)
        FROM rollouts LEFT JOIN requests ON requests.key = rollouts.request
        GROUP BY model, finish_reason ORDER BY model, finish_reason"""
    requests = dict(connection.execute("SELECT model, COUNT(*) FROM requests GROUP BY model"))
    groups = groupby(connection.execute(query), key=itemgetter(0))
    models = [_model(list(rows), requests.get(model, 0)) for model, rows in groups]
    return tuple(sorted(models, key=lambda found: (not found.model, -found.rollouts, found.model)))


def _model(rows: Sequence[tuple[Any, ...]], requests: int) -> ModelStats:
    """From (model, name, licence, finish reason, rollouts, tokens), one for each finish reason."""
    model, name, licence = (text or "" for text in rows[0][:3])
    return ModelStats(
        model=model,
        name=name,
        licence=licence,
        requests=requests,
        rollouts=sum(row[4] for row in rows),
        completion_tokens=sum(row[5] for row in rows),
        finish_reasons={row[3]: row[4] for row in rows},
    )


def _run(connection: sqlite3.Connection, run_id: str) -> RunStats:
    used = connection.execute("SELECT COUNT(*) FROM uses WHERE run_id = ?", (run_id,)).fetchone()[0]
    return RunStats(run_id=run_id, requests_used=used, usage=progress_of(connection, run_id))
