"""FilterQuestions and Annotate: spend rollouts only where they can tell something, then spend them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, replace
from typing import TypeAlias

import apache_beam as beam

from steplabel.annotators.annotation import Annotation, AnnotationStatus, Annotator, ProblemAnnotator
from steplabel.annotators.driver import Finished, Handler, drive
from steplabel.annotators.effects import Program, Sample, Score
from steplabel.annotators.question_filter import QuestionFilter
from steplabel.engines.port import EngineSpec
from steplabel.engines.store.rollout_store import RolloutStore
from steplabel.schemas import (
    AnswerType,
    Evidence,
    GoldAnswer,
    ModelIdentity,
    Reason,
    Reject,
    Solution,
    SolutionSource,
)
from steplabel.transforms.host import engine_host
from steplabel.transforms.prompts import PromptTemplate
from steplabel.transforms.sample import check_in_flight, failed
from steplabel.transforms.sampler import Sampler
from steplabel.transforms.scorer import Scorer
from steplabel.transforms.shards import REJECTS, Shard
from steplabel.verifiers import AnswerChecker

FILTER_STAGE, STAGE = "question_filter", "annotate"

DROPPED = "dropped"
"""Tag of problems whose solutions are kept but not annotated."""


class FilterQuestions(beam.PTransform):  # type: ignore[misc]
    """Drop problems whose sampled solutions are all right or all wrong: their rollouts would tell nothing.

    Imported solutions were chosen by the user and always pass. A dropped problem leaves under the tag `dropped`
    with what is known of it (its solutions stay in the dataset) and as a reject with the reason.
    """

    def __init__(self, question_filter: QuestionFilter | None) -> None:
        super().__init__()
        self.filter = question_filter

    def expand(self, problems: beam.PCollection) -> beam.pvalue.DoOutputsTuple:
        """Wire one map with three outputs."""
        stage = beam.FlatMap(filter_question, self.filter).with_output_types(
            Evidence, **{REJECTS: Reject, DROPPED: Evidence}
        )
        return problems | "Filter" >> stage.with_outputs(REJECTS, DROPPED, main="kept")


def filter_question(
    evidence: Evidence, question_filter: QuestionFilter | None
) -> Iterator[Evidence | beam.pvalue.TaggedOutput]:
    """Pass a problem on, or tag it as dropped and say why."""
    sampled = all(s.source is not SolutionSource.IMPORTED for s in evidence.solutions)
    reason = question_filter.reject_reason(evidence.outcomes) if question_filter and sampled else None
    if reason is None:
        yield evidence
        return
    yield beam.pvalue.TaggedOutput(DROPPED, evidence)
    counts = f"{len(evidence.solutions)} solutions: " + ", ".join(o.outcome for o in evidence.outcomes)
    problem = evidence.problem
    reject = Reject(record_id=problem.id, kind="problem", stage=FILTER_STAGE, reason=reason, detail=counts)
    yield beam.pvalue.TaggedOutput(REJECTS, reject)


@dataclass(frozen=True, slots=True, kw_only=True)
class AnnotationPlan:
    """How evidence is gathered.

    Attributes:
        annotator: makes a program for each solution, or one for each problem, which may add solutions.
        in_flight: programs that run at once, for each process: at least twice the engine's slots / k.
    """

    completer: EngineSpec
    prompt: PromptTemplate
    checker: AnswerChecker
    annotator: Annotator | ProblemAnnotator
    seed: int = 0
    in_flight: int = 256

    def __post_init__(self) -> None:
        check_in_flight(self.in_flight)


class _AnnotateShard(beam.DoFn):  # type: ignore[misc]
    """Runs the programs of a shard all at once, and yields a problem when its last one ends."""

    def __init__(self, plan: AnnotationPlan) -> None:
        self.plan = plan

    def process(self, element: Shard) -> Iterator[Evidence | beam.pvalue.TaggedOutput]:
        """Yield every problem of the shard with the evidence about its solutions."""
        _, problems = element
        host = engine_host()
        engine = host.engine(self.plan.completer)
        handlers: dict[type, Handler] = {
            Sample: Sampler(engine=engine, prompt=self.plan.prompt, checker=self.plan.checker),
            Score: Scorer(engine=engine, prompt=self.plan.prompt),
        }
        waiting = []
        for evidence in problems:
            if not evidence.solutions or not _can_be_judged(evidence.problem.gold):
                yield evidence  # keep what is known and ask nothing
            else:
                waiting.append(_Gathering(evidence))

        def start() -> AsyncIterator[Finished[_Unit, Annotation]]:
            programs = (unit for item in waiting for unit in item.programs(self.plan))
            return drive(programs, handlers, in_flight=self.plan.in_flight)

        for done in host.iterate(start):
            item, solution = done.key
            yield from (beam.pvalue.TaggedOutput(REJECTS, r) for r in item.take(solution, done))
            if item.missing == 0:
                if isinstance(engine, RolloutStore):
                    engine.mark_finished(item.evidence.problem.id, "annotated")
                yield item.gathered(engine.identity)


def _can_be_judged(gold: GoldAnswer | None) -> bool:
    """Whether a rollout's answer can be compared with the gold: else its tokens would be wasted."""
    return gold is not None and gold.type not in (AnswerType.UNIT_TESTS, AnswerType.FORMAL_GOAL)


