"""The tree of an MCTS: which node is next, how values are backed up, and what a route to a right answer is worth.

The arithmetic of ReST-MCTS* (Zhang et al. 2024, arXiv:2406.03816, and its code):

    UCT      V + c * sqrt(2 ln N(parent) / N), with c = 0.7
    backup   N grows by one along the path; V of a node = mean of its children's V, weighted by their N
    route    a node on the way to a right answer of T steps has value depth / T; one that branches off it, behind a
             node of depth d, has max((d - 1) / T, 0)
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from math import log, sqrt

from steplabel.annotators.trees.next_step import Proposal
from steplabel.schemas import CheckedOutcome, Rollout, Step


@dataclass(slots=True, kw_only=True, eq=False)
class MctsNode:
    """A prefix in the tree.

    Attributes:
        token_ids: of the whole prefix; empty where they are not known.
        value: V in [0, 1]; None if it is not known, which is not 0.
        visits: N; a child counts as visited once it was scored.
        expandable: whether it may still get children.
        proposal: what its last step was proposed by; None at the root.
        ended: outcome of the solution that ends here; None if it does not.
        finished: a rollout from here and its outcome, where there are any.
    """

    key: str
    steps: tuple[Step, ...] = ()
    parent: MctsNode | None = None
    token_ids: tuple[int, ...] = ()
    value: float | None = None
    visits: int = 0
    expandable: bool = True
    exhausted: bool = False
    proposal: Proposal | None = None
    ended: CheckedOutcome | None = None
    finished: tuple[Rollout, CheckedOutcome] | None = None
    children: list[MctsNode] = field(default_factory=list)

    @property
    def depth(self) -> int:
        """Steps behind the problem."""
        return len(self.steps)

    def path(self) -> Iterator[MctsNode]:
        """This node, its parent, and so on to the root."""
        node: MctsNode | None = self
        while node is not None:
            yield node
            node = node.parent

    def subtree(self) -> Iterator[MctsNode]:
        """This node and all below it, parents first."""
        waiting = [self]
        while waiting:
            node = waiting.pop()
            yield node
            waiting += reversed(node.children)


def uct(value: float, visits: int, parent_visits: int, constant: float) -> float:
    """Upper confidence bound of a child that was visited at least once."""
    return value + constant * sqrt(2 * log(parent_visits) / visits)


def select(root: MctsNode, constant: float) -> MctsNode:
    """Follow the best child to a leaf. Of equal ones the first is followed; unknown values stand as the parent's."""
    node = root
    while node.children:
        own = node.value or 0.0
        bounds = [
            uct(own if child.value is None else child.value, child.visits, max(1, node.visits), constant)
            for child in node.children
        ]
        node = node.children[bounds.index(max(bounds))]
    return node


def back_up(leaf: MctsNode) -> None:
    """Count a visit along the path, and draw every value on it from the children that have one."""
    for node in leaf.path():
        node.visits += 1
        known = [(child.visits, child.value) for child in node.children if child.value is not None]
        if known:
            node.value = sum(visits * value for visits, value in known) / sum(visits for visits, _ in known)
        node.exhausted = not node.expandable and all(child.exhausted for child in node.children)


def route_values(ends: Iterable[MctsNode]) -> dict[str, float]:
    """Values that routes to right answers give to the nodes on and beside them, by key.

    Where several routes speak of a node, the highest value stands.

    Args:
        ends: nodes at which a right solution ends.
    """
    values: dict[str, float] = {}
    for end in ends:
        route = {node.key for node in end.path()}
        for parent in list(end.path())[1:]:
            aside = max((parent.depth - 1) / end.depth, 0.0)
            for child in parent.children:
                value = child.depth / end.depth if child.key in route else aside
                values[child.key] = max(value, values.get(child.key, 0.0))
    return values
