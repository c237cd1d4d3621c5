"""Mathematics as values: read from text within bounds, computed exactly.

ast.py           terms and formulas
tokens.py        text cut into signs
descent.py       signs read as one term, by recursive descent: sums, products, powers
commands.py      brackets, and commands that take terms
leaves.py        numbers, names, figures
cursor.py        the way over the signs, and where they can be read in two ways
vocabulary.py    LaTeX commands by what they are
reading.py       expressions and chains of relations, all their readings
printing.py      terms as plain text
json_form.py     terms and formulas as JSON
limits.py        shared bounds, and the error of what is out of reach
exact.py         rational values
factors.py       prime powers
polynomials.py   polynomials, with roots of primes as generators
normal.py        terms as quotients of polynomials
enclosure.py     real values between two rationals
decision.py      comparisons decided
rounding.py      numbers that were rounded
"""
