"""The gold answer's probability along the prefixes, stepped by hand."""

from __future__ import annotations

import math

import pytest

from steplabel.annotators import AnnotationStatus, Concurrently, GoldLogprob, Score, Scored, answer_by
from steplabel.annotators.steps.gold_logprob import GoldLikelihood
from steplabel.schemas import (
    AnswerType,
    BudgetExhausted,
    ConfigError,
    EngineError,
    GoldAnswer,
    Problem,
    Reason,
    Verdict,
    make_solution,
)
from steplabel.schemas.codec import from_json


def annotate(w, told, **options):
    """Run it; `told(prefix)` gives the log-probability, for two tokens. Gives the annotation and what was asked."""
    asked = []

    def oracle(effect):
        assert isinstance(effect, Score)
        asked.append(effect)
        said = told(effect.prefix)
        if isinstance(said, Exception):
            raise said
        return Scored(logprob=said, tokens=2, completer="prover@1")

    program = GoldLogprob(**options).program(w.problem, w.solution, w.wrong, seed=7)
    return answer_by(program, oracle), asked


def likelihoods(annotation):
    return [
        from_json(o.evidence, GoldLikelihood) for o in annotation.observations if o.evidence and o.score is not None
    ]


def test_by_hand(world):
    """Probabilities 1/16, 1/4, 1 of two tokens are 1/4, 1/2, 1 a token: gains 1/4 and 1/2, and log 4 each."""
    w = world(steps=3)
    table = {0: math.log(1 / 16), 1: math.log(1 / 4), 2: 0.0}
    annotation, _ = annotate(w, lambda prefix: table[prefix.count("step")])
    assert annotation.status is AnnotationStatus.COMPLETE
    assert annotation.rollouts == ()
    *scored, last = annotation.observations
    assert [o.subject for o in scored] == [w.problem.root_key, *w.solution.node_keys[:2]]
    assert [o.score for o in scored] == pytest.approx([0.25, 0.5, 1.0])
    found = likelihoods(annotation)
    assert [f.logprob for f in found] == [table[0], table[1], table[2]]
    assert [f.change for f in found] == [None, pytest.approx(0.25), pytest.approx(0.5)]
    assert [f.logprob_change for f in found] == [None, pytest.approx(math.log(4)), pytest.approx(math.log(4))]
    assert {(f.tokens, f.completer, f.lead) for f in found} == {(2, "prover@1", "Answer: ")}
    assert (last.subject, last.source, last.verdict) == (w.solution.node_keys[2], "outcome", Verdict.FAILS)


def test_what_is_asked(world):
    """The gold answer behind prefix and lead, all prefixes in one effect."""
    w = world(steps=2)
    program = GoldLogprob().program(w.problem, w.solution, w.wrong, seed=7)
    effect = next(program)
    assert isinstance(effect, Concurrently)
    assert len(effect.programs) == 2
    _, (root, first) = annotate(w, lambda prefix: -1.0)
    assert (root.prefix, root.continuation) == ("Answer: ", "7")
    assert first.prefix == w.solution.prefix(1) + "Answer: "
    assert first.node_key == w.solution.node_keys[0]


def test_a_closing_is_scored_too(world):
    """So that 7 is told from 72."""
    _, asked = annotate(world(steps=2), lambda prefix: -1.0, closing="\n")
    assert {effect.continuation for effect in asked} == {"7\n"}


def test_without_a_lead_and_without_the_root(world):
    """Both are settings; without a lead the answer stands right behind the prefix."""
    w = world(steps=2)
    annotation, (only,) = annotate(w, lambda prefix: -1.0, lead="", ask_root=False)
    assert (only.prefix, only.node_key) == (w.solution.prefix(1), w.solution.node_keys[0])
    assert likelihoods(annotation)[0].change is None


@pytest.mark.parametrize(
    ("error", "status", "reason"),
    [
        (EngineError("lost"), AnnotationStatus.ENGINE_FAILED, Reason.ENGINE_ERROR),
        (BudgetExhausted("spent"), AnnotationStatus.STOPPED_BY_BUDGET, Reason.BUDGET),
    ],
    ids=["engine", "budget"],
)
def test_a_prefix_without_an_answer(world, error, status, reason):
    """It has no score, the step behind it no change, and the others are kept."""
    annotation, _ = annotate(world(steps=4), lambda prefix: error if prefix.count("step") == 1 else -2.0)
    assert annotation.status is status
    assert "1 of 4 prefixes" in annotation.detail
    assert [o.score is None for o in annotation.observations[:-1]] == [False, True, False, False]
    assert annotation.observations[1].reason == reason
    assert [f.change for f in likelihoods(annotation)] == [None, None, 0.0]


def test_an_engine_that_cannot_ends_the_program(world):
    """ConfigError is nobody's unknown answer: it escapes, with its message."""
    with pytest.raises(ConfigError, match="no log-probabilities"):
        annotate(world(steps=3), lambda prefix: ConfigError("no log-probabilities of prompts"))


@pytest.mark.parametrize("gold", [None, GoldAnswer(text="", type=AnswerType.UNIT_TESTS)], ids=["none", "no text"])
def test_nothing_to_score(world, gold):
    """A problem without a gold text is skipped, and nothing is asked."""
    w = world(steps=2)
    w.problem = Problem(id="p", text="How many?", gold=gold)
    w.solution = make_solution(w.problem, w.solution.steps)
    annotation, asked = annotate(w, pytest.fail)
    assert (annotation.status, asked) == (AnnotationStatus.SKIPPED, [])
    assert Reason.NO_GOLD in annotation.detail


def test_nothing_of_the_policys_own(world):
    """A solution of tool outputs alone is skipped."""
    assert annotate(world(steps=2, observations={0, 1}), pytest.fail)[0].status is AnnotationStatus.SKIPPED


def test_announced(world):
    """One score at the root and at every step but the last."""
    for steps in (1, 2, 7):
        _, asked = annotate(world(steps=steps), lambda prefix: -1.0)
        assert len(asked) == GoldLogprob().most_samples(steps)
