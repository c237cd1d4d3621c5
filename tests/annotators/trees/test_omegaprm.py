"""OmegaPRM's tree, on small trees written out by hand and on a thousand random ones; a plain function is the model."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest

from steplabel.annotators import AnnotationStatus, Sample, Samples, answer_by, samples_with
from steplabel.annotators.annotation import Annotation, ProblemAnnotator
from steplabel.annotators.asking.difficulty import KByDifficulty
from steplabel.annotators.trees.omegaprm import OmegaPRM, TreeTrace
from steplabel.annotators.trees.rollout_pool import RolloutSelection
from steplabel.schemas import (
    BudgetExhausted,
    CheckedOutcome,
    ConfigError,
    DataError,
    EngineError,
    GoldAnswer,
    Outcome,
    Problem,
    SamplingParams,
    Solution,
    SolutionSource,
    Step,
    StepKind,
    Verdict,
    derive_seed,
    make_solution,
)
from steplabel.schemas.codec import from_json
from steplabel.schemas.segmentation import NewlineSteps

PROBLEM = Problem(id="p", text="How many?", gold=GoldAnswer(text="7"))
R, W, U = Outcome.CORRECT, Outcome.WRONG, Outcome.UNKNOWN

Told = Sequence[tuple[str, Outcome]]


def checked(subject: str, outcome: Outcome, reason: str = "") -> CheckedOutcome:
    return CheckedOutcome(subject=subject, checker="test", checker_version="1", outcome=outcome, reason=reason)


def solved(text: str, outcome: Outcome, *, index: int = 0, tokens: int = 0, reason: str = "") -> Any:
    """A sampled solution by lines, `tokens` tokens long, and its outcome."""
    steps = NewlineSteps().split(text)
    solution = make_solution(
        PROBLEM, steps, index=index, token_ids=tuple(range(tokens)), sampling=SamplingParams(), policy="model"
    )
    return solution, checked(solution.id, outcome, reason)


def said(effect: Sample, told: Told, *, tokens: int = 0, reason: str = "no_answer") -> Samples:
    """Answer with these texts, each with its outcome."""
    assert len(told) == effect.n
    samples = samples_with(effect, [outcome for _, outcome in told], reason=reason, tokens=tokens)
    texts = [replace(rollout, text=text) for rollout, (text, _) in zip(samples.rollouts, told, strict=True)]
    return replace(samples, rollouts=tuple(texts))


class Script:
    """A model that says what a table holds for each prefix, and logs what it was asked."""

    def __init__(self, table: Mapping[str, Told | Exception], *, tokens: int = 0, reason: str = "no_answer") -> None:
        self.table, self.tokens, self.reason = table, tokens, reason
        self.asked: list[Sample] = []

    def __call__(self, effect: Any) -> Samples:
        assert isinstance(effect, Sample)
        self.asked.append(effect)
        told = self.table[effect.prefix]
        if isinstance(told, Exception):
            raise told
        return said(effect, told, tokens=self.tokens, reason=self.reason)

    @property
    def prefixes(self) -> list[str]:
        return [effect.prefix for effect in self.asked]


def search(script: Callable[[Any], Samples], given: Iterable[Any], *, seed: int = 3, **options: Any) -> Annotation:
    return answer_by(OmegaPRM(**options).problem_program(PROBLEM, tuple(given), seed=seed), script)


def edges(annotation: Annotation) -> dict[str, float]:
    """Score of each single-step edge, by its node's key."""
    claims = [one for one in annotation.observations if one.subject != PROBLEM.root_key]
    assert all(one.source == "omegaprm" and one.score is not None for one in claims)
    assert all((one.verdict is Verdict.HOLDS) == (one.score > 0) for one in claims)
    assert len({one.subject for one in claims}) == len(claims)
    return {one.subject: one.score for one in claims}


def trace(annotation: Annotation) -> TreeTrace:
    (root,) = (one for one in annotation.observations if one.subject == PROBLEM.root_key)
    return from_json(root.evidence, TreeTrace)


def counts(annotation: Annotation) -> dict[str, tuple[int, int]]:
    """(right, all) of the rollouts by node key: what label views derive."""
    outcomes = {one.subject: one.outcome for one in annotation.outcomes}
    right = Counter(r.node_key for r in annotation.rollouts if outcomes[r.key] is R)
    return {key: (right[key], n) for key, n in Counter(r.node_key for r in annotation.rollouts).items()}


