"""Formulas and models as JSON values, for the way to a worker process and back. Never text for a solver's own parser.

Covered: all of `formulas` and `semantics.Model`. Both ends are ours: what arrives was built by the other function here.
"""

from __future__ import annotations

from typing import Any

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
    Variable,
)
from steplabel.verifiers.logic.semantics import Model


def pack(formula: Formula) -> list[Any]:  # noqa: PLR0911 - one return for each kind
    """A formula as nested lists."""
    match formula:
        case Atom(name, None):
            return ["atom", name]
        case Atom(name, term):
            return ["atom", name, _packed_term(term)]
        case Equal(left, right):
            return ["equal", _packed_term(left), _packed_term(right)]
        case Not(part):
            return ["not", pack(part)]
        case And(parts):
            return ["and", *map(pack, parts)]
        case Or(parts):
            return ["or", *map(pack, parts)]
        case Implies(left, right):
            return ["implies", pack(left), pack(right)]
        case ForAll(variable, body):
            return ["all", variable.name, pack(body)]
        case Exists(variable, body):
            return ["some", variable.name, pack(body)]


def _packed_term(term: Term | None) -> list[str]:
    assert term is not None  # noqa: S101 - the caller matched it
    return ["variable" if isinstance(term, Variable) else "constant", term.name]


def unpack(packed: list[Any]) -> Formula:  # noqa: PLR0911 - one return for each kind
    """The formula that `pack` packed.

    Raises:
        ValueError: nothing that `pack` gives.
    """
    match packed:
        case ["atom", str(name)]:
            return Atom(name)
        case ["atom", str(name), term]:
            return Atom(name, _term(term))
        case ["equal", left, right]:
            return Equal(_term(left), _term(right))
        case ["not", part]:
            return Not(unpack(part))
        case ["and", *parts]:
            return And(tuple(map(unpack, parts)))
        case ["or", *parts]:
            return Or(tuple(map(unpack, parts)))
        case ["implies", left, right]:
            return Implies(unpack(left), unpack(right))
        case ["all", str(name), body]:
            return ForAll(Variable(name), unpack(body))
        case ["some", str(name), body]:
            return Exists(Variable(name), unpack(body))
    raise ValueError(f"not a packed formula: {packed!r:.80}")


def _term(packed: list[str]) -> Term:
    kind, name = packed
    return Variable(name) if kind == "variable" else Constant(name)


def pack_model(model: Model) -> dict[str, Any]:
    """A model as a JSON object."""
    return {
        "size": model.size,
        "constants": dict(model.constants),
        "predicates": {name: sorted(things) for name, things in model.predicates.items()},
        "propositions": sorted(model.propositions),
    }


def unpack_model(packed: dict[str, Any]) -> Model:
    """The model that `pack_model` packed."""
    return Model(
        size=packed["size"],
        constants=packed["constants"],
        predicates={name: frozenset(things) for name, things in packed["predicates"].items()},
        propositions=frozenset(packed["propositions"]),
    )
