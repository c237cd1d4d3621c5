r"""Recursive descent over the tokens of one expression; `reading.py` says what is covered.

Every way out but success is `UnreadableError`. Depth is bounded, and every call takes a token or ends.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum, auto
from fractions import Fraction

from steplabel.verifiers.expressions.ast import Apply, Constant, Name, Number, Operator, Term
from steplabel.verifiers.expressions.tokens import Kind, Token

MAX_DEPTH = 30
MAX_DIGITS = 400
MAX_SUBSCRIPT = 20
DEGREES = "\u00b0"

_TIMES = ("times", "cdot", "ast", "*")
_OVER = ("div", "/")
_TRIGONOMETRY = {"sin": Operator.SINE, "cos": Operator.COSINE, "tan": Operator.TANGENT}
_OF_MANY = {"gcd": Operator.GCD, "lcm": Operator.LCM, "max": Operator.MAXIMUM, "min": Operator.MINIMUM}
_FUNCTIONS = frozenset({*_TRIGONOMETRY, *_OF_MANY, "log", "ln"})
_FRACTIONS = ("frac", "dfrac", "tfrac", "cfrac")
_BINOMIALS = ("binom", "dbinom", "tbinom")
_GREEK_LETTERS = """
    alpha beta gamma delta epsilon varepsilon zeta eta theta vartheta kappa lambda mu nu xi rho sigma tau phi varphi chi
    psi omega ell