def key_of(*lines: str) -> str:
    """Node key of a prefix of these lines."""
    return make_solution(PROBLEM, tuple(Step(text=line) for line in lines)).node_keys[-1]


class TestFirstTree:
    """Two solutions, k = 2. The wrong one, w1..w4, breaks at w3; a rollout that repeats w3 then costs nothing.

    root 1/2 -> [w1] -> w2 1/2 -> w3 0/2 -> [w4]
                                     \\-> [z]
    """

    table: Mapping[str, Told] = {
        "w1\nw2\n": [("w3\nz", W), ("r3\nr4", R)],
        "w1\nw2\nw3\n": [("w4", W), ("w4", W)],
    }
    given = (solved("w1\nw2\nw3\nw4", W), solved("r1\nr4", R, index=1))

    def test_questions(self) -> None:
        """Depth 2 of 4, then 3; the rollout found on the way needs depth 3 again, which is a state already."""
        script = Script(self.table)
        annotation = search(script, self.given, k=2)
        assert script.prefixes == ["w1\nw2\n", "w1\nw2\nw3\n"]
        assert annotation.status is AnnotationStatus.COMPLETE
        assert trace(annotation) == TreeTrace(root_value=0.5, searches=2, states=2, undecided=0, pool=0)

    def test_values_and_counts(self) -> None:
        """Counts follow from the rollouts' node keys; only w3 is one step behind a state."""
        annotation = search(Script(self.table), self.given, k=2)
        w2, w3 = key_of("w1\n", "w2\n"), key_of("w1\n", "w2\n", "w3\n")
        assert counts(annotation) == {w2: (1, 2), w3: (0, 2)}
        assert edges(annotation) == {w3: 0.0}

    def test_paths(self) -> None:
        """The given solution is not given back; the searched rollout is a solution that shares w1, w2, w3."""
        annotation = search(Script(self.table), self.given, k=2)
        (path,) = annotation.solutions
        assert [step.text for step in path.steps] == ["w1\n", "w2\n", "w3\n", "z"]
        assert path.source is SolutionSource.TREE
        assert path.node_keys[:3] == self.given[0][0].node_keys[:3]
        assert (path.policy, path.index, path.finish_reason) == ("oracle", 0, "stop")
        assert [one.subject for one in annotation.outcomes] == [*(r.key for r in annotation.rollouts), path.id]
        assert annotation.outcomes[-1].outcome is W


