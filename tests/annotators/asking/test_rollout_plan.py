"""Fixed k, k by difficulty and early ends: the same options for every annotator of prefixes."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from steplabel.annotators import (
    AnnotationStatus,
    KByDifficulty,
    LinearScan,
    MathShepherd,
    OmegaPRMLocate,
    SearchTrace,
    Tally,
    ZeroTest,
    answer_by,
    samples_with,
)
from steplabel.schemas import BudgetExhausted, ConfigError, EngineError, Outcome, SamplingParams
from steplabel.schemas.codec import from_json

SMALL = KByDifficulty(hard=6, medium=4, easy=3, hard_below=0.3, easy_from=0.9, pilot=2)
ALL = [MathShepherd, OmegaPRMLocate, LinearScan]
kinds = pytest.mark.parametrize("kind", ALL, ids=lambda kind: kind.name)


def annotate(w, annotator, succeeds, **options):
    program = annotator.program(w.problem, w.solution, w.wrong, seed=7)
    return answer_by(program, w.oracle(succeeds, **options))


def portions(w, depth):
    """(first sample, samples) of each question about a prefix."""
    return [(effect.start, effect.n) for effect in w.asked if w.depth(effect) == depth]


class TestDifficulty:
    """K by the problem's pass@1."""

    @pytest.mark.parametrize(
        ("correct", "wrong", "silent", "undecided", "k"),
        [
            (0, 32, 0, 0, 128),
            (3, 29, 0, 0, 128),
            (4, 28, 0, 0, 64),
            (28, 4, 0, 0, 64),
            (29, 3, 0, 0, 32),
            (32, 0, 0, 0, 32),
            (3, 0, 29, 0, 128),
            (3, 5, 0, 24, 64),
            (0, 0, 32, 0, 128),
            (0, 0, 0, 32, None),
        ],
    )
    def test_the_papers_table(self, correct, wrong, silent, undecided, k):
        """128 below .1, 64 below .9, else 32: 3/32 = .094, 4/32 = .125, 28/32 = .875, 29/32 = .906."""
        pilot = Tally(correct=correct, wrong=wrong, silent=silent, undecided=undecided)
        assert KByDifficulty().k(pilot) == k

    @pytest.mark.parametrize("rate", [0.1, 0.9])
    def test_the_thresholds_themselves(self, rate):
        """ "Below" is strict: pass@1 of exactly .1 is medium, of exactly .9 easy."""
        pilot = Tally(correct=round(10 * rate), wrong=10 - round(10 * rate))
        assert KByDifficulty().k(pilot) == {0.1: 64, 0.9: 32}[rate]

    @kinds
    @pytest.mark.parametrize(("right", "k"), [(0, 6), (1, 4), (2, 3)])
    def test_k_follows_from_the_pilot(self, world, kind, right, k):
        """The bare problem's pilot is asked first; then each prefix gets the k of that difficulty."""
        w = world(steps=4)
        told = [Outcome.CORRECT] * right + [Outcome.WRONG] * (2 - right)
        annotation = annotate(w, kind(k_by_difficulty=SMALL), lambda depth: told if depth == 0 else True)
        assert w.depths[0] == 0
        assert portions(w, 0) == [(0, 2)]
        assert {(e.start, e.n) for e in w.asked[1:]} == {(0, k)}
        assert annotation.status is AnnotationStatus.COMPLETE
        assert sum(r.node_key == w.problem.root_key for r in annotation.rollouts) == 2

    @kinds
    def test_the_pilot_is_part_of_the_root(self, world, kind):
        """Where the bare problem is asked too, its pilot is topped up to k and nothing of it is asked twice."""
        w = world(steps=4)
        told = [Outcome.CORRECT, Outcome.WRONG] * 3
        annotation = annotate(w, kind(k_by_difficulty=SMALL, ask_root=True), lambda depth: told)
        assert portions(w, 0) == [(0, 2), (2, 2)]
        keys = [rollout.key for rollout in annotation.rollouts]
        assert len(set(keys)) == len(keys)
        assert [r.index for r in annotation.rollouts if r.node_key == w.problem.root_key] == [0, 1, 2, 3]

    @kinds
    def test_a_pilot_that_says_enough_is_not_topped_up(self, world, kind):
        """Early ends: a success in the pilot is the root's answer."""
        w = world(steps=3)
        annotate(w, kind(k_by_difficulty=SMALL, ask_root=True, stop_at_first_success=True, chunk=1), lambda depth: True)
        assert portions(w, 0) == [(0, 2)]

    def test_failures_of_the_pilot_count_in_the_test(self, world):
        """Two failures of the pilot suffice for p0=.8, alpha=.05: the root is called zero without a further one."""
        w = world(steps=3)
        plan = LinearScan(k_by_difficulty=SMALL, ask_root=True, zero_test=ZeroTest(p0=0.8), chunk=1)
        assert plan.zero_test.failures == 2
        annotation = annotate(w, plan, lambda depth: False)
        assert (portions(w, 0), w.depths) == ([(0, 2)], [0])
        assert annotation.status is AnnotationStatus.SKIPPED

    @kinds
    @pytest.mark.parametrize(
        ("told", "status"),
        [
            (EngineError("lost"), AnnotationStatus.ENGINE_FAILED),
            (BudgetExhausted("spent"), AnnotationStatus.STOPPED_BY_BUDGET),
            (Outcome.UNKNOWN, AnnotationStatus.SKIPPED),
        ],
        ids=["engine", "budget", "unchecked"],
    )
    def test_an_unknown_difficulty_ends_it(self, world, kind, told, status):
        """Without a pilot there is no k: nothing more is asked, and what came is kept."""
        w = world(steps=4)
        annotation = annotate(w, kind(k_by_difficulty=SMALL), lambda depth: told, reason="crash")
        assert annotation.status is status
        assert annotation.detail
        assert w.depths == [0]
        assert len(annotation.rollouts) == (0 if isinstance(told, Exception) else 2)

    def test_too_few_decided_by_the_smallest_k(self):
        """What must be decided is bounded by what every prefix gets, whatever the unused k is."""
        assert OmegaPRMLocate(k_by_difficulty=KByDifficulty(), min_decided=20).needed_failures(128) == 20
        with pytest.raises(ConfigError, match="min_decided=3"):
            OmegaPRMLocate(k_by_difficulty=SMALL, min_decided=3)

    def test_the_trace_says_which_k(self, world):
        """A search by difficulty reports the problem's own k and its pilot."""
        annotation = annotate(world(steps=4), OmegaPRMLocate(k_by_difficulty=SMALL), lambda depth: depth < 2)
        trace = from_json(annotation.observations[0].evidence, SearchTrace)
        assert (trace.k, trace.asked[0].depth, trace.asked[0].correct) == (3, 0, 2)

    @pytest.mark.parametrize(
        "options",
        [
            {"hard_below": 0.9, "easy_from": 0.1},
            {"easy_from": 1.5},
            {"hard_below": float("nan")},
            {"pilot": 0},
            {"easy": 16},
            {"hard": 0},
        ],
        ids=str,
    )
    def test_refused(self, options):
        """Thresholds that do not rise, and pilots larger than a K, raise ConfigError."""
        with pytest.raises(ConfigError):
            KByDifficulty(**options)


