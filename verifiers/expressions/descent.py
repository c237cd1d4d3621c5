r"""Recursive descent over the tokens of one expression; `reading.py` says what is covered.

Sums, products, powers, and what stands behind an atom; `leaves.py` and `commands.py` read the atoms. Every way out but
success is `UnreadableError`. Depth is bounded, and every call takes a token or ends.
"""

from __future__ import annotations

from fractions import Fraction

from steplabel.verifiers.expressions.ast import Apply, Constant, Number, Operator, Term, joined, negated
from steplabel.verifiers.expressions.commands import MAX_DEPTH, Commands
from steplabel.verifiers.expressions.cursor import Choice, UnreadableError
from steplabel.verifiers.expressions.leaves import MAX_SUBSCRIPT
from steplabel.verifiers.expressions.tokens import Kind
from steplabel.verifiers.expressions.vocabulary import FRACTIONS, GREEK, OF_MANY, OPENING, OVER, TIMES
from steplabel.verifiers.text.units import only_names

DEGREES = "\u00b0"
_PERCENT = frozenset({"%", "percent", "per cent"})
_HUNDRED, _HALF_TURN = Number(Fraction(100)), Number(Fraction(180))


class Descent(Commands):
    """Reads the tokens of one expression under one way of reading."""

    def whole(self) -> Term:
        """Read all tokens as one term.

        Raises:
            UnreadableError: they are none.
        """
        term = self._sum(0)
        if self._next.kind is not Kind.END:
            raise UnreadableError
        return term

    def _sum(self, depth: int) -> Term:
        if depth > MAX_DEPTH:
            raise UnreadableError
        minus = self._signs()
        terms = [self._product(depth, minus=minus)]
        while self._is("+", "-"):
            minus = self._take().text == "-"
            if self._is("+", "-") and not self._next.spaced:
                raise UnreadableError  # 5--3 is a dash as likely as a sign
            terms.append(self._product(depth, minus=minus != self._signs()))
        whole = joined(Operator.ADD, terms)
        if self._took("bmod", "mod"):
            return Apply(Operator.MODULO, (whole, self._product(depth)))
        return whole

    def _signs(self) -> bool:
        """At most one sign; whether it is a minus."""
        minus = self._is("-")
        self._took("-", "+")
        return minus

    def _product(self, depth: int, *, minus: bool = False) -> Term:
        factors = self._run(depth)
        divisions = 0
        while self._is(*TIMES, *OVER):
            over = self._take().text in OVER
            negative = self._signs()
            run = self._run(depth)
            run[0] = negated(run[0]) if negative else run[0]
            if over:
                divisions += 1
                factors = self._divided(factors, run)
            else:
                factors += run
            if divisions > MAX_DEPTH:
                raise UnreadableError
        term = joined(Operator.MULTIPLY, factors)
        return negated(term) if minus else term

    def _divided(self, above: list[Term], below: list[Term]) -> list[Term]:
        """`1/2x`: what stands beside the divisor belongs to it, or to the whole."""
        top = joined(Operator.MULTIPLY, above)
        if len(below) > 1 and self._choose(Choice.TIGHT):
            return [Apply(Operator.DIVIDE, (top, joined(Operator.MULTIPLY, below)))]
        return [Apply(Operator.DIVIDE, (top, below[0])), *below[1:]]

    def _run(self, depth: int) -> list[Term]:
        """Factors that stand beside each other."""
        number = self._next.kind is Kind.NUMBER or self._is("$")
        factors = [self._raised(depth)]
        if number and self._is(*FRACTIONS) and _is_whole(factors[0]):
            factors = self._mixed(factors[0], self._atom(depth), depth)
        while self._opens() or (self._next.kind is Kind.NUMBER and _is_factorial(factors[-1])):  # 3!5!
            factors.append(self._raised(depth))
        if self._next.kind is Kind.NUMBER:
            raise UnreadableError  # "2 3", "x2": nobody knows
        return factors

    def _mixed(self, whole: Term, part: Term, depth: int) -> list[Term]:
        r"""`33\frac13\%`: what stands behind the fraction belongs to the mixed number."""
        numbers = (
            isinstance(part, Apply) and part.operator is Operator.DIVIDE and all(_is_whole(term) for term in part.terms)
        )
        mixed = numbers and self._choose(Choice.MIXED)
        if isinstance(part, Apply) and numbers:
            proper = _value(part.terms[0]) < _value(part.terms[1])
            self.unlikely = self.unlikely or proper is not mixed
        if mixed:
            return [self._with_powers(Apply(Operator.ADD, (whole, part)), depth)]
        return [whole, self._with_powers(part, depth)]

    def _opens(self) -> bool:
        """Whether a factor begins here that needs no sign before it."""
        token = self._next
        if token.kind is Kind.LETTERS:
            return True
        if token.kind is Kind.COMMAND:
            return token.text in OPENING
        return token.kind is Kind.SIGN and (token.text in "([{" or (token.text == "|" and not self._bars))

    def _raised(self, depth: int) -> Term:
        return self._with_powers(self._atom(depth), depth)

    def _with_powers(self, atom: Term, depth: int) -> Term:
        term = self._behind(atom)
        if self._is("^") or self._next.text[:1] == "^":
            exponent = self._exponent(depth)
            if exponent is None:
                return self._degrees(term)
            term = Apply(Operator.POWER, (term, exponent))
            if self._next.text[:1] == "^":
                raise UnreadableError
            term = self._behind(term)
        return term

    def _behind(self, term: Term) -> Term:
        """Factorials, percent, degrees and units."""
        if self._took("!"):
            term = Apply(Operator.FACTORIAL, (term,))
            if self._is("!"):
                raise UnreadableError
        if self._took("%", "percent") or self._took_percent_in_words():
            self.units.add("%")
            if self._choose(Choice.BARE_PERCENT):
                self.bare_percent = True
            else:
                term = Apply(Operator.DIVIDE, (term, _HUNDRED))
        if self._took("degree"):
            term = self._degrees(term)
        if self._next.kind is Kind.WORDS and self._next.text not in OF_MANY:
            self._unit()
        return term

    def _took_percent_in_words(self) -> bool:
        found = self._next.kind is Kind.WORDS and self._next.text.lower() in _PERCENT
        self._at += found
        return found

    def _degrees(self, term: Term) -> Term:
        """Radians where a sine wants them; elsewhere a unit."""
        if self._angles:
            return joined(Operator.MULTIPLY, [term, Apply(Operator.DIVIDE, (Constant.PI, _HALF_TURN))])
        self.units.add(DEGREES)
        return term

    def _unit(self) -> None:
        word = self._take().text
        if not word or len(word) > MAX_SUBSCRIPT * 2 or any(c.isdigit() for c in word) or not only_names(word):
            raise UnreadableError
        self.units.add(word)
        if self._opens():  # 2\mathrm{cis}(\pi): a function of what follows
            raise UnreadableError
        if self._next.text[:1] == "^":  # cm^2
            self._exponent(0)

    def _exponent(self, depth: int) -> Term | None:
        """What stands behind ^; None for the degree sign."""
        token = self._take()
        if token.text != "^":
            return Number(Fraction(int(token.text[1:])))
        if self._took("circ"):
            return None
        if self._is("{") and self._tokens[self._at + 1].text == "circ":
            self._at += 2
            self._expect("}")
            return None
        minus = self._took("-")
        if not (self._next.kind in (Kind.NUMBER, Kind.LETTERS) or self._is("{", "(", *FRACTIONS, *GREEK)):
            raise UnreadableError
        term = self._atom(depth)
        return negated(term) if minus else term

    def _atom(self, depth: int) -> Term:
        if depth > MAX_DEPTH:
            raise UnreadableError
        token = self._take()
        if token.kind is Kind.NUMBER:
            return self._slashed(self._number(token))
        if token.kind is Kind.LETTERS:
            return self._name(token.text)
        if token.kind is Kind.COMMAND:
            return self._commanded(token.text, depth)
        if token.kind is Kind.WORDS and token.text in OF_MANY:
            return self._of_many(token.text, depth)
        return self._bracketed(token.text, depth)


def _is_whole(term: Term) -> bool:
    return isinstance(term, Number) and term.decimals is None


def _is_factorial(term: Term) -> bool:
    return isinstance(term, Apply) and term.operator is Operator.FACTORIAL


def _value(term: Term) -> Fraction:
    return term.value if isinstance(term, Number) else Fraction(0)
