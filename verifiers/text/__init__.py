"""Numbers and notation as models print them, read within bounds.

notation.py      LaTeX, Unicode and Markdown taken off
numbers.py       exact rationals by a bounded parser
units.py         what may follow a number
"""
