"""Claims in LaTeX and competition text, decided exactly.

spans.py         where mathematics stands in a text
statements.py    statements in a piece of mathematics
context.py       what the words around it say
claims.py        the claims of one step
deciding.py      one claim decided, under all readings
verifier.py      LatexVerifier
"""
