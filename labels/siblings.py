"""Counts without one rollout: how the solutions that passed through a state came out.

Solutions of one problem that begin alike are rollouts of the prefix they share, so a problem's samples hold
estimates of their own (TEMPO's prefix tree, Tran et al. 2025, arXiv:2509.18314: V(prefix) is the mean
outcome of its descendants). Far from the root few solutions share a prefix word for word; grouping by what a
step comes to finds more that are in one state (GiGPO's anchor states, Feng et al. 2025, arXiv:2505.10978).

Each solution counts once for each state it passed through, itself among them: where it is alone, the value is
its own outcome. Branches of a search tree are not counted, since they were grown where others went wrong.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from steplabel.labels.coded import count_coded
from steplabel.labels.columns import Columns, Ends
from steplabel.labels.outcomes import newest_outcomes
from steplabel.labels.step_results import StepResult
from steplabel.schemas import CheckedOutcome, Evidence, Solution, SolutionSource
from steplabel.schemas.batches import EvidenceBatch


def count_siblings(
    evidence: Sequence[Evidence], *, checker: str | None = None, result: StepResult | None = None
) -> EvidenceBatch:
    """Count at every step of every solution how the solutions came out that were in the same state after it.

    The same columns as `count_evidence`, in the same order. `tokens` are 0: nothing was asked. The bare problem's
    counts are those of all sampled solutions.

    Args:
        evidence: one record a problem.
        checker: as in `count_evidence`.
        result: steps of one problem with equal results end in one state; a step without a result, and every
            step if this is None, ends in the state of its own prefix.
    """
    columns = Columns()
    for record in evidence:
        outcomes = newest_outcomes(record, checker=checker)
        states = [_states(solution, result) for solution in record.solutions]
        columns.add(
            record,
            outcomes,
            root=record.problem.root_key,
            states=states,
            ends=_ends(record, states, outcomes),
            costs=[0] * len(states),
            samples_stand_in=True,
        )
    return count_coded(columns.coded())


def _states(solution: Solution, result: StepResult | None) -> list[str]:
    """A word for the state after each step. Results and keys cannot meet: keys have 32 hex digits, no sign."""
    if result is None:
        return list(solution.node_keys)
    found = (result(step) for step in solution.steps)
    return [key if word is None else f"result {word}" for key, word in zip(solution.node_keys, found, strict=True)]


def _ends(record: Evidence, states: Sequence[Sequence[str]], outcomes: Mapping[str, CheckedOutcome]) -> Ends:
    """Each sampled solution once in each of its states."""
    sampled = {
        s.id: its for s, its in zip(record.solutions, states, strict=True) if s.source is not SolutionSource.TREE
    }
    passed = [(state, outcomes.get(key)) for key, its in sampled.items() for state in dict.fromkeys(its)]
    return Ends([state for state, _ in passed], [outcome for _, outcome in passed], [0] * len(passed))
