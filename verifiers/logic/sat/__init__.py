"""Tasks about clauses, as SATQuest asks them: made, asked in several forms, and checked with certificates.

cnf.py           clauses, what satisfies them, and their text in three forms
tasks.py         the five tasks, generated problems
oracle.py        satisfiable? by how many clauses at most? own tables, else Z3
z3_task.py       what Z3 is asked in its worker
checker.py       SatTaskVerifier: is the stated answer one?
"""