class TestSecondTree:
    """Selection, with every number worked out by hand; k = 4, four solutions of 100, 300, 600 and 10 tokens.

    MC(root) = 1/4, so Q of the wrong ones is 0.5^0.75 * 0.9^(len/500):
        A (100) 0.594604 * 0.979148 = 0.582205
        B (300) 0.594604 * 0.938740 = 0.558178
        C (600) 0.594604 * 0.881234 = 0.523985
    1. All N = 0, so U = 0: A. It has two lines; MC(a1) = 3/4, its wrong rollout V of 50 tokens has
        Q(V) = 0.5^0.25 * 0.9^0.1 = 0.840896 * 0.989519 = 0.832083
    2. Sum N = 1, U(root) = 0.125 * 1 / 2 = 0.0625, U(a1) = 0.125: V 0.957, B 0.621. V has one line: no question.
    3. Sum N = 2: only B 0.558 and C 0.524 are left, both of the root: B. MC(b1) = 1/4; its three wrong rollouts
        of 50 tokens have Q = 0.594604 * 0.989519 = 0.588372
    4. Sum N = 3, U(root) = 0.125 * 1.732051 / 3 = 0.072169, U(b1) = 0.216506: the first of b1, 0.804878.
    5. Sum N = 4: U(root) = 0.25 / 3 = 0.083333, U(b1) = 0.125: the second of b1, 0.713372, before C 0.607.
    6. Sum N = 5: U(root) = 0.279508 / 3 = 0.093169, U(b1) = 0.093169: the third of b1, 0.681541, before C 0.617.
    7. C.
    """

    given = (
        solved("a1\na2", W, index=0, tokens=100),
        solved("b1\nb2", W, index=1, tokens=300),
        solved("c1\nc2", W, index=2, tokens=600),
        solved("d1", R, index=3, tokens=10),
    )
    table: Mapping[str, Told] = {
        "a1\n": [("x", R), ("x", R), ("v", W), ("x", R)],
        "b1\n": [("x", W), ("y", W), ("z", W), ("x2", R)],
        "c1\n": [("x", W)] * 4,
    }

    def test_order(self) -> None:
        """Rollouts are searched in the order A, V, B, b1's three, C."""
        script = Script(self.table, tokens=50)
        annotation = search(script, self.given, k=4)
        assert script.prefixes == ["a1\n", "b1\n", "c1\n"]
        assert [s.text for s in annotation.solutions] == ["a1\nv", "b1\nx", "b1\ny", "b1\nz"]
        assert trace(annotation).searches == 7

    @pytest.mark.parametrize(
        ("searches", "prefixes"),
        [(1, ["a1\n"]), (2, ["a1\n"]), (3, ["a1\n", "b1\n"]), (6, ["a1\n", "b1\n"]), (7, ["a1\n", "b1\n", "c1\n"])],
    )
    def test_search_limit(self, searches: int, prefixes: list[str]) -> None:
        """The limit counts selected rollouts, asked about or not."""
        script = Script(self.table, tokens=50)
        annotation = search(script, self.given, k=4, searches=searches)
        assert script.prefixes == prefixes
        assert trace(annotation).searches == searches
        assert annotation.status is AnnotationStatus.COMPLETE

    def test_edges(self) -> None:
        """First lines have their MC; second lines that a search blamed have 0 by their outcome."""
        annotation = search(Script(self.table, tokens=50), self.given, k=4)
        expected = {("a1\n",): 0.75, ("b1\n",): 0.25, ("c1\n",): 0.0}
        blamed = [("a1\n", "a2"), ("a1\n", "v"), ("b1\n", "b2"), ("b1\n", "x"), ("b1\n", "y"), ("b1\n", "z")]
        expected |= dict.fromkeys(blamed, 0.0)
        assert edges(annotation) == {key_of(*lines): value for lines, value in expected.items()}

    def test_quality_and_exploration(self) -> None:
        """The numbers above."""
        rule = RolloutSelection()
        by_hand = {(0.25, 100): 0.582205, (0.25, 300): 0.558178, (0.25, 600): 0.523985, (0.75, 50): 0.832083}
        for (value, tokens), quality in by_hand.items():
            assert rule.quality(value, tokens) == pytest.approx(quality, abs=1e-6)
        for (visits, total), bonus in {(0, 0): 0, (1, 1): 0.0625, (0, 3): 0.216506, (2, 3): 0.072169}.items():
            assert rule.exploration(visits, total) == pytest.approx(bonus, abs=1e-6)

    @pytest.mark.parametrize(("searches", "prefixes"), [(5, ["a1\n", "b1\n"]), (6, ["a1\n", "b1\n", "c1\n"])])
    def test_states_that_were_selected_rarely_come_first(self, searches: int, prefixes: list[str]) -> None:
        """With rollouts of 700 tokens Q(b1) = 0.594604 * 0.862855 = 0.513057 is below C's 0.523985.

        4. b1 0.513057 + 0.216506 = 0.729563 before C 0.523985 + 0.072169 = 0.596155: b1 was never selected.
        5. b1 0.513057 + 0.125 = 0.638057 before C 0.523985 + 0.083333 = 0.607319.
        6. Both states were selected twice, so C comes before the last of b1.
        """
        script = Script(self.table, tokens=700)
        annotation = search(script, self.given, k=4, searches=searches)
        assert script.prefixes == prefixes
        assert [s.text for s in annotation.solutions] == ["a1\nv", "b1\nx", "b1\ny"]


