"""The parts of `benchmarks/engines.py`, one measurement a module."""
