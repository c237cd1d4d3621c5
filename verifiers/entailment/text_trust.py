"""Whether the formulas of a text surely speak of the same things: only then may one that contradicts the others fail.

Letters are used again for other things without a word. A claim and its context are trusted only where

- each of their letters is declared once in words ("let x be", "x represents");
- none is a supposition ("if", "would", "suppose"), printed with decimals, or measured in units ("x = 50 cents");
- no text up to there speaks of rounding, remainders, digits or percentages, or puts its parts under labels ("Part a:");
- each letter has one value and one definition at most: "x = 2, x = -2" are two roots, "V = 2*3*4, V = 3^3" two boxes;
- no step has denied or asked something about one of their letters: what was said before may be taken back;
- nothing looks like the next case, factor, exercise, or a value that changes (see `_CHANGES`).

Not covered: letters that change their meaning in words alone. All this errs on the side of distrust.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import combinations

from steplabel.verifiers.entailment.text_formulas import MAX_TEXT, TextFormula
from steplabel.verifiers.expressions.ast import Comparison, Name, Number, Relation, Term, names_of, parts
from steplabel.verifiers.expressions.exact import value_of
from steplabel.verifiers.expressions.limits import OutOfReachError

_NAME = r"[^A-Za-z0-9]{0,3}([A-Za-z])(?![A-Za-z])"
_DECLARATIONS = (
    re.compile(rf"\b[Ll]et{_NAME}"),
    re.compile(rf"\b(?:call|calls|called|denote|denoted|as|variable|letter|by){_NAME}"),
    re.compile(
        r"(?<![A-Za-z])([A-Za-z])[^A-Za-z0-9]{1,3}(?:be|being|represents?|denotes?|stands?|is|was)\b"
        r"[ \t]+(?:the|a|an|his|her|their|how)\b"
    ),
)
_UNLIKE_EQUALITY = re.compile(
    r"%|\b(?:round(?:s|ed|ing)?|nearest|ceiling|floor|mod|modulo|modulus|modular|remainders?|digits?|percent\w{0,4})\b",
    re.IGNORECASE,
)
"""Words of texts whose equals signs may not mean equality of real numbers."""
_MARK = r"(?:\d{1,3}|[A-Z]|[a-h]|[ivx]{2,4})"
_LABEL = re.compile(
    rf"\b(?!(?:[Ss]tep|[Ee]quation|[Ff]or)\b)[A-Za-z]{{1,20}}[ \t]{_MARK}[)*]{{0,3}}:(?!\S)"
    rf"|\b(?:[Pp]art|[Cc]ase)[ \t]\(?{_MARK}\b"
    r"|^[ \t]{0,8}\(?[a-h]\)",
    re.MULTILINE,
)
"""What sets parts of a text apart. "Step 1:" and "Equation 2:" do not."""

_DIRECTIONS = {Relation.LESS: -1, Relation.AT_MOST: -1, Relation.GREATER: 1, Relation.AT_LEAST: 1}


@dataclass(frozen=True, slots=True, kw_only=True)
class Weighed:
    """A formula, and what trust asks of it, worked out once: each pair of a text's formulas is looked at often.

    Attributes:
        doubtful: a supposition, a measure, or rounded.
        definition: the letter and the term of `x = term`; None of any other form.
        given: the letter and the value of `x = term` without letters.
        direction: 1 if the letters' side is said to be greater, -1 if less, 0 if neither is said.
        zero: one side is the number 0 and the other is said to be equal to it.
    """

    formula: TextFormula
    doubtful: bool
    definition: tuple[str, Term] | None
    given: tuple[str, Fraction | Term] | None
    direction: int
    zero: bool

    @property
    def names(self) -> frozenset[str]:
        """The formula's letters."""
        return self.formula.names


def weighed(formula: TextFormula) -> Weighed:
    """Look at one formula."""
    comparison = formula.comparison
    return Weighed(
        formula=formula,
        doubtful=formula.supposed or formula.measured or _may_be_rounded(comparison),
        definition=definition(comparison),
        given=given(comparison),
        direction=_direction(comparison),
        zero=_is_zero(comparison),
    )


