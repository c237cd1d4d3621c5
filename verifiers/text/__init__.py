"""Numbers, notation and words as models print them, read within bounds.

notation.py      LaTeX, Unicode and Markdown taken off
numbers.py       exact rationals by a bounded parser
units.py         what may follow a number
dimensions.py    units that can be converted into one another
assertion.py     whether what stands in a text is asserted there
systems.py       number systems that words speak of
hints.py         small texts that are looked for before patterns are
"""
