"""MCTS over steps, on trees worked out by hand; a plain function is the model."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import pytest

from steplabel.annotators import AnnotationStatus, Sample, Samples, answer_by, samples_with
from steplabel.annotators.annotation import Annotation, ProblemAnnotator
from steplabel.annotators.effects import Score, Scored
from steplabel.annotators.trees.mcts import MCTS, ROUTE_SOURCE, NodeStatistics
from steplabel.annotators.trees.mcts_tree import MctsNode, route_values, uct
from steplabel.annotators.trees.next_step import NextSteps
from steplabel.schemas import (
    BudgetExhausted,
    ConfigError,
    DataError,
    EngineError,
    FinishReason,
    GoldAnswer,
    Outcome,
    Problem,
    SamplingParams,
    SolutionSource,
    Step,
    Verdict,
    derive_seed,
    make_solution,
)
from steplabel.schemas.codec import from_json
from steplabel.schemas.segmentation import BlankLineSteps, GivenSteps, MarkerSteps, NewlineSteps, SentenceSteps

PROBLEM = Problem(id="p", text="How many?", gold=GoldAnswer(text="7"))
R, W, U = Outcome.CORRECT, Outcome.WRONG, Outcome.UNKNOWN

Told = Sequence[tuple[str, Outcome]]
TWO = NextSteps(branch=2)


def said(effect: Sample, told: Told, *, reason: str = "no_answer", cut: str = "~") -> Samples:
    """Answer with these texts, each with its outcome; one that ends with "~" was cut by length there."""
    samples = samples_with(effect, [outcome for _, outcome in told], reason=reason)
    rollouts = [
        replace(
            rollout,
            text=text.removesuffix(cut),
            finish_reason=FinishReason.LENGTH if text.endswith(cut) else FinishReason.STOP,
            token_ids=tuple(map(ord, text)),
        )
        for rollout, (text, _) in zip(samples.rollouts, told, strict=True)
    ]
    return replace(samples, rollouts=tuple(rollouts))


class Script:
    """A model that says what two tables hold for each prefix: next steps, and whole completions."""

    def __init__(
        self, steps: Mapping[str, Told | Exception], rollouts: Mapping[str, Told | Exception], reason: str = "no_answer"
    ) -> None:
        self.steps, self.rollouts, self.reason = steps, rollouts, reason
        self.asked: list[Sample] = []

    def __call__(self, effect: Any) -> Samples:
        assert isinstance(effect, Sample)
        self.asked.append(effect)
        told = (self.steps if effect.sampling.stop else self.rollouts)[effect.prefix + effect.probe]
        if isinstance(told, Exception):
            raise told
        return said(effect, told, reason=self.reason)

    @property
    def proposed(self) -> list[str]:
        """Prefixes that were expanded."""
        return [effect.prefix for effect in self.asked if effect.sampling.stop]


def search(script: Callable[[Any], Any], *, seed: int = 3, **options: Any) -> Annotation:
    options = {"proposals": TWO, "k": 2} | options
    return answer_by(MCTS(**options).problem_program(PROBLEM, (), seed=seed), script)


def key_of(*steps: str) -> str:
    return make_solution(PROBLEM, tuple(Step(text=step) for step in steps)).node_keys[-1]


def scores(annotation: Annotation, source: str = "mcts") -> dict[str, float]:
    claims = [one for one in annotation.observations if one.source == source]
    assert all(one.verdict is Verdict.UNKNOWN and one.score is not None for one in claims)
    assert len({one.subject for one in claims}) == len(claims)
    return {one.subject: one.score for one in claims}


def visits(annotation: Annotation) -> dict[str, int]:
    claims = [one for one in annotation.observations if one.source == "mcts"]
    return {one.subject: from_json(one.evidence, NodeStatistics).visits for one in claims}


class TestTree:
    r"""Two proposals a node, two rollouts a new node, c = 0.7.

    1. The root gets a (rollouts 1/2) and b (0/2). N(root) = 1, V(root) = (0.5 + 0) / 2 = 0.25.
    2. ln 1 = 0, so a (0.5) before b (0). It gets a1 (0/2) and the ending "7", which is right: 1.
       N(a) = 2, V(a) = (0 + 1) / 2; N(root) = 2, V(root) = (2 * 0.5 + 1 * 0) / 3 = 1/3.
    3. ln 2 = 0.693147: a 0.5 + 0.7 * sqrt(1.386294 / 2) = 1.082788, b 0 + 0.7 * sqrt(1.386294) = 0.824187: a.
       Below it "7" 1.824187 before a1 0.824187. Nothing is asked: N("7") = 2, N(a) = 3, V(a) = 2/3, V(root) = 1/2.
    """

    steps: Mapping[str, Told] = {
        "": [("a\n", U), ("b\n", U)],
        "a\n": [("a1\n", U), ("7", R)],
        "b\n": [("b1\n", U), ("8", W)],
    }
    rollouts: Mapping[str, Told] = {
        "a\n": [("x", W), ("y", R)],
        "b\n": [("x", W), ("y", W)],
        "a\na1\n": [("cut~", U), ("8", W)],
        "b\nb1\n": [("7", R), ("7", R)],
    }

    @property
    def script(self) -> Script:
        return Script(self.steps, self.rollouts)

    @pytest.mark.parametrize(
        ("searches", "expected", "seen"),
        [
            (1, {("a\n",): 0.5, ("b\n",): 0.0}, {("a\n",): 1, ("b\n",): 1}),
            (2, {("a\n",): 0.5, ("b\n",): 0.0, ("a\n", "a1\n"): 0.0, ("a\n", "7"): 1.0}, {("a\n",): 2}),
            (3, {("a\n",): 2 / 3, ("b\n",): 0.0, ("a\n", "a1\n"): 0.0, ("a\n", "7"): 1.0}, {("a\n", "7"): 2}),
        ],
    )
    def test_values_by_hand(self, searches: int, expected: dict[Any, float], seen: dict[Any, int]) -> None:
        """Values and visits after each search."""
        annotation = search(self.script, searches=searches)
        assert scores(annotation) == pytest.approx({key_of(*steps): value for steps, value in expected.items()})
        assert visits(annotation).items() >= {key_of(*steps): count for steps, count in seen.items()}.items()
        assert annotation.status is AnnotationStatus.COMPLETE

    def test_uct_by_hand(self) -> None:
        """The numbers above."""
        assert uct(0.5, 2, 2, 0.7) == pytest.approx(1.082788, abs=1e-6)
        assert uct(0.0, 1, 2, 0.7) == pytest.approx(0.824187, abs=1e-6)

    def test_the_constant_decides_what_is_explored(self) -> None:
        """With c = 2 the third search is b's: 2 * 1.177410 = 2.354820 before 0.5 + 2 * 0.832555 = 2.165109."""
        for constant, third in ((0.7, []), (2.0, ["b\n"])):
            script = self.script
            search(script, searches=3, uct=constant)
            assert script.proposed == ["", "a\n", *third]

    def test_paths(self) -> None:
        """Each leaf is on one path: ended, or finished by the first of its rollouts that was not cut."""
        annotation = search(self.script, searches=2)
        outcomes = {one.subject: one.outcome for one in annotation.outcomes}
        found = {s.text: (outcomes[s.id], s.finish_reason) for s in annotation.solutions}
        assert found == {"a\na1\n8": (W, "stop"), "a\n7": (R, "stop"), "b\nx": (W, "stop")}
        assert {s.source for s in annotation.solutions} == {SolutionSource.TREE}
        assert {s.text: "".join(map(chr, s.token_ids)) for s in annotation.solutions} == {t: t for t in found}

    def test_counts(self) -> None:
        """Rollouts lie under the keys of the nodes on the paths; proposals under keys of their own, without outcome."""
        annotation = search(self.script, searches=2)
        nodes = {key for s in annotation.solutions for key in s.node_keys}
        outcomes = {one.subject: one.outcome for one in annotation.outcomes}
        proposals = [r for r in annotation.rollouts if r.sampling.stop]
        assert {r.node_key for r in annotation.rollouts if not r.sampling.stop} <= nodes
        assert nodes.isdisjoint(r.node_key for r in proposals)
        assert {r.text: outcomes[r.key] for r in proposals} == {"a\n": U, "b\n": U, "a1\n": U, "7": R}
        assert [one.subject for one in annotation.outcomes] == [
            *(r.key for r in annotation.rollouts),
            *(s.id for s in annotation.solutions),
        ]

    def test_route(self) -> None:
        """T = 2: a has 1/2, "7" has 1; a1 branches off behind depth 1, b behind depth 0: both 0."""
        annotation = search(self.script, searches=2)
        expected = {("a\n",): 0.5, ("a\n", "7"): 1.0, ("a\n", "a1\n"): 0.0, ("b\n",): 0.0}
        assert scores(annotation, ROUTE_SOURCE) == {key_of(*steps): value for steps, value in expected.items()}

    def test_how_it_asks(self) -> None:
        """Proposals stop at line ends, which are kept; rollouts go on from the tokens that were sampled."""
        script = self.script
        search(script, searches=1, sampling=SamplingParams(max_tokens=50), proposals=replace(TWO, max_tokens=9))
        first, second, third = script.asked
        assert (first.sampling.stop, first.sampling.include_stop, first.sampling.max_tokens) == (("\n",), True, 9)
        assert second.sampling == third.sampling == SamplingParams(max_tokens=50)
        assert (second.prefix, second.prefix_ids) == ("a\n", (97, 10))
        assert (second.node_key, second.n) == (key_of("a\n"), 2)


