"""Gold answers as data sets write them: where they stand in a row, and how they must be compared."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from steplabel.schemas.errors import DataError
from steplabel.schemas.problem import AnswerType

ANSWER_FIELDS = ("answer", "gold_answer", "final_answer")
GSM8K_MARK = "####"

# 72, -3.5, .5, 1,234.00, $18, 40%, 3/4: what rational arithmetic reads without a parser.
_NUMBER = re.compile(r"[-+]?\$?(?:\d{1,3}(?:,\d{3})+|\d+)?(?:\.\d*)?(?:/\d+)?(?:[eE][-+]?\d{1,3})?%?")
_LATEX_TEXT = re.compile(r"\\(?:text|textbf|textit|mathrm|mbox)\s*\{[^{}]*\}")
_LATEX = re.compile(r"[\\^_{}=<>|$\u221a\u03c0\u221e\u2264\u2265]")
_FORMULA = re.compile(r"[0-9A-Za-z\s+\-*/().,\[\]!%;]*")
# Two letters may be a product (`2xy`); three are a word unless they name a function.
_WORDS = re.compile(r"[A-Za-z]{3,}")
_LONGEST_FORMULA = 1_000
_MOST_BITS = 3_330
_FUNCTIONS = frozenset(["pi", "sqrt", "sin", "cos", "tan", "log", "ln", "exp", "inf"])


def shown(value: Any) -> str:
    """A value in an error message: its type and how it begins."""
    return f"{type(value).__name__}: {value!r:.80}"


def listed(value: Any, *, field: str) -> Sequence[Any]:
    """The entries of a list field, () where it is absent.

    Raises:
        DataError: it is no list.
    """
    if value is None:
        return ()
    if not isinstance(value, (list, tuple)):
        raise DataError(f"{field} must be a list, got {shown(value)}")
    return value


def answer_text(value: Any) -> str:
    """The gold answer a field holds, as text; empty where it holds none. `... #### 72` gives `72`.

    Raises:
        DataError: several answers, or something that is no answer at all.
    """
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return _float_text(value)
    if isinstance(value, (int, Decimal)):
        return _exact_text(value)
    if isinstance(value, (list, tuple)) and len(value) == 1:
        return answer_text(value[0])
    if not isinstance(value, str):
        raise DataError(f"the gold answer must be one text or number, got {shown(value)}")
    return (final_of_gsm8k(value) if GSM8K_MARK in value else value).strip()


def _exact_text(value: int | Decimal) -> str:
    if isinstance(value, int) and value.bit_length() > _MOST_BITS:
        raise DataError("the gold answer has over a thousand digits: give it as text")
    if isinstance(value, Decimal) and not value.is_finite():
        raise DataError(f"the gold answer is {value}, which nothing equals")
    return str(value)


def _float_text(value: float) -> str:
    if not math.isfinite(value):
        raise DataError(f"the gold answer is {value!r}, which nothing equals")
    # JSON and Parquet turn a column with one 2.5 into floats: 72.0 was 72, and is written so.
    return str(int(value)) if value.is_integer() and abs(value) < 2**53 else repr(value)


def final_of_gsm8k(solution: str) -> str:
    """What follows the last `####` of a GSM8K solution; empty if there is no mark."""
    return solution.rpartition(GSM8K_MARK)[2].strip() if GSM8K_MARK in solution else ""


def boxed(solution: str) -> str:
    """Content of the last `\\boxed{...}`, braces balanced, as in MATH's solutions; empty if there is none."""
    start = solution.rfind("\\boxed{")
    depth, begin = 0, start + len("\\boxed{")
    for position in range(begin, len(solution)) if start >= 0 else ():
        depth += {"{": 1, "}": -1}.get(solution[position], 0)
        if depth < 0:
            return solution[begin:position].strip()
    return ""


def infer_type(text: str) -> AnswerType:
    """How an answer of unstated type is compared: a plain number, an expression, else text.

    Words are never expressions: algebra reads letters as factors, so that `listen` would equal `silent`.
    Never a choice: without the choices a letter is only a text.
    """
    plain = text.strip()
    if len(plain) > _LONGEST_FORMULA:
        return AnswerType.TEXT
    if any(c.isdigit() for c in plain) and _NUMBER.fullmatch(plain):
        return AnswerType.NUMBER
    if _LATEX_TEXT.fullmatch(plain):
        return AnswerType.TEXT
    if _LATEX.search(plain):
        return AnswerType.EXPRESSION
    return AnswerType.EXPRESSION if _is_formula(plain) else AnswerType.TEXT


def _is_formula(plain: str) -> bool:
    if not _FORMULA.fullmatch(plain) or not any(c.isdigit() or c in "+-*/(" for c in plain):
        return False
    return all(word.lower() in _FUNCTIONS for word in _WORDS.findall(plain))


def stated_type(row: Mapping[str, Any]) -> AnswerType | None:
    """The row's own `answer_type`, None if it states none.

    Raises:
        DataError: it is none of ours.
    """
    stated = row.get("answer_type")
    if stated is None or stated == "":
        return None
    try:
        return AnswerType(stated)
    except ValueError:
        raise DataError(f"answer_type {stated!r} is none of {', '.join(AnswerType)}") from None
