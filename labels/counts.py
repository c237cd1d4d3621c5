"""Evidence to counts: how many rollouts start where each step ends, and how they ended.

Counts are derived from the *set* of rollout keys, never added up along the way, so evidence that was merged
twice, or that two recipes share, counts once. What was found does not depend on the order it was found in.

Whose word counts. One subject may have outcomes from several checkers and versions (`relabel --recheck` adds
new ones and keeps the old). The newest version wins; versions compare number by number ("0.10" is newer than
"0.9"), and between checkers of equal version the name that sorts last wins. Versions of *different* checkers
say nothing about each other: name the `checker` where evidence holds more than one.
Two statements of one checker and version about one subject: a decided one wins over an unknown one (it was
asked again); if they contradict each other the outcome is unknown.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import NamedTuple, TypeVar

import numpy as np

from steplabel.schemas import (
    CheckedOutcome,
    Evidence,
    Observation,
    Outcome,
    Reason,
    Rollout,
    Solution,
    Verdict,
)
from steplabel.schemas.batches import (
    OUTCOME_CORRECT,
    OUTCOME_UNKNOWN,
    OUTCOME_WRONG,
    EvidenceBatch,
    IntArray,
)

K = TypeVar("K", bound=Hashable)
R = TypeVar("R")

CONTRADICTION = "contradiction"
"""Reason of an outcome that one version of one checker calls both correct and wrong."""

_NO_ANSWER_GIVEN = (Reason.LENGTH, Reason.NO_ANSWER)
_CODES = {
    Outcome.CORRECT: OUTCOME_CORRECT,
    Outcome.WRONG: OUTCOME_WRONG,
    Outcome.UNKNOWN: OUTCOME_UNKNOWN,
}
_VERDICTS = {Verdict.HOLDS: 1, Verdict.FAILS: -1}


class _Tally(NamedTuple):
    """What the rollouts from one prefix add up to."""

    correct: int = 0
    wrong: int = 0
    unknown: int = 0
    unanswered: int = 0
    tokens: int = 0


_NOTHING = _Tally()


def count_evidence(
    evidence: Sequence[Evidence], *, completer: str | None = None, checker: str | None = None
) -> EvidenceBatch:
    """Count the rollouts at every step of every solution: record by record, solution by solution, in order.

    A rollout without an outcome is unknown. Each record stands alone: merge the records of one problem first.
    `tokens` of a solution are the completion tokens of the distinct rollouts that start at its prefixes (the
    empty one among them) and what observations about its nodes and itself cost beyond them. Siblings that
    share a prefix share its rollouts, which count for each of them: what *all* cost is `evidence_tokens`.

    Args:
        evidence: one record a problem.
        completer: count only this `ModelIdentity.id`; None pools all completers.
        checker: believe only this checker (its newest version); None: see the head of this file.
    """
    columns = _Columns()
    for record in evidence:
        columns.add(record, completer, newest_outcomes(record, checker=checker))
    return columns.batch()


def evidence_tokens(evidence: Evidence, *, completer: str | None = None) -> int:
    """Tokens that all of this evidence cost: every distinct rollout and observation once, shared or not."""
    rollouts = sum(rollout.completion_tokens for rollout in distinct_rollouts(evidence, completer=completer))
    return rollouts + sum(o.cost_tokens for o in _paid_observations(evidence))


def distinct_rollouts(evidence: Evidence, *, completer: str | None = None) -> Iterable[Rollout]:
    """The rollouts by key, of one completer or of all (None)."""
    by_key = {rollout.key: rollout for rollout in reversed(evidence.rollouts)}
    return (r for r in by_key.values() if completer in (None, r.completer))


def newest_outcomes(evidence: Evidence, *, checker: str | None = None) -> dict[str, CheckedOutcome]:
    """By subject, the one outcome that counts. The rule stands at the head of this file."""
    spoken = (o for o in evidence.outcomes if checker in (None, o.checker))
    newest = _newest(spoken, lambda o: o.subject, lambda o: (_version_order(o.checker_version), o.checker))
    return {subject: _agreed(outcomes) for subject, outcomes in newest.items()}


@dataclass(slots=True)
class _Columns:
    """The batch while it grows: one tuple a step, one a solution."""

    steps: list[_Tally] = field(default_factory=list)
    labelable: list[bool] = field(default_factory=list)
    offsets: list[int] = field(default_factory=lambda: [0])
    solutions: list[tuple[int, int, int, int]] = field(default_factory=list)
    verdicts: dict[str, dict[int, int]] = field(default_factory=dict)

    def add(self, record: Evidence, completer: str | None, outcomes: dict[str, CheckedOutcome]) -> None:
        tallies = _tallies(record, completer, outcomes)
        codes = {s.id: _code(outcomes.get(s.id)) for s in record.solutions}
        correct = sum(code == OUTCOME_CORRECT for code in codes.values())
        costs = _observation_costs(record)
        verdicts = _verdicts_by_subject(record)
        for solution in record.solutions:
            tokens = _solution_tokens(solution, record.problem.root_key, tallies, costs)
            self.solutions.append((codes[solution.id], tokens, correct, len(codes)))
            self._add_steps(solution, tallies, verdicts)

    def _add_steps(self, solution: Solution, tallies: dict[str, _Tally], verdicts: dict[str, dict[str, int]]) -> None:
        for step, key in zip(solution.steps, solution.node_keys, strict=True):
            for source, verdict in verdicts.get(key, {}).items():
                self.verdicts.setdefault(source, {})[len(self.steps)] = verdict
            self.steps.append(tallies.get(key, _NOTHING))
            self.labelable.append(step.labelable)
        self.offsets.append(len(self.steps))

    def batch(self) -> EvidenceBatch:
        steps = np.array(self.steps, dtype=np.int64).reshape(len(self.steps), len(_NOTHING))
        solutions = np.array(self.solutions, dtype=np.int64).reshape(len(self.solutions), 4)
        return EvidenceBatch(
            offsets=np.array(self.offsets, dtype=np.int64),
            labelable=np.array(self.labelable, dtype=np.bool_),
            correct=steps[:, 0].copy(),
            wrong=steps[:, 1].copy(),
            unknown=steps[:, 2].copy(),
            unanswered=steps[:, 3].copy(),
            outcome=solutions[:, 0].copy(),
            tokens=solutions[:, 1].copy(),
            siblings_correct=solutions[:, 2].copy(),
            siblings_total=solutions[:, 3].copy(),
            verdicts={source: _filled(said, len(self.steps)) for source, said in sorted(self.verdicts.items())},
        )


def _filled(said: dict[int, int], steps: int) -> IntArray:
    column = np.zeros(steps, dtype=np.int64)
    column[list(said.keys())] = list(said.values())
    return column


def _tallies(record: Evidence, completer: str | None, outcomes: dict[str, CheckedOutcome]) -> dict[str, _Tally]:
    tallies: dict[str, _Tally] = {}
    for rollout in distinct_rollouts(record, completer=completer):
        checked = outcomes.get(rollout.key)
        code = _code(checked)
        old = tallies.get(rollout.node_key, _NOTHING)
        tallies[rollout.node_key] = _Tally(
            correct=old.correct + (code == OUTCOME_CORRECT),
            wrong=old.wrong + (code == OUTCOME_WRONG),
            unknown=old.unknown + (code == OUTCOME_UNKNOWN),
            unanswered=old.unanswered + _is_unanswered(checked),
            tokens=old.tokens + rollout.completion_tokens,
        )
    return tallies


def _solution_tokens(solution: Solution, root_key: str, tallies: dict[str, _Tally], costs: dict[str, int]) -> int:
    prefixes = (root_key, *solution.node_keys)
    rollouts = sum(tallies.get(key, _NOTHING).tokens for key in prefixes)
    return rollouts + sum(costs.get(subject, 0) for subject in (*prefixes, solution.id))


def _code(checked: CheckedOutcome | None) -> int:
    return OUTCOME_UNKNOWN if checked is None else _CODES[checked.outcome]


def _is_unanswered(checked: CheckedOutcome | None) -> bool:
    if checked is None or checked.outcome is not Outcome.UNKNOWN:
        return False
    return checked.reason.partition(":")[0].strip() in _NO_ANSWER_GIVEN


def _agreed(outcomes: list[CheckedOutcome]) -> CheckedOutcome:
    """Of statements by one checker and version: the decided one, unknown if they contradict each other."""
    decided = [o for o in outcomes if o.outcome is not Outcome.UNKNOWN]
    if len({o.outcome for o in decided}) > 1:
        return replace(decided[0], outcome=Outcome.UNKNOWN, reason=CONTRADICTION, answer=None)
    return min(decided or outcomes, key=lambda o: (o.reason, o.answer or ""))


def _observation_costs(record: Evidence) -> dict[str, int]:
    costs: dict[str, int] = {}
    for observation in _paid_observations(record):
        costs[observation.subject] = costs.get(observation.subject, 0) + observation.cost_tokens
    return costs


def _paid_observations(record: Evidence) -> Iterable[Observation]:
    # Free ones first out: a key is a hash, and most observations cost nothing.
    return {o.key: o for o in reversed(record.observations) if o.cost_tokens}.values()


def _verdicts_by_subject(record: Evidence) -> dict[str, dict[str, int]]:
    """Each source's newest verdict; a source that says both holds and fails has said nothing."""
    newest = _newest(record.observations, lambda o: (o.subject, o.source), lambda o: _version_order(o.source_version))
    verdicts: dict[str, dict[str, int]] = {}
    for (subject, source), said in newest.items():
        decided = {_VERDICTS[o.verdict] for o in said if o.verdict in _VERDICTS}
        verdicts.setdefault(subject, {})[source] = decided.pop() if len(decided) == 1 else 0
    return verdicts


def _newest(
    records: Iterable[R], slot: Callable[[R], K], rank: Callable[[R], tuple[Hashable, ...]]
) -> dict[K, list[R]]:
    """By slot, all records of the highest rank."""
    best: dict[K, tuple[tuple[Hashable, ...], list[R]]] = {}
    for record in records:
        key, its_rank = slot(record), rank(record)
        if key not in best or its_rank > best[key][0]:
            best[key] = (its_rank, [record])
        elif its_rank == best[key][0]:
            best[key][1].append(record)
    return {key: newest for key, (_, newest) in best.items()}


@lru_cache(maxsize=1024)
def _version_order(version: str) -> tuple[tuple[int, int, str], ...]:
    """Numbers compare as numbers and above words; as text, since int() refuses very long ones."""
    parts = re.findall(r"[0-9]+|[^0-9.]+", version)
    numbers = [part.lstrip("0") if part.isdigit() else None for part in parts]
    return tuple(
        (0, 0, part) if number is None else (1, len(number), number)
        for part, number in zip(parts, numbers, strict=True)
    )
