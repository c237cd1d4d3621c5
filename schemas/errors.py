"""The error tree. Its first level says whose fault it was, so that a caller knows whom to tell.

    SteplabelError
    +-- ConfigError            the user asked for something that cannot work: fix the command
    |   +-- MissingExtra       an optional dependency is not installed
    |   +-- ModelLoadError     a model cannot be opened: every request would fail in the same way
    +-- DataError              a row or file is bad: it becomes a Reject, the run goes on
    |   +-- NothingLabelled    a whole run produced no labelled row: never a silent success
    +-- EngineError            the model or its server failed: the answer is unknown, ask again
    |   +-- EngineClosed       a request came after close()
    +-- StoreError             the rollout store is damaged, locked, full or of another version
    +-- BudgetExhausted        a stated budget is spent: keep what there is and stop cleanly

A *wrong answer* is never an exception, and an exception is never a wrong answer: what fails here
becomes `unknown` with a reason.
"""

from __future__ import annotations


class SteplabelError(Exception):
    """Base of every error this package raises on purpose."""


class ConfigError(SteplabelError):
    """The configuration cannot work; the message names the offending values and what to do."""


class MissingExtra(ConfigError):  # noqa: N818 - says what happened
    """An optional dependency is needed: the message says which extra to install."""

    def __init__(self, *, feature: str, extra: str) -> None:
        super().__init__(f"{feature} needs an optional dependency: pip install 'steplabel[{extra}]'")


class ModelLoadError(ConfigError):
    """A model cannot be opened. Unlike a request that one engine cannot serve, this ends the run."""


class DataError(SteplabelError):
    """One row, file or text does not say what its format promises."""


class NothingLabelled(DataError):  # noqa: N818 - says what happened
    """The run ended without a single labelled row; the message says where the rows went."""


class EngineError(SteplabelError):
    """The model, or the server in front of it, failed to answer. Says nothing about the solution."""


class EngineClosed(EngineError):  # noqa: N818 - says what happened
    """A request reached an engine after `close()`."""


class StoreError(SteplabelError):
    """The rollout store cannot be trusted or written; nothing in it was used silently."""


class BudgetExhausted(SteplabelError):  # noqa: N818 - says what happened
    """The run's token or request budget is spent; evidence gathered so far stays valid."""
