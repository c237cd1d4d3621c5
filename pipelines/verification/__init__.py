"""`steplabel verify`: verifiers alone over solutions that a file brings along, and how far they reach.

command.py    the command line
reading.py    solutions, and the first errors that people marked in them
verifying.py  chunk after chunk, with or without an output folder
coverage.py   what verifiers decided, and how often they agree with the marks
writing.py    problems, solutions and observations as a dataset
tables.py     the terminal
"""