class _Gathering:
    """A problem that is being annotated, by one program or by one for each of its solutions."""

    def __init__(self, evidence: Evidence) -> None:
        self.evidence = evidence
        self.missing = 0
        self._outcomes = {outcome.subject: outcome for outcome in evidence.outcomes}
        self._found: list[Annotation] = []

    def programs(self, plan: AnnotationPlan) -> Iterator[tuple[_Unit, Program[Annotation]]]:
        """The programs that annotate the problem, each with what it is about."""
        problem, solutions = self.evidence.problem, self.evidence.solutions
        if isinstance(plan.annotator, ProblemAnnotator):
            self.missing = 1
            solved = tuple((solution, self._outcomes.get(solution.id)) for solution in solutions)
            yield (self, None), plan.annotator.problem_program(problem, solved, seed=plan.seed)
            return
        self.missing = len(solutions)
        for solution in solutions:
            outcome = self._outcomes.get(solution.id)
            yield (self, solution), plan.annotator.program(problem, solution, outcome, seed=plan.seed)

    def take(self, solution: Solution | None, done: Finished[_Unit, Annotation]) -> Iterator[Reject]:
        """Keep what one program found, about a solution or the whole problem; say so if it could not finish."""
        self.missing -= 1
        problem = self.evidence.problem
        subject, kind = (problem.id, "problem") if solution is None else (solution.id, "solution")
        if done.result is None:
            yield replace(failed(problem, STAGE, done.error), record_id=subject, kind=kind)
            return
        self._found.append(done.result)
        reason = UNFINISHED.get(done.result.status)
        if reason is not None:
            yield Reject(record_id=subject, kind=kind, stage=STAGE, reason=reason, detail=done.result.detail)

    def gathered(self, completer: ModelIdentity) -> Evidence:
        """The problem with all that its programs found, program by program as they ended."""
        found = self._found
        return self.evidence.merged(
            Evidence(
                problem=self.evidence.problem,
                solutions=tuple(_licensed(solution, completer) for one in found for solution in one.solutions),
                rollouts=tuple(rollout for one in found for rollout in one.rollouts),
                outcomes=tuple(outcome for one in found for outcome in one.outcomes),
                observations=tuple(observation for one in found for observation in one.observations),
            )
        )


_Unit: TypeAlias = tuple[_Gathering, Solution | None]
"""What a program is about: a solution of a problem, or with None the whole problem."""


def _licensed(solution: Solution, completer: ModelIdentity) -> Solution:
    """A program does not know its completer's licence, under which the solutions stand that a search had it write."""
    return replace(solution, policy_licence=completer.licence) if solution.policy == completer.id else solution


UNFINISHED = {
    AnnotationStatus.STOPPED_BY_BUDGET: Reason.BUDGET,
    AnnotationStatus.ENGINE_FAILED: Reason.ENGINE_ERROR,
}
"""Ends of a program that the same command may better when it is run again."""


class Annotate(beam.PTransform):  # type: ignore[misc]
    """Shards of solved problems -> problems with evidence; what could not be finished is tagged as reject too."""

    def __init__(self, plan: AnnotationPlan) -> None:
        super().__init__()
        self.plan = plan

    def expand(self, shards: beam.PCollection) -> beam.pvalue.DoOutputsTuple:
        """Wire one engine stage."""
        stage = beam.ParDo(_AnnotateShard(self.plan)).with_output_types(Evidence, **{REJECTS: Reject})
        return shards | "Annotate" >> stage.with_outputs(REJECTS, main="annotated")
