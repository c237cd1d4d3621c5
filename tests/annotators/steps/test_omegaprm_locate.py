"""OmegaPRM's binary search, stepped by hand against plain functions."""

from __future__ import annotations

from itertools import accumulate
from math import ceil, log2

import pytest
from hypothesis import given
from hypothesis import strategies as st

from steplabel.annotators import (
    AnnotationStatus,
    OmegaPRMLocate,
    Sample,
    SearchTrace,
    answer_by,
    samples_with,
)
from steplabel.schemas import (
    BudgetExhausted,
    ConfigError,
    DataError,
    EngineClosed,
    EngineError,
    Outcome,
    Reason,
    SamplingParams,
    Verdict,
)
from steplabel.schemas.codec import from_json

ALL_CASES = [(steps, error) for steps in range(1, 31) for error in range(steps)]


def located(annotation):
    """The search's claim about its solution."""
    (claim,) = annotation.observations
    assert claim.source == "omegaprm_locate"
    trace = from_json(claim.evidence, SearchTrace)
    if annotation.status is not AnnotationStatus.COMPLETE:
        assert claim.verdict is Verdict.UNKNOWN
        assert trace.first_error is None
        assert claim.reason
    return trace


def search(w, succeeds, outcome=None, reason="no_answer", **options):
    program = OmegaPRMLocate(**options).program(w.problem, w.solution, outcome or w.wrong, seed=7)
    return answer_by(program, w.oracle(succeeds, reason=reason))


def test_equals_the_linear_scan_for_every_length_and_error(world):
    """On a monotone oracle bisection finds what a scan finds, in at most ceil(log2 T) questions."""
    for steps, error in ALL_CASES:
        w = world(steps=steps)
        annotation = search(w, lambda depth, error=error: depth <= error)
        scan = next(depth for depth in range(1, steps + 1) if depth > error) - 1
        assert located(annotation).first_error == scan == error
        assert len(set(w.depths)) == len(w.depths) <= ceil(log2(steps))


@given(data=st.data(), steps=st.integers(1, 20))
def test_steps_the_policy_did_not_write_are_neither_asked_nor_blamed(world, data, steps):
    """Whatever the places of tool outputs, the search asks and blames only labelable steps."""
    observations = data.draw(st.frozensets(st.integers(0, steps - 1), max_size=steps - 1))
    w = world(steps=steps, observations=observations)
    own = [i for i in range(steps) if i not in observations]
    error = data.draw(st.sampled_from(own))
    annotation = search(w, lambda depth: depth <= error)
    assert located(annotation).first_error == error
    assert {depth - 1 for depth in w.depths} <= set(own[:-1])


@given(values=st.lists(st.booleans(), min_size=1, max_size=25))
def test_non_monotone_oracles_still_end_at_a_drop(world, values):
    """Where MC rises again, the located step still ends a prefix with MC = 0 right after one with MC > 0."""
    w = world(steps=len(values))
    truth = [True, *values[:-1], False]
    error = located(search(w, lambda depth: truth[depth])).first_error
    assert truth[error] is True
    assert truth[error + 1] is False
    assert len(set(w.depths)) == len(w.depths) <= ceil(log2(len(values)))


def test_a_repaired_error_can_hide_the_first_one(world):
    """Documented: MC = [+, 0, 0, +, +, 0, 0] drops twice; halving sees depth 3 hold and finds step 4."""
    w = world(steps=6)
    truth = {0: True, 1: False, 2: False, 3: True, 4: True, 5: False, 6: False}
    assert located(search(w, truth.get)).first_error == 4
    assert w.depths == [3, 4, 5]


def test_one_right_completion_is_enough(world):
    """MC > 0 means at least one of k: a single right answer clears the prefix."""
    w = world(steps=4)
    one = [Outcome.WRONG] * 7 + [Outcome.CORRECT]
    assert located(search(w, lambda depth: one if depth <= 2 else False)).first_error == 2


