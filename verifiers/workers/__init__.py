"""Killable processes for libraries that may hang, crash or eat memory.

pool.py          the parent's side: budget, quarantine, cache
worker.py        the child
frames.py        their messages
z3_memory.py     Z3's memory within a child
"""
