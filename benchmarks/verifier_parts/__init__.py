"""What `benchmarks/verifiers.py` measures, a module a kind of verifier."""
