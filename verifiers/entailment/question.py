"""The question put to the solver: do these assumptions entail this claim?

Covered: linear and polynomial arithmetic over integers and reals, integer division and remainder, roots, absolute
value, minimum and maximum, propositions and connectives. Not covered: quantifiers, functions of one's own, exponents
that are not numbers. Everything is bounded here, before any solver sees it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from steplabel.verifiers.expressions.ast import (
    ARITY,
    MANY,
    Apply,
    Comparison,
    Connected,
    Connective,
    Formula,
    Name,
    Number,
    Operator,
    Term,
)

MAX_NAMES = 64
MAX_NAME_CHARS = 64
MAX_ASSUMPTIONS = 128
MAX_NODES = 2_000
"""Of a whole question: terms and formulas together."""
MAX_DEPTH = 60
MAX_POWERS = 512
"""Of a formula: the sum over its names and numbers, exponents too, of the powers that they stand in, where above 1. Z3
multiplies powers of powers out, which no budget of its own stops."""
MAX_BITS = 512
"""Of a number's numerator and denominator."""


class QuestionError(ValueError):
    """A question that has no meaning, or is out of bounds; the text says which and where."""


class Sort(StrEnum):
    """What a name stands for."""

    INTEGER = "Int"
    REAL = "Real"
    BOOLEAN = "Bool"


class Inference(StrEnum):
    """What a step is meant to do; it decides what a claim that does not follow means."""

    DERIVATION = "derivation"
    """It was stated to follow from what came before: if it does not, it fails."""
    MODELLING = "modelling"
    """It brings something new in, such as a name for a quantity: nothing before it can entail it."""
    UNMARKED = "unmarked"
    """Nobody said: a claim that does not follow may rest on something that was not read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Declared:
    """A name and its sort."""

    name: str
    sort: Sort = Sort.REAL


@dataclass(frozen=True, slots=True, kw_only=True)
class Assumption:
    """A formula that is taken for granted, and what it is called where it is told what was used."""

    label: str
    formula: Formula


@dataclass(frozen=True, slots=True, kw_only=True)
class Entailment:
    """One question.

    Attributes:
        assumptions: facts of the problem and earlier claims. Earlier claims are assumed even if they are wrong: each
            step is judged by what it was built on (FoVer's convention, arXiv:2505.15960).
        claim: what is said to follow.
    """

    declarations: tuple[Declared, ...]
    assumptions: tuple[Assumption, ...]
    claim: Formula
    inference: Inference = Inference.UNMARKED


def check_question(question: Entailment) -> None:
    """Check bounds, then sorts.

    Raises:
        QuestionError: too much of anything; a name declared twice or not at all; a proposition among numbers, or a
            number where a formula is wanted; an operator with too few or too many terms.
    """
    _check_counts(question)
    sorts = {declared.name: declared.sort for declared in question.declarations}
    if len(sorts) < len(question.declarations):
        raise QuestionError("a name is declared twice")
    left = MAX_NODES
    for label, formula in labelled_formulas(question):
        left -= _check_formula(formula, sorts, label, left)


def labelled_formulas(question: Entailment) -> Iterator[tuple[str, Formula]]:
    """All formulas of a question with the words that errors call them by."""
    yield from ((f"assumption {assumption.label}", assumption.formula) for assumption in question.assumptions)
    yield "the claim", question.claim


def _check_counts(question: Entailment) -> None:
    if len(question.declarations) > MAX_NAMES:
        raise QuestionError(f"{len(question.declarations)} names; at most {MAX_NAMES} can be declared")
    if len(question.assumptions) > MAX_ASSUMPTIONS:
        raise QuestionError(f"{len(question.assumptions)} assumptions; at most {MAX_ASSUMPTIONS} can be made")
    if len({assumption.label for assumption in question.assumptions}) < len(question.assumptions):
        raise QuestionError("two assumptions have the same label")
    if any(not 0 < len(declared.name) <= MAX_NAME_CHARS for declared in question.declarations):
        raise QuestionError(f"a name must have 1 to {MAX_NAME_CHARS} characters")


def _check_formula(formula: Formula, sorts: dict[str, Sort], label: str, most: int) -> int:
    """Walk without recursion, since the depth is what is being checked. Gives the number of nodes."""
    waiting: list[tuple[Formula | Term, bool, int, int]] = [(formula, True, 1, 1)]
    nodes = powers = 0
    while waiting:
        node, is_formula, depth, raised = waiting.pop()
        nodes += 1
        if nodes > most or depth > MAX_DEPTH:
            raise QuestionError(f"{label} is too large: at most {MAX_NODES} nodes in all, {MAX_DEPTH} deep")
        below = _parts_of_formula(node, sorts, label) if is_formula else _parts_of_term(node, sorts, label)
        powers += raised if raised > 1 and not below else 0
        if powers > MAX_POWERS:
            raise QuestionError(f"{label} has too high powers: at most {MAX_POWERS} over its names and numbers")
        raised *= _exponent(node)
        waiting += [(part, says, depth + 1, raised) for part, says in below]
    return nodes


def _exponent(node: Formula | Term) -> int:
    """What a power multiplies the degree of its base by, at least."""
    if isinstance(node, Apply) and node.operator is Operator.POWER and isinstance(node.terms[1], Number):
        return max(1, abs(node.terms[1].value.numerator))
    return 1


def _parts_of_formula(node: Formula | Term, sorts: dict[str, Sort], label: str) -> list[tuple[Formula | Term, bool]]:
    match node:
        case bool():
            return []
        case Name(name):
            _check_name(name, sorts, label, boolean=True)
            return []
        case Comparison(_, left, right):
            return [(left, False), (right, False)]
        case Connected(connective, formulas):
            _check_connected(connective, len(formulas), label)
            return [(part, True) for part in formulas]
    raise QuestionError(f"{label} has a {type(node).__name__} where a formula is wanted")


def _parts_of_term(node: Formula | Term, sorts: dict[str, Sort], label: str) -> list[tuple[Formula | Term, bool]]:
    match node:
        case Number(value):
            if max(value.numerator.bit_length(), value.denominator.bit_length()) > MAX_BITS:
                raise QuestionError(f"{label} has a number of more than {MAX_BITS} bits")
            return []
        case Name(name):
            _check_name(name, sorts, label, boolean=False)
            return []
        case Apply(operator, terms):
            wanted = ARITY[operator]
            if len(terms) < 2 if wanted == MANY else len(terms) != wanted:
                raise QuestionError(f"{label} gives {operator} {len(terms)} terms")
            return [(term, False) for term in terms]
        case bool() | Comparison() | Connected():
            raise QuestionError(f"{label} has a formula among numbers")
    return []  # a constant


def _check_name(name: str, sorts: dict[str, Sort], label: str, *, boolean: bool) -> None:
    if name not in sorts:
        raise QuestionError(f"{label} names {name!r}, which is not declared")
    if (sorts[name] is Sort.BOOLEAN) is not boolean:
        wanted = "a proposition" if boolean else "a number"
        raise QuestionError(f"{label} has {name!r} of sort {sorts[name]} where {wanted} is wanted")


_FORMULAS = {Connective.NOT: (1, 1), Connective.IMPLIES: (2, 2), Connective.IF_AND_ONLY_IF: (2, 2)}
_ANY_FORMULAS = (0, MAX_NODES)  # an empty conjunction is true, an empty disjunction false


def _check_connected(connective: Connective, count: int, label: str) -> None:
    fewest, most = _FORMULAS.get(connective, _ANY_FORMULAS)
    if not fewest <= count <= most:
        raise QuestionError(f"{label} gives {connective} {count} formulas")
