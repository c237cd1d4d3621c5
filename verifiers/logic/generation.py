"""Problems of formal logic with their proofs, generated backwards from a goal: the truth of every step is known.

A goal that is true in a hidden world is replaced by premises of a rule that entail it, and those again, until the
wanted number of steps is reached; what is left are the facts. Distractors are true in the same world, so facts never
contradict. `PROVED`: the hypothesis is the goal. `DISPROVED`: its negation. `UNKNOWN`: its symbol can be set either
way with all facts staying true; both worlds are kept as witnesses. Not covered: equality, proofs by contradiction,
predicates of two places.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import TypeAlias

from steplabel.schemas import ConfigError, derive_seed
from steplabel.verifiers.logic import names
from steplabel.verifiers.logic.formulas import (
    And,
    Atom,
    Exists,
    ForAll,
    Formula,
    Implies,
    Not,
    Or,
    Term,
    negated,
)
from steplabel.verifiers.logic.proofs import (
    HYPOTHESIS,
    NOT_HYPOTHESIS,
    LogicTask,
    ProofLabel,
    ProofStep,
    Surface,
)
from steplabel.verifiers.logic.rules import QUANTIFIED, RULES
from steplabel.verifiers.logic.semantics import Model
from steplabel.verifiers.logic.world import World, X, of_x

_TRIES = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class LogicDials:
    """How hard the problems are and how they look.

    Attributes:
        steps: fewest and most steps of the proof, the final answer not counted.
        distractors: fewest and most facts that the proof does not use.
        things: fewest and most named things of a first-order problem.
        symbols: most predicates or propositions in one problem; a proof ends early where they run out.
        first_order: share of problems with things and quantifiers; the others are propositional.
        quantified: chance that a rule about quantifiers is preferred where one applies.
        reuse: chance that a premise is made of symbols in use already: fewer symbols, more paths that lead nowhere.
        unknown, disproved: share of problems with these labels; the rest is `PROVED`.
        surfaces: how they look, each equally often.
    """

    steps: tuple[int, int] = (1, 6)
    distractors: tuple[int, int] = (0, 8)
    things: tuple[int, int] = (1, 4)
    symbols: int = 24
    first_order: float = 0.6
    quantified: float = 0.5
    reuse: float = 0.25
    unknown: float = 0.2
    disproved: float = 0.4
    surfaces: tuple[Surface, ...] = tuple(Surface)

    def __post_init__(self) -> None:
        for name, least in (("steps", 1), ("distractors", 0), ("things", 1)):
            low, high = getattr(self, name)
            if not least <= low <= high:
                raise ConfigError(f"{name}={low, high}: give (fewest, most) with at least {least}")
        for name in ("first_order", "quantified", "reuse", "unknown", "disproved"):
            if not 0 <= getattr(self, name) <= 1:
                raise ConfigError(f"{name}={getattr(self, name)} is not between 0 and 1")
        if self.unknown + self.disproved > 1 or not self.surfaces:
            raise ConfigError(f"unknown + disproved = {self.unknown + self.disproved}, surfaces={self.surfaces}")
        if not 6 <= self.symbols <= len(names.EVENTS) or self.things[1] > len(names.PEOPLE):
            raise ConfigError(
                f"symbols={self.symbols}, things={self.things}: 6 to {len(names.EVENTS)} symbols, "
                f"at most {len(names.PEOPLE)} things have names"
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class GeneratedLogic:
    """A problem, its proof, and what makes their truth certain.

    Attributes:
        steps: the proof; every step follows from what it cites. For `UNKNOWN` they lead nowhere.
        rules: the rule of each step.
        worlds: models of all facts: one, or for `UNKNOWN` two, in which the hypothesis is true and false.
        spare_names: symbols that neither facts nor steps mention, for corruptions.
    """

    task: LogicTask
    label: ProofLabel
    steps: tuple[ProofStep, ...]
    rules: tuple[str, ...]
    worlds: tuple[Model, ...]
    spare_names: tuple[str, ...]
    surface: Surface


@dataclass(frozen=True, slots=True)
class _Derived:
    premises: tuple[_Node, ...]
    conclusion: Formula
    rule: str


@dataclass(frozen=True, slots=True)
class _Leaf:
    conclusion: Formula


_Node: TypeAlias = "_Derived | _Leaf"


def generate(*, seed: int, number: int, dials: LogicDials) -> GeneratedLogic:
    """The problem of this number in the stream of this seed; it depends on nothing else."""
    rng = random.Random(derive_seed("logic", seed, number))  # noqa: S311 - not for secrets
    surface = rng.choice(dials.surfaces)
    first_order = rng.random() < dials.first_order
    world, spare = _world(rng, dials, surface, first_order=first_order)
    root = _Proof(world, dials).derived(_goal(world), rng.randint(*dials.steps))
    label = _label(rng, dials)
    facts, drafts, rules = _written(rng, root, label)
    distractors = _distractors(world, rng.randint(*dials.distractors), known=facts)
    if label is ProofLabel.UNKNOWN:
        hypothesis, open_facts = _open_hypothesis(world, rng, spare[0])
        distractors += open_facts
        worlds = _both(world.model, hypothesis)
    else:
        hypothesis = root.conclusion if label is ProofLabel.PROVED else negated(root.conclusion)
        worlds = (world.model,)
    task, steps = _numbered(rng, hypothesis, facts, distractors, drafts)
    return GeneratedLogic(
        task=task,
        label=label,
        steps=steps,
        rules=rules,
        worlds=worlds,
        spare_names=spare[1:],
        surface=surface,
    )


def _label(rng: random.Random, dials: LogicDials) -> ProofLabel:
    drawn = rng.random()
    if drawn < dials.unknown:
        return ProofLabel.UNKNOWN
    return ProofLabel.DISPROVED if drawn < dials.unknown + dials.disproved else ProofLabel.PROVED


_SPARE = 4
"""Symbols kept back: one for an open hypothesis, the others for corruptions."""


def _world(
    rng: random.Random, dials: LogicDials, surface: Surface, *, first_order: bool
) -> tuple[World, tuple[str, ...]]:
    letters = surface is Surface.LETTERS
    worded = names.ADJECTIVES if first_order else names.EVENTS
    symbols = rng.sample(names.LETTER_NAMES if letters else worded, dials.symbols)
    count = rng.randint(*dials.things) if first_order else 0
    things = rng.sample(names.LETTER_THINGS if letters else names.PEOPLE, count)
    return World(rng, things=things, names=symbols[_SPARE:], reuse=dials.reuse), tuple(symbols[:_SPARE])


def _goal(world: World) -> Formula:
    """What is to be derived: a literal, something about all or some things, or two literals in some form."""
    term = world.thing()
    first = _sure(world.literal(True, term))
    shape = world.rng.random()
    if shape < 0.4:
        return first
    if shape < 0.6 and term is not None:
        return Exists(X, of_x(first, term)) if shape < 0.5 else _universal_goal(world, first, term)
    return _compound_goal(world, first, term)


def _compound_goal(world: World, first: Formula, term: Term | None) -> Formula:
    shape = world.rng.random()
    other = _sure(world.literal(world.rng.random() < 0.7, term, avoid=_name_of(first)))
    both = world.rng.sample([first, other], 2)
    if shape < 0.25 and world.holds(other):
        return And(tuple(both))
    if shape < 0.5:
        return Or(tuple(both))
    if shape < 0.75:
        return Not(Or((negated(first), negated(other)))) if world.holds(other) else Not(And(tuple(both)))
    return Implies(other, first)


def _universal_goal(world: World, first: Formula, term: Term) -> Formula:
    wide = of_x(first, term)
    narrow = world.between(frozenset(), world.extension(wide))
    return first if narrow is None else ForAll(X, Implies(narrow, wide))


def _sure(formula: Formula | None) -> Formula:
    assert formula is not None  # noqa: S101 - dials leave two symbols or more for the goal
    return formula


def _name_of(literal: Formula) -> frozenset[str]:
    atom = literal.part if isinstance(literal, Not) else literal
    return frozenset({atom.name}) if isinstance(atom, Atom) else frozenset()


class _Proof:
    """Derives goals backwards within one world."""

    def __init__(self, world: World, dials: LogicDials) -> None:
        self._world, self._dials = world, dials
        self._above: list[Formula] = []

    def derived(self, goal: Formula, steps: int) -> _Derived:
        """A derivation of the goal with at least one step and at most `steps`."""
        node = self._node(goal, steps)
        if isinstance(node, _Derived):
            return node
        # No rule had names left or a form that fits: the weakest step says the fact again.
        return _Derived((node,), goal, "repetition")

    def _node(self, goal: Formula, steps: int) -> _Node:
        if steps < 1:
            return _Leaf(goal)
        for rule in self._order():
            premises = RULES[rule](self._world, goal)
            if premises is None or any(premise in self._above or premise == goal for premise in premises):
                continue
            self._above.append(goal)
            children = self._children(premises, steps - 1)
            self._above.pop()
            return _Derived(children, goal, rule)
        return _Leaf(goal)

    def _order(self) -> list[str]:
        rng = self._world.rng
        rules = rng.sample(sorted(RULES), len(RULES))
        if self._world.first_order and rng.random() < self._dials.quantified:
            rules.sort(key=lambda rule: rule not in QUANTIFIED)
        return rules

    def _children(self, premises: tuple[Formula, ...], steps: int) -> tuple[_Node, ...]:
        shares = [0] * len(premises)
        for _ in range(steps):
            shares[self._world.rng.randrange(len(premises))] += 1
        return tuple(self._node(premise, share) for premise, share in zip(premises, shares, strict=True))


_Cited: TypeAlias = "tuple[str, int]"
"""`fact` or `int`, and an index: facts get their names when all are known."""


@dataclass(frozen=True, slots=True)
class _Draft:
    cites: tuple[_Cited, ...]
    target: str
    conclusion: Formula | None


def _written(
    rng: random.Random, root: _Derived, label: ProofLabel
) -> tuple[list[Formula], list[_Draft], tuple[str, ...]]:
    """The derivation as facts and steps, premises first; equal formulas are derived and stated once."""
    facts: list[Formula] = []
    drafts: list[_Draft] = []
    rules: list[str] = []
    known: dict[Formula, _Cited] = {}

    def put(node: _Node) -> _Cited:
        if node.conclusion in known:
            return known[node.conclusion]
        if isinstance(node, _Leaf):
            known[node.conclusion] = ("fact", len(facts))
            facts.append(node.conclusion)
            return known[node.conclusion]
        cites = tuple(dict.fromkeys(put(premise) for premise in node.premises))
        known[node.conclusion] = ("int", len(drafts) + 1)
        drafts.append(_Draft(cites, f"int{len(drafts) + 1}", node.conclusion))
        rules.append(node.rule)
        return known[node.conclusion]

    put(root)
    if label is not ProofLabel.UNKNOWN and rng.random() < 0.7:
        target = HYPOTHESIS if label is ProofLabel.PROVED else NOT_HYPOTHESIS
        drafts[-1] = _Draft(drafts[-1].cites, target, None)
    return facts, drafts, tuple(rules)


def _distractors(world: World, count: int, *, known: list[Formula]) -> list[Formula]:
    """Facts that are true in the world and not among those known."""
    found: list[Formula] = []
    for _ in range(_TRIES * count):
        if len(found) == count:
            break
        fact = _distractor(world)
        if fact is not None and fact not in known and fact not in found:
            found.append(fact)
    return found


def _distractor(world: World) -> Formula | None:
    term, shape = world.thing(), world.rng.random()
    if world.first_order and shape < 0.3 and (wide := world.literal(True, term)) and term is not None:
        narrow = world.between(frozenset(), world.extension(of_x(wide, term)))
        return None if narrow is None else ForAll(X, Implies(narrow, of_x(wide, term)))
    first, second = world.literal(world.rng.random() < 0.5, term), world.literal(True, world.thing())
    if first is None or second is None or _name_of(first) == _name_of(second):
        return None
    if shape < 0.5:
        return second
    if shape < 0.8:
        return Implies(first, second)
    return Or((first, second)) if shape < 0.9 or not world.holds(first) else And((first, second))


def _open_hypothesis(world: World, rng: random.Random, name: str) -> tuple[Formula, list[Formula]]:
    """A hypothesis that can be set either way, and facts that mention it and stay true whichever way it is."""
    atom = Atom(name, world.thing())
    hypothesis = Not(atom) if rng.random() < 0.4 else atom
    false, true = world.literal(False, world.thing()), world.literal(True, world.thing())
    facts: list[Formula] = []
    if false is not None:
        facts.append(Implies(false, hypothesis))
    if true is not None and rng.random() < 0.5:
        facts.append(Implies(hypothesis, true))
    return hypothesis, facts


def _both(model: Model, hypothesis: Formula) -> tuple[Model, ...]:
    """The model with the hypothesis' atom false everywhere, and with it true everywhere."""
    (name,) = _name_of(hypothesis)
    everything = frozenset(range(model.size))
    return (
        model,
        Model(
            size=model.size,
            constants=model.constants,
            predicates={**model.predicates, name: everything},
            propositions=model.propositions | {name},
        ),
    )


def _numbered(
    rng: random.Random, hypothesis: Formula, facts: list[Formula], distractors: list[Formula], drafts: list[_Draft]
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
