"""Searches over whole problems on their way through Beam: real problems, a scripted solver, the real store."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import apache_beam as beam
import pytest
from apache_beam.options.pipeline_options import PipelineOptions
from apache_beam.testing.util import assert_that

from steplabel.annotators.annotation import Annotation, AnnotationStatus, ProblemAnnotator, Solved
from steplabel.annotators.effects import Program, Score, Scored
from steplabel.annotators.steps.math_shepherd import MathShepherd
from steplabel.annotators.trees.mcts import MCTS
from steplabel.annotators.trees.omegaprm import OmegaPRM
from steplabel.engines import GenerateRequest, ScriptedEngine, StoredSpec
from steplabel.engines.bundled.solver import sloppy
from steplabel.engines.bundled.task import generate_problem, seeded
from steplabel.labels.apply import is_labelled, label_evidence
from steplabel.labels.policies import POLICIES
from steplabel.schemas import (
    BudgetExhausted,
    EngineError,
    Evidence,
    GoldAnswer,
    ModelIdentity,
    Problem,
    Reason,
    Reject,
    SamplingParams,
    SolutionSource,
    Step,
    content_id,
)
from steplabel.schemas.segmentation import NewlineSteps
from steplabel.transforms import annotate
from steplabel.transforms.annotate import Annotate, AnnotationPlan
from steplabel.transforms.answers import CheckAnswers
from steplabel.transforms.host import close_engine_host
from steplabel.transforms.prompts import PromptTemplate
from steplabel.transforms.sample import SampleSolutions, SamplingPlan
from steplabel.transforms.shards import REJECTS, IntoShards
from steplabel.verifiers import AnswerChecker

SEARCHES = [OmegaPRM(searches=6), OmegaPRM(searches=6, pieces=16), MCTS(searches=4, k=4)]
SEARCH_IDS = ["omegaprm", "omegaprm by pieces", "mcts"]
PROMPT = PromptTemplate(text="{problem}\n")

asked: list[str] = []
"""Every sample that reached the solver."""


collected: dict[str, list[Any]] = {}
"""What the last pipeline's collections held, by name."""


def collect(name: str, found: list[Any]) -> None:
    """Keep a collection. Found by its name where Beam runs it, so that it fills this process's dictionary."""
    collected[name] = list(found)


class Failure:
    """After how many samples the solver fails, and how."""

    after: int | None = None
    error: type[Exception] = EngineError


def step_or_solution(request: GenerateRequest, index: int, seed: int) -> str:
    """`sloppy`, which keeps stop texts; it writes down what it is asked, and fails when told to."""
    first = index == request.start  # a request fails before its first sample: what it drew would be lost with it
    if first and Failure.after is not None and len(asked) >= Failure.after:
        raise Failure.error("no more for now")
    asked.append(content_id("asked", request.prompt.text, request.prefix, request.sampling, request.seed, index))
    text = sloppy(request, index, seed)
    return text.partition("\n")[0] + "\n" if "\n" in request.sampling.stop and "\n" in text else text


@dataclass(frozen=True)
class SolverSpec:
    """Opens the solver above."""

    def open(self) -> ScriptedEngine:
        identity = ModelIdentity(name="sloppy", weights="1", licence="Apache-2.0")
        return ScriptedEngine(step_or_solution, identity=identity)

    def preview(self) -> ScriptedEngine:
        return self.open()


@pytest.fixture(autouse=True)
def _fresh() -> Iterator[None]:
    asked.clear()
    Failure.after = None
    yield
    close_engine_host()


def problems(count: int) -> list[Evidence]:
    drawn = [generate_problem(seeded("tree", number), 6) for number in range(count)]
    return [
        Evidence(problem=Problem(id=f"p{i:02}", text=p.text.removesuffix("\n"), gold=GoldAnswer(text=str(p.answer))))
        for i, p in enumerate(drawn)
    ]