def test_route_values_by_hand() -> None:
    """Two right endings, T = 4 and T = 3, with a branch off each: the higher value stands where both speak.

    root - 1 - 2 - 3 - 4*        on the route of 4*: 1/4, 2/4, 3/4, 1; y behind depth 3: (3 - 1) / 4 = 0.5
               |   `- y          x* on its own route, T = 3: 1/3, 2/3, 1; its sibling 3: max(3/4, (2 - 1) / 3)
               `- x*
    """
    nodes: dict[str, MctsNode] = {"root": MctsNode(key="root")}
    for name, above in (("1", "root"), ("2", "1"), ("3", "2"), ("x", "2"), ("4", "3"), ("y", "3")):
        parent = nodes[above]
        nodes[name] = MctsNode(key=name, parent=parent, steps=(*parent.steps, Step(text=name)))
        parent.children.append(nodes[name])
    found = route_values([nodes["4"], nodes["x"]])
    assert found == pytest.approx({"1": 1 / 3, "2": 2 / 3, "3": 0.75, "4": 1.0, "x": 1.0, "y": 0.5})
    assert route_values([nodes["x"]]) == pytest.approx({"1": 1 / 3, "2": 2 / 3, "x": 1.0, "3": 1 / 3})


class TestProposals:
    """What counts as a next step."""

    def one(self, said_at: Mapping[str, Told], **options: Any) -> tuple[Annotation, Script]:
        script = Script(said_at, {key: [("r", W)] for key in ("a\n", "b\n", "\n \na\n", "a\n\n")})
        return search(script, searches=1, k=1, **options), script

    def test_equal_steps_are_one_child(self) -> None:
        """And are scored once."""
        annotation, script = self.one({"": [("a\n", U), ("a\n", U)]})
        assert len(script.asked) == 2
        assert [s.text for s in annotation.solutions] == ["a\nr"]

    def test_a_cut_step_is_none(self) -> None:
        """Cut by length before its end, it is no step; it is neither right nor wrong."""
        annotation, _ = self.one({"": [("half a li~", W), ("b\n", U)]})
        assert [s.text for s in annotation.solutions] == ["b\nr"]
        assert [one.outcome for one in annotation.outcomes][:2] == [U, U]

    def test_nothing_but_cut_steps(self) -> None:
        """There is no tree: the annotation says so, and keeps what was drawn."""
        annotation, _ = self.one({"": [("half~", U), ("half~", U)]})
        assert annotation.status is AnnotationStatus.SKIPPED
        assert len(annotation.rollouts) == 2

    def test_blank_lines_are_skipped(self) -> None:
        """A model that begins with blank lines is asked again behind them; they belong to the step."""
        said_at = {"": [("\n", U), ("\n", U)], "\n": [(" \n", U), ("\n", U)], "\n \n": [("a\n", U), ("a\n", U)]}
        annotation, script = self.one(said_at)
        assert [effect.probe for effect in script.asked[:3]] == ["", "\n", "\n \n"]
        assert len({effect.node_key for effect in script.asked[:3]}) == 3
        (path,) = annotation.solutions
        assert [step.text for step in path.steps] == ["\n \na\n", "r"]

    def test_blank_lines_without_end(self) -> None:
        """After three tries the node has no children."""
        annotation, script = self.one({"\n" * i: [("\n", U), ("\n", U)] for i in range(5)})
        assert len(script.asked) == 3
        assert annotation.status is AnnotationStatus.SKIPPED

    def test_blank_lines_are_within_the_bound(self) -> None:
        """Every expansion asks three times before a step comes: what is announced is what is asked at most."""

        def model(effect: Sample) -> Samples:
            asked.append(effect.n)
            if not effect.sampling.stop:
                return said(effect, [("7", R)] * effect.n)
            blank = effect.probe.count("\n") < 2
            return said(effect, [("\n" if blank else f"{len(asked)} {i}\n", U) for i in range(effect.n)])

        asked: list[int] = []
        search(model, searches=5)
        assert sum(asked) == MCTS(proposals=TWO, k=2, searches=5).most_samples(9) == 5 * 2 * (3 + 2)

    def test_nothing_to_add_ends_the_solution(self) -> None:
        """A model that stops at once behind "a" has said all: the node's outcome is the prefix's own."""
        script = Script({"": [("a\n", U)], "a\n": [("", R)]}, {"a\n": [("", R)]})
        annotation = search(script, searches=2, k=1, proposals=NextSteps(branch=1))
        (path,) = annotation.solutions
        assert (path.text, annotation.outcomes[-1].outcome) == ("a\n", R)
        assert scores(annotation, ROUTE_SOURCE) == {key_of("a\n"): 1.0}

    def test_paragraphs(self) -> None:
        """Another segmenter with its own stop text."""
        proposals = NextSteps(branch=1, stop=("\n\n",), segmenter=BlankLineSteps())
        annotation, script = self.one({"": [("a\n\n", U)]}, proposals=proposals)
        assert script.asked[0].sampling.stop == ("\n\n",)
        assert [s.text for s in annotation.solutions] == ["a\n\nr"]

    def test_without_stop_texts(self) -> None:
        """Whole completions are drawn and their first step is taken: here sentences. One sentence alone ends it."""
        proposals = NextSteps(branch=2, stop=(), segmenter=SentenceSteps())

        def model(effect: Sample) -> Samples:
            texts: Told = [("One. Two 7.", R), ("Seven 7.", R)]
            return said(effect, texts if not effect.prefix else [("r", W)])

        annotation = search(model, searches=1, k=1, proposals=proposals)
        assert {s.text for s in annotation.solutions} == {"One. r", "Seven 7."}
        assert scores(annotation) == {key_of("One. "): 0.0, key_of("Seven 7."): 1.0}

    def test_stop_texts_of_the_rollouts_end_solutions(self) -> None:
        """Where rollouts stop at "Q:" so do proposals, though stop texts are kept there: it is cut off again."""
        sampling = SamplingParams(stop=("Q:",))

        def model(effect: Sample) -> Samples:
            return said(effect, [("so 7 Q:" if effect.sampling.include_stop else "r", R)])

        annotation = search(model, searches=1, k=1, proposals=NextSteps(branch=1), sampling=sampling)
        assert [s.text for s in annotation.solutions] == ["so 7 "]


