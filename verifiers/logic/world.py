"""The hidden world of a generated problem: a model in which every fact is true, so that the facts cannot contradict.

Generators draw what they need from it: a literal that is true (or false) here, a predicate whose things lie between two
others'. Names are limited: where none is left and none fits, the answer is None and the generator stops there.
"""

from __future__ import annotations

import random
from collections.abc import Sequence

from steplabel.verifiers.logic.formulas import (
    Atom,
    Constant,
    Formula,
    Not,
    Term,
    Variable,
    substitute,
)
from steplabel.verifiers.logic.semantics import Model, is_true

X = Variable("x")


class World:
    """Grows while a problem is generated.

    Args:
        things: names of its things, one or more; empty for a propositional problem.
        names: names of propositions or predicates that may be used, in this order.
        reuse: chance that a literal is made of a name that is in use already, where one fits.
    """

    def __init__(self, rng: random.Random, *, things: Sequence[str], names: Sequence[str], reuse: float) -> None:
        self.rng = rng
        self.things = tuple(things)
        self._unused = list(reversed(names))
        self._reuse = reuse
        self._extensions: dict[str, frozenset[int]] = {}
        self._true: set[str] = set()
        self._used: list[str] = []

    @property
    def first_order(self) -> bool:
        """Whether it has things with names."""
        return bool(self.things)

    @property
    def model(self) -> Model:
        """The world as it is now; names not yet in use are false in it."""
        return Model(
            size=max(1, len(self.things)),
            constants={name: number for number, name in enumerate(self.things)},
            predicates=dict(self._extensions),
            propositions=frozenset(self._true),
        )

    def holds(self, formula: Formula) -> bool:
        """Whether a closed formula is true here."""
        return is_true(formula, self.model)

    def everywhere(self, body: Formula) -> bool:
        """Whether a formula with x free is true of all things."""
        return len(self.extension(body)) == len(self.things)

    def extension(self, body: Formula) -> frozenset[int]:
        """The things that a formula with x free is true of."""
        model = self.model
        return frozenset(n for n in range(len(self.things)) if is_true(body, model, {X.name: n}))

    def thing(self) -> Term | None:
        """One of the things; None in a propositional problem."""
        return Constant(self.rng.choice(self.things)) if self.things else None

    def literal(self, value: bool, term: Term | None = None, avoid: frozenset[str] = frozenset()) -> Formula | None:
        """A literal with this truth value, about `term`; None if no name is left for it.

        Args:
            avoid: names that must not be used: a premise should not say what it is to prove.
        """
        known = [name for name in self._used if name not in avoid]
        if known and (self.rng.random() < self._reuse or not self._unused):
            atom = Atom(self.rng.choice(known), term)
            return atom if self.holds(atom) is value else Not(atom)
        if not self._unused:
            return None
        atom = Atom(self._fresh(), term)
        negative = self.rng.random() < 0.4
        self._set(atom.name, value is not negative, term)
        return Not(atom) if negative else atom

    def between(self, low: frozenset[int], high: frozenset[int]) -> Formula | None:
        """A literal about x that is true of all things in `low` and of none outside `high`; None if no name is left."""
        if not self._unused or not low <= high:
            return None
        inside = frozenset(n for n in high if n in low or self.rng.random() < 0.5)
        negative = self.rng.random() < 0.3
        everything = frozenset(range(len(self.things)))
        name = self._fresh()
        self._extensions[name] = everything - inside if negative else inside
        atom = Atom(name, X)
        return Not(atom) if negative else atom

    def unused_name(self) -> str | None:
        """A name that no fact mentions; from now on none will."""
        return self._unused.pop() if self._unused else None

    def _fresh(self) -> str:
        name = self._unused.pop()
        self._used.append(name)
        return name

    def _set(self, name: str, value: bool, term: Term | None) -> None:
        if term is None:
            self._true |= {name} if value else set()
            return
        assert isinstance(term, Constant)  # noqa: S101 - literals about x come from `between`
        this = self.things.index(term.name)
        others = {n for n in range(len(self.things)) if n != this and self.rng.random() < 0.5}
        self._extensions[name] = frozenset(others | ({this} if value else set()))


def of_x(formula: Formula, term: Term) -> Formula:
    """The formula with x in the place of a thing's name."""
    return substitute(formula, term, X)
