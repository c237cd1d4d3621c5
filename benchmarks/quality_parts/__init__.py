"""Parts of `label_quality.py`.

methods.py          the table of methods: add a line to measure another one
found.py            what a method says about a bank's solutions, and what it asked for
self_confidence.py  SCAN's gate, from a bank
baselines.py        how other tools work, in our own words, on the same rollouts
scoring.py          what is said, against the truth
misses.py           in which way it is wrong
noise.py            labels before and after denoising, by length and split
agreement.py        consensus on location, within one completer and between two
completers.py       how often a completer goes on rightly, and repairs what is wrong
live.py             recipes through the whole pipeline, with a model
report.py           tables for the terminal
document.py         the sections of docs/label_quality.md
sections.py         the markers they stand between
tables.py           how figures are written
plot.py             F1 against tokens, a panel for each family
"""
