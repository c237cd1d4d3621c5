"""Evidence to counts: how many rollouts start where each step ends, and how they ended.

Counts are derived from the *set* of rollout keys, never added up along the way, so evidence that was merged
twice, or that two recipes share, counts once. What was found does not depend on the order it was found in.
Whose outcomes count is said in `outcomes.py`.

**The bare problem.** `EvidenceBatch.root` holds the rollouts that start before the first step. Where nobody
asked there, the problem's sampled solutions stand in, since they start there as well: a self-confidence or a
first step's progress is then measured with the solutions' own writer, not the completer.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from steplabel.labels.coded import count_coded
from steplabel.labels.columns import Columns, Ends
from steplabel.labels.outcomes import newest_outcomes
from steplabel.schemas import CheckedOutcome, Evidence, Observation, Rollout, Solution
from steplabel.schemas.batches import EvidenceBatch


def count_evidence(
    evidence: Sequence[Evidence],
    *,
    completer: str | None = None,
    checker: str | None = None,
    probe: str = "",
) -> EvidenceBatch:
    """Count the rollouts at every step of every solution: record by record, solution by solution, in order.

    A rollout without an outcome is unknown. Each record stands alone: merge the records of one problem first.
    `tokens` of a solution are the completion tokens of the distinct rollouts that start at its prefixes (the
    empty one among them) and what observations about its nodes and itself cost beyond them. Siblings that
    share a prefix share its rollouts, which count for each of them: what *all* cost is `evidence_tokens`.

    Args:
        evidence: one record a problem.
        completer: count only this `ModelIdentity.id`; None pools all completers.
        checker: believe only this checker (its newest version); None: see the head of `outcomes.py`.
        probe: count the answers to this text behind each prefix (`Rollout.probe`) in place of the
            prefix's own rollouts. No solution stands in for a probe of the bare problem.
    """
    columns = Columns()
    for record in evidence:
        outcomes = newest_outcomes(record, checker=checker)
        costs = _observation_costs(record)
        columns.add(
            record,
            outcomes,
            root=record.problem.root_key,
            states=[solution.node_keys for solution in record.solutions],
            ends=_ends(record, completer, probe, outcomes),
            costs=[_cost(costs, record.problem.root_key, solution) if costs else 0 for solution in record.solutions],
            samples_stand_in=not probe,
        )
    return count_coded(columns.coded())


def evidence_tokens(evidence: Evidence, *, completer: str | None = None) -> int:
    """Tokens that all of this evidence cost: every distinct rollout and observation once, shared or not."""
    rollouts = sum(rollout.completion_tokens for rollout in distinct_rollouts(evidence, completer=completer))
    return rollouts + sum(o.cost_tokens for o in _paid_observations(evidence))


def distinct_rollouts(evidence: Evidence, *, completer: str | None = None, probe: str | None = None) -> list[Rollout]:
    """The rollouts by key; of one completer or of all (None), and so of one probe ("": of bare prefixes)."""
    by_key = {rollout.key: rollout for rollout in reversed(evidence.rollouts)}
    return [r for r in by_key.values() if completer in (None, r.completer) and probe in (None, r.probe)]


def _ends(record: Evidence, completer: str | None, probe: str, outcomes: Mapping[str, CheckedOutcome]) -> Ends:
    rollouts = distinct_rollouts(record, completer=completer, probe=probe)
    return Ends(
        [rollout.node_key for rollout in rollouts],
        [outcomes.get(rollout.key) for rollout in rollouts],
        [rollout.completion_tokens for rollout in rollouts],
    )


def _cost(costs: Mapping[str, int], root_key: str, solution: Solution) -> int:
    return sum(costs.get(subject, 0) for subject in (root_key, *solution.node_keys, solution.id))


def _observation_costs(record: Evidence) -> dict[str, int]:
    costs: dict[str, int] = {}
    for observation in _paid_observations(record):
        costs[observation.subject] = costs.get(observation.subject, 0) + observation.cost_tokens
    return costs


def _paid_observations(record: Evidence) -> Iterable[Observation]:
    # Free ones first out: a key is a hash, and most observations cost nothing.
    return {o.key: o for o in reversed(record.observations) if o.cost_tokens}.values()
