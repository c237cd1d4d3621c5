"""What was found out. Evidence is immutable, keyed by content, and kept: labels are derived from it.

Merging two sets of evidence is set union by key, so nothing counts twice when recipes share a store.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TypeVar

from steplabel.schemas.errors import DataError
from steplabel.schemas.ids import content_id
from steplabel.schemas.models import SamplingParams
from steplabel.schemas.problem import Problem
from steplabel.schemas.solution import Solution
from steplabel.schemas.validation import check_between

T = TypeVar("T")


class Verdict(StrEnum):
    """A verifier's or judge's answer about a claim. Unknown is not a weak `fails`."""

    HOLDS = "holds"
    FAILS = "fails"
    UNKNOWN = "unknown"


class Outcome(StrEnum):
    """Whether a final answer equals the gold answer."""

    CORRECT = "correct"
    WRONG = "wrong"
    UNKNOWN = "unknown"


class FinishReason(StrEnum):
    """Why generation ended."""

    STOP = "stop"
    LENGTH = "length"
    FILTERED = "filtered"
    """A server's content filter cut the text: nobody knows how it would have gone on."""


class Reason:
    """Stable words for why something is unknown or refused; a free text may follow after a colon."""

    LENGTH = "length"
    FILTERED = "filtered"
    NO_ANSWER = "no_answer"
    NO_STEPS = "no_steps"
    UNDECIDED = "undecided"
    NO_GOLD = "no_gold"
    TIMEOUT = "timeout"
    CRASH = "crash"
    ENGINE_ERROR = "engine_error"
    UNPARSABLE = "unparsable"
    UNSUPPORTED = "unsupported"
    BUDGET = "budget"
    ALL_RIGHT = "all_right"
    ALL_WRONG = "all_wrong"
    NONE_DECIDED = "none_decided"
    UNDECIDED_STEP = "undecided_step"
    DUPLICATE_ID = "duplicate_id"
    BAD_ROW = "bad_row"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rollout:
    """One completion of one prefix. Immutable: its key is the store's key.

    Attributes:
        key: content key of completer, prompt, prefix, sampling parameters, seed and index.
        node_key: the prefix it continues (a `Problem.root_key` or a node's key), apart from the `probe`.
        completer: `ModelIdentity.id`.
        index: which of the samples drawn with this seed, from 0.
        text: what was generated, without the prefix.
        finish_reason: `stop`, `length` or `filtered`.
        prompt_tokens, completion_tokens, cached_tokens: counts; cached ones are among the prompt's.
        probe: text that was put behind the prefix for this question alone. Such a rollout is not the prefix's own:
            what counts or shows those must pass it over.
    """

    key: str
    node_key: str
    problem_id: str
    completer: str
    sampling: SamplingParams
    seed: int
    index: int
    text: str
    finish_reason: FinishReason
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cached_tokens: int = 0
    token_ids: tuple[int, ...] = ()
    probe: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckedOutcome:
    """What an answer checker said of one rollout or solution; apart from the text, so it can be redone.

    Attributes:
        subject: a rollout's key or a solution's id.
        reason: why it is unknown (`length`, `no_answer`, ...); how it was decided otherwise.
        answer: the answer it extracted, None if there is none.
        problem_id: whose gold answer it was compared with; filled where evidence is written.
    """

    subject: str
    checker: str
    checker_version: str
    outcome: Outcome
    reason: str = ""
    answer: str | None = None
    problem_id: str = ""

    @property
    def key(self) -> str:
        """One verdict for each subject and checker version."""
        return content_id("outcome", self.subject, self.checker, self.checker_version)


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """What one source says about one node or solution.

    Attributes:
        subject: a node's key or a solution's id.
        source: the verifier, judge or search that speaks; `source_version` its version.
        verdict: three-valued; `score` in [0, 1] for sources that grade rather than decide.
        evidence: what backs it: a counterexample, executed output, a quoted text.
        tool_version, budget: what is needed to run it again.
        cost_tokens: tokens this observation consumed beyond the rollouts it is based on.
        problem_id: of which problem; filled where evidence is written.
    """

    subject: str
    source: str
    source_version: str
    verdict: Verdict = Verdict.UNKNOWN
    score: float | None = None
    reason: str = ""
    evidence: str = ""
    tool_version: str = ""
    budget: str = ""
    cost_tokens: int = 0
    problem_id: str = ""

    def __post_init__(self) -> None:
        if self.score is not None:
            check_between(self.score, field=f"score of {self.source}", low=0.0, high=1.0)

    @property
    def key(self) -> str:
        """One statement for each subject, source and version; the evidence tells repeats apart."""
        return content_id("observation", self.subject, self.source, self.source_version, self.evidence)


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """All that is known about one problem: what flows between stages, and what every label derives from."""

    problem: Problem
    solutions: tuple[Solution, ...] = ()
    rollouts: tuple[Rollout, ...] = ()
    outcomes: tuple[CheckedOutcome, ...] = ()
    observations: tuple[Observation, ...] = ()

    def merged(self, other: Evidence) -> Evidence:
        """Set union by key. On equal keys the first stays, but a decided outcome replaces an unknown one.

        Raises:
            DataError: the other evidence is about another problem.
        """
        if other.problem.id != self.problem.id:
            raise DataError(f"evidence of problem {self.problem.id} merged with that of {other.problem.id}")
        return Evidence(
            problem=self.problem,
            solutions=_union(self.solutions, other.solutions, "id"),
            rollouts=_union(self.rollouts, other.rollouts, "key"),
            outcomes=_decided(_union(self.outcomes, other.outcomes, "key"), other.outcomes),
            observations=_union(self.observations, other.observations, "key"),
        )


def _union(left: tuple[T, ...], right: tuple[T, ...], attribute: str) -> tuple[T, ...]:
    merged: dict[str, T] = {}
    for item in (*left, *right):
        merged.setdefault(getattr(item, attribute), item)  # once for each: a key is a hash
    return tuple(merged.values())


def _decided(merged: tuple[CheckedOutcome, ...], late: tuple[CheckedOutcome, ...]) -> tuple[CheckedOutcome, ...]:
    """A check that crashed or ran out of time is asked again: its later answer counts."""
    if all(outcome.outcome is not Outcome.UNKNOWN for outcome in merged):
        return merged
    answers = {late_one.key: late_one for late_one in late if late_one.outcome is not Outcome.UNKNOWN}
    return tuple(answers.get(first.key, first) if first.outcome is Outcome.UNKNOWN else first for first in merged)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reject:
    """Something that leaves the pipeline, with the stage that refused it and why. Nothing vanishes.

    Attributes:
        record_id: the problem's or solution's id, or `file:line` where no id could be read.
        kind: `row`, `problem` or `solution`.
        stage: the transform that refused it.
        reason: one of `Reason`, the key reports group by; `detail` says the rest.
        excerpt: the start of what was refused, safe to print.
    """

    record_id: str
    kind: str
    stage: str
    reason: str
    detail: str = ""
    excerpt: str = ""
