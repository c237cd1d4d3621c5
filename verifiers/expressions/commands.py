r"""Commands that take terms: `\frac`, `\sqrt`, `\binom`, floors, functions of one or many terms.

Not covered: sums, integrals, inverse functions, which nobody here reads. Every way out but success is
`UnreadableError`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from fractions import Fraction

from steplabel.verifiers.expressions.ast import (
    Apply,
    Constant,
    Name,
    Number,
    Operator,
    Term,
    joined,
    names_of,
    negated,
    parts,
)
from steplabel.verifiers.expressions.cursor import Choice, UnreadableError
from steplabel.verifiers.expressions.leaves import Leaves
from steplabel.verifiers.expressions.tokens import Kind, Token
from steplabel.verifiers.expressions.vocabulary import (
    BINOMIALS,
    FIGURES,
    FRACTIONS,
    FUNCTIONS,
    GREEK,
    OF_MANY,
    TRIGONOMETRY,
)

MAX_DEPTH = 30
_ONE, _TWO, _TEN = (Number(Fraction(n)) for n in (1, 2, 10))


class Commands(Leaves, ABC):
    """Reads commands and brackets; what stands inside them is read by the grammar that a subclass gives."""

    @abstractmethod
    def _sum(self, depth: int) -> Term:
        """Terms joined by + and -."""

    @abstractmethod
    def _atom(self, depth: int) -> Term:
        """A number, a name, a bracket or a command."""

    @abstractmethod
    def _raised(self, depth: int) -> Term:
        """An atom, its power, and what stands behind it."""

    @abstractmethod
    def _exponent(self, depth: int) -> Term | None:
        """What stands behind ^; None for the degree sign."""

    @abstractmethod
    def _opens(self) -> bool:
        """Whether a factor begins here that needs no sign before it."""

    def _commanded(self, command: str, depth: int) -> Term:
        if command in GREEK:
            return self._name(command)
        reader = _READERS.get(command)
        if reader is None:
            raise UnreadableError
        return reader(self, command, depth)

    def _bracketed(self, sign: str, depth: int) -> Term:
        if sign == "|":
            return self._absolute(depth)
        closing = {"(": ")", "[": "]", "{": "}"}.get(sign)
        if closing is None:
            raise UnreadableError
        bars, self._bars = self._bars, 0
        term = self._sum(depth + 1)
        if sign == "{" and self._took("choose"):
            term = Apply(Operator.BINOMIAL, (term, self._sum(depth + 1)))
        self._expect(closing)
        self._bars = bars
        if sign == "[" and _is_no_integer(term) and self._choose(Choice.GREATEST_INTEGER):
            self.unlikely = True
            return Apply(Operator.FLOOR_DIVIDE, (term, _ONE))
        return term

    def _absolute(self, depth: int) -> Term:
        self._bars += 1
        term = self._sum(depth + 1)
        self._expect("|")
        self._bars -= 1
        return Apply(Operator.ABSOLUTE, (term,))

    def _argument(self, depth: int) -> Term:
        r"""A braced term, or one sign as LaTeX takes it: \frac12 is a half."""
        if self._took("{"):
            return self._bracketed("{", depth)
        token = self._next
        if token.kind is Kind.NUMBER and len(token.text) > 1:
            if not token.text.isdigit():
                raise UnreadableError
            self._tokens[self._at] = Token(Kind.NUMBER, token.text[1:], False, token.start + 1, token.end)
            return Number(Fraction(int(token.text[0])))
        if token.kind in (Kind.NUMBER, Kind.LETTERS) or self._is("pi", *GREEK):
            return self._atom(depth + 1)
        raise UnreadableError

    def _fraction(self, _: str, depth: int) -> Term:
        top = self._argument(depth)
        return Apply(Operator.DIVIDE, (top, self._argument(depth)))

    def _binomial(self, _: str, depth: int) -> Term:
        top = self._argument(depth)
        return Apply(Operator.BINOMIAL, (top, self._argument(depth)))

    def _root(self, _: str, depth: int) -> Term:
        degree: Term = _TWO
        if self._took("["):
            degree = self._bracketed("[", depth)
        if self._is("("):
            return Apply(Operator.ROOT, (self._atom(depth), degree))
        if self._next.kind is Kind.NUMBER and len(self._next.text) > 1:
            raise UnreadableError  # \sqrt12: of 12, or of 1
        return Apply(Operator.ROOT, (self._argument(depth), degree))

    def _pi(self, _: str, __: int) -> Term:
        beside = self._at > 1 and self._tokens[self._at - 2].kind is Kind.NUMBER
        if self._is("(") and not beside and self._choose(Choice.COUNTING):
            raise UnreadableError
        return Constant.PI

    def _boxed(self, _: str, depth: int) -> Term:
        self._expect("{")
        return self._bracketed("{", depth)

    def _money(self, _: str, depth: int) -> Term:
        self.units.add("$")
        if self._next.kind is not Kind.NUMBER:
            raise UnreadableError
        return self._atom(depth)

    def _rounded(self, command: str, depth: int) -> Term:
        term = self._sum(depth + 1)
        self._expect("rfloor" if command == "lfloor" else "rceil")
        if command == "lfloor":
            return Apply(Operator.FLOOR_DIVIDE, (term, _ONE))
        return negated(Apply(Operator.FLOOR_DIVIDE, (negated(term), _ONE)))

    def _of_many(self, command: str, depth: int) -> Term:
        self._expect("(")
        bars, self._bars = self._bars, 0
        terms = [self._sum(depth + 1)]
        while self._took(","):
            terms.append(self._sum(depth + 1))
        self._expect(")")
        self._bars = bars
        if len(terms) < 2:
            raise UnreadableError
        return Apply(OF_MANY[command], tuple(terms))

    def _trigonometric(self, command: str, depth: int) -> Term:
        exponent = self._exponent(depth) if self._is("^") or self._next.text[:1] == "^" else _ONE
        if exponent is None or not (isinstance(exponent, Number) and exponent.value > 0):
            raise UnreadableError  # sin^{-1} is the inverse
        self._angles += 1
        term = Apply(TRIGONOMETRY[command], (self._operand(depth),))
        self._angles -= 1
        return term if exponent == _ONE else Apply(Operator.POWER, (term, exponent))

    def _logarithm(self, command: str, depth: int) -> Term:
        base: Term = Name("e") if command == "ln" else _TEN
        if command == "log" and self._took("_"):
            base = self._argument(depth)
        return Apply(Operator.LOGARITHM, (self._operand(depth), base))

    def _operand(self, depth: int) -> Term:
        """What a function is taken of: a bracket, or all that stands beside it up to the next function."""
        if depth > MAX_DEPTH:
            raise UnreadableError
        if self._is("(", "["):
            return self._atom(depth + 1)
        factors = [self._raised(depth + 1)]
        while self._opens() and not self._is(*FUNCTIONS, "("):
            factors.append(self._raised(depth + 1))
        return joined(Operator.MULTIPLY, factors)


def _is_no_integer(term: Term) -> bool:
    """Whether a number is printed that need not be whole, as `[3.7]` and `[50/3]`."""
    inner = tuple(parts(term))
    return not names_of(term) and any(
        part.operator is Operator.DIVIDE if isinstance(part, Apply) else isinstance(part, Number) and part.decimals
        for part in inner
    )


_READERS = {
    **dict.fromkeys(FRACTIONS, Commands._fraction),
    **dict.fromkeys(BINOMIALS, Commands._binomial),
    **dict.fromkeys(TRIGONOMETRY, Commands._trigonometric),
    **dict.fromkeys(OF_MANY, Commands._of_many),
    **dict.fromkeys((*FIGURES, "overline"), Commands._figure),
    "sqrt": Commands._root,
    "pi": Commands._pi,
    "boxed": Commands._boxed,
    "$": Commands._money,
    "lfloor": Commands._rounded,
    "lceil": Commands._rounded,
    "log": Commands._logarithm,
    "ln": Commands._logarithm,
}
