"""What a formula speaks of."""

from __future__ import annotations

from steplabel.verifiers.expressions.ast import Comparison, Connected, Formula, Name, names_of


def names_in(formula: Formula) -> frozenset[str]:
    """The names of a formula, numbers and propositions. Without recursion: any depth will do."""
    found: set[str] = set()
    waiting: list[Formula] = [formula]
    while waiting:
        match waiting.pop():
            case Name(name):
                found.add(name)
            case Comparison(_, left, right):
                found |= names_of(left) | names_of(right)
            case Connected(_, formulas):
                waiting += formulas
    return frozenset(found)
