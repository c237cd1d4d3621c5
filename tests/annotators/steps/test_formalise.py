"""Asking a model for formulas, and taking the JSON out of whatever it says."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from steplabel.annotators import AnnotationStatus, Sample, Samples, answer_by, samples_with
from steplabel.annotators.steps.formalise import (
    FORMALISED,
    MAX_DEPTH,
    MAX_OBJECT_CHARS,
    Formalise,
    formalisation_in,
)
from steplabel.schemas import (
    BudgetExhausted,
    ConfigError,
    DataError,
    EngineError,
    Outcome,
    Reason,
    Verdict,
    make_solution,
)

PLAIN = '{"declarations":[],"assumptions":[],"steps":[{"step":1,"claim":true}]}'


def annotate(w, said, **options):
    """Run it; the model says `said`. Gives the annotation and what was asked."""
    asked = []

    def oracle(effect):
        assert isinstance(effect, Sample)
        asked.append(effect)
        if isinstance(said, Exception):
            raise said
        answered = samples_with(effect, [Outcome.UNKNOWN], completer="writer@1", tokens=12)
        return Samples(rollouts=(replace(answered.rollouts[0], text=said),), outcomes=answered.outcomes)

    program = Formalise(**options).program(w.problem, w.solution, w.wrong, seed=7)
    return answer_by(program, oracle), asked


def test_the_answer_is_kept_as_evidence(world):
    """One observation on the solution, without a verdict, that says what it cost and who wrote it."""
    w = world(steps=2)
    annotation, _ = annotate(w, f"Here it is:\n```json\n{PLAIN}\n```")
    assert (annotation.status, annotation.rollouts) == (AnnotationStatus.COMPLETE, ())
    (observation,) = annotation.observations
    assert (observation.subject, observation.source) == (w.solution.id, "formalisation")
    assert (observation.verdict, observation.score, observation.reason) == (Verdict.UNKNOWN, None, FORMALISED)
    assert observation.evidence == PLAIN
    assert (observation.tool_version, observation.cost_tokens) == ("writer@1", 12)


def test_what_is_asked(world):
    """Problem and numbered steps in one user turn, under an id of its own, so that no answer counts as a solution."""
    w = world(steps=2)
    _, (asked,) = annotate(w, PLAIN)
    (turn,) = asked.problem.messages
    text = turn.parts[0].text
    assert text.endswith("Problem:\nHow many?\n\nSolution:\n[step 1] step 0.\n[step 2] step 1.\n")
    assert asked.problem.id != w.problem.id
    assert asked.problem.gold is None
    assert asked.node_key == asked.problem.root_key
    assert (asked.n, asked.prefix) == (1, "")


def test_equal_solutions_ask_the_same(world):
    """Key and seed follow from the text and the run's seed alone, so a store answers the second from the first."""
    first, second = world(steps=2), world(steps=2)
    second.solution = replace(second.solution, id="another")
    second.solution = make_solution(second.problem, second.solution.steps, policy="another")
    (one,), (other,) = annotate(first, PLAIN)[1], annotate(second, PLAIN)[1]
    assert one == other


def test_plain_text(world):
    """Without a chat the same words are the problem's text."""
    _, (asked,) = annotate(world(steps=1), PLAIN, chat=False)
    assert asked.problem.messages == ()
    assert "[step 1] step 0." in asked.problem.text


def test_an_answer_without_json_is_unparsable(world):
    """It is told so, and nothing is kept of it."""
    annotation, _ = annotate(world(steps=1), "I cannot do that.")
    (observation,) = annotation.observations
    assert (observation.reason, observation.evidence, observation.cost_tokens) == (Reason.UNPARSABLE, "", 12)


@pytest.mark.parametrize(
    ("error", "status", "reason"),
    [
        (EngineError("lost"), AnnotationStatus.ENGINE_FAILED, Reason.ENGINE_ERROR),
        (BudgetExhausted("spent"), AnnotationStatus.STOPPED_BY_BUDGET, Reason.BUDGET),
    ],
    ids=["engine", "budget"],
)
def test_no_answer_at_all(world, error, status, reason):
    """The status says who failed; the observation has the reason."""
    annotation, _ = annotate(world(steps=1), error)
    assert annotation.status is status
    assert [o.reason for o in annotation.observations] == [reason]


def test_a_solution_of_another_problem_is_refused(world):
    """As every annotator does."""
    w, other = world(steps=1), world(steps=1)
    foreign = replace(other.problem, id="q")
    with pytest.raises(DataError, match="answers problem"):
        answer_by(Formalise().program(foreign, w.solution, None, seed=0), pytest.fail)


def test_instructions_are_needed():
    """Without them the model would solve the problem instead."""
    with pytest.raises(ConfigError, match="instructions"):
        Formalise(instructions=" ")


def test_announced(world):
    """One sample a solution."""
    for steps in (1, 5):
        assert len(annotate(world(steps=steps), PLAIN)[1]) == Formalise().most_samples(steps)


@pytest.mark.parametrize(
    ("answer", "found"),
    [
        (PLAIN, PLAIN),
        ("{not json} then " + PLAIN, PLAIN),
        ('{"thought": 1} and {"steps": []}', '{"steps":[]}'),
        ('{"steps": [], "note": "a } brace and a \\" quote"}', '{"steps":[],"note":"a } brace and a \\" quote"}'),
        ("{ { " + PLAIN, PLAIN),
        ('{"steps": []', None),
        ('{"steps": "none"}', None),
        ('{"steps": [NaN]}', None),
        ('{"steps": [' + "9" * 5_000 + "]}", None),
        ('{"steps": ' + "[" * MAX_DEPTH + "]" * MAX_DEPTH + "}", None),
        ('{"steps": ["' + "a" * MAX_OBJECT_CHARS + '"]}', None),
        ("{" * 100_000, None),
        ('{"a' * 50_000, None),
        ("[1, 2]", None),
        ("", None),
        (PLAIN + " Once more: " + PLAIN, PLAIN),
        ('Such as {"steps": [1]}. ' + PLAIN, None),
        (PLAIN + ' No: {"steps": [1]}', None),
    ],
    ids=[
        "plain", "after a broken one", "after another object", "braces in text", "after open braces", "never closed",
        "steps are no list", "nan", "long integer", "deep", "long", "open braces", "open quotes", "a list", "empty",
        "said twice", "an example first", "corrected",
    ],
)  # fmt: skip
def test_taking_the_json_out(answer, found):
    """The one object with a list of steps, or nothing, also where two differ; never an exception."""
    assert formalisation_in(answer) == found


@given(st.text(alphabet='{}[]",:\\ steps1', max_size=200))
def test_any_text_gives_json_or_nothing(answer):
    """What comes out is JSON with steps."""
    found = formalisation_in(answer)
    assert found is None or isinstance(json.loads(found)["steps"], list)
