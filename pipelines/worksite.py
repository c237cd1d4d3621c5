"""Where a run works: its options, its output folder locked and checked, its store and its engines."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock, Timeout

from steplabel.engines.budget import BudgetedSpec
from steplabel.engines.lazy import LazyEngine
from steplabel.engines.port import EngineSpec
from steplabel.engines.store import StoredSpec
from steplabel.pipelines.recipe import Recipe, config_hash, describe
from steplabel.pipelines.runner import RunnerChoice
from steplabel.schemas import ConfigError, ModelIdentity, RunInfo, codec, content_id
from steplabel.schemas.arrow import TABLES, schema_fingerprint
from steplabel.transforms.dataset import PRIVATE, Manifest, OutputFolder
from steplabel.transforms.io import absolute, fingerprint
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
class Worksite:
    """The output folder, locked and ready, and the identity of what is done in it."""

    recipe: Recipe
    options: RunOptions
    folder: OutputFolder
    store: str
    info: RunInfo

    @classmethod
    def enter(cls, recipe: Recipe, options: RunOptions, stack: ExitStack) -> Worksite:
        """Lock the folder, check that it is new or this run's own, and clear what a kill left behind."""
        folder = OutputFolder(options.output)
        hashed, models = config_hash(recipe), _identities(recipe)
        asked = content_id("run", hashed, fingerprint(options.input), [model.id for model in models])
        info = RunInfo(run_id=asked[:16], recipe=recipe.name, code_version=__version__, config_hash=hashed)
        site = cls(recipe=recipe, options=options, folder=folder, store=_store_path(options, folder), info=info)
        if folder.is_local:
            stack.enter_context(_locked(folder))
        site._prepare(models)
        return site

    def _prepare(self, models: Sequence[ModelIdentity]) -> None:
        manifest = self.folder.manifest()
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


def _identities(recipe: Recipe) -> tuple[ModelIdentity, ...]:
    """Policy and completer as they are now, read without loading weights where the engine can."""
    return tuple(LazyEngine(spec).identity for spec in (recipe.policy, recipe.completer))


def _store_path(options: RunOptions, folder: OutputFolder) -> str:
    if options.store:
        Path(options.store).parent.mkdir(parents=True, exist_ok=True)
        return options.store
    if not folder.is_local:
        raise ConfigError(f"output {options.output!r} is not on this machine: say where the rollouts go with --store")
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
