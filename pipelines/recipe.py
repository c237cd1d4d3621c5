"""A recipe: everything that decides what a run does, in one frozen record."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum
from types import MappingProxyType
from typing import Any, Final

from steplabel.annotators.annotation import Annotator, ProblemAnnotator
from steplabel.annotators.asking.rollout_plan import RolloutPlan
from steplabel.annotators.question_filter import QuestionFilter
from steplabel.annotators.steps.answer_probe import AnswerProbe
from steplabel.engines.port import SPEED_ONLY, EngineSpec
from steplabel.labels.counting import RolloutCounts, counting_of
from steplabel.labels.policies import LabelPolicy, reads_shares
from steplabel.schemas import ConfigError, SamplingParams, content_id
from steplabel.schemas.segmentation import Segmenter
from steplabel.transforms.prompts import PromptTemplate
from steplabel.verifiers import AnswerChecker
from steplabel.verifiers.registry import AnyVerifier, checked_verifier, is_verifier

USUAL_STEPS: Final = 16
"""All solutions of ProcessBench's GSM8K part have no more, and 98 of 100 of the first 500 of its MATH part."""

NO_PART_IF_EMPTY: Final = MappingProxyType({"no_part_if_empty": True})
"""Marks a field that is no part of a run's identity while it is empty: what was begun before there was one goes on."""


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
        verifiers: what else is said of the steps of problems that are worth rollouts, without a model: it goes into the
            table of observations.
        in_flight: problems or solutions worked on at once in each process. Changes speed, never labels.

    Raises:
        ConfigError: a number out of its range, two verifiers of one name, or labels that cannot use what the annotator
            pays for: they count the answers to another probe, or read shares of rollouts that end at the first right
            one.
    """

    name: str
    policy: EngineSpec
    completer: EngineSpec
    annotator: Annotator | ProblemAnnotator
    labels: LabelPolicy
    segmenter: Segmenter
    policy_sampling: SamplingParams
    prompt: PromptTemplate = PromptTemplate()
    checker: AnswerChecker = AnswerChecker()
    question_filter: QuestionFilter | None = QuestionFilter()
    solutions: int = 4
    seed: int = 0
    verifiers: tuple[AnyVerifier, ...] = field(default=(), metadata=NO_PART_IF_EMPTY)
    in_flight: int = field(default=256, metadata=SPEED_ONLY)

    @property
    def most_tokens(self) -> int:
        """Most tokens that a problem costs whose solutions have no more steps than is usual."""
        return self.most_samples(USUAL_STEPS) * self.policy_sampling.max_tokens

    def most_samples(self, steps: int) -> int:
        """Most samples that a problem costs, solutions of so many steps among them."""
        asked = self.annotator.most_samples(steps)
        if isinstance(self.annotator, ProblemAnnotator):
            return self.solutions + asked
        return self.solutions * (1 + asked)

    def __post_init__(self) -> None:
        if self.solutions < 1 or self.in_flight < 1:
            raise ConfigError(
                f"recipe {self.name}: solutions={self.solutions} and in_flight={self.in_flight} must be at least 1"
            )
        self._check_probe()
        self._check_shares()
        self._check_verifiers()

    def _check_verifiers(self) -> None:
        for number, verifier in enumerate(self.verifiers, start=1):
            checked_verifier(verifier, called=f"{number} of recipe {self.name} ({type(verifier).__name__})")
        names = [verifier.name for verifier in self.verifiers]
        if len(set(names)) < len(names):
            raise ConfigError(f"recipe {self.name}: two verifiers of one name among {', '.join(names)}: name each once")

    def _check_probe(self) -> None:
        counting = counting_of(self.labels)
        if not isinstance(self.annotator, AnswerProbe) or not isinstance(counting, RolloutCounts):
            return
        asked, counted = self.annotator.probe, counting.probe
        if asked != counted:
            raise ConfigError(
                f"recipe {self.name}: annotator.probe={asked!r} forces answers that the labels {self.labels.name} do "
                f"not count, which count those to {counted!r}: add --set labels.counting.probe={asked!r}"
            )

    def _check_shares(self) -> None:
        if isinstance(self.annotator, RolloutPlan) and self.annotator.ends_early and reads_shares(self.labels):
            raise ConfigError(
                f"recipe {self.name}: completions that stop early, at the first right one, over-state the shares that "
                f"the labels {self.labels.name} read: leave annotator.stop_at_first_success and annotator.zero_test "
                f"unset, or take hard labels at threshold 0"
            )


def describe(value: Any, *, speed: bool = True) -> Any:
    """A configuration as plain values, every record with its type, so that it can be saved, shown and hashed.

    Without `speed`, fields that change no label are left out (see `engines.port.SPEED_ONLY`).
    """
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        spoken = {name: getattr(value, name) for name in ("name", "version") if hasattr(value, name)}
        wanted = [f.name for f in dataclasses.fields(value) if speed or _shapes_labels(f, getattr(value, f.name))]
        return {
            "type": type(value).__name__,
            **spoken,
            **{name: describe(getattr(value, name), speed=speed) for name in wanted},
        }
    if is_verifier(value):  # a user's may be any object; its version says how it is set
        return {"type": type(value).__name__, "name": value.name, "version": value.version}
    if isinstance(value, Mapping):
        return {str(key): describe(item, speed=speed) for key, item in value.items()}
    if isinstance(value, (tuple, list)):
        return [describe(item, speed=speed) for item in value]
    if isinstance(value, Enum):
        return value.value
    return value


def _shapes_labels(field_: dataclasses.Field[Any], value: Any) -> bool:
    return "speed_only" not in field_.metadata and (bool(value) or "no_part_if_empty" not in field_.metadata)


def config_hash(recipe: Recipe) -> str:
    """Content id of all that may change a label: a run may be resumed with other fields of speed alone."""
    return content_id("config", describe(recipe, speed=False))


def field_paths(config: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Every field that can be set, as `path.to.field`, with its value."""
    for part in dataclasses.fields(config):
        value = getattr(config, part.name)
        if dataclasses.is_dataclass(value):
            yield from field_paths(value, f"{path}{part.name}.")
        else:
            yield f"{path}{part.name}", value
