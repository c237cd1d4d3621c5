"""SampleSolutions: draw whole solutions of each problem from the policy model."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, replace

import apache_beam as beam

from steplabel.annotators.driver import Finished, drive
from steplabel.annotators.effects import Program, Sample, Samples
from steplabel.engines.port import EngineSpec
from steplabel.schemas import (
    BudgetExhausted,
    CheckedOutcome,
    ConfigError,
    DataError,
    Evidence,
    ModelLoadError,
    Problem,
    Reason,
    Reject,
    Rollout,
    SamplingParams,
    Solution,
    SolutionSource,
    derive_seed,
    make_solution,
)
from steplabel.schemas.segmentation import Segmenter
from steplabel.transforms.host import engine_host
from steplabel.transforms.prompts import PromptTemplate
from steplabel.transforms.sampler import Sampler
from steplabel.transforms.shards import REJECTS, Shard
from steplabel.verifiers import AnswerChecker


@dataclass(frozen=True, slots=True, kw_only=True)
class SamplingPlan:
    """How solutions are drawn.

    Attributes:
        n: solutions for each problem.
        in_flight: problems asked about at once, for each process.
        seed: the run's seed; each problem's own is derived from it and from what the problem asks.
    """

    policy: EngineSpec
    prompt: PromptTemplate
    checker: AnswerChecker
    segmenter: Segmenter
    sampling: SamplingParams
    n: int = 4
    seed: int = 0
    in_flight: int = 256

    def __post_init__(self) -> None:
        check_in_flight(self.in_flight)


def check_in_flight(in_flight: int) -> None:
    """Raise ConfigError where no program could run, while the plan is made and not by each worker."""
    if in_flight < 1:
        raise ConfigError(f"in_flight={in_flight} must be at least 1")


def draw(problem: Problem, plan: SamplingPlan) -> Program[Samples]:
    """Program: n samples of the empty prefix."""
    answer: Samples = yield Sample(
        problem=problem,
        node_key=problem.root_key,
        prefix="",
        n=plan.n,
        sampling=plan.sampling,
        seed=derive_seed(plan.seed, "solution", problem.root_key),
    )
    return answer


def solutions_from(
    problem: Problem, samples: Samples, plan: SamplingPlan, licence: str = ""
) -> tuple[tuple[Solution, ...], tuple[CheckedOutcome, ...], tuple[Reject, ...]]:
    """Cut sampled texts into steps. A text without any step leaves as a reject."""
    solutions, outcomes, rejects = [], [], []
    for rollout, outcome in zip(samples.rollouts, samples.outcomes, strict=True):
        try:
            solution = _solution(problem, rollout, outcome, plan, licence)
        except DataError as error:
            rejects.append(_no_steps(problem, rollout, str(error)))
            continue
        solutions.append(solution)
        outcomes.append(replace(outcome, subject=solution.id))
    return tuple(solutions), tuple(outcomes), tuple(rejects)


def _solution(
    problem: Problem, rollout: Rollout, outcome: CheckedOutcome, plan: SamplingPlan, licence: str
) -> Solution:
    solution = make_solution(
        problem,
        plan.segmenter.split(rollout.text),
        policy=rollout.completer,
        policy_licence=licence,
        source=SolutionSource.SAMPLED,
        sampling=rollout.sampling,
        seed=rollout.seed,
        index=rollout.index,
        token_ids=rollout.token_ids,
        finish_reason=rollout.finish_reason,
    )
    return replace(solution, final_answer=outcome.answer)


def _no_steps(problem: Problem, rollout: Rollout, detail: str) -> Reject:
    return Reject(
        record_id=f"{problem.id}#{rollout.index}",
        kind="solution",
        stage="segment",
        reason=Reason.NO_STEPS,
        detail=detail,
    )


class _SampleShard(beam.DoFn):  # type: ignore[misc]
    """Runs one program a problem; problems that came with solutions pass through untouched."""

    def __init__(self, plan: SamplingPlan) -> None:
        self.plan = plan

    def process(self, element: Shard) -> Iterator[Evidence | beam.pvalue.TaggedOutput]:
        """Yield every problem of the shard with its solutions, as soon as it has them."""
        _, problems = element
        waiting = []
        for evidence in problems:
            if evidence.solutions:
                yield evidence
            else:
                waiting.append(evidence)
        host = engine_host()
        engine = host.engine(self.plan.policy)
        handler = Sampler(engine=engine, prompt=self.plan.prompt, checker=self.plan.checker)

        def start() -> AsyncIterator[Finished[Evidence, Samples]]:
            programs = ((e, draw(e.problem, self.plan)) for e in waiting)
            return drive(programs, {Sample: handler}, in_flight=self.plan.in_flight)

        for done in host.iterate(start):
            yield from self._results(done, engine.identity.licence)

    def _results(
        self, done: Finished[Evidence, Samples], licence: str
    ) -> Iterator[Evidence | beam.pvalue.TaggedOutput]:
        problem = done.key.problem
        if done.result is None:
            yield beam.pvalue.TaggedOutput(REJECTS, failed(problem, "sample", done.error))
            return
        solutions, outcomes, rejects = solutions_from(problem, done.result, self.plan, licence)
        for reject in rejects:
            yield beam.pvalue.TaggedOutput(REJECTS, reject)
        yield replace(done.key, solutions=solutions, outcomes=outcomes)


_REASONS = {BudgetExhausted: Reason.BUDGET, ConfigError: Reason.UNSUPPORTED}
"""A request that its engine can never serve (too long, an image) is this problem's fault: the others go on."""


def failed(problem: Problem, stage: str, error: BaseException | None) -> Reject:
    """The reject of a problem whose program did not end well: spent budget or failed engine."""
    if isinstance(error, ModelLoadError):
        raise error  # the same for every problem
    reason = next((reason for kind, reason in _REASONS.items() if isinstance(error, kind)), Reason.ENGINE_ERROR)
    return Reject(
        record_id=problem.id,
        kind="problem",
        stage=stage,
        reason=reason,
        detail=f"{type(error).__name__}: {error}" if error else "",
    )


class SampleSolutions(beam.PTransform):  # type: ignore[misc]
    """Shards of problems -> problems with sampled solutions and their outcomes; rejects under a tag."""

    def __init__(self, plan: SamplingPlan) -> None:
        super().__init__()
        self.plan = plan

    def expand(self, shards: beam.PCollection) -> beam.pvalue.DoOutputsTuple:
        """Wire one engine stage."""
        stage = beam.ParDo(_SampleShard(self.plan)).with_output_types(Evidence, **{REJECTS: Reject})
        return shards | "Sample" >> stage.with_outputs(REJECTS, main="solved")
