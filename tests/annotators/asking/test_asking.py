"""Questions about prefixes: their seeds, their chunks, and what is public."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

import steplabel.annotators
from steplabel.annotators import (
    Annotator,
    AnswerProbe,
    GoldLogprob,
    LinearScan,
    MathShepherd,
    OmegaPRMLocate,
    Samples,
    answer_by,
    samples_with,
)
from steplabel.annotators.asking.prefix import ask_prefix, prefix_seed
from steplabel.schemas import DataError, EngineError, Outcome, SamplingParams


@pytest.fixture
def ask(world):
    """Asks the prefix of two steps of a three-step solution; gives the world and the answer."""

    def run(succeeds, *, k=8, chunk=8, depth=2):
        w = world(steps=3)
        program = ask_prefix(w.problem, w.solution, depth, k=k, chunk=chunk, sampling=None, seed=5)
        return w, answer_by(program, w.oracle(succeeds))

    return run


def test_two_recipes_share_their_questions(world):
    """Under one run seed the search asks nothing that Monte Carlo has not: a store answers it for free."""
    w = world(steps=12)
    asked = []
    for annotator in (MathShepherd(), OmegaPRMLocate(), LinearScan()):
        w.asked = []
        program = annotator.program(w.problem, w.solution, w.wrong, seed=3)
        answer_by(program, w.oracle(lambda depth: depth <= 4))
        asked.append({(s.node_key, s.seed, s.n, s.start, s.sampling) for s in w.asked})
    monte_carlo, search, scan = asked
    assert search < monte_carlo
    assert scan < monte_carlo


@pytest.mark.parametrize(
    "annotator",
    [
        MathShepherd(k=3),
        MathShepherd(k=3, ask_root=True),
        OmegaPRMLocate(k=4),
        OmegaPRMLocate(k=4, ask_root=True),
        LinearScan(k=3),
    ],
    ids=["math_shepherd", "math_shepherd with the root", "locate", "locate from the root", "scan"],
)
@given(steps=st.integers(1, 40), data=st.data())
def test_no_program_asks_for_more_than_it_announces(world, annotator, steps, data):
    """Work is shared out by `most_samples`: it bounds what is asked, and for some oracle it is reached."""
    w = world(steps=steps)
    reached = data.draw(st.integers(0, steps))
    answer_by(annotator.program(w.problem, w.solution, w.wrong, seed=0), w.oracle(lambda depth: depth < reached))
    assert sum(asked.n for asked in w.asked) <= annotator.most_samples(steps)


@pytest.mark.parametrize("annotator", [MathShepherd(k=3), OmegaPRMLocate(k=4), LinearScan(k=3)], ids=lambda a: a.name)
@pytest.mark.parametrize("steps", [1, 2, 3, 4, 5, 8, 9, 16, 17])
def test_what_is_announced_can_be_reached(world, annotator, steps):
    """The announced bound is not a loose one: some solution of so many steps needs exactly that many."""
    asked = []
    for reached in range(steps + 1):
        w = world(steps=steps)
        answer_by(annotator.program(w.problem, w.solution, w.wrong, seed=0), w.oracle(lambda d, r=reached: d < r))
        asked.append(sum(effect.n for effect in w.asked))
    assert max(asked) == annotator.most_samples(steps)


def test_seeds_depend_on_run_and_node_alone():
    """Equal parts give equal seeds; another run or node gives another."""
    assert prefix_seed(1, "a") == prefix_seed(1, "a")
    assert len({prefix_seed(1, "a"), prefix_seed(2, "a"), prefix_seed(1, "b")}) == 3


@pytest.mark.parametrize(
    ("k", "chunk", "expected"),
    [(8, 8, [(0, 8)]), (8, 3, [(0, 3), (3, 3), (6, 2)]), (1, 1, [(0, 1)])],
)
def test_chunks(ask, k, chunk, expected):
    """Failing prefixes are asked in consecutive chunks that add up to k."""
    w, answer = ask(lambda depth: False, k=k, chunk=chunk)
    assert [(e.start, e.n) for e in w.asked] == expected
    assert [r.index for r in answer.rollouts] == list(range(k))


def test_the_chunk_with_a_success_is_the_last(ask):
    """Asking stops with the chunk that holds the first right completion, which is kept whole."""
    told = [Outcome.WRONG] * 4 + [Outcome.CORRECT] + [Outcome.WRONG] * 3
    _, answer = ask(lambda depth: told, chunk=3)
    assert [o.outcome for o in answer.outcomes] == told[:6]


def test_an_error_keeps_what_came_before(ask):
    """An engine's error is part of the answer, not an exception."""
    error = EngineError("lost")
    _, answer = ask(lambda depth: error)
    assert (answer.error, answer.rollouts, answer.depth) == (error, (), 2)


def test_the_solutions_own_sampling_is_the_default(world):
    """Without parameters the completer samples as the solution was sampled."""
    w = world(steps=2)
    own = SamplingParams(temperature=0.25)
    object.__setattr__(w.solution, "sampling", own)
    program = ask_prefix(w.problem, w.solution, 0, k=1, chunk=1, sampling=None, seed=5)
    answer_by(program, w.oracle(lambda depth: True))
    assert w.asked[0].sampling == own


def test_rollouts_and_outcomes_must_match(ask):
    """An answer whose parts differ in length is refused where it is made."""
    w, _ = ask(lambda depth: True)
    whole = samples_with(w.asked[0], [Outcome.WRONG] * 8)
    with pytest.raises(DataError, match="8 rollouts came with 7 outcomes"):
        Samples(rollouts=whole.rollouts, outcomes=whole.outcomes[1:])
    with pytest.raises(ValueError, match="zip"):
        samples_with(w.asked[0], [Outcome.WRONG] * 7)


def test_annotators_keep_to_their_port():
    """Every annotator is an `Annotator` with name and version, comparable and hashable as configuration."""
    annotators: list[Annotator] = [MathShepherd(), OmegaPRMLocate(), LinearScan(), AnswerProbe(), GoldLogprob()]
    names = ["math_shepherd", "omegaprm_locate", "linear_scan", "answer_probe", "gold_logprob"]
    assert [a.name for a in annotators] == names
    assert all(a.version for a in annotators)
    assert MathShepherd(k=4) == MathShepherd(k=4)
    assert len({MathShepherd(), MathShepherd(k=4), OmegaPRMLocate(), LinearScan()}) == 4


def test_public_names():
    """What the room exports: a change here is a change of the interface."""
    assert steplabel.annotators.__all__ == [
        "MCTS",
        "SCAN_GATE",
        "Annotation",
        "AnnotationStatus",
        "Annotator",
        "AnswerProbe",
        "AskedPrefix",
        "BankEngine",
        "Concurrently",
        "Effect",
        "EvenPieces",
        "Finished",
        "Formalise",
        "GoldLikelihood",
        "GoldLogprob",
        "Handler",
        "KByDifficulty",
        "LinearScan",
        "MathShepherd",
        "NextSteps",
        "NodeStatistics",
        "OmegaPRM",
        "OmegaPRMLocate",
        "ProbeTrace",
        "ProblemAnnotator",
        "Program",
        "QuestionDecision",
        "QuestionFilter",
        "RolloutPlan",
        "RolloutSelection",
        "Sample",
        "Samples",
        "SamplesOnly",
        "Score",
        "Scored",
        "SearchTrace",
        "StateValue",
        "Tally",
        "TreeTrace",
        "ZeroTest",
        "answer_by",
        "drive",
        "samples_with",
    ]