class TestWhatIsUnknown:
    """Nothing unknown has a value, and nothing that was found is lost."""

    def test_unchecked_endings_have_no_value(self) -> None:
        """Neither 0 nor 1; the parent's value comes from the others alone."""
        steps: Mapping[str, Told] = {"": [("a\n", U), ("8", U)], "a\n": [("9", U), ("7", R)]}
        script = Script(steps, {"a\n": [("x", U), ("x", U)]}, reason="crash")
        annotation = search(script, searches=2)
        assert scores(annotation) == {key_of("a\n"): 1.0, key_of("a\n", "7"): 1.0}

    def test_an_unchecked_ending_leaves_what_rollouts_found(self) -> None:
        """The model adds nothing to a, and whether a answers could not be checked: its rollouts, 1 of 2, stand."""
        script = Script({"": [("a\n", U)] * 2, "a\n": [("", U)] * 2}, {"a\n": [("7", R), ("8", W)]}, reason="timeout")
        annotation = search(script, searches=3)
        assert scores(annotation) == {key_of("a\n"): 0.5}
        (path,) = annotation.solutions
        assert path.text == "a\n"

    def test_silence_is_a_failure_unless_it_is_not_to_be(self) -> None:
        """As in the other annotators."""
        steps: Mapping[str, Told] = {"": [("no idea", U), ("7", R)]}
        for silence_is_failure, expected in ((True, {key_of("no idea"): 0.0}), (False, {})):
            annotation = search(Script(steps, {}), searches=1, silence_is_failure=silence_is_failure)
            assert scores(annotation) == {key_of("7"): 1.0, **expected}

    @pytest.mark.parametrize(
        ("error", "status"),
        [
            (EngineError("the server left"), AnnotationStatus.ENGINE_FAILED),
            (BudgetExhausted("all is spent"), AnnotationStatus.STOPPED_BY_BUDGET),
        ],
    )
    @pytest.mark.parametrize("at", ["proposal", "rollout"])
    def test_failures_end_the_search(self, error: Exception, status: AnnotationStatus, at: str) -> None:
        """What was found stays: also the score of a sibling that was asked at the same time."""
        steps: dict[str, Told | Exception] = dict(TestTree.steps)
        rollouts: dict[str, Told | Exception] = dict(TestTree.rollouts)
        (steps if at == "proposal" else rollouts)["a\n"] = error
        annotation = search(Script(steps, rollouts))
        assert annotation.status is status
        assert str(error) in annotation.detail
        assert scores(annotation)[key_of("b\n")] == 0.0
        assert (key_of("a\n") in scores(annotation)) == (at == "proposal")
        finishes = {s.text: s.finish_reason for s in annotation.solutions}
        a = ("a\nx", "stop") if at == "proposal" else ("a\n", "length")
        assert finishes == dict([a, ("b\nx", "stop")])


