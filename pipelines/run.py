"""A run: chunk after chunk, each one pipeline and one commit, until the input or the budget ends.

Killed at any moment, the same command goes on: committed chunks are skipped, the interrupted one is done again,
and the rollout store answers what was asked before.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import apache_beam as beam
from apache_beam.options.pipeline_options import PipelineOptions
from filelock import FileLock, Timeout
from rich.console import Console

from steplabel.engines.budget import BudgetedSpec
from steplabel.engines.port import EngineSpec
from steplabel.engines.progress import StoreProgress, read_progress
from steplabel.engines.store import StoredSpec
from steplabel.pipelines.card import write_card
from steplabel.pipelines.graph import ChunkJob, build
from steplabel.pipelines.progress import RunProgress
from steplabel.pipelines.recipe import Recipe, config_hash, describe
from steplabel.pipelines.runner import RunnerChoice, beam_options, original_error
from steplabel.schemas import ConfigError, DataError, Evidence, Reject, RunInfo, codec, content_id
from steplabel.schemas.arrow import TABLES, schema_fingerprint
from steplabel.transforms.commit import ChunkName
from steplabel.transforms.dataset import PRIVATE, Manifest, OutputFolder
from steplabel.transforms.host import close_engine_host, engine_host
from steplabel.transforms.intake import Intake
from steplabel.transforms.io import absolute, fingerprint, read_rows
from steplabel.version import __version__

DEFAULT_CHUNK = 1000
STORE_NAME = "rollouts.sqlite"


@dataclass(frozen=True, slots=True, kw_only=True)
class RunOptions:
    """What a run reads and writes, and how far it may go. None of it changes a label.

    Attributes:
        layout: `auto` or a name from `intake.READERS`.
        limit: problems to label at most, from the input's start; None for all.
        chunk: problems in one pipeline run and one commit: what may have to be done again after a kill.
        store: the rollout store's file; empty for one inside the output folder. Runs may share one.
        max_tokens, max_requests: budget of the whole run, over all its resumptions; None for no limit.
        max_reject_share: share of input rows that may be refused before the run counts as failed.
    """

    input: str
    output: str
    layout: str = "auto"
    limit: int | None = None
    chunk: int = DEFAULT_CHUNK
    store: str = ""
    runner: RunnerChoice = RunnerChoice()
    max_tokens: int | None = None
    max_requests: int | None = None
    max_reject_share: float = 0.9

    def __post_init__(self) -> None:
        for name in ("output", "store"):
            object.__setattr__(self, name, absolute(getattr(self, name)))
        for name in ("limit", "chunk", "max_tokens", "max_requests"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise ConfigError(f"--{name.replace('_', '-')} {value}: must be at least 1")


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
        worksite = _Worksite.enter(recipe, options, stack)
        beam_flags = stack.enter_context(beam_options(options.runner))
        total = _count(options)
        progress = RunProgress(
            store=worksite.store, run_id=worksite.info.run_id, total=total, console=console
        )
        with progress.shown():
            rows, refused, complete = _run_chunks(worksite, beam_flags, progress)
    usage = read_progress(worksite.store, worksite.info.run_id)
    worksite.folder.set_success(complete)
    if rows and refused / rows > options.max_reject_share:
        raise DataError(
            f"{refused} of {rows} input rows were refused, more than --max-reject-share {options.max_reject_share}: "
            f"their reasons are in {worksite.folder.join('rejects')}"
        )
    return RunResult(folder=worksite.folder, complete=complete, seconds=time.monotonic() - start, usage=usage)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Worksite:
    """The output folder, locked and ready, and the identity of what is done in it."""

    recipe: Recipe
    options: RunOptions
    folder: OutputFolder
    store: str
    info: RunInfo

    @classmethod
    def enter(cls, recipe: Recipe, options: RunOptions, stack: ExitStack) -> _Worksite:
        """Lock the folder, check that it is new or this run's own, and clear what a kill left behind."""
        folder = OutputFolder(options.output)
        hashed = config_hash(recipe)
        run_id = content_id("run", hashed, fingerprint(options.input))[:16]
        info = RunInfo(run_id=run_id, recipe=recipe.name, code_version=__version__, config_hash=hashed)
        site = cls(
            recipe=recipe, options=options, folder=folder, store=_store_path(options, folder), info=info
        )
        if folder.is_local:
            stack.enter_context(_locked(folder))
        site._prepare()
        return site

    def _prepare(self) -> None:
        manifest = self.folder.manifest()
        models = [engine_host().engine(spec).identity for spec in self.engines()]
        if manifest is None:
            manifest = Manifest(
                run=self.info,
                config=codec.to_json(describe(self.recipe)).decode(),
                schemas={name: schema_fingerprint(record) for name, record in TABLES.items()},
                licences={model.id: model.licence for model in models},
                completer=models[-1].id,
                chunk_size=self.options.chunk,
            )
            self.folder.write_manifest(manifest)
        self._check(manifest)
        self.folder.set_success(False)
        self.folder.sweep(manifest)

    def _check(self, manifest: Manifest) -> None:
        if manifest.run.run_id != self.info.run_id:
            raise ConfigError(
                f"{self.folder.path!r} holds run {manifest.run.run_id} ({manifest.run.recipe}), this command is run "
                f"{self.info.run_id} ({self.info.recipe}): input, recipe or a setting differs. "
                "Choose another --output, or delete the folder"
            )
        if manifest.chunk_size != self.options.chunk:
            raise ConfigError(
                f"{self.folder.path!r} was begun with --chunk {manifest.chunk_size}, not {self.options.chunk}: "
                "go on with the same"
            )

    def engines(self) -> tuple[EngineSpec, EngineSpec]:
        """Policy and completer behind the budget and the store."""
        policy, completer = self.recipe.policy, self.recipe.completer
        return self._stored(policy), self._stored(completer)

    def _stored(self, engine: EngineSpec) -> EngineSpec:
        limited: EngineSpec = engine
        if self.options.max_tokens or self.options.max_requests:
            limited = BudgetedSpec(
                engine=engine,
                max_tokens=self.options.max_tokens,
                max_requests=self.options.max_requests,
                store=self.store,
                run_id=self.info.run_id,
            )
        return StoredSpec(engine=limited, path=self.store, run_id=self.info.run_id)


