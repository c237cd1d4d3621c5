r"""Mathematics read from LaTeX or plain text into terms, within bounds. What is not surely read is not read at all.

Covered: numbers, decimals, letters with subscripts and primes, runs of capitals (a segment AB is one name), Greek
letters, + - * / ^, \cdot \times \div, \frac, \sqrt[n], implicit products (2x, 3(4), (x+1)(x-2), 2\sqrt3), |x|, n!,
\binom, floors and ceilings, \gcd \max \min, sin cos tan log ln of a term, \pi, percent, degrees, money, `\bmod`, and
units in `\text{}` behind a number. Chains of relations, `a \equiv b \pmod{n}` among them.
Not covered (unreadable): \pm, sums, integrals, matrices, sets, tuples, functions of other names (f(x)), dots, other
bases, numbers that only stand beside each other, words, and whatever passes the bounds of `tokens` and `descent`.

What can be read in two ways (`1/2x`, `2\frac{1}{2}`, `25\%`, `0.8(3)`, `[3.7]`, the letter i) gives all readings.
`a = b \mod n` is read as a congruence, and the chain says so: a or b may be meant as the remainder.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations

from steplabel.verifiers.expressions.ast import Number, Relation, Term
from steplabel.verifiers.expressions.cursor import Choice, UnreadableError
from steplabel.verifiers.expressions.descent import Descent
from steplabel.verifiers.expressions.tokens import Kind, Token, tokens_of

_MAX_CHOICES = 3  # readings double with each
_RELATIONS = {
    "=": Relation.EQUAL,
    "<": Relation.LESS,
    "lt": Relation.LESS,
    ">": Relation.GREATER,
    "gt": Relation.GREATER,
    "le": Relation.AT_MOST,
    "leq": Relation.AT_MOST,
    "leqslant": Relation.AT_MOST,
    "ge": Relation.AT_LEAST,
    "geq": Relation.AT_LEAST,
    "geqslant": Relation.AT_LEAST,
    "ne": Relation.NOT_EQUAL,
    "neq": Relation.NOT_EQUAL,
    "approx": Relation.ABOUT,
    "thickapprox": Relation.ABOUT,
    "equiv": Relation.EQUAL,
}
_MODULI = frozenset({"pmod", "bmod", "mod"})
_OPEN, _CLOSED = frozenset("([{"), frozenset(")]}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """One side of a relation under one reading.

    Attributes:
        term: None if this side could not be read.
        units: words and signs that stood behind its numbers, which the term leaves out.
        unlikely: whether something was read as it is seldom meant, see `cursor.py`.
        bare_percent: whether a percent sign is one of the units, and no division by a hundred.
    """

    term: Term | None
    units: frozenset[str] = frozenset()
    unlikely: bool = False
    bare_percent: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Chain:
    r"""`a = b < c` as it was read.

    Attributes:
        relations: one fewer than there are sides.
        congruent: for each relation, whether it was printed `\equiv`; it is then EQUAL modulo `modulus`.
        readings: each has a Side for every side of the chain; the likeliest reading first.
        modulus: of the congruences, None if there is none.
        remainder: whether the last of them was printed `a = b \mod n`, of which one side should be the remainder.
    """

    relations: tuple[Relation, ...]
    congruent: tuple[bool, ...]
    readings: tuple[tuple[Side, ...], ...]
    modulus: Term | None = None
    remainder: bool = False


def read_term(text: str) -> Term | None:
    """Read one expression that has a single reading; None if it has none, or several."""
    readings = read_terms(text)
    return readings[0] if len(readings) == 1 else None


def read_terms(text: str) -> tuple[Term, ...]:
    """All readings of one expression, the likeliest first; units are left out; empty if unreadable."""
    chain = read_chain(text)
    if chain is None or chain.relations:
        return ()
    return tuple(dict.fromkeys(sides[0].term for sides in chain.readings if sides[0].term is not None))


def read_chain(text: str) -> Chain | None:
    """Read an expression or a chain of relations; None if no side of it can be read. Never raises.

    A side that cannot be read is a Side without a term: what stands beyond it can still be compared.
    """
    tokens = tokens_of(text)
    cuts = None if tokens is None else _relations_in(tokens)
    if tokens is None or cuts is None:
        return None
    sides = [(*part, _end_of(part)) for part in _parts(tokens[:-1], cuts)]
    congruent = tuple(tokens[cut].text == "equiv" for cut in cuts)
    modulus: Term | None = None
    remainder = False
    if any(congruent):
        sides[-1], modulus = _without_modulus(sides[-1])
        if modulus is None:
            return None
    elif (found := _plain_congruence(sides, tokens, cuts)) is not None:
        sides[-1], modulus = found
        congruent, remainder = (*congruent[:-1], True), True
    readings = _readings(sides)
    if not readings:
        return None
    return Chain(
        relations=tuple(_RELATIONS[tokens[cut].text] for cut in cuts),
        congruent=congruent,
        readings=readings,
        modulus=modulus,
        remainder=remainder,
    )


def _relations_in(tokens: Sequence[Token]) -> list[int] | None:
    """Where relations stand outside all brackets; None if brackets do not match."""
    depth, found = 0, []
    for index, token in enumerate(tokens):
        if token.kind is Kind.SIGN:
            depth += (token.text in _OPEN) - (token.text in _CLOSED)
        if depth < 0:
            return None
        if depth == 0 and token.kind in (Kind.SIGN, Kind.COMMAND) and token.text in _RELATIONS:
            found.append(index)
    return None if depth else found


def _parts(tokens: Sequence[Token], cuts: Sequence[int]) -> Iterator[tuple[Token, ...]]:
    start = 0
    for cut in (*cuts, len(tokens)):
        yield tuple(tokens[start:cut])
        start = cut + 1


def _end_of(part: Sequence[Token]) -> Token:
    end = part[-1].end if part else 0
    return Token(Kind.END, "", False, end, end)


def _plain_congruence(
    sides: Sequence[tuple[Token, ...]], tokens: Sequence[Token], cuts: Sequence[int]
) -> tuple[tuple[Token, ...], Term] | None:
    r"""`7^2 = 9 \mod 10`: the last link of a chain, at whose end alone a modulus is printed, without the modulus."""
    if not cuts or tokens[cuts[-1]].text != "=" or any(_holds_modulus(side) for side in sides[:-1]):
        return None
    kept, modulus = _without_modulus(sides[-1])
    balanced = sum((t.text in _OPEN) - (t.text in _CLOSED) for t in kept if t.kind is Kind.SIGN) == 0
    return (kept, modulus) if balanced and isinstance(modulus, Number) else None


def _holds_modulus(side: Sequence[Token]) -> bool:
    return any(token.kind is Kind.COMMAND and token.text in _MODULI for token in side)


def _without_modulus(side: tuple[Token, ...]) -> tuple[tuple[Token, ...], Term | None]:
    r"""Take `\pmod{n}` or `(\bmod n)` off the end of a congruence."""
    for index, token in enumerate(side):
        if token.kind is Kind.COMMAND and token.text in _MODULI:
            bracketed = index > 0 and side[index - 1].text == "("
            kept = side[: index - bracketed]
            behind = side[index + 1 : -2 if bracketed else -1]
            modulus = _read((*behind, _end_of(behind)), frozenset())[0].term
            return (*kept, _end_of(kept)), modulus
    return side, None


def _readings(sides: Sequence[tuple[Token, ...]]) -> tuple[tuple[Side, ...], ...]:
    first, choices = _read_all(sides, frozenset())
    if len(choices) > _MAX_CHOICES:
        return ()
    others = (_read_all(sides, chosen)[0] for chosen in _subsets(choices))
    found = dict.fromkeys((first, *others))
    return tuple(reading for reading in found if any(side.term is not None for side in reading))


def _subsets(choices: frozenset[Choice]) -> Iterator[frozenset[Choice]]:
    ordered = sorted(choices, key=lambda choice: choice.value)
    for size in range(1, len(ordered) + 1):
        yield from map(frozenset, combinations(ordered, size))


def _read_all(
    sides: Sequence[tuple[Token, ...]], chosen: frozenset[Choice]
) -> tuple[tuple[Side, ...], frozenset[Choice]]:
    read = [_read(side, chosen) for side in sides]
    return tuple(side for side, _ in read), frozenset[Choice]().union(*(choices for _, choices in read))


def _read(tokens: Sequence[Token], chosen: frozenset[Choice]) -> tuple[Side, set[Choice]]:
    descent = Descent(tokens, chosen)
    try:
        term = descent.whole()
    except UnreadableError:
        return Side(term=None), descent.choices
    side = Side(
        term=term,
        units=frozenset(descent.units),
        unlikely=descent.unlikely,
        bare_percent=descent.bare_percent,
    )
    return side, descent.choices
