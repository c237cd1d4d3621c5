"""Where a run works: its options, its output folder locked and checked, its store and its engines."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock, Timeout

from steplabel.engines.budget import BudgetedSpec
from steplabel.engines.devices import check_workers
from steplabel.engines.lazy import LazyEngine
from steplabel.engines.port import EngineSpec, GenerateRequest
from steplabel.engines.store.rollout_store import REDACTION, StoredSpec
from steplabel.pipelines.recipe import USUAL_STEPS, Recipe, config_hash, describe
from steplabel.pipelines.runner import RunnerChoice
from steplabel.schemas import ConfigError, ModelIdentity, Problem, RunInfo, codec, content_id
from steplabel.schemas.arrow import TABLES, schema_fingerprint
from steplabel.schemas.named import named_function
from steplabel.transforms.dataset import PRIVATE, Manifest, OutputFolder
from steplabel.transforms.io import absolute, fingerprint
from steplabel.version import __version__

DEFAULT_CHUNK = 1000
STORE_NAME = "rollouts.sqlite"


@dataclass(frozen=True, slots=True, kw_only=True)
class RunOptions:
    """What a run reads and writes, and how far it may go. None of it changes a label, `redact` apart.

    Attributes:
        layout: `auto` or a name from `intake.READERS`.
        limit: problems to label at most, from the input's start; None for all.
        chunk: problems in one pipeline run and one commit: what may have to be done again after a kill.
        store: the rollout store's file; empty for one inside the output folder. Runs may share one.
        max_tokens, max_requests: budget of the whole run, over all its resumptions; None for no limit.
        shard_tokens: most tokens that one shard may cost, and hence what a lost worker may cost; None for one
            shard a worker, which keeps the engine fullest.
        max_reject_share: share of input rows that may be refused before the run counts as failed.
        redact: `module:function`, which hides in rollouts' texts what must not be stored; empty for none.
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
    shard_tokens: int | None = None
    max_reject_share: float = 0.9
    redact: str = ""

    def __post_init__(self) -> None:
        if not self.output.strip("/"):
            raise ConfigError(f"--output {self.output!r}: name a folder")
        for name in ("output", "store"):
            object.__setattr__(self, name, absolute(getattr(self, name)))
        if f"{self.output}/".startswith(f"{absolute(self.input)}/"):
            raise ConfigError(f"--output {self.output!r} lies in the input: the run would read what it writes")
        for name in ("limit", "chunk", "max_tokens", "max_requests", "shard_tokens"):
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
    account: str

    @classmethod
    def enter(cls, recipe: Recipe, options: RunOptions, stack: ExitStack) -> Worksite:
        """Lock the folder, check that it is new or this run's own, and clear what a kill left behind."""
        check_workers((recipe.policy, recipe.completer), options.runner.workers)
        if options.redact:
            named_function(options.redact, what=REDACTION)  # a wrong name ends here, before anything is written
        folder = OutputFolder(options.output)
        folder.require_free()
        asked, models = fingerprint(options.input), _models(recipe)
        if folder.is_local:
            stack.enter_context(locked(folder))
        manifest = folder.manifest() or _new_manifest(recipe, options, models, asked)
        info = _run_info(recipe, models, asked, redact=options.redact)
        _check_same_run(manifest, info, options)
        folder.write_manifest(manifest)
        folder.set_success(False)
        folder.sweep(manifest)
        store = _store_path(options, folder)
        return cls(recipe=recipe, options=options, folder=folder, store=store, info=info, account=manifest.account)

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
                run_id=self.account,
            )
        return StoredSpec(engine=limited, path=self.store, run_id=self.account, redact=self.options.redact)


def _run_info(recipe: Recipe, models: Sequence[ModelIdentity], asked: str, *, redact: str) -> RunInfo:
    hashed = config_hash(recipe)
    changes = [redact] if redact else []
    run_id = content_id("run", hashed, asked, [model.id for model in models], *changes)[:16]
    return RunInfo(run_id=run_id, recipe=recipe.name, code_version=__version__, config_hash=hashed)


