"""Counts what requests cost: statements, round trips and calls."""
