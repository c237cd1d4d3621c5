"""Mathematics as values: read from text within bounds, computed exactly.

ast.py           terms and formulas
"""