class TestWhatIsNotAsked:
    """Outcomes that answer without rollouts."""

    def test_right_answers_cost_nothing(self, world):
        """A right-answer solution ends at once, with the outcome as its only witness."""
        w = world(steps=9)
        annotation = search(w, pytest.fail, outcome=w.right)
        assert annotation.status is AnnotationStatus.RIGHT_ANSWER
        assert annotation.rollouts == ()
        (claim,) = annotation.observations
        assert (claim.subject, claim.source, claim.verdict) == (w.solution.id, "outcome", Verdict.HOLDS)

    def test_a_single_step_is_the_error(self, world):
        """One wrong step needs no question."""
        w = world(steps=1)
        assert located(search(w, pytest.fail)).first_error == 0

    @pytest.mark.parametrize(
        ("outcome", "reason"),
        [(None, "unchecked"), ("crash", "crash"), ("timeout: 5 s", "timeout: 5 s"), ("", "undecided")],
        ids=["never checked", "checker crashed", "checker timed out", "no reason given"],
    )
    def test_answers_not_known_to_be_wrong_are_skipped(self, world, outcome, reason):
        """An unknown outcome is not a wrong one: nothing is searched and nothing is claimed."""
        w = world(steps=4)
        checked = None if outcome is None else w.outcome(Outcome.UNKNOWN, outcome)
        program = OmegaPRMLocate().program(w.problem, w.solution, checked, seed=7)
        annotation = answer_by(program, pytest.fail)
        assert annotation.status is AnnotationStatus.SKIPPED
        assert annotation.observations[0].reason == reason
        trace = located(annotation)
        assert (trace.reachable, trace.unreachable) == (None, None)

    @pytest.mark.parametrize("reason", ["length", "no_answer", "no_answer: nothing boxed"])
    def test_silence_counts_as_wrong_and_says_so(self, world, reason):
        """As in the paper a solution without an answer is searched; the claim carries why it has none."""
        w = world(steps=8)
        silent = w.outcome(Outcome.UNKNOWN, reason)
        annotation = search(w, lambda depth: depth <= 3, outcome=silent)
        assert located(annotation).first_error == 3
        assert annotation.observations[0].reason == reason
        strict = search(w, pytest.fail, outcome=silent, silence_is_failure=False)
        assert strict.status is AnnotationStatus.SKIPPED

    def test_nothing_to_label(self, world):
        """A solution of tool outputs alone is skipped."""
        w = world(steps=2, observations={0, 1})
        annotation = search(w, pytest.fail)
        assert annotation.status is AnnotationStatus.SKIPPED
        assert annotation.observations[0].reason == Reason.NO_STEPS


class TestTheRoot:
    """MC of the bare problem: taken, or asked."""

    def test_asked_when_told(self, world):
        """With `ask_root` the root is the first question, and one more than without."""
        w = world(steps=8)
        assert located(search(w, lambda depth: depth <= 5, ask_root=True)).first_error == 5
        assert w.depths[0] == 0
        assert w.asked[0].prefix == ""
        assert w.asked[0].node_key == w.problem.root_key
        assert len(w.depths) == 4

    def test_unsolvable_problems_are_not_searched(self, world):
        """If nothing succeeds from the root, MC = 0 says nothing about steps: no location, rollouts kept."""
        w = world(steps=8)
        annotation = search(w, lambda depth: False, ask_root=True)
        assert annotation.status is AnnotationStatus.SKIPPED
        assert annotation.observations[0].reason == Reason.ALL_WRONG
        assert len(annotation.rollouts) == 8
        assert located(annotation).reachable is None

    def test_unknown_root_stops(self, world):
        """A root that could not be asked stops the search."""
        annotation = search(world(steps=8), lambda depth: EngineError("gone"), ask_root=True)
        assert annotation.status is AnnotationStatus.ENGINE_FAILED
        assert located(annotation).reachable is None


