r"""Equations in letters that follow from one that was stated before.

Covered: the same equation in another form: terms moved, brackets expanded, denominators cleared, both sides scaled
(`2x + 3 = 7`, then `2x = 4`), by the normal form of the difference of the sides, up to a factor. It holds as an
equation of what is defined. And where an arrow joins two equations in one letter (`2x + 3 = 7 \implies x = 3`) of which
the first has one solution: whether that solves the second.
Not covered: what needs two premises, roots taken, cases. An equation that follows from nothing known makes no claim:
it may be given, or come from words.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import islice

from steplabel.schemas import Reason, Verdict
from steplabel.verifiers.expressions.ast import Apply, Name, Number, Relation, Term, is_atom, names_of, parts
from steplabel.verifiers.expressions.decision import decide
from steplabel.verifiers.expressions.enclosure import enclose
from steplabel.verifiers.expressions.limits import OutOfReachError
from steplabel.verifiers.expressions.normal import Normaliser
from steplabel.verifiers.expressions.polynomials import Polynomial, key_of
from steplabel.verifiers.expressions.printing import printed_whole
from steplabel.verifiers.expressions.reading import Chain
from steplabel.verifiers.expressions.rounding import about, may_be_rounded
from steplabel.verifiers.port import Finding
from steplabel.verifiers.text.systems import PLAIN, System

_MAX_KNOWN = 200
_MAX_PARTS = 120
_PRECISION = 128


@dataclass(frozen=True, slots=True)
class Equation:
    """Two terms that are said to be equal, with letters."""

    left: Term
    right: Term
    measured: bool = False
    """Whether units stood in it, which the terms leave out."""

    def __str__(self) -> str:
        return f"{printed_whole(self.left)} = {printed_whole(self.right)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Derivation:
    """The claim that one equation follows from another.

    Attributes:
        joined: whether an arrow says so; otherwise it is we who found the premise.
        system: of which number systems the words before speak.
    """

    premise: Equation
    conclusion: Equation
    joined: bool = False
    system: System = PLAIN


class KnownEquations:
    """Equations of a problem and of the steps so far, by their normal form."""

    def __init__(self) -> None:
        self._by_key: dict[str, Equation] = {}
        self._stated: set[frozenset[Term]] = set()

    def add(self, chain: Chain) -> None:
        """Remember the equations of a chain, if there is still room."""
        for equation in islice(equations_of(chain), max(0, _MAX_KNOWN - len(self._stated))):
            sides = frozenset((equation.left, equation.right))
            if sides not in self._stated:
                self._stated.add(sides)
                if key := _key(equation):
                    self._by_key.setdefault(key, equation)

    def premise_of(self, equation: Equation) -> Equation | None:
        """An earlier equation that says the same in another form, None if there is none."""
        if frozenset((equation.left, equation.right)) in self._stated or len(self._stated) >= _MAX_KNOWN:
            return None
        key = _key(equation)
        return self._by_key.get(key) if key else None


def equations_of(chain: Chain) -> Iterator[Equation]:
    """The links of a chain that are equations in letters, if the chain has a single reading."""
    if len(chain.readings) != 1:
        return
    sides = chain.readings[0]
    for index, relation in enumerate(chain.relations):
        left, right = sides[index].term, sides[index + 1].term
        if left is None or right is None or relation is not Relation.EQUAL or chain.congruent[index]:
            continue
        if names_of(left) | names_of(right):
            yield Equation(left, right, bool(sides[index].units or sides[index + 1].units))


def derive(claim: Derivation) -> Finding:
    """Decide a derivation. Never raises."""
    evidence = f"{claim.premise}; {claim.conclusion}"
    keys = _key(claim.premise), _key(claim.conclusion)
    if keys[0] and keys[0] == keys[1]:
        return Finding(verdict=Verdict.HOLDS, reason="the same equation in another form", evidence=evidence)
    try:
        return _by_solution(claim, evidence)
    except OutOfReachError as error:
        return Finding(verdict=Verdict.UNKNOWN, reason=error.reason, evidence=evidence)


def is_solvable(premise: Equation, conclusion: Equation) -> bool:
    """Whether both are in the same single letter, and the premise is more than the letter's value."""
    letters = names_of(premise.left) | names_of(premise.right)
    return (
        len(letters) == 1
        and letters == names_of(conclusion.left) | names_of(conclusion.right)
        and not (is_atom(premise.left) and is_atom(premise.right))
    )