class TestEarlyEnds:
    """Stop at the first success, or when the failures suffice."""

    @kinds
    @given(
        truth=st.lists(
            st.lists(st.sampled_from([Outcome.CORRECT, Outcome.WRONG]), min_size=8, max_size=8),
            min_size=2,
            max_size=8,
        ),
        chunk=st.integers(1, 8),
    )
    def test_hard_labels_do_not_change(self, world, kind, truth, chunk):
        """Whether any completion of an asked prefix is right comes out as with all k, for no more rollouts."""
        whole, early = world(steps=len(truth)), world(steps=len(truth))
        full = annotate(whole, kind(), lambda depth: truth[depth - 1])
        short = annotate(early, kind(stop_at_first_success=True, chunk=chunk), lambda depth: truth[depth - 1])
        assert solved(short) == solved(full)
        assert {r.key for r in short.rollouts} <= {r.key for r in full.rollouts}

    @kinds
    def test_the_zero_test_saves_failures(self, world, kind):
        """p0=.5, alpha=.05: five failures in portions of two suffice, of 64 that might be asked."""
        w = world(steps=3)
        annotation = annotate(w, kind(k=64, zero_test=ZeroTest(p0=0.5)), lambda depth: False)
        assert portions(w, 1) == [(0, 2), (2, 2), (4, 1)]
        assert annotation.status is AnnotationStatus.COMPLETE

    @pytest.mark.parametrize("kind", [OmegaPRMLocate, LinearScan], ids=lambda kind: kind.name)
    def test_the_trace_says_the_test(self, world, kind):
        """What "MC = 0" rests on can be read from the evidence."""
        annotation = annotate(world(steps=3), kind(k=64, zero_test=ZeroTest(p0=0.5)), lambda depth: False)
        trace = from_json(annotation.observations[0].evidence, SearchTrace)
        assert trace.first_error == 0
        assert trace.zero_test == ZeroTest(p0=0.5)
        assert trace.asked[-1].wrong == 5
        assert trace.zero_test.error_rate(trace.asked[-1].wrong) <= 0.05

    @pytest.mark.parametrize("kind", [OmegaPRMLocate, LinearScan], ids=lambda kind: kind.name)
    def test_truncated_by_k(self, world, kind):
        """With k below what the test needs, MC = 0 is believed after k failures, at the rate these give."""
        annotation = annotate(world(steps=3), kind(k=4, zero_test=ZeroTest(p0=0.2)), lambda depth: False)
        trace = from_json(annotation.observations[0].evidence, SearchTrace)
        assert trace.first_error == 0
        assert trace.zero_test.error_rate(trace.asked[-1].wrong) == pytest.approx(0.8**4)

    @pytest.mark.parametrize("kind", [OmegaPRMLocate, LinearScan], ids=lambda kind: kind.name)
    @pytest.mark.parametrize(
        ("wrong", "unknown", "k"), [(8, 8, 16), (13, 1, 14), (4, 4, 8)], ids=["half", "one short", "truncated"]
    )
    def test_fewer_failures_than_the_test_needs(self, world, kind, wrong, unknown, k):
        """n0 = 14 failures are needed for p0=.2, alpha=.05 (all k, where k is less), whatever else is unknown."""
        told = [Outcome.UNKNOWN] * unknown + [Outcome.WRONG] * wrong
        annotation = annotate(world(steps=3), kind(k=k, zero_test=ZeroTest()), lambda depth: told, reason="crash")
        assert annotation.status is AnnotationStatus.COMPLETE
        assert from_json(annotation.observations[0].evidence, SearchTrace).unreachable == 3
        assert len(annotation.rollouts) == k

    @pytest.mark.parametrize("undecided", [0.0, 0.4])
    def test_the_stated_error_rate(self, world, undecided):
        """Of prefixes worth p0 = .2 at most a share alpha = .05 is called zero, however many were not checked.

        1000 draws: 5 % and three standard errors of .7 % are 7.1 %.
        """
        rng = random.Random(4)

        def drawn(depth):
            words = ("unknown", "correct", "wrong")
            shares = (undecided, (1 - undecided) * 0.2, (1 - undecided) * 0.8)
            return [Outcome(word) for word in rng.choices(words, shares, k=64)]

        test = ZeroTest()
        zero = 0
        for _ in range(1000):
            told = drawn(1)
            plan = LinearScan(k=16, zero_test=test, chunk=2)
            annotation = annotate(world(steps=2), plan, lambda depth, told=told: told, reason="crash")
            trace = from_json(annotation.observations[0].evidence, SearchTrace)
            zero += trace.unreachable == 1
        assert zero / 1000 < 0.071

    @pytest.mark.parametrize("kind", [OmegaPRMLocate, LinearScan], ids=lambda kind: kind.name)
    def test_a_test_that_stops_before_enough_are_decided_is_refused(self, kind):
        """Asking ends after 5 failures: 6 decided ones would never come, and nothing ever be located."""
        assert kind(k=64, zero_test=ZeroTest(p0=0.5), min_decided=5).needed_failures(64) == 5
        with pytest.raises(ConfigError, match=r"min_decided=6.*5"):
            kind(k=64, zero_test=ZeroTest(p0=0.5), min_decided=6)

    def test_the_pilots_failures_count_when_the_root_is_topped_up(self, world):
        """n0 = 5, of which the pilot brings 2: three more, not five."""
        w = world(steps=3)
        plan = MathShepherd(k_by_difficulty=SMALL, ask_root=True, zero_test=ZeroTest(p0=0.5), chunk=2)
        annotate(w, plan, lambda depth: False)
        assert portions(w, 0) == [(0, 2), (2, 2), (4, 1)]

    @kinds
    def test_one_completion_needs_no_portions(self, world, kind):
        """k=1 asks for one at a time, whether or not it may stop early; the default portion is no larger than k."""
        w = world(steps=3)
        annotate(w, kind(k=1, stop_at_first_success=True), lambda depth: True)
        assert {effect.n for effect in w.asked} == {1}
        assert kind(k=8, stop_at_first_success=True).chunk_of(8) == 2

    def test_unchecked_completions_are_asked_past(self, world):
        """Crashed checks are no failures: more are asked, and with too few at the end nothing is located."""
        annotation = annotate(
            world(steps=3), LinearScan(k=8, zero_test=ZeroTest(p0=0.5)), lambda depth: Outcome.UNKNOWN, reason="crash"
        )
        assert annotation.status is AnnotationStatus.COMPLETE
        assert len(annotation.rollouts) == 8

    @kinds
    @pytest.mark.parametrize(
        "options",
        [
            {"k": 0},
            {"k": 2, "stop_at_first_success": True, "chunk": 3},
            {"zero_test": ZeroTest(), "chunk": 0},
            {"k_by_difficulty": SMALL, "zero_test": ZeroTest(), "chunk": 3},
        ],
        ids=str,
    )
    def test_refused(self, kind, options):
        """Counts that cannot work raise ConfigError in every constructor."""
        with pytest.raises(ConfigError):
            kind(**options)


