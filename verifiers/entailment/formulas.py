"""What a formula speaks of, and how it is shown to people."""

from __future__ import annotations

from steplabel.verifiers.expressions.ast import Comparison, Connected, Formula, Name, names_of
from steplabel.verifiers.expressions.printing import printed_whole

_MAX_SHOWN = 400  # characters of one formula


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


def printed_formula(formula: Formula) -> str:
    """A formula as text; one that is long is cut short and ends with "...".

    Recursive: the depth must have been checked.
    """
    text = _printed(formula)
    return text if len(text) <= _MAX_SHOWN else f"{text[:_MAX_SHOWN]}..."


def _printed(formula: Formula) -> str:
    match formula:
        case bool():
            return str(formula).lower()
        case Name(name):
            return name
        case Comparison(relation, left, right):
            return f"{printed_whole(left)} {relation} {printed_whole(right)}"
        case Connected(connective, formulas):
            shown = [f"({_printed(one)})" if isinstance(one, Connected) else _printed(one) for one in formulas]
            return f" {connective} ".join(shown) if len(shown) > 1 else f"{connective} ({', '.join(shown)})"