@dataclass(frozen=True, kw_only=True)
class ByLikelihood:
    """Values a state by how likely the gold answer is behind it: a value function that asks."""

    name: ClassVar[str] = "by_likelihood"
    version: ClassVar[str] = "1"

    def value_program(self, problem: Problem, key: str, steps: Sequence[Step], *, seed: int) -> Any:
        """Ask for the likelihood."""
        prefix = "".join(step.text for step in steps)
        scored: Scored = yield Score(problem=problem, node_key=key, prefix=prefix, continuation="7")
        return None if scored.tokens == 0 else scored.logprob


class TestValueFunction:
    """An external value function in place of rollouts."""

    def run(self, values: Mapping[str, float | None], searches: int = 2) -> tuple[Annotation, Script]:
        script = Script(TestTree.steps, {})

        def world(effect: Any) -> Any:
            if isinstance(effect, Sample):
                return script(effect)
            value = values[effect.prefix]
            return Scored(logprob=value or 0.0, tokens=0 if value is None else 1, completer="m")

        return search(world, searches=searches, value=ByLikelihood()), script

    def test_it_scores_and_steers(self) -> None:
        """b looks better, so it is expanded; no rollout is drawn."""
        annotation, script = self.run({"a\n": 0.2, "b\n": 0.9, "b\nb1\n": 0.4})
        assert script.proposed == ["", "b\n"]
        assert scores(annotation) == pytest.approx(
            {key_of("a\n"): 0.2, key_of("b\n"): 0.2, key_of("b\n", "b1\n"): 0.4, key_of("b\n", "8"): 0.0}
        )

    def test_paths_that_are_not_finished_say_so(self) -> None:
        """They end with `length` and their outcome is unknown, so that nobody takes their last number for an answer."""
        annotation, _ = self.run({"a\n": 0.2, "b\n": 0.9, "b\nb1\n": 0.4})
        outcomes = {one.subject: (one.outcome, one.reason) for one in annotation.outcomes}
        found = {s.text: (s.finish_reason, *outcomes[s.id]) for s in annotation.solutions}
        open_end = ("length", U, "length")
        assert found == {"a\n": open_end, "b\nb1\n": open_end, "b\n8": ("stop", W, "")}

    def test_unknown_values_stand_as_the_parents(self) -> None:
        """They have no score, and do not keep a node from being selected."""
        annotation, script = self.run({"a\n": None, "b\n": None, "a\na1\n": None})
        assert script.proposed == ["", "a\n"]
        assert scores(annotation) == {key_of("a\n"): 1.0, key_of("a\n", "7"): 1.0}

    def test_values_must_lie_within_bounds(self) -> None:
        """A logit is no value."""
        with pytest.raises(DataError, match=r"-3\.5"):
            self.run({"a\n": -3.5, "b\n": 0.0})