@kinds
@given(steps=st.integers(1, 20), reached=st.integers(-1, 20), ask_root=st.booleans(), early=st.booleans())
def test_no_plan_asks_for_more_than_it_announces(world, kind, steps, reached, ask_root, early):
    """`most_samples` bounds what is asked, with a pilot and early ends too."""
    options = {"zero_test": ZeroTest(p0=0.5), "chunk": 2} if early else {}
    annotator = kind(k_by_difficulty=SMALL, ask_root=ask_root, **options)
    w = world(steps=steps)
    annotate(w, annotator, lambda depth: depth <= reached)
    assert sum(effect.n for effect in w.asked) <= annotator.most_samples(steps)


@kinds
@pytest.mark.parametrize("ask_root", [False, True])
@pytest.mark.parametrize("steps", [1, 2, 3, 5, 8, 9])
def test_what_is_announced_can_be_reached(world, kind, ask_root, steps):
    """A hard problem, solved by the last of its completions alone, costs as much as announced."""
    annotator = kind(k_by_difficulty=SMALL, ask_root=ask_root)
    root = [Outcome.WRONG] * 5 + [Outcome.CORRECT]
    asked = []
    for reached in range(1, steps + 1):
        w = world(steps=steps)
        annotate(w, annotator, lambda depth, r=reached: root if depth == 0 else depth < r)
        asked.append(sum(effect.n for effect in w.asked))
    assert max(asked) == annotator.most_samples(steps)


@kinds
def test_a_prover_that_is_not_the_policy(world, kind):
    """Nothing takes the completer for the writer: rollouts name the prover, and its own parameters are used."""
    w = world(steps=4)
    object.__setattr__(w.solution, "policy", "policy@1")

    own = SamplingParams(temperature=0.2)

    def prover(effect):
        assert effect.sampling == own
        return samples_with(effect, [Outcome.WRONG] * effect.n, completer="prover@2")

    annotation = answer_by(kind(sampling=own).program(w.problem, w.solution, w.wrong, seed=7), prover)
    assert annotation.rollouts
    assert {rollout.completer for rollout in annotation.rollouts} == {"prover@2"}


def solved(annotation):
    """Nodes of which some completion was right."""
    pairs = zip(annotation.rollouts, annotation.outcomes, strict=True)
    return {rollout.node_key for rollout, checked in pairs if checked.outcome is Outcome.CORRECT}