"""
_GREEK = frozenset(_GREEK_LETTERS.split())
_FIGURES = ("angle", "triangle")
_OTHERS = ("sqrt", "pi", "lfloor", "lceil", "boxed", "overline", "$")
_OPENING = frozenset({*_GREEK, *_FUNCTIONS, *_FRACTIONS, *_BINOMIALS, *_FIGURES, *_OTHERS})
_FUNCTION_LETTERS = frozenset("fghpqABCDEFGHILMPQRSTV")
"""A bracket behind one of these is as likely an argument as a factor."""
_ONE, _TWO, _TEN, _HUNDRED, _HALF_TURN = (Number(Fraction(n)) for n in (1, 2, 10, 100, 180))


class Choice(Enum):
    """Where a text can be read in two ways. Without it: as the first named."""

    TIGHT = auto()
    """1/2x: half of x, or 1/(2x)."""
    MIXED = auto()
    r"""2\frac{1}{2}: one, or two and a half."""
    BARE_PERCENT = auto()
    """25%: a quarter, or 25 of a hundred."""
    IMAGINARY = auto()
    """i: a letter, or the root of -1."""
    LISTED = auto()
    """= 100,200 - 100: one number, or the end of a list and what comes next, which is not read."""
    COUNTING = auto()
    r"""\pi(10): a product, or the count of primes, which is not read."""


class UnreadableError(Exception):
    """The tokens are not one term within our bounds."""


class Descent:
    """Reads the tokens of one expression under one way of reading.

    Attributes:
        units: words and signs that stood behind numbers.
        choices: where another way would have read something else.
        unlikely: whether what looks like a mixed number was read as a product.
    """

    def __init__(self, tokens: Sequence[Token], chosen: frozenset[Choice]) -> None:
        self._tokens = list(tokens)
        self._chosen = chosen
        self._at = 0
        self._bars = 0
        self._angles = 0
        self.units: set[str] = set()
        self.choices: set[Choice] = set()
        self.unlikely = False

    def whole(self) -> Term:
        """Read all tokens as one term.

        Raises:
            UnreadableError: they are none.
        """
        term = self._sum(0)
        if self._next.kind is not Kind.END:
            raise UnreadableError
        return term

    # Moving over tokens.

    @property
    def _next(self) -> Token:
        return self._tokens[self._at]

    def _take(self) -> Token:
        token = self._tokens[self._at]
        if token.kind is Kind.END:
            raise UnreadableError
        self._at += 1
        return token

    def _is(self, *texts: str) -> bool:
        return self._next.kind in (Kind.SIGN, Kind.COMMAND) and self._next.text in texts

    def _took(self, *texts: str) -> bool:
        found = self._is(*texts)
        self._at += found
        return found

    def _expect(self, text: str) -> None:
        if not self._took(text):
            raise UnreadableError

    def _choose(self, choice: Choice) -> bool:
        self.choices.add(choice)
        return choice in self._chosen

    # Sums and products.

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
        whole = _joined(Operator.ADD, terms)
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
        while self._is(*_TIMES, *_OVER):
            over = self._take().text in _OVER
            negative = self._signs()
            run = self._run(depth)
            run[0] = _negated(run[0]) if negative else run[0]
            if over:
                divisions += 1
                factors = self._divided(factors, run)
            else:
                factors += run
            if divisions > MAX_DEPTH:
                raise UnreadableError
        term = _joined(Operator.MULTIPLY, factors)
        return _negated(term) if minus else term

    def _divided(self, above: list[Term], below: list[Term]) -> list[Term]:
        """`1/2x`: what stands beside the divisor belongs to it, or to the whole."""
        top = _joined(Operator.MULTIPLY, above)
        if len(below) > 1 and self._choose(Choice.TIGHT):
            return [Apply(Operator.DIVIDE, (top, _joined(Operator.MULTIPLY, below)))]
        return [Apply(Operator.DIVIDE, (top, below[0])), *below[1:]]

    def _run(self, depth: int) -> list[Term]:
        """Factors that stand beside each other."""
        number = self._next.kind is Kind.NUMBER
        factors = [self._raised(depth)]
        if number and self._is(*_FRACTIONS) and _is_whole(factors[0]):
            factors = self._mixed(factors[0], self._raised(depth))
        while self._opens() or (self._next.kind is Kind.NUMBER and _is_factorial(factors[-1])):  # 3!5!
            factors.append(self._raised(depth))
        if self._next.kind is Kind.NUMBER:
            raise UnreadableError  # "2 3", "x2": nobody knows
        return factors

    def _mixed(self, whole: Term, part: Term) -> list[Term]:
        proper = (
            isinstance(part, Apply)
            and part.operator is Operator.DIVIDE
            and all(_is_whole(term) for term in part.terms)
            and _value(part.terms[0]) < _value(part.terms[1])
        )
        if proper and self._choose(Choice.MIXED):
            return [Apply(Operator.ADD, (whole, part))]
        self.unlikely = self.unlikely or proper
        return [whole, part]

    def _opens(self) -> bool:
        """Whether a factor begins here that needs no sign before it."""
        token = self._next
        if token.kind is Kind.LETTERS:
            return True
        if token.kind is Kind.COMMAND:
            return token.text in _OPENING
        return token.kind is Kind.SIGN and (token.text in "([{" or (token.text == "|" and not self._bars))

    # Powers and what stands behind an atom.

    def _raised(self, depth: int) -> Term:
        term = self._behind(self._atom(depth))
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
        if self._took("%") or self._took("percent"):
            self.units.add("%")
            if not self._choose(Choice.BARE_PERCENT):
                term = Apply(Operator.DIVIDE, (term, _HUNDRED))
        if self._took("degree"):
            term = self._degrees(term)
        if self._next.kind is Kind.WORDS and self._next.text not in _OF_MANY:
            self._unit()
        return term

    def _degrees(self, term: Term) -> Term:
        """Radians where a sine wants them; elsewhere a unit."""
        if self._angles:
            return _joined(Operator.MULTIPLY, [term, Apply(Operator.DIVIDE, (Constant.PI, _HALF_TURN))])
        self.units.add(DEGREES)
        return term

    def _unit(self) -> None:
        word = self._take().text
        if not word or len(word) > MAX_SUBSCRIPT * 2 or any(c.isdigit() for c in word):
            raise UnreadableError
        self.units.add(word)
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
        if not (self._next.kind in (Kind.NUMBER, Kind.LETTERS) or self._is("{", "(", *_FRACTIONS, *_GREEK)):
            raise UnreadableError
        term = self._atom(depth)
        return _negated(term) if minus else term

    # Atoms.

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
        if token.kind is Kind.WORDS and token.text in _OF_MANY:
            return self._of_many(token.text, depth)
        return self._bracketed(token.text, depth)

    def _number(self, token: Token) -> Term:
        whole, point, part = token.text.partition(".")
        if len(whole) + len(part) > MAX_DIGITS or self._is("_"):  # 101_2 is in another base
            raise UnreadableError
        grouped = token.end - token.start == len(token.text) + (len(whole) - 1) // 3 > len(token.text)
        ends_list = grouped and self._at == 1 and token.start > 0 and self._is("+", "-", *_TIMES, *_OVER)
        if ends_list and self._choose(Choice.LISTED):
            raise UnreadableError
        return Number(Fraction(int(whole + part), 10 ** len(part)), len(part) if point else None)

    def _slashed(self, top: Term) -> Term:
        """`3/4 \u00f7 1/2`: beside a division sign, a slash between numbers makes a fraction."""
        behind = self._tokens[self._at : self._at + 3]
        if len(behind) < 3 or not self._is("/") or behind[1].kind is not Kind.NUMBER:
            return top
        before = self._tokens[self._at - 2].text if self._at > 1 else ""
        after = behind[2].text
        if (before != "div" and after != "div") or before in ("/", "^") or after[:1] in ("/", "^", "!", "_"):
            return top
        self._at += 2
        return Apply(Operator.DIVIDE, (top, self._number(behind[1])))

    def _name(self, letters: str) -> Term:
        name = letters + self._subscript()
        if self._is("(") and name[0] in _FUNCTION_LETTERS:
            raise UnreadableError
        if name == "i" and self._choose(Choice.IMAGINARY):
            return Constant.I
        return Name(name)

    def _subscript(self) -> str:
        text = ""
        while self._took("'", "prime"):
            text += "'"
        if self._took("_"):
            text += "_" + self._index()
        if len(text) > MAX_SUBSCRIPT:
            raise UnreadableError
        return text

    def _index(self) -> str:
        token = self._take()
        if token.text != "{":
            if token.kind in (Kind.NUMBER, Kind.LETTERS, Kind.COMMAND, Kind.WORDS):
                return token.text
            raise UnreadableError
        text = ""
        while not self._took("}"):
            text += self._take().text
            if len(text) > MAX_SUBSCRIPT:
                raise UnreadableError
        return text

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
        return term

    def _absolute(self, depth: int) -> Term:
        self._bars += 1
        term = self._sum(depth + 1)
        self._expect("|")
        self._bars -= 1
        return Apply(Operator.ABSOLUTE, (term,))

    def _commanded(self, command: str, depth: int) -> Term:
        if command in _GREEK:
            return self._name(command)
        reader = _READERS.get(command)
        if reader is None:
            raise UnreadableError
        return reader(self, command, depth)

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
        if token.kind in (Kind.NUMBER, Kind.LETTERS) or self._is("pi", *_GREEK):
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

    def _figure(self, command: str, _: int) -> Term:
        r"""\angle ABC and \overline{AB} are one name."""
        braced = self._took("{")
        token = self._take()
        if token.kind is not Kind.LETTERS or not token.text.isupper():
            raise UnreadableError
        if braced:
            self._expect("}")
        return Name(token.text if command == "overline" else f"{command} {token.text}")

    def _rounded(self, command: str, depth: int) -> Term:
        term = self._sum(depth + 1)
        self._expect("rfloor" if command == "lfloor" else "rceil")
        if command == "lfloor":
            return Apply(Operator.FLOOR_DIVIDE, (term, _ONE))
        return _negated(Apply(Operator.FLOOR_DIVIDE, (_negated(term), _ONE)))

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
        return Apply(_OF_MANY[command], tuple(terms))

    def _trigonometric(self, command: str, depth: int) -> Term:
        exponent = self._exponent(depth) if self._is("^") or self._next.text[:1] == "^" else _ONE
        if exponent is None or not (isinstance(exponent, Number) and exponent.value > 0):
            raise UnreadableError  # sin^{-1} is the inverse
        self._angles += 1
        term = Apply(_TRIGONOMETRY[command], (self._operand(depth),))
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
        while self._opens() and not self._is(*_FUNCTIONS, "("):
            factors.append(self._raised(depth + 1))
        return _joined(Operator.MULTIPLY, factors)


_READERS = {
    **dict.fromkeys(_FRACTIONS, Descent._fraction),
    **dict.fromkeys(_BINOMIALS, Descent._binomial),
    **dict.fromkeys(_TRIGONOMETRY, Descent._trigonometric),
    **dict.fromkeys(_OF_MANY, Descent._of_many),
    **dict.fromkeys((*_FIGURES, "overline"), Descent._figure),
    "sqrt": Descent._root,
    "pi": Descent._pi,
    "boxed": Descent._boxed,
    "$": Descent._money,
    "lfloor": Descent._rounded,
    "lceil": Descent._rounded,
    "log": Descent._logarithm,
    "ln": Descent._logarithm,
}


def _joined(operator: Operator, terms: list[Term]) -> Term:
    """One flat application: long sums and products do not nest."""
    flat: list[Term] = []
    for index, term in enumerate(terms):
        inner = isinstance(term, Apply) and term.operator is operator and index == 0
        flat.extend(term.terms if inner and isinstance(term, Apply) else (term,))
    return flat[0] if len(flat) == 1 else Apply(operator, tuple(flat))


def _negated(term: Term) -> Term:
    return Apply(Operator.NEGATE, (term,))


def _is_whole(term: Term) -> bool:
    return isinstance(term, Number) and term.decimals is None


def _is_factorial(term: Term) -> bool:
    return isinstance(term, Apply) and term.operator is Operator.FACTORIAL


def _value(term: Term) -> Fraction:
    return term.value if isinstance(term, Number) else Fraction(0)