class TestThirdTree:
    """Unknown outcomes, by pieces: "one two three four five six seven eight" in 4 pieces of two words, k = 4.

    root 1/2 -> [one two] -> three four: 1 right, 1 wrong, 2 unknown, MC 1/2 -> five six: 0 right, 3 wrong
    """

    text = "one two three four five six seven eight"
    given = (solved(text, W, tokens=5), solved(text.replace("eight", "EIGHT"), R, index=1))
    table: Mapping[str, Told] = {
        "one two three four ": [("fine", R), ("five six seven nine", W), ("?", U), ("??", U)],
        "one two three four five six ": [("a", W), ("b", W), ("c", W), ("?", U)],
    }

    def test_values_and_counts(self) -> None:
        """The rollouts that could not be checked are in the counts, but neither for nor against a state."""
        annotation = search(Script(self.table, reason="crash"), self.given, k=4, pieces=4)
        four = key_of("one two ", "three four ")
        six = key_of("one two ", "three four ", "five six ")
        assert counts(annotation) == {four: (1, 4), six: (0, 4)}
        assert edges(annotation) == {six: 0.0}
        assert trace(annotation) == TreeTrace(root_value=0.5, searches=2, states=2, undecided=0, pool=0)

    def test_emitted_paths_have_the_pieces_as_steps(self) -> None:
        """The given solution comes out again, cut into pieces, with its own tokens, outcome and sampler."""
        script = Script(self.table)
        annotation = search(script, self.given, k=4, pieces=4, silence_is_failure=False)
        first, second = annotation.solutions
        assert [step.text for step in first.steps] == ["one two ", "three four ", "five six ", "seven eight"]
        assert [step.text for step in second.steps] == ["one two ", "three four ", "five six ", "seven nine"]
        assert {r.node_key for r in annotation.rollouts} <= set(first.node_keys)
        assert first.node_keys[:3] == second.node_keys[:3]
        assert first.source is second.source is SolutionSource.TREE
        assert (first.token_ids, first.policy) == ((0, 1, 2, 3, 4), "model")
        assert [effect.prefix_ids for effect in script.asked] == [(0, 1, 2, 3, 4)] * 2

    def test_silence_is_a_failure_as_in_the_paper(self) -> None:
        """Completions without an answer count as wrong, and are searched: MC(three four) = 1/4, two paths more."""
        annotation = search(Script(self.table), self.given, k=4, pieces=4)
        assert trace(annotation).searches == 4
        assert [s.text.rpartition(" ")[2] for s in annotation.solutions] == ["eight", "nine", "?", "??"]
        assert key_of("one two ", "three four ", "?") not in edges(annotation)


class TestWhatIsUnknown:
    """Nobody is blamed for what we failed to find out."""

    given = TestFirstTree.given

    def test_too_few_checked_completions(self) -> None:
        """One failure of four says nothing: that rollout's search ends, and asking again would bring the same four."""
        script = Script({"w1\nw2\n": [("a", W), ("b", U), ("c", U), ("d", U)]}, reason="crash")
        annotation = search(script, self.given, k=4)
        assert annotation.status is AnnotationStatus.COMPLETE
        assert "1 prefixes" in annotation.detail
        assert edges(annotation) == {}
        assert len(annotation.rollouts) == 4
        assert trace(annotation).undecided == 1

    @pytest.mark.parametrize(
        ("error", "status"),
        [
            (EngineError("the server left"), AnnotationStatus.ENGINE_FAILED),
            (BudgetExhausted("1000 tokens are spent"), AnnotationStatus.STOPPED_BY_BUDGET),
        ],
    )
    def test_what_was_found_before_a_failure_is_kept(self, error: Exception, status: AnnotationStatus) -> None:
        """The second question fails: the first one's state and rollouts stay, and nothing is called wrong."""
        script = Script({**TestFirstTree.table, "w1\nw2\nw3\n": error})
        annotation = search(script, self.given, k=2)
        assert annotation.status is status
        assert str(error) in annotation.detail
        assert counts(annotation) == {key_of("w1\n", "w2\n"): (1, 2)}
        assert edges(annotation) == {}
        assert trace(annotation).pool == 1

    @pytest.mark.parametrize(
        ("given", "word", "value"),
        [
            ([], "none_decided", None),
            ([solved("a\nb", W)], "all_wrong", 0.0),
            ([solved("a\nb", R)], "all_right", 1.0),
            ([solved("a\nb", U, reason="crash")], "none_decided", None),
            ([(solved("a\nb", W)[0], None)], "none_decided", None),
        ],
        ids=["no solution", "all wrong", "all right", "checker crashed", "never checked"],
    )
    def test_nothing_to_search(self, given: list[Any], word: str, value: float | None) -> None:
        """A root with MC 0, 1 or unknown has no rollouts in the pool: nothing is asked."""
        annotation = search(Script({}), given)
        assert annotation.status is AnnotationStatus.SKIPPED
        assert annotation.detail.startswith(word)
        assert trace(annotation).root_value == value

    def test_an_empty_rollout_has_no_step_to_blame(self) -> None:
        """A completion that says nothing is no path; it is left out of the pool without a search."""
        script = Script({"a\n": [("", W), ("b", R)]})
        annotation = search(script, [solved("a\nx", W), solved("r", R, index=1)], k=2)
        assert (annotation.solutions, trace(annotation).searches) == ((), 1)


