"""Corrections of wrong solutions, from rollouts that were paid for already: GLoRe's refinement triples.

Where a first error is known, rollouts from the prefix before it show how the model goes on when it gets it
right. GLoRe's local refinements (Havrilla et al. 2024, arXiv:2402.10963) train on that: question, wrong draft,
and the number of its first wrong step in, the corrected solution out.

Deviations. GLoRe draws drafts from rollouts behind the wrong step, too; here that is asked for by
`rollout_drafts`, and the solution itself is always a draft. It pairs at random; here corrections are drawn by
seed and key, and each draft gets another one before a second is paired with it. A right answer does not prove
right steps: filter the labels first (`consensus.py`). What is known to be wrong is no correction: rollouts that
begin with the very step that they would correct, and take it back or get by without it, are left out.

A draft must be wrong in the end, and a correction right: an outcome that is unknown is neither.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import islice

from steplabel.labels.counts import distinct_rollouts
from steplabel.labels.curation.draws import uniform
from steplabel.labels.outcomes import newest_outcomes
from steplabel.schemas import (
    NO_ERROR,
    ConfigError,
    DataError,
    Evidence,
    Outcome,
    Rollout,
    Solution,
    StepLabels,
)


class NoRefinement(StrEnum):
    """Why a labelled solution gives no correction."""

    NO_ERROR = "no_error"
    LOCATION_UNKNOWN = "location_unknown"
    NOT_WRONG = "not_wrong"
    """Its final answer is right, or nobody knows."""
    NO_RIGHT_ROLLOUT = "no_right_rollout"
    REPEATS_THE_ERROR = "repeats_the_error"
    """Every right rollout begins with the wrong step itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RefinementTriple:
    """A wrong draft, where it goes wrong, and how it should go on.

    Attributes:
        problem: text of the question.
        draft: the whole wrong solution; its first `error_start` characters are right.
        error_step: 0-based index of the first wrong step.
        prefix: the steps before it; empty if the first step is wrong.
        continuation: of the prefix, to the right answer; prefix + continuation is the corrected solution.
        rollout: key of the rollout that is the continuation; `completer` wrote it.
        draft_rollout: key of the rollout that the draft ends with; empty where the solution is the draft.
    """

    problem_id: str
    solution_id: str
    problem: str
    draft: str
    error_step: int
    error_start: int
    prefix: str
    continuation: str
    rollout: str
    completer: str
    draft_rollout: str = ""

    @property
    def corrected(self) -> str:
        """The corrected solution."""
        return self.prefix + self.continuation


@dataclass(frozen=True, slots=True, kw_only=True)
class Refinements:
    """What the solutions of one problem gave.

    Attributes:
        triples: in the order of the labels, then of the draw.
        without: solution id and reason of each labelled solution that gave none.
    """

    triples: tuple[RefinementTriple, ...]
    without: tuple[tuple[str, NoRefinement], ...]


def refinement_triples(
    evidence: Evidence,
    labels: Sequence[StepLabels],
    *,
    limit: int | None = 1,
    rollout_drafts: bool = False,
    checker: str | None = None,
    seed: int = 0,
) -> Refinements:
    """GLoRe's triples from the rollouts of one problem. Equal pairs of draft and correction come once.

    Args:
        evidence: the problem, its solutions, rollouts and outcomes.
        labels: of its solutions, under one policy.
        limit: triples a solution; None for all there are.
        rollout_drafts: make drafts of the wrong rollouts behind the wrong step, too.
        checker: whose outcomes count, as in `count_evidence`.
        seed: of the draw.

    Raises:
        DataError: labels of a solution that the evidence does not hold.
        ConfigError: `limit` below 1.
    """
    if limit is not None and limit < 1:
        raise ConfigError(f"limit={limit!r}: at least one triple a solution")
    known = _Known(evidence, checker, seed)
    triples: list[RefinementTriple] = []
    without: list[tuple[str, NoRefinement]] = []
    for record in labels:
        error = known.error(record)
        if isinstance(error, NoRefinement):
            without.append((record.solution_id, error))
        else:
            triples += known.triples(error, limit, rollout_drafts)
    return Refinements(triples=tuple(triples), without=tuple(without))


def _solution(solutions: dict[str, Solution], id_: str, evidence: Evidence) -> Solution:
    if id_ not in solutions:
        raise DataError(f"labels of solution {id_}: problem {evidence.problem.id} has no such solution")
    return solutions[id_]


