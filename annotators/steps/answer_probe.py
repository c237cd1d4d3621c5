"""Forced-answer probes: cut the solution after each step and have the model answer at once.

VSRM (Yue et al. 2025, arXiv:2508.10293) and AnytimeReasoner (Qi et al. 2025, arXiv:2505.13438) measure what a prefix
is worth by the share of right answers that the model gives when its thinking is cut there. A probe costs a few tokens,
a rollout a whole solution; it says what the model *knows* at the prefix, not what it could still find out, so it rises
late and says little about a step whose use comes later.

Covered: every prefix the policy wrote but the last, and the bare problem; each gets one observation on its node with
the share as its score. Its rollouts name the probe: they are never counted as the prefix's own. VSRM's step reward is
the change of the share, which the evidence holds too. Not covered: what VSRM gives to steps that change nothing, and
AnytimeReasoner's budgets in tokens (prefixes here are steps): both are for training.

No k by difficulty (`k_by_difficulty`): its pilot is whole completions of the bare problem, each many times as long as a
probe, so it would cost more than the probes that it saves.

Deviations. The last step holds the answer already, so it is not probed: an observation of source `outcome` on its node
says how the solution ended. Neither paper's closing words are used: `probe` is what makes *this* model answer.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import ClassVar

from steplabel.annotators.annotation import Annotation, AnnotationStatus
from steplabel.annotators.asking.prefix import (
    PrefixAnswer,
    ask,
    check_belong,
    check_counts,
    labelable_depths,
    prefix_question,
)
from steplabel.annotators.effects import Concurrently, Finished, Program, Sample
from steplabel.annotators.ending import ending, failure_reason
from steplabel.annotators.outcome_claim import outcome_observation
from steplabel.annotators.tally import Tally
from steplabel.schemas import (
    CheckedOutcome,
    ConfigError,
    Observation,
    Problem,
    Reason,
    SamplingParams,
    Solution,
)
from steplabel.schemas.codec import to_json


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeTrace:
    """What a probe of one prefix found: the evidence of its observation, as JSON.

    Attributes:
        change: of the share of right answers since the prefix probed before; None where either is not known.
        completer: `ModelIdentity.id` of the model that was asked; empty if it gave no answer.
    """

    probe: str
    completer: str
    correct: int
    wrong: int
    silent: int
    undecided: int
    change: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerProbe:
    """Ask for the answer behind every prefix, all prefixes at once.

    Attributes:
        probe: text behind the prefix that makes the model answer; steps hold their own line ends.
        k: answers for each prefix.
        max_tokens: most tokens of an answer.
        stop: texts that end an answer, beside those of `sampling`.
        sampling: None takes the solution's own parameters, or the defaults; `max_tokens` replaces theirs. For a
            probe that opens a brace, stop at "}" and set `sampling.include_stop`, or the answer is never closed.
        ask_root: probe the bare problem too: what the model answers without a thought.

    Raises:
        ConfigError: an empty probe (that is a plain rollout), or counts below 1.
    """

    name: ClassVar[str] = "answer_probe"
    version: ClassVar[str] = "2"

    probe: str = "Answer: "
    k: int = 8
    max_tokens: int = 16
    stop: tuple[str, ...] = ("\n",)
    sampling: SamplingParams | None = None
    ask_root: bool = True

    def __post_init__(self) -> None:
        check_counts(k=self.k, chunk=self.k)
        if not self.probe:
            raise ConfigError("an answer probe needs a text that makes the model answer, such as 'Answer: '")
        if self.max_tokens < 1:
            raise ConfigError(f"max_tokens={self.max_tokens}: an answer needs at least one token")

    def program(
        self, problem: Problem, solution: Solution, outcome: CheckedOutcome | None, *, seed: int
    ) -> Program[Annotation]:
        """Return a program that annotates one solution: see `Annotator.program`."""
        check_belong(problem, solution, outcome)
        depths = labelable_depths(solution)
        if not depths:
            return Annotation(status=AnnotationStatus.SKIPPED, detail="no step of it is the policy's own")
        wanted = (0, *depths[:-1]) if self.ask_root else depths[:-1]
        asked: tuple[Finished[int, PrefixAnswer], ...] = yield Concurrently(
            programs=tuple(
                ask(self._question(problem, solution, depth, seed), depth, k=self.k, chunk=self.k) for depth in wanted
            )
        )
        answers = [branch.unwrap() for branch in asked]
        status, detail = ending([answer.error for answer in answers])
        last = outcome_observation(solution.node_keys[depths[-1] - 1], outcome)
        return Annotation(
            status=status,
            rollouts=tuple(rollout for answer in answers for rollout in answer.rollouts),
            outcomes=tuple(checked for answer in answers for checked in answer.outcomes),
            observations=(*self._observations((problem.root_key, *solution.node_keys), answers), last),
            detail=detail,
        )

    def most_samples(self, steps: int) -> int:
        """k at every step but the last, and at the bare problem. They are shorter than a rollout."""
        return self.k * (max(0, steps - 1) + self.ask_root)

    def _question(self, problem: Problem, solution: Solution, depth: int, seed: int) -> Sample:
        own = self.sampling or solution.sampling or SamplingParams()
        sampling = replace(own, max_tokens=self.max_tokens, stop=tuple(dict.fromkeys((*own.stop, *self.stop))))
        return prefix_question(problem, solution, depth, sampling=sampling, seed=seed, probe=self.probe)

    def _observations(self, nodes: Sequence[str], answers: Sequence[PrefixAnswer]) -> tuple[Observation, ...]:
        tallies = [Tally.of(answer.outcomes) for answer in answers]
        shares = [_share(tally) for tally in tallies]
        changes = [None, *(_change(before, after) for before, after in pairwise(shares))]
        return tuple(
            Observation(
                subject=nodes[answer.depth],
                source=self.name,
                source_version=self.version,
                score=share,
                reason="" if share is not None else failure_reason(answer.error) or Reason.NONE_DECIDED,
                evidence=to_json(self._trace(answer, tally, change)).decode(),
            )
            for answer, tally, share, change in zip(answers, tallies, shares, changes, strict=True)
        )

    def _trace(self, answer: PrefixAnswer, tally: Tally, change: float | None) -> ProbeTrace:
        return ProbeTrace(
            probe=self.probe,
            completer=answer.rollouts[0].completer if answer.rollouts else "",
            correct=tally.correct,
            wrong=tally.wrong,
            silent=tally.silent,
            undecided=tally.undecided,
            change=change,
        )


def _share(tally: Tally) -> float | None:
    """Right answers among those that count, as the papers count: no answer is not a right one."""
    counted = tally.correct + tally.failed(silence_is_failure=True)
    return tally.correct / counted if counted else None


def _change(before: float | None, after: float | None) -> float | None:
    return None if before is None or after is None else after - before