class TestUnknownIsNeverNegative:
    """What we failed to find out does not count against a prefix."""

    @pytest.mark.parametrize("reason", ["crash", "timeout", "engine_error", "unparsable", ""])
    def test_unchecked_completions_stop_the_search(self, world, reason):
        """If no completion of a prefix could be checked, the location is unknown with a reason."""
        w = world(steps=8)
        annotation = search(w, lambda depth: Outcome.UNKNOWN, reason=reason)
        assert annotation.status is AnnotationStatus.COMPLETE
        assert annotation.observations[0].reason == Reason.NONE_DECIDED
        assert len(w.asked) == 1
        assert len(annotation.rollouts) == 8

    @pytest.mark.parametrize("reason", ["length", "no_answer"])
    def test_silent_completions_are_failures_unless_told(self, world, reason):
        """The paper's treatment counts them as not right; the strict one does not."""
        w = world(steps=4)
        assert located(search(w, lambda depth: Outcome.UNKNOWN, reason=reason)).first_error == 0
        strict = search(w, lambda depth: Outcome.UNKNOWN, reason=reason, silence_is_failure=False)
        assert strict.status is AnnotationStatus.COMPLETE

    @pytest.mark.parametrize(
        ("unknown", "min_decided", "asked"),
        [(4, None, [2, 1]), (5, None, [2]), (5, 3, [2, 1]), (1, 8, [2]), (7, 1, [2, 1])],
        ids=["half count", "fewer than half", "fewer allowed", "all demanded", "one is enough"],
    )
    def test_how_many_must_count(self, world, unknown, min_decided, asked):
        """The search goes on as if MC = 0 only if `min_decided` completions failed; else nothing is located."""
        w = world(steps=4)
        half = [Outcome.UNKNOWN] * unknown + [Outcome.WRONG] * (8 - unknown)
        annotation = search(w, lambda depth: half if depth == 2 else False, reason="crash", min_decided=min_decided)
        assert w.depths == asked
        assert located(annotation).first_error == (0 if asked == [2, 1] else None)

    @pytest.mark.parametrize("reason", ["crash", "no_answer"])
    @pytest.mark.parametrize("unknown", [1, 4])
    def test_the_located_error_leaves_no_doubt(self, world, unknown, reason):
        """One of those that could not be checked may be right, so the first error may be a later one."""
        told = [Outcome.WRONG] * (8 - unknown) + [Outcome.UNKNOWN] * unknown
        annotation = search(world(steps=4), lambda depth: told, reason=reason, silence_is_failure=False)
        assert located(annotation).first_error is None
        assert annotation.status is AnnotationStatus.COMPLETE
        assert annotation.observations[0].reason == Reason.NONE_DECIDED
        assert f"prefix of 1 steps: {unknown} of 8" in annotation.detail

    def test_the_last_step_is_the_solutions_own_answer(self, world):
        """It is known to be wrong: doubts about prefixes that a right completion clears do not matter."""
        told = [Outcome.CORRECT] + [Outcome.UNKNOWN] * 7
        assert located(search(world(steps=4), lambda depth: told, reason="crash")).first_error == 3

    def test_a_root_in_doubt_says_nothing(self, world):
        """4 failures and 4 that could not be checked: that nothing is reachable is not known."""
        told = [Outcome.WRONG] * 4 + [Outcome.UNKNOWN] * 4
        annotation = search(world(steps=4), lambda depth: told, reason="crash", ask_root=True)
        assert annotation.status is AnnotationStatus.COMPLETE
        assert annotation.observations[0].reason == Reason.NONE_DECIDED

    @given(
        letters=st.lists(
            st.lists(st.sampled_from([Outcome.CORRECT, Outcome.WRONG, Outcome.UNKNOWN]), min_size=4, max_size=4),
            min_size=6,
            max_size=6,
        ),
        reason=st.sampled_from(["crash", "no_answer"]),
    )
    def test_search_and_label_agree(self, world, letters, reason):
        """Whatever a search located, all completions of the prefix that ends there count as wrong."""
        w = world(steps=6)
        annotation = search(w, lambda depth: letters[depth - 1], reason=reason, k=4)
        error = located(annotation).first_error
        if error is not None and error < 5:
            counts = {Outcome.WRONG} | ({Outcome.UNKNOWN} if reason == "no_answer" else set())
            assert set(letters[error]) <= counts
        assert annotation.observations[0].verdict is (Verdict.UNKNOWN if error is None else Verdict.FAILS)

    def test_a_right_completion_among_unknown_ones_clears(self, world):
        """One right answer proves MC > 0 whatever the others are."""
        told = [Outcome.UNKNOWN] * 7 + [Outcome.CORRECT]
        annotation = search(world(steps=5), lambda depth: told, reason="crash")
        assert located(annotation).first_error == 4

    @given(
        steps=st.integers(1, 12),
        letters=st.lists(
            st.lists(st.sampled_from([Outcome.CORRECT, Outcome.UNKNOWN]), min_size=8, max_size=8),
            min_size=12,
            max_size=12,
        ),
    )
    def test_no_error_before_the_end_without_a_wrong_completion(self, world, steps, letters):
        """Right and unchecked completions alone can never put the error before the last step."""
        annotation = search(world(steps=steps), lambda depth: letters[depth - 1], reason="crash")
        assert located(annotation).first_error in (None, steps - 1)


