"""Rules of inference, read backwards: from a goal that is true in the world to premises that are true in it and
entail it.

A rule returns the premises, or None where the goal has not its form or no names are left. Each is a valid schema, so
a step made by it is right by construction; the hidden world keeps all premises of a problem together consistent.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import TypeAlias

from steplabel.verifiers.logic.formulas import (
    And,
    Constant,
    Exists,
    ForAll,
    Formula,
    Implies,
    Not,
    Or,
    constants,
    negated,
    predicates,
    propositions,
    substitute,
)
from steplabel.verifiers.logic.world import World, X, of_x

Premises: TypeAlias = "tuple[Formula, ...] | None"
Rule: TypeAlias = Callable[[World, Formula], Premises]


def _names(formula: Formula) -> frozenset[str]:
    return frozenset((*propositions([formula]), *predicates([formula])))


def _only_thing(formula: Formula) -> Constant | None:
    """The one thing that a formula without quantifiers mentions."""
    found = constants([formula])
    return Constant(found[0]) if len(found) == 1 else None


def _literal(world: World, goal: Formula, *, value: bool) -> Formula | None:
    """A literal of this value that does not share a name with the goal; about the goal's thing where it has one."""
    term = (_only_thing(goal) or world.thing()) if world.first_order else None
    return world.literal(value, term, avoid=_names(goal))


def _shuffled(world: World, *premises: Formula) -> Premises:
    return tuple(world.rng.sample(premises, len(premises)))


def modus_ponens(world: World, goal: Formula) -> Premises:
    """P, P -> goal. In a world with things, P is chosen such that `(x): P -> goal` is true, too."""
    if isinstance(goal, (ForAll, Exists, Implies)):
        return None
    thing = _only_thing(goal)
    if thing is not None:
        here = frozenset({world.things.index(thing.name)})
        body = world.between(here, world.extension(of_x(goal, thing)))
        cause = None if body is None else substitute(body, X, thing)
    else:
        cause = _literal(world, goal, value=True)
    if cause is None:
        return None
    if world.rng.random() < 0.3 and (other := _literal(world, goal, value=True)) and other != cause:
        cause = And((cause, other))
    return _shuffled(world, cause, Implies(cause, goal))


def universal_modus_ponens(world: World, goal: Formula) -> Premises:
    """P{a}, (x): Px -> goal."""
    thing = _only_thing(goal)
    if thing is None or isinstance(goal, (ForAll, Exists, Implies)):
        return None
    here = frozenset({world.things.index(thing.name)})
    body = world.between(here, world.extension(of_x(goal, thing)))
    if body is None:
        return None
    return _shuffled(world, substitute(body, X, thing), ForAll(X, Implies(body, of_x(goal, thing))))


def modus_tollens(world: World, goal: Formula) -> Premises:
    """P -> Q, ¬Q for the goal ¬P."""
    if not isinstance(goal, Not) or isinstance(goal.part, (ForAll, Exists, Implies)):
        return None
    effect = _literal(world, goal, value=False)
    return None if effect is None else _shuffled(world, Implies(goal.part, effect), negated(effect))


def universal_instantiation(world: World, goal: Formula) -> Premises:
    """(x): body for the goal body{a}."""
    thing = _only_thing(goal)
    if thing is None or isinstance(goal, (ForAll, Exists)) or not world.everywhere(of_x(goal, thing)):
        return None
    return (ForAll(X, of_x(goal, thing)),)


def conjunction_elimination(world: World, goal: Formula) -> Premises:
    """Goal & P."""
    if isinstance(goal, (ForAll, Exists, Implies, And)):
        return None
    other = _literal(world, goal, value=True)
    shuffled = None if other is None else _shuffled(world, goal, other)
    return None if shuffled is None else (And(shuffled),)


def conjunction_introduction(world: World, goal: Formula) -> Premises:  # noqa: ARG001 - a rule's form
    """P, Q for the goal P & Q."""
    return goal.parts if isinstance(goal, And) else None


def disjunction_introduction(world: World, goal: Formula) -> Premises:
    """P for the goal P v Q."""
    if not isinstance(goal, Or):
        return None
    return (world.rng.choice([part for part in goal.parts if world.holds(part)]),)


def disjunctive_syllogism(world: World, goal: Formula) -> Premises:
    """Goal v P, ¬P."""
    if isinstance(goal, (ForAll, Exists, Implies, Or)):
        return None
    other = _literal(world, goal, value=False)
    shuffled = None if other is None else _shuffled(world, goal, other)
    if other is None or shuffled is None:
        return None
    return _shuffled(world, Or(shuffled), negated(other))


def hypothetical_syllogism(world: World, goal: Formula) -> Premises:
    """P -> Q, Q -> R for the goal P -> R, also under (x)."""
    if isinstance(goal, Implies):
        thing = _only_thing(goal) if world.first_order else None
        if world.first_order and thing is None:
            return None
        middle = _literal(world, goal, value=world.holds(goal.right))
        return None if middle is None else _shuffled(world, Implies(goal.left, middle), Implies(middle, goal.right))
    if isinstance(goal, ForAll) and goal.variable == X and isinstance(goal.body, Implies):
        body = world.between(world.extension(goal.body.left), world.extension(goal.body.right))
        if body is not None:
            sides = (Implies(goal.body.left, body), Implies(body, goal.body.right))
            return _shuffled(world, *(ForAll(X, side) for side in sides))
    return None


def contraposition(world: World, goal: Formula) -> Premises:  # noqa: ARG001 - a rule's form
    """¬Q -> ¬P for the goal P -> Q, also under (x)."""
    match goal:
        case Implies(left, right):
            return (Implies(negated(right), negated(left)),)
        case ForAll(variable, Implies(left, right)):
            return (ForAll(variable, Implies(negated(right), negated(left))),)
    return None


def existential_introduction(world: World, goal: Formula) -> Premises:
    """Body{a} for the goal (Ex): body."""
    if not isinstance(goal, Exists):
        return None
    number = world.rng.choice(sorted(world.extension(goal.body)))
    return (substitute(goal.body, X, Constant(world.things[number])),)


def de_morgan(world: World, goal: Formula) -> Premises:  # noqa: ARG001 - a rule's form
    """¬P v ¬Q for the goal ¬(P & Q); ¬P & ¬Q for the goal ¬(P v Q)."""
    match goal:
        case Not(And(parts)):
            return (Or(tuple(map(negated, parts))),)
        case Not(Or(parts)):
            return (And(tuple(map(negated, parts))),)
    return None


RULES: Mapping[str, Rule] = MappingProxyType(
    {
        "modus_ponens": modus_ponens,
        "universal_modus_ponens": universal_modus_ponens,
        "modus_tollens": modus_tollens,
        "universal_instantiation": universal_instantiation,
        "conjunction_elimination": conjunction_elimination,
        "conjunction_introduction": conjunction_introduction,
        "disjunction_introduction": disjunction_introduction,
        "disjunctive_syllogism": disjunctive_syllogism,
        "hypothetical_syllogism": hypothetical_syllogism,
        "contraposition": contraposition,
        "existential_introduction": existential_introduction,
        "de_morgan": de_morgan,
    }
)
"""All rules by name."""

QUANTIFIED = frozenset({"universal_modus_ponens", "universal_instantiation", "existential_introduction"})
"""Rules about quantifiers; how often they are taken is a dial."""
