"""Evidence merges as sets do: nothing counts twice, nothing is lost."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from steplabel.schemas import (
    CheckedOutcome,
    DataError,
    Evidence,
    FinishReason,
    Observation,
    Outcome,
    Problem,
    Reason,
    Rollout,
    SamplingParams,
    Step,
    Verdict,
    make_solution,
)

PROBLEM = Problem(id="p", text="q")
SOLUTIONS = [make_solution(PROBLEM, (Step(text="a"),), index=i) for i in range(5)]


def _rollout(key: str) -> Rollout:
    return Rollout(
        key=key,
        node_key="n",
        problem_id="p",
        completer="m",
        sampling=SamplingParams(),
        seed=0,
        index=0,
        text=f"text of {key}",
        finish_reason=FinishReason.STOP,
    )


def _outcome(subject: str, outcome: Outcome = Outcome.CORRECT) -> CheckedOutcome:
    return CheckedOutcome(subject=subject, checker="c", checker_version="1", outcome=outcome)


def _observation(evidence: str) -> Observation:
    return Observation(subject="n", source="z3", source_version="1", verdict=Verdict.HOLDS, evidence=evidence)


KEYS = st.sampled_from("abcde")
EVIDENCE = st.builds(
    Evidence,
    problem=st.just(PROBLEM),
    solutions=st.lists(st.sampled_from(SOLUTIONS), unique=True, max_size=4).map(tuple),
    rollouts=st.lists(KEYS, unique=True, max_size=4).map(lambda keys: tuple(map(_rollout, keys))),
    outcomes=st.lists(KEYS, unique=True, max_size=4).map(lambda keys: tuple(map(_outcome, keys))),
    observations=st.lists(KEYS, unique=True, max_size=4).map(lambda keys: tuple(map(_observation, keys))),
)


def _sets(evidence: Evidence) -> tuple[frozenset[Any], ...]:
    return tuple(
        frozenset(items) for items in (evidence.solutions, evidence.rollouts, evidence.outcomes, evidence.observations)
    )


@given(EVIDENCE)
def test_merge_is_idempotent(one: Evidence) -> None:
    """Merging evidence with itself changes nothing, not even the order."""
    assert one.merged(one) == one


@given(EVIDENCE, EVIDENCE)
def test_merge_is_union(one: Evidence, two: Evidence) -> None:
    """Merging is set union, either way round."""
    union = tuple(a | b for a, b in zip(_sets(one), _sets(two), strict=True))
    assert _sets(one.merged(two)) == _sets(two.merged(one)) == union


@given(EVIDENCE, EVIDENCE, EVIDENCE)
def test_merge_is_associative(one: Evidence, two: Evidence, three: Evidence) -> None:
    """It does not matter which two are merged first; even the order of what is found stays."""
    assert one.merged(two).merged(three) == one.merged(two.merged(three))


@given(EVIDENCE)
def test_nothing_is_neutral(one: Evidence) -> None:
    """Merging with no evidence changes nothing."""
    nothing = Evidence(problem=PROBLEM)
    assert one.merged(nothing) == one == nothing.merged(one)


@given(EVIDENCE, EVIDENCE)
def test_first_come_first_listed(one: Evidence, two: Evidence) -> None:
    """What was there stays in front in its order, so that merging is repeatable."""
    merged = one.merged(two).rollouts
    assert merged[: len(one.rollouts)] == one.rollouts


@given(data=st.data())
def test_merge_survives_anything(records: Mapping[type, SearchStrategy[Any]], data: st.DataObject) -> None:
    """Arbitrary evidence of one problem merges to each key once."""
    one = data.draw(records[Evidence])
    merged = one.merged(one)
    assert len({r.key for r in merged.rollouts}) == len(merged.rollouts)
    assert {o.key for o in merged.outcomes} == {o.key for o in one.outcomes}
    assert merged.merged(one) == merged


@pytest.mark.parametrize("late", [Outcome.CORRECT, Outcome.WRONG])
def test_a_decided_outcome_replaces_an_unknown_one(late: Outcome) -> None:
    """A check that crashed is asked again; its answer counts whichever side it comes from."""
    unknown = Evidence(problem=PROBLEM, outcomes=(_outcome("a", Outcome.UNKNOWN), _outcome("b")))
    decided = Evidence(problem=PROBLEM, outcomes=(_outcome("a", late),))
    assert unknown.merged(decided).outcomes == (_outcome("a", late), _outcome("b"))
    assert decided.merged(unknown).outcomes == (_outcome("a", late), _outcome("b"))


def test_the_first_of_two_decided_outcomes_stays() -> None:
    """Two decided answers under one key cannot both be; the one that labels were made from stays."""
    right = Evidence(problem=PROBLEM, outcomes=(_outcome("a", Outcome.CORRECT),))
    wrong = Evidence(problem=PROBLEM, outcomes=(_outcome("a", Outcome.WRONG),))
    assert right.merged(wrong) == right


def test_checker_versions_are_told_apart() -> None:
    """A mended checker speaks beside the old one, not over it."""
    old, new = (CheckedOutcome(subject="a", checker="c", checker_version=v, outcome=Outcome.WRONG) for v in "12")
    merged = Evidence(problem=PROBLEM, outcomes=(old,)).merged(Evidence(problem=PROBLEM, outcomes=(new,)))
    assert merged.outcomes == (old, new)


def test_evidence_of_two_problems_does_not_mix() -> None:
    """Evidence about another problem is refused, not swallowed."""
    with pytest.raises(DataError, match="problem p merged with that of other"):
        Evidence(problem=PROBLEM).merged(Evidence(problem=Problem(id="other", text="q")))


def test_reasons_are_distinct_words() -> None:
    """Reports group by reason, so no two reasons share a word."""
    words = [value for name, value in vars(Reason).items() if name.isupper()]
    assert len(set(words)) == len(words)
    assert Reason.NO_GOLD in words
    assert all(":" not in word and word == word.lower() for word in words)
