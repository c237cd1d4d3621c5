"""HNC: merge nodes of a solution tree with their parents, for training examples of coarser steps.

Wang et al. 2025, "Towards Hierarchical Multi-Step Reward Models", arXiv:2503.13551, Hierarchical Node
Compression, and its released code: going down the tree, a node with at least 4 children gives up at most one
of them. Each child in turn is merged with probability .5: the two steps become one, which hangs on the
grandparent. A step that was merged already is not merged again, and what hangs on the root has no parent step
to merge with. Scores are then computed anew, so the old parent loses what it gave up: cheap noise, and
examples of two steps judged as one. The paper trains on the tree as it was and on the compressed one.

Here the tree is the solutions of one problem, and what comes back is evidence: solutions with the merged
steps, their outcomes, and the rollouts, forced answers and observations of every node that a merged step now
ends. Labels are computed anew by applying any policy to it. The text of each solution stays exactly as it was.

Deviations. Children are tried in an order, and merged by draws, that belong to their keys: the code's depend
on a global generator and the order of search. Its nodes below a merged one keep the old steps in their
prefixes; here they follow. Steps of different kinds, and those that are not labelable, are not merged.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from steplabel.labels.curation.draws import check_probability, uniform
from steplabel.schemas import Evidence, Outcome, Problem, Solution, Step, make_solution

HNC_PROBABILITY = 0.5
HNC_CHILDREN = 4
"""Of the paper's released code, `split_node`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CompressedTree:
    """The evidence of a problem whose tree was compressed.

    Attributes:
        evidence: with merged steps; equal to what was given if nothing was merged.
        merged: keys of the nodes of the old tree that were merged with their parents, sorted.
    """

    evidence: Evidence
    merged: tuple[str, ...]


def compress_tree(
    evidence: Evidence, *, probability: float = HNC_PROBABILITY, children: int = HNC_CHILDREN, seed: int = 0
) -> CompressedTree:
    """Merge at most one child of each node that has at least `children` with that node.

    Raises:
        ConfigError: a probability outside [0, 1].
    """
    check_probability(probability, field="probability")
    chosen = _chosen(evidence, probability, children, seed)
    if not chosen:
        return CompressedTree(evidence=evidence, merged=())
    moved: dict[str, str] = {}
    solutions = tuple(_merged_solution(evidence.problem, s, chosen, moved) for s in evidence.solutions)
    compressed = replace(
        evidence,
        solutions=solutions,
        rollouts=tuple(replace(r, node_key=moved.get(r.node_key, r.node_key)) for r in evidence.rollouts),
        outcomes=tuple(replace(o, subject=moved.get(o.subject, o.subject)) for o in evidence.outcomes),
        observations=tuple(replace(o, subject=moved.get(o.subject, o.subject)) for o in evidence.observations),
    )
    return CompressedTree(evidence=compressed, merged=tuple(sorted(chosen)))


def right_shares(solutions: Iterable[Solution], outcomes: Mapping[str, Outcome]) -> dict[str, float | None]:
    """By node, the share of right solutions among those that pass through it: HNC's score.

    Solutions without a decided outcome do not count; a node that only such pass through has None.

    Args:
        solutions: of one problem.
        outcomes: by solution's id.
    """
    passes: dict[str, list[Outcome]] = {}
    for solution in solutions:
        for key in solution.node_keys:
            passes.setdefault(key, []).append(outcomes.get(solution.id, Outcome.UNKNOWN))
    return {key: _share(ends) for key, ends in passes.items()}


def _share(ends: list[Outcome]) -> float | None:
    decided = [end for end in ends if end is not Outcome.UNKNOWN]
    return sum(end is Outcome.CORRECT for end in decided) / len(decided) if decided else None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Child:
    parent: str
    depth: int
    may_join: bool


def _chosen(evidence: Evidence, probability: float, children: int, seed: int) -> set[str]:
    """Keys of the nodes that are merged with their parents, decided from the root down."""
    nodes = _nodes(evidence.solutions, evidence.problem.root_key)
    below: dict[str, list[str]] = {}
    for key in sorted(nodes):
        below.setdefault(nodes[key].parent, []).append(key)
    parents = sorted((key for key in below if key in nodes), key=lambda key: nodes[key].depth)
    chosen: set[str] = set()
    for parent in parents:
        if parent in chosen or len(below[parent]) < children:
            continue
        free = (key for key in below[parent] if nodes[key].may_join and uniform(seed, "hnc", key) < probability)
        chosen.update([first] if (first := next(free, None)) else [])
    return chosen


def _nodes(solutions: Iterable[Solution], root_key: str) -> dict[str, _Child]:
    nodes: dict[str, _Child] = {}
    for solution in solutions:
        before: Step | None = None
        for node in solution.nodes(root_key):
            may_join = before is not None and _alike(before, node.step)
            nodes[node.key] = _Child(parent=node.parent_key, depth=node.depth, may_join=may_join)
            before = node.step
    return nodes


def _alike(left: Step, right: Step) -> bool:
    return left.labelable and right.labelable and left.kind is right.kind


def _merged_solution(problem: Problem, solution: Solution, chosen: set[str], moved: dict[str, str]) -> Solution:
    """The solution in the compressed tree; `moved` learns what became of its nodes and of itself."""
    if chosen.isdisjoint(solution.node_keys):
        return solution
    steps: list[Step] = []
    ends: list[str] = []
    for step, key in zip(solution.steps, solution.node_keys, strict=True):
        if key in chosen:
            steps[-1] = replace(steps[-1], text=steps[-1].text + step.text, token_end=step.token_end)
            ends[-1] = key
        else:
            steps.append(step)
            ends.append(key)
    merged = make_solution(
        problem,
        tuple(steps),
        policy=solution.policy,
        policy_licence=solution.policy_licence,
        source=solution.source,
        sampling=solution.sampling,
        seed=solution.seed,
        index=solution.index,
        token_ids=solution.token_ids,
        finish_reason=solution.finish_reason,
        final_answer=solution.final_answer,
    )
    moved.update(zip(ends, merged.node_keys, strict=True))
    moved[solution.id] = merged.id
    return merged
