"""One arithmetic expression out of a row of tokens, as far as it goes, in postfix order.

Covered: + - * / ^ and their words, brackets, signs, percent, `20% of 50`, `1/2 of 10`, mixed numbers, `80 000`,
products without a sign (`2(3 + 4)`), and units: words behind an operand are skipped, `$7/visit` and `8-hour` too.
Not covered: letters as variables, functions, factorials, exponents of exponents.

Where a text may be read in two ways, the reader takes one and says so: in `modes` if it can be asked for the other, in
`doubt` if it cannot; a false equation that was read with doubt is not a wrong one.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar, Final

from steplabel.verifiers.arithmetic.lookahead import (
    MAX_DEPTH,
    is_fraction,
    is_grouped,
    is_measure,
    is_mixed,
    is_repeating,
    remark,
    starts_operand,
)
from steplabel.verifiers.arithmetic.runs import Doubt, Item, Mode, Run
from steplabel.verifiers.arithmetic.tokens import Kind, Tokens, literal
from steplabel.verifiers.arithmetic.wording import BEHIND, LINKING, OPERATORS, PARTS, SIGNS

MAX_TOKENS = 200
MAX_UNIT_WORDS = 4
"""More words than these are no unit but a sentence, of which the equation may be no part."""

_RAISING: Final = frozenset({"squared", "cubed", "factorial", "doubled", "tripled", "halved"})
_TIGHT: Final = "over"
"""A division that belongs to a fraction, where fractions are read as one number."""
_RANK: Final = {"(": 0, "+": 1, "-": 1, "*": 2, "/": 2, "neg": 3, _TIGHT: 4, "^": 5}


def read_run(tokens: Tokens, start: int, end: int, mode: int = Mode.FIRST) -> Run:
    """Read from an operand on (`starts_operand`), as far as tokens before `end` go on with it."""
    return _Reader(tokens, start, min(end, start + MAX_TOKENS), mode).run(cut=end > start + MAX_TOKENS)


class _Reader:
    """Dijkstra's shunting-yard over one run: no recursion, so no depth that a text could choose."""

    __slots__ = (
        "_at",
        "_depth",
        "_doubt",
        "_end",
        "_kinds",
        "_letters",
        "_linked",
        "_mode",
        "_modes",
        "_named",
        "_numbers",
        "_obelus",
        "_operations",
        "_out",
        "_over",
        "_percents",
        "_stack",
        "_start",
        "_sums",
        "_texts",
        "_tokens",
        "_wanting",
        "_words",
    )

    def __init__(self, tokens: Tokens, start: int, end: int, mode: int) -> None:
        self._tokens, self._kinds, self._texts = tokens, tokens.kinds, tokens.texts
        self._start, self._at, self._end, self._mode = start, start, end, mode
        self._out: list[Item] = []
        self._stack: list[str] = []
        self._depth = self._numbers = self._operations = self._sums = self._percents = self._words = 0
        self._modes: int = Mode.FIRST
        self._doubt = ""
        self._letters = self._linked = self._named = self._obelus = self._over = False
        self._wanting = True

    def run(self, *, cut: bool) -> Run:
        """Read it all."""
        kinds, end, after = self._kinds, self._end, self._AFTER
        while self._at < end and (self._operand() if self._wanting else after[kinds[self._at]](self)):
            pass
        whole = not self._depth and not self._wanting
        self._doubt_sums()
        while self._stack:
            self._emit()
        return Run(
            start=self._start,
            stop=self._at,
            postfix=tuple(self._out) if whole else (),
            modes=self._modes,
            doubt=self._doubt,
            letters=self._letters,
            linked=self._linked,
            lone=kinds.index(Kind.NUMBER, self._start) if whole and not self._operations else -1,
            over_bounds=self._over or (cut and self._at == end),
        )

    def _doubts(self, why: str) -> None:
        self._doubt = self._doubt or why

    def _doubt_sums(self) -> None:
        if self._sums and 0 < self._percents < self._numbers:
            self._doubts(Doubt.PERCENT)
        elif self._sums and self._named:
            self._doubts(Doubt.NAMED)

    def _operand(self) -> bool:
        kind = self._kinds[self._at]
        if kind == Kind.NUMBER:
            self._number()
        elif kind == Kind.OPEN:
            if self._texts[self._at] == "[" and self._kinds[self._at + 1 : self._at + 3] == [Kind.NUMBER, Kind.CLOSE]:
                self._doubts(Doubt.FLOOR)
            self._stack.append("(")
            self._depth += 1
            self._over = self._over or self._depth > MAX_DEPTH
        elif kind == Kind.OPERATOR and self._texts[self._at] == "-":
            if self._tokens.tight(self._at) and self._texts[self._at - 1] == "-":
                self._doubts(Doubt.SIGN)  # 5 -- 3: a dash
            self._stack.append("neg")
        else:
            return False
        self._at += 1
        return True

    def _number(self) -> None:
        text = self._texts[self._at]
        value = literal(text)
        if text[0] == "0" and len(text) > 1 and text[1] != ".":
            self._doubts(Doubt.CLOCK)
        self._over = self._over or value is None
        self._out.append(value or 0)
        self._numbers += 1
        self._words = 0
        self._wanting = self._linked = False

    def _percent(self) -> bool:
        self._out.append("%")
        self._percents += 1
        self._at += 1
        return True

    def _close(self) -> bool:
        if not self._depth:
            return False
        while self._stack[-1] != "(":
            self._emit()
        self._stack.pop()
        self._depth -= 1
        self._at += 1
        self._words = 0
        return True

    def _operator(self) -> bool:
        text = self._texts[self._at]
        if not starts_operand(self._tokens, self._at + 1, self._end):
            return self._unit_behind(text)
        operator = SIGNS.get(text, text)
        if operator == "^":
            if self._kinds[self._at - 1] == Kind.WORD:
                self._at += 2  # 4 ft^2
                return True
            self._over = self._over or self._stack[-1:] == ["^"]  # 9^9^9
        elif text == "/" and is_fraction(self._tokens, self._at):
            operator = self._fraction()
        elif text == "-":
            self._doubt_hyphen()
        self._obelus = text == "\u00f7"
        self._push(operator)
        self._at += 1
        return True

    def _doubt_hyphen(self) -> None:
        """1-1/2 cups: a hyphen in a mixed number."""
        at = self._at
        tight = self._tokens.tight(at) and self._tokens.tight(at + 1)
        if tight and is_mixed(self._tokens, at - 1, at + 1, self._end) and self._kinds[at + 4 : at + 5] == [Kind.WORD]:
            self._doubts(Doubt.NUMBER)

    def _fraction(self) -> str:
        if self._obelus:  # 1/2 \u00f7 1/4: the slash binds tighter
            if self._tokens.tight(self._at - 1) or not self._tokens.tight(self._at):
                self._doubts(Doubt.NUMBER)
            return _TIGHT
        if self._stack and self._stack[-1] in ("/", "^"):
            self._modes |= Mode.FRACTIONS
        return _TIGHT if self._mode & Mode.FRACTIONS else "/"

    def _unit_behind(self, operator: str) -> bool:
        """`$7/visit`, `120-page`: an operator's sign inside a unit."""
        at = self._at
        word = at + 1 < self._end and self._kinds[at + 1] == Kind.WORD and len(self._texts[at + 1]) > 1
        tight = self._tokens.tight(at) and self._tokens.tight(at + 1) if word else False
        if not word or operator not in ("/", "-") or (operator == "-" and not tight):
            return False
        if not tight:
            self._doubts(Doubt.RATE)
        self._at += 1
        return True

    def _push(self, operator: str) -> None:
        rank = _RANK[operator]
        while self._stack and _RANK[self._stack[-1]] >= rank:
            self._emit()
        self._stack.append(operator)
        if self._linked or self._texts[self._at - 1] == "all":  # 4 plus 10 all divided by 2
            self._doubts(Doubt.LINKED)
        self._operations += 1
        self._sums += rank == 1
        self._wanting = True

    def _emit(self) -> None:
        operator = self._stack.pop()
        if operator != "(":
            self._out.append("/" if operator == _TIGHT else operator)

    def _word(self) -> bool:
        text = self._texts[self._at].lower()
        if text in OPERATORS and starts_operand(self._tokens, self._at + 1, self._end):
            return self._operator_word(OPERATORS[text])
        if text == "of":
            return self._of()
        if text == "and" and is_mixed(self._tokens, self._at - 1, self._at + 1, self._end):
            return self._mix(self._at + 1)
        self._unit_word(text)
        self._at += 1
        return True

    def _unit_word(self, text: str) -> None:
        self._words += 1
        first = self._words == 1
        if len(text) == 1 and (self._tokens.tight(self._at) or text not in "ai"):
            self._letters = self._letters or first
            self._linked = True  # behind a word it may be a name: the 5 apples of B
        elif text == "remainder" or (first and text in BEHIND) or (text in PARTS and self._follows_and()):
            self._doubts(Doubt.CHANGED if text in _RAISING else Doubt.WORDING)
        elif first and self._tokens.tight(self._at) and not is_measure(text):
            self._named = True
        elif self._words > MAX_UNIT_WORDS or text in LINKING:
            self._linked = True

    def _follows_and(self) -> bool:
        return "and" in self._texts[self._at - 2 : self._at]

    def _of(self) -> bool:
        """20% of 50, 1/2 of 10; but 5 of them."""
        share = self._out[-1] == "%" or self._out[-1] == "/" or (self._stack and self._stack[-1] in ("/", _TIGHT))
        if share and starts_operand(self._tokens, self._at + 1, self._end):
            return self._operator_word("*")
        if share:
            self._doubts(Doubt.OF)
        self._at += 1
        return True

    def _operator_word(self, operator: str) -> bool:
        self._modes |= Mode.SHORT
        if self._mode & Mode.SHORT:
            return False
        self._push(operator)
        self._at += 1
        return True

    def _second_number(self) -> bool:
        """Behind a number or its unit: part of the number, or the next expression's."""
        if is_mixed(self._tokens, self._at - 1, self._at, self._end):
            return self._mix(self._at)
        if self._kinds[self._at - 1] == Kind.NUMBER and is_grouped(self._tokens, self._at):
            return self._join()
        return False

    def _mix(self, top: int) -> bool:
        self._modes |= Mode.SPLIT
        if self._mode & Mode.SPLIT:
            return False
        self._out += [int(self._texts[top]), int(self._texts[top + 2]), "/", "+"]
        self._operations += 1
        self._at = top + 3
        return True

    def _join(self) -> bool:
        self._modes |= Mode.SPLIT
        if self._mode & Mode.SPLIT:
            return False
        self._out[-1] = int(self._out[-1]) * 1000 + int(self._texts[self._at])
        self._operations += 1  # no lone literal: its text is not the number
        self._at += 1
        return True

    def _bracket(self) -> bool:
        before = self._kinds[self._at - 1]
        if not (self._tokens.tight(self._at) and before in (Kind.NUMBER, Kind.CLOSE)):
            length, with_number = remark(self._tokens, self._at, self._end)
            if length:
                self._at += length
                if with_number:
                    self._doubts(Doubt.ASIDE)
                return True
            if before == Kind.NUMBER:
                self._doubts(Doubt.BESIDE)
        elif is_repeating(self._tokens, self._at):
            self._doubts(Doubt.BESIDE)
        return before in (Kind.NUMBER, Kind.CLOSE) and self._product()

    def _product(self) -> bool:
        if not starts_operand(self._tokens, self._at, self._end):
            return False
        if self._stack[-1:] == ["/"]:
            self._doubts(Doubt.BESIDE)  # 6/2(1 + 2): what stands beside may belong to the divisor
        self._push("*")
        return True

    def _ends(self) -> bool:
        return False

    _AFTER: ClassVar[tuple[Callable[[_Reader], bool], ...]] = (
        _ends,
        _second_number,
        _word,
        _operator,
        _ends,
        _ends,
        _bracket,
        _close,
        _percent,
        _ends,
        _ends,
    )
    """What to do behind an operand, by the kind of the token there."""