def test_depth_is_limited() -> None:
    """A model that never ends: no path is longer than `max_depth`, and the search ends when nothing may grow."""
    model = Endless()
    annotation = search(model, searches=50, max_depth=3, proposals=NextSteps(branch=1), k=1)
    assert model.proposals == 3
    assert [len(s.steps) for s in annotation.solutions] == [4]  # three of the tree, one of the rollout that ends it
    assert annotation.status is AnnotationStatus.COMPLETE


class Endless:
    """Always another line; rollouts end at once."""

    proposals = 0

    def __call__(self, effect: Sample) -> Samples:
        self.proposals += bool(effect.sampling.stop)
        return said(effect, [("on\n" if effect.sampling.stop else "8", U)])


class Random:
    """A model whose words depend on prefix and seed alone."""

    def __init__(self) -> None:
        self.asked: list[Sample] = []

    def __call__(self, effect: Sample) -> Samples:
        self.asked.append(effect)
        rng = random.Random(derive_seed(effect.seed, effect.node_key))
        ending = "" if effect.sampling.stop and rng.random() < 0.8 else rng.choice("78")
        return said(
            effect, [(f"{rng.choice('ab')}{ending or chr(10)}", rng.choice((R, W, U))) for _ in range(effect.n)]
        )


def test_three_hundred_random_problems() -> None:
    """No state is scored twice, none proposed for twice; values lie in [0, 1]; every scored node is on a path."""
    for seed in range(300):
        model = Random()
        annotation = search(model, seed=seed, searches=8, max_depth=4, proposals=NextSteps(branch=3))
        assert max(Counter(effect.node_key for effect in model.asked).values()) == 1
        assert all(0 <= value <= 1 for value in scores(annotation).values())
        nodes = {key for s in annotation.solutions for key in s.node_keys}
        assert set(scores(annotation)) <= nodes
        assert set(scores(annotation, ROUTE_SOURCE)) <= nodes
        assert len(model.asked) <= 8 * (1 + 3)