def test_the_root_can_be_asked() -> None:
    """One given solution, a wrong one: with `ask_root` k completions make MC(root) = 1/4 and enter the pool."""
    table: dict[str, Told | Exception] = {
        "": [("r", R), ("x1\nx2", W), ("?", U)],
        "w1\n": [("w2", W)] * 3,
        "x1\n": [("x2", R)] * 3,
    }
    script = Script(table)
    annotation = search(script, [solved("w1\nw2", W)], k=3, ask_root=True, silence_is_failure=False)
    assert script.prefixes == ["", "x1\n", "w1\n"]  # shorter, for an oracle that counts no tokens
    assert trace(annotation).root_value == pytest.approx(1 / 3)
    assert edges(annotation) == {key_of("w1\n"): 0.0, key_of("x1\n"): 1.0, key_of("x1\n", "x2"): 0.0}


def test_equal_texts_are_searched_once() -> None:
    """Of equal texts one is searched, whether solutions or rollouts of one state or of several."""
    script = Script({"a\n": [("x\ny", W), ("x\ny", W), ("z", R)], "a\nx\n": [("y", W)] * 3})
    given = [solved("a\nb", W), solved("a\nb", W, index=1), solved("r", R, index=2)]
    annotation = search(script, given, k=3)
    assert script.prefixes == ["a\n", "a\nx\n"]
    assert [path.text for path in annotation.solutions] == ["a\nx\ny"]
    assert trace(annotation) == TreeTrace(root_value=1 / 3, searches=2, states=2, undecided=0, pool=0)


def test_tool_output_is_neither_asked_nor_blamed() -> None:
    """Steps that the policy did not write stay out of the halving, and pieces leave such a solution as it is."""
    steps = (Step(text="call\n"), Step(text="42\n", kind=StepKind.OBSERVATION), Step(text="so 5\n"), Step(text="5"))
    tool = make_solution(PROBLEM, steps)
    given = [(tool, checked(tool.id, W)), solved("r", R, index=1)]
    for pieces in (None, 2):
        script = Script({"call\n": [("x", R)], "call\n42\nso 5\n": [("x", W)]})
        annotation = search(script, given, k=1, pieces=pieces)
        assert script.prefixes == ["call\n", "call\n42\nso 5\n"]
        assert edges(annotation) == {tool.node_keys[0]: 1.0, tool.node_keys[2]: 0.0}


def test_an_error_before_a_tool_s_last_word_keeps_its_edge() -> None:
    """A wrong path may end with a tool's output: the step to blame is the last that the policy wrote."""
    steps = (Step(text="a\n"), Step(text="call\n"), Step(text="42", kind=StepKind.OBSERVATION))
    tool = make_solution(PROBLEM, steps)
    given = [(tool, checked(tool.id, W)), solved("r", R, index=1)]
    annotation = search(Script({"a\n": [("x", R)] * 2}), given, k=2)
    assert edges(annotation) == {tool.node_keys[0]: 1.0, tool.node_keys[1]: 0.0}


def test_other_cuts_of_a_text_ask_nothing_again() -> None:
    """By pieces, what a rollout adds is cut anew: a prefix of the same words is the same prefix, and has its value.

    The solution's pieces are "one two ", "three four ", "five six ", "seven eight"; the rollout from "one two " adds
    "three four five six NINE", cut into "three four ", "five six NINE" or otherwise, whatever falls on asked prefixes.
    """
    text = "one two three four five six seven eight"
    given = [solved(text, W), solved(text.replace("one", "ONE"), R, index=1)]

    def model(effect: Sample) -> Samples:
        asked.append(effect.prefix)
        rest = text.removeprefix(effect.prefix)
        return said(effect, [(rest, W), (rest.replace("eight", "nine"), W), (rest, R), ("so", R)])

    asked: list[str] = []
    annotation = search(model, given, k=4, pieces=4)
    assert max(Counter(asked).values()) == 1
    assert len({path.text for path in annotation.solutions}) == len(annotation.solutions)
    states = trace(annotation).states
    assert states == len(asked)


