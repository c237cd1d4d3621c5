"""Annotators of one solution.

math_shepherd.py    k completions from every step
locating.py         what the searches for a first error share
omegaprm_locate.py  binary search for the first error
linear_scan.py      SCAN's scan for the first error
answer_probe.py     forced answers behind every step
gold_logprob.py     the gold answer's probability behind every step
formalise.py        the solution as formulas, for a solver
samples_only.py     ask nothing: the samples themselves are the evidence
"""
