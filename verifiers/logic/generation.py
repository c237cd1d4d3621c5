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

from steplabel.schemas import derive_seed
from steplabel.verifiers.logic import names
from steplabel.verifiers.logic.derivation import Deriving, numbered, written
from steplabel.verifiers.logic.dials import LogicDials
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
    LogicTask,
    ProofLabel,
    ProofStep,
    Surface,
)
from steplabel.verifiers.logic.semantics import Model
from steplabel.verifiers.logic.world import World, X, of_x

_TRIES = 50


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


def generate(*, seed: int, number: int, dials: LogicDials) -> GeneratedLogic:
    """The problem of this number in the stream of this seed; it depends on nothing else."""
    rng = random.Random(derive_seed("logic", seed, number))  # noqa: S311 - not for secrets
    surface = rng.choice(dials.surfaces)
    first_order = rng.random() < dials.first_order
    world, spare = _world(rng, dials, surface, first_order=first_order)
    root = Deriving(world, dials).derived(_goal(world), rng.randint(*dials.steps))
    label = _label(rng, dials)
    facts, drafts, rules = written(rng, root, label)
    distractors = _distractors(world, rng.randint(*dials.distractors), known=facts)
    if label is ProofLabel.UNKNOWN:
        hypothesis, open_facts = _open_hypothesis(world, rng, spare[0])
        distractors += open_facts
        worlds = _both(world.model, hypothesis)
    else:
        hypothesis = root.conclusion if label is ProofLabel.PROVED else negated(root.conclusion)
        worlds = (world.model,)
    task, steps = numbered(rng, hypothesis, facts, distractors, drafts)
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
