"""The annotator that asks nothing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from steplabel.annotators import AnnotationStatus, answer_by, drive
from steplabel.annotators.annotation import Annotator
from steplabel.annotators.outcome_claim import UNCHECKED
from steplabel.annotators.steps.math_shepherd import MathShepherd
from steplabel.annotators.steps.samples_only import SamplesOnly
from steplabel.schemas import DataError, Outcome, Verdict


def annotate(w: Any, outcome: Any) -> Any:
    """Run it to its end; that it asks anything is an error."""
    annotator: Annotator = SamplesOnly()
    program = annotator.program(w.problem, w.solution, outcome, seed=7)
    with pytest.raises(StopIteration) as ended:
        next(program)
    return ended.value.value


@pytest.mark.parametrize(
    ("outcome", "verdict"),
    [(Outcome.CORRECT, Verdict.HOLDS), (Outcome.WRONG, Verdict.FAILS), (Outcome.UNKNOWN, Verdict.UNKNOWN)],
)
def test_the_outcome_is_all_it_says(world: Any, outcome: Outcome, verdict: Verdict) -> None:
    """It ends without a question, complete, with the solution's own outcome on the node that answers."""
    w = world(steps=3, observations={2})
    annotation = annotate(w, w.outcome(outcome))
    assert annotation.status is AnnotationStatus.COMPLETE
    assert (annotation.rollouts, annotation.outcomes, annotation.solutions, annotation.detail) == ((), (), (), "")
    (said,) = annotation.observations
    assert (said.subject, said.source, said.verdict) == (w.solution.node_keys[1], "outcome", verdict)
    assert (said.score, said.cost_tokens) == (None, 0)


def test_an_unchecked_solution_stays_unknown(world: Any) -> None:
    """Nobody's word is no word against it."""
    w = world(steps=1)
    (said,) = annotate(w, None).observations
    assert (said.verdict, said.reason) == (Verdict.UNKNOWN, UNCHECKED)


def test_without_a_step_of_its_own(world: Any) -> None:
    """A solution of tool outputs alone is annotated as a whole."""
    w = world(steps=2, observations={0, 1})
    annotation = annotate(w, w.wrong)
    assert annotation.status is AnnotationStatus.COMPLETE
    assert [said.subject for said in annotation.observations] == [w.solution.id]


def test_its_observation_is_the_one_that_others_make(world: Any) -> None:
    """Evidence of both annotators merges to one statement: equal keys."""
    w = world(steps=1)
    other = answer_by(MathShepherd().program(w.problem, w.solution, w.right, seed=7), w.oracle(lambda depth: True))
    assert annotate(w, w.right).observations == other.observations


def test_most_samples() -> None:
    """No share of a budget is kept for it."""
    assert [SamplesOnly().most_samples(steps) for steps in (0, 1, 100)] == [0, 0, 0]


def test_records_must_belong_together(world: Any) -> None:
    """Another solution's outcome is refused, as by every annotator."""
    w, other = world(steps=1), world(steps=2)
    with pytest.raises(DataError, match="is about"):
        next(SamplesOnly().program(w.problem, w.solution, other.wrong, seed=0))


def test_driven_with_no_engine(world: Any, collect: Callable[..., list[Any]]) -> None:
    """A thousand programs end on a driver that has no handler for anything."""
    w = world(steps=2)
    programs = [(i, SamplesOnly().program(w.problem, w.solution, w.right, seed=i)) for i in range(1000)]
    ended = collect(lambda: drive(programs, {}, in_flight=8))
    assert sorted(one.key for one in ended) == list(range(1000))
    assert {one.unwrap().status for one in ended} == {AnnotationStatus.COMPLETE}
