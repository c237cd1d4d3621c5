"""A recipe: everything that decides what a run does, in one frozen record."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

from steplabel.annotators.annotation import Annotator
from steplabel.annotators.question_filter import QuestionFilter
from steplabel.engines.port import EngineSpec
from steplabel.labels.policies import LabelPolicy
from steplabel.schemas import ConfigError, SamplingParams, content_id
from steplabel.schemas.segmentation import Segmenter
from steplabel.transforms.prompts import PromptTemplate
from steplabel.verifiers import AnswerChecker


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """How problems become step labels.

    Attributes:
        name: what it reproduces, e.g. `math_shepherd`.
        policy: writes the solutions; `policy_sampling` says how.
        completer: continues prefixes; how is the annotator's business.
        solutions: sampled for each problem that brings none.
        question_filter: which problems are worth rollouts; None keeps all.
        labels: the policy that turns evidence into labels; `steplabel relabel` applies others for free.
        seed: every random draw of the run derives from it.
        in_flight: problems or solutions worked on at once in each process. Changes speed, never labels.
    """

    name: str
    policy: EngineSpec
    completer: EngineSpec
    annotator: Annotator
    labels: LabelPolicy
    segmenter: Segmenter
    policy_sampling: SamplingParams
    prompt: PromptTemplate = PromptTemplate()
    checker: AnswerChecker = AnswerChecker()
    question_filter: QuestionFilter | None = QuestionFilter()
    solutions: int = 4
    seed: int = 0
    in_flight: int = 256

    def __post_init__(self) -> None:
        if self.solutions < 1 or self.in_flight < 1:
            raise ConfigError(
                f"recipe {self.name}: solutions={self.solutions} and in_flight={self.in_flight} must be at least 1"
            )


UNHASHED = frozenset({"in_flight"})
"""Fields that change speed alone: a run may be resumed with others."""


def describe(value: Any) -> Any:
    """A configuration as plain values, every record with its type, so that it can be saved, shown and hashed."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        spoken = {name: getattr(value, name) for name in ("name", "version") if hasattr(value, name)}
        fields = {f.name: describe(getattr(value, f.name)) for f in dataclasses.fields(value)}
        return {"type": type(value).__name__, **spoken, **fields}
    if isinstance(value, Mapping):
        return {str(key): describe(item) for key, item in value.items()}
    if isinstance(value, (tuple, list)):
        return [describe(item) for item in value]
    if isinstance(value, Enum):
        return value.value
    return value


def config_hash(recipe: Recipe) -> str:
    """Content id of all that may change a label."""
    plain = {name: value for name, value in describe(recipe).items() if name not in UNHASHED}
    return content_id("config", plain)


def field_paths(config: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Every field that can be set, as `path.to.field`, with its value."""
    for field in dataclasses.fields(config):
        value = getattr(config, field.name)
        if dataclasses.is_dataclass(value):
            yield from field_paths(value, f"{path}{field.name}.")
        else:
            yield f"{path}{field.name}", value
