"""Forced-answer probes, stepped by hand."""

from __future__ import annotations

import pytest

from steplabel.annotators import AnnotationStatus, AnswerProbe, Concurrently, answer_by, samples_with
from steplabel.annotators.steps.answer_probe import ProbeTrace
from steplabel.schemas import (
    BudgetExhausted,
    ConfigError,
    EngineError,
    Outcome,
    Reason,
    SamplingParams,
    Verdict,
)
from steplabel.schemas.codec import from_json

C, W, U = Outcome.CORRECT, Outcome.WRONG, Outcome.UNKNOWN


def annotate(w, told, *, reason="no_answer", completer="prover@1", **options):
    """Run a probe; `told` gives the outcomes by depth. What was asked lies in `w.asked`."""
    annotator = AnswerProbe(**options)
    nodes = [w.problem.root_key, *w.solution.node_keys]
    depths = {node: depth for depth, node in enumerate(nodes)}

    def oracle(effect):
        w.asked.append(effect)
        outcomes = told(depths[effect.node_key])
        if isinstance(outcomes, Exception):
            raise outcomes
        return samples_with(effect, outcomes, reason=reason, completer=completer)

    return answer_by(annotator.program(w.problem, w.solution, w.wrong, seed=7), oracle)


def traces(annotation):
    return [from_json(o.evidence, ProbeTrace) for o in annotation.observations if o.source == "answer_probe"]


def test_by_hand(world):
    """Three steps: the root, and depths 1 and 2 are probed; shares 0, 1/4, 3/4 change by 1/4 and 1/2."""
    w = world(steps=3)
    told = {0: [W] * 4, 1: [C, W, W, U], 2: [C, C, C, W]}
    annotation = annotate(w, told.get, k=4)
    assert annotation.status is AnnotationStatus.COMPLETE
    *probed, last = annotation.observations
    assert [o.subject for o in probed] == [w.problem.root_key, *w.solution.node_keys[:2]]
    assert [o.score for o in probed] == [0.0, 0.25, 0.75]
    assert all(o.verdict is Verdict.UNKNOWN and not o.reason for o in probed)
    assert [t.change for t in traces(annotation)] == [None, 0.25, 0.5]
    second = traces(annotation)[1]
    assert (second.correct, second.wrong, second.silent, second.undecided) == (1, 2, 1, 0)
    assert (second.probe, second.completer) == ("Answer: ", "prover@1")
    assert (last.subject, last.source, last.verdict) == (w.solution.node_keys[2], "outcome", Verdict.FAILS)


def test_what_is_asked(world):
    """The prefix with its probe behind it, for few tokens that end with the line."""
    w = world(steps=2)
    annotate(w, lambda depth: [C] * 8)
    root, first = w.asked
    assert (root.prefix, root.probe, root.n) == ("", "Answer: ", 8)
    assert (first.prefix, first.node_key) == (w.solution.prefix(1), w.solution.node_keys[0])
    assert (first.sampling.max_tokens, first.sampling.stop) == (16, ("\n",))
    assert first.seed != root.seed


def test_all_prefixes_are_asked_at_once(world):
    """One effect holds a program for each prefix."""
    w = world(steps=6)
    effect = next(AnswerProbe().program(w.problem, w.solution, w.wrong, seed=1))
    assert isinstance(effect, Concurrently)
    assert len(effect.programs) == 6


def test_rollouts_are_the_probes_own(world):
    """They name it and the prefix, and another text asks anew."""
    w = world(steps=3)
    annotation = annotate(w, lambda depth: [C] * 8)
    asked = {(r.node_key, r.probe) for r in annotation.rollouts}
    assert asked == {(node, "Answer: ") for node in (w.problem.root_key, *w.solution.node_keys[:2])}
    other = annotate(w, lambda depth: [C] * 8, probe="So it is ")
    assert {r.key for r in annotation.rollouts}.isdisjoint(r.key for r in other.rollouts)


def test_without_the_root(world):
    """Then the first step has no change to report."""
    w = world(steps=3)
    annotation = annotate(w, lambda depth: [C] * 8, ask_root=False)
    assert [o.subject for o in annotation.observations[:-1]] == list(w.solution.node_keys[:2])
    assert [t.change for t in traces(annotation)] == [None, 0.0]


def test_own_sampling_is_shortened(world):
    """Given parameters keep their temperature and stops; only the length is the probe's."""
    w = world(steps=2)
    sampling = SamplingParams(temperature=0.3, max_tokens=900, stop=("END", "\n"))
    annotate(w, lambda depth: [C] * 8, sampling=sampling, max_tokens=4)
    assert w.asked[0].sampling == SamplingParams(temperature=0.3, max_tokens=4, stop=("END", "\n"))


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
    w = world(steps=4)
    annotation = annotate(w, lambda depth: error if depth == 1 else [C] * 8)
    assert annotation.status is status
    assert "1 of 4 prefixes" in annotation.detail
    assert [o.score for o in annotation.observations[:-1]] == [1.0, None, 1.0, 1.0]
    assert annotation.observations[1].reason == reason
    assert [t.change for t in traces(annotation)] == [None, None, None, 0.0]


def test_unchecked_answers_are_no_wrong_ones(world):
    """Where no answer could be checked there is no score."""
    annotation = annotate(world(steps=2), lambda depth: [U] * 8, reason="crash")
    assert [o.score for o in annotation.observations[:-1]] == [None, None]
    assert {o.reason for o in annotation.observations[:-1]} == {Reason.NONE_DECIDED}


def test_announced_samples(world):
    """k at the root and at every step but the last."""
    for steps in (1, 2, 7):
        w = world(steps=steps)
        annotate(w, lambda depth: [C] * 3, k=3)
        assert sum(effect.n for effect in w.asked) == AnswerProbe(k=3).most_samples(steps)


def test_nothing_to_probe(world):
    """A solution of tool outputs alone is skipped."""
    assert annotate(world(steps=2, observations={0, 1}), pytest.fail).status is AnnotationStatus.SKIPPED


@pytest.mark.parametrize("options", [{"k": 0}, {"probe": ""}, {"max_tokens": 0}], ids=str)
def test_refused(options):
    """A probe without a text, or that asks for nothing, raises ConfigError."""
    with pytest.raises(ConfigError):
        AnswerProbe(**options)
