"""A run: chunk after chunk, each one pipeline and one commit, until the input or the budget ends.

Killed at any moment, the same command goes on: committed chunks are skipped, the interrupted one is done again,
and the rollout store answers what was asked before.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import islice

import apache_beam as beam
from rich.console import Console

from steplabel.engines.store.progress import StoreProgress, read_progress
from steplabel.pipelines.card import write_card
from steplabel.pipelines.graph import ChunkJob, build
from steplabel.pipelines.progress import RunProgress
from steplabel.pipelines.recipe import Recipe
from steplabel.pipelines.runner import beam_pipelines, original_error
from steplabel.pipelines.worksite import RunOptions, Worksite
from steplabel.schemas import ConfigError, DataError, Evidence, Reject, content_id
from steplabel.transforms.dataset import ChunkName, OutputFolder
from steplabel.transforms.host import close_engine_host, engine_host
from steplabel.transforms.intake import Intake
from steplabel.transforms.io import read_rows
from steplabel.transforms.shards import shard_count


@dataclass(frozen=True, slots=True, kw_only=True)
class RunResult:
    """How a run ended; everything else is read from the dataset.

    Attributes:
        complete: every chunk is committed and nothing is left to be asked again.
        usage: what the engines did for this run, over all its resumptions.
    """

    folder: OutputFolder
    complete: bool
    seconds: float
    usage: StoreProgress


def run(recipe: Recipe, options: RunOptions, console: Console) -> RunResult:
    """Label the input into the output folder.

    Raises:
        ConfigError: nothing to read, an output folder of another run, or another process at work in it.
        DataError: more input rows were refused than `max_reject_share` allows; all good ones are labelled.
        StoreError: the rollout store is damaged or full.
    """
    start = time.monotonic()
    with ExitStack() as stack:
        stack.callback(close_engine_host)
        worksite = Worksite.enter(recipe, options, stack)
        pipelines = stack.enter_context(beam_pipelines(options.runner, (recipe.policy, recipe.completer)))
        total = _count(options)
        progress = RunProgress(store=worksite.store, run_id=worksite.account, total=total, console=console)
        with progress.shown():
            rows, refused, complete = _run_chunks(worksite, pipelines, progress)
    usage = read_progress(worksite.store, worksite.account)
    write_card(worksite.folder)  # again: a kill between a commit and its card leaves an old one behind
    worksite.folder.set_success(complete and worksite.folder.require_manifest().rows()["labels"] > 0)
    if rows and refused / rows > options.max_reject_share:
        raise DataError(
            f"{refused} of {rows} input rows were refused, more than --max-reject-share {options.max_reject_share}: "
            f"their reasons are in {worksite.folder.join('rejects')}"
        )
    return RunResult(folder=worksite.folder, complete=complete, seconds=time.monotonic() - start, usage=usage)


def _count(options: RunOptions) -> int:
    """Rows of the input, as far as they are wanted: what the progress bar counts towards."""
    return sum(1 for _ in islice(read_rows(options.input), options.limit))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Chunk:
    """Problems in the order of the input, and what was refused among them."""

    name: ChunkName
    problems: tuple[Evidence, ...]
    refused: tuple[Reject, ...]


def _chunks(recipe: Recipe, options: RunOptions) -> Iterator[_Chunk]:
    intake = Intake(layout=options.layout, segmenter=recipe.segmenter)
    records = intake.read(read_rows(options.input))
    left, index = options.limit, 0
    while batch := list(islice(records, options.chunk if left is None else min(options.chunk, left))):
        problems = tuple(r for r in batch if isinstance(r, Evidence))
        refused = tuple(r for r in batch if isinstance(r, Reject))
        name = ChunkName(index=index, key=content_id("chunk", problems, refused), rows=len(batch))
        yield _Chunk(name=name, problems=problems, refused=refused)
        left = None if left is None else left - len(batch)
        index += 1


def _run_chunks(site: Worksite, pipelines: Callable[[], beam.Pipeline], progress: RunProgress) -> tuple[int, int, bool]:
    """Rows read, rows refused, and whether everything is done."""
    rows = refused = after = 0
    complete, spent = True, False
    for chunk in _chunks(site.recipe, site.options):
        after = chunk.name.index + 1
        _check_not_shrunk(site, chunk.name)
        done = _is_done(site, chunk.name)
        if spent and not done:
            return rows, refused, False
        rows += len(chunk.problems) + len(chunk.refused)
        refused += len(chunk.refused)
        if not done:
            spent = _label_chunk(site, chunk, pipelines)
            complete &= _is_done(site, chunk.name)
        progress.committed(rows)
    _check_not_shrunk(site, ChunkName(index=after, key="", rows=0))
    return rows, refused, complete


def _label_chunk(site: Worksite, chunk: _Chunk, pipelines: Callable[[], beam.Pipeline]) -> bool:
    """Commit the chunk; returns whether the budget ended with it.

    It has not where the store answered the whole chunk: that may know what the next ones ask, too.
    """
    before = read_progress(site.store, site.account)
    _run_chunk(site, chunk, pipelines)
    write_card(site.folder)
    usage = read_progress(site.store, site.account)
    asked = usage.engine_requests > before.engine_requests
    return _is_spent(site.options, usage) and (asked or not _is_done(site, chunk.name))


def _check_not_shrunk(site: Worksite, name: ChunkName) -> None:
    """Raise ConfigError if more rows are committed here than are asked for now: they would mix with these."""
    held = site.folder.require_manifest().chunk(name.index)
    if held is not None and held.name.rows > name.rows:
        raise ConfigError(f"{site.folder.path!r} holds more rows than --limit asks for: choose another --output")


def _is_spent(options: RunOptions, usage: StoreProgress) -> bool:
    limits = ((options.max_tokens, usage.completion_tokens), (options.max_requests, usage.engine_requests))
    return any(limit is not None and used >= limit for limit, used in limits)


def _is_done(site: Worksite, name: ChunkName) -> bool:
    entry = site.folder.require_manifest().chunk(name.index)
    return entry is not None and entry.name == name and entry.complete


def _run_chunk(site: Worksite, chunk: _Chunk, pipelines: Callable[[], beam.Pipeline]) -> None:
    policy, completer = site.engines()
    site.folder.stage(chunk.name.index)
    job = ChunkJob(
        recipe=site.recipe,
        policy=policy,
        completer=completer,
        run=site.info,
        completer_licence=engine_host().engine(completer).identity.licence,
        folder=site.folder,
        chunk=chunk.name,
        shards=shard_count(
            len(chunk.problems),
            workers=site.options.runner.workers,
            tokens_each=site.recipe.most_tokens,
            budget=site.options.shard_tokens,
        ),
    )
    try:
        with pipelines() as pipeline:
            build(pipeline, job, chunk.problems, chunk.refused)
    except RuntimeError as error:
        raise original_error(error) from error
