"""MCTS over steps: ReST-MCTS* (Zhang et al. 2024, arXiv:2406.03816), AlphaMath (Chen et al. 2024, arXiv:2405.03553).

A node is a prefix. Each search follows UCT to a leaf, has the model propose `branch` next steps, scores the new nodes
and backs their values up (`mcts_tree` has the arithmetic). A node where the solution ends is scored by its outcome;
any other by the mean outcome of k rollouts, or by an external value function.

How a step is proposed, and where a solution ends: see `next_step`.

What comes out. Every leaf's path is a solution (source `tree`): as it ended; else finished by a rollout from it; else,
with a value function, unfinished, with finish reason `length` and an unknown outcome. Rollouts have their nodes' keys,
so that label views can count them; proposals have keys of their own, since one step is no rollout. Observations, all
with scores in [0, 1] and no verdict:

    mcts         for each node, V as backed up, with a `NodeStatistics` as evidence: AlphaMath's target, whose values
                 in [-1, 1] are 2 V - 1
    mcts_route   ReST-MCTS*'s value targets, for the nodes on and beside the ways to right answers

From the papers: branch 3, c = 0.7, the backup and the route values (ReST-MCTS*). Deviations, and why:

    scoring    the papers have a trained value model, and ReST-MCTS* rolls the best child forward and mixes the two
               values. Without one here each new node has its own k rollouts: these are evidence, counted once. Each
               counts as visited once
    selection  ties go to the first child (ReST-MCTS* draws one), so that a run can be repeated; AlphaMath's PUCT needs
               the policy's probabilities, and UCT is used for both
    routes     where several right answers pass by a node the highest value stands
    solutions  those that the problem brings are left alone: the tree is grown from the bare problem

Not known is never wrong: an ending that could not be checked has no value, and neither has a node of whose rollouts too
few could be. Such values enter no mean, and in selection stand as their parent's.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import ClassVar, TypeAlias

from steplabel.annotators.annotation import Annotation, AnnotationStatus, Solved
from steplabel.annotators.asking.prefix import check_belong, check_counts
from steplabel.annotators.effects import Concurrently, Finished, Program, Samples
from steplabel.annotators.ending import status_of
from steplabel.annotators.trees.mcts_tree import MctsNode, back_up, route_values, select
from steplabel.annotators.trees.next_step import TRIES, NextSteps, Proposal, Proposed, split_or_nothing
from steplabel.annotators.trees.state_value import StateValue
from steplabel.annotators.trees.tree import Findings, ask_state, monte_carlo, tree_path
from steplabel.schemas import (
    BudgetExhausted,
    CheckedOutcome,
    ConfigError,
    DataError,
    EngineError,
    FinishReason,
    Observation,
    Outcome,
    Problem,
    Reason,
    SamplingParams,
    node_key,
)
from steplabel.schemas.codec import to_json

ROUTE_SOURCE = "mcts_route"
"""Source of the values that routes to right answers give."""

_Score: TypeAlias = Samples | float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeStatistics:
    """What a search knows of a node, beside its value: the evidence of its observation, as JSON.

    Attributes:
        visits: N.
        children: how many it got.
        ends: whether the solution ends here.
    """

    visits: int
    children: int
    ends: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class MCTS:
    """Monte Carlo tree search over the steps of one problem; a `ProblemAnnotator`.

    One k for all problems, unlike the annotators of prefixes (`k_by_difficulty`): the bare problem is not asked, so a
    pilot would be paid for that alone, and the search itself puts its rollouts where values are high.

    Attributes:
        proposals: how next steps are proposed; equal ones are one child.
        searches: most nodes to follow the tree to. Our choice, not a paper's.
        max_depth: most steps of a path; what is longer is not looked at.
        uct: the constant c of UCT.
        k: rollouts that score a node; not asked where `value` scores.
        value: scores nodes from outside.
        sampling: of proposals and rollouts; None takes that of the problem's solutions, or the defaults.
        silence_is_failure: endings and rollouts without an answer count as wrong. Otherwise they are unknown.
        min_decided: rollouts that must count for or against a node before value 0 is believed. None takes half of k,
            rounded up.

    Raises:
        ConfigError: a number out of its range.
    """

    name: ClassVar[str] = "mcts"
    version: ClassVar[str] = "2"

    proposals: NextSteps = field(default_factory=NextSteps)
    searches: int = 16
    max_depth: int = 16
    uct: float = 0.7
    k: int = 8
    value: StateValue | None = None
    sampling: SamplingParams | None = None
    silence_is_failure: bool = True
    min_decided: int | None = None

    def __post_init__(self) -> None:
        check_counts(k=self.k, chunk=self.k)
        limits = (
            (self.searches >= 1, "searches", self.searches, "at least 1"),
            (self.max_depth >= 1, "max_depth", self.max_depth, "at least 1"),
            (self.uct >= 0, "uct", self.uct, "0 or more"),
            (self.min_decided is None or 1 <= self.min_decided <= self.k, "min_decided", self.min_decided, "in 1..k"),
        )
        for ok, name, value, rule in limits:
            if not ok:
                raise ConfigError(f"mcts {name}={value!r} must be {rule} (k={self.k})")

    def problem_program(self, problem: Problem, solved: Sequence[Solved], *, seed: int) -> Program[Annotation]:
        """Return a program that grows one problem's tree: see `ProblemAnnotator.problem_program`."""
        for solution, outcome in solved:
            check_belong(problem, solution, outcome)
        given = next((solution.sampling for solution, _ in solved if solution.sampling), None)
        return (yield from _Search(self, problem, self.sampling or given or SamplingParams(), seed).run())

    def most_samples(self, steps: int) -> int:  # noqa: ARG002 - the port gives it; a search has a limit of its own
        """Proposals, with all tries behind blank lines, and rollouts of all searches."""
        return self.searches * self.proposals.branch * (TRIES + (self.k if self.value is None else 0))


