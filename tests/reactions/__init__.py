"""Tests of the reactions context."""