def _new_manifest(recipe: Recipe, options: RunOptions, models: Sequence[ModelIdentity], asked: str) -> Manifest:
    info = _run_info(recipe, models, asked, redact=options.redact)
    return Manifest(
        run=info,
        config=codec.to_json(describe(recipe)).decode(),
        schemas=table_schemas(),
        licences={model.id: model.licence for model in models},
        completer=models[-1].id,
        account=content_id("account", info.run_id, options.output)[:16],  # two outputs of one run pay for themselves
        chunk_size=options.chunk,
    )


def table_schemas() -> dict[str, str]:
    """Fingerprint of every table's schema, as this program writes them."""
    return {name: schema_fingerprint(record) for name, record in TABLES.items()}


def _check_same_run(manifest: Manifest, info: RunInfo, options: RunOptions) -> None:
    path = options.output
    if manifest.run.run_id != info.run_id:
        raise ConfigError(
            f"{path!r} holds run {manifest.run.run_id} ({manifest.run.recipe}), this command is run {info.run_id} "
            f"({info.recipe}): input, model, recipe or a setting differs. Choose another --output, or delete the folder"
        )
    if manifest.chunk_size != options.chunk:
        raise ConfigError(f"{path!r} was begun with --chunk {manifest.chunk_size}, not {options.chunk}: keep it")
    if manifest.schemas != table_schemas():
        raise ConfigError(
            f"{path!r} was begun by a version with other tables ({manifest.run.code_version}): start anew"
        )


def _models(recipe: Recipe) -> tuple[ModelIdentity, ...]:
    """Policy and completer as they are now, read without loading weights where the engine can."""
    engines = {spec: LazyEngine(spec) for spec in (recipe.policy, recipe.completer)}
    try:
        identities = tuple(engines[spec].identity for spec in (recipe.policy, recipe.completer))
        _check_prefixes(recipe, engines[recipe.completer])
    finally:
        for engine in engines.values():
            asyncio.run(engine.close())
    return identities


def _check_prefixes(recipe: Recipe, completer: LazyEngine) -> None:
    """Raise ConfigError if the recipe asks about prefixes and the completer cannot be sent one.

    Every question would be refused, but only after all solutions are paid for.
    """
    if not recipe.annotator.most_samples(USUAL_STEPS):
        return
    prompt = recipe.prompt.prompt(Problem(id="any", text="1 + 1 = ?"))
    try:
        completer.render(GenerateRequest(prompt=prompt, prefix="1 + 1 ="))
    except ConfigError as error:
        raise ConfigError(
            f"recipe {recipe.name} asks how solutions go on, which its model cannot be asked: {error}"
        ) from error


def _store_path(options: RunOptions, folder: OutputFolder) -> str:
    if options.store:
        Path(options.store).parent.mkdir(parents=True, exist_ok=True)
        return options.store
    if not folder.is_local:
        raise ConfigError(f"output {options.output!r} is not on this machine: say where the rollouts go with --store")
    path = Path(options.output, PRIVATE, STORE_NAME)
    path.parent.mkdir(parents=True, exist_ok=True)
    return str(path)


def require_apart(source: OutputFolder, target: OutputFolder) -> None:
    """Raise ConfigError if one of two datasets lies in the other's folder."""
    here, there = f"{absolute(target.path)}/", f"{absolute(source.path)}/"
    if here != there and (here.startswith(there) or there.startswith(here)):
        raise ConfigError(f"--output {target.path!r} and {source.path!r}: one lies in the other, choose another")


def locked(folder: OutputFolder) -> AbstractContextManager[object]:
    """Hold the folder for this process. Raises ConfigError if another one holds it."""
    path = Path(folder.path, PRIVATE)
    path.mkdir(parents=True, exist_ok=True)
    lock = FileLock(path / "lock", timeout=0)
    try:
        return lock.acquire()
    except Timeout as error:
        raise ConfigError(f"another steplabel process is at work in {folder.path!r}: wait for it") from error
