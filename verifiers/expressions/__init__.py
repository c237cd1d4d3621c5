"""Mathematics as values: read from text within bounds, computed exactly.

ast.py           terms and formulas
tokens.py        text cut into signs
descent.py       signs read as one term, by recursive descent
reading.py       expressions and chains of relations, all their readings
limits.py        shared bounds, and the error of what is out of reach
exact.py         rational values
json_form.py     terms and formulas as JSON
"""