def test_the_same_seed_gives_the_same_annotation() -> None:
    """Nothing but problem, answers and seed decides."""
    runs = []
    for seed in (5, 5, 6):
        model = Random()
        runs.append((search(model, seed=seed), [effect.seed for effect in model.asked]))
    assert runs[0] == runs[1]
    assert runs[0][1][0] != runs[2][1][0]


def test_it_is_a_problem_annotator() -> None:
    """And asks no more than it says: 16 searches of 3 proposals with 8 rollouts each; none with a value function."""
    assert isinstance(MCTS(), ProblemAnnotator)
    assert MCTS().most_samples(16) == 16 * 3 * (3 + 8)
    assert MCTS(value=ByLikelihood()).most_samples(16) == 16 * 3 * 3


@pytest.mark.parametrize(
    "options",
    [{"k": 0}, {"searches": 0}, {"max_depth": 0}, {"uct": -0.1}, {"min_decided": 9}],
    ids=lambda options: next(iter(options)),
)
def test_numbers_out_of_range(options: dict[str, Any]) -> None:
    """Refused where they are given."""
    with pytest.raises(ConfigError):
        MCTS(**options)


@pytest.mark.parametrize("options", [{"branch": 0}, {"max_tokens": 0}])
def test_proposals_out_of_range(options: dict[str, Any]) -> None:
    """Refused where they are given."""
    with pytest.raises(ConfigError):
        NextSteps(**options)


@pytest.mark.parametrize(
    ("segmenter", "stop"),
    [
        (NewlineSteps(), ("\n",)),
        (BlankLineSteps(), ("\n\n",)),
        (GivenSteps(separator=";"), (";",)),
        (SentenceSteps(), ()),
        (MarkerSteps(), ()),
    ],
    ids=lambda value: type(value).__name__,
)
def test_stop_texts_follow_the_segmenter(segmenter: Any, stop: tuple[str, ...]) -> None:
    """Where no text ends every step and nothing else, whole completions are drawn."""
    assert NextSteps(segmenter=segmenter).stop == stop


@pytest.mark.parametrize(
    ("segmenter", "stop"),
    [(BlankLineSteps(), "\n"), (NewlineSteps(), "."), (MarkerSteps(), "\n"), (GivenSteps(separator=";"), "\n")],
    ids=lambda value: type(value).__name__ if not isinstance(value, str) else "",
)
def test_a_stop_text_that_ends_no_step_is_refused(segmenter: Any, stop: str) -> None:
    """It would make steps of the tree that no solution has."""
    with pytest.raises(ConfigError, match=type(segmenter).__name__):
        NextSteps(segmenter=segmenter, stop=(stop,))


def test_a_tree_of_paragraphs_has_the_steps_of_solutions() -> None:
    """A paragraph of several lines is one step, in the tree as in what the segmenter makes of the whole text."""
    first, last = "Let\nx = 7.\n\n", "So\nit is 7."
    segmenter = BlankLineSteps()
    script = Script({"": [(first, U)], first: [(last, R)]}, {first: [("7", R)] * 2})
    annotation = search(script, proposals=NextSteps(branch=1, segmenter=segmenter), searches=2)
    assert {effect.sampling.stop for effect in script.asked if effect.sampling.stop} == {("\n\n",)}
    (path,) = annotation.solutions
    assert [step.text for step in path.steps] == [step.text for step in segmenter.split(first + last)] == [first, last]
