"""Equations between numbers in plain text, decided exactly.

verifier.py      ArithmeticVerifier
equations.py     the equations of a text
sides.py         what stands left and right of an equals sign
reader.py        one expression out of a row of tokens
runs.py          what the reader makes
lookahead.py     what the next few tokens are
tokens.py        numbers, operators, words
wording.py       words that change numbers
context.py       what words of plain text alone say of an equation
cleaning.py      marks, signs and LaTeX taken off
rereading.py     what a side is worth if it is written in another way
naming.py        what the numbers of a side count
values.py        exact values within bounds
scales.py        words that multiply a number
judging.py       when an equation holds, and when a false one is not wrong
"""

from steplabel.verifiers.arithmetic.equations import Equation, Side, read_equations
from steplabel.verifiers.arithmetic.values import NoValueError, evaluate
from steplabel.verifiers.arithmetic.verifier import ArithmeticVerifier

__all__ = ["ArithmeticVerifier", "Equation", "NoValueError", "Side", "evaluate", "read_equations"]