def is_trusted(claim: Weighed, context: Sequence[Weighed], declared: Counter[str]) -> bool:
    """Whether a claim that contradicts its context would be an error, as far as formulas tell."""
    formulas = [*context, claim]
    if any(one.doubtful or any(declared[name] != 1 for name in one.names) for one in formulas):
        return False
    if _is_update(claim) or _comes_after_the_value(claim, context):
        return False
    return not any(change(*pair) for pair in combinations(formulas, 2) for change in _CHANGES)


def has_doubtful_words(text: str) -> bool:
    """Whether a text speaks of rounding and the like, or puts its parts under labels."""
    return any(pattern.search(text[:MAX_TEXT]) for pattern in (_UNLIKE_EQUALITY, _LABEL))


def declarations(texts: Iterable[str]) -> Counter[str]:
    """How often each letter is declared in words."""
    found: Counter[str] = Counter()
    for text in texts:
        places = {match.span(1): match[1] for pattern in _DECLARATIONS for match in pattern.finditer(text[:MAX_TEXT])}
        found.update(places.values())
    return found


def definition(comparison: Comparison) -> tuple[str, Term] | None:
    """The letter and the term of `x = term`, either way round."""
    if comparison.relation is Relation.EQUAL:
        for name, term in ((comparison.left, comparison.right), (comparison.right, comparison.left)):
            if isinstance(name, Name):
                return name.name, term
    return None


def given(comparison: Comparison) -> tuple[str, Fraction | Term] | None:
    """The letter and the value of `x = term` where the term has no letters; the term itself if it has no rational."""
    defined = definition(comparison)
    if defined is None or names_of(defined[1]):
        return None
    try:
        return defined[0], value_of(defined[1])
    except OutOfReachError:
        return defined


def _may_be_rounded(comparison: Comparison) -> bool:
    sides = comparison.left, comparison.right
    return any(isinstance(part, Number) and part.decimals for side in sides for part in parts(side))


def _direction(comparison: Comparison) -> int:
    direction = _DIRECTIONS.get(comparison.relation, 0)
    return direction if names_of(comparison.left) else -direction


def _is_zero(comparison: Comparison) -> bool:
    sides = comparison.left, comparison.right
    return comparison.relation is Relation.EQUAL and any(isinstance(side, Number) and side.value == 0 for side in sides)


def _is_update(claim: Weighed) -> bool:
    """`x = x + 2`, as programs write it."""
    return claim.definition is not None and claim.definition[0] in names_of(claim.definition[1])


def _comes_after_the_value(claim: Weighed, context: Sequence[Weighed]) -> bool:
    """`x/3 = 4` after `x = 10`: as well the next exercise as an error."""
    if claim.given is not None or len(claim.names) != 1:
        return False
    return any(one.given is not None and one.given[0] in claim.names for one in context)


def _two_values(one: Weighed, other: Weighed) -> bool:
    first, second = one.given, other.given
    return first is not None and second is not None and first[0] == second[0] and first[1] != second[1]


def _two_definitions(one: Weighed, other: Weighed) -> bool:
    """`y = 2x` and `y = 2x + 1`: two lines."""
    first, second = one.definition, other.definition
    if first is None or second is None or first[0] != second[0] or first[1] == second[1]:
        return False
    return names_of(first[1]) == names_of(second[1]) != frozenset()


def _opposite_orders(one: Weighed, other: Weighed) -> bool:
    """`x > 5` and `x < 1`: a union."""
    return one.direction * other.direction < 0 and len(one.names) == 1 and one.names == other.names


def _two_factors(one: Weighed, other: Weighed) -> bool:
    """`x - 4 = 0` and `x + 2 = 0`: factors of one product."""
    if not (one.zero and other.zero) or len(one.names) != 1 or one.names != other.names:
        return False
    return one.formula.comparison != other.formula.comparison


_CHANGES: tuple[Callable[[Weighed, Weighed], bool], ...] = (
    _two_values,
    _two_definitions,
    _opposite_orders,
    _two_factors,
)
"""Pairs of formulas after which a letter may stand for something else."""
