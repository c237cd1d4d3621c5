"""Rollouts out of a store as records, and records into a store.

Nothing that comes from outside is believed: records check themselves, checksums are made anew, and a key that the store
has already keeps the rollout it has.
"""

from __future__ import annotations

import sqlite3
from array import array
from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Final

from steplabel.engines.store.commit import insert
from steplabel.engines.store.file import open_for_writing, reading, store_errors, transaction
from steplabel.engines.store.rows import Row, real, with_checksum
from steplabel.engines.store.scan import Found, RequestReader, scan_rollouts, structure_problems
from steplabel.engines.store.stats import known_runs
from steplabel.schemas import ConfigError, DataError, ExportedRollout, FinishReason, SamplingParams, codec

BATCH: Final = 500  # rollouts in one transaction of an import: a kill costs no more, and others get their turn


@dataclass(frozen=True, slots=True, kw_only=True)
class Unreadable:
    """A rollout that is in the store and cannot be handed out. `name` is its key where that is known."""

    name: str
    problem: str


def exported_rollouts(path: Path, run_id: str | None = None) -> Iterator[ExportedRollout | Unreadable]:
    """Stream every rollout, or those of the requests that a run used, in the order of their arrival.

    Raises:
        ConfigError: the store does not know what the run used.
        StoreError: there is no store, or it cannot be read at all.
    """
    with reading(path) as connection:
        if run_id is not None:
            _require_uses(connection, run_id)
        for problem in structure_problems(connection, indexes=False):
            yield Unreadable(name="the file", problem=problem)
        requests = RequestReader(connection)
        for found in scan_rollouts(connection, run_id):
            yield _exported(found, requests)


def import_rollouts(path: Path, rollouts: Iterable[ExportedRollout]) -> Iterator[tuple[int, int]]:
    """Put rollouts into a store, creating it where there is none; yields (new, there already) after each commit.

    Raises:
        StoreError: the store cannot be written; what was committed before stays.
    """
    remaining = iter(rollouts)
    batch = list(islice(remaining, BATCH))  # before the store is made: where there is nothing to read, none is
    with closing(open_for_writing(path)) as connection:
        while batch:
            requests = {row[0]: row for row in map(_request_row, batch) if row is not None}
            with store_errors(path), transaction(connection):
                new = insert(connection, requests, [_row(rollout) for rollout in batch])
            yield new, len(batch) - new
            batch = list(islice(remaining, BATCH))


def _require_uses(connection: sqlite3.Connection, run_id: str) -> None:
    if connection.execute("SELECT 1 FROM uses WHERE run_id = ? LIMIT 1", (run_id,)).fetchone():
        return
    if run_id not in known_runs(connection):
        raise ConfigError(f"the store knows no run {run_id!r}: `steplabel store stats` lists the runs")
    raise ConfigError(
        f"the store does not know what run {run_id!r} used, because that was in an older version: repeat the run on "
        "this store, which asks no model again, or export without --run"
    )


def _exported(found: Found, requests: RequestReader) -> ExportedRollout | Unreadable:
    if found.row is None or found.problem:
        return Unreadable(name=found.name, problem=found.problem)
    request = requests.of(found.row)
    if request.problem:
        return Unreadable(name=found.name, problem=request.problem)
    try:
        return _record(found.row, request.row).sealed()
    except (DataError, ConfigError, ValueError) as error:
        return Unreadable(name=found.name, problem=f"no rollout that can be published: {error}")


def _record(row: Row, request: Row | None) -> ExportedRollout:
    key, text, finish, ids, completion_tokens, prompt_tokens, cached, logprob, prompt_logprob, _, index, _ = row
    own = ExportedRollout(
        key=key.hex(),
        text=text,
        finish_reason=FinishReason(finish),
        prompt_tokens=prompt_tokens,
        completion_tokens=completion_tokens,
        cached_tokens=cached,
        token_ids=tuple(array("i", ids)),
        cumulative_logprob=logprob,
        prompt_logprob=prompt_logprob,
    )
    if request is None:
        return own
    key, model, name, licence, prompt, sampling, seed, _ = request
    return replace(
        own,
        request=key.hex(),
        model=model,
        model_name=name,
        model_licence=licence,
        prompt=prompt,
        sampling=codec.from_json(sampling, SamplingParams),
        seed=seed,
        index=index,
    )


def _request_row(rollout: ExportedRollout) -> Row | None:
    if not rollout.request:
        return None
    return with_checksum(
        (
            bytes.fromhex(rollout.request),
            rollout.model,
            rollout.model_name,
            rollout.model_licence,
            rollout.prompt,
            codec.to_json(rollout.sampling).decode(),
            rollout.seed,
        )
    )


def _row(rollout: ExportedRollout) -> Row:
    return with_checksum(
        (
            bytes.fromhex(rollout.key),
            rollout.text,
            rollout.finish_reason.value,
            array("i", rollout.token_ids).tobytes(),
            rollout.completion_tokens,
            rollout.prompt_tokens,
            rollout.cached_tokens,
            real(rollout.cumulative_logprob),
            real(rollout.prompt_logprob),
            bytes.fromhex(rollout.request) or None,
            rollout.index,
        )
    )
