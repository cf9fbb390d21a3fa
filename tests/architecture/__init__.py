"""Structural rules, each tested with a planted violation."""