def is_identity(equation: Equation) -> bool:
    """Whether both sides are the same for all letters, as far as that can be shown."""
    return decide(Relation.EQUAL, equation.left, equation.right).verdict is Verdict.HOLDS


def _by_solution(claim: Derivation, evidence: str) -> Finding:
    (letter,) = names_of(claim.premise.left) | names_of(claim.premise.right)
    solution = _linear_solution(Normaliser().difference(claim.premise.left, claim.premise.right), letter)
    if solution is None:
        return Finding(verdict=Verdict.UNKNOWN, reason=f"{Reason.UNSUPPORTED}: not linear", evidence=evidence)
    values = {letter: solution}
    sides = (claim.premise.left, claim.premise.right, claim.conclusion.left, claim.conclusion.right)
    given, equal, one, other = (enclose(side, _PRECISION, values) for side in sides)
    evidence = f"{evidence}; {letter} = {solution}"
    apart = one.high < other.low or other.high < one.low
    if given != equal or not given.is_point() or not (apart or (one == other and one.is_point())):
        return Finding(verdict=Verdict.UNKNOWN, reason=Reason.UNDECIDED, evidence=evidence)
    doubt = _doubt(claim, letter, solution) if apart else ""
    if doubt:
        return Finding(verdict=Verdict.UNKNOWN, reason=f"{Reason.UNDECIDED}: {doubt}", evidence=evidence)
    return Finding(
        verdict=Verdict.FAILS if apart else Verdict.HOLDS, reason="solution of the premise", evidence=evidence
    )


def _doubt(claim: Derivation, letter: str, solution: Fraction) -> str:
    """Why a conclusion that the solution does not solve may still not be wrong; empty if nothing says so."""
    if claim.system:
        return "another arithmetic may be meant"
    if claim.premise.measured or claim.conclusion.measured:
        return "units"
    left, right = (_put(side, letter, Number(solution)) for side in (claim.conclusion.left, claim.conclusion.right))
    if may_be_rounded(left, right) or about(left, right).verdict is not Verdict.FAILS:
        return "may be rounded"
    number = claim.conclusion.right
    if solution.denominator > 1 and isinstance(number, Number) and number.value.denominator == 1:
        return "may be rounded to an integer" if abs(number.value - solution) < 1 else ""
    return ""


def _put(term: Term, letter: str, value: Number) -> Term:
    """A term with a value for a letter. Depth is bounded where terms are read."""
    if isinstance(term, Apply):
        return Apply(term.operator, tuple(_put(part, letter, value) for part in term.terms))
    return value if term == Name(letter) else term


def _linear_solution(difference: Polynomial, letter: str) -> Fraction | None:
    slope = difference.get(((letter, Fraction(1)),))
    if slope is None or len(difference) > 2 or (len(difference) == 2 and () not in difference):
        return None
    return -difference.get((), Fraction(0)) / slope


def _key(equation: Equation) -> str:
    """Equal for equations whose sides differ by the same polynomial, up to a factor; empty if there is none."""
    size = sum(1 for side in (equation.left, equation.right) for _ in islice(parts(side), _MAX_PARTS))
    if size >= _MAX_PARTS:
        return ""
    try:
        difference = Normaliser().difference(equation.left, equation.right)
    except OutOfReachError:
        return ""
    if not difference:
        return ""
    leading = difference[max(difference)]
    return key_of({monomial: coefficient / leading for monomial, coefficient in difference.items()})
