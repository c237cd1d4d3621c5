"""Decide without a model whether answers are right. Three answers everywhere.

answers.py       AnswerChecker: extract the final answer of a text and compare it with the gold answer
extraction.py    where a text says its final answer, and whether a cut text had finished saying it
notation.py      LaTeX, Unicode and Markdown taken off
numbers.py       exact rationals by a bounded parser; units.py: what may follow a number
agreement.py     when two printed numbers are the same answer: rounding, percent, units
structures.py    tuples, sets, lists, intervals of numbers
wording.py       multiple choice and free text
gold.py          whether a gold answer can be compared with at all
maths.py         formulas: what is decided here, what math-verify is asked, and when it is believed
screening.py     what math-verify must never see
maths_pool.py    killable workers: budget, quarantine, cache; maths_worker.py: the child; frames.py: their
messages

Covered: final answers of type number, expression, choice and text.
Not covered: whether the steps that led there are right.
"""

from steplabel.verifiers.answers import AnswerChecker, CheckedAnswer
from steplabel.verifiers.gold import unreadable_gold
from steplabel.verifiers.maths_pool import close_workers

__all__ = ["AnswerChecker", "CheckedAnswer", "close_workers", "unreadable_gold"]
