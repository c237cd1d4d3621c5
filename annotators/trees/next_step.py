"""Ask a model for the next step of a solution, and nothing behind it.

A step is sampled with stop texts at which steps end, the stop text kept; where the model stops without one of them,
the solution ends. The stop texts follow the segmenter: a line end for `NewlineSteps`, a blank line for
`BlankLineSteps`, the separator for `GivenSteps`. With no stop texts whole completions are drawn and the first step of
each is taken: that works with every segmenter and costs more.

A proposal that was cut before its step ended is no step. A model that puts a blank line first is asked again behind
it, three times at most. Proposals are stored under keys of their own: one step is no rollout of the prefix, and has no
outcome unless the solution ends with it, whatever number stands in it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from steplabel.annotators.asking.prefix import prefix_seed
from steplabel.annotators.effects import Program, Sample, Samples
from steplabel.schemas import (
    CheckedOutcome,
    ConfigError,
    FinishReason,
    Outcome,
    Problem,
    Reason,
    Rollout,
    SamplingParams,
    Step,
    content_id,
)
from steplabel.schemas.segmentation import BlankLineSteps, GivenSteps, NewlineSteps, Segmenter

TRIES = 3
"""How often blank lines are skipped; ReST-MCTS*'s code asks so often for a step that is not empty."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """One next step.

    Attributes:
        ends: whether the solution ends with it; `outcome` is then the solution's, otherwise unknown.
        token_ids: of the step, where they are known; empty otherwise.
    """

    step: Step
    ends: bool
    rollout: Rollout
    outcome: CheckedOutcome
    token_ids: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposed:
    """What came back.

    Attributes:
        samples: everything that was drawn.
        proposals: the steps among it.
        ended: the outcome of the prefix itself, where there are no proposals because the model adds nothing to it.
    """

    samples: Samples
    proposals: tuple[Proposal, ...]
    ended: CheckedOutcome | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NextSteps:
    """How steps are proposed.

    Attributes:
        branch: proposals for each prefix; 3 in ReST-MCTS*.
        stop: texts that end a step; None takes those of the segmenter.
        max_tokens: most tokens of a proposal; None allows as many as a rollout has.
        segmenter: cuts what is drawn into steps; the one that cuts solutions, or the tree has other steps than they.

    Raises:
        ConfigError: `branch` or `max_tokens` below 1, or a stop text behind which the segmenter begins no step.
    """

    branch: int = 3
    stop: tuple[str, ...] | None = None
    max_tokens: int | None = None
    segmenter: Segmenter = field(default_factory=NewlineSteps)

    def __post_init__(self) -> None:
        if self.branch < 1 or (self.max_tokens is not None and self.max_tokens < 1):
            raise ConfigError(f"branch={self.branch} and max_tokens={self.max_tokens} must be at least 1")
        object.__setattr__(self, "stop", _stops_of(self.segmenter) if self.stop is None else tuple(self.stop))
        for stop in self._stops:
            if not _ends_step(self.segmenter, stop):
                raise ConfigError(
                    f"proposals stop at {stop!r}, but {type(self.segmenter).__name__} begins no step there: "
                    f"leave `stop` unset, or () to draw whole completions"
                )

    @property
    def _stops(self) -> tuple[str, ...]:
        return self.stop or ()

    def program(
        self,
        problem: Problem,
        key: str,
        steps: Sequence[Step],
        *,
        sampling: SamplingParams,
        seed: int,
        token_ids: tuple[int, ...] = (),
    ) -> Program[Proposed]:
        """Return a program that asks for the step behind a prefix.

        Args:
            key: the prefix's node key.
            sampling: of rollouts: stop texts and length are ours.
            seed: the run's.
            token_ids: of the prefix, where they are known.
        """
        heard = Samples(rollouts=(), outcomes=())
        blanks = ""
        for _ in range(TRIES):
            samples: Samples = yield self._question(problem, key, steps, token_ids, blanks, sampling, seed)
            drawn = [self._draw(*pair, sampling) for pair in zip(samples.rollouts, samples.outcomes, strict=True)]
            heard = _together(heard, drawn)
            proposals = tuple(proposal for one in drawn for proposal in self._steps(one, blanks))
            ended = next((one.outcome for one in drawn if one.ends and not one.text.strip()), None)
            more = next((one.text for one in drawn if one.text and not one.text.strip()), "")
            if proposals or ended is not None or not more:
                break
            blanks += more
        return Proposed(samples=heard, proposals=proposals, ended=None if proposals else ended)

    def _question(
        self,
        problem: Problem,
        key: str,
        steps: Sequence[Step],
        token_ids: tuple[int, ...],
        blanks: str,
        sampling: SamplingParams,
        seed: int,
    ) -> Sample:
        own_key = content_id("proposal", key, blanks)
        return Sample(
            problem=problem,
            node_key=own_key,
            prefix="".join(step.text for step in steps),
            prefix_ids=token_ids,
            n=self.branch,
            sampling=replace(
                sampling,
                stop=(*self._stops, *sampling.stop),
                include_stop=bool(self._stops) or sampling.include_stop,
                max_tokens=self.max_tokens or sampling.max_tokens,
            ),
            seed=prefix_seed(seed, own_key),
            probe=blanks,
        )

    def _draw(self, rollout: Rollout, outcome: CheckedOutcome, sampling: SamplingParams) -> _Drawn:
        text = rollout.text
        if self._stops and not sampling.include_stop:  # stop texts of rollouts end solutions; they were not asked for
            text = next((text.removesuffix(stop) for stop in sampling.stop if text.endswith(stop)), text)
        stopped = rollout.finish_reason is FinishReason.STOP
        ends = stopped and not text.endswith(self._stops) and len(self._split(text)) <= 1
        if not ends:
            outcome = replace(outcome, outcome=Outcome.UNKNOWN, reason=f"{Reason.NO_ANSWER}: one step", answer=None)
        return _Drawn(text=text, ends=ends, rollout=rollout, outcome=outcome)

    def _steps(self, drawn: _Drawn, blanks: str) -> Iterator[Proposal]:
        """The first step of what was drawn, if it holds a whole one."""
        steps = self._split(drawn.text)
        cut = len(steps) == 1 and drawn.rollout.finish_reason is not FinishReason.STOP
        if not steps or cut:
            return
        exact = len(steps) == 1 and not blanks
        yield Proposal(
            step=Step(text=blanks + steps[0].text),
            ends=drawn.ends,
            rollout=drawn.rollout,
            outcome=drawn.outcome,
            token_ids=drawn.rollout.token_ids if exact else (),
        )

    def _split(self, text: str) -> tuple[Step, ...]:
        return split_or_nothing(self.segmenter, text)


def _stops_of(segmenter: Segmenter) -> tuple[str, ...]:
    """The text that ends steps of this kind; none where no single text does."""
    if isinstance(segmenter, NewlineSteps):
        return ("\n",)
    if isinstance(segmenter, BlankLineSteps):
        return ("\n\n",)
    return (segmenter.separator,) if isinstance(segmenter, GivenSteps) and segmenter.separator else ()


def _ends_step(segmenter: Segmenter, stop: str) -> bool:
    return [step.text for step in segmenter.split(f"a{stop}b")] == [f"a{stop}", "b"]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Drawn:
    text: str
    ends: bool
    rollout: Rollout
    outcome: CheckedOutcome


def _together(heard: Samples, drawn: Sequence[_Drawn]) -> Samples:
    return Samples(
        rollouts=(*heard.rollouts, *(one.rollout for one in drawn)),
        outcomes=(*heard.outcomes, *(one.outcome for one in drawn)),
    )


def split_or_nothing(segmenter: Segmenter, text: str) -> tuple[Step, ...]:
    """Steps of a text; none where there is nothing but white space."""
    return segmenter.split(text) if text.strip() else ()
