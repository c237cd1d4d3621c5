"""What a side is worth if it is written in another way than most: where that makes a false equation true, it is open.

Covered: the power of a negative number, a dash that only separates, points that group thousands, hyphens in mixed
numbers, points that multiply.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from fractions import Fraction
from typing import Final

from steplabel.verifiers.arithmetic.lookahead import starts_operand
from steplabel.verifiers.arithmetic.reader import read_run
from steplabel.verifiers.arithmetic.runs import Postfix
from steplabel.verifiers.arithmetic.tokens import tokenize
from steplabel.verifiers.arithmetic.values import NoValueError, Value, arity, evaluate

_GROUPED: Final = re.compile(r"(?<![0-9.])([1-9][0-9]{0,2})\.([0-9]{3})(?:\.([0-9]{3}))?(?![0-9]|\.[0-9])")
_SPELLINGS: Final = (
    (_GROUPED, r"\1\2\3"),
    (re.compile(r"(?<![0-9./])([0-9]{1,9})-(?=[0-9]{1,3}/[0-9])"), r"\1 "),
    (re.compile(r"(?<![0-9.])([0-9]{1,9})\s?\(\(([0-9]{1,9})\)/\(([0-9]{1,9})\)\)"), r"(\1+\2/\3)"),
    (re.compile(r"(?<![0-9./])([0-9]{1,9}/[0-9]{1,9})(?=\s?%)"), r"(\1)"),
    (re.compile(r"(?<=[1-9])\.(?=[1-9])"), "*"),
)
"""What is printed in another way, and how we write it.

1.250 - 400 = 850; 3-1/2 = 3.5; 1 4/2 = 3 in LaTeX; 3/4 % = 0.0075; 8.7/2 = 28.
"""


def respelled(left: str, right: str) -> Iterator[tuple[Fraction, Fraction]]:
    """What two sides are worth if their numbers are spelled in other ways."""
    for pattern, plain in _SPELLINGS:
        if pattern.search(left) or pattern.search(right):
            a, b = _worth(pattern.sub(plain, left)), _worth(pattern.sub(plain, right))
            if a is not None and b is not None:
                yield a, b


def _worth(text: str) -> Fraction | None:
    tokens = tokenize(text)
    end = len(tokens.kinds)
    run = read_run(tokens, 0, end) if starts_operand(tokens, 0, end) else None
    try:
        return Fraction(evaluate(run.postfix)) if run and run.postfix and not run.over_bounds else None
    except NoValueError:
        return None


def with_signs_inside(postfix: Postfix) -> Value | None:
    """The value if each sign before a power of a number is the number's own; None if there is no such sign."""
    items = list(postfix)
    for at in range(3, len(items)):
        if items[at - 1 : at + 1] == ["^", "neg"] and not any(isinstance(item, str) for item in items[at - 3 : at - 1]):
            items[at - 2 : at + 1] = ["neg", items[at - 2], "^"]
    return evaluate(tuple(items)) if items != list(postfix) else None


def behind_dash(postfix: Postfix) -> Value | None:
    """The value if a dash behind the first number is no minus (2 adults - 2 * $10 = $20); None without such a dash."""
    depth = 0
    for at, item in enumerate(postfix):
        depth += arity(item)
        if at and depth == 1:
            rest = postfix[1:at] + postfix[at + 1 :]
            return evaluate(rest) if item == "-" and len(rest) > 1 else None
    return None
