"""Formal logic."""
