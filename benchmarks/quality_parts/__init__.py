"""Parts of `label_quality.py`.

found.py      what a method says about a bank's solutions, and what it asked for
baselines.py  how other tools work, in our own words, on the same rollouts
methods.py    the table of methods: add a line to measure another one
scoring.py    what is said, against the truth
live.py       two recipes through the whole pipeline, with a model
report.py     tables, the plot, and the section of docs/label_quality.md
"""
