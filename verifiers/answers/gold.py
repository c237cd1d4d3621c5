"""Can anything ever equal this gold answer? Asked once, where problems enter: rollouts cost more than this.

Covered: numbers and expressions that cannot be read, by the same rules that read answers.
Not covered: golds that are wrong.
"""

from __future__ import annotations

from steplabel.schemas import AnswerType, GoldAnswer
from steplabel.verifiers.answers.maths import read_formula


def unreadable_gold(gold: GoldAnswer) -> str:
    """Why no answer could be compared with `gold`; empty if it can be read."""
    if gold.type not in (AnswerType.NUMBER, AnswerType.EXPRESSION):
        return ""
    formula = read_formula(gold.text, loose=gold.type is AnswerType.NUMBER)
    if not formula.text:
        return f"gold answer {gold.text[:80]!r} cannot be parsed: {formula.refused or 'nothing is left of it'}"
    if gold.type is AnswerType.NUMBER and formula.number is None and not _may_be_a_number(formula.text):
        return f"gold answer {gold.text[:80]!r} is not a number: correct it, or set answer_type to text"
    return ""


def _may_be_a_number(text: str) -> bool:
    r"""A digit or a LaTeX command (`\pi`, `\frac`): the algebra system may read what the fast path could not."""
    return "\\" in text or any(char.isdigit() for char in text) or text in ("pi", "e", "infinity")
