r"""What has no parts: numbers, names with their subscripts, units, figures (`\angle ABC`).

Not covered: brackets and commands that take terms, see `commands.py`. Every way out but success is `UnreadableError`.
"""

from __future__ import annotations

from fractions import Fraction

from steplabel.verifiers.expressions.ast import Apply, Constant, Name, Number, Operator, Term
from steplabel.verifiers.expressions.cursor import Choice, Cursor, UnreadableError
from steplabel.verifiers.expressions.tokens import Kind, Token
from steplabel.verifiers.expressions.vocabulary import OVER, TIMES

MAX_DIGITS = 400
MAX_SUBSCRIPT = 20
_FUNCTION_LETTERS = frozenset("fghpqABCDEFGHILMPQRSTV")
"""A bracket behind one of these is as likely an argument as a factor."""


class Leaves(Cursor):
    """Reads a number, a name or a figure."""

    def _number(self, token: Token) -> Term:
        whole, point, part = token.text.partition(".")
        if len(whole) + len(part) > MAX_DIGITS or self._is("_"):  # 101_2 is in another base
            raise UnreadableError
        grouped = token.end - token.start == len(token.text) + (len(whole) - 1) // 3 > len(token.text)
        ends_list = grouped and self._at == 1 and token.start > 0 and self._is("+", "-", *TIMES, *OVER)
        if ends_list and self._choose(Choice.LISTED):
            raise UnreadableError
        value = Fraction(int(whole + part), 10 ** len(part))
        if point and (repeated := self._repeated()):
            return Number(value + Fraction(int(repeated), 10 ** len(part) * (10 ** len(repeated) - 1)))
        return Number(value, len(part) if point else None)

    def _repeated(self) -> str:
        """The digits that a decimal repeats, `(3)` of `0.8(3)`; empty if it has none."""
        behind = self._tokens[self._at : self._at + 3]
        digits = behind[1].text if len(behind) == 3 and behind[1].kind is Kind.NUMBER else ""
        closed = self._is("(") and behind[-1].text == ")" and not any(token.spaced for token in behind)
        if not closed or not digits.isdigit() or not self._choose(Choice.REPEATING):
            return ""
        self._at += 3
        return digits

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

    def _figure(self, command: str, _: int) -> Term:
        r"""\angle ABC and \overline{AB} are one name."""
        braced = self._took("{")
        token = self._take()
        if token.kind is not Kind.LETTERS or not token.text.isupper():
            raise UnreadableError
        if braced:
            self._expect("}")
        return Name(token.text if command == "overline" else f"{command} {token.text}")
