"""SCAN's linear scan, stepped by hand, and under either gate."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from steplabel.annotators import AnnotationStatus, LinearScan, OmegaPRMLocate, SearchTrace, answer_by
from steplabel.schemas import BudgetExhausted, DataError, EngineError, Outcome, Reason, Verdict
from steplabel.schemas.codec import from_json


def scan(w, succeeds, outcome=None, reason="no_answer", **options):
    program = LinearScan(**options).program(w.problem, w.solution, outcome or w.wrong, seed=7)
    return answer_by(program, w.oracle(succeeds, reason=reason))


def located(annotation):
    (claim,) = annotation.observations
    assert claim.source == "linear_scan"
    return from_json(claim.evidence, SearchTrace)


def test_by_hand(world):
    """Five steps, the third is wrong: depths 1, 2, 3 are asked, eight times each, and 4 is not."""
    w = world(steps=5)
    program = LinearScan().program(w.problem, w.solution, w.wrong, seed=7)
    oracle = w.oracle(lambda depth: depth <= 2)
    effect = next(program)
    for depth in (1, 2, 3):
        assert (w.depth(effect), effect.n, effect.start) == (depth, 8, 0)
        assert effect.prefix == w.solution.prefix(depth)
        try:
            effect = program.send(oracle(effect))
        except StopIteration as stop:
            annotation = stop.value
    assert annotation.status is AnnotationStatus.COMPLETE
    (claim,) = annotation.observations
    assert (claim.subject, claim.verdict) == (w.solution.id, Verdict.FAILS)
    trace = located(annotation)
    assert (trace.first_error, trace.reachable, trace.unreachable) == (2, 2, 3)
    assert [(a.depth, a.correct, a.wrong) for a in trace.asked] == [(1, 8, 0), (2, 8, 0), (3, 0, 8)]
    assert len(annotation.rollouts) == 24


@given(values=st.lists(st.booleans(), min_size=1, max_size=20))
def test_finds_the_first_zero(world, values):
    """Whatever comes later, repairs too: the first prefix with MC = 0; the last step if there is none."""
    w = world(steps=len(values))
    first = next((i for i, value in enumerate(values[:-1]) if not value), len(values) - 1)
    annotation = scan(w, lambda depth: values[depth - 1])
    assert located(annotation).first_error == first
    assert w.depths == list(range(1, min(first + 1, len(values) - 1) + 1))


@given(data=st.data(), steps=st.integers(1, 15))
def test_agrees_with_bisection_on_monotone_oracles(world, data, steps):
    """Where no step repairs an error the two searches find the same step; the values before it are all measured."""
    error = data.draw(st.integers(0, steps - 1))
    w = world(steps=steps)
    mine = scan(w, lambda depth: depth <= error)
    other = answer_by(
        OmegaPRMLocate().program(w.problem, w.solution, w.wrong, seed=7), w.oracle(lambda depth: depth <= error)
    )
    assert located(mine).first_error == from_json(other.observations[0].evidence, SearchTrace).first_error == error
    assert {r.node_key for r in mine.rollouts} >= set(w.solution.node_keys[:error])


def test_right_answers_get_no_rollouts(world):
    """As in SCAN they are taken as clean, with the outcome as the only witness."""
    annotation = scan(w := world(steps=5), pytest.fail, outcome=w.right)
    assert annotation.status is AnnotationStatus.RIGHT_ANSWER
    assert annotation.rollouts == ()
    assert annotation.observations[0].source == "outcome"


def test_tool_outputs_are_stepped_over(world):
    """Only prefixes that end with the policy's own steps are asked, and only these are blamed."""
    w = world(steps=5, observations={1, 3})
    assert located(scan(w, lambda depth: depth < 3)).first_error == 2
    assert w.depths == [1, 3]


@pytest.mark.parametrize(
    ("told", "status", "reason"),
    [
        (EngineError("lost"), AnnotationStatus.ENGINE_FAILED, Reason.ENGINE_ERROR),
        (BudgetExhausted("spent"), AnnotationStatus.STOPPED_BY_BUDGET, Reason.BUDGET),
        (Outcome.UNKNOWN, AnnotationStatus.COMPLETE, Reason.NONE_DECIDED),
    ],
    ids=["engine", "budget", "unchecked"],
)
def test_a_prefix_without_an_answer_stops_it(world, told, status, reason):
    """Nothing is located, and what was found before is kept."""
    w = world(steps=6)
    annotation = scan(w, lambda depth: told if depth == 3 else True, reason="crash")
    assert annotation.status is status
    assert annotation.observations[0].verdict is Verdict.UNKNOWN
    assert annotation.observations[0].reason == reason
    trace = located(annotation)
    assert (trace.first_error, trace.reachable, trace.unreachable) == (None, 2, 6)
    assert w.depths == [1, 2, 3]


def test_the_root_when_told(world):
    """An unsolvable problem is not scanned."""
    w = world(steps=4)
    annotation = scan(w, lambda depth: False, ask_root=True)
    assert (annotation.status, w.depths) == (AnnotationStatus.SKIPPED, [0])


def test_strangers_are_refused(world):
    """Another solution's outcome is a DataError."""
    with pytest.raises(DataError, match="is about"):
        scan(world(steps=2), pytest.fail, outcome=world(steps=3).wrong)
