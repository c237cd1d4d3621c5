r"""What may be shown to the computer algebra system at all, and which of its verdicts may be believed.

Screened before it starts, because it would hang, crash or read a fragment: long texts, deep braces, towers of
powers, large factorials, control characters, foreign digits. Refused, because it would answer something else
than was asked (measured on math-verify 0.9): words are products of letters to it (listen = silent), b = B,
units and percent signs vanish, 12:30 is a ratio, (1, 2) may equal {1, 2}.
"""

from __future__ import annotations

import re

from steplabel.schemas import Reason
from steplabel.verifiers.text.notation import has_foreign_digits, is_clean
from steplabel.verifiers.text.numbers import MAX_DEPTH

MAX_CHARS = 2_048
MAX_DIGITS = 40
"""Digits in one literal that the algebra system may see; longer ones are for the exact parser alone."""
MAX_OPERATORS = 200

_POWER = re.compile(r"\^")
_TOWER = re.compile(r"\^\s*(?:\{[^{}]*\^|[\w.]+\s*\^)|\^\s*\{?\s*[({]*\s*-?\d{4,}")
_FACTORIAL = re.compile(r"\d{4,}\s*!|[)}\]!]\s*!")
# Read as sums: 5 6 is 11 to the algebra system, and 2\\frac{5}{3} is 11/3, though nobody writes such a mixed
# number.
_ADJACENT = re.compile(r"\d\s+\d|\d\s*\\frac\s*\{\s*\d+\s*\}\s*\{\s*\d+\s*\}")
_SIGNS = re.compile(r"[-+]\s*[-+]")  # --5 is 5 to the algebra system, and a slip of the pen to us
_HEAVY = re.compile(r"\\(?:sum|prod|int|iint|oint|lim|binom|dbinom|tbinom|begin\{cases)(?![a-zA-Z])")
_LITERAL = re.compile(rf"\d{{{MAX_DIGITS + 1},}}")
_OPERATOR = re.compile(r"[-+*/^,]|\\[a-zA-Z]+")
_COMMAND = re.compile(r"\\(?:begin|end)\s*\{[a-zA-Z*]+\}|\\[a-zA-Z]+")
_WORD = re.compile(r"[A-Za-z]{2,}")
_FUNCTION_NAMES = """
    sin cos tan cot sec csc arcsin arccos arctan sinh cosh tanh log ln exp sqrt pi mod gcd lcm max min
"""
_FUNCTIONS = frozenset(_FUNCTION_NAMES.split())
_LETTERS_ONLY = re.compile(r"\s*[A-Za-z]{2,}\s*")
_RELATION = re.compile(r"[=<>]|\\(?:le|ge|leq|geq|lt|gt|ne|neq|in)(?![a-zA-Z])")


def refused(text: str) -> str:
    """Why the algebra system must not see `text` (in plain notation), empty if it may."""
    if len(text) > MAX_CHARS or not is_clean(text) or has_foreign_digits(text):
        return Reason.UNPARSABLE
    if not 0 <= _depth(text) <= MAX_DEPTH or len(_OPERATOR.findall(text)) > MAX_OPERATORS or _LITERAL.search(text):
        return Reason.UNPARSABLE
    if _TOWER.search(text) or _FACTORIAL.search(text) or _SIGNS.search(text) or _HEAVY.search(text):
        return Reason.UNPARSABLE
    misread = has_words(text) or ":" in text or _ADJACENT.search(text) or _LETTERS_ONLY.fullmatch(text)
    return Reason.UNDECIDED if misread else ""


def has_words(text: str) -> bool:
    """Whether words stand in `text`: runs of three letters or more, no LaTeX commands or known functions."""
    return any(len(word) > 2 and word.lower() not in _FUNCTIONS for word in _WORD.findall(_COMMAND.sub(" ", text)))


def letters(text: str) -> frozenset[str]:
    """The single letters that stand for something in a formula."""
    runs = _WORD.sub(lambda m: "" if m[0].lower() in _FUNCTIONS else m[0], _COMMAND.sub(" ", text))
    return frozenset(c for c in runs if c.isalpha())


def same_letters_but_for_case(left: str, right: str) -> bool:
    """b and B are different variables; the algebra system takes them for one."""
    a, b = letters(left), letters(right)
    return a != b and {c.lower() for c in a} == {c.lower() for c in b}


def is_relation(text: str) -> bool:
    """Whether `text` states an equation or inequality, of which only a `True` is to be believed."""
    return bool(_RELATION.search(text))


def _depth(text: str) -> int:
    """How deep brackets nest; -1 if the braces, which must balance in LaTeX, do not."""
    depth = deepest = braces = 0
    for char in text:
        depth += (char in "([{") - (char in ")]}")
        braces += (char == "{") - (char == "}")
        deepest = max(deepest, depth)
        if braces < 0:
            return -1
    return deepest if braces == 0 else -1
