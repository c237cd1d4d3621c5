"""Claims in LaTeX and competition text, decided exactly.

spans.py         where mathematics stands in a text
statements.py    statements in a piece of mathematics
context.py       what words around formulas alone say of them
claims.py        the claims of one step
equations.py     equations that follow from one before
freedom.py       letters of which nothing is known
deciding.py      one claim decided, under all readings
verifier.py      LatexVerifier
"""
