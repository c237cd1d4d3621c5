"""Small evidence, made by hand."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from steplabel.schemas import (
    CheckedOutcome,
    Evidence,
    FinishReason,
    GoldAnswer,
    Outcome,
    Problem,
    Rollout,
    SamplingParams,
    make_solution,
)
from steplabel.schemas.segmentation import NewlineSteps


def _evidence(name: str = "p", *, text: str = "2+2=4\n4*2=8\nAnswer: 8", gold: str = "8") -> Evidence:
    problem = Problem(id=name, text=f"Question {name}?", gold=GoldAnswer(text=gold))
    solution = make_solution(problem, NewlineSteps().split(text), policy="hand")
    rollout = Rollout(
        key=f"rollout-{name}",
        node_key=solution.node_keys[0],
        problem_id=name,
        completer="hand",
        sampling=SamplingParams(),
        seed=1,
        index=0,
        text="4*2=8\nAnswer: 8",
        finish_reason=FinishReason.STOP,
        completion_tokens=7,
    )
    outcomes = tuple(
        CheckedOutcome(subject=s, checker="answer", checker_version="1", outcome=Outcome.CORRECT)
        for s in (rollout.key, solution.id)
    )
    return Evidence(problem=problem, solutions=(solution,), rollouts=(rollout,), outcomes=outcomes)


@pytest.fixture
def evidence() -> Callable[..., Evidence]:
    """Make a problem with one solution and one rollout."""
    return _evidence
