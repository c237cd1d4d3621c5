"""Ask about a prefix: what every Monte Carlo annotator does, in one program.

The seed of a question depends on the run's seed and the prefix, never on the solution that led there or the
annotator that asks. So solutions that begin alike, and a second recipe over the same store, get the answers
that are already there. Alike means token by token: two spellings of one text are two questions about one node.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from steplabel.annotators.asking.zero_test import ZeroTest
from steplabel.annotators.effects import Program, Sample, Samples
from steplabel.annotators.tally import Tally
from steplabel.schemas import (
    BudgetExhausted,
    CheckedOutcome,
    ConfigError,
    DataError,
    EngineError,
    Problem,
    Rollout,
    SamplingParams,
    Solution,
    derive_seed,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class PrefixAnswer:
    """What came back for the prefix of `depth` steps.

    Attributes:
        rollouts, outcomes: in the order of their sample index; fewer than asked for if `error` is set, or
            if a success ended the asking.
        error: what kept the rest from coming.
    """

    depth: int
    rollouts: tuple[Rollout, ...] = ()
    outcomes: tuple[CheckedOutcome, ...] = ()
    error: EngineError | BudgetExhausted | None = None


def prefix_seed(seed: int, node_key: str) -> int:
    """Seed of all samples of one prefix in one run."""
    return derive_seed("prefix", seed, node_key)


def prefix_question(
    problem: Problem, solution: Solution, depth: int, *, sampling: SamplingParams | None, seed: int, probe: str = ""
) -> Sample:
    """The question about the first `depth` steps (0: the bare problem), for one completion.

    Args:
        sampling: None takes the solution's own, or the defaults where it was imported.
        seed: the run's.
        probe: text put behind the prefix for this question alone.
    """
    key = solution.node_keys[depth - 1] if depth else problem.root_key
    return Sample(
        problem=problem,
        node_key=key,
        prefix=solution.prefix(depth),
        prefix_ids=solution.token_ids if depth else (),
        n=1,
        sampling=sampling or solution.sampling or SamplingParams(),
        seed=prefix_seed(seed, key),
        probe=probe,
    )


def ask_prefix(
    problem: Problem,
    solution: Solution,
    depth: int,
    *,
    k: int,
    chunk: int,
    sampling: SamplingParams | None,
    seed: int,
) -> Program[PrefixAnswer]:
    """Sample k completions of the first `depth` steps, `chunk` at a time: see `prefix_question` and `ask`."""
    question = prefix_question(problem, solution, depth, sampling=sampling, seed=seed)
    return (yield from ask(question, depth, k=k, chunk=chunk))


def ask(
    question: Sample,
    depth: int,
    *,
    k: int,
    chunk: int,
    zero_test: ZeroTest | None = None,
    silence_is_failure: bool = True,
    failures: int = 0,
) -> Program[PrefixAnswer]:
    """Ask a question for samples `question.start .. k - 1`, `chunk` at a time.

    Chunks after the first are asked only while no completion was right, and while the failures are too few for
    `zero_test`; a chunk is never larger than what that still needs. `chunk=k` without a test asks for all at once.
    An error of the engine or the budget ends the asking, with what came before it kept.

    Args:
        depth: what the answer is to be called by.
        silence_is_failure: whether completions without an answer count among the failures.
        failures: of the samples before `question.start`, which were asked elsewhere.
    """
    rollouts: list[Rollout] = []
    outcomes: list[CheckedOutcome] = []
    start, enough = question.start, zero_test.failures if zero_test else k
    while start < k and failures < enough:
        n = min(chunk, k - start, enough - failures)
        try:
            samples: Samples = yield replace(question, start=start, n=n)
        except (EngineError, BudgetExhausted) as error:
            return PrefixAnswer(depth=depth, rollouts=tuple(rollouts), outcomes=tuple(outcomes), error=error)
        rollouts += samples.rollouts
        outcomes += samples.outcomes
        tally = Tally.of(samples.outcomes)
        if tally.correct:
            break
        failures += tally.failed(silence_is_failure=silence_is_failure)
        start += n
    return PrefixAnswer(depth=depth, rollouts=tuple(rollouts), outcomes=tuple(outcomes))


def labelable_depths(solution: Solution) -> tuple[int, ...]:
    """Depths of the prefixes that end with a step the policy wrote: the only ones worth asking.

    The last of them holds the final answer, so completions from there say nothing that the solution's own
    outcome does not. One that ends with a tool call is continued without the tool's output: the completer
    must imagine it.
    """
    return tuple(i + 1 for i, step in enumerate(solution.steps) if step.labelable)


def check_counts(*, k: int, chunk: int) -> None:
    """Refuse sample counts that cannot work.

    Raises:
        ConfigError: `k` below 1, or `chunk` not within 1..k.
    """
    if k < 1:
        raise ConfigError(f"k={k}: at least one rollout is needed for each prefix")
    if not 1 <= chunk <= k:
        raise ConfigError(f"chunk={chunk} must lie between 1 and k={k}")


def check_belong(problem: Problem, solution: Solution, outcome: CheckedOutcome | None) -> None:
    """Raise DataError unless the solution answers the problem and the outcome is the solution's."""
    if solution.problem_id != problem.id:
        raise DataError(f"solution {solution.id} answers problem {solution.problem_id}, not {problem.id}")
    if outcome is not None and outcome.subject != solution.id:
        raise DataError(f"the outcome given for solution {solution.id} is about {outcome.subject}")
