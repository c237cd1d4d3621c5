"""Monte Carlo at every step, stepped by hand."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from steplabel.annotators import AnnotationStatus, Concurrently, Finished, MathShepherd, answer_by
from steplabel.schemas import (
    BudgetExhausted,
    ConfigError,
    DataError,
    EngineError,
    Outcome,
    Step,
    Verdict,
    make_solution,
)


def annotate(w, succeeds, outcome=None, **options):
    program = MathShepherd(**options).program(w.problem, w.solution, outcome or w.wrong, seed=7)
    return answer_by(program, w.oracle(succeeds))


@given(data=st.data(), steps=st.integers(1, 20))
def test_every_prefix_but_the_final_one_is_asked_once(world, data, steps):
    """Each labelable step but the last is asked exactly once, tool outputs never."""
    observations = data.draw(st.frozensets(st.integers(0, steps - 1), max_size=steps - 1))
    w = world(steps=steps, observations=observations)
    annotation = annotate(w, lambda depth: True)
    own = [i + 1 for i in range(steps) if i not in observations]
    assert w.depths == own[:-1]
    assert annotation.status is AnnotationStatus.COMPLETE
    assert len({rollout.key for rollout in annotation.rollouts}) == 8 * (len(own) - 1)


def test_the_root_is_asked_when_told(world):
    """Views of progress compare the first step with the bare problem: `ask_root` asks it beside the others."""
    w = world(steps=3)
    annotation = annotate(w, lambda depth: depth > 0, ask_root=True, k=2)
    assert w.depths == [0, 1, 2]
    assert [r.node_key for r in annotation.rollouts[:2]] == [w.problem.root_key] * 2


def test_all_prefixes_are_asked_at_once(world):
    """The first effect holds one program for each prefix, so a batching engine sees them together."""
    w = world(steps=6)
    effect = next(MathShepherd().program(w.problem, w.solution, w.wrong, seed=1))
    assert isinstance(effect, Concurrently)
    assert len(effect.programs) == 5


def test_counts_follow_from_the_rollouts(world):
    """What comes back per node is the k rollouts asked for, with their outcomes in the same order."""
    w = world(steps=4)
    truth = {1: [Outcome.CORRECT] * 3, 2: [Outcome.CORRECT, Outcome.WRONG, Outcome.UNKNOWN], 3: False}
    annotation = annotate(w, truth.get, k=3)
    right = Counter(
        rollout.node_key
        for rollout, checked in zip(annotation.rollouts, annotation.outcomes, strict=True)
        if checked.outcome is Outcome.CORRECT
    )
    assert [right[key] for key in w.solution.node_keys] == [3, 1, 0, 0]
    assert [r.key for r in annotation.rollouts] == [o.subject for o in annotation.outcomes]


@pytest.mark.parametrize(
    ("outcome", "verdict", "reason"),
    [
        (Outcome.CORRECT, Verdict.HOLDS, ""),
        (Outcome.WRONG, Verdict.FAILS, ""),
        (Outcome.UNKNOWN, Verdict.UNKNOWN, "length"),
        (None, Verdict.UNKNOWN, "unchecked"),
    ],
)
def test_the_last_step_rests_on_the_outcome(world, outcome, verdict, reason):
    """Documented deviation: the final prefix is not asked; the solution's own outcome speaks on its node."""
    w = world(steps=3, observations={2})
    checked = None if outcome is None else w.outcome(outcome, reason)
    program = MathShepherd().program(w.problem, w.solution, checked, seed=7)
    (claim,) = answer_by(program, w.oracle(lambda depth: True)).observations
    assert claim.subject == w.solution.node_keys[1], "the last step that the policy wrote"
    assert (claim.source, claim.verdict, claim.reason) == ("outcome", verdict, reason)


def test_siblings_ask_the_same_of_a_shared_prefix(world):
    """Questions about a node depend on the run's seed and the node alone, so that a store can replay them."""
    w = world(steps=4)
    sibling = make_solution(w.problem, (*w.solution.steps[:3], Step(text="another end")), index=1)
    annotate(w, lambda depth: True)
    mine, w.asked = w.asked, []
    other = w.outcome(Outcome.WRONG)
    other = type(other)(subject=sibling.id, checker="t", checker_version="1", outcome=Outcome.WRONG)
    theirs = answer_by(MathShepherd().program(w.problem, sibling, other, seed=7), w.oracle(lambda d: True))
    assert w.asked == mine
    assert theirs.observations[0].subject != w.solution.node_keys[-1]


def test_another_seed_asks_for_other_samples(world):
    """The run's seed reaches every question."""
    w = world(steps=4)
    for seed in (1, 2):
        answer_by(MathShepherd().program(w.problem, w.solution, w.wrong, seed=seed), w.oracle(lambda d: True))
    assert len({effect.seed for effect in w.asked}) == 6


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (EngineError("lost"), AnnotationStatus.ENGINE_FAILED),
        (BudgetExhausted("spent"), AnnotationStatus.STOPPED_BY_BUDGET),
    ],
    ids=["engine", "budget"],
)
def test_a_failed_prefix_leaves_the_others(world, error, status):
    """One prefix without an answer costs only its own rollouts, and no outcome is invented for it."""
    w = world(steps=5)
    annotation = annotate(w, lambda depth: error if depth == 2 else True)
    assert annotation.status is status
    assert "1 of 4 prefixes" in annotation.detail
    assert {r.node_key for r in annotation.rollouts} == {w.solution.node_keys[i] for i in (0, 2, 3)}


def test_budget_outranks_engine(world):
    """If both failed, the budget is what a user can mend first."""
    errors = {1: EngineError("lost"), 2: BudgetExhausted("spent")}
    assert annotate(world(steps=3), errors.get).status is AnnotationStatus.STOPPED_BY_BUDGET


def test_bugs_escape(world):
    """An error that is neither the engine's nor the budget's ends the program."""
    with pytest.raises(ZeroDivisionError):
        annotate(world(steps=3), lambda depth: ZeroDivisionError())


def test_a_branch_answer_is_taken_as_given(world):
    """Stepping by hand: the program accepts what any driver hands back for Concurrently."""
    w = world(steps=1)
    program = MathShepherd().program(w.problem, w.solution, w.right, seed=1)
    assert next(program) == Concurrently(programs=())
    with pytest.raises(StopIteration) as stop:
        program.send(())
    assert stop.value.value.status is AnnotationStatus.COMPLETE
    assert Finished(key=0, result=None).unwrap() is None


def test_nothing_to_label_is_skipped(world):
    """A solution of tool outputs alone has nothing to ask."""
    annotation = annotate(world(steps=2, observations={0, 1}), pytest.fail)
    assert annotation.status is AnnotationStatus.SKIPPED
    assert annotation.detail


def test_refuses_what_cannot_work(world):
    """k below 1, and a solution of another problem."""
    with pytest.raises(ConfigError, match="k=0"):
        MathShepherd(k=0)
    w = world(steps=2)
    foreign = type(w.problem)(id="q", text="Else?", gold=w.problem.gold)
    with pytest.raises(DataError, match="answers problem p, not q"):
        next(MathShepherd().program(foreign, w.solution, None, seed=1))
