"""Open a model only when it is asked for something: replay from a store must load no weights.

Identity and rendering need the model's files and its tokenizer, never its weights. A spec that can give them
apart has a `preview()`; `LazyEngine` answers from it and opens the engine itself at the first `generate`.
"""

from __future__ import annotations

import asyncio
import gc
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Protocol, TypeVar, runtime_checkable

from steplabel.engines.port import Completions, Engine, EngineSpec, GenerateRequest, RenderedPrompt
from steplabel.schemas import ConfigError, EngineClosed, ModelIdentity, ModelLoadError

T = TypeVar("T")


class EnginePreview(Protocol):
    """What can be known of an engine before its weights are loaded: equal to what the open engine says."""

    @property
    def identity(self) -> ModelIdentity:
        """As `Engine.identity`."""
        ...

    def render(self, request: GenerateRequest) -> RenderedPrompt:
        """As `Engine.render`."""
        ...


@runtime_checkable
class PreviewableSpec(Protocol):
    """An `EngineSpec` that can be previewed."""

    def open(self) -> Engine:
        """As `EngineSpec.open`."""
        ...

    def preview(self) -> EnginePreview | None:
        """Cheap: reads files, loads no weights. None where it turns out that only opening can tell."""
        ...


def preview_of(spec: EngineSpec) -> EnginePreview | None:
    """The spec's preview, or None if only the open engine can tell."""
    return spec.preview() if isinstance(spec, PreviewableSpec) else None


class LazyEngine:
    """The engine of `spec`, opened at the first sample wanted. Without a preview, at the first question.

    Opening takes place off the event loop, once, however many requests wait for it.
    """

    def __init__(self, spec: EngineSpec) -> None:
        self._spec = spec
        self._lock = threading.Lock()
        self._preview: EnginePreview | None = None
        self._engine: Engine | None = None
        self._failure: ModelLoadError | None = None
        self._closed = False

    @property
    def identity(self) -> ModelIdentity:
        """From the preview."""
        return self._known().identity

    @property
    def opened(self) -> bool:
        """Whether the model was loaded."""
        return self._engine is not None

    def render(self, request: GenerateRequest) -> RenderedPrompt:
        """From the preview."""
        return self._known().render(request)

    async def generate(self, request: GenerateRequest) -> Completions:
        """Open the engine if need be, and ask it.

        Raises:
            ModelLoadError: it cannot be opened, now or at an earlier request, or it is not what the preview said:
                its files changed in between.
            EngineClosed: after `close`.
        """
        engine = self._engine
        if engine is None or self._closed:
            engine = await asyncio.to_thread(self._open)
        return await engine.generate(request)

    async def close(self) -> None:
        """Close the engine if it was opened; waits for an opening under way."""
        self._closed = True
        engine = await asyncio.to_thread(self._opened_so_far)
        if engine is not None:
            gc.unfreeze()
            await engine.close()

    def _known(self) -> EnginePreview:
        # No lock: it is held while a model loads, and this runs on the event loop. Two previews do no harm.
        if self._failure is not None:
            raise self._failure
        if self._preview is None:
            self._preview = self._engine or self._remembering(partial(_previewed, self._spec)) or self._open()
        return self._preview

    def _open(self) -> Engine:
        with self._lock:
            if self._closed:
                raise EngineClosed("the engine was closed before it was opened")
            if self._failure is not None:
                raise self._failure
            if self._engine is None:
                self._engine = self._remembering(lambda: self._checked(_open_model(self._spec)))
            return self._engine

    def _remembering(self, attempt: Callable[[], T]) -> T:
        """Try it. What failed once is not tried again: a thousand requests must not wait for a minute each."""
        try:
            return attempt()
        except ModelLoadError as error:
            self._failure = error
            raise

    def _checked(self, engine: Engine) -> Engine:
        if self._preview is not None and self._preview.identity != engine.identity:
            raise ModelLoadError(
                f"the model changed while it was in use: {self._preview.identity} was announced, "
                f"{engine.identity} was opened; start the run again"
            )
        return engine

    def _opened_so_far(self) -> Engine | None:
        with self._lock:
            return self._engine


def _open_model(spec: EngineSpec) -> Engine:
    with _load_errors():
        engine = spec.open()
    _spare_from_collector()
    return engine


def _spare_from_collector() -> None:
    """Take what lives now off the garbage collector's rounds, until the engine is closed.

    A model's libraries leave some hundred thousand objects behind. A full collection looks at each of them, a third
    of a second in which no thread runs Python, and the more often the more samples a run holds.
    """
    gc.freeze()


def _previewed(spec: EngineSpec) -> EnginePreview | None:
    with _load_errors():
        return preview_of(spec)


@contextmanager
def _load_errors() -> Iterator[None]:
    """Make a ModelLoadError of whatever is raised: every later request would meet the same."""
    try:
        yield
    except ModelLoadError:
        raise
    except ConfigError as error:
        raise ModelLoadError(str(error)) from error
    except Exception as error:  # a model's libraries, and its own code, raise all kinds
        raise ModelLoadError(
            f"the model cannot be opened: {type(error).__name__}: {error}; `steplabel doctor` looks at what is "
            "installed, and --engine-set changes what the engine is told (device, dtype, ...)"
        ) from error
