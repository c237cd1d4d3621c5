"""Ask about a prefix: what every Monte Carlo annotator does, in one program.

The seed of a question depends on the run's seed and the prefix, never on the solution that led there or the
annotator that asks. So solutions that begin alike, and a second recipe over the same store, get the answers
that are already there. Alike means token by token: two spellings of one text are two questions about one node.
"""

from __future__ import annotations

from dataclasses import dataclass

from steplabel.annotators.effects import Program, Sample, Samples
from steplabel.schemas import (
    BudgetExhausted,
    CheckedOutcome,
    ConfigError,
    DataError,
    EngineError,
    Outcome,
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
    """Sample k completions of the first `depth` steps (0: the bare problem), `chunk` at a time.

    Chunks after the first are asked only while no completion was right; `chunk=k` asks for all at once. An
    error of the engine or the budget ends the asking, with what came before it kept.

    Args:
        sampling: None takes the solution's own, or the defaults where it was imported.
        seed: the run's.
    """
    key = solution.node_keys[depth - 1] if depth else problem.root_key
    rollouts: list[Rollout] = []
    outcomes: list[CheckedOutcome] = []
    for start in range(0, k, chunk):
        question = Sample(
            problem=problem,
            node_key=key,
            prefix=solution.prefix(depth),
            prefix_ids=solution.token_ids if depth else (),
            n=min(chunk, k - start),
            sampling=sampling or solution.sampling or SamplingParams(),
            seed=prefix_seed(seed, key),
            start=start,
        )
        try:
            samples: Samples = yield question
        except (EngineError, BudgetExhausted) as error:
            return PrefixAnswer(depth=depth, rollouts=tuple(rollouts), outcomes=tuple(outcomes), error=error)
        rollouts += samples.rollouts
        outcomes += samples.outcomes
        if any(outcome.outcome is Outcome.CORRECT for outcome in samples.outcomes):
            break
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
