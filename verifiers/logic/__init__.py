"""Formal logic: proofs judged step by step, problems with known truth, provers behind one contract.

formulas.py      propositional and monadic first-order formulas as values
notation.py      FoVer's notation, printed and read
english.py       the same in controlled English
semantics.py     finite models and truth in them
tables.py        entailment by truth table, exact
provers.py       the contract for provers; tables, Z3 and cvc5 keep it
wire.py          formulas on the way to a worker
z3_task.py, cvc5_task.py   what the solvers are asked there
proofs.py        problems and proofs as text
checker.py       LogicVerifier: does each step follow from what it cites?
dials.py         how hard generated problems are and how they look
world.py, rules.py, names.py, derivation.py, generation.py   problems generated with their proofs
corruption.py    proofs with exactly one wrong step, and its witness
stream.py        both as the records that flow
sat/             tasks about clauses

Covered: what FoVer's formal logic and SATQuest's tasks need. Not covered: predicates of several places, functions,
theories, proofs by contradiction; proofs in Isabelle or Lean, for whose servers `provers` has the contract.
"""

from steplabel.verifiers.logic.checker import LogicVerifier
from steplabel.verifiers.logic.corruption import Corruption
from steplabel.verifiers.logic.dials import LogicDials
from steplabel.verifiers.logic.proofs import ProofLabel, Surface
from steplabel.verifiers.logic.provers import (
    Cvc5Prover,
    Entailment,
    FirstToAnswer,
    Proved,
    Prover,
    Status,
    TableProver,
    Z3Prover,
)
from steplabel.verifiers.logic.sat.checker import SatTaskVerifier
from steplabel.verifiers.logic.sat.tasks import SatDials, SatTask, sat_problems
from steplabel.verifiers.logic.stream import LogicSolution, logic_problems, logic_solutions

__all__ = [
    "Corruption",
    "Cvc5Prover",
    "Entailment",
    "FirstToAnswer",
    "LogicDials",
    "LogicSolution",
    "LogicVerifier",
    "ProofLabel",
    "Proved",
    "Prover",
    "SatDials",
    "SatTask",
    "SatTaskVerifier",
    "Status",
    "Surface",
    "TableProver",
    "Z3Prover",
    "logic_problems",
    "logic_solutions",
    "sat_problems",
]