@dataclass(frozen=True, slots=True)
class _Error:
    """A wrong solution, its first wrong step, and the right rollouts from the prefix before that step."""

    solution: Solution
    step: int
    corrections: tuple[Rollout, ...]


class _Known:
    """The evidence of one problem, ordered for look-up."""

    def __init__(self, evidence: Evidence, checker: str | None, seed: int) -> None:
        self.evidence = evidence
        self.solutions = {solution.id: solution for solution in evidence.solutions}
        self.outcomes = {key: o.outcome for key, o in newest_outcomes(evidence, checker=checker).items()}
        self.rollouts: dict[str, list[Rollout]] = {}
        free = distinct_rollouts(evidence, probe="")
        for rollout in sorted(free, key=lambda r: (uniform(seed, "refine", r.key), r.key)):
            self.rollouts.setdefault(rollout.node_key, []).append(rollout)

    def error(self, labels: StepLabels) -> _Error | NoRefinement:
        """Where the solution goes wrong and what would be right there, or why that cannot be said."""
        solution = _solution(self.solutions, labels.solution_id, self.evidence)
        step = labels.first_error
        if step is None:
            return NoRefinement.LOCATION_UNKNOWN
        if step == NO_ERROR:
            return NoRefinement.NO_ERROR
        if self.outcomes.get(solution.id) is not Outcome.WRONG:
            return NoRefinement.NOT_WRONG
        before = (self.evidence.problem.root_key, *solution.node_keys)[step]
        right = tuple(r for r in self.ending(before, Outcome.CORRECT) if r.text.strip())
        if not right:
            return NoRefinement.NO_RIGHT_ROLLOUT
        other = tuple(r for r in right if not _repeats(solution, step, r.text))
        return _Error(solution, step, other) if other else NoRefinement.REPEATS_THE_ERROR

    def ending(self, node_key: str, outcome: Outcome) -> Iterator[Rollout]:
        """Rollouts from a node that end so, in the order of the draw."""
        return (r for r in self.rollouts.get(node_key, ()) if self.outcomes.get(r.key) is outcome)

    def triples(self, error: _Error, limit: int | None, rollout_drafts: bool) -> list[RefinementTriple]:
        """Each draft with a correction of its own, as far as there are any; the solution comes first."""
        drafts = [(error.solution.text, "")]
        if rollout_drafts:
            wrong_prefix = error.solution.prefix(error.step + 1)
            behind = self.ending(error.solution.node_keys[error.step], Outcome.WRONG)
            drafts += [(wrong_prefix + r.text, r.key) for r in behind]
        pairs = islice(_distinct_pairs(error.corrections, drafts), limit)
        return [self._triple(error, correction, draft, key) for correction, (draft, key) in pairs]

    def _triple(self, error: _Error, correction: Rollout, draft: str, draft_rollout: str) -> RefinementTriple:
        problem = self.evidence.problem
        prefix = error.solution.prefix(error.step)
        return RefinementTriple(
            problem_id=problem.id,
            solution_id=error.solution.id,
            problem=problem.text,
            draft=draft,
            error_step=error.step,
            error_start=len(prefix),
            prefix=prefix,
            continuation=correction.text,
            rollout=correction.key,
            completer=correction.completer,
            draft_rollout=draft_rollout,
        )


def _repeats(solution: Solution, step: int, continuation: str) -> bool:
    """Whether the continuation's first step is the solution's: "2 + 2 = 5" is not that of "2 + 2 = 55"."""
    begins, said = continuation.lstrip(), solution.steps[step].text.strip()
    if not begins.startswith(said):
        return False
    rest = begins[len(said) :]
    gap = rest[: len(rest) - len(rest.lstrip())]
    return not rest or ("\n" in gap if _one_a_line(solution, step) else bool(gap))


def _one_a_line(solution: Solution, step: int) -> bool:
    """Whether line breaks separate the steps; the last one may have nothing behind it, so those before it tell."""
    gaps = (s.text[len(s.text.rstrip()) :] for s in solution.steps[step::-1])
    return "\n" in next(filter(None, gaps), "\n")


def _distinct_pairs(
    corrections: Sequence[Rollout], drafts: Sequence[tuple[str, str]]
) -> Iterator[tuple[Rollout, tuple[str, str]]]:
    """Every pair of texts once; each draft comes once before any comes twice."""
    seen: set[tuple[str, str]] = set()
    for shift in range(len(corrections)):
        for i, draft in enumerate(drafts):
            correction = corrections[(i + shift) % len(corrections)]
            if (draft[0], correction.text) not in seen:
                seen.add((draft[0], correction.text))
                yield correction, draft
