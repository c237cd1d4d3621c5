"""Decide without a model whether answers are right. Three answers everywhere.

port.py          Verifier and SiblingVerifier: claims, findings, observations
registry.py      verifiers by name
bounded.py       a user's verifier in a process that can be killed
arithmetic/      equations in plain text
latex/           equations and inequalities in LaTeX
entailment/      what follows from what was said before, by Z3
logic/           formal proofs, and SAT tasks
step_agreement.py  results that sibling solutions share
tasks/           two verifiers of one kind of task each: examples to follow
answers/         is the final answer of a text the gold answer?
expressions/     mathematics as values
text/            numbers, units and notation as models print them
workers/         killable processes for libraries that may hang or crash

Covered: final answers, and what each package says of steps. Not covered: code, tables, tools.
"""

from steplabel.verifiers.answers.checker import AnswerChecker, CheckedAnswer
from steplabel.verifiers.answers.gold import unreadable_gold
from steplabel.verifiers.bounded import Bounded
from steplabel.verifiers.port import (
    BatchVerifier,
    Claim,
    Finding,
    InformedVerifier,
    SiblingVerifier,
    Statement,
    Verifier,
    observe,
)
from steplabel.verifiers.workers.pool import close_workers

__all__ = [
    "AnswerChecker",
    "BatchVerifier",
    "Bounded",
    "CheckedAnswer",
    "Claim",
    "Finding",
    "InformedVerifier",
    "SiblingVerifier",
    "Statement",
    "Verifier",
    "close_workers",
    "observe",
    "unreadable_gold",
]
