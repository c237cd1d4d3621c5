"""Is the final answer of a text the gold answer?

checker.py       AnswerChecker: extract the final answer of a text and compare it with the gold answer
extraction.py    where a text says its final answer, and whether a cut text had finished saying it
agreement.py     when two printed numbers are the same answer: rounding, percent, units
structures.py    tuples, sets, lists, intervals of numbers
wording.py       multiple choice and free text
gold.py          whether a gold answer can be compared with at all
maths.py         formulas: what is decided here, what math-verify is asked, and when it is believed
screening.py     what math-verify must never see
maths_task.py    math-verify itself, in a worker process
"""