@pytest.mark.parametrize("pieces", [4, 6])
def test_no_text_is_estimated_twice(pieces: int) -> None:
    """Prefixes meet by their words, where their cuts differ too."""
    cuts = 0
    for number in range(300):
        model = Random(blanks=" ")
        annotation = search(model, random_problem(number, model), k=3, pieces=pieces, searches=20, seed=number)
        assert max(Counter(effect.prefix for effect in model.asked).values(), default=1) == 1
        texts = [path.text for path in annotation.solutions]
        assert len(set(texts)) == len(texts)
        keyed = {(text, key) for path in annotation.solutions for text, key in prefixes_of(path)}
        cuts += len(keyed) > len({text for text, _ in keyed})
    assert cuts > 5  # problems in which some prefix has several cuts


def prefixes_of(path: Solution) -> Iterable[tuple[str, str]]:
    """Text and key of each prefix."""
    return ((path.prefix(depth + 1), key) for depth, key in enumerate(path.node_keys))


class TestDifficulty:
    """k by the problem's pass@1, as its root shows it."""

    rule = KByDifficulty(hard=6, medium=4, easy=2, hard_below=0.3, easy_from=0.7, pilot=2)

    @pytest.mark.parametrize(("wrong", "right", "k"), [(3, 1, 6), (1, 1, 4), (1, 3, 2)])
    def test_k_follows_from_the_solutions(self, wrong: int, right: int, k: int) -> None:
        """Shares of 1/4, 1/2 and 3/4 right; a solution that could not be checked does not count."""
        told = [*[("a\nb", W)] * wrong, *[("r", R)] * right, ("u", U)]
        given = [solved(text, outcome, index=i, reason="crash") for i, (text, outcome) in enumerate(told)]
        script = Script({"a\n": [("b", W)] * k})
        annotation = search(script, given, k_by_difficulty=self.rule)
        assert [effect.n for effect in script.asked] == [k]
        assert edges(annotation) == {key_of("a\n"): 0.0}

    def test_a_root_that_is_asked_brings_its_pilot(self) -> None:
        """With `ask_root` as many as the pilot are asked there, and count with the solutions: 1 of 3 is medium."""
        script = Script({"": [("x", W), ("y", R)], "a\n": [("b", W)] * 4})
        annotation = search(script, [solved("a\nb", W)], k_by_difficulty=self.rule, ask_root=True)
        assert [effect.n for effect in script.asked] == [2, 4]
        assert trace(annotation).root_value == pytest.approx(1 / 3)

    def test_bounds_are_those_of_the_largest_k(self) -> None:
        """The cost, the least limit of samples, and what must be decided of the smallest k."""
        annotator = OmegaPRM(k_by_difficulty=self.rule, ask_root=True, searches=5)
        assert annotator.most_samples(8) == 5 * 3 * 6 + 2
        for options in ({"max_samples": 5}, {"min_decided": 3}):
            with pytest.raises(ConfigError, match=next(iter(options))):
                OmegaPRM(k_by_difficulty=self.rule, **options)


def test_max_samples_ends_the_search() -> None:
    """No question is begun that would pass the limit, and what ended so is complete."""
    script = Script(TestFirstTree.table)
    annotation = search(script, TestFirstTree.given, k=2, max_samples=3)
    assert script.prefixes == ["w1\nw2\n"]
    assert annotation.status is AnnotationStatus.COMPLETE


class Random:
    """A model with two words a step, so that prefixes meet often; what it says depends on prefix and seed alone."""

    def __init__(self, *, blanks: str) -> None:
        self.blanks = blanks
        self.asked: list[Sample] = []

    def text(self, rng: random.Random) -> str:
        return self.blanks.join(rng.choice(("go on", "turn")) for _ in range(rng.randint(1, 5)))

    def __call__(self, effect: Sample) -> Samples:
        self.asked.append(effect)
        rng = random.Random(derive_seed(effect.seed, effect.node_key))
        return said(effect, [(self.text(rng), rng.choice((R, W, W, U))) for _ in range(effect.n)], tokens=7)


