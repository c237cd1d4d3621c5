"""Does a step follow from what came before? Decided by Z3, over terms and formulas of our own.

question.py         the typed question, its bounds and sorts
definedness.py      what must hold for a formula to mean anything
rounding.py         how near "about" is
formulas.py         what a formula speaks of
linear.py           whether a question is linear
nodes.py            Z3's expressions, one node at a time
operators.py        what each operator is in Z3
compiler.py         formulas of ours as Z3's
lane.py             one Z3 context and its solver
procedure.py        the checks that decide a question
answer.py           what the solver says
z3_task.py          the worker's side
wire.py             messages between the two
solver.py           the parent's side
counterexample.py   a case checked again by exact arithmetic
findings.py         which answers hold, fail or stay unknown
text_formulas.py    formulas with letters in free text
text_claims.py      what each follows from
text_trust.py       and whether to trust it
text_verifier.py    `z3_entailment`: written solutions
formalisation.py    solutions written down as JSON
formal_verifier.py  `z3_formalisation`: those

Only nodes, operators, compiler, lane, procedure and z3_task import Z3, and only workers import them.
"""

from steplabel.verifiers.entailment.formal_verifier import FormalisationVerifier
from steplabel.verifiers.entailment.question import Assumption, Declared, Entailment, Inference, Sort
from steplabel.verifiers.entailment.solver import Solver
from steplabel.verifiers.entailment.text_verifier import EntailmentVerifier

__all__ = [
    "Assumption",
    "Declared",
    "Entailment",
    "EntailmentVerifier",
    "FormalisationVerifier",
    "Inference",
    "Solver",
    "Sort",
]