def run(store: Path, annotator: Any, count: int = 4) -> dict[str, list[Any]]:
    """Sample solutions, check and annotate, with Beam's own local runner; what came out, by output."""
    completer = StoredSpec(engine=SolverSpec(), path=str(store), run_id="run")
    sampling = SamplingPlan(
        policy=completer,
        prompt=PROMPT,
        checker=AnswerChecker(),
        segmenter=NewlineSteps(),
        sampling=SamplingParams(max_tokens=99),
        n=4,
    )
    plan = AnnotationPlan(completer=completer, prompt=PROMPT, checker=AnswerChecker(), annotator=annotator, in_flight=8)
    collected.clear()
    with beam.Pipeline(options=PipelineOptions(["--runner=FnApiRunner"])) as pipeline:
        given = pipeline | beam.Create(problems(count), reshuffle=False).with_output_types(Evidence)
        solved = given | "ToSample" >> IntoShards(1) | SampleSolutions(sampling)
        checked = solved.solved | CheckAnswers(AnswerChecker())
        known = checked | "ToAnnotate" >> IntoShards(1) | Annotate(plan)
        for name, collection in (("evidence", known.annotated), ("rejects", known[REJECTS])):
            assert_that(collection, partial(collect, name), label=name)
    close_engine_host()
    return {name: sorted(found, key=_problem_id) for name, found in collected.items()}


def _problem_id(record: Evidence | Reject) -> str:
    return record.problem.id if isinstance(record, Evidence) else record.record_id


@pytest.mark.parametrize("annotator", SEARCHES, ids=SEARCH_IDS)
def test_a_search_over_problems_goes_through(tmp_path: Path, annotator: ProblemAnnotator) -> None:
    """Solutions that it adds join the evidence, with outcomes, licence and the nodes that its rollouts know."""
    out = run(tmp_path / "store.sqlite", annotator)
    assert out["rejects"] == []
    assert [e.problem.id for e in out["evidence"]] == [f"p{i:02}" for i in range(4)]
    added = 0
    for evidence in out["evidence"]:
        paths = [s for s in evidence.solutions if s.source is SolutionSource.TREE]
        added += len(paths)
        assert len(evidence.solutions) - len(paths) == 4
        assert {s.policy_licence for s in evidence.solutions} == {"Apache-2.0"}
        outcomes = {one.subject: one for one in evidence.outcomes}
        assert all(s.id in outcomes for s in evidence.solutions)
        nodes = {key for s in evidence.solutions for key in s.node_keys}
        rollouts = [r for r in evidence.rollouts if not r.sampling.stop]
        assert {r.node_key for r in rollouts} <= nodes
        assert all(r.key in outcomes for r in evidence.rollouts)
        check_texts(evidence)
    assert added > 4


def check_texts(evidence: Evidence) -> None:
    """Every path reads as a prefix and what was sampled behind it, and its outcome is that of its whole text."""
    checker, gold = AnswerChecker(), evidence.problem.gold
    assert gold is not None
    outcomes = {one.subject: one for one in evidence.outcomes}
    for solution in evidence.solutions:
        assert outcomes[solution.id].outcome == checker.check(solution.text, gold).outcome
        assert solution.final_answer == outcomes[solution.id].answer


@pytest.mark.parametrize("annotator", SEARCHES, ids=SEARCH_IDS)
def test_label_views_speak_about_the_paths(tmp_path: Path, annotator: ProblemAnnotator) -> None:
    """Ordinary label policies label searched paths from the rollouts at their nodes."""
    out = run(tmp_path / "store.sqlite", annotator)
    sources = {s.id: s.source for e in out["evidence"] for s in e.solutions}
    for policy in ("math_shepherd_hard", "math_shepherd_soft"):
        labels = label_evidence(out["evidence"], POLICIES[policy])
        ours = [one for one in labels if sources[one.solution_id] is SolutionSource.TREE]
        assert ours
        assert all(is_labelled(one) for one in ours)
        assert any(any(one.successes) for one in ours)


@pytest.mark.parametrize(
    ("annotator", "error"),
    [(SEARCHES[0], EngineError), (SEARCHES[1], BudgetExhausted), (SEARCHES[2], EngineError)],
    ids=SEARCH_IDS,
)
def test_a_run_that_was_stopped_is_repeated_without_asking_twice(
    tmp_path: Path, annotator: ProblemAnnotator, error: type[Exception]
) -> None:
    """The solver fails in the middle: problems say so and keep what they have; the repeat asks for the rest alone."""
    calm = run(tmp_path / "calm.sqlite", annotator)
    all_asked = Counter(asked)
    assert max(all_asked.values()) == 1
    asked.clear()
    Failure.after, Failure.error = len(all_asked) // 2, error
    stopped = run(tmp_path / "stopped.sqlite", annotator)
    assert stopped["rejects"]
    expected = Reason.ENGINE_ERROR if error is EngineError else Reason.BUDGET
    assert {(r.kind, r.stage, r.reason) for r in stopped["rejects"]} == {("problem", "annotate", expected)}
    assert sum(len(e.rollouts) for e in stopped["evidence"]) > 0
    Failure.after = None
    resumed = run(tmp_path / "stopped.sqlite", annotator)
    assert Counter(asked) == all_asked
    assert resumed == calm