class TestFailures:
    """Engines and budgets end a search cleanly."""

    @pytest.mark.parametrize(
        ("error", "status", "reason"),
        [
            (EngineError("lost"), AnnotationStatus.ENGINE_FAILED, Reason.ENGINE_ERROR),
            (EngineClosed("bye"), AnnotationStatus.ENGINE_FAILED, Reason.ENGINE_ERROR),
            (BudgetExhausted("0 left"), AnnotationStatus.STOPPED_BY_BUDGET, Reason.BUDGET),
        ],
        ids=["engine", "closed", "budget"],
    )
    def test_what_was_found_is_kept(self, world, error, status, reason):
        """After an error the annotation has the rollouts so far and the bracket that they prove."""
        w = world(steps=16)
        annotation = search(w, lambda depth: depth <= 6 if depth in (8, 4) else error)
        assert annotation.status is status
        assert annotation.observations[0].reason == reason
        assert len(annotation.rollouts) == len(annotation.outcomes) == 16
        trace = located(annotation)
        assert (trace.reachable, trace.unreachable) == (4, 8)
        assert str(error) in annotation.detail

    def test_half_an_answer_is_no_answer(self, world):
        """If the budget ends between two chunks, the failures so far are kept but MC = 0 is not claimed."""
        w = world(steps=2)

        def oracle(effect):
            if effect.start >= 6:
                raise BudgetExhausted("spent")
            return samples_with(effect, [Outcome.WRONG] * effect.n)

        program = OmegaPRMLocate(stop_at_first_success=True).program(w.problem, w.solution, w.wrong, seed=1)
        annotation = answer_by(program, oracle)
        assert annotation.status is AnnotationStatus.STOPPED_BY_BUDGET
        assert len(annotation.rollouts) == 6
        assert located(annotation).first_error is None

    def test_bugs_are_not_swallowed(self, world):
        """An error that is neither the engine's nor the budget's escapes."""
        with pytest.raises(ZeroDivisionError):
            search(world(steps=4), lambda depth: ZeroDivisionError())

    def test_what_does_not_belong_together_is_refused(self, world):
        """Another problem's solution or another solution's outcome is a DataError."""
        a, b = world(steps=2), world(steps=3)
        with pytest.raises(DataError, match="is about"):
            search(a, pytest.fail, outcome=b.wrong)


class TestStopAtFirstSuccess:
    """Chunked asking."""

    @given(
        truth=st.lists(
            st.lists(st.sampled_from([Outcome.CORRECT, Outcome.WRONG]), min_size=8, max_size=8),
            min_size=2,
            max_size=12,
        ),
        chunk=st.integers(1, 8),
    )
    def test_finds_the_same_step_for_fewer_rollouts(self, world, truth, chunk):
        """Early stopping changes the counts, never the prefixes asked nor the step located."""
        whole, early = world(steps=len(truth)), world(steps=len(truth))
        all_at_once = search(whole, lambda depth: truth[depth - 1])
        chunked = search(early, lambda depth: truth[depth - 1], stop_at_first_success=True, chunk=chunk)
        assert located(chunked).first_error == located(all_at_once).first_error
        assert list(dict.fromkeys(early.depths)) == whole.depths
        assert {r.key for r in chunked.rollouts} <= {r.key for r in all_at_once.rollouts}

    def test_chunks_are_consecutive_samples(self, world):
        """k=5 by twos asks samples 0-1, 2-3 and 4, all under one seed."""
        w = world(steps=2)
        search(w, lambda depth: False, k=5, stop_at_first_success=True, chunk=2)
        assert [(e.start, e.n) for e in w.asked] == [(0, 2), (2, 2), (4, 1)]
        assert len({e.seed for e in w.asked}) == 1


class TestConfiguration:
    """What cannot work is refused, and what is asked follows from the arguments alone."""

    @pytest.mark.parametrize(
        "options",
        [
            {"k": 0},
            {"k": 2, "stop_at_first_success": True, "chunk": 3},
            {"stop_at_first_success": True, "chunk": 0},
            {"min_decided": 0},
            {"k": 4, "min_decided": 5},
        ],
        ids=str,
    )
    def test_refused(self, options):
        """Counts that cannot work raise ConfigError in the constructor."""
        with pytest.raises(ConfigError):
            OmegaPRMLocate(**options)

    def test_sampling_defaults_to_the_solutions_own(self, world):
        """Without parameters of its own it asks with the defaults for imported solutions."""
        w = world(steps=2)
        search(w, lambda depth: True)
        search(w, lambda depth: True, sampling=SamplingParams(temperature=0.3))
        assert [e.sampling.temperature for e in w.asked] == [1.0, 0.3]

    def test_repeatable(self, world):
        """The same arguments ask the same questions and claim the same, byte for byte."""
        first, second = (search(world(steps=13), lambda depth: depth <= 5) for _ in range(2))
        assert first == second

    def test_the_prefix_is_the_text_before(self, world):
        """Each question carries exactly the text of the steps it continues."""
        w = world(steps=8)
        search(w, lambda depth: depth <= 3)
        ends = [0, *accumulate(len(step.text) for step in w.solution.steps)]
        assert all(isinstance(e, Sample) and e.prefix == w.solution.text[: ends[w.depth(e)]] for e in w.asked)