def random_problem(number: int, model: Random) -> list[Any]:
    rng = random.Random(number)
    return [solved(model.text(rng), rng.choice((R, W, W)), index=i) for i in range(4)]


@pytest.mark.parametrize(("blanks", "pieces"), [("\n", None), (" ", 4)], ids=["lines", "pieces"])
def test_a_thousand_random_problems(blanks: str, pieces: int | None) -> None:
    """No prefix is estimated twice; k rollouts each; only single-step edges; every rollout is on some path."""
    asked = met = 0
    for number in range(1000):
        model = Random(blanks=blanks)
        given = random_problem(number, model)
        annotation = search(model, given, k=3, pieces=pieces, searches=12, seed=number)
        asked += len(model.asked)
        assert max(Counter(effect.node_key for effect in model.asked).values(), default=1) == 1
        assert all(n == 3 for _, n in counts(annotation).values())
        check_tree(annotation, [solution for solution, _ in given])
        met += len(nodes_of(annotation)) < sum(len(path.steps) for path in annotation.solutions)
    assert asked > 2000
    assert met > 500  # problems in which paths share states


def nodes_of(annotation: Annotation) -> set[str]:
    """Every prefix on a path that came out."""
    return {key for path in annotation.solutions for key in path.node_keys}


def check_tree(annotation: Annotation, given: Sequence[Solution]) -> None:
    """Every claim is one step behind a state, and says what the counts of the node say."""
    paths = [*given, *annotation.solutions]
    tally = counts(annotation)
    assert set(tally) <= {key for path in paths for key in path.node_keys}
    texts = {key: text for path in paths for text, key in prefixes_of(path)}
    by_text = {texts[key]: told for key, told in tally.items()}  # another cut of an asked text was not asked again
    parents = {b: a for path in paths for a, b in pairwise((PROBLEM.root_key, *path.node_keys))}
    for node, value in edges(annotation).items():
        assert parents[node] == PROBLEM.root_key or texts[parents[node]] in by_text
        text = texts[node]
        if text in by_text:
            assert value == by_text[text][0] / by_text[text][1]  # silence counts as wrong
        else:
            assert value == 0.0
            assert any(path.node_keys[-1] == node for path in paths)


@pytest.mark.parametrize("pieces", [None, 4])
def test_the_same_seed_gives_the_same_annotation(pieces: int | None) -> None:
    """Nothing but problem, solutions, answers and seed decides; another seed asks with other seeds."""
    runs = []
    for seed in (5, 5, 6):
        model = Random(blanks="\n")
        runs.append((search(model, random_problem(11, model), k=3, pieces=pieces, seed=seed), model.asked))
    assert runs[0] == runs[1]
    assert runs[0][1][0].node_key == runs[2][1][0].node_key
    assert runs[0][1][0].seed != runs[2][1][0].seed


def test_it_is_a_problem_annotator() -> None:
    """And asks no more than it says: 100 searches of 16 steps and k = 8."""
    assert isinstance(OmegaPRM(), ProblemAnnotator)
    assert OmegaPRM().most_samples(16) == 100 * 4 * 8
    assert OmegaPRM(ask_root=True, max_samples=500).most_samples(16) == 500


def test_what_does_not_belong_is_refused() -> None:
    """A solution of another problem, or another solution's outcome."""
    solution, outcome = solved("a", W)
    other = Problem(id="q", text="Why?")
    for problem, pair in ((other, (solution, None)), (PROBLEM, (solution, checked("x", W)))):
        with pytest.raises(DataError):
            answer_by(OmegaPRM().problem_program(problem, (pair,), seed=0), pytest.fail)
    assert outcome.subject == solution.id


@pytest.mark.parametrize(
    "options",
    [{"k": 0}, {"searches": 0}, {"pieces": 1}, {"max_samples": 7}, {"min_decided": 9}],
    ids=lambda options: next(iter(options)),
)
def test_numbers_out_of_range(options: dict[str, int]) -> None:
    """Refused where they are given."""
    with pytest.raises(ConfigError):
        OmegaPRM(**options)


@pytest.mark.parametrize("options", [{"alpha": 0}, {"beta": 1.1}, {"length": 0}, {"c_puct": -1}])
def test_constants_out_of_range(options: dict[str, float]) -> None:
    """Refused where they are given."""
    with pytest.raises(ConfigError):
        RolloutSelection(**options)
