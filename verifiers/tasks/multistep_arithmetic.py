"""Multi-step arithmetic (BIG-Bench-Mistake, Tyen et al. 2024, arXiv:2311.08516): integers, + - * and brackets.

    Q  ((5 + 2 * 1 - 6) + (5 + 3 - -2 * 2)) =
    0  This equation can be written as "A + B", where A = (5 + 2 * 1 - 6) and B = (5 + 3 - -2 * 2).
    1  Let's calculate A = (5 + 2 * 1 - 6) = (5 + 2 - 6) = 1.
    2  Let's calculate B = (5 + 3 - -2 * 2) = (5 + 3 - 4) = 4.
    3  Then, the final equation is A + B = 1 + 4 = 5. So the answer is 5

Covered: every chain of equal signs in a step. A letter stands for what the step that calculates it says, right or
wrong, so that a mistake is found where it was made and not again where it is used. What a letter is calculated from
must have the value of its definition.
Not covered: a step of several sentences or formulas, of which only what stands before the first words in the midst of
the chain is compared; other relations; division, powers, decimals; and, unless `plan`, whether the first step takes the
question apart as it stands (the people of BIG-Bench-Mistake mark no first step as a mistake, however wrong).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import ClassVar, TypeAlias

from steplabel.schemas import Problem, Reason, Solution, Verdict
from steplabel.verifiers.port import Claim, Finding
from steplabel.verifiers.text.notation import is_clean

MAX_STEP_CHARS = 4_000
QUOTED_CHARS = 400
MAX_TOKENS = 400
MAX_DEPTH = 40
MAX_BITS = 4_096

Tokens: TypeAlias = tuple[int | str, ...]
"""An expression as integers, operators and brackets; empty where a side of a chain cannot be read."""

_TOKEN = re.compile(r"[0-9]{1,30}|[A-Z]|[-+*()]|(?P<space>\s+)|(?P<stray>.)", re.DOTALL)
_NO_SIDE = re.compile(r"[A-Za-z]{2}|[!<>?:;\u2248\u2260\u2264\u2265]|[.,]\s")
"""What no side of a chain holds: here begins something else, such as the next sentence."""
_DEFINITION = re.compile(r"\b([A-Z]) = ")
_EXPRESSION = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ+-*() \n"


@dataclass(frozen=True, slots=True, kw_only=True)
class EqualSides:
    """All sides have one value."""

    sides: tuple[Tokens, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class MultistepArithmetic:
    """Evaluates both sides of what a trace claims.

    Attributes:
        plan: judge the first step, too: its form with its definitions put in must have the question's value.
    """

    plan: bool = False
    name: ClassVar[str] = "multistep_arithmetic"
    domains: ClassVar[frozenset[str]] = frozenset({"multistep_arithmetic"})

    @property
    def version(self) -> str:
        """One for each way to read the first step."""
        return "2+plan" if self.plan else "2"

    def claims(self, problem: Problem, solution: Solution) -> Iterator[Claim[EqualSides]]:
        """The chains of the steps, with the value of each letter put in its place."""
        plan: dict[str, Tokens] = {}
        values: dict[str, int] = {}
        for step, subject in zip(solution.steps, solution.node_keys, strict=True):
            text = step.text.strip()
            if not step.labelable or len(text) > MAX_STEP_CHARS or not is_clean(text):
                continue
            if not plan and " where " in text:
                plan = _definitions(text)
                sides: tuple[Tokens, ...] = (_read(problem.text.rstrip("= \n"), {}), _put_in(plan.get("", ()), plan))
                asserted = self.plan
            else:
                sides = _chain(text, plan, values)
                asserted = len(sides) > 1
            if asserted:
                yield Claim(subject=subject, body=EqualSides(sides=sides), quote=text[:QUOTED_CHARS])

    def verify(self, claim: Claim[EqualSides]) -> Finding:
        """Compare the values; a chain of which a part cannot be read fails if the rest contradicts itself."""
        values = [value_of(side) for side in claim.body.sides]
        evidence = " = ".join("?" if value is None else str(value) for value in values)[:QUOTED_CHARS]
        if len({value for value in values if value is not None}) > 1:
            return Finding(verdict=Verdict.FAILS, reason="values differ", evidence=evidence)
        if None in values:
            return Finding(verdict=Verdict.UNKNOWN, reason=Reason.UNPARSABLE, evidence=evidence)
        return Finding(verdict=Verdict.HOLDS, reason="values are equal", evidence=evidence)


def value_of(tokens: Tokens) -> int | None:
    """The value of an expression; None if it is none, or past the bounds."""
    if not 0 < len(tokens) <= MAX_TOKENS:
        return None
    parser = _Parser(tokens)
    try:
        value = parser.sum(0)
    except (_UnreadableError, IndexError):
        return None
    return None if parser.left else value


class _UnreadableError(Exception):
    """No expression, or one past the bounds."""


class _Parser:
    """Recursive descent over tokens. Raises `_UnreadableError`, and IndexError where they end too early."""

    def __init__(self, tokens: Tokens) -> None:
        self.left = list(reversed(tokens))

    def sum(self, depth: int) -> int:
        value = self._product(depth)
        while self.left and self.left[-1] in ("+", "-"):
            sign = -1 if self.left.pop() == "-" else 1
            value += sign * self._product(depth)
        return value

    def _product(self, depth: int) -> int:
        value = self._factor(depth)
        while self.left and self.left[-1] == "*":
            self.left.pop()
            value *= self._factor(depth)
            if value.bit_length() > MAX_BITS:
                raise _UnreadableError
        return value

    def _factor(self, depth: int) -> int:
        first = self.left.pop()
        if isinstance(first, int):
            return first
        if depth == MAX_DEPTH or first not in ("-", "("):
            raise _UnreadableError
        if first == "(":
            value = self.sum(depth + 1)
            if self.left.pop() != ")":
                raise _UnreadableError
            return value
        return -self._factor(depth + 1)


def _chain(text: str, plan: Mapping[str, Tokens], values: dict[str, int]) -> tuple[Tokens, ...]:
    """The sides that a step sets equal; what it calculates is entered into `values`."""
    first, *rest = text.replace(". So the answer is", " =").split("=")
    if not rest:
        return ()
    asked = _after_words(first)
    whole = next((i for i, side in enumerate(rest) if _NO_SIDE.search(side.strip(" .,\n"))), len(rest))
    sides = (*(_read(side, values) for side in rest[:whole]), *([()] if whole < len(rest) else []))
    if asked in plan and len(asked) == 1:
        if (value := value_of(sides[-1])) is not None:
            values[asked] = value
        return (plan[asked], *sides) if plan[asked] else sides
    return (_read(asked, values), *sides)


def _after_words(text: str) -> str:
    """The expression that a sentence ends in; "/" where it seems to begin before: "x - 3" is not minus three."""
    words = text.rstrip(_EXPRESSION)
    expression = text[len(words) :]
    if not words:
        return expression.strip()
    last = words.rsplit(None, 1)[-1]
    follows = expression[:1].isspace() and (last.endswith((",", ":")) or (last.isalpha() and len(last) > 1))
    expression = expression.strip()
    return expression if follows and not expression.startswith(("+", "*", "- ", ")")) else "/"


def _definitions(text: str) -> dict[str, Tokens]:
    """By letter, what a first step defines; under the empty name the form it gives the question."""
    form, _, where = text.partition(" where ")
    _, *parts = _DEFINITION.split(where)
    named = {name: parts[i + 1].strip(" .,").removesuffix("and") for i, name in enumerate(parts) if i % 2 == 0}
    quoted = form.split('"')
    return {name: _read(side, {}) for name, side in named.items()} | {
        "": _read(quoted[1] if len(quoted) == 3 else "", {}, letters=True)
    }


def _read(text: str, values: Mapping[str, int], *, letters: bool = False) -> Tokens:
    """The tokens of one side; empty if one is unknown. `letters` may stay letters."""
    tokens: list[int | str] = []
    for match in _TOKEN.finditer(text.strip(" .,\n")):
        word = match[0]
        if match["stray"] or (word.isalpha() and not letters and word not in values):
            return ()
        if not match["space"]:
            tokens.append(int(word) if word.isdigit() else values.get(word, word))
    return tuple(tokens)


def _put_in(form: Tokens, plan: Mapping[str, Tokens]) -> Tokens:
    """A form with every letter replaced by what it stands for, in brackets; empty if one stands for nothing."""
    tokens: list[int | str] = []
    for token in form:
        if not isinstance(token, str) or not token.isalpha():
            tokens.append(token)
        elif inside := plan.get(token, ()):
            tokens += ["(", *inside, ")"]
        else:
            return ()
    return tuple(tokens)
