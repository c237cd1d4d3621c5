"""Entailment decided exactly, by all rows of a truth table at once: one bit a row, one integer a formula.

A formula of the Bernays-Schönfinkel kind (no `some` inside the reach of an `every`, after negations moved inwards)
needs only the things that it names: `some` gets a name of its own, `every` becomes a conjunction over all names, and
what is left is propositional. That is complete for such formulas (Herbrand's theorem), so both answers are exact.

Covered: propositional and monadic formulas of that kind with at most `MAX_ATOMS` different atoms after that.
Not covered (None): equality, other orders of quantifiers, larger tables; a solver decides those.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import count

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
    constants,
    substitute,
)
from steplabel.verifiers.logic.semantics import Model

MAX_ATOMS = 14
"""16,384 rows: integers of 2 KB, a fraction of a millisecond for each step of a proof."""
MAX_GROUND = 4_000
"""Nodes of the formulas without quantifiers; more only come of hostile nesting."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tabled:
    """What a table says of premises and a conclusion.

    Attributes:
        follows: whether the conclusion is true wherever all premises are.
        consistent: whether the premises are true somewhere.
        countermodel: where the premises are true and the conclusion is false; None if it follows.
    """

    follows: bool
    consistent: bool
    countermodel: Model | None


class _OutOfReach(Exception):  # noqa: N818 - no error: the caller asks somebody else
    """The formulas are not of the kind that a table decides."""


def decide(premises: Sequence[Formula], conclusion: Formula) -> Tabled | None:
    """Decide whether the conclusion follows; None if these formulas are out of reach."""
    try:
        return _decided(premises, conclusion)
    except _OutOfReach:
        return None


def _decided(premises: Sequence[Formula], conclusion: Formula) -> Tabled:
    fresh = (f"_{number}" for number in count())
    given = [_skolemised(_pushed(formula, positive=True), fresh) for formula in premises]
    denied = _skolemised(_pushed(conclusion, positive=False), fresh)
    names = constants([*given, denied]) or ("_",)
    if sum(_ground_size(formula, len(names)) for formula in (*given, denied)) > MAX_GROUND:
        raise _OutOfReach
    ground = [_grounded(formula, names) for formula in (*given, denied)]
    atoms = list(dict.fromkeys(atom for formula in ground for atom in _atoms(formula)))
    if len(atoms) > MAX_ATOMS:
        raise _OutOfReach
    table = dict(zip(atoms, columns(len(atoms)), strict=True))
    full = (1 << (1 << len(atoms))) - 1
    rows = full
    for formula in ground[:-1]:
        rows &= _column(formula, table, full)
    counter = rows & _column(ground[-1], table, full)
    model = _model(counter, atoms, names) if counter else None
    return Tabled(follows=not counter, consistent=bool(rows), countermodel=model)


def _pushed(formula: Formula, *, positive: bool) -> Formula:  # noqa: PLR0911 - one return for each kind
    """Negations moved inwards to the atoms, arrows replaced; negated as a whole unless `positive`."""
    match formula:
        case Atom():
            return formula if positive else Not(formula)
        case Not(part):
            return _pushed(part, positive=not positive)
        case And(parts):
            return _joined(parts, positive=positive, conjunction=positive)
        case Or(parts):
            return _joined(parts, positive=positive, conjunction=not positive)
        case Implies(left, right):
            sides = (_pushed(left, positive=not positive), _pushed(right, positive=positive))
            return Or(sides) if positive else And(sides)
        case ForAll(variable, body):
            return (ForAll if positive else Exists)(variable, _pushed(body, positive=positive))
        case Exists(variable, body):
            return (Exists if positive else ForAll)(variable, _pushed(body, positive=positive))
        case Equal():
            raise _OutOfReach


def _joined(parts: tuple[Formula, ...], *, positive: bool, conjunction: bool) -> Formula:
    pushed = tuple(_pushed(part, positive=positive) for part in parts)
    return And(pushed) if conjunction else Or(pushed)


def _skolemised(formula: Formula, fresh: Iterator[str]) -> Formula:
    """Each `some` replaced by a new name; it must not stand inside the reach of an `every`."""
    match formula:
        case Exists(variable, body):
            return _skolemised(substitute(body, variable, Constant(next(fresh))), fresh)
        case ForAll(variable, body):
            if _has_some(body):
                raise _OutOfReach
            return ForAll(variable, body)
        case And(parts):
            return And(tuple(_skolemised(part, fresh) for part in parts))
        case Or(parts):
            return Or(tuple(_skolemised(part, fresh) for part in parts))
    return formula


def _has_some(formula: Formula) -> bool:
    match formula:
        case Exists():
            return True
        case ForAll(_, body):
            return _has_some(body)
        case And(parts) | Or(parts):
            return any(map(_has_some, parts))
    return False


def _grounded(formula: Formula, names: Sequence[str]) -> Formula:
    match formula:
        case ForAll(variable, body):
            copies = tuple(_grounded(substitute(body, variable, Constant(name)), names) for name in names)
            return And(copies)
        case And(parts):
            return And(tuple(_grounded(part, names) for part in parts))
        case Or(parts):
            return Or(tuple(_grounded(part, names) for part in parts))
    return formula


def _ground_size(formula: Formula, names: int) -> int:
    """Nodes of what `_grounded` would build: nested quantifiers multiply, so this is asked first."""
    match formula:
        case And(parts) | Or(parts):
            return 1 + sum(_ground_size(part, names) for part in parts)
        case ForAll(_, body):
            return names * (1 + _ground_size(body, names))
    return 1


def _atoms(formula: Formula) -> Iterator[Atom]:
    match formula:
        case Atom():
            yield formula
        case Not(Atom() as atom):
            yield atom
        case And(parts) | Or(parts):
            for part in parts:
                yield from _atoms(part)


@cache
def columns(atoms: int) -> tuple[int, ...]:
    """The table's columns, one for each atom: bit r of column i is bit i of r."""
    rows = 1 << atoms
    made = []
    for index in range(atoms):
        half = 1 << index
        period = ((1 << half) - 1) << half
        repeats = ((1 << rows) - 1) // ((1 << (2 * half)) - 1)
        made.append(period * repeats)
    return tuple(made)


def _column(formula: Formula, table: dict[Atom, int], full: int) -> int:
    match formula:
        case Atom():
            return table[formula]
        case Not(Atom() as atom):
            return full ^ table[atom]
        case And(parts):
            value = full
            for part in parts:
                value &= _column(part, table, full)
            return value
        case Or(parts):
            value = 0
            for part in parts:
                value |= _column(part, table, full)
            return value
    raise AssertionError(formula)


def _model(counter: int, atoms: Sequence[Atom], names: Sequence[str]) -> Model:
    """The model of the first row that is left."""
    row = (counter & -counter).bit_length() - 1
    true = [atom for index, atom in enumerate(atoms) if row >> index & 1]
    things = {name: index for index, name in enumerate(names)}
    predicates: dict[str, set[int]] = {atom.name: set() for atom in atoms if atom.term is not None}
    for atom in true:
        if atom.term is not None:
            predicates[atom.name].add(things[atom.term.name])
    return Model(
        size=len(names),
        constants={name: thing for name, thing in things.items() if not name.startswith("_")},
        predicates={name: frozenset(extension) for name, extension in predicates.items()},
        propositions=frozenset(atom.name for atom in true if atom.term is None),
    )
