"""Ways of counting: what stands behind the numbers that a policy sees.

Policies read counts and do not care whose they are. Most are counted from rollouts of the steps' ends; `Counted`
gives a policy another source under a name of its own, so that a row says what its numbers rest on. Policies of
scores (`scored.py`) and verdicts (`verified.py`) read no counts; they say so with `ObservedScores` and
`ObservedVerdicts`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar, Protocol, runtime_checkable

import numpy as np

from steplabel.labels.counts import count_evidence, distinct_rollouts
from steplabel.labels.estimation import Soft
from steplabel.labels.policy import LabelPolicy, joined
from steplabel.labels.siblings import count_siblings
from steplabel.labels.step_results import StepResult
from steplabel.schemas import AfterError, ConfigError, DataError, Evidence, LabelTarget
from steplabel.schemas.batches import BoolArray, EvidenceBatch, LabelBatch
from steplabel.schemas.codec import from_json


class Counting(Protocol):
    """Evidence to counts, and who is behind them."""

    @property
    def hears_outcome(self) -> bool:
        """Whether the solution's own final answer has a say beside it."""
        ...

    @property
    def source(self) -> str:
        """The word for it in `StepLabels.sources`."""
        ...

    @property
    def word(self) -> str:
        """The word for it in a policy's name; empty for the usual way."""
        ...

    def count(self, evidence: Sequence[Evidence], *, completer: str | None, checker: str | None) -> EvidenceBatch:
        """The counts of all solutions, in order."""
        ...

    def completers(self, record: Evidence, *, completer: str | None) -> list[str]:
        """For each solution the ids of the completers whose rollouts are counted, with ", " between them."""
        ...

    def spoke(self, batch: EvidenceBatch) -> BoolArray:
        """[n], whether it says anything about any step of a solution."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class RolloutCounts:
    """Rollouts that start where the steps end.

    With a probe: AnytimeReasoner (Qi et al. 2025, arXiv:2505.13438) and VSRM, how good an answer forced here would be.

    Attributes:
        probe: count the answers forced by this text behind each prefix, in place of free rollouts.
    """

    source: ClassVar[str] = "monte_carlo"
    hears_outcome: ClassVar[bool] = True

    probe: str = ""

    @property
    def word(self) -> str:
        """Probes get a word in a policy's name."""
        return "probed" if self.probe else ""

    def count(self, evidence: Sequence[Evidence], *, completer: str | None, checker: str | None) -> EvidenceBatch:
        """As `count_evidence`."""
        return count_evidence(evidence, completer=completer, checker=checker, probe=self.probe)

    def completers(self, record: Evidence, *, completer: str | None) -> list[str]:
        """For each solution the ids of the completers whose rollouts are counted, with ", " between them."""
        names = _completers_by_node(record, completer, self.probe)
        return _named((solution.node_keys for solution in record.solutions), names)

    def spoke(self, batch: EvidenceBatch) -> BoolArray:
        """[n], whether any rollout starts at a step's end."""
        return _any_step(batch, batch.at_steps.total > 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class SiblingCounts:
    """Sampled solutions that passed through the same state: no rollouts at all.

    TEMPO (Tran et al. 2025, arXiv:2509.18314): V of a prefix is the mean outcome of the samples that share it.
    GiGPO: states need not share a prefix, if they are equal.

    Attributes:
        result: which steps end in one state, as in `count_siblings`; None: those that end one shared prefix.
    """

    source: ClassVar[str] = "siblings"
    hears_outcome: ClassVar[bool] = True

    result: StepResult | None = None

    @property
    def word(self) -> str:
        """Names say whether states are grouped."""
        return "siblings" if self.result is None else "siblings_by_result"

    def count(
        self,
        evidence: Sequence[Evidence],
        *,
        completer: str | None,  # noqa: ARG002 - the port gives it; no completer speaks here
        checker: str | None,
    ) -> EvidenceBatch:
        """As `count_siblings`."""
        return count_siblings(evidence, checker=checker, result=self.result)

    def completers(self, record: Evidence, *, completer: str | None) -> list[str]:  # noqa: ARG002 - as above
        """No completer speaks."""
        return [""] * len(record.solutions)

    def spoke(self, batch: EvidenceBatch) -> BoolArray:
        """[n], whether any sampled solution passed through a step's end."""
        return _any_step(batch, batch.at_steps.total > 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class ObservedScores:
    """What one source's observations grade the states with, in [0, 1]; rollouts are counted beside it as ever.

    Attributes:
        source: of the observations.
    """

    hears_outcome: ClassVar[bool] = False

    source: str

    @property
    def word(self) -> str:
        """The source."""
        return self.source

    def count(self, evidence: Sequence[Evidence], *, completer: str | None, checker: str | None) -> EvidenceBatch:
        """As `count_evidence`. A score is of whom it is: `completer` and `checker` choose among rollouts alone."""
        return count_evidence(evidence, completer=completer, checker=checker)

    def completers(self, record: Evidence, *, completer: str | None) -> list[str]:
        """The completers that the source's evidence names; else those whose rollouts start where it speaks."""
        names = _completers_by_node(record, completer, probe="")
        behind: dict[str, set[str]] = {}
        for said in record.observations:
            if said.source == self.source and said.score is not None:
                named = completer_in(said.evidence)
                behind.setdefault(said.subject, set()).update({named} if named else names.get(said.subject, ()))
        return _named((solution.node_keys for solution in record.solutions), behind)

    def spoke(self, batch: EvidenceBatch) -> BoolArray:
        """[n], whether any state after a step has a score."""
        return _any_step(batch, ~np.isnan(batch.scores_of(self.source)))


@dataclass(frozen=True, slots=True, kw_only=True)
class ObservedVerdicts:
    """What verifiers said of the steps; rollouts are counted beside it as ever.

    Attributes:
        sources: of the observations.
    """

    hears_outcome: ClassVar[bool] = False

    sources: tuple[str, ...]

    @property
    def source(self) -> str:
        """The verifiers."""
        return "+".join(self.sources)

    @property
    def word(self) -> str:
        """The verifiers."""
        return joined(*self.sources)

    def count(self, evidence: Sequence[Evidence], *, completer: str | None, checker: str | None) -> EvidenceBatch:
        """As `count_evidence`: `completer` and `checker` choose among rollouts alone."""
        return count_evidence(evidence, completer=completer, checker=checker)

    def completers(self, record: Evidence, *, completer: str | None) -> list[str]:  # noqa: ARG002 - none speaks
        """No completer speaks."""
        return [""] * len(record.solutions)

    def spoke(self, batch: EvidenceBatch) -> BoolArray:
        """[n], whether any step was decided by any of them."""
        decided = [batch.verdicts_of(source) != 0 for source in self.sources]
        return _any_step(batch, np.logical_or.reduce(decided))


@runtime_checkable
class SaysCounting(Protocol):
    """A policy that says how it wants evidence counted."""

    @property
    def counting(self) -> Counting:
        """Where its numbers come from."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """A policy over counts of another kind.

    Attributes:
        policy: what turns the counts into labels.
        counting: where they come from.
        name: derived from both if empty.

    Raises:
        ConfigError: the policy is itself counted: there is one way of counting.
    """

    version: ClassVar[str] = "1"

    policy: LabelPolicy = field(default_factory=Soft)
    counting: Counting = field(default_factory=RolloutCounts)
    name: str = ""

    def __post_init__(self) -> None:
        check_uncounted(self.policy)
        object.__setattr__(self, "name", self.name or joined(self.policy.name, self.counting.word))

    @property
    def target(self) -> LabelTarget:
        """As the inner policy."""
        return self.policy.target

    @property
    def after_error(self) -> AfterError:
        """As the inner policy."""
        return self.policy.after_error

    def __call__(self, batch: EvidenceBatch) -> LabelBatch:
        """Label all steps of the batch."""
        return self.policy(batch)


def counting_of(policy: LabelPolicy) -> Counting:
    """How a policy wants evidence counted: free rollouts unless it says otherwise."""
    return policy.counting if isinstance(policy, SaysCounting) else RolloutCounts()


def check_uncounted(inner: LabelPolicy) -> None:
    """Raise ConfigError for an inner policy with a way of counting of its own, which nobody would hear."""
    if isinstance(inner, SaysCounting):
        raise ConfigError(f"policy {inner.name} says how evidence is counted: it must be the outermost policy")


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What an observation's evidence may say, as JSON, of the model that was asked; all else is passed over."""

    completer: str = ""


def completer_in(evidence: str) -> str:
    """The completer that an observation's evidence names as JSON; empty where it names none, or is another text."""
    try:
        return from_json(evidence, Asked).completer
    except (DataError, RecursionError):  # evidence is free text: a quotation, an output, however deep in brackets
        return ""


def _completers_by_node(record: Evidence, completer: str | None, probe: str) -> dict[str, set[str]]:
    names: dict[str, set[str]] = {}
    for rollout in distinct_rollouts(record, completer=completer, probe=probe):
        names.setdefault(rollout.node_key, set()).add(rollout.completer)
    return names


def _named(paths: Iterable[Iterable[str]], names: Mapping[str, set[str]]) -> list[str]:
    """For each path of keys the names along it."""
    return [", ".join(sorted(set[str]().union(*(names.get(key, ()) for key in keys)))) for keys in paths]


def _any_step(batch: EvidenceBatch, steps: BoolArray) -> BoolArray:
    """[n], whether any of a solution's steps is in `steps` [S]."""
    return np.bincount(batch.owner[steps], minlength=batch.solutions) > 0