@dataclass(frozen=True)
class Nothing(OmegaPRM):
    """A search that asks nothing and finds nothing."""

    def problem_program(self, problem: Problem, solved: Sequence[Solved], *, seed: int) -> Program[Annotation]:
        """End at once."""
        return Annotation(status=AnnotationStatus.COMPLETE)
        yield


@pytest.mark.parametrize("annotator", SEARCHES, ids=SEARCH_IDS)
def test_a_shard_that_is_killed_loses_nothing(tmp_path: Path, annotator: ProblemAnnotator) -> None:
    """The worker goes after its first problem; the next one finds every answer that was there in the store."""
    solved = run(tmp_path / "solved.sqlite", Nothing())["evidence"]
    store = StoredSpec(engine=SolverSpec(), path=str(tmp_path / "store.sqlite"), run_id="run")
    plan = AnnotationPlan(completer=store, prompt=PROMPT, checker=AnswerChecker(), annotator=annotator, in_flight=2)
    asked.clear()
    killed = annotate._AnnotateShard(plan).process((0, solved))
    first = next(killed)
    killed.close()
    close_engine_host()
    before = len(asked)
    again = list(annotate._AnnotateShard(plan).process((0, solved)))
    assert first in again
    assert 0 < before < len(asked)
    assert max(Counter(asked).values()) == 1


def test_a_problem_whose_program_breaks_is_a_reject(tmp_path: Path) -> None:
    """An error of the program itself refuses its problem, under the problem's id, and leaves the others alone."""
    out = run(tmp_path / "store.sqlite", Broken(), count=3)
    assert [(r.record_id, r.kind, r.stage) for r in out["rejects"]] == [("p01", "problem", "annotate")]
    assert "p01 cannot be searched" in out["rejects"][0].detail
    assert len(out["evidence"]) == 3
    assert isinstance(out["rejects"][0], Reject)


@dataclass(frozen=True)
class Broken(OmegaPRM):
    """A search that one problem breaks."""

    def problem_program(self, problem: Problem, solved: Sequence[Solved], *, seed: int) -> Program[Annotation]:
        """Fail for one problem."""
        if problem.id == "p01":
            raise EngineError("p01 cannot be searched")
        return (yield from super().problem_program(problem, solved, seed=seed))


def test_searches_share_the_store_with_other_annotators(tmp_path: Path) -> None:
    """What Math-Shepherd asked of a prefix answers the tree's question about it: most of it is there already."""
    store = tmp_path / "store.sqlite"
    run(store, MathShepherd(k=8))
    asked.clear()
    run(store, OmegaPRM(searches=1))
    assert asked == []


@dataclass(frozen=True)
class Likelihood:
    """A value function that asks how likely the gold answer is."""

    name = "likelihood"
    version = "1"

    def value_program(self, problem: Problem, key: str, steps: Sequence[Step], *, seed: int) -> Program[float | None]:
        """Ask for it."""
        prefix = "".join(step.text for step in steps)
        scored: Scored = yield Score(problem=problem, node_key=key, prefix=prefix, continuation="7")
        return min(1.0, -scored.logprob)


def test_scores_can_be_asked_for(tmp_path: Path) -> None:
    """`Score` has its handler; an engine that cannot answer it refuses the problem, and says what is needed."""
    out = run(tmp_path / "store.sqlite", MCTS(value=Likelihood()), count=1)
    ((problem, reason, detail),) = [(r.record_id, r.reason, r.detail) for r in out["rejects"]]
    assert (problem, reason) == ("p00", Reason.UNSUPPORTED)
    assert "gives no log-probabilities of prompts" in detail


def test_a_problem_without_solutions_passes() -> None:
    """There is nothing to search from: what is known goes on, and nothing is asked."""
    plan = AnnotationPlan(completer=SolverSpec(), prompt=PROMPT, checker=AnswerChecker(), annotator=OmegaPRM())
    (evidence,) = problems(1)
    stage = Annotate(plan)
    with beam.Pipeline(options=PipelineOptions(["--runner=FnApiRunner"])) as pipeline:
        shards = pipeline | beam.Create([(0, [evidence])], reshuffle=False)
        assert_that((shards | stage).annotated, partial(collect, "evidence"))
    assert collected["evidence"] == [evidence]
    assert asked == []
