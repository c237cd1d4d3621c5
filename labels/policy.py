"""What a label policy is, and what all of them share: checked options, and a name that says them.

A policy's name says its options, and its version grows when its answers change, so that two rows with equal
policy and version mean the same thing.
"""

from __future__ import annotations

from typing import Protocol, get_args

from steplabel.labels.estimates import Ending, UnknownAs
from steplabel.schemas import AfterError, ConfigError, LabelTarget
from steplabel.schemas.batches import EvidenceBatch, LabelBatch


class LabelPolicy(Protocol):
    """Labels from counts: a pure function with a name."""

    @property
    def name(self) -> str:
        """How rows call it."""
        ...

    @property
    def version(self) -> str:
        """Grows when equal counts give other labels."""
        ...

    @property
    def target(self) -> LabelTarget:
        """What its labels claim."""
        ...

    @property
    def after_error(self) -> AfterError:
        """What it does with the steps that follow the first error."""
        ...

    def __call__(self, batch: EvidenceBatch) -> LabelBatch:
        """Label all steps of the batch. Steps may be cut only from a solution's end."""
        ...


def check_options(after_error: AfterError, unknown_as: UnknownAs, ending: Ending) -> None:
    """Raise ConfigError for a word that is none of those allowed; their plain texts are allowed, too."""
    if after_error not in set(AfterError):
        raise ConfigError(f"after_error={after_error!r} must be one of {', '.join(AfterError)}")
    if unknown_as not in get_args(UnknownAs):
        raise ConfigError(f"unknown_as={unknown_as!r} must be one of {', '.join(get_args(UnknownAs))}")
    if ending not in set(Ending):
        raise ConfigError(f"ending={ending!r} must be one of {', '.join(Ending)}")


def check_share(value: float, *, field: str) -> None:
    """Raise ConfigError unless the threshold is at least 0 and below 1; NaN is neither."""
    if not 0.0 <= value < 1.0:
        raise ConfigError(f"{field}={value!r} must be at least 0 and below 1")


def option_words(after_error: AfterError, unknown_as: UnknownAs, ending: Ending) -> tuple[str, ...]:
    """The words that a name needs for the options that are not the usual ones."""
    return (
        "" if ending == Ending.MEASURED else f"{ending}_end",
        "" if after_error == AfterError.KEPT else str(after_error),
        "unanswered_wrong" if unknown_as == "wrong" else "",
    )


def joined(*words: str) -> str:
    """A policy's name from its words; empty ones are left out."""
    return "_".join(word for word in words if word)