class _Search:
    """One problem's tree while it grows."""

    def __init__(self, config: MCTS, problem: Problem, sampling: SamplingParams, seed: int) -> None:
        self.config, self.problem, self.sampling, self.seed = config, problem, sampling, seed
        self.root = MctsNode(key=problem.root_key)
        self.found = Findings()

    def run(self) -> Program[Annotation]:
        """Search until the limit, or until the tree has no leaf left that may grow."""
        try:
            for _ in range(self.config.searches):
                if self.root.exhausted:
                    break
                leaf = select(self.root, self.config.uct)
                if leaf.expandable:
                    yield from self._expand(leaf)
                back_up(leaf)
        except (EngineError, BudgetExhausted) as error:
            return self._annotation(status_of(error), f"after {self.root.visits} searches: {error}")
        if not self.root.children:
            return self._annotation(AnnotationStatus.SKIPPED, "the model proposed no step that ended")
        return self._annotation(AnnotationStatus.COMPLETE)

    def _expand(self, node: MctsNode) -> Program[None]:
        proposed: Proposed = yield from self.config.proposals.program(
            self.problem, node.key, node.steps, sampling=self.sampling, seed=self.seed, token_ids=node.token_ids
        )
        self.found.heard(proposed.samples)
        node.expandable = False
        children: dict[str, MctsNode] = {}
        for proposal in proposed.proposals:
            child = self._child(node, proposal)
            children.setdefault(child.key, child)
        node.children = list(children.values())
        if node.steps and proposed.ended is not None:
            node.ended = proposed.ended
            ending = self._value((proposed.ended,), needed=1)
            node.value = node.value if ending is None else ending  # its rollouts stand where the ending is not known
        yield from self._score(node.children)

    def _child(self, node: MctsNode, proposal: Proposal) -> MctsNode:
        closed = proposal.ends or node.depth + 1 >= self.config.max_depth
        return MctsNode(
            key=node_key(node.key, proposal.step),
            steps=(*node.steps, proposal.step),
            parent=node,
            token_ids=_joined(node, proposal.token_ids),
            visits=1,
            expandable=not closed,
            exhausted=closed,
            proposal=proposal,
            ended=proposal.outcome if proposal.ends else None,
        )

    def _score(self, children: Sequence[MctsNode]) -> Program[None]:
        for child in children:
            if child.ended is not None:
                child.value = self._value((child.ended,), needed=1)
        waiting = [child for child in children if child.ended is None]
        if not waiting:
            return
        branches: tuple[Finished[int, _Score], ...] = yield Concurrently(
            programs=tuple(self._ask(child) for child in waiting)
        )
        for child, branch in zip(waiting, branches, strict=True):
            if branch.error is None:
                self._scored(child, branch.unwrap())
        for branch in branches:
            branch.unwrap()  # raises what kept a score from coming, now that the others are kept

    def _ask(self, node: MctsNode) -> Program[_Score]:
        value = self.config.value
        if value is not None:
            return (yield from value.value_program(self.problem, node.key, node.steps, seed=self.seed))
        samples: Samples = yield ask_state(
            self.problem,
            node.key,
            node.steps,
            n=self.config.k,
            sampling=self.sampling,
            seed=self.seed,
            token_ids=node.token_ids,
        )
        return samples

    def _scored(self, node: MctsNode, score: _Score) -> None:
        if not isinstance(score, Samples):
            if score is not None and not 0 <= score <= 1:
                raise DataError(f"value {score} of a state of {node.depth} steps must lie between 0 and 1")
            node.value = score
            return
        self.found.heard(score)
        node.value = self._value(score.outcomes, needed=self.config.min_decided)
        whole = zip(score.rollouts, score.outcomes, strict=True)
        node.finished = min(whole, key=lambda pair: pair[0].finish_reason is not FinishReason.STOP)

    def _value(self, outcomes: Sequence[CheckedOutcome], *, needed: int | None) -> float | None:
        silence = self.config.silence_is_failure
        return monte_carlo(outcomes, silence_is_failure=silence, min_decided=needed)

    def _annotation(self, status: AnnotationStatus, detail: str = "") -> Annotation:
        nodes = [node for node in self.root.subtree() if node is not self.root]
        for node in nodes:
            if not node.children and node.proposal is not None:
                self._keep_path(node, node.proposal)
        right = (n for n in nodes if n.ended is not None and n.ended.outcome is Outcome.CORRECT)
        routes = [self._claim(key, ROUTE_SOURCE, value) for key, value in route_values(right).items()]
        values = [self._claim(n.key, self.config.name, n.value, _statistics(n)) for n in nodes if n.value is not None]
        return self.found.annotation(status, [*values, *routes], detail=detail)

    def _keep_path(self, leaf: MctsNode, proposal: Proposal) -> None:
        """A leaf's path as a solution: as it ended, finished by a rollout, or unfinished."""
        steps, written, token_ids, finish = leaf.steps, proposal.rollout, leaf.token_ids, None
        if leaf.ended is not None:
            outcome = leaf.ended
        elif leaf.finished is not None:
            written, outcome = leaf.finished
            steps = (*steps, *split_or_nothing(self.config.proposals.segmenter, written.text))
            token_ids = _joined(leaf, written.token_ids)
        else:
            outcome = replace(proposal.outcome, outcome=Outcome.UNKNOWN, reason=Reason.LENGTH, answer=None)
            finish = FinishReason.LENGTH
        path = tree_path(self.problem, steps, written, outcome, finish_reason=finish, token_ids=token_ids)
        self.found.path(path, outcome)

    def _claim(self, node: str, source: str, value: float, evidence: str = "") -> Observation:
        return Observation(
            subject=node, source=source, source_version=self.config.version, score=value, evidence=evidence
        )


def _statistics(node: MctsNode) -> str:
    found = NodeStatistics(visits=node.visits, children=len(node.children), ends=node.ended is not None)
    return to_json(found).decode()


def _joined(node: MctsNode, token_ids: tuple[int, ...]) -> tuple[int, ...]:
    """Ids of a prefix and of what was generated behind it, where both are known."""
    known = bool(token_ids) and (bool(node.token_ids) or not node.steps)
    return (*node.token_ids, *token_ids) if known else ()
