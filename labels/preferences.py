"""Pairs of steps that go on from one prefix, one better than the other: what step-wise preference training eats.

Which solutions and which labels is the caller's choice; a node's mark and value are what the labels of all
solutions through it agree on (marks that differ are none, values are averaged). Steps that the labels cut, and
observations, take no part. Siblings that differ only in the space behind them (a line end, or none where the
solution stops) are no pair. Pairs come in the order of the solutions.

Not covered: continuations that only rollouts hold. They become siblings once they are cut into steps and added
to the evidence as solutions.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import combinations, permutations
from statistics import fmean
from typing import Final

from steplabel.schemas import ConfigError, DataError, Evidence, Solution, StepLabels, StepMark
from steplabel.schemas.labels import NO_ERROR

_ROUNDING: Final = 1e-9
"""Means of equal values may differ by this much; shares of rollouts that differ do so by more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StepPreference:
    """One step is better than another after the same prefix.

    Attributes:
        problem_id: of the problem.
        prefix_key: the node that both go on from, or the problem's `root_key`; `prefix` is its text.
        chosen, rejected: the texts of the steps; `chosen_key` and `rejected_key` are their nodes.
        chosen_value, rejected_value: as labelled, None where the labels give none.
        margin: the first value less the second; None if one is missing.
        policy: the label policy that spoke, with its version.
    """

    problem_id: str
    prefix_key: str
    prefix: str
    chosen_key: str
    chosen: str
    rejected_key: str
    rejected: str
    chosen_value: float | None
    rejected_value: float | None
    margin: float | None
    policy: str


def mark_preferences(evidence: Evidence, labels: Sequence[StepLabels]) -> list[StepPreference]:
    """Each first error against every "+" sibling of it (Step-DPO).

    Lai et al. 2024, arXiv:2406.18629: the rejected step is the first wrong one of a solution, and the
    chosen one a right continuation of the same prefix by the same model. There one right continuation is drawn;
    here all that the solutions hold are paired.

    Raises:
        DataError: labels of a solution that the evidence does not hold, or of more than one policy.
    """
    nodes = _nodes(evidence, labels)
    wrong = {key for solution, said in _labelled(evidence, labels) for key in _first_error_key(solution, said)}
    return [
        _preference(evidence, chosen, rejected)
        for siblings in _siblings(nodes)
        for chosen, rejected in permutations(siblings, 2)
        if chosen.mark is StepMark.POSITIVE and rejected.key in wrong and rejected.mark is StepMark.NEGATIVE
        if _read_differently(chosen, rejected)
    ]


def value_preferences(
    evidence: Evidence, labels: Sequence[StepLabels], *, min_margin: float = 0.0
) -> list[StepPreference]:
    """Every two siblings whose values differ by more than `min_margin`, the higher one chosen (Step-Q).

    Zhai et al. 2024, arXiv:2409.09345, step-level preferences by Q-values: siblings of a search tree, or of
    samples, are ranked by their estimated chances. Both steps may be right: the better one only leads to the
    answer more often.

    Args:
        evidence: the problem and its solutions.
        labels: soft ones, under one policy.
        min_margin: at least 0; differences up to it are noise (of shares of k rollouts, about 1 / sqrt(k)).

    Raises:
        ConfigError: the margin is below 0.
        DataError: as `mark_preferences`.
    """
    if not min_margin >= 0:
        raise ConfigError(f"min_margin={min_margin!r} must be at least 0")
    pairs = []
    for siblings in _siblings(_nodes(evidence, labels)):
        valued = [node for node in siblings if node.value is not None]
        for two in combinations(valued, 2):
            chosen, rejected = sorted(two, key=_value, reverse=True)
            if _value(chosen) - _value(rejected) > min_margin + _ROUNDING and _read_differently(chosen, rejected):
                pairs.append(_preference(evidence, chosen, rejected))
    return pairs


@dataclass(slots=True, kw_only=True)
class _Node:
    """A step's node, and what was said about it."""

    key: str
    parent_key: str
    prefix: str
    text: str
    policy: str
    marks: set[StepMark] = field(default_factory=set)
    values: list[float] = field(default_factory=list)

    @property
    def mark(self) -> StepMark:
        return next(iter(self.marks)) if len(self.marks) == 1 else StepMark.UNKNOWN

    @property
    def value(self) -> float | None:
        return fmean(self.values) if self.values else None


def _value(node: _Node) -> float:
    return fmean(node.values)


def _nodes(evidence: Evidence, labels: Sequence[StepLabels]) -> dict[str, _Node]:
    """All labelable, labelled nodes by key."""
    nodes: dict[str, _Node] = {}
    for solution, said in _labelled(evidence, labels):
        parents = (evidence.problem.root_key, *solution.node_keys)
        # Labels that cut the rest are shorter than the solution.
        for i, (key, step, mark) in enumerate(zip(solution.node_keys, solution.steps, said.marks, strict=False)):
            if not step.labelable:
                continue
            node = nodes.get(key)
            if node is None:
                policy = f"{said.policy}@{said.policy_version}"
                prefix = solution.prefix(i)
                node = nodes[key] = _Node(key=key, parent_key=parents[i], prefix=prefix, text=step.text, policy=policy)
            node.marks.add(mark)
            if (value := said.values[i]) is not None:
                node.values.append(value)
    return nodes


def _labelled(evidence: Evidence, labels: Sequence[StepLabels]) -> Iterator[tuple[Solution, StepLabels]]:
    solutions = {solution.id: solution for solution in evidence.solutions}
    if len({(said.policy, said.policy_version) for said in labels}) > 1:
        raise DataError(f"preferences for problem {evidence.problem.id}: labels of more than one policy")
    for said in labels:
        solution = solutions.get(said.solution_id)
        if solution is None or len(said.marks) > len(solution.steps):
            raise DataError(f"preferences for problem {evidence.problem.id}: no solution fits {said.solution_id}")
        yield solution, said


def _first_error_key(solution: Solution, said: StepLabels) -> tuple[str, ...]:
    first = said.first_error
    return () if first is None or first == NO_ERROR else (solution.node_keys[first],)


def _siblings(nodes: dict[str, _Node]) -> Iterator[list[_Node]]:
    by_parent: dict[str, list[_Node]] = {}
    for node in nodes.values():
        by_parent.setdefault(node.parent_key, []).append(node)
    yield from by_parent.values()


def _read_differently(one: _Node, other: _Node) -> bool:
    return one.text.rstrip() != other.text.rstrip()


def _preference(evidence: Evidence, chosen: _Node, rejected: _Node) -> StepPreference:
    both = chosen.value is not None and rejected.value is not None
    return StepPreference(
        problem_id=evidence.problem.id,
        prefix_key=chosen.parent_key,
        prefix=chosen.prefix,
        chosen_key=chosen.key,
        chosen=chosen.text,
        rejected_key=rejected.key,
        rejected=rejected.text,
        chosen_value=chosen.value,
        rejected_value=rejected.value,
        margin=_value(chosen) - _value(rejected) if both else None,
        policy=chosen.policy,
    )
