"""The rollout store: every sample that was ever paid for, by the request that asked for it.

rollout_store.py   the engine that answers from it and asks for what is missing
file.py            the SQLite file; schema.py its tables, versions and migration
rows.py            keys, rows and their checksums
writer.py          the one writing thread; commit.py its transactions
flights.py         equal requests at the same time
usage.py           counts of requests, samples, tokens and money
progress.py        what a run has done so far

What is done with a store apart from asking it:

stats.py           what it holds
verify.py          which rows are damaged, and their removal
gc.py              removal of what no run needs
exchange.py        rollouts out of a store and into one
scan.py            its rows in order, however many, beneath these four
"""
