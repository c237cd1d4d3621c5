"""The named label policies: frozen objects that turn counts into labels and hold nothing else.

A policy's name says its options, and its version grows when its answers change, so that two rows with equal
policy and version mean the same thing. What each option does is said once, in `monte_carlo.py`.

Why these defaults. `unknown_as="unknown"`: a rollout that was cut says nothing for certain, so a threshold
between the bounds gives an unknown mark; the papers count it as a failure, as do the views named after them.
`after_error=KEPT`: Math-Shepherd labels every step by its own rollouts. `gate_outcome=False`: a right answer
does not prove right steps.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import ClassVar, Protocol, get_args

from steplabel.labels.monte_carlo import MonteCarloRule, UnknownAs, label_monte_carlo
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


@dataclass(frozen=True, slots=True, kw_only=True)
class HardAny:
    """Hard estimation: a step is "+" iff any rollout from it is correct (Math-Shepherd, section 3.3).

    Wang et al. 2024, arXiv:2312.08935.

    Claims `reachable`. `values` carry the share of correct rollouts that the marks came from.

    Attributes:
        gate_outcome: steps of a solution with a right final answer are all "+" (OmegaPRM, SCAN).
        after_error: what becomes of the steps after the first "-".
        unknown_as: what a rollout without an answer is.
        name: how rows call it; derived from the options if empty.

    Raises:
        ConfigError: `after_error` or `unknown_as` is not one of its words.
    """

    version: ClassVar[str] = "1"
    target: ClassVar[LabelTarget] = LabelTarget.REACHABLE

    gate_outcome: bool = False
    after_error: AfterError = AfterError.KEPT
    unknown_as: UnknownAs = "unknown"
    name: str = ""

    def __post_init__(self) -> None:
        rule = _rule(0.0, self.gate_outcome, self.after_error, self.unknown_as)
        object.__setattr__(self, "name", self.name or _named("hard", rule))

    def __call__(self, batch: EvidenceBatch) -> LabelBatch:
        """Label all steps of the batch."""
        return label_monte_carlo(batch, _rule(0.0, self.gate_outcome, self.after_error, self.unknown_as))


@dataclass(frozen=True, slots=True, kw_only=True)
class Soft:
    """Soft estimation: the value is the share of correct rollouts, c/k (Math-Shepherd, section 3.3).

    Claims `value`. OmegaPRM found soft labels the best to train on, the Qwen "lessons" paper hard ones after
    filtering; marks come along: "+" iff the value is above `threshold`. Evidence of an annotator that stops
    asking at the first success over-states c/k: take hard labels from it.

    Attributes:
        threshold: in [0, 1). Above 0 no mark is implied by later steps: a value may rise along a solution.
        gate_outcome, after_error, unknown_as, name: as in `HardAny`.

    Raises:
        ConfigError: an option is out of its range.
    """

    version: ClassVar[str] = "1"
    target: ClassVar[LabelTarget] = LabelTarget.VALUE

    threshold: float = 0.0
    gate_outcome: bool = False
    after_error: AfterError = AfterError.KEPT
    unknown_as: UnknownAs = "unknown"
    name: str = ""

    def __post_init__(self) -> None:
        if not 0.0 <= self.threshold < 1.0:
            raise ConfigError(f"soft label threshold={self.threshold!r} must be at least 0 and below 1")
        rule = _rule(self.threshold, self.gate_outcome, self.after_error, self.unknown_as)
        object.__setattr__(self, "name", self.name or _named("soft", rule))

    def __call__(self, batch: EvidenceBatch) -> LabelBatch:
        """Label all steps of the batch."""
        return label_monte_carlo(batch, _rule(self.threshold, self.gate_outcome, self.after_error, self.unknown_as))


def _rule(threshold: float, gate_outcome: bool, after_error: AfterError, unknown_as: UnknownAs) -> MonteCarloRule:
    if after_error not in set(AfterError):
        raise ConfigError(f"after_error={after_error!r} must be one of {', '.join(AfterError)}")
    if unknown_as not in get_args(UnknownAs):
        raise ConfigError(f"unknown_as={unknown_as!r} must be one of {', '.join(get_args(UnknownAs))}")
    return MonteCarloRule(
        threshold=threshold, gate_outcome=gate_outcome, after_error=after_error, unknown_as=unknown_as
    )


def _named(base: str, rule: MonteCarloRule) -> str:
    parts = (
        base,
        f"above_{rule.threshold:g}" if rule.threshold else "",
        "gated" if rule.gate_outcome else "",
        "" if rule.after_error == AfterError.KEPT else str(rule.after_error),
        "unanswered_wrong" if rule.unknown_as == "wrong" else "",
    )
    return "_".join(part for part in parts if part)


_READY: tuple[LabelPolicy, ...] = (
    HardAny(),
    HardAny(gate_outcome=True),
    HardAny(after_error=AfterError.CUT),
    Soft(),
    Soft(gate_outcome=True),
    Soft(after_error=AfterError.CUT),
    # OmegaPRM's binary search (Luo et al. 2024, arXiv:2406.06592, section 3.2). It asks few prefixes after
    # the error, and which ones is chance. That all are unreachable holds only up to sampling error (a
    # completer may repair), and the Qwen "lessons" paper found labels after the first error harmful: the rest
    # is unknown, not "-". The search took rollouts without an answer as failures when it chose where to go,
    # so must we.
    HardAny(name="locate", gate_outcome=True, after_error=AfterError.UNKNOWN, unknown_as="wrong"),
    # The papers' own views: what did not end in the right answer failed.
    HardAny(name="math_shepherd_hard", unknown_as="wrong"),
    Soft(name="math_shepherd_soft", unknown_as="wrong"),
    # Zhang et al. 2025, arXiv:2501.07301: hard labels, steps after the first error removed.
    HardAny(name="qwen_hard", unknown_as="wrong", after_error=AfterError.CUT),
)

POLICIES: Mapping[str, LabelPolicy] = MappingProxyType({policy.name: policy for policy in _READY})
"""The ready policies by name: what the command line offers. Others are calls of `HardAny` or `Soft`."""
