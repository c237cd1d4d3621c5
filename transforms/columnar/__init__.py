"""Labels from evidence in columns, a chunk at a time: what `relabel` does where it needs no record.

tables.py        the entry: a chunk's tables to its label table
evidence.py      a chunk's columns, and which rows belong to which problem
numbering.py     keys to numbers
outcomes.py      the outcome that counts
states.py        states and bare problems
step_results.py  states by what steps come to
claims.py        verdicts, scores, costs
completers.py    whose rollouts stand behind the numbers
counts.py        counts, as `labels.coded` wants them
labels.py        the label table as Arrow lists
"""
