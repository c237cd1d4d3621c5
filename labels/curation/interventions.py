"""InT's prefixes: what the policy wrote until it went wrong, and the one step that steers it right.

Yang et al. 2026, "InT: Self-Proposed Interventions Enable Credit Assignment in LLM Reasoning",
arXiv:2601.14209: fine-tune on the prefix before the first error with a step that corrects it; what follows
that step is left out of training, and kept here beside it.

Deviation. The paper's model writes the intervention, shown a reference solution. Here it is the first step of
a rollout from the same prefix that reached the right answer: no model is asked, it is as likely under the
completer as its rollouts are, and nothing is corrected that no rollout got right.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from steplabel.labels.curation.refinements import RefinementTriple
from steplabel.schemas import ConfigError, DataError, Evidence, NewlineSteps, Reason, Reject, Segmenter

STAGE = "InterventionPrefixes"
"""`Reject.stage` of continuations that cannot be split."""

_EXCERPT_CHARS = 80


@dataclass(frozen=True, slots=True, kw_only=True)
class InterventionPrefix:
    """A right prefix and the step that replaces its wrong one.

    Attributes:
        problem: text of the question.
        prefix: the steps before the first error, as the policy wrote them; empty if the first is wrong.
        wrong_step: the step that is replaced; never part of what is trained on.
        intervention: what stands in its place: the first step of a rollout to the right answer.
        continuation: what followed it in that rollout; may be empty.
        rollout: key of that rollout; `completer` wrote it.
    """

    problem_id: str
    solution_id: str
    problem: str
    prefix: str
    wrong_step: str
    intervention: str
    continuation: str
    rollout: str
    completer: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Interventions:
    """What triples gave.

    Attributes:
        prefixes: in the order of the triples.
        rejects: solutions of which there is no prefix, since their continuations hold what no step may (control
            characters).
    """

    prefixes: tuple[InterventionPrefix, ...]
    rejects: tuple[Reject, ...]


def intervention_prefixes(
    triples: Iterable[RefinementTriple],
    evidence: Evidence,
    *,
    segmenter: Segmenter | None = None,
    limit: int | None = None,
) -> Interventions:
    """InT's prefixes from triples of this evidence; equal interventions in one solution come once.

    Args:
        triples: of `refinement_triples`; those whose draft ends with a rollout have the error of their
            solution, and are left out.
        evidence: holds the solutions that the triples are about.
        segmenter: finds the first step of a continuation; by lines if None.
        limit: prefixes a solution, the first of its triples that give any; None for all there are.

    Raises:
        DataError: a triple of a solution that the evidence does not hold.
        ConfigError: `limit` below 1.
    """
    if limit is not None and limit < 1:
        raise ConfigError(f"limit={limit!r}: at least one prefix a solution")
    segmenter = segmenter or NewlineSteps()
    made: dict[tuple[str, str], InterventionPrefix] = {}
    count: Counter[str] = Counter()
    unsplit: dict[str, Reject] = {}
    for triple in triples:
        if triple.draft_rollout or count[triple.solution_id] == limit:
            continue
        wrong = _wrong_step(triple, evidence)
        try:
            step = segmenter.split(triple.continuation)[0].text
        except DataError as error:
            unsplit.setdefault(triple.solution_id, _reject(triple, error))
        else:
            count[triple.solution_id] += (triple.solution_id, step) not in made
            made.setdefault((triple.solution_id, step), _intervention(triple, step, wrong))
    rejects = tuple(reject for id_, reject in unsplit.items() if not count[id_])
    return Interventions(prefixes=tuple(made.values()), rejects=rejects)


def _wrong_step(triple: RefinementTriple, evidence: Evidence) -> str:
    for solution in evidence.solutions:
        if solution.id == triple.solution_id:
            return solution.steps[triple.error_step].text
    raise DataError(f"a triple of solution {triple.solution_id}: problem {evidence.problem.id} has no such solution")


def _intervention(triple: RefinementTriple, step: str, wrong: str) -> InterventionPrefix:
    return InterventionPrefix(
        problem_id=triple.problem_id,
        solution_id=triple.solution_id,
        problem=triple.problem,
        prefix=triple.prefix,
        wrong_step=wrong,
        intervention=step,
        continuation=triple.continuation[len(step) :],
        rollout=triple.rollout,
        completer=triple.completer,
    )


def _reject(triple: RefinementTriple, error: DataError) -> Reject:
    return Reject(
        record_id=triple.solution_id,
        kind="solution",
        stage=STAGE,
        reason=Reason.UNPARSABLE,
        detail=f"continuation {triple.rollout}: {error}",
        excerpt=ascii(triple.continuation[:_EXCERPT_CHARS]),
    )
