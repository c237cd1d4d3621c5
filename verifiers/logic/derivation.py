"""From a goal to facts and steps: rules taken backwards until the wanted number of steps is reached.

What is left open becomes a fact; equal formulas are stated and derived once. Facts get their names when the distractors
among them are known. Not covered: shortest proofs; the steps are a way, not the only one.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import TypeAlias

from steplabel.verifiers.logic.dials import LogicDials
from steplabel.verifiers.logic.formulas import Formula
from steplabel.verifiers.logic.proofs import HYPOTHESIS, NOT_HYPOTHESIS, LogicTask, ProofLabel, ProofStep
from steplabel.verifiers.logic.rules import QUANTIFIED, RULES
from steplabel.verifiers.logic.world import World


@dataclass(frozen=True, slots=True)
class Derived:
    """A conclusion, what it follows from, and by which rule."""

    premises: tuple[Node, ...]
    conclusion: Formula
    rule: str


@dataclass(frozen=True, slots=True)
class Leaf:
    """What becomes a fact."""

    conclusion: Formula


Node: TypeAlias = "Derived | Leaf"


class Deriving:
    """Derives goals backwards within one world."""

    def __init__(self, world: World, dials: LogicDials) -> None:
        self._world, self._dials = world, dials
        self._above: list[Formula] = []

    def derived(self, goal: Formula, steps: int) -> Derived:
        """A derivation of the goal with at least one step and at most `steps`."""
        node = self._node(goal, steps)
        if isinstance(node, Derived):
            return node
        # No rule had names left or a form that fits: the weakest step says the fact again.
        return Derived((node,), goal, "repetition")

    def _node(self, goal: Formula, steps: int) -> Node:
        if steps < 1:
            return Leaf(goal)
        for rule in self._order():
            premises = RULES[rule](self._world, goal)
            if premises is None or any(premise in self._above or premise == goal for premise in premises):
                continue
            self._above.append(goal)
            children = self._children(premises, steps - 1)
            self._above.pop()
            return Derived(children, goal, rule)
        return Leaf(goal)

    def _order(self) -> list[str]:
        rng = self._world.rng
        rules = rng.sample(sorted(RULES), len(RULES))
        if self._world.first_order and rng.random() < self._dials.quantified:
            rules.sort(key=lambda rule: rule not in QUANTIFIED)
        return rules

    def _children(self, premises: tuple[Formula, ...], steps: int) -> tuple[Node, ...]:
        shares = [0] * len(premises)
        for _ in range(steps):
            shares[self._world.rng.randrange(len(premises))] += 1
        return tuple(self._node(premise, share) for premise, share in zip(premises, shares, strict=True))


Cited: TypeAlias = "tuple[str, int]"
"""`fact` or `int`, and an index: facts get their names when all are known."""


@dataclass(frozen=True, slots=True)
class Draft:
    """A step whose facts have no names yet."""

    cites: tuple[Cited, ...]
    target: str
    conclusion: Formula | None


def written(rng: random.Random, root: Derived, label: ProofLabel) -> tuple[list[Formula], list[Draft], tuple[str, ...]]:
    """The derivation as facts and steps, premises first; equal formulas are derived and stated once."""
    facts: list[Formula] = []
    drafts: list[Draft] = []
    rules: list[str] = []
    known: dict[Formula, Cited] = {}

    def put(node: Node) -> Cited:
        if node.conclusion in known:
            return known[node.conclusion]
        if isinstance(node, Leaf):
            known[node.conclusion] = ("fact", len(facts))
            facts.append(node.conclusion)
            return known[node.conclusion]
        cites = tuple(dict.fromkeys(put(premise) for premise in node.premises))
        known[node.conclusion] = ("int", len(drafts) + 1)
        drafts.append(Draft(cites, f"int{len(drafts) + 1}", node.conclusion))
        rules.append(node.rule)
        return known[node.conclusion]

    put(root)
    if label is not ProofLabel.UNKNOWN and rng.random() < 0.7:
        target = HYPOTHESIS if label is ProofLabel.PROVED else NOT_HYPOTHESIS
        drafts[-1] = Draft(drafts[-1].cites, target, None)
    return facts, drafts, tuple(rules)


def numbered(
    rng: random.Random, hypothesis: Formula, facts: list[Formula], distractors: list[Formula], drafts: list[Draft]
) -> tuple[LogicTask, tuple[ProofStep, ...]]:
    """Facts and distractors shuffled and named; the steps cite those names."""
    everything = list(enumerate([*facts, *distractors]))
    rng.shuffle(everything)
    name_of = {index: f"fact{position}" for position, (index, _) in enumerate(everything, start=1)}
    task = LogicTask(
        hypothesis=hypothesis,
        facts={name_of[index]: formula for index, formula in everything},
    )
    steps = [
        ProofStep(
            cites=tuple(name_of[index] if kind == "fact" else f"int{index}" for kind, index in draft.cites),
            target=draft.target,
            conclusion=draft.conclusion,
        )
        for draft in drafts
    ]
    return task, tuple(steps)
