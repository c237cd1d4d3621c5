"""Verifiers of one task each: small examples of how to add one.

multistep_arithmetic.py   BIG-Bench-Mistake: expressions of integers, evaluated in parts
word_sorting.py           BIG-Bench-Mistake: words sorted letter by letter

A verifier is a frozen record with `name`, `version`, `domains` and two verbs: `claims` reads what steps assert,
`verify` decides one such claim. A line in `verifiers/registry.py` gives it a name on the command line; without one,
`--verifier your_package.module:YourVerifier` does.
"""
