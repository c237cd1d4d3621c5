"""Decide without a model whether answers are right. Three answers everywhere.

port.py          Verifier and SiblingVerifier: claims, findings, observations
answers/         is the final answer of a text the gold answer?
expressions/     mathematics as values
text/            numbers, units and notation as models print them
workers/         killable processes for libraries that may hang or crash

Covered: final answers of type number, expression, choice and text.
Not covered: whether the steps that led there are right.
"""

from steplabel.verifiers.answers.checker import AnswerChecker, CheckedAnswer
from steplabel.verifiers.answers.gold import unreadable_gold
from steplabel.verifiers.port import Claim, Finding, SiblingVerifier, Statement, Verifier, observe
from steplabel.verifiers.workers.pool import close_workers

__all__ = [
    "AnswerChecker",
    "CheckedAnswer",
    "Claim",
    "Finding",
    "SiblingVerifier",
    "Statement",
    "Verifier",
    "close_workers",
    "observe",
    "unreadable_gold",
]