def _store_path(options: RunOptions, folder: OutputFolder) -> str:
    if options.store:
        Path(options.store).parent.mkdir(parents=True, exist_ok=True)
        return options.store
    if not folder.is_local:
        raise ConfigError(
            f"output {options.output!r} is not on this machine: say where the rollouts go with --store"
        )
    path = Path(options.output, PRIVATE, STORE_NAME)
    path.parent.mkdir(parents=True, exist_ok=True)
    return str(path)


def _locked(folder: OutputFolder) -> FileLock:
    path = Path(folder.path, PRIVATE)
    path.mkdir(parents=True, exist_ok=True)
    lock = FileLock(path / "lock", timeout=0)
    try:
        lock.acquire()
    except Timeout as error:
        raise ConfigError(f"another steplabel process is at work in {folder.path!r}: wait for it") from error
    return lock


def _count(options: RunOptions) -> int:
    """Rows of the input, as far as they are wanted: what the progress bar counts towards."""
    rows = sum(1 for _ in read_rows(options.input))
    return rows if options.limit is None else min(rows, options.limit)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Chunk:
    """Problems in the order of the input, and what was refused among them."""

    index: int
    problems: tuple[Evidence, ...]
    refused: tuple[Reject, ...]

    @property
    def name(self) -> ChunkName:
        key = content_id("chunk", self.problems, self.refused)
        return ChunkName(index=self.index, key=key)


def _chunks(recipe: Recipe, options: RunOptions) -> Iterator[_Chunk]:
    intake = Intake(layout=options.layout, segmenter=recipe.segmenter)
    records = intake.read(read_rows(options.input))
    left, index = options.limit, 0
    while batch := list(islice(records, options.chunk if left is None else min(options.chunk, left))):
        problems = tuple(r for r in batch if isinstance(r, Evidence))
        refused = tuple(r for r in batch if isinstance(r, Reject))
        yield _Chunk(index=index, problems=problems, refused=refused)
        left = None if left is None else left - len(batch)
        index += 1


def _run_chunks(site: _Worksite, flags: PipelineOptions, progress: RunProgress) -> tuple[int, int, bool]:
    """Rows read, rows refused, and whether everything is done."""
    rows = refused = 0
    complete = True
    for chunk in _chunks(site.recipe, site.options):
        rows += len(chunk.problems) + len(chunk.refused)
        refused += len(chunk.refused)
        if not _is_done(site, chunk.name):
            _run_chunk(site, chunk, flags)
            complete &= _is_done(site, chunk.name)
            write_card(site.folder)
        progress.committed(rows)
        if _budget_spent(site):
            return rows, refused, False
    return rows, refused, complete


def _budget_spent(site: _Worksite) -> bool:
    usage, options = read_progress(site.store, site.info.run_id), site.options
    limits = ((options.max_tokens, usage.completion_tokens), (options.max_requests, usage.engine_requests))
    return any(limit is not None and used >= limit for limit, used in limits)


def _is_done(site: _Worksite, name: ChunkName) -> bool:
    entry = site.folder.require_manifest().chunk(name.index)
    return entry is not None and entry.key == name.key and entry.complete


def _run_chunk(site: _Worksite, chunk: _Chunk, flags: PipelineOptions) -> None:
    policy, completer = site.engines()
    site.folder.stage(chunk.index)
    job = ChunkJob(
        recipe=site.recipe,
        policy=policy,
        completer=completer,
        run=site.info,
        completer_licence=engine_host().engine(completer).identity.licence,
        folder=site.folder,
        chunk=chunk.name,
        shards=site.options.runner.workers,
    )
    try:
        with beam.Pipeline(options=flags) as pipeline:
            build(pipeline, job, chunk.problems, chunk.refused)
    except RuntimeError as error:
        raise original_error(error) from error
