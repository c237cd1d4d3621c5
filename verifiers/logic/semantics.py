"""Finite models, and what is true in them: the plain definition of truth, by which every countermodel is re-checked.

Covered: all formulas of `formulas` over a finite domain. Not covered: infinite models; monadic logic needs none.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from steplabel.verifiers.logic.formulas import (
    And,
    Atom,
    Constant,
    Equal,
    Exists,
    ForAll,
    Formula,
    Implies,
    Not,
    Or,
    Term,
    parts_of,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """A finite world.

    Attributes:
        size: its things are 0, 1, ... size - 1; at least one.
        constants: the thing that a name names.
        predicates: the things that a predicate is true of.
        propositions: those that are true; all others are false.
    """

    size: int = 1
    constants: Mapping[str, int] = field(default_factory=dict)
    predicates: Mapping[str, frozenset[int]] = field(default_factory=dict)
    propositions: frozenset[str] = frozenset()

    def shown(self) -> str:
        """One line for people: `2 things; a = 0; A: {0}; true: P`."""
        parts = [f"{self.size} thing{'s' if self.size > 1 else ''}"]
        if self.constants:
            parts.append(", ".join(f"{name} = {thing}" for name, thing in sorted(self.constants.items())))
        for name, things in sorted(self.predicates.items()):
            parts.append(f"{name}: {{{', '.join(map(str, sorted(things)))}}}")
        parts.append(f"true: {', '.join(sorted(self.propositions)) or 'no proposition'}")
        return "; ".join(parts)


def is_true(  # noqa: PLR0911 - one return for each kind
    formula: Formula, model: Model, bound: Mapping[str, int] | None = None
) -> bool:
    """Whether a formula is true in a model; names that the model does not know are false, or the thing 0.

    Args:
        bound: things that free variables stand for.

    Raises:
        KeyError: a variable is free and not bound.
    """
    bound = bound or {}
    match formula:
        case Atom(name, None):
            return name in model.propositions
        case Atom(name, term):
            return _thing(term, model, bound) in model.predicates.get(name, frozenset())
        case Equal(left, right):
            return _thing(left, model, bound) == _thing(right, model, bound)
        case Not(part):
            return not is_true(part, model, bound)
        case And(parts):
            return all(is_true(part, model, bound) for part in parts)
        case Or(parts):
            return any(is_true(part, model, bound) for part in parts)
        case Implies(left, right):
            return not is_true(left, model, bound) or is_true(right, model, bound)
        case ForAll(variable, body):
            return all(is_true(body, model, {**bound, variable.name: thing}) for thing in range(model.size))
        case Exists(variable, body):
            return any(is_true(body, model, {**bound, variable.name: thing}) for thing in range(model.size))


def most_steps(formula: Formula, size: int) -> int:
    """How many formulas `is_true` looks at, at most, in a world of so many things: nested quantifiers multiply."""
    below = sum(most_steps(part, size) for part in parts_of(formula))
    return 1 + (size * below if isinstance(formula, (ForAll, Exists)) else below)


def _thing(term: Term | None, model: Model, bound: Mapping[str, int]) -> int:
    if isinstance(term, Constant):
        return model.constants.get(term.name, 0)
    assert term is not None  # noqa: S101 - the caller matched it
    return bound[term.name]


def refutes(model: Model, premises: Iterable[Formula], conclusion: Formula) -> bool:
    """Whether the model shows that the conclusion does not follow: all premises true, the conclusion false."""
    return all(is_true(premise, model) for premise in premises) and not is_true(conclusion, model)
