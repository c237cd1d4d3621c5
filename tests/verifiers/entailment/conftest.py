"""Questions written as text, for tables of cases."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from steplabel.verifiers.entailment import Assumption, Declared, Entailment, Inference, Sort
from steplabel.verifiers.expressions.ast import Comparison, Connected, Connective, Formula
from steplabel.verifiers.expressions.reading import read_chain

Pose = Callable[..., Entailment]


def formula(text: str) -> Formula:
    """One comparison, or several with "or" between them."""
    parts = tuple(_comparison(part) for part in text.split(" or "))
    return parts[0] if len(parts) == 1 else Connected(Connective.OR, parts)


def _comparison(text: str) -> Comparison:
    chain = read_chain(text)
    assert chain is not None, text
    (relation,), (left, right) = chain.relations, chain.readings[0]
    assert left.term is not None, text
    assert right.term is not None, text
    return Comparison(relation, left.term, right.term)


@pytest.fixture(scope="session")
def pose() -> Pose:
    """`pose("x:Real y:Int", ["x + y = 3"], "x = 1")`: a question whose assumptions are called a0, a1, ..."""

    def posed(
        names: str, assumptions: list[str], claim: str, inference: Inference = Inference.DERIVATION
    ) -> Entailment:
        pairs = [name.split(":") for name in names.split()]
        return Entailment(
            declarations=tuple(Declared(name=name, sort=Sort(sort)) for name, sort in pairs),
            assumptions=tuple(Assumption(label=f"a{i}", formula=formula(one)) for i, one in enumerate(assumptions)),
            claim=formula(claim),
            inference=inference,
        )

    return posed
