"""What searches over one problem's tree of prefixes share: values of states, paths as solutions, what was found.

A state is a prefix: some steps behind the problem. Its key is the node key of those steps, the key under which its
rollouts are stored and by which the solutions that pass through it know it. So everything that a search finds is
ordinary evidence, and every label view can count it.

Where a rollout goes on from a state, only what it adds is cut into steps: the state's own steps, and with them the
keys of the path so far, stay as they are, whatever the rollout begins with.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from steplabel.annotators.annotation import Annotation, AnnotationStatus
from steplabel.annotators.asking.prefix import prefix_seed
from steplabel.annotators.effects import Sample, Samples
from steplabel.annotators.tally import Tally, is_silent
from steplabel.schemas import (
    CheckedOutcome,
    FinishReason,
    Observation,
    Outcome,
    Problem,
    Rollout,
    SamplingParams,
    Solution,
    SolutionSource,
    Step,
    make_solution,
)
from steplabel.schemas.segmentation import Segmenter


def ask_state(
    problem: Problem,
    key: str,
    steps: Iterable[Step],
    *,
    n: int,
    sampling: SamplingParams,
    seed: int,
    token_ids: tuple[int, ...] = (),
) -> Sample:
    """The question that estimates a state: as every annotator asks it, so that a shared store answers it once.

    Args:
        seed: the run's.
        token_ids: as `Sample.prefix_ids`.
    """
    return Sample(
        problem=problem,
        node_key=key,
        prefix="".join(step.text for step in steps),
        prefix_ids=token_ids,
        n=n,
        sampling=sampling,
        seed=prefix_seed(seed, key),
    )


def is_failure(outcome: CheckedOutcome | None, *, silence_is_failure: bool) -> bool:
    """Whether it is known not to be right. An answer that could not be checked is not."""
    if outcome is None:
        return False
    return outcome.outcome is Outcome.WRONG or (silence_is_failure and is_silent(outcome))


def monte_carlo(
    outcomes: Iterable[CheckedOutcome], *, silence_is_failure: bool, min_decided: int | None = None
) -> float | None:
    """MC of a state, in [0, 1]: right completions among all that count. None if it is not known.

    Args:
        min_decided: failures that must count before MC = 0 is believed; None takes half of the outcomes, rounded
            up. One right completion is enough for MC > 0.
    """
    outcomes = tuple(outcomes)
    tally = Tally.of(outcomes)
    failed = tally.failed(silence_is_failure=silence_is_failure)
    needed = (len(outcomes) + 1) // 2 if min_decided is None else min_decided
    if not tally.correct and (failed == 0 or failed < needed):
        return None
    return tally.correct / (tally.correct + failed)


def tree_path(
    problem: Problem,
    steps: tuple[Step, ...],
    written: Rollout,
    outcome: CheckedOutcome,
    *,
    finish_reason: FinishReason | None = None,
    token_ids: tuple[int, ...] = (),
) -> Solution:
    """A path of the tree as a solution: `written` is the rollout that ends it and says who wrote it, and how.

    Args:
        outcome: of the whole path.
        finish_reason: the rollout's own unless given.
        token_ids: of the whole text, where they are known.
    """
    return make_solution(
        problem,
        steps,
        policy=written.completer,
        source=SolutionSource.TREE,
        sampling=written.sampling,
        seed=written.seed,
        index=written.index,
        token_ids=token_ids,
        finish_reason=finish_reason or written.finish_reason,
        final_answer=outcome.answer,
    )


def recut(problem: Problem, solution: Solution, segmenter: Segmenter) -> Solution:
    """The same words in other steps: a path of the tree. Raises what the segmenter raises."""
    return make_solution(
        problem,
        segmenter.split(solution.text),
        policy=solution.policy,
        policy_licence=solution.policy_licence,
        source=SolutionSource.TREE,
        sampling=solution.sampling,
        seed=solution.seed,
        index=solution.index,
        token_ids=solution.token_ids,
        finish_reason=solution.finish_reason,
        final_answer=solution.final_answer,
    )


class Findings:
    """What a search has found so far; an annotation can be made of it at any time."""

    def __init__(self) -> None:
        self._rollouts: list[Rollout] = []
        self._outcomes: list[CheckedOutcome] = []
        self._solutions: dict[str, tuple[Solution, CheckedOutcome]] = {}

    @property
    def samples(self) -> int:
        """Rollouts heard."""
        return len(self._rollouts)

    def heard(self, samples: Samples) -> None:
        """Keep the rollouts of one question."""
        self._rollouts += samples.rollouts
        self._outcomes += samples.outcomes

    def path(self, solution: Solution, outcome: CheckedOutcome) -> None:
        """Keep a path, and what the checker said of its whole text; a path that is kept already stays."""
        self._solutions.setdefault(solution.id, (solution, replace(outcome, subject=solution.id)))

    def annotation(
        self, status: AnnotationStatus, observations: Sequence[Observation], *, detail: str = ""
    ) -> Annotation:
        """Everything, as the evidence that an annotator returns."""
        kept = tuple(self._solutions.values())
        return Annotation(
            status=status,
            rollouts=tuple(self._rollouts),
            outcomes=(*self._outcomes, *(outcome for _, outcome in kept)),
            observations=tuple(observations),
            solutions=tuple(solution for solution, _ in kept),
            detail=detail,
        )
