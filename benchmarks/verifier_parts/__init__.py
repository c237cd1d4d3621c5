"""Parts of `verifiers.py`.

arithmetic.py        the arithmetic verifier and the agreement of step results, on real solutions
gsm8k_errors.json    reference steps of GSM8K whose equation is wrong, as read by hand: [row, step, what is wrong]
"""
